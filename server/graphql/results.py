"""Answers that were given, as bytes, and answers that are being given: what is asked twice at once runs once.

An answer is kept under its question, the claims of who asks, the version of the data and the minute. The version covers
everything that is stored. The minute covers the clock: an answer depends on it by the local day alone, which changes on
a whole minute in every zone; and `asOf`, the instant at which it was computed, is never older than that.

Only what has no error is kept. Whoever waits for another's answer shares its errors, too, unless they may be gone the
next time (out of time, out of memory, a mistake of ours): then he asks for himself.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Event, Lock
from typing import Generic, NamedTuple, Protocol, TypeVar

from server.graphql.context import Deadline
from server.graphql.kept import Kept
from store import QueryTimeout

MOST_ANSWERS = 4_096
MOST_BYTES = 64 * 1024 * 1024
LOOK_S = 0.05
"""How long whoever waits for another's answer keeps his thread after his own client has left."""


class Answered(Protocol):
    """What is kept."""

    @property
    def content(self) -> bytes: ...


Answer = TypeVar("Answer", bound=Answered)


class Outcome(NamedTuple, Generic[Answer]):
    """What one run came to. `key` is what it may be kept under, if at all; it knows the version that was read."""

    answer: Answer
    key: Hashable | None
    is_shared: bool
    """Whether those who wait may have it, kept or not."""


@dataclass(slots=True)
class _Run(Generic[Answer]):
    is_over: Event | None = None
    """Made by the first who waits: mostly nobody does."""
    outcome: Outcome[Answer] | None = None


class Results(Generic[Answer]):
    """Safe to use from many threads; one for all engines of a server, whose questions are never the same."""

    def __init__(self, most: int = MOST_ANSWERS, most_bytes: int = MOST_BYTES) -> None:
        self.kept: Kept[Hashable, Answer] = Kept(most, most_bytes)
        self._running: dict[Hashable, _Run[Answer]] = {}
        self._lock = Lock()

    def answer(self, key: Hashable, deadline: Deadline, compute: Callable[[], Outcome[Answer]]) -> Answer:
        """What is kept under `key`, or what somebody computes right now, or what `compute` gives."""
        found = self.kept.get(key)
        if found is not None:
            return found
        with self._lock:
            other = self._running.get(key)
            if other is None:
                # Who led until now has kept his answer before he left.
                found = self.kept.peek(key)
                if found is not None:
                    return found
                mine: _Run[Answer] = _Run()
                self._running[key] = mine
            elif other.is_over is None:
                other.is_over = Event()
        if other is None:
            return self._led(key, mine, compute)
        if _waited(other, deadline) and other.outcome is not None and other.outcome.is_shared:
            return other.outcome.answer
        return compute().answer

    def _led(self, key: Hashable, run: _Run[Answer], compute: Callable[[], Outcome[Answer]]) -> Answer:
        try:
            run.outcome = outcome = compute()
            if outcome.key is not None:
                self.kept.put(outcome.key, outcome.answer, len(outcome.answer.content))
            return outcome.answer
        finally:
            with self._lock:
                del self._running[key]
                waited_for = run.is_over
            if waited_for is not None:
                waited_for.set()


def _waited(run: _Run[Answer], deadline: Deadline) -> bool:
    """Whether the other's answer came before one's own deadline, and while somebody still waited for one's own."""
    assert run.is_over is not None
    try:
        while not run.is_over.wait(min(deadline.remaining_ms() / 1000, LOOK_S)):
            pass
    except QueryTimeout:
        return False
    return True
