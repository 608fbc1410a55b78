"""Nine metrics of a small company over four months, one of them without activity: what each must say, and why."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from semantic import (
    Grain,
    MetricQuery,
    QueryError,
    Result,
    TimeRange,
    Value,
    compile_plan,
    load_catalog,
    plan_query,
    shape_rows,
)

METRICS = """
version: 1
models:
  sessions:
    source: agent.sessions
    key: session_id
    time: started_at
    dimensions:
      team: string
      outcome: {type: enum, values: [success, failed, abandoned]}
  llm_calls:
    source: agent.llm_calls
    key: call_id
    time: called_at
    joins: {session: sessions}
    dimensions: {model: string}
  tasks:
    source: agent.tasks
    key: task_id
    time: finished_at
    joins: {session: sessions}
    dimensions:
      task_outcome: {type: enum, values: [success, failed], sql: outcome}
  balances:
    source: finance.balances
    key: [account, as_of]
    time: {column: as_of, grain: day}
    dimensions: {account: string}
  expenses:
    source: finance.expenses
    key: expense_id
    time: {column: spent_on, grain: day}
metrics:
  sessions: {count: sessions}
  cost: {sum: llm_calls.cost_usd, unit: USD, better: lower, empty: zero}
  tasks: {count: tasks}
  tasks_succeeded: {count: tasks, where: task_outcome = 'success', empty: zero}
  wasted_cost: {metric: cost, where: "session.outcome in ('failed', 'abandoned')"}
  cost_per_session: {expr: cost / sessions, unit: USD}
  cost_per_success: {expr: cost / tasks_succeeded, unit: USD}
  waste_rate: {expr: wasted_cost / cost, unit: percent, better: lower}
  task_success_rate: {expr: tasks_succeeded / tasks, unit: percent}
  roi: {expr: task_success_rate / cost_per_session, better: higher}
  model_mix: {metric: cost, share: {within: all}, unit: percent}
  latency_p95: {percentile: llm_calls.latency_ms, p: 0.95, unit: ms}
  spend: {sum: expenses.amount_usd, unit: USD, empty: zero}
  burn_rate: {metric: spend, rolling: {window: 3 months, average: month, partial: scale}, unit: USD/month}
  cash: {sum: balances.balance_usd, snapshot: {take: last, per: [account], carry: true}, unit: USD}
  runway: {expr: case when burn_rate > 0 then cash / burn_rate end, unit: months, when_unknown: NOT_BURNING}
  cost_mom: {metric: cost, change: {from: 1 month, as: percent}}
  sessions_using: {count_distinct: llm_calls.session_id}
