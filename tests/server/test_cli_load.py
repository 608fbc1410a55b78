"""`clawback load` as a person uses it: the counts that it prints, what it refuses, and what it leaves in the store."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from loaders import cash
from loaders.job import run_load
from store import Store
from tests.loaders.anthropic.stub import KEY, Anthropic, cost
from tests.loaders.http_stub import served as answered
from tests.server.conftest import MAPPING, RUNS, Run, served


def test_a_load_prints_counts_that_add_up_and_again_changes_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    first = run("load", "runs", "runs.csv", "--mapping", "mapping.yaml")
    assert first.out == "runs runs.csv: read 4  stored 4  unchanged 0  ignored 0  rejected 0\n"
    again = run("load", "runs", "runs.csv", "--mapping", "mapping.yaml")
    assert again.out == "runs runs.csv: read 4  stored 0  unchanged 4  ignored 0  rejected 0\n"


def test_a_dry_run_stores_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    shown = run("load", "runs", "runs.csv", "--mapping", "mapping.yaml", "--dry-run")
    assert shown.out == "runs runs.csv (dry run, nothing stored): read 4  parsed 4  ignored 0  rejected 0\n"
    assert not (tmp_path / "store.duckdb").exists()


def test_a_mapping_that_names_a_missing_column_says_which_and_what_there_is(loaded: Run, tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text(MAPPING.replace("cost_usd: cost", "cost_usd: costs"))
    shown = loaded("load", "runs", "runs.csv", "--mapping", "wrong.yaml")
    assert shown.code == 1
    for part in ("costs", "did you mean 'cost'", "run, agent, model, kind, cost, ok"):
        assert part in shown.err


def test_a_bad_row_is_told_with_its_place_and_nothing_else_is_lost(run: Run, tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text(RUNS.replace("0.25", "a quarter"))
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    shown = run("load", "runs", "runs.csv", "--mapping", "mapping.yaml")
    assert shown.out == "runs runs.csv: read 4  stored 3  unchanged 0  ignored 0  rejected 1\n"
    assert shown.err.startswith("rejected runs.csv:3: ")
    assert "a quarter" in shown.err


def test_only_a_load_brings_the_store_to_the_capacity_of_the_settings(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored() -> list[tuple[object, ...]]:
        with duckdb.connect(str(tmp_path / "store.duckdb"), read_only=True) as store:
            return store.execute("SELECT capacity_slots, version FROM allocation, data_version").fetchall()

    assert stored() == [(1, 2)]
    monkeypatch.setenv("CLAWBACK_CAPACITY_SLOTS", "5")
    for command in (("query", "sessions"), ("sql", "sessions"), ("check",)):
        assert loaded(*command).code == 0
        assert stored() == [(1, 2)]
    assert loaded("load", "runs", "runs.csv", "--mapping", "mapping.yaml").code == 0
    assert stored()[0][0] == 5


SOURCES = """
sources:
  evals: {loader: runs, location: runs.csv, options: {mapping: mapping.yaml}, schedule: "0 6 * * *"}
  bank: {loader: cash, location: cash.csv}
