"""What is read and not stored yet: the bodies of one kind that become one load, and the ones that wait for it."""

from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic

from server.intake.questions import Unreadable, Verdict
from server.intake.spool import Body
from store import Price

Found = Verdict | Unreadable
Told = Future[Found]
"""What a sender waits for. To cancel it is to acknowledge the body, whatever is found in it."""


@dataclass
class Batch:
    kind: str
    known: list[Price]
    """The price book that its calls are priced with."""
    began_at: datetime
    opened: float = field(default_factory=monotonic)
    bodies: list[Body] = field(default_factory=list)
    unreadable: list[tuple[Body, str]] = field(default_factory=list)
    """Those that were acknowledged and cannot be read, and why."""
    items: int = 0

    @property
    def is_empty(self) -> bool:
        return not self.bodies and not self.unreadable

    @property
    def all_bodies(self) -> list[Body]:
        """In the order of arrival."""
        return sorted([*self.bodies, *(body for body, _ in self.unreadable)], key=lambda body: body.path.name)


class Waiting:
    """Bodies that are to be read: new ones at the end, those that have to be read once more before them."""

    def __init__(self) -> None:
        self._bodies: deque[tuple[Body, Told | None]] = deque()
        self._lost: set[Path] = set()

    def __len__(self) -> int:
        return len(self._bodies)

    def add(self, body: Body, told: Told | None) -> None:
        self._bodies.append((body, told))

    def add_again(self, bodies: Iterable[Body]) -> None:
        self._bodies.extendleft((body, None) for body in reversed(list(bodies)))

    def put_back(self, body: Body, told: Told | None) -> None:
        """The one that was next, and is again."""
        self._bodies.appendleft((body, told))

    def next(self) -> tuple[Body, Told | None]:
        return self._bodies.popleft()

    def may_try_again(self, body: Body, told: Told | None) -> bool:
        """Puts back the one whose reader died: it may have had other reasons once, not twice."""
        if body.path in self._lost:
            self._lost.discard(body.path)
            return False
        self._lost.add(body.path)
        self.put_back(body, told)
        return True


def listener_of(told: Told | None) -> Told | None:
    """A sender who still waits to hear, and from now on cannot go; None where there is none."""
    return told if told is not None and told.set_running_or_notify_cancel() else None
