"""What came in by which door, and how it was answered.

Counted in plain numbers, because a request is counted six times: the library's counters, each with its lock, took a
tenth of an answer from memory. Requests begin and end in the event loop, which alone counts them; a scrape reads from
another thread.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from server.telemetry.exchange import Exchange

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_CODES = 100
"""Codes that have a series of their own; there are fewer, and this holds should one be made from what a client says."""
OTHER = "OTHER"
_BOUNDS = (*map(str, SECONDS), "+Inf")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


@dataclass(slots=True)
class _Door:
    in_progress: int = 0
    sent_bytes: int = 0
    seconds: float = 0.0
    timed: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))
    """Requests by the first bound that they did not exceed."""
    answered: dict[tuple[int, str | None], int] = field(default_factory=dict)
    """By status and code, each as a series has it."""


@dataclass(slots=True, eq=False)
class Doors(Collector):
    _doors: dict[str, _Door] = field(default_factory=dict)
    _codes: set[str] = field(default_factory=set)

    def asked(self, surface: str) -> None:
        self._door(surface).in_progress += 1

    def left(self, surface: str) -> None:
        """Whatever was asked there has ended; its exchange may have found another surface meanwhile."""
        self._door(surface).in_progress -= 1

    def answered(self, exchange: Exchange, *, is_timed: bool = True) -> None:
        door = self._door(exchange.surface)
        door.sent_bytes += exchange.sent_bytes
        if is_timed:
            elapsed = exchange.elapsed_s()
            door.seconds += elapsed
            door.timed[bisect_left(SECONDS, elapsed)] += 1
        outcome = exchange.status, exchange.code
        if outcome not in door.answered:
            outcome = exchange.status if 100 <= exchange.status <= 599 else 0, self._code(exchange.code)
        door.answered[outcome] = door.answered.get(outcome, 0) + 1

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily(
            "clawback_requests",
            "Requests that were answered, by where they came in, HTTP status (499: the client left before) and the "
            "code of the first error (OK: none).",
            labels=("surface", "status", "code"),
        )
        seconds = HistogramMetricFamily(
            "clawback_request_duration_seconds",
            "From the head of a request to the last byte of its answer, waiting included; without WebSockets.",
            labels=("surface",),
        )
        in_progress = GaugeMetricFamily(
            "clawback_requests_in_progress",
            "Requests that are being answered now; an open WebSocket is one.",
            labels=("surface",),
        )
        sent_bytes = CounterMetricFamily(
            "clawback_response_bytes", "Bytes of bodies that were sent.", labels=("surface",)
        )
        for surface, door in list(self._doors.items()):
            for (status, code), count in list(door.answered.items()):
                requests.add_metric((surface, str(status), code or "OK"), count)
            counts = accumulate(door.timed.copy())
            seconds.add_metric((surface,), list(zip(_BOUNDS, counts, strict=True)), door.seconds)
            in_progress.add_metric((surface,), door.in_progress)
            sent_bytes.add_metric((surface,), door.sent_bytes)
        yield from (requests, seconds, in_progress, sent_bytes)

    def _door(self, surface: str) -> _Door:
        door = self._doors.get(surface)
        if door is None:
            door = self._doors[surface] = _Door()
        return door

    def _code(self, code: str | None) -> str | None:
        if code is None or code in self._codes:
            return code
        if len(self._codes) >= MOST_CODES or not _CODE.fullmatch(code):
            return OTHER
        self._codes.add(code)
        return code
