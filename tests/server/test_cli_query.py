"""`clawback query` and `clawback sql` over a store of their own: what they print, and what they refuse."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from semantic import load_catalog
from server.outcome_rules import outcome_rules
from store import Outcome, Session, Store
from tests.server.conftest import REPOSITORY, Run, load_into


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


def test_csv_without_rows_still_names_its_columns(loaded: Run) -> None:
    asked = ("query", "inference_cost", "--by", "agent", "--by", "session.trigger", "--where", "agent = 'nobody'")
    names = "agent,session_trigger,time,inference_cost,inference_cost_status\n"
    assert loaded(*asked, "--grain", "day", "--format", "csv").out == names
    assert loaded(*asked, "--format", "csv").out == names.replace("time,", "")
    table = loaded(*asked).out
    assert [word for word in ("agent", "session_trigger", "inference_cost", "no rows") if word not in table] == []


def test_csv_names_its_columns_as_json_names_the_keys_of_its_rows(loaded: Run) -> None:
    asked = ("query", "inference_cost", "--by", "session.agent", "--by", "model", "--grain", "day")
    named = loaded(*asked, "--format", "csv").out.splitlines()[0]
    assert named == "session_agent,model,time,inference_cost,inference_cost_status"
    rows = json.loads(loaded(*asked, "--format", "json").out)["rows"]
    assert {tuple(row) for row in rows} == {("session_agent", "model", "time", "inference_cost", "status")}


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


def test_the_sql_may_be_in_the_words_of_another_database(loaded: Run) -> None:
    asked = ("sql", "sessions", "--by", "agent", "--grain", "week", "--where", "model = 'big'")
    for dialect in ("postgres", "clickhouse", "spark", "snowflake", "bigquery", "trino"):
        shown = loaded(*asked, "--dialect", dialect)
        assert (shown.code, shown.err) == (0, "")
        assert "'big'" in shown.out
    assert '"session_facts"' in loaded(*asked, "--dialect", "postgres").out
    refused = loaded(*asked, "--dialect", "postgres", "--parameters")
    assert (refused.code, "without --dialect" in refused.err) == (2, True)


def test_parameters_can_be_shown_apart(loaded: Run) -> None:
    shown = loaded("sql", "sessions", "--where", "agent = 'main'", "--parameters")
    assert "sessions.agent = $p1" in shown.out
    assert "-- $p1 = 'main'" in shown.out


MORE = """
calendar: {grains: {sprint: {every: 2 weeks, from: 2026-01-05}}}
filters: {of_main: {model: sessions, where: agent = 'main'}}
"""


@pytest.fixture
def extended(loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The shipped file with a period, a filter, an estimate and a deprecated metric of its own."""
    shipped = (REPOSITORY / "metrics.yaml").read_text()
    added = (
        "  models_seen: {count_distinct: sessions.model, approximate: true}\n"
        "  runs: {count: sessions, deprecated: ask for sessions}\n"
    )
    (tmp_path / "mine.yaml").write_text(shipped + added + MORE)
    monkeypatch.setenv("CLAWBACK_METRICS", "mine.yaml")
    return loaded


def rows(run: Run, *arguments: str) -> list[dict[str, object]]:
    shown = run("query", *arguments, "--format", "json")
    assert (shown.code, shown.err) == (0, "")
    return [{k: v for k, v in row.items() if k != "status"} for row in json.loads(shown.out)["rows"]]


def test_conditions_on_values_choose_the_rows(loaded: Run) -> None:
    assert rows(loaded, "sessions", "--by", "agent", "--having", "sessions > 1") == [{"agent": "main", "sessions": 3}]
    unknown = rows(loaded, "session_cost", "--by", "agent", "--by", "model", "--having", "session_cost is null")
    assert unknown == [{"agent": "main", "model": "small", "session_cost": None}]


def test_a_filter_of_the_file_is_asked_by_its_name(extended: Run) -> None:
    assert rows(extended, "sessions", "--filter", "of_main") == [{"sessions": 3}]
    assert rows(extended, "sessions", "--filter", "of_main", "--where", "model = 'small'") == [{"sessions": 1}]
    refused = extended("query", "sessions", "--filter", "of_mian")
    assert refused.err == "error: there is no filter 'of_mian'; did you mean 'of_main'?\n"


def test_a_range_may_be_said_in_words(loaded: Run) -> None:
    asked = ("charged_cost", "--grain", "day", "--as-of", "2026-03-04")
    days = [{"time": f"2026-03-0{n}", "charged_cost": "0"} for n in range(1, 4)]
    assert rows(loaded, *asked, "--last", "3 days") == days
    assert rows(loaded, *asked, "--range", "last 3 days") == days
    assert rows(loaded, *asked, "--range", "2026-03-01 to 2026-03-03") == days


def test_a_period_of_the_file_is_a_grain(extended: Run) -> None:
    asked = ("charged_cost", "--grain", "sprint", "--range", "2026-03-01 to 2026-03-02", "--as-of", "2026-03-04")
    assert rows(extended, *asked) == [
        {"time": "2026-02-16", "charged_cost": "0"},
        {"time": "2026-03-02", "charged_cost": "0"},
    ]


