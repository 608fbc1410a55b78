"""The command line as a person uses it: what it prints, what it refuses and with which exit code."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from semantic import load_catalog
from server.app import create_app
from server.cli import main
from server.cli.remote import announced
from server.settings import Settings
from store import Store
from tests.serving import running

RUNS = """run,agent,model,kind,cost,ok
1,main,big,fix,0.50,true
2,main,big,fix,0.25,false
3,main,small,fix,,true
4,scout,small,look,0.05,true
"""
MAPPING = """
source: test
session_id: run
agent: agent
model: model
task_class: kind
cost_usd: cost
success: ok
"""


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Runs a command in a directory of its own, with a store of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLAWBACK_STORE", str(tmp_path / "store.duckdb"))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> Ran:
        monkeypatch.setattr("sys.argv", ["clawback", *arguments])
        try:
            main()
            code = 0
        except SystemExit as stop:
            code = int(stop.code or 0)
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return command


@pytest.fixture
def loaded(run: Run, tmp_path: Path) -> Run:
    (tmp_path / "runs.csv").write_text(RUNS)
    (tmp_path / "mapping.yaml").write_text(MAPPING)
    assert run("load", "runs", "runs.csv", "--mapping", "mapping.yaml").code == 0
    return run


def test_help_teaches_every_command(run: Run) -> None:
    shown = run("--help")
    assert shown.code == 0
    for command in ("demo", "load", "serve", "query", "sql", "check", "schema"):
        assert f"  {command} " in shown.out
        assert run(command, "--help").code == 0


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


def test_json_keeps_every_digit_and_says_why_a_value_is_null(loaded: Run) -> None:
    shown = loaded("query", "session_cost", "cost_per_session", "roi", "--by", "model", "--format", "json")
    assert json.loads(shown.out) == {
        "rows": [
            {"model": "big", "session_cost": "0.75", "cost_per_session": "0.375", "roi": 0.5 / 0.375, "status": {}},
            {
                "model": "small",
                "session_cost": "0.05",
                "cost_per_session": "0.05",
                "roi": 20.0,
                "status": {"session_cost": "LOWER_BOUND", "cost_per_session": "PARTIAL", "roi": "PARTIAL"},
            },
        ],
        "truncated": False,
    }


def test_csv_has_a_status_beside_every_metric(loaded: Run) -> None:
    shown = loaded("query", "cost_per_session", "--by", "agent", "--by", "model", "--format", "csv")
    assert list(csv.reader(io.StringIO(shown.out))) == [
        ["agent", "model", "cost_per_session", "cost_per_session_status"],
        ["main", "big", "0.375", "OK"],
        ["main", "small", "", "UNPRICED"],
        ["scout", "small", "0.05", "OK"],
    ]


def test_a_table_shows_the_reason_in_place_of_the_number(loaded: Run) -> None:
    shown = loaded("query", "cost_per_session", "sessions", "--by", "agent", "--where", "model = 'small'")
    assert [line.split("│")[1:4] for line in shown.out.splitlines() if "main" in line or "scout" in line] == [
        [" main  ", "         UNPRICED ", "        1 "],
        [" scout ", "         0.050000 ", "        1 "],
    ]


def test_a_cut_answer_says_that_it_was_cut(loaded: Run) -> None:
    assert "there are more rows" in loaded("query", "sessions", "--by", "model", "--limit", "1").out
    assert "there are more rows" not in loaded("query", "sessions", "--by", "model", "--limit", "2").out


def test_the_printed_sql_gives_the_same_rows_in_duckdb_by_hand(loaded: Run, tmp_path: Path) -> None:
    printed = loaded("sql", "roi", "--by", "model", "--where", "task_class = 'fix'", "--limit", "10")
    assert printed.code == 0
    assert "$" not in printed.out
    with duckdb.connect(str(tmp_path / "store.duckdb"), read_only=True) as by_hand:
        rows = by_hand.execute(printed.out).fetchall()
    answered = json.loads(
        loaded("query", "roi", "--by", "model", "--where", "task_class = 'fix'", "--format", "json").out
    )
    assert [{"model": m, "roi": r} for m, r in rows] == [
        {k: row[k] for k in ("model", "roi")} for row in answered["rows"]
    ]
    assert rows == [("big", 0.5 / 0.375), ("small", None)]


def test_parameters_can_be_shown_apart(loaded: Run) -> None:
    shown = loaded("sql", "sessions", "--where", "agent = 'main'", "--parameters")
    assert "sessions.agent = $p1" in shown.out
    assert "-- $p1 = 'main'" in shown.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("query", "sesions"), "there is no metric 'sesions'; did you mean 'sessions'?"),
        (("query", "sessions", "--by", "modle"), "there is no dimension 'modle'; did you mean 'model'?"),
        (("query", "cash", "--by", "model"), "'cash' cannot be cut by 'model'"),
        (("query", "sessions", "--where", "model ="), "the filter has a condition that cannot be read"),
        (("query", "sessions", "--since", "yesterday"), "--since takes 2026-03-01 or 2026-03-01T09:00:00Z"),
        (("query", "sessions", "--since", "2026-03-01T09:00:00"), "needs an offset"),
        (("query", "sessions", "--zone", "Mars"), "'Mars' is not a time zone"),
        (("query", "sessions", "--order", "sessions:up"), "--order takes NAME, NAME:asc or NAME:desc"),
        (("load", "runs", "nothing.jsonl", "--mapping", "mapping.yaml"), "nothing.jsonl"),
        (("load", "runs", "runs.csv"), "runs needs a mapping"),
        (("load", "cash", "runs.csv", "--mapping", "mapping.yaml"), "takes no mapping"),
        (("load", "openclaw", "."), "agents"),
        (("check", "nothing.yaml"), "nothing.yaml"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_failure(loaded: Run, arguments: tuple[str, ...], message: str) -> None:
    shown = loaded(*arguments)
    assert shown.code == 1
    assert message in shown.err
    assert shown.err.startswith("error: ")
    assert "Traceback" not in shown.err


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


def test_a_metrics_file_with_five_mistakes_tells_all_five(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "models:\n"
        "  sessions: {source: session_facts, key: session_id, dimensions: {agent: strng}}\n"
        "metrics:\n"
        "  a: {count: sesions}\n"
        "  b: {sum: sessions}\n"
        "  c: {expr: a / missing}\n"
        "  d: {count: sessions, wher: agent = 'x'}\n"
    )
    shown = run("check", "bad.yaml")
    assert shown.code == 1
    places = [line.removeprefix("error: ").split(": ")[0] for line in shown.err.strip().splitlines()]
    assert places == ["bad.yaml:2:74", "bad.yaml:4:14", "bad.yaml:5:12", "bad.yaml:6:17", "bad.yaml:7:24"]


def test_check_knows_the_tables_that_a_file_reads(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "models:\n"
        "  sessions: {source: session_facts, key: session_id, time: started_at, dimensions: {agent: string}}\n"
        "  lost: {source: lost_facts, key: id}\n"
        "metrics:\n"
        "  spend: {sum: sessions.cots_usd}\n"
    )
    shown = run("check", "bad.yaml")
    assert shown.code == 1
    assert "bad.yaml:3:3: the model 'lost' reads 'lost_facts', which the store does not have" in shown.err
    assert "bad.yaml:5:3: the metric 'spend' reads 'cots_usd', which 'session_facts' lacks; did you mean" in shown.err


def test_the_shipped_file_has_no_mistake(run: Run) -> None:
    shown = run("check")
    assert shown.code == 0
    assert shown.out.endswith("no mistake\n")


def test_a_metric_added_to_the_file_alone_is_everywhere(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = (Path(__file__).parents[2] / "metrics.yaml").read_text()
    added = "  dearest_session: {max: sessions.cost_usd, unit: USD, description: The dearest session}\n"
    (tmp_path / "mine.yaml").write_text(shipped + added)
    monkeypatch.setenv("CLAWBACK_METRICS", str(tmp_path / "mine.yaml"))
    assert json.loads(loaded("query", "dearest_session", "--format", "json").out)["rows"][0]["dearest_session"] == "0.5"
    assert '"""The dearest session' in loaded("schema").out
    assert "dearestSession: Decimal" in loaded("schema").out
    assert "## dearest_session\n\nThe dearest session, in USD." in loaded("schema", "--format", "markdown").out


