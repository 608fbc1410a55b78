"""`clawback load` as a person uses it: the counts that it prints, what it refuses, and what it leaves in the store."""

from pathlib import Path

import duckdb
import pytest

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

    assert stored() == [(1, 1)]
    monkeypatch.setenv("CLAWBACK_CAPACITY_SLOTS", "5")
    for command in (("query", "sessions"), ("sql", "sessions"), ("check",)):
        assert loaded(*command).code == 0
        assert stored() == [(1, 1)]
    assert loaded("load", "runs", "runs.csv", "--mapping", "mapping.yaml").code == 0
    assert stored()[0][0] == 5


def test_a_load_into_a_store_that_is_served_says_what_to_do(loaded: Run, tmp_path: Path) -> None:
    with served(tmp_path / "store.duckdb") as url:
        shown = loaded("load", "runs", "runs.csv", "--mapping", "mapping.yaml")
    assert shown.code == 1
    assert shown.err == (
        f"error: {tmp_path}/store.duckdb is served at {url}. A load needs the store to itself for now: "
        "stop `clawback serve`, load, start it again\n"
    )
