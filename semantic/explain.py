"""Where a number comes from: the lines of the file that define it, the columns that it reads, and the ways it joins."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from semantic.catalog import Catalog
from semantic.errors import Mark
from semantic.measure import Each, Formula, Measure, Rank, Rolling, ToDate
from semantic.metric import Metric
from semantic.model import Join, Model
from semantic.plan import Fact, Plan, Scan
from semantic.reach import Reached, role_of
from semantic.reads import reads_of


@dataclass(frozen=True, slots=True, order=True)
class Origin:
    """A column of the store that a metric rests on."""

    source: str
    column: str


@dataclass(frozen=True, slots=True)
class MetricOrigin:
    """One metric of a question, or one that it rests on."""

    name: str
    definition: str
    """As it stands in the file."""
    mark: Mark | None
    inputs: tuple[str, ...]
    reads: tuple[Origin, ...]
    """The columns that its own rows are read from; of a formula, those of all it rests on."""
    steps: tuple[str, ...]
    """What is done, in the order in which it is done."""


@dataclass(frozen=True, slots=True)
class FactOrigin:
    """One scan of a table: what is aggregated there, and how the asked dimensions are reached."""

    source: str
    model: str
    metrics: tuple[str, ...]
    scan: str
    ways: tuple[tuple[str, str], ...]
    """Each asked dimension and why it is read where it is."""
    conditions: tuple[str, ...]
    """Named filters and policies that narrow the rows."""


@dataclass(frozen=True, slots=True)
class Explanation:
    metrics: tuple[MetricOrigin, ...]
    facts: tuple[FactOrigin, ...]
    zone: str


_SCANS = {
    Scan.PLAIN: "rows of the range, grouped by the keys",
    Scan.PERIODS: "rows grouped by keys and period; each period then reads other periods",
    Scan.DAYS: "rows grouped by keys and day; each period then adds up the days of its window",
    Scan.ROWS: "rows joined to the windows that hold them",
    Scan.SNAPSHOT: "rows that hold until the next one of their entity",
}


def explain(catalog: Catalog, plan: Plan) -> Explanation:
    """What stands behind a plan; metrics that rest on others come after those."""
    metrics = tuple(_metric(catalog, plan, metric) for metric in plan.metrics.values())
    inner = [e for sub in plan.eaches.values() for e in (explain(catalog, sub),)]
    facts = tuple(_fact(plan, fact) for fact in plan.facts)
    return Explanation(
        (*(m for e in inner for m in e.metrics), *metrics),
        (*facts, *(f for e in inner for f in e.facts)),
        plan.period.zone,
    )


def lineage(catalog: Catalog, metric: str) -> tuple[Origin, ...]:
    """Every column of the store that a metric rests on."""
    return _origins(catalog, catalog.measures_of(metric).values())


def _metric(catalog: Catalog, plan: Plan, metric: Metric) -> MetricOrigin:
    reads = _origins(catalog, _measures(catalog, plan, metric))
    steps = tuple(_steps(metric.definition)) if isinstance(metric.definition, Measure) else ()
    return MetricOrigin(metric.name, metric.source_text, metric.mark, metric.inputs, reads, steps)


def _measures(catalog: Catalog, plan: Plan, metric: Metric) -> Iterator[Measure]:
    match metric.definition:
        case Measure() as measure:
            yield measure
        case Formula(inputs=inputs):
            for name in inputs:
                yield from _measures(catalog, plan, plan.metrics[name])
        case Rank(of=of) | Each(of=of):
            yield from catalog.measures_of(of).values()


def _steps(measure: Measure) -> Iterator[str]:
    """What a measure does: filter, aggregate (and snapshot), carry, window, shift, cut."""
    for where in measure.where:
        yield f"where {where.sql(dialect='duckdb')}"
    value = "" if measure.value is None else f" of {measure.value.sql(dialect='duckdb')}"
    yield f"{measure.aggregation}{value} in {measure.model}"
    if measure.snapshot:
        yield f"{measure.snapshot.take} of each {', '.join(measure.snapshot.per)}, then summed"
    if measure.carry:
        yield "carried over periods without rows"
    match measure.window:
        case Rolling(length=length):
            yield f"over the {length} before the end of the period"
        case ToDate(grain=grain):
            yield f"since the start of the {grain}"
        case None:
            pass
        case _:
            yield "over all that came before the end of the period"
    if measure.shift:
        yield f"{measure.shift} earlier"
    if measure.cut:
        yield f"{'keeping only' if measure.cut.keeps else 'without'} {', '.join(sorted(measure.cut.names)) or 'no key'}"


def _origins(catalog: Catalog, measures: Iterable[Measure]) -> tuple[Origin, ...]:
    return tuple(sorted({Origin(r.source, r.column) for measure in measures for r in reads_of(catalog, measure)}))


def _fact(plan: Plan, fact: Fact) -> FactOrigin:
    ways = tuple((name, _way(plan, fact, reached)) for name, reached in fact.reached.items())
    conditions = [*(f"filter {name}" for name in plan.query.filters)]
    conditions += [f"policy: {rows.sql(dialect='duckdb')}" for _, rows in fact.guards]
    return FactOrigin(
        fact.model.source, fact.model.name, tuple(fact.measures), _SCANS[fact.scan], ways, tuple(conditions)
    )


def _way(plan: Plan, fact: Fact, reached: Reached) -> str:
    if reached.part:
        assert fact.time is not None
        return f"the {reached.part} of {fact.time.column} in {plan.period.zone}"
    if reached.dimension.metric and not reached.path:
        return f"the metric {reached.dimension.metric} of each row of {fact.model.name}"
    if not reached.path:
        return f"a dimension of {fact.model.name} itself"
    owner, hops = fact.model, []
    for join in reached.path:
        target = plan.models[join.target]
        hops.append(_hop(owner, join, target))
        owner = target
    return f"through {role_of(reached.path)} ({'; '.join(hops)}), the only way of joins that leads to it"


def _hop(owner: Model, join: Join, target: Model) -> str:
    pairs = " and ".join(f"{owner.source}.{mine} = {target.source}.{theirs}" for mine, theirs in join.columns)
    return f"{pairs}, the version in force" if join.versions else pairs
