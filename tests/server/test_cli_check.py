"""What the command line says of itself, of the settings and of a metrics file."""

import json
from pathlib import Path

import pytest

from tests.server.conftest import Run


def test_help_teaches_every_command(run: Run) -> None:
    shown = run("--help")
    assert shown.code == 0
    for command in ("demo", "load", "serve", "query", "sql", "check", "schema"):
        assert f"  {command} " in shown.out
        assert run(command, "--help").code == 0


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


def test_a_store_that_is_not_there_is_not_made_by_asking_it(run: Run, tmp_path: Path) -> None:
    shown = run("query", "sessions")
    assert shown.code == 1
    assert "there is no store at" in shown.err
    assert not (tmp_path / "store.duckdb").exists()


def test_settings_that_do_not_fit_each_other_are_told_without_their_contents(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLAWBACK_DEFAULT_ROWS", "20000")
    shown = run("check")
    assert shown.code == 1
    assert shown.err == "error: Value error, default_rows (20,000) is above max_rows (10,000)\n"
