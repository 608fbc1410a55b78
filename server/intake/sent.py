"""Who sent how much, for the audit: a line for each sender and minute, and not one for each of his bodies."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from server.access import Principal
from server.access.audit import Audit
from server.intake.questions import Verdict

EVERY_S = 60.0
MOST_SENDERS = 10_000


@dataclass
class _Sum:
    since: float
    bodies: int = 0
    bytes: int = 0
    items: int = 0
    rejected: int = 0


@dataclass
class Sent:
    """For the event loop. The first body of a sender is written down at once, what follows with the next minute's."""

    audit: Audit
    _sums: dict[tuple[str, str], _Sum] = field(default_factory=dict)

    def told(self, principal: Principal, signal: str, size: int, verdict: Verdict) -> None:
        key, now = (principal.name, signal), time.monotonic()
        if len(self._sums) > MOST_SENDERS:
            self.flush()
        so_far = self._sums.setdefault(key, _Sum(now - EVERY_S))
        so_far.bodies += 1
        so_far.bytes += size
        so_far.items += verdict.items
        so_far.rejected += verdict.rejected
        if now - so_far.since >= EVERY_S:
            self._sums[key] = _Sum(now)
            self._write(key, so_far)

    def flush(self) -> None:
        """Writes down what was counted since the last line of each, and begins anew."""
        for key, so_far in self._sums.items():
            if so_far.bodies:
                self._write(key, so_far)
        self._sums.clear()

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """What came in the last minute is written as the server ends."""
        yield
        self.flush()

    def _write(self, key: tuple[str, str], so_far: _Sum) -> None:
        name, signal = key
        counts = {each: getattr(so_far, each) for each in ("bodies", "bytes", "items", "rejected")}
        self.audit.happened("sent", name, signal=signal, **counts)
