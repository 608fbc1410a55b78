"""`clawback query` and `clawback sql` over a store of their own: what they print, and what they refuse."""

import csv
import io
import json
from pathlib import Path

import duckdb
import pytest

from tests.server.conftest import Run


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
