"""MetricQuery + Catalog -> Plan: which measures of which models at which keys, or a refusal with the reason.

Each fact is aggregated alone at the asked keys and only then joined on them, so rows can neither fan out nor be lost
between facts. What would need a row to be counted twice (a cut that a model cannot reach) is refused here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from semantic.calendar import first_whole_day, local_day, midnight, zone_names
from semantic.errors import QueryError, suggestion
from semantic.model import Catalog, Dimension, Formula, Grain, Join, Measure, Metric, Model, Snapshot
from semantic.query import MetricQuery, comparisons
from semantic.values import check_value

MAX_METRICS = 60
MAX_KEYS = 12
MAX_COMPARISONS = 200
MAX_VALUES = 1_000


class Shape(StrEnum):
    """How a measure's rows become one value a period."""

    PLAIN = "plain"
    ROLLING = "rolling"
    SNAPSHOT = "snapshot"


@dataclass(frozen=True, slots=True)
class Reached:
    """A dimension and the joins that lead to it from the fact."""

    dimension: Dimension
    path: tuple[Join, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """Measures of one model that are aggregated together; `reached` holds every dimension that is asked of it."""

    model: Model
    shape: Shape
    measures: Mapping[str, Measure]
    reached: Mapping[str, Reached]


@dataclass(frozen=True, slots=True)
class Period:
    """The asked time in the terms of the calendar: instants for instants, days for dates.

    `series_from` is the local day of the start (the first whole one where only dates are asked): where a series of
    periods begins. `ends_on` is the first day after the range, at most the as-of day: where trailing windows end.
    """

    zone: str
    grain: Grain | None
    start: datetime | None
    end: datetime | None
    series_from: date | None
    first_day: date | None
    last_day_after: date | None
    ends_on: date
    known_on: date
    """The last day whose balances are known at the end of the range."""
    day_after_question: date
    """Where facts of days end when the range does not say: what comes later has not happened."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A question whose every name is resolved."""

    query: MetricQuery
    metrics: Mapping[str, Metric]
    """The asked metrics and, through formulas, all that they rest on."""
    facts: tuple[Fact, ...]
    models: Mapping[str, Model]
    period: Period

    @property
    def fills_gaps(self) -> bool:
        """A series without other keys has a row for each period, whether or not something happened in it."""
        return self.query.grain is not None and not self.query.by

    @property
    def joins_facts(self) -> bool:
        """Whether the facts are joined on their keys, so that one of them may have no row for a key."""
        has_keys = bool(self.query.by) or self.query.grain is not None
        return has_keys and (len(self.facts) > 1 or self.fills_gaps)


def key_name(dimension: str) -> str:
    """The column of a dimension: `session.trigger` -> `session_trigger`."""
    return dimension.replace(".", "_")


def plan_query(catalog: Catalog, query: MetricQuery) -> Plan:
    """The plan of a question; `QueryError` says what is unknown or cannot be answered rightly."""
    _check_shape(catalog, query)
    metrics = _closure(catalog, query.metrics)
    names = _dimension_names(query)
    grouped: dict[tuple[str, Shape, Snapshot | None], dict[str, Measure]] = {}
    for name, metric in metrics.items():
        if isinstance(measure := metric.definition, Measure):
            grouped.setdefault((measure.model, _shape_of(measure), measure.snapshot), {})[name] = measure
    facts = tuple(
        Fact(model, shape, measures, {n: reach(catalog, model, n, tuple(measures)) for n in names})
        for (model_name, shape, _), measures in grouped.items()
        for model in [catalog.models[model_name]]
    )
    _check_values(facts, query)
    for fact in facts:
        _check_time(fact, query)
    return Plan(query, metrics, facts, catalog.models, _period(catalog, query, facts))


def reach(catalog: Catalog, model: Model, name: str, wanted_by: tuple[str, ...] = ()) -> Reached:
    """How a model gets to a dimension: its own first, else the one path of joins that leads to it."""
    role, _, plain = name.rpartition(".")
    if not role and plain in model.dimensions:
        return Reached(model.dimensions[plain])
    paths = [
        (path, target)
        for path, target in _paths(catalog, model)
        if plain in target.dimensions and (not role or ".".join(j.role for j in path) == role)
    ]
    if len(paths) == 1:
        path, target = paths[0]
        return Reached(target.dimensions[plain], path)
    subject = f"'{wanted_by[0]}'" if wanted_by else f"the model '{model.name}'"
    if paths:
        ways = ", ".join(".".join((*(j.role for j in path), plain)) for path, _ in paths)
        raise QueryError("AMBIGUOUS_DIMENSION", f"{subject} can reach '{plain}' in several ways; name one of: {ways}")
    known = sorted(reachable(catalog, model))
    raise QueryError(
        "UNREACHABLE_DIMENSION",
        f"{subject} cannot be cut by '{name}': no many-to-one join leads there from {model.name}; "
        f"it can be cut by {', '.join(known) or 'time only'}",
    )


def reachable(catalog: Catalog, model: Model) -> dict[str, Reached]:
    """Every dimension that a model can be cut by under its plain name."""
    found = {name: Reached(dimension) for name, dimension in model.dimensions.items()}
    ways: dict[str, list[Reached]] = {}
    for path, target in _paths(catalog, model):
        for name, dimension in target.dimensions.items():
            ways.setdefault(name, []).append(Reached(dimension, path))
    return {**{name: reached[0] for name, reached in ways.items() if len(reached) == 1}, **found}


def dimensions_of(catalog: Catalog, metric: str) -> tuple[str, ...]:
    """The dimensions that a metric can be cut by: those that every fact it rests on can reach."""
    sets = [set(reachable(catalog, catalog.models[m.model])) for m in catalog.measures_of(metric).values()]
    return tuple(sorted(set.intersection(*sets))) if sets else ()


def _paths(catalog: Catalog, model: Model) -> Iterator[tuple[tuple[Join, ...], Model]]:
    """All ways along joins that meet no model twice, the shortest first."""
    queue: list[tuple[tuple[Join, ...], Model, frozenset[str]]] = [((), model, frozenset({model.name}))]
    for path, here, met in queue:
        for join in here.joins.values():
            if join.target not in met:
                step = ((*path, join), catalog.models[join.target])
                yield step
                queue.append((*step, met | {join.target}))


def _closure(catalog: Catalog, names: tuple[str, ...]) -> dict[str, Metric]:
    """The metrics and all that they rest on, each once and after its own inputs."""
    found: dict[str, Metric] = {}

    def visit(name: str) -> None:
        if name in found:
            return
        definition = catalog.metrics[name].definition
        if isinstance(definition, Formula):
            for following in definition.inputs:
                visit(following)
        found[name] = catalog.metrics[name]

    for name in names:
        visit(name)
    return found


def _shape_of(measure: Measure) -> Shape:
    if measure.rolling:
        return Shape.ROLLING
    return Shape.SNAPSHOT if measure.snapshot else Shape.PLAIN


def _dimension_names(query: MetricQuery) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*query.by, *(c.dimension for c in comparisons(query.where)))))