def test_a_setting_that_is_wrong_is_told_by_the_name_of_its_variable(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWBACK_PORT", "many")
    shown = run("query", "sessions")
    assert shown.code == 1
    assert shown.err.startswith("error: CLAWBACK_PORT: Input should be a valid integer")


def test_a_store_that_another_process_holds_is_named_with_what_to_do(loaded: Run, tmp_path: Path) -> None:
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / "store.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        shown = loaded("query", "sessions")
        assert holder.stdin is not None
        holder.stdin.close()
    assert shown.code == 1
    assert str(holder.pid) in shown.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("cost_per_session", "roi", "sessions", "--by", "agent", "--by", "model"),
        ("sessions", "--by", "task_result", "--where", "task_result in ('success', 'failure') and not agent = 'x'"),
        ("session_cost", "--where", "model is null or model like 'b%'", "--order", "session_cost:desc"),
        ("burn_rate", "cash", "runway_months", "depletion_date", "--as-of", "2026-03-01"),
        ("sessions", "--grain", "day", "--since", "2026-03-01", "--until", "2026-03-03", "--zone", "Asia/Kolkata"),
    ],
)
def test_a_store_that_a_server_owns_is_asked_through_the_server(loaded: Run, tmp_path: Path, arguments: Any) -> None:
    asked = ("query", *arguments, "--format", "json")
    alone = loaded(*asked)
    assert alone.code == 0
    path = tmp_path / "store.duckdb"
    catalog = load_catalog((Path(__file__).parents[2] / "metrics.yaml").read_text(), "metrics.yaml")
    with (
        Store.open(path) as store,
        running(create_app(store, catalog, Settings(), lambda: datetime.now(UTC))) as url,
        announced(path, url),
    ):
        served = loaded(*asked)
        refused = loaded("query", "sessions", "--limit", "1000000")
    assert (served.code, served.out) == (0, alone.out)
    assert (refused.code, "10,000" in refused.err) == (1, True)
    assert list(tmp_path.glob("*.server")) == []