"""


@pytest.fixture
def named(run: Run, tmp_path: Path) -> Run:
    """The command line in a directory with a file of sources, of which one cannot be loaded yet."""
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    (tmp_path / "sources.yaml").write_text(SOURCES)
    return run


def test_all_sources_of_the_file_are_loaded_and_one_that_fails_does_not_stop_the_others(
    named: Run, tmp_path: Path
) -> None:
    shown = named("load", "all")
    assert shown.code == 1
    assert shown.out == f"runs {tmp_path}/runs.csv: read 4  stored 4  unchanged 0  ignored 0  rejected 0\n"
    assert shown.err.splitlines() == [
        f"error: bank: {tmp_path}/cash.csv: there is no such file",
        "error: 1 of 2 loads failed",
    ]
    with Store.open(tmp_path / "store.duckdb") as store:
        assert [(load.source, load.error) for load in store.loads()] == [
            ("cash", f"{tmp_path}/cash.csv: there is no such file"),
            ("runs", None),
        ]


def test_a_source_is_loaded_by_its_name(named: Run, tmp_path: Path) -> None:
    shown = named("load", "evals")
    assert (shown.code, shown.out) == (
        0,
        f"runs {tmp_path}/runs.csv: read 4  stored 4  unchanged 0  ignored 0  rejected 0\n",
    )
    assert "the file of sources has evals, bank" in named("load", "eval").err


def test_only_what_is_due_is_loaded(named: Run, tmp_path: Path) -> None:
    (tmp_path / "cash.csv").write_text("account,as_of_on,balance_usd\nops,2026-03-01,5\n")
    first = named("load", "--due")
    assert [line.split()[0] for line in first.out.splitlines()] == ["runs", "cash"]
    again = named("load", "--due")
    assert (again.code, again.out, again.err) == (0, "", "")


def test_a_load_that_came_too_late_says_what_may_be_lost(named: Run, tmp_path: Path) -> None:
    (tmp_path / "cash.csv").write_text("account,as_of_on,balance_usd\nops,2026-03-01,5\n")
    (tmp_path / "sources.yaml").write_text(SOURCES.replace("cash.csv}", "cash.csv, keeps_days: 2}"))
    long_ago = datetime.now(UTC) - timedelta(days=5)
    with Store.open(tmp_path / "store.duckdb") as store:
        place = str(tmp_path / "cash.csv")
        run_load(store, "cash", place, cash.read(Path(place), now=long_ago), now=long_ago)
    shown = named("load", "bank")
    until = long_ago + timedelta(days=3)
    assert shown.err.startswith(f"warning: cash {tmp_path}/cash.csv keeps what happens for 2 days")
    assert f"from {long_ago:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC may be lost" in shown.err


def test_what_was_never_loaded_and_is_not_there_is_no_source(run: Run, tmp_path: Path) -> None:
    assert run("load", "cash", "cahs.csv").code == 1
    with Store.open(tmp_path / "store.duckdb") as store:
        assert store.loads() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("load",), "give a kind and a location"),
        (("load", "openclaw"), "no file names sources"),
        (("load", "opencalw", "x"), "there is no loader 'opencalw'; there are openclaw"),
        (("load", "cash", "x", "--option", "zone=UTC"), "cash has no option 'zone'; it takes none"),
        (("load", "cash", "x", "--option", "zone"), "'zone' is not NAME=VALUE"),
        (("load", "all", "--due"), "name nothing beside --due"),
    ],
)
def test_a_command_that_says_too_little_is_told_what_is_missing(
    run: Run, arguments: tuple[str, ...], message: str
) -> None:
    shown = run(*arguments)
    assert shown.code != 0
    assert message in shown.err


def test_a_load_into_a_store_that_is_served_is_done_by_the_server(loaded: Run, tmp_path: Path) -> None:
    with served(tmp_path / "store.duckdb"):
        again = loaded("load", "runs", "runs.csv", "--mapping", "mapping.yaml")
        (tmp_path / "runs.csv").write_text(RUNS + "5,main,big,fix,1.00,true\n")
        more = loaded("load", "runs", "runs.csv", "--mapping", "mapping.yaml")
        sessions = loaded("query", "sessions", "--format", "json")
        gone = loaded("load", "cash", "cash.csv")
    assert again.out == f"runs {tmp_path}/runs.csv: read 4  stored 0  unchanged 4  ignored 0  rejected 0\n"
    assert more.out == f"runs {tmp_path}/runs.csv: read 5  stored 1  unchanged 4  ignored 0  rejected 0\n"
    assert '"sessions": 5' in sessions.out
    assert (gone.code, gone.err) == (1, f"error: {tmp_path}/cash.csv: there is no such file\n")


def test_a_server_that_knows_another_place_by_the_name_does_not_load_it(named: Run, tmp_path: Path) -> None:
    (tmp_path / "cash.csv").write_text("account,as_of_on,balance_usd\nops,2026-03-01,5\n")
    with served(tmp_path / "store.duckdb"):
        (tmp_path / "sources.yaml").write_text(SOURCES.replace("location: cash.csv", "location: other.csv"))
        shown = named("load", "bank")
    assert shown.code == 1
    assert "the server knows no source 'bank' of this kind and place" in shown.err


# The signal may arrive while Python clears something away; then it is ignored, told, and the next one ends the load.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_load_that_reads_for_too_long_is_stopped(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"a{number},2026-03-01,1\n" for number in range(400_000))
    (tmp_path / "cash.csv").write_text("account,as_of_on,balance_usd\n" + rows)
    monkeypatch.setenv("CLAWBACK_LOAD_TIMEOUT_S", "1")
    shown = run("load", "cash", "cash.csv")
    assert (shown.code, shown.err) == (1, "error: cash cash.csv took longer than 1 s and was stopped\n")
    with Store.open(tmp_path / "store.duckdb") as store:
        assert store.loads() == []


def test_what_commands_a_terminal_in_the_name_of_a_file_does_not_reach_it(run: Run, tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "a\x1b[31mred.jsonl").write_text("garbage\n")
    shown = run("load", "claude-code", "projects")
    assert "\x1b" not in shown.err + shown.out
    assert "a\\x1b[31mred.jsonl:1" in shown.err


def test_the_sources_of_a_store_that_is_served_are_loaded_there(named: Run, tmp_path: Path) -> None:
    (tmp_path / "cash.csv").write_text("account,as_of_on,balance_usd\nops,2026-03-01,5\n")
    with served(tmp_path / "store.duckdb"):
        shown = named("load", "all")
        due = named("load", "--due")
    assert [line.split()[0] for line in shown.out.splitlines()] == ["runs", "cash"]
    assert (due.code, due.out, due.err) == (0, "", "")


def test_the_key_of_an_api_comes_from_the_environment_and_goes_nowhere_else(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    provider = Anthropic({str(day): [cost("42.6")]}, has_empty_days=False)
    monkeypatch.setenv("CLAWBACK_LOAD_TOKEN", KEY)
    with answered(provider.answer) as url:
        shown = run("load", "anthropic", "acme", "--option", f"url={url}", "--option", "reports=costs")
    assert shown.out == "anthropic acme: read 1  stored 1  unchanged 0  ignored 0  rejected 0\n"
    assert provider.asked[0].headers["x-api-key"] == KEY
    assert KEY not in shown.out + shown.err
    assert KEY.encode() not in (tmp_path / "store.duckdb").read_bytes()