def _check_shape(catalog: Catalog, query: MetricQuery) -> None:
    if not query.metrics:
        raise QueryError("NO_METRICS", f"name at least one metric; {suggestion('', catalog.metrics)}")
    for name in query.metrics:
        if name not in catalog.metrics:
            raise QueryError("UNKNOWN_METRIC", f"there is no metric '{name}'; {suggestion(name, catalog.metrics)}")
    dimensions = catalog.dimensions()
    for name in _dimension_names(query):
        if name.rpartition(".")[2] not in dimensions:
            raise QueryError("UNKNOWN_DIMENSION", f"there is no dimension '{name}'; {suggestion(name, dimensions)}")
    for what, size, most in (
        ("metrics", len(query.metrics), MAX_METRICS),
        ("dimensions", len(query.by), MAX_KEYS),
        ("comparisons", sum(1 for _ in comparisons(query.where)), MAX_COMPARISONS),
        ("values in one comparison", max((len(c.values) for c in comparisons(query.where)), default=0), MAX_VALUES),
    ):
        if size > most:
            raise QueryError("TOO_LARGE", f"at most {most:,} {what} fit into one question, this has {size:,}")
    if query.limit is not None and query.limit < 1:
        raise QueryError("BAD_LIMIT", f"a limit is at least 1, this is {query.limit}")
    if query.zone is not None and query.zone not in zone_names():
        raise QueryError("UNKNOWN_ZONE", f"'{query.zone}' is not a time zone; use a name such as Europe/Berlin")
    columns = [*map(key_name, dict.fromkeys(query.by)), *dict.fromkeys(query.metrics)]
    if repeated := next((c for c in columns if columns.count(c) > 1), None):
        raise QueryError("AMBIGUOUS_DIMENSION", f"two of the names asked for would be the column '{repeated}'")
    sortable = {*query.metrics, *query.by, *(["time"] if query.grain else [])}
    for order in query.order_by:
        if order.by not in sortable:
            raise QueryError(
                "BAD_ORDER",
                f"order by something that is asked for; {suggestion(order.by, sortable)} (not '{order.by}')",
            )


def _check_values(facts: tuple[Fact, ...], query: MetricQuery) -> None:
    for comparison in comparisons(query.where):
        for fact in facts:
            check_value(fact.reached[comparison.dimension].dimension, comparison)


def _check_time(fact: Fact, query: MetricQuery) -> None:
    asked = query.grain is not None or query.time.start is not None or query.time.end is not None
    if asked and fact.model.time is None:
        raise QueryError(
            "NO_TIME", f"'{next(iter(fact.measures))}' has no time, so it cannot be cut or limited by time"
        )


def _period(catalog: Catalog, query: MetricQuery, facts: tuple[Fact, ...]) -> Period:
    zone = query.zone or catalog.time_zone
    start, end = query.time.start, query.time.end
    for name, instant in (("start", start), ("end", end)):
        if instant is not None and instant.tzinfo is not UTC:
            raise QueryError("BAD_TIME", f"the {name} of a range is an instant in UTC, this is {instant!r}")
        if instant is not None and not 1900 <= instant.year < 2200:
            raise QueryError("BAD_TIME", f"the {name} of a range lies between 1900 and 2200, not in {instant.year}")
    if start and end and end <= start:
        raise QueryError("BAD_TIME", f"a range ends after it starts, this is {start.isoformat()} to {end.isoformat()}")
    first_day = first_whole_day(start, zone) if start else None
    only_dates = all(fact.model.time_is_date for fact in facts)
    series_from = local_day(start, zone) if start and not only_dates else first_day
    after = first_whole_day(end, zone) if end else None
    is_past = end is not None and end <= midnight(query.as_of, zone)
    # A window is whole days: a day that the range cuts is in no window, whether the fact has instants or dates.
    ends_on = local_day(end, zone) if end and is_past else query.as_of
    known_on = ends_on - timedelta(days=1) if is_past else query.as_of
    return Period(
        zone, query.grain, start, end, series_from, first_day, after, ends_on, known_on, query.as_of + timedelta(days=1)
    )
