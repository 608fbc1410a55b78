"""A question's whole journey: plan, compile, execute, shape. Every surface asks here, so that none can differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from semantic import (
    Caller,
    Catalog,
    MetricQuery,
    Plan,
    QueryError,
    Result,
    Row,
    Scalar,
    Shaped,
    Statement,
    shape_columns,
)
from semantic.planner import Planner
from semantic.query import comparisons
from server.telemetry import current, phase
from server.withheld import hidden_names, mentions
from store import QueryError as StoreQueryError
from store import Rows


class Reads(Protocol):
    """A store, or one snapshot of it."""

    def read(self, sql: str, params: dict[str, Scalar] | None = None, *, timeout_ms: int | None = None) -> Rows: ...


@dataclass(frozen=True)
class Answer:
    """What was found, with the plan and the statement that gave it."""

    shaped: Shaped
    plan: Plan
    statement: Statement

    @cached_property
    def result(self) -> Result:
        """By row."""
        return self.shaped.result()


Planned = tuple[Plan, Statement]


def compiled(planner: Planner, query: MetricQuery, caller: Caller | None = None) -> Planned:
    """What a caller's question becomes; the operator is no caller (None) and sees everything.

    `QueryError` where it cannot be answered rightly. A metric that may be seen can rest on one that may not, so a
    refusal that would name such a one keeps its code and loses its words.
    """
    try:
        with phase("plan"):
            return planner.statement(query, caller)
    except QueryError as error:
        if mentions(str(error), hidden_names(planner.catalog, caller) - _asked_names(query)):
            message = "this cannot be answered, for a reason that names what the caller may not see"
            raise QueryError(error.code, message) from None
        raise


def _asked_names(query: MetricQuery) -> frozenset[str]:
    """What the caller wrote himself: that such a name is unknown is told in the words for any other."""
    compared = (c.dimension for where in (query.where, query.having) for c in comparisons(where))
    names = (*query.metrics, *query.by, *compared, *(order.by for order in query.order_by))
    return frozenset(part for name in names for part in name.split("."))


def ask(
    catalog: Catalog,
    reader: Reads,
    query: MetricQuery,
    *,
    caller: Caller | None = None,
    timeout_ms: int | None = None,
) -> Answer:
    """The answer to one question; `QueryError` where it cannot be answered rightly."""
    return answer_to(compiled(Planner(catalog), query, caller), reader, timeout_ms=timeout_ms)


def answer_to(planned: Planned, reader: Reads, *, timeout_ms: int | None = None) -> Answer:
    """The answer to a question that is planned already."""
    plan, statement = planned
    try:
        rows: Sequence[Sequence[object]] = reader.read(statement.sql, statement.params, timeout_ms=timeout_ms).rows
    except StoreQueryError:
        if plan.caller is None:
            raise
        # A database names the value that it could not read, which may be of a row that the caller may not see.
        raise QueryError("NOT_ANSWERED", "the store cannot answer this; its operator can see why") from None
    asked = current()
    asked.rows = (asked.rows or 0) + len(rows)
    with phase("shape"):
        return Answer(shape_columns(plan, statement, rows), plan, statement)


def totals_of(query: MetricQuery, metrics: tuple[str, ...]) -> MetricQuery:
    """The same question without keys: a total is computed from all rows, never added up from those that are shown."""
    return replace(query, metrics=metrics, by=(), grain=None, having=None, order_by=(), limit=None)


def only_row(answer: Answer) -> Row:
    """The one row of a question without keys."""
    (row,) = answer.result.rows
    return row
