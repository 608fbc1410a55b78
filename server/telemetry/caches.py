"""Look-ups in the caches of the server, counted in plain numbers as at the doors: each cache has a lock already."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


@dataclass(slots=True)
class CacheMeter:
    """The look-ups of one cache, which counts them under its own lock."""

    hits: int = 0
    misses: int = 0


@dataclass(slots=True, eq=False)
class Caches(Collector):
    """The caches of one name are told together: each schema has documents of its own."""

    _meters: dict[str, list[CacheMeter]] = field(default_factory=dict)

    def meter(self, name: str) -> CacheMeter:
        """A new one, for one cache. `name` is one of ours, such as document, question or result."""
        meter = CacheMeter()
        self._meters.setdefault(name, []).append(meter)
        return meter

    def collect(self) -> Iterator[Metric]:
        found = CounterMetricFamily(
            "clawback_cache_requests", "Look-ups in a cache of the server.", labels=("cache", "result")
        )
        for name, meters in list(self._meters.items()):
            meters = meters.copy()
            found.add_metric((name, "hit"), sum(meter.hits for meter in meters))
            found.add_metric((name, "miss"), sum(meter.misses for meter in meters))
        yield found
