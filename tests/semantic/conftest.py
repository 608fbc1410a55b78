"""A question asked of a small database that a test writes itself: catalog text and SQL in, plain rows out."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from semantic import MetricQuery, Result, Statement, compile_plan, load_catalog, plan_query, shape_rows

Ask = Callable[..., Result]
AS_OF = date(2026, 5, 1)


class World:
    """Tables and a catalog over them."""

    def __init__(self, catalog_text: str, sql: str) -> None:
        self.catalog = load_catalog(catalog_text)
        self.connection = duckdb.connect()
        self.connection.execute(sql)

    def statement(self, *metrics: str, **question: object) -> Statement:
        query = MetricQuery(metrics=metrics, **{"as_of": AS_OF, **question})  # type: ignore[arg-type]
        return compile_plan(plan_query(self.catalog, query))

    def ask(self, *metrics: str, **question: object) -> Result:
        query = MetricQuery(metrics=metrics, **{"as_of": AS_OF, **question})  # type: ignore[arg-type]
        plan = plan_query(self.catalog, query)
        statement = compile_plan(plan)
        return shape_rows(plan, statement, self.connection.execute(statement.sql, statement.params).fetchall())

    def table(self, *metrics: str, **question: object) -> list[tuple[object, ...]]:
        """The rows as tuples: keys, then metrics."""
        return [(*row.keys.values(), *row.values.values()) for row in self.ask(*metrics, **question).rows]


CATALOG = """
version: 1
models:
  runs:
    source: runs
    key: run_id
    time: started_at
    dimensions:
      team: string
      size: integer
      is_root: boolean
      verdict: {type: enum, values: [good, bad]}
  calls:
    source: calls
    key: call_id
    time: called_at
    joins: {run: runs}
    dimensions: {model: string, team: {type: string, sql: upper(own_team)}}
  bills:
    source: bills
    key: bill_id
    time: {column: paid_on, grain: day}
    dimensions: {vendor: string}
  balances:
    source: balances
    key: [account, as_of_on]
    time: {column: as_of_on, grain: day}
    dimensions: {account: string}
metrics:
  runs: {count: runs, when_zero: NO_RUNS}
  good_runs: {metric: runs, where: verdict = 'good'}
  success: {expr: good_runs / runs, unit: ratio}
  calls: {count: calls}
  models: {count_distinct: calls.model}
  tokens: {sum: calls.tokens, unit: tokens}
  cost: {sum: calls.cost_usd, unit: USD, empty: zero, when_unknown: UNPRICED}
  bad_cost: {metric: cost, where: run.verdict = 'bad'}
  cost_per_run: {expr: cost / runs, unit: USD}
  cost_or_less: {expr: "least(cost, 1)", unit: USD}
  median_cost: {median: calls.cost_usd, unit: USD}
  p90_cost: {percentile: calls.cost_usd, p: 0.9, unit: USD}
  dearest: {max: calls.cost_usd, unit: USD}
  mean_tokens: {avg: calls.tokens}
  bills: {sum: bills.amount_usd, unit: USD, empty: zero}
  burn: {sum: bills.amount_usd, rolling: {window: 30 days, average: month}, unit: USD/month,
         empty: zero, when_zero: NO_BURN}
  last_week: {sum: bills.amount_usd, rolling: 7 days, unit: USD, empty: zero}
  cash: {sum: balances.balance_usd, snapshot: {take: last, per: account}, unit: USD, when_empty: CASH_UNKNOWN}
  runway: {expr: cash / burn, unit: months}
  dry_on: {expr: "days_after(as_of, ceil(round(runway * 30.4375, 9)))", unit: date}
"""

TABLES = """
create table runs (run_id varchar, started_at timestamp, team varchar, size int, is_root boolean, verdict varchar);
insert into runs values
  ('r1', '2026-03-01 10:00', 'a', 1, true, 'good'), ('r2', '2026-03-31 23:30', 'a', 2, false, 'bad'),
  ('r3', '2026-04-10 10:00', 'b', 3, true, 'good'), ('r4', '2026-04-11 10:00', null, null, null, null);
create table calls (call_id varchar, run_id varchar, called_at timestamp, model varchar, own_team varchar,
                    tokens int, cost_usd decimal(38,12));
insert into calls values
  ('c1', 'r1', '2026-03-01 10:01', 'big', 'a', 10, 1.50), ('c2', 'r1', '2026-03-01 10:02', 'small', 'a', 20, 0.25),
  ('c3', 'r2', '2026-03-31 23:40', 'big', 'a', 30, 2.00), ('c4', 'r3', '2026-04-10 10:01', 'small', 'b', 40, null),
  ('c5', null, '2026-04-20 00:00', 'big', null, 50, 4.00);
create table bills (bill_id varchar, paid_on date, vendor varchar, amount_usd decimal(38,12));
insert into bills values ('b1', '2026-03-15', 'x', 100), ('b2', '2026-04-25', 'x', 30), ('b3', '2026-04-30', 'y', 60);
create table balances (account varchar, as_of_on date, balance_usd decimal(38,12));
insert into balances values ('ops', '2026-03-10', 900), ('ops', '2026-04-20', 500), ('res', '2026-03-20', 100);
"""


@pytest.fixture
def world() -> Iterator[World]:
    made = World(CATALOG, TABLES)
    yield made
    made.connection.close()


def usd(text: str) -> Decimal:
    return Decimal(text)


SHARED = Path(__file__).parents[3] / "shared"
