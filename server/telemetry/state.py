"""What is so when somebody scrapes: the data's version, the routing snapshot, the loads, how fresh each source is."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from server.alerts.words import one_line
from server.jobs import Jobs
from server.routing import Routing, Standing
from server.telemetry.redaction import Redactor
from store import Load, SourceState, Store, StoreError

MOST_SOURCES = 200
"""Sources that have series; those that were loaded last come first."""
_PLACE = Redactor()


@dataclass(frozen=True, slots=True, eq=False)
class ServerState(Collector):
    """From memory alone, so that a scrape does not wait for the store."""

    store: Store
    clock: Callable[[], datetime]
    jobs: Jobs | None = None
    routing: Routing | None = None

    def collect(self) -> Iterator[Metric]:
        yield _gauge("clawback_data_version", "Grows with every change of the data.", self.store.data_version())
        if self.jobs is not None:
            states = [job.state for job in self.jobs.running()]
            loads = GaugeMetricFamily(
                "clawback_loads_in_progress", "Loads that read or store now, or wait for their turn.", labels=("state",)
            )
            for state in ("running", "waiting"):
                loads.add_metric((state,), states.count(state))
            yield loads
        if self.routing is not None:
            yield from _routing(self.routing, self.clock())


@dataclass(frozen=True, slots=True, eq=False)
class SourceFreshness(Collector):
    """Reads the store."""

    store: Store

    def collect(self) -> Iterator[Metric]:
        try:
            sources = self.store.sources()
        except StoreError:
            yield _up(0)
            return
        yield _up(1)
        newest = sorted(sources, key=lambda s: s.newest.load_id, reverse=True)
        left_out = max(len(newest) - MOST_SOURCES, 0)
        yield from _sources(newest[:MOST_SOURCES])
        yield _gauge("clawback_sources_left_out", f"Sources beyond the {MOST_SOURCES} that are shown.", left_out)


def _up(value: int) -> Metric:
    return _gauge("clawback_store_up", "Whether the store could be read; where not, nothing is said of sources.", value)


def _routing(routing: Routing, now: datetime) -> Iterator[Metric]:
    known = routing.known(now)
    standings = GaugeMetricFamily(
        "clawback_routing_standing", "1 for how the routing snapshot stands now, else 0.", labels=("standing",)
    )
    for standing in get_args(Standing):
        standings.add_metric((standing,), int(known.standing == standing))
    yield standings
    if known.snapshot is not None:
        meaning = "When the routing snapshot that is served was computed."
        yield _gauge("clawback_routing_snapshot_timestamp_seconds", meaning, known.snapshot.computed_at.timestamp())
        meaning = "The version of the data that the routing snapshot was computed from."
        yield _gauge("clawback_routing_data_version", meaning, known.snapshot.data_version)


def _sources(sources: Iterable[SourceState]) -> Iterator[Metric]:
    labels = ("source", "location")
    attempt = "When the newest load of a source ended, stored or not."
    stored = "When a load of a source was stored last; absent where none ever was."
    failed = "1 where the newest load of a source came to nothing, 0 where it was stored."
    rejected = "Rows that the newest stored load of a source rejected."
    meanings = {
        "attempt_timestamp_seconds": attempt,
        "stored_timestamp_seconds": stored,
        "failed": failed,
        "rejected_rows": rejected,
    }
    families = {
        name: GaugeMetricFamily(f"clawback_source_{name}", meaning, labels=labels) for name, meaning in meanings.items()
    }
    seen = set()
    for source in sources:
        place = one_line(source.newest.source), one_line(_PLACE.clean(source.newest.location))
        if place in seen:  # two that look alike once they are cleaned; the one that was loaded last is shown
            continue
        seen.add(place)
        for name, value in _facts(source.newest, source.newest_stored).items():
            families[name].add_metric(place, value)
    yield from families.values()


def _facts(newest: Load, stored: Load | None) -> dict[str, float]:
    facts = {"attempt_timestamp_seconds": newest.applied_at.timestamp(), "failed": float(newest.error is not None)}
    if stored is not None:
        facts |= {"stored_timestamp_seconds": stored.applied_at.timestamp(), "rejected_rows": float(stored.rejected)}
    return facts


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)