"""
JANUARY, MAY = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
MONTHS = [date(2026, month, 1) for month in (1, 2, 3, 4)]


class Company:
    def __init__(self, data: str) -> None:
        self.catalog = load_catalog(METRICS, "nine.yaml")
        self.connection = duckdb.connect()
        # The data writes days as timestamps at midnight; the two models of days declare dates.
        self.connection.execute(data)
        self.connection.execute("ALTER TABLE finance.balances ALTER as_of TYPE DATE")
        self.connection.execute("ALTER TABLE finance.expenses ALTER spent_on TYPE DATE")

    def ask(
        self, *metrics: str, by: tuple[str, ...] = (), end: datetime | None = MAY, evidence: bool = False
    ) -> Result:
        time = TimeRange(JANUARY, end) if end else TimeRange()
        query = MetricQuery(
            metrics=metrics, by=by, grain=Grain.MONTH, time=time, as_of=date(2026, 6, 15), evidence=evidence
        )
        plan = plan_query(self.catalog, query)
        statement = compile_plan(plan)
        return shape_rows(plan, statement, self.connection.execute(statement.sql, statement.params).fetchall())

    def months(self, metric: str) -> list[Value]:
        rows = self.ask(metric).rows
        assert [row.keys["time"] for row in rows] == MONTHS
        return [row.values[metric] for row in rows]


@pytest.fixture
def company(shared: Callable[[str], Path]) -> Company:
    return Company(shared("golden/nine-metrics/data.sql").read_text())


@pytest.mark.golden
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("cost", ["6", "5", "0", "8"]),
        ("cost_per_session", ["3", "2.5", None, "4"]),
        ("cost_per_success", ["3", "5", None, "4"]),
        ("cash", ["1300", "1100", "1100", "700"]),
        ("burn_rate", ["90", "105", "90", "110"]),
    ],
)
def test_amounts_of_each_month_are_exact(company: Company, metric: str, expected: list[str | None]) -> None:
    assert company.months(metric) == [None if value is None else Decimal(value) for value in expected]


@pytest.mark.golden
@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("waste_rate", [3.5 / 6, 0.2, None, 0.0]),
        ("roi", [2 / 9, 0.2, None, 0.25]),
        ("latency_p95", [190.0, 144.0, None, 275.0]),
        ("runway", [1300 / 90, 1100 / 105, 1100 / 90, 700 / 110]),
        ("cost_mom", [None, -1 / 6, -1.0, None]),
    ],
)
def test_ratios_of_each_month_are_ratios_of_totals(company: Company, metric: str, expected: list[float | None]) -> None:
    found = company.months(metric)
    assert [value is None for value in found] == [value is None for value in expected]
    assert found == [None if value is None else pytest.approx(value, rel=1e-12) for value in expected]


@pytest.mark.golden
def test_the_share_of_a_model_is_of_all_models_of_its_month(company: Company) -> None:
    shares = {
        (r.keys["time"], r.keys["model"]): r.values["model_mix"] for r in company.ask("model_mix", by=("model",)).rows
    }
    assert shares == {
        (date(2026, 1, 1), "opus"): pytest.approx(5.5 / 6),
        (date(2026, 1, 1), "haiku"): pytest.approx(0.5 / 6),
        (date(2026, 2, 1), "opus"): pytest.approx(0.8),
        (date(2026, 2, 1), "haiku"): pytest.approx(0.2),
        (date(2026, 4, 1), "opus"): pytest.approx(0.75),
        (date(2026, 4, 1), "haiku"): pytest.approx(0.25),
    }


@pytest.mark.golden
def test_each_null_has_its_reason(company: Company) -> None:
    rows = company.ask("cost_per_session", "cost_mom", "latency_p95", evidence=True).rows
    statuses = [[row.evidence[m].status for m in ("cost_per_session", "cost_mom", "latency_p95")] for row in rows]
    assert statuses == [
        ["OK", "NO_BASE", "OK"],
        ["OK", "OK", "OK"],
        ["ZERO_DENOMINATOR", "OK", "NO_DATA"],
        ["PARTIAL", "NO_BASE", "OK"],
    ]


@pytest.mark.golden
def test_without_a_range_nothing_comes_after_the_last_month_with_data(company: Company) -> None:
    rows = company.ask("cost_mom", "burn_rate", "cash", end=None).rows
    assert [row.keys["time"] for row in rows] == MONTHS


@pytest.mark.golden
def test_sessions_are_not_cut_by_the_model_of_a_call_but_sessions_using_a_model_are(company: Company) -> None:
    with pytest.raises(QueryError, match="'sessions' cannot be cut by 'model'"):
        company.ask("cost_per_session", by=("model",))
    found = company.ask("sessions_using", by=("model",))
    assert {(r.keys["time"], r.keys["model"]): r.values["sessions_using"] for r in found.rows} == {
        (date(2026, 1, 1), "haiku"): 1,
        (date(2026, 1, 1), "opus"): 2,
        (date(2026, 2, 1), "haiku"): 1,
        (date(2026, 2, 1), "opus"): 1,
        (date(2026, 4, 1), "haiku"): 1,
        (date(2026, 4, 1), "opus"): 1,
    }


@pytest.mark.golden
def test_income_is_no_burn_so_runway_is_null_and_says_so(company: Company) -> None:
    company.connection.execute("INSERT INTO finance.expenses VALUES ('income', DATE '2026-04-20', -900.0)")
    row = company.ask("runway", "burn_rate", evidence=True).rows[-1]
    assert row.values["runway"] is None
    assert row.values["burn_rate"] == Decimal(-190)
    assert row.evidence["runway"].status == "NOT_BURNING"
