"""What is asked right now: one request, with what is learned about it on its way to its answer.

Whoever answers writes here who asked and what it came to; the access line, the counters and the span read it at the
end. It travels in a context variable, so that no function has to hand it on.
"""

import time
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Protocol

from server.telemetry.request_id import new_request_id


class Span(Protocol):
    """What a tracer keeps of an exchange."""

    def phase(self, name: str) -> AbstractContextManager[object]:
        """A part of the work, as a span below this one."""

    def end(self, exchange: "Exchange") -> None: ...


@dataclass(slots=True)
class Exchange:
    """One request. What is not known stays None."""

    request_id: str = field(default_factory=new_request_id)
    surface: str = "other"
    """Which door it came in by; one of a fixed set, because it is a label of the counters."""
    method: str = ""
    path: str = ""
    """Without the query string, which may hold what a client means to keep to himself."""
    began: float = field(default_factory=time.perf_counter)
    principal: str | None = None
    operation: str | None = None
    """The name that the client gives to what it asks."""
    code: str | None = None
    """The `extensions.code` of the first error."""
    cost: int | None = None
    rows: int | None = None
    data_version: int | None = None
    status: int = 0
    """Of HTTP; 0 until it is known."""
    sent_bytes: int = 0
    span: Span | None = None

    def elapsed_s(self) -> float:
        return time.perf_counter() - self.began


CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)
_NOTHING = nullcontext()


def current() -> Exchange:
    """The request that is being answered, to write down what is learned of it; outside of one, a new one."""
    return CURRENT.get() or Exchange()


def phase(name: str) -> AbstractContextManager[object]:
    """A part of the work on the current request. Costs next to nothing where nobody traces.

    Example:
        >>> with phase("plan"):
        ...     pass
    """
    exchange = CURRENT.get()
    return _NOTHING if exchange is None or exchange.span is None else exchange.span.phase(name)
