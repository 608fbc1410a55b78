"""What the server counts of itself, in a registry of its own. docs/operations.md lists every metric; a test compares.

A label never holds what a client wrote: its values are of fixed sets, or a stable code of ours.
"""

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

from server.telemetry.caches import Caches
from server.telemetry.doors import SECONDS, Doors

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# When a series began is a series of its own otherwise, for each of them; nobody asks.
disable_created_metrics()  # type: ignore[no-untyped-call]  # of the library


@dataclass(slots=True)
class Meters:
    """All counters of one server. Two servers in one process share none."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    doors: Doors = field(default_factory=Doors)
    caches: Caches = field(default_factory=Caches)
    reads: Histogram = field(init=False)
    failed_reads: Counter = field(init=False)
    waits: Histogram = field(init=False)
    queues: Gauge = field(init=False)
    loads: Counter = field(init=False)
    load_seconds: Histogram = field(init=False)
    log_lines: Counter = field(init=False)

    def __post_init__(self) -> None:
        self.registry.register(self.doors)
        self.registry.register(self.caches)
        self._count_work()
        ProcessCollector(registry=self.registry)
        info = Info("clawback_build", "What runs here.", registry=self.registry)
        info.info({"version": version("clawback"), "python": python_version(), "duckdb": version("duckdb")})

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
        self.log_lines = Counter("clawback_log_lines", "Lines of the log.", ("level",), registry=registry)

    def watch(self, name: str, meaning: str, read: Callable[[], float]) -> None:
        """A gauge that is read whenever somebody scrapes; quick, and from any thread."""
        Gauge(name, meaning, registry=self.registry).set_function(read)

    def page(self) -> str:
        """All of it in the text format of Prometheus."""
        return generate_latest(self.registry).decode()
