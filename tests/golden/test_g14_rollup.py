"""G14: a ratio over a period is the ratio of its totals: no mean of daily ratios, no sum of distinct counts."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from semantic import Grain, MetricQuery, Row, compile_plan, load_catalog, plan_query, shape_rows
from tests.golden.conftest import Golden

pytestmark = pytest.mark.golden
CASE = "G14_rollup"
FILE = """
version: 1
models:
  session_days:
    source: session_days
    key: [session_id, spend_day]
    time: {column: spend_day, grain: day}
    dimensions: {model: string}
metrics:
  cost: {sum: session_days.cost_usd, unit: USD}
  sessions: {count_distinct: session_days.session_id}
  started: {sum: session_days.is_first, unit: sessions}
  successes: {sum: session_days.success_on_cohort_day, unit: sessions}
  cost_per_session: {expr: cost / sessions, unit: USD}
  success_rate: {expr: successes / sessions, unit: ratio}
  roi: {expr: success_rate / cost_per_session, unit: successes/USD}
  mean_daily_roi: {metric: roi, each: {grain: day, take: avg}}
  sum_of_daily_sessions: {metric: sessions, each: {grain: day, take: sum}}
"""
CATALOG = load_catalog(FILE, "rollup.yaml")
Ask = Callable[..., list[Row]]


@pytest.fixture
def ask(shared: Callable[[str], Path]) -> Ask:
    connection = duckdb.connect()
    connection.execute(
        """
        CREATE TABLE session_days AS
        SELECT spend_day, session_id, model, cost_usd::DECIMAL(38, 12) AS cost_usd, success_on_cohort_day,
            (spend_day = min(spend_day) OVER (PARTITION BY session_id))::INT AS is_first
        FROM read_csv(?, types = {'cost_usd': 'VARCHAR'})
        """,
        [str(shared(f"golden/cases/{CASE}/session_days.csv"))],
    )

    def answered(*metrics: str, grain: Grain | None = None) -> list[Row]:
        plan = plan_query(CATALOG, MetricQuery(metrics=metrics, grain=grain, as_of=date(2026, 1, 31)))
        statement = compile_plan(plan)
        rows = connection.execute(statement.sql, statement.params).fetchall()
        return list(shape_rows(plan, statement, rows).rows)

    return answered


def test_every_day_has_its_own_totals(ask: Ask, golden: Golden, golden_module: ModuleType) -> None:
    rows = ask("cost", "sessions", "started", "successes", grain=Grain.DAY)
    actual = {
        str(row.keys["time"]): {
            "costUsd": row.values["cost"],
            "sessionsActive": row.values["sessions"],
            "sessionsStarted": row.values["started"],
            "successes": row.values["successes"],
        }
        for row in rows
    }
    assert golden_module.differences(actual, golden(CASE)["expected"]["daily"]) == []


def test_the_period_has_the_ratio_of_its_totals(ask: Ask, golden: Golden, golden_module: ModuleType) -> None:
    (row,) = ask("cost", "sessions", "successes", "cost_per_session", "success_rate", "roi")
    actual = {
        "costUsd": row.values["cost"],
        "sessions": row.values["sessions"],
        "successes": row.values["successes"],
        "costPerSessionUsd": row.values["cost_per_session"],
        "successRate": row.values["success_rate"],
        "roiSuccessesPerUsd": row.values["roi"],
    }
    assert golden_module.differences(actual, golden(CASE)["expected"]["period"]) == []
    assert row.values["cost_per_session"] == Decimal("0.539285714286")


def test_the_wrong_answers_have_to_be_asked_for_by_name(ask: Ask, golden: Golden, golden_module: ModuleType) -> None:
    wrong = golden(CASE)["expected"]["mustNotEqual"]
    (row,) = ask("roi", "cost_per_session", "sessions", "mean_daily_roi", "sum_of_daily_sessions")
    assert not golden_module.forbidden(row.values["roi"], wrong["meanOfDailyRoi"])
    assert not golden_module.forbidden(row.values["cost_per_session"], wrong["meanOfDailyCostPerSession"])
    assert not golden_module.forbidden(row.values["sessions"], wrong["sumOfDailyActiveSessions"])
    # They exist, for who says that this is meant: the mean of daily ratios over days, and days with a session counted.
    assert row.values["sum_of_daily_sessions"] == 113
