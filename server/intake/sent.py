"""Who sent how much, for the audit: a line for each sender and minute, and not one for each of his bodies."""

import time
from dataclasses import dataclass, field

from server.access import Principal
from server.access.audit import Audit
from server.intake.questions import Verdict
from server.intake.spool import Signal

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
    _sums: dict[tuple[str, Signal], _Sum] = field(default_factory=dict)

    def told(self, principal: Principal, signal: Signal, size: int, verdict: Verdict) -> None:
        key, now = (principal.name, signal), time.monotonic()
        if len(self._sums) > MOST_SENDERS:
            self._sums.clear()
        so_far = self._sums.setdefault(key, _Sum(now - EVERY_S))
        so_far.bodies += 1
        so_far.bytes += size
        so_far.items += verdict.items
        so_far.rejected += verdict.rejected
        if now - so_far.since >= EVERY_S:
            self._sums[key] = _Sum(now)
            counts = {name: getattr(so_far, name) for name in ("bodies", "bytes", "items", "rejected")}
            self.audit.happened("sent", principal.name, signal=signal, **counts)
