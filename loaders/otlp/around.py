"""Which spans lie around a call that an earlier body told: exporters send spans as they end, the inner ones first."""

from collections.abc import Iterable
from dataclasses import dataclass, field

SpanKey = tuple[str, str]
"""Trace and span."""
MOST_KEPT = 100_000
"""Spans that are remembered: more than end between two exports of five seconds. Then the oldest are forgotten."""


@dataclass(frozen=True, slots=True)
class Around:
    """What one reader of several bodies hands from each to the next."""

    _kept: dict[tuple[str, str, str], None] = field(default_factory=dict)
    _sender: str = ""

    def of(self, sender: str) -> "Around":
        """The same memory, for one sender: none can pass over the spans of another."""
        return Around(self._kept, sender)

    def __contains__(self, key: SpanKey) -> bool:
        return (self._sender, *key) in self._kept

    def keep(self, keys: Iterable[SpanKey]) -> None:
        for trace_id, span_id in keys:
            key = (self._sender, trace_id, span_id)
            self._kept.pop(key, None)
            self._kept[key] = None
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