def test_parts_of_the_time_are_columns_under_names_of_their_own(loaded: Run) -> None:
    asked = ("sessions", "--by", "time.year", "--where", "time.weekday between 1 and 7", "--format", "csv")
    assert loaded("query", *asked).out.splitlines()[0] == "time_year,sessions,sessions_status"


def test_hours_are_instants_in_utc(loaded: Run) -> None:
    hours = ("--grain", "hour", "--since", "2026-03-01T00:00:00Z", "--until", "2026-03-01T02:00:00Z")
    assert rows(loaded, "sessions", *hours, "--zone", "Asia/Kolkata") == [
        {"time": "2026-02-28T23:30:00Z", "sessions": 0},
        {"time": "2026-03-01T00:30:00Z", "sessions": 0},
        {"time": "2026-03-01T01:30:00Z", "sessions": 0},
    ]


def test_a_table_notes_what_is_an_estimate_and_what_is_deprecated(extended: Run) -> None:
    shown = extended("query", "models_seen", "runs")
    assert "models_seen is an estimate" in shown.out
    assert "runs is deprecated: ask for sessions" in shown.out


def test_explain_says_where_a_number_comes_from(loaded: Run) -> None:
    shown = loaded("explain", "cost_per_session", "--by", "agent", "--where", "time.hour < 12")
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0].startswith("cost_per_session = session_cost / costed_sessions  (")
    assert "  rests on session_cost, costed_sessions" in lines
    assert "  sum of cost_usd in sessions" in lines
    assert "session_facts, for session_cost, costed_sessions: rows of the range, grouped by the keys" in lines
    assert "  agent: a dimension of sessions itself" in lines
    assert "  time.hour: the hour of started_at in UTC" in lines
    assert lines[-1] == "days are cut in UTC"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("query", "sessions", "--grain", "dya"), "there is no grain 'dya'; did you mean 'day'?"),
        (("query", "sessions", "--range", "lately"), "'lately' is not a range of time; write one such as today"),
        (("query", "sessions", "--last", "3 moons"), "'moons' is not a length of time"),
        (("query", "sessions", "--last", "3 days", "--since", "2026-03-01"), "limit time in one way"),
        (("query", "sessions", "--range", "today", "--last", "3 days"), "limit time in one way"),
        (("query", "sessions", "--having", "roi > 1"), "compare the values of what is asked for"),
        (("query", "sessions", "--having", "sessions >"), "the filter has a condition that cannot be read"),
        (("query", "sessions", "--by", "time.weekdya"), "there is no dimension 'time.weekdya'"),
        (("query", "cash", "--by", "time.month"), "'cash' cannot be cut by 'time.month'"),
        (("explain", "sesions"), "there is no metric 'sesions'; did you mean 'sessions'?"),
        (("query", "sesions"), "there is no metric 'sesions'; did you mean 'sessions'?"),
        (("query", "sessions", "--by", "modle"), "there is no dimension 'modle'; did you mean 'model'?"),
        (("query", "cash", "--by", "model"), "'cash' cannot be cut by 'model'"),
        (("query", "sessions", "--where", "model ="), "the filter has a condition that cannot be read"),
        (("query", "sessions", "--since", "yesterday"), "--since takes 2026-03-01 or 2026-03-01T09:00:00Z"),
        (("query", "sessions", "--since", "2026-03-01T09:00:00"), "needs an offset"),
        (("query", "sessions", "--as-of", "9000-01-01"), "--as-of 9000-01-01 is a day to come"),
        (("query", "sessions", "--zone", "Mars"), "'Mars' is not a time zone"),
        (("query", "sessions", "--order", "sessions:up"), "--order takes NAME, NAME:asc or NAME:desc"),
        (("load", "runs", "nothing.jsonl", "--mapping", "mapping.yaml"), "nothing.jsonl"),
        (("load", "runs", "runs.csv"), "runs needs a mapping"),
        (("load", "cash", "runs.csv", "--mapping", "mapping.yaml"), "cash has no option 'mapping'; it takes none"),
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


def test_a_metrics_file_that_does_not_fit_the_store_is_sent_to_the_check(
    loaded: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(
        "models: {sessions: {source: session_facts, key: session_id}}\n"
        "metrics: {odd: {count: sessions, where: clas = 'idle'}}\n"
    )
    monkeypatch.setenv("CLAWBACK_METRICS", "mine.yaml")
    shown = loaded("query", "odd")
    assert shown.code == 1
    assert "`clawback check mine.yaml` tells" in shown.err
    assert loaded("check", "mine.yaml").err.startswith("error: mine.yaml:2:11: the metric 'odd' reads 'clas'")


def test_a_task_whose_window_has_closed_since_the_load_is_decided_as_a_server_would_say(
    run: Run, tmp_path: Path
) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    session = Session(session_id="s", source="test", started_at=then, ended_at=then, termination="completed")
    opened = Outcome(outcome_id="o", source="test", session_id="s", kind="PR_OPENED", occurred_at=then)
    with Store.open(tmp_path / "store.duckdb") as store:
        metrics = REPOSITORY / "metrics.yaml"
        store.set_outcome_rules(outcome_rules(load_catalog(metrics.read_text("utf-8"), "metrics.yaml")))
        load_into(store, [session, opened], now=then)
    asked = ("query", "decided_tasks", "task_success_rate", "--format", "csv")
    assert run(*asked).out.splitlines()[1] == "1,OK,0.0,OK"
