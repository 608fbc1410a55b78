"""What the server counts of itself, in a registry of its own. docs/operations.md lists every metric; a test compares.

A label never holds what a client wrote: its values are of fixed sets, or a stable code of ours.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from platform import python_version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from server.telemetry.exchange import Exchange

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_CODES = 100
"""Codes that have a series of their own; there are fewer, and this holds should one be made from what a client says."""
OTHER = "OTHER"
# When a series began is a series of its own otherwise, for each of them; nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]  # of the library
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,39}")


@dataclass(slots=True)
class CacheMeter:
    """What a cache calls when it is asked. Safe to use from many threads."""

    _hits: Counter
    _misses: Counter

    def hit(self) -> None:
        self._hits.inc()

    def miss(self) -> None:
        self._misses.inc()


@dataclass(slots=True)
class _Door:
    in_progress: Gauge
    sent_bytes: Counter
    seconds: Histogram
    requests: dict[tuple[int, str | None], Counter] = field(default_factory=dict)


@dataclass(slots=True)
class Meters:
    """All counters of one server. Two servers in one process share none."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _codes: set[str] = field(default_factory=set)
    _doors: dict[str, "_Door"] = field(default_factory=dict)
    requests: Counter = field(init=False)
    seconds: Histogram = field(init=False)
    in_progress: Gauge = field(init=False)
    sent_bytes: Counter = field(init=False)
    reads: Histogram = field(init=False)
    failed_reads: Counter = field(init=False)
    waits: Histogram = field(init=False)
    queues: Gauge = field(init=False)
    loads: Counter = field(init=False)
    load_seconds: Histogram = field(init=False)
    cache_requests: Counter = field(init=False)
    log_lines: Counter = field(init=False)

    def __post_init__(self) -> None:
        self._count_requests()
        self._count_work()
        ProcessCollector(registry=self.registry)
        info = Info("clawback_build", "What runs here.", registry=self.registry)
        info.info({"version": version("clawback"), "python": python_version(), "duckdb": version("duckdb")})

    def _count_requests(self) -> None:
        registry = self.registry
        self.requests = Counter(
            "clawback_requests",
            "Requests that were answered, by where they came in, HTTP status (499: the client left before) and the "
            "code of the first error (OK: none).",
            ("surface", "status", "code"),
            registry=registry,
        )
        self.seconds = Histogram(
            "clawback_request_duration_seconds",
            "From the head of a request to the last byte of its answer, waiting included; without WebSockets.",
            ("surface",),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_progress = Gauge(
            "clawback_requests_in_progress",
            "Requests that are being answered now; an open WebSocket is one.",
            ("surface",),
            registry=registry,
        )
        self.sent_bytes = Counter(
            "clawback_response_bytes", "Bytes of bodies that were sent.", ("surface",), registry=registry
        )

    def _count_work(self) -> None:
        registry = self.registry
        self.reads = Histogram(
            "clawback_store_read_duration_seconds",
            "Time in the store of one SQL question, from its text to its last row; for a request, or in the background "
            "(budgets, the routing snapshot).",
            ("purpose",),
            buckets=SECONDS,
            registry=registry,
        )
        self.failed_reads = Counter(
            "clawback_store_reads_failed",
            "SQL questions that ended without an answer: refused, out of time or interrupted.",
            ("purpose",),
            registry=registry,
        )
        self.waits = Histogram(
            "clawback_queue_wait_seconds",
            "How long a question waited for a thread.",
            buckets=SECONDS,
            registry=registry,
        )
        self.queues = Gauge(
            "clawback_queue_length", "Questions that wait for a thread of a lane.", ("lane",), registry=registry
        )
        self.loads = Counter(
            "clawback_loads",
            "Loads that ended, by kind of source and outcome.",
            ("source", "outcome"),
            registry=registry,
        )
        self.load_seconds = Histogram(
            "clawback_load_duration_seconds",
            "From the begin of reading a source to the end of storing it.",
            ("source",),
            buckets=(1, 5, 15, 60, 300, 900, 3600),
            registry=registry,
        )
        self.cache_requests = Counter(
            "clawback_cache_requests", "Look-ups in a cache of the server.", ("cache", "result"), registry=registry
        )
        self.log_lines = Counter("clawback_log_lines", "Lines of the log.", ("level",), registry=registry)

    def cache(self, name: str) -> CacheMeter:
        """`name` is one of ours, such as document, plan or result."""
        hits, misses = (self.cache_requests.labels(name, result) for result in ("hit", "miss"))
        return CacheMeter(hits, misses)

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A gauge that is read whenever somebody scrapes; quick, and from any thread."""
        Gauge(name, meaning, registry=self.registry).set_function(read)

    def asked(self, surface: str) -> None:
        self._door(surface).in_progress.inc()

    def left(self, surface: str) -> None:
        """Whatever was asked there has ended; its exchange may have found another surface meanwhile."""
        self._door(surface).in_progress.dec()

    def answered(self, exchange: Exchange, *, is_timed: bool = True) -> None:
        door = self._door(exchange.surface)
        door.sent_bytes.inc(exchange.sent_bytes)
        if is_timed:
            door.seconds.observe(exchange.elapsed_s())
        outcome = exchange.status, exchange.code
        if (requests := door.requests.get(outcome)) is None:
            status = str(exchange.status) if 100 <= exchange.status <= 599 else "0"
            requests = self.requests.labels(exchange.surface, status, self._code(exchange.code))
            if len(door.requests) < MOST_CODES:
                door.requests[outcome] = requests
        requests.inc()

    def page(self) -> str:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry).decode()

    def _door(self, surface: str) -> "_Door":
        """The series of one surface, looked up once: to find a series by its labels takes longer than to count."""
        if (door := self._doors.get(surface)) is None:
            of = (self.in_progress.labels(surface), self.sent_bytes.labels(surface), self.seconds.labels(surface))
            door = self._doors[surface] = _Door(*of)
        return door

    def _code(self, code: str | None) -> str:
        if code is None:
            return "OK"
        if code not in self._codes:
            if len(self._codes) >= MOST_CODES or not _CODE.fullmatch(code):
                return OTHER
            self._codes.add(code)
        return code
