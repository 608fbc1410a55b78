"""The slow way against answers that were counted by hand: the judge of the compiler is judged here first."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import duckdb
import pytest

from semantic import MetricQuery, TimeRange
from tests.semantic.brute import answer
from tests.semantic.brute_numbers import Number
from tests.semantic.conftest import SHARED
from tests.semantic.worlds import (
    Case,
    Cell,
    Change,
    Dimension,
    Entry,
    Join,
    Length,
    Line,
    Share,
    Snapshot,
    Table,
    Term,
    Time,
    Window,
    World,
    compared,
    name,
)

GOLDEN = SHARED / "golden" / "nine-metrics" / "data.sql"
AT = Time("at")
ON = Time("at", is_date=True)


def ratio(over: str, under: str) -> Entry:
    return Entry(kind="expr", formula=Term("/", parts=(Term("metric", over), Term("metric", under))))


def utc(month: int, day: int = 1, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def told(case: Case) -> dict[tuple[Cell, ...], tuple[object, ...]]:
    """The values of each row, numbers rounded to four places."""
    found = answer(case)
    return {key: tuple(_plain(row[n].value) for n in case.query.metrics) for key, row in found.rows.items()}


def _plain(value: object) -> object:
    return round(float(value.value), 4) if isinstance(value, Number) else value


# --- the nine metrics


MODELS: Mapping[str, tuple[tuple[str, ...], Time, Mapping[str, str]]] = {
    "agent.sessions": (("session_id",), Time("started_at"), {"team": "string", "outcome": "string"}),
    "agent.llm_calls": (("call_id",), Time("called_at"), {"model": "string"}),
    "agent.tasks": (("task_id",), Time("finished_at"), {}),
    "finance.balances": (("account", "as_of"), Time("as_of", is_date=True), {"account": "string"}),
    "finance.expenses": (("expense_id",), Time("spent_on", is_date=True), {}),
}
NINE: Mapping[str, Entry] = {
    "sessions": Entry(kind="count", model="sessions"),
    "cost": Entry(kind="sum", model="llm_calls", value=name("cost_usd"), empty="zero"),
    "tasks": Entry(kind="count", model="tasks"),
    "succeeded": Entry(kind="count", model="tasks", where=compared("outcome", "=", "success")),
    "wasted": Entry(kind="metric", varies="cost", where=compared("session.outcome", "<>", "success")),
    "cost_per_session": ratio("cost", "sessions"),
    "cost_per_success": ratio("cost", "succeeded"),
    "waste_rate": ratio("wasted", "cost"),
    "success_rate": ratio("succeeded", "tasks"),
    "roi": ratio("success_rate", "cost_per_session"),
    "mix": Entry(kind="metric", varies="cost", share=Share(of=("model",))),
    "latency": Entry(kind="percentile", model="llm_calls", value=name("latency_ms"), p="0.95"),
    "spend": Entry(kind="sum", model="expenses", value=name("amount_usd"), empty="zero"),
    "burn": Entry(kind="metric", varies="spend", window=Window("rolling", Length(3, "month"), "month", "scale")),
    "cash": Entry(kind="sum", model="balances", value=name("balance_usd"), snapshot=Snapshot(("account",))),
    "runway": ratio("cash", "burn"),
    "cost_mom": Entry(kind="metric", varies="cost", change=Change(Length(1, "month"), "percent")),
}
EXPECTED: Mapping[str, tuple[float | None, ...]] = {
    "cost": (6, 5, 0, 8),
    "cost_per_session": (3, 2.5, None, 4),
    "waste_rate": (0.5833, 0.2, None, 0),
    "roi": (0.2222, 0.2, None, 0.25),
    "cost_per_success": (3, 5, None, 4),
    "latency": (190, 144, None, 275),
    "cash": (1300, 1100, 1100, 700),
    "burn": (90, 105, 90, 110),
    "runway": (14.4444, 10.4762, 12.2222, 6.3636),
    "cost_mom": (None, -0.1667, -1, None),
}


def _golden() -> World:
    if not GOLDEN.exists():
        pytest.skip("the golden cases are not here")
    with duckdb.connect() as connection:
        connection.execute(GOLDEN.read_text())
        tables = {n.partition(".")[2]: _table(connection, n) for n in MODELS}
    return World(tables, NINE)


def _table(connection: duckdb.DuckDBPyConnection, source: str) -> Table:
    key, time, dimensions = MODELS[source]
    found = connection.sql(f"select * from {source}")
    rows: list[Line] = [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]
    rows = [{**r, time.column: _moment(r[time.column], time)} for r in rows]
    joins = {"session": Join("sessions", (("session_id", "session_id"),))} if "call_id" in found.columns else {}
    known = {n: Dimension(kind) for n, kind in dimensions.items()}
    return Table(source.partition(".")[2], key, time, {}, known, joins, tuple(rows))


def _moment(cell: Cell, time: Time) -> Cell:
    assert isinstance(cell, datetime)
    return cell.date() if time.is_date else cell.replace(tzinfo=UTC)


@pytest.mark.golden
@pytest.mark.parametrize("metric", EXPECTED)
def test_the_nine_metrics_by_month_are_those_of_the_golden_table(metric: str) -> None:
    months = TimeRange(utc(1), utc(5))
    query = MetricQuery(metrics=(metric,), as_of=date(2026, 5, 15), grain="month", time=months)
    values = told(Case(_golden(), query))
    assert [values[(date(2026, m, 1),)] for m in (1, 2, 3, 4)] == [(v,) for v in EXPECTED[metric]]
    assert len(values) == 4


@pytest.mark.golden
def test_the_mix_of_models_is_a_share_over_the_dropped_dimension() -> None:
    months = TimeRange(utc(1), utc(5))
    query = MetricQuery(metrics=("mix",), as_of=date(2026, 5, 15), by=("model",), grain="month", time=months)
    assert told(Case(_golden(), query)) == {
        ("opus", date(2026, 1, 1)): (0.9167,),
        ("haiku", date(2026, 1, 1)): (0.0833,),
        ("opus", date(2026, 2, 1)): (0.8,),
        ("haiku", date(2026, 2, 1)): (0.2,),
        ("opus", date(2026, 4, 1)): (0.75,),
        ("haiku", date(2026, 4, 1)): (0.25,),
    }
