"""Questions to one catalog, planned and compiled once each: the answer to a repeated question is a dictionary's."""

from collections import OrderedDict
from threading import Lock

from semantic.access import Caller
from semantic.catalog import Catalog
from semantic.plan import Plan
from semantic.planning import plan_query
from semantic.query import MetricQuery
from semantic.sql.compile import compile_plan
from semantic.sql.statement import Statement

MOST_CHARACTERS = 8_000_000
"""Of the statements that one planner keeps, with their values: some thousand usual ones, a hundred of the longest."""


class Planner:
    """Keeps the most recent `size` statements; callers with the same roles and claims share them."""

    def __init__(self, catalog: Catalog, size: int = 1024) -> None:
        self.catalog = catalog
        self._size = size
        self._kept: OrderedDict[object, tuple[Plan, Statement]] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def statement(self, query: MetricQuery, caller: Caller | None = None) -> tuple[Plan, Statement]:
        """The plan and the statement of a question; `QueryError` where it is refused, which is not kept."""
        # Python takes 1, True and Decimal(1) for equal; a filter does not, and its text tells them apart.
        key = (
            query,
            repr((query.where, query.having)),
            None if caller is None else (caller.roles, repr(caller.claims)),
        )
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        plan = plan_query(self.catalog, query, caller)
        made = plan, compile_plan(plan)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._characters += _characters(made[1])
            while len(self._kept) > self._size or self._characters > MOST_CHARACTERS:
                _, (_, oldest) = self._kept.popitem(last=False)
                self._characters -= _characters(oldest)
        return made


def _characters(statement: Statement) -> int:
    return len(statement.sql) + sum(len(str(value)) for value in statement.params.values())
