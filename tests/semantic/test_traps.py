"""Questions that other tools answer with a wrong number that looks right; each with the right one, counted by hand."""

from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from semantic import (
    MetricQuery,
    QueryError,
    TimeRange,
    Value,
    compile_plan,
    load_catalog,
    parse_filter,
    plan_query,
    shape_rows,
)

FILE = """
version: 1
models:
  sessions:
    source: sessions
    key: session_id
    time: started_at
    dimensions: {agent: string, session_id: string, report_count: {type: integer, metric: reports}}
  requests:
    source: requests
    key: request_id
    time: called_at
    joins: {session: sessions}
    dimensions: {model: string}
  outcomes:
    source: outcomes
    key: outcome_id
    time: decided_at
    joins: {session: sessions}
    dimensions: {kind: string}
metrics:
  cost: {sum: requests.cost_usd, unit: USD, empty: zero}
  cost_7d: {metric: cost, rolling: 7 days}
  sessions: {count: sessions}
  cost_per_session: {expr: cost / sessions, unit: USD}
  latency_p95: {percentile: requests.latency_ms, p: 0.95, unit: ms}
  outcomes: {count: outcomes}
  reports: {count: outcomes, where: kind = 'report'}
  sessions_using: {count_distinct: requests.session_id}
  success_rate: {expr: reports / outcomes}
"""
# One request a day of 1 USD from 1 to 20 October, in session s1 (two reports and a note) on odd days and in s2 (a note)
# on even days; one more of 100 USD on the 20th belongs to no session.
TABLES = """
CREATE TABLE sessions AS FROM (VALUES
    ('s1', 'main', TIMESTAMP '2026-10-01 08:00'), ('s2', 'main', TIMESTAMP '2026-10-02 08:00')
) t(session_id, agent, started_at);
CREATE TABLE requests AS
SELECT 'r' || i AS request_id, CASE WHEN i % 2 = 1 THEN 's1' ELSE 's2' END AS session_id, 'opus' AS model,
    TIMESTAMP '2026-10-01 12:00' + INTERVAL (i - 1) DAY AS called_at,
    1.00::DECIMAL(38, 12) AS cost_usd, i * 10 AS latency_ms
FROM range(1, 21) t(i);
INSERT INTO requests VALUES ('lost', NULL, 'opus', TIMESTAMP '2026-10-20 13:00', 100.00, 5);
CREATE TABLE outcomes AS FROM (VALUES
    ('o1', 's1', 'report', TIMESTAMP '2026-10-03 09:00'), ('o2', 's1', 'report', TIMESTAMP '2026-10-04 09:00'),
    ('o3', 's1', 'note', TIMESTAMP '2026-10-04 10:00'), ('o4', 's2', 'note', TIMESTAMP '2026-10-05 09:00')
) t(outcome_id, session_id, kind, decided_at);
"""
CATALOG = load_catalog(FILE, "traps.yaml")


def ask(
    *metrics: str,
    by: tuple[str, ...] = (),
    grain: str | None = None,
    where: str = "",
    days: tuple[int, int] | None = None,
) -> list[tuple[Value, ...]]:
    time = TimeRange(*(datetime(2026, 10, day, tzinfo=UTC) for day in days)) if days else TimeRange()
    query = MetricQuery(
        metrics=metrics,
        by=by,
        grain=grain,
        time=time,
        where=parse_filter(where) if where else None,
        as_of=date(2026, 11, 15),
    )
    plan = plan_query(CATALOG, query)
    statement = compile_plan(plan)
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        rows = connection.execute(statement.sql, statement.params).fetchall()
    return [(*row.keys.values(), *row.values.values()) for row in shape_rows(plan, statement, rows).rows]


def test_a_window_of_seven_days_holds_seven_days() -> None:
    assert ask("cost_7d", grain="day", days=(12, 13)) == [(date(2026, 10, 12), Decimal(7))]


def test_a_window_reads_before_the_start_of_the_range() -> None:
    assert ask("cost_7d", grain="day", days=(3, 5)) == [
        (date(2026, 10, 3), Decimal(3)),
        (date(2026, 10, 4), Decimal(4)),
    ]
    assert ask("cost", grain="day", days=(3, 4)) == [(date(2026, 10, 3), Decimal(1))]


def test_a_window_ends_with_the_range_and_no_row_comes_after_it() -> None:
    rows = ask("cost_7d", grain="day")
    assert rows[-1] == (date(2026, 10, 20), Decimal(107))
    assert len(rows) == 20


def test_a_rolling_metric_by_month_is_the_window_at_its_end_and_not_the_month() -> None:
    assert ask("cost_7d", "cost", grain="month") == [(date(2026, 10, 1), Decimal(0), Decimal(120))]
    assert ask("cost_7d", grain="month", days=(1, 21)) == [(date(2026, 10, 1), Decimal(107))]


def test_a_percentile_counts_each_request_once_however_many_outcomes_its_session_has() -> None:
    # Odd days: 10, 30 .. 190 ms in the session with reports; repeated for each of three outcomes they would give 190.
    assert ask("latency_p95", by=("session.report_count",)) == [
        (0, pytest.approx(191)),
        (2, pytest.approx(181)),
        (None, 5.0),
    ]


def test_a_cut_by_the_kind_of_outcome_would_count_a_request_several_times_and_is_refused() -> None:
    with pytest.raises(QueryError, match="'latency_p95' cannot be cut by 'kind': no many-to-one join leads there"):
        ask("latency_p95", by=("kind",))
    with pytest.raises(QueryError, match="'cost' cannot be cut by 'kind'"):
        ask("cost", by=("kind",))


def test_a_filter_through_a_fan_out_keeps_each_request_once() -> None:
    assert ask("cost", by=("model",), where="session.report_count > 0") == [("opus", Decimal(10))]


def test_cost_outside_any_session_stays_in_the_total_and_in_the_ratio() -> None:
    assert ask("cost", by=("model",)) == [("opus", Decimal(120))]
    assert ask("cost_per_session") == [(Decimal(60),)]
    assert ask("cost", by=("agent",)) == [("main", Decimal(20)), (None, Decimal(100))]


def test_two_facts_that_hang_off_one_session_do_not_multiply_each_other() -> None:
    assert ask("cost", "outcomes", "reports", by=("agent",)) == [
        ("main", Decimal(20), 4, 2),
        (None, Decimal(100), 0, 0),
    ]


def test_sessions_by_model_are_refused_and_the_sessions_that_used_it_are_counted() -> None:
    with pytest.raises(QueryError, match="'sessions' cannot be cut by 'model'"):
        ask("cost_per_session", by=("model",))
    assert ask("sessions_using", by=("model",)) == [("opus", 2)]
