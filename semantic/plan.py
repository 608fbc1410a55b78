"""The plan of a question as a value: which measures of which models are aggregated together, and read how. Frozen."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlglot import exp

from semantic.access import Caller
from semantic.measure import Funnel, Measure, Rolling, Snapshot, Time
from semantic.metric import Metric
from semantic.model import Join, Model
from semantic.query import MetricQuery
from semantic.reach import Reached
from semantic.timeframe import Bounds, Period, Reading, before_range, stretch

Condition = tuple[tuple[Join, ...], exp.Expression]
"""A condition of the file and the joins that lead from the fact to the model whose names it uses."""


Mask = tuple[tuple[Join, ...], tuple[Condition, ...]]


class Scan(StrEnum):
    """How the rows of a fact are read."""

    PLAIN = "plain"
    """The rows of one stretch of time, grouped by the asked keys."""
    PERIODS = "periods"
    """Grouped by keys and whole periods, also before the range; each period then reads other periods."""
    DAYS = "days"
    """Grouped by keys and days; each period then adds its days up."""
    ROWS = "rows"
    """Each period reads its rows, for what cannot be put together from parts."""
    SNAPSHOT = "snapshot"
    """Each row holds until the next one of its entity."""


@dataclass(frozen=True, slots=True)
class Fact:
    """Measures of one model that are aggregated together; `reached` holds every dimension that is asked of it."""

    label: str
    """What the names of its tables begin with."""
    model: Model
    time: Time | None
    scan: Scan
    keys: tuple[str, ...]
    """The asked dimensions that these measures are cut by: all, but for measures with a cut."""
    by_time: bool
    reading: Reading
    """What the one stretch of a plain scan is; of no meaning where periods read."""
    snapshot: Snapshot | None
    funnel: Funnel | None
    measures: Mapping[str, Measure]
    reached: Mapping[str, Reached]
    filters: tuple[Condition, ...]
    guards: tuple[Condition, ...]
    """What policies let the caller see."""
    masks: Mapping[str, tuple[Mask, ...]] = field(default_factory=dict)
    """By dimension: joins that come back to a model that a policy guards, and what must hold there to see the value."""
    steps: tuple["Fact", ...] = ()
    """The events of a funnel's steps."""

    def alone(self, model: Model, time: Time | None, guards: tuple[Condition, ...]) -> "Fact":
        """The rows of a model, of which nothing is measured."""
        return Fact(model.name, model, time, Scan.PLAIN, (), False, Reading(), None, None, {}, {}, (), guards)


@dataclass(frozen=True, slots=True)
class Total:
    """An additive measure with fewer keys: the values of another one, added over the keys that it leaves out."""

    of: str
    keys: tuple[str, ...]
    by_time: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A question whose every name is resolved."""

    query: MetricQuery
    metrics: Mapping[str, Metric]
    """The asked metrics and, through formulas, all that they rest on."""
    facts: tuple[Fact, ...]
    totals: Mapping[str, Total]
    eaches: Mapping[str, "Plan"]
    """The question inside each metric that aggregates another one."""
    models: Mapping[str, Model]
    period: Period
    guards_of: Callable[[Model], tuple[Condition, ...]]
    """What the caller may see of the rows that a dimension is measured from; `QueryError` where a claim is missing."""
    joins_facts: bool
    """Whether the facts are joined on their keys, so that one of them may have no row for a key."""
    caller: Caller | None = None
    is_dense: bool = False
    """Whether every combination of keys has a row for every period."""

    @property
    def fills_gaps(self) -> bool:
        """A series without other keys has a row for each period, whether or not something happened in it."""
        return self.query.grain is not None and (not self.query.by or self.is_dense)

    @property
    def is_open(self) -> bool:
        """Whether rows say where a series begins or ends."""
        asked = self.period.range
        return self.query.grain is not None and (asked.start is None or asked.end is None)

    @property
    def keeps_undated(self) -> bool:
        """Whether rows without a time can have a place in a series: where no range leaves them out."""
        is_open = self.period.range.start is None and self.period.range.end is None
        return is_open and bool(self.eaches or any(Reading() in readings(fact) for fact in self.facts))


def all_facts(facts: tuple[Fact, ...], eaches: Mapping[str, Plan]) -> Iterator[Fact]:
    """The facts of a question and of the questions inside it."""
    yield from facts
    for inner in eaches.values():
        yield from all_facts(inner.facts, inner.eaches)


def joins_facts(query: MetricQuery, facts: tuple[Fact, ...], eaches: int, *, is_dense: bool) -> bool:
    """Whether tables are joined on their keys, so that one of them may have no row for a key."""
    if not query.by and query.grain is None:
        return False
    tables = eaches + sum(len(readings(fact)) for fact in facts)
    fills_gaps = query.grain is not None and (not query.by or is_dense)
    return tables > 1 or (fills_gaps and not (facts and _has_every_period(facts[0])))


def _has_every_period(fact: Fact) -> bool:
    """Whether the one table of a fact has a row for each period by itself, because it is joined to the periods."""
    by_period = (Scan.DAYS, Scan.PERIODS, Scan.SNAPSHOT)
    if fact.scan not in by_period or not fact.by_time or fact.keys:
        return False
    # A day has no row where the month that it is compared with lacks it.
    return not any(r == Reading() or (r.shift and r.shift.months) for r in readings(fact))


def readings(fact: Fact) -> Mapping[Reading, tuple[str, ...]]:
    """The measures of a fact by what their periods read. A carried measure is read alone: its gaps are its own."""
    found: dict[Reading, tuple[str, ...]] = {}
    for name, measure in fact.measures.items():
        reading = replace(reading_of(measure), carried=name if measure.carry else "")
        found[reading] = (*found.get(reading, ()), name)
    return found


def scanned(period: Period, fact: Fact) -> Bounds:
    """The stretch of time whose rows a fact's scan reads."""
    if fact.scan is Scan.PLAIN:
        return stretch(period, fact.reading)
    return before_range(period, tuple(readings(fact)))


def reading_of(measure: Measure) -> Reading:
    return Reading(measure.window, measure.carry, measure.shift)


def key_name(dimension: str) -> str:
    """The column of a dimension: `session.trigger` -> `session_trigger`."""
    return dimension.replace(".", "_")


def windows_of(fact: Fact) -> tuple[Rolling, ...]:
    """The rolling windows of a fact that need to know where its history begins."""
    return tuple(m.window for m in fact.measures.values() if isinstance(m.window, Rolling) and needs_history(m.window))


def needs_history(window: Rolling) -> bool:
    """Whether the value depends on when the history begins."""
    return window.partial == "null" or is_scaled(window)


def is_scaled(window: Rolling) -> bool:
    """Whether a window's mean is over the history that there is."""
    return window.average is not None and window.partial == "scale"
