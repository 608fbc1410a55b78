"""What a model router asks before each decision, in memory: evidence by task class and model, computed beforehand.

A thread computes a snapshot whenever the data has changed, and from time to time because tasks become decided by age.
Nobody who asks waits for it, and no answer reads the store. Where it cannot be computed, the last one is served on and
says how old it is.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from threading import Event, Lock, Thread
from typing import Literal

from finance.evidence import Evidence, Gates, evidence_of
from finance.tally import Prior, Tally, prior_of
from semantic import Caller, Catalog, TimeRange, local_day, visible
from semantic.planner import Planner
from semantic.ranges import parse_range
from server.roi import NEEDS, Counted, counted
from server.slices import slice_of
from store import Reader, Store

Basis = Literal["CELL", "MODEL", "PRIOR"]
"""What answered: sessions of the model at the task class, all sessions of the model, or what is pooled over models."""
Standing = Literal["FRESH", "STALE", "EXPIRED", "NOT_COMPUTED"]

MOST_CELLS = 20_000
TICK_S = 0.25
LEAST_PAUSE_S = 1.0
REST = 4
"""Between two computations at least so many times what the last one took, so that loads do not pay for it."""
STRENGTH = 20.0
TIMEOUT_MS = 60_000
ALL_MODELS = "all models"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RoutingPolicy:
    max_age_s: float = 900
    range: str | None = None
    """Sessions that started then, in words such as "last 90 days"; None for all."""
    default_model: str | None = None
    """The model that break-even values are against."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Never changed once it is made, so that any thread may read it."""

    data_version: int
    computed_at: datetime
    cells: Mapping[tuple[str, str], Evidence]
    models: Mapping[str, Evidence]
    class_priors: Mapping[str, Prior]
    prior: Prior
    truncated: bool = False

    def route(self, task_class: str | None, model: str) -> tuple[Basis, Evidence]:
        """The narrowest evidence that rests on at least one resolved session."""
        cell = self.cells.get((task_class, model)) if task_class is not None else None
        if cell is not None and cell.tally.resolved:
            return "CELL", cell
        of_model = self.models.get(model)
        if of_model is not None and of_model.tally.resolved:
            return "MODEL", of_model
        return "PRIOR", expected(self.class_priors.get(task_class or "", self.prior))

    def models_at(self, task_class: str | None, most: int) -> list[str]:
        """Those that worked at a task class, the most resolved sessions first; all models where none did."""
        at_class = {model: e for (kind, model), e in self.cells.items() if kind == task_class}
        known = at_class or self.models
        return sorted(known, key=lambda model: (-known[model].tally.resolved, model))[:most]


@lru_cache(256)
def expected(prior: Prior) -> Evidence:
    """Of a group without sessions: the prior."""
    return evidence_of([(Tally(), prior)])[0]


NOTHING_KNOWN = prior_of(0, 0, STRENGTH, ALL_MODELS)


@dataclass(frozen=True, slots=True)
class Known:
    """The newest snapshot, and how far it can be relied on at an instant."""

    snapshot: Snapshot | None
    standing: Standing
    error: str | None
    """Why the newest computation failed; None where it did not."""


