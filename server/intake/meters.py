"""What the intake counts, and what is so when somebody scrapes: how much waits, since when, and what can be seen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from server.intake.intake import Intake
from server.intake.questions import Verdict


@dataclass
class IntakeMeters:
    """Counters in a registry of the server. Labels are of fixed sets."""

    registry: CollectorRegistry
    bodies: Counter = field(init=False)
    bytes: Counter = field(init=False)
    items: Counter = field(init=False)

    def __post_init__(self) -> None:
        self.bodies = Counter(
            "clawback_intake_bodies",
            "Bodies of telemetry, calls and payloads that were sent, by signal and by the HTTP status of the answer.",
            ("signal", "status"),
            registry=self.registry,
        )
        self.bytes = Counter(
            "clawback_intake_bytes",
            "Bytes of the bodies that were accepted, unpacked.",
            ("signal",),
            registry=self.registry,
        )
        self.items = Counter(
            "clawback_intake_items",
            "Spans, points, log records, calls and payloads of those bodies, as their senders were told.",
            ("signal", "outcome"),
            registry=self.registry,
        )

    def accepted(self, signal: str, size: int, verdict: Verdict) -> None:
        self.bodies.labels(signal, "200").inc()
        self.bytes.labels(signal).inc(size)
        self.items.labels(signal, "accepted").inc(verdict.items - verdict.rejected)
        self.items.labels(signal, "rejected").inc(verdict.rejected)

    def refused(self, signal: str, status: int) -> None:
        self.bodies.labels(signal, str(status)).inc()


@dataclass(frozen=True, slots=True, eq=False)
class IntakeState(Collector):
    """From memory alone."""

    intake: Intake

    def collect(self) -> Iterator[Metric]:
        spool = self.intake.spool
        yield _gauge("clawback_intake_spool_bytes", "Bytes that are in the spool.", spool.size)
        yield _gauge("clawback_intake_spool_limit_bytes", "What the spool may hold.", spool.most_bytes)
        yield _gauge("clawback_intake_spool_bodies", "Bodies that wait to be stored.", len(spool))
        unreadable = (
            "Bodies that were acknowledged and cannot be read or stored; they lie in the spool, with the reason."
        )
        yield _gauge("clawback_intake_unreadable_bodies", unreadable, spool.unreadable_bodies)
        if (since := spool.oldest_at) is not None:
            oldest = "When the oldest body came that is not stored yet; absent where none waits."
            yield _instant("clawback_intake_oldest_timestamp_seconds", oldest, since)
        if (newest := self.intake.visible_at) is not None:
            seen = "When the newest body came whose rows can be seen; absent before the first."
            yield _instant("clawback_intake_visible_timestamp_seconds", seen, newest)


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


def _instant(name: str, meaning: str, at: datetime) -> Metric:
    return _gauge(name, meaning, at.timestamp())
