"""The two sides of a change, by group, as the metrics tell them, and the sessions of one group."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from finance.change import Standing
from semantic import Both, Comparison, Filter, MetricQuery, Op, Order, QueryError, Result, Row, TimeRange
from server.answer import answer_to, compiled
from server.graphql.context import Context
from server.graphql.cut import cut_name

MOST_GROUPS = 10_000
"""That are compared; beyond, the question is refused."""
MOST_SESSIONS = 100

MEASURES: Mapping[str, tuple[str, str, str]] = {
    "session_cost": ("session_cost", "costed_sessions", "sessions"),
    "session_api_cost": ("session_api_cost", "costed_sessions", "sessions"),
    "inference_cost": ("inference_cost", "costed_requests", "calls"),
}
"""What is measured: the cost, the count that it is divided by, and what is counted."""


@dataclass(frozen=True, slots=True)
class Question:
    """What both sides have in common."""

    context: Context
    measure: str
    by: tuple[str, ...]
    where: Filter | None
    zone: str | None
    as_of: date

    def rows(self, time: TimeRange) -> tuple[Row, ...]:
        cost, count, _ = MEASURES[self.measure]
        answer = self._asked(MetricQuery(
            metrics=(cost, count), as_of=self.as_of, by=self.by, time=time, where=self.where, zone=self.zone,
            limit=MOST_GROUPS, evidence=True,
        ))  # fmt: skip
        if answer.truncated:
            raise QueryError("TOO_LARGE", f"there are more than {MOST_GROUPS:,} groups; cut by fewer dimensions")
        return answer.rows

    def sessions(self, time: TimeRange, keys: Mapping[str, object], first: int) -> tuple[Row, ...]:
        """The dearest sessions of a group, with their ids as keys."""
        if not 1 <= first <= MOST_SESSIONS:
            raise QueryError("BAD_LIMIT", f"first is from 1 to {MOST_SESSIONS}, this is {first}")
        conditions = [_is(name, value) for name, value in keys.items()]
        where = Both((*([self.where] if self.where else []), *conditions))
        return self._asked(MetricQuery(
            metrics=(self.cost,), as_of=self.as_of, by=("session_id",), time=time, where=where, zone=self.zone,
            order_by=(Order(self.cost, "desc"), Order("session_id")), limit=first, evidence=True,
        )).rows  # fmt: skip

    @property
    def cost(self) -> str:
        """The metric."""
        return MEASURES[self.measure][0]

    def _asked(self, query: MetricQuery) -> Result:
        context = self.context
        planned = compiled(context.planner, query, context.caller)
        return answer_to(planned, context.reader, timeout_ms=context.deadline.remaining_ms()).result


@dataclass(frozen=True, slots=True)
class Table:
    """Both sides by group. A group's name here tells its values apart also where they would look the same."""

    standings: list[Standing]
    keys: dict[str, Mapping[str, object]]
    unpriced: dict[str, list[int]]

    @classmethod
    def of(cls, question: Question, *sides: tuple[Row, ...]) -> "Table":
        cost, count, _ = MEASURES[question.measure]
        keys: dict[str, Mapping[str, object]] = {}
        known: dict[str, list[tuple[int, Decimal]]] = {}
        unpriced: dict[str, list[int]] = {}
        for side, rows in enumerate(sides):
            for row in rows:
                name = repr(tuple(row.keys.values()))
                keys[name] = row.keys
                known.setdefault(name, [(0, Decimal(0))] * 2)[side] = (
                    int(Decimal(str(row.values[count] or 0))),
                    Decimal(str(row.values[cost] or 0)),
                )
                unpriced.setdefault(name, [0, 0])[side] = row.evidence[cost].unknown
        return cls([Standing(name, *before, *after) for name, (before, after) in known.items()], keys, unpriced)

    def shown_name(self, name: str) -> str:
        return cut_name(self.keys[name]) if name in self.keys else name


def _is(name: str, value: Any) -> Filter:
    return Comparison(name, Op.IS_NULL, (True,)) if value is None else Comparison(name, Op.EQ, (value,))
