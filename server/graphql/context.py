"""What one operation works with: who asks, the store in one version, the instant of the question, the limits."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from semantic import Caller, Catalog
from semantic.planner import Planner
from server.budgets import Breakers
from server.graphql.stop import Stop
from server.jobs import Jobs
from server.routing import Routing
from server.telemetry import current
from store import QueryTimeout, Reader, Store

Value = TypeVar("Value")


class Deadline(NamedTuple):
    """When an answer must be there; waiting counts."""

    at: float
    timeout_ms: int
    stop: Stop

    @classmethod
    def after(cls, timeout_ms: int) -> "Deadline":
        return cls(time.monotonic() + timeout_ms / 1000, timeout_ms, Stop())

    def left_s(self) -> float:
        """Not more than 0 where it has passed."""
        return self.at - time.monotonic()

    def remaining_ms(self) -> int:
        """At least 1; `QueryTimeout` where nothing is left, or nobody waits any more."""
        left = int(self.left_s() * 1000)
        if left < 1 or self.stop.is_asked:
            raise self.passed()
        return left

    def passed(self) -> QueryTimeout:
        return QueryTimeout(f"the question took longer than {self.timeout_ms:,} ms, waiting included")


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    rows: int
    """Where the question names no limit."""
    most_rows: int
    most_values: int = 500_000
    """Rows times columns: the server needs a few seconds to write as many."""
    cash_max_age_days: int = 7
    """The age from which on a balance is told to be stale."""


@dataclass
class Context:
    """Every field of one operation sees the same version of the data; the store is touched when a field needs it."""

    planner: Planner
    store: Store
    now: datetime
    deadline: Deadline
    limits: AnswerLimits
    caller: Caller | None = None
    """Whose roles and claims hold; None for the operator."""
    jobs: Jobs | None = None
    """The loads of this process, where it runs any."""
    breakers: Breakers | None = None
    """The budgets, where there is a ledger for what is reserved."""
    routing: Routing | None = None
    """What the model router is told, where this process keeps it."""
    found: dict[object, Any] = field(default_factory=dict)
    """Answers to questions that this operation asked before their fields were resolved, see `together`."""
    kept: dict[object, Any] = field(default_factory=dict)
    """What was computed from the question alone; it may outlive the operation. See `once`."""
    _opened: ExitStack | None = None
    """What is open as long as the reader; most answers of little cost need none."""

    def once(self, key: object, compute: Callable[[], Value]) -> Value:
        """What `compute` gives, computed once for the same text and variables.

        For what follows from the schema, the text and the variables alone: neither from the data, the clock nor the
        caller. Nobody may change it.
        """
        if key not in self.kept:
            self.kept[key] = compute()
        found: Value = self.kept[key]
        return found

    @property
    def catalog(self) -> Catalog:
        return self.planner.catalog

    @cached_property
    def reader(self) -> Reader:
        self._opened = ExitStack()
        reader = self._opened.enter_context(self.store.snapshot())
        self._opened.enter_context(self.deadline.stop.reaching(reader))
        return reader

    def begin_anew(self) -> None:
        """Another snapshot: a failed statement has ended the one that there was. What was found in that goes with it:
        a load may have come between, and one operation tells of one version.
        """
        self._close()
        self.found.clear()
        self.__dict__.pop("reader", None)

    @property
    def version_read(self) -> int | None:
        """Of the data; None where nothing of it was read."""
        return self.reader.version_seen if "reader" in self.__dict__ else None

    def close(self) -> None:
        current().data_version = self.version_read
        self._close()

    def _close(self) -> None:
        if self._opened is not None:
            self._opened.close()