@dataclass
class Routing:
    """Safe to ask from many threads. Whoever makes it keeps it fresh while it is asked, before the store is closed."""

    store: Store
    planner: Planner
    clock: Callable[[], datetime]
    caller: Caller | None = None
    policy: RoutingPolicy = RoutingPolicy()
    _snapshot: Snapshot | None = None
    _error: str | None = None
    _ending: Event = field(default_factory=Event)
    _computing: Lock = field(default_factory=Lock)
    _reader: Reader | None = None
    """Whom the computation that goes on is reading with."""

    def known(self, now: datetime) -> Known:
        """From memory."""
        snapshot = self._snapshot
        return Known(snapshot, self._standing(snapshot, now), self._error)

    def refresh(self) -> None:
        """Computes a snapshot now; where that fails, the one before stays, with the reason."""
        with self._computing:
            try:
                self._snapshot, self._error = self._computed(), None
            except Exception as failure:  # noqa: BLE001 - whatever it is, the last snapshot must be served on
                if not self._ending.is_set():
                    _LOG.warning("the routing snapshot could not be computed, the last one is served on: %s", failure)
                self._error = str(failure) or repr(failure)

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """Computes in a thread of its own for as long as the block runs."""
        self._ending.clear()
        thread = Thread(target=self._watch, name="routing")
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            while thread.is_alive():
                if (reader := self._reader) is not None:
                    reader.interrupt()
                thread.join(0.1)

    def _standing(self, snapshot: Snapshot | None, now: datetime) -> Standing:
        if snapshot is None:
            return "NOT_COMPUTED"
        if (now - snapshot.computed_at).total_seconds() > self.policy.max_age_s:
            return "EXPIRED"
        return "FRESH" if snapshot.data_version == self.store.data_version() else "STALE"

    def _watch(self) -> None:
        while not self._ending.is_set():
            pause = TICK_S
            if self._is_due():
                began = time.monotonic()
                self.refresh()
                pause = max(LEAST_PAUSE_S, REST * (time.monotonic() - began))
            self._ending.wait(pause)

    def _is_due(self) -> bool:
        """Twice within its age, so that one that cannot be computed at once is not yet too old."""
        snapshot = self._snapshot
        if snapshot is None or snapshot.data_version != self.store.data_version():
            return True
        return (self.clock() - snapshot.computed_at).total_seconds() > self.policy.max_age_s / 2

    def _computed(self) -> Snapshot:
        now = self.clock()
        day = local_day(now, self.planner.catalog.time_zone)
        chosen = slice_of(self.planner, "sessions", as_of=day, time=self._time(now), caller=self.caller)
        with self._reading() as reader:
            cells, truncated = counted(
                reader, chosen, ("task_class", "model"), most=MOST_CELLS, now=now, timeout_ms=TIMEOUT_MS
            )
            models, more = counted(reader, chosen, ("model",), most=MOST_CELLS, now=now, timeout_ms=TIMEOUT_MS)
            version = reader.data_version
        prior = models[0].prior(STRENGTH, ALL_MODELS) if models else NOTHING_KNOWN
        class_priors = {
            str(cell.keys[0]): cell.prior(STRENGTH, f"all models at {cell.keys[0]}")
            for cell in cells
            if cell.keys[0] is not None and cell.pooled_resolved
        }
        return Snapshot(
            version,
            now,
            {(str(c.keys[0]), str(c.keys[1])): e for c, e in _with_evidence(cells, class_priors, prior)},
            {str(m.keys[0]): e for m, e in _with_evidence(models, {}, prior)},
            class_priors,
            prior,
            truncated or more,
        )

    @contextmanager
    def _reading(self) -> Iterator[Reader]:
        with self.store.snapshot() as reader:
            self._reader = reader
            try:
                yield reader
            finally:
                self._reader = None

    def _time(self, now: datetime) -> TimeRange:
        if self.policy.range is None:
            return TimeRange()
        catalog = self.planner.catalog
        return parse_range(self.policy.range, local_day(now, catalog.time_zone), catalog.time_zone, catalog.calendar)


def _with_evidence(
    groups: list[Counted], class_priors: Mapping[str, Prior], prior: Prior
) -> list[tuple[Counted, Evidence]]:
    """Of the groups that have a name; the others are in the pool alone."""
    named = [group for group in groups if None not in group.keys]
    found = evidence_of([(g.tally, class_priors.get(str(g.keys[0]), prior)) for g in named], Gates())
    return list(zip(named, found, strict=True))


def can_route(catalog: Catalog, caller: Caller | None) -> bool:
    """Whether a catalog has, for this caller, what evidence tells of."""
    return all(name in visible(catalog, caller).metrics for name in NEEDS)
