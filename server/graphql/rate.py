"""How much of a second's work each principal may ask for: a bucket of cost that fills again by itself."""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

MOST_BUCKETS = 10_000
"""Names that are remembered. Of more, whoever has not asked for the longest time begins anew with a full bucket."""


@dataclass(slots=True, eq=False)
class RateLimit:
    """Safe to ask from many threads. `per_s` and `burst` are in the values of `cost`."""

    per_s: int
    burst: int
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    """Name -> what was left, and when."""

    def take(self, name: str, cost: int) -> float:
        """Seconds to wait before asking again; 0 where it is granted. More than a burst costs a whole one."""
        needed = min(cost, self.burst)
        with self._lock:
            now = self.clock()
            left, at = self._buckets.pop(name, (float(self.burst), now))
            left = min(left + (now - at) * self.per_s, float(self.burst))
            wait = max(needed - left, 0.0) / self.per_s
            self._buckets[name] = (left if wait else left - needed, now)
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
        return wait
