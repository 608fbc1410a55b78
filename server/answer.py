"""A question's whole journey: plan, compile, execute, shape. Every surface asks here, so that none can differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from semantic import (
    Catalog,
    MetricQuery,
    Plan,
    Result,
    Row,
    Scalar,
    Statement,
    compile_plan,
    plan_query,
    shape_rows,
)
from store import Rows


class Reads(Protocol):
    """A store, or one snapshot of it."""

    def read(self, sql: str, params: dict[str, Scalar] | None = None, *, timeout_ms: int | None = None) -> Rows: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """The result with the plan and the statement that gave it."""

    result: Result
    plan: Plan
    statement: Statement


def compiled(catalog: Catalog, query: MetricQuery) -> tuple[Plan, Statement]:
    plan = plan_query(catalog, query)
    return plan, compile_plan(plan)


def ask(catalog: Catalog, reader: Reads, query: MetricQuery, *, timeout_ms: int | None = None) -> Answer:
    """The answer to one question; `QueryError` where it cannot be answered rightly."""
    plan, statement = compiled(catalog, query)
    rows: Sequence[Sequence[object]] = reader.read(statement.sql, statement.params, timeout_ms=timeout_ms).rows
    return Answer(shape_rows(plan, statement, rows), plan, statement)


def totals_of(query: MetricQuery, metrics: tuple[str, ...]) -> MetricQuery:
    """The same question without keys: a total is computed from all rows, never added up from the parts."""
    return replace(query, metrics=metrics, by=(), grain=None, order_by=(), limit=None)


def only_row(answer: Answer) -> Row:
    """The one row of a question without keys."""
    (row,) = answer.result.rows
    return row
