"""What the command line says of itself, of the settings and of a metrics file."""

import json
import re
from pathlib import Path

import pytest

from semantic import load_catalog
from store import Store
from tests.server.conftest import REPOSITORY, Ran, Run


def test_help_teaches_every_command(run: Run) -> None:
    shown = run("--help")
    assert shown.code == 0
    for command in ("demo", "load", "serve", "query", "sql", "explain", "check", "schema"):
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
    first, second = shown.out.splitlines()
    assert first.endswith("no mistake")
    assert second.endswith("store.duckdb. So only the file was checked, and none of its 0 tests")


def test_the_shipped_file_holds_over_rows(loaded: Run) -> None:
    shown = loaded("check")
    assert shown.code == 0
    assert shown.out.splitlines()[1].endswith("store.duckdb: keys are unique, 0 tests hold")


TESTED = """models:
  sessions:
    source: session_facts
    key: session_id
    time: started_at
    dimensions: {agent: string}
  by_agent: {source: session_facts, key: agent}
metrics:
  sessions: {count: sessions}
  cost: {sum: sessions.cost_usd, unit: USD}
  share: {expr: cost / sessions}
tests:
"""
UNIQUE = TESTED.replace("  by_agent: {source: session_facts, key: agent}\n", "")


def checked(run: Run, tmp_path: Path, tests: str, text: str = TESTED) -> Ran:
    (tmp_path / "mine.yaml").write_text(text + tests)
    return run("check", "mine.yaml")


def test_tests_that_hold_are_counted(loaded: Run, tmp_path: Path) -> None:
    tests = (
        "  - {metric: sessions, equals: 4}\n"
        "  - {metric: cost, where: agent = 'scout', equals: 0.05}\n"
        "  - {metrics: [sessions, cost], by: [agent], between: [0, 3]}\n"
        "  - {metric: sessions, by: [agent], sums_to: 4}\n"
        "  - {metric: cost, not_null: true}\n"
        "  - {metric: sessions, by: [agent], matches_sql: "
        '"select agent, count(*) from session_facts group by agent"}\n'
    )
    shown = checked(loaded, tmp_path, tests, UNIQUE)
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines()[1].endswith("keys are unique, 6 tests hold")


def test_what_does_not_hold_is_told_at_its_line_with_what_was_got(loaded: Run, tmp_path: Path) -> None:
    tests = (
        "  - {metric: sessions, by: [agent], equals: 3}\n"
        "  - {metric: cost, where: agent = 'nobody', not_null: true}\n"
        "  - {metric: sessions, range: today, equals: 4, by: [agent]}\n"
        '  - {metric: sessions, matches_sql: "select 5"}\n'
        '  - {metric: sessions, matches_sql: "select no_such_column"}\n'
    )
    shown = checked(loaded, tmp_path, tests)
    assert shown.code == 1
    places = [line.removeprefix("error: ").split(": ", 1) for line in shown.err.splitlines()]
    assert [place.rpartition(":")[0] for place, _ in places] == [f"mine.yaml:{n}" for n in (7, 13, 14, 15, 16, 17)]
    assert [message for _, message in places][:5] == [
        "the key of 'by_agent' says that agent is unique in 'session_facts'; got 1 repeated, such as main",
        "sessions (agent scout): got 1, expected 3",
        "cost: got null (NO_DATA), expected a value",
        "the answer has no rows, so there is nothing to test",
        "sessions: got 4, expected 5",
    ]
    assert places[5][1].startswith("the test cannot be answered: ")


def test_what_the_guide_shows_can_be_written(loaded: Run, tmp_path: Path) -> None:
    guide = (REPOSITORY / "docs" / "queries.md").read_text()
    parts = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    assert len(parts) == 2
    catalog = load_catalog((REPOSITORY / "metrics.yaml").read_text() + "".join(parts))
    assert [check.metrics[0] for check in catalog.checks] == [
        "sessions", "cost_per_session", "session_cost", "roi", "sessions",
    ]  # fmt: skip
    assert list(catalog.calendar.grains) == ["sprint"]


def test_without_a_store_the_tests_are_not_asked_and_that_is_said(run: Run, tmp_path: Path) -> None:
    shown = checked(run, tmp_path, "  - {metric: sessions, equals: 1000}\n")
    assert shown.code == 0
    assert shown.out.splitlines()[1].startswith("There is no store at ")
    assert shown.out.splitlines()[1].endswith(" So only the file was checked, and none of its 1 tests")


def test_beside_a_server_the_tests_are_not_asked_and_that_is_said(loaded: Run, tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.duckdb"):
        shown = checked(loaded, tmp_path, "  - {metric: sessions, equals: 1000}\n")
    assert shown.code == 0
    assert "is open already in this process" in shown.out
    assert shown.out.endswith(" So only the file was checked, and none of its 1 tests\n")


def test_tests_may_be_asked_as_on_another_day(loaded: Run, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(UNIQUE + "  - {metric: sessions, range: last 2 days, equals: 0}\n")
    assert loaded("check", "mine.yaml", "--as-of", "2026-03-02").code == 0
    assert "--as-of takes a day such as 2026-03-01" in loaded("check", "mine.yaml", "--as-of", "soon").err


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
