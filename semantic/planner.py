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


class Planner:
    """Keeps the most recent `size` statements; callers with the same roles and claims share them."""

    def __init__(self, catalog: Catalog, size: int = 1024) -> None:
        self.catalog = catalog
        self._size = size
        self._kept: OrderedDict[object, tuple[Plan, Statement]] = OrderedDict()
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
            self._kept[key] = made
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return made
