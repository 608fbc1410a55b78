"""MetricQuery + Catalog -> Plan: which measures of which models are read how, or a refusal with the reason.

Each fact is aggregated alone at the asked keys and only then joined on them, so rows can neither fan out nor be lost
between facts. What would need a row to be counted twice (a cut that a model cannot reach) is refused here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from semantic import combine
from semantic.access import Caller, visible
from semantic.catalog import Catalog
from semantic.closure import closure, kept
from semantic.errors import QueryError
from semantic.measure import Cumulative, Each, Funnel, Measure, Snapshot, Time
from semantic.metric import declared_name
from semantic.model import Model
from semantic.periods import Periods
from semantic.plan import Condition, Fact, Mask, Plan, Scan, all_facts, joins_facts, reading_of
from semantic.query import MetricQuery, comparisons
from semantic.question import check_question
from semantic.reach import paths, reach, time_of
from semantic.restriction import check_own_rows, guards
from semantic.sharing import shared
from semantic.timeframe import Reading, period_of
from semantic.values import check_value


def plan_query(catalog: Catalog, query: MetricQuery, caller: Caller | None = None) -> Plan:
    """The plan of a question; `QueryError` says what is unknown or cannot be answered rightly."""
    query = replace(query, metrics=tuple(dict.fromkeys(query.metrics)), by=tuple(dict.fromkeys(query.by)))
    seen = visible(catalog, caller)
    check_question(seen, query)
    return _plan(seen, query, caller, is_dense=False)


def _plan(catalog: Catalog, query: MetricQuery, caller: Caller | None, *, is_dense: bool) -> Plan:
    periods = catalog.calendar.periods(query.grain) if query.grain else None
    metrics, totals = closure(catalog, query)
    measures = {
        name: metric.definition
        for name, metric in metrics.items()
        if isinstance(metric.definition, Measure) and name not in totals
    }
    facts = tuple(_facts(catalog, query, periods, measures, caller))
    for fact in facts:
        check_own_rows(catalog, query, fact, caller)
    _check_rows(catalog, query, facts, is_nested=any(isinstance(m.definition, Each) for m in metrics.values()))
    for fact in facts:
        for comparison in comparisons(query.where):
            check_value(fact.reached[comparison.dimension].dimension, comparison)
    eaches = {
        name: _plan(
            catalog,
            _each_question(catalog, query, metric.definition),
            caller,
            is_dense=metric.definition.grain is not None,
        )
        for name, metric in metrics.items()
        if isinstance(metric.definition, Each)
    }
    only_dates = all(fact.time is not None and fact.time.is_date for fact in all_facts(facts, eaches))
    period = period_of(catalog, query, periods, only_dates=only_dates)
    for fact in facts:
        for name, measure in fact.measures.items():
            combine.check_measure(declared_name(name), measure, fact.time, period, by_time=fact.by_time)
    facts = tuple(shared(facts, period))

    def guards_of(model: Model) -> tuple[Condition, ...]:
        return tuple(guards(catalog, model, caller))

    joined = joins_facts(query, facts, len(eaches), is_dense=is_dense)
    return Plan(query, metrics, facts, totals, eaches, catalog.models, period, guards_of, joined, caller, is_dense)


def _check_rows(catalog: Catalog, query: MetricQuery, facts: tuple[Fact, ...], *, is_nested: bool) -> None:
    """Some fact has to say which keys there are; one that leaves a key out because it cannot reach it does not."""
    if is_nested or any(fact.keys == query.by for fact in facts):
        return
    name, measure = next((n, m) for fact in facts for n, m in fact.measures.items())
    for key in query.by:
        reach(catalog, measure, key, name)


def _each_question(catalog: Catalog, query: MetricQuery, each: Each) -> MetricQuery:
    inner, outer = each.grain or query.grain, query.grain
    if inner and outer:
        combine.check_nesting(catalog.calendar, inner, outer)
    by = tuple(dict.fromkeys((*query.by, *each.by)))
    return replace(query, metrics=(each.of,), by=by, grain=inner, having=None, order_by=(), limit=None, evidence=False)


@dataclass(frozen=True, slots=True)
class _Group:
    """What measures have in common that are aggregated in one scan."""

    model: str
    time: Time | None
    scan: Scan
    keys: tuple[str, ...]
    by_time: bool
    reading: Reading
    snapshot: Snapshot | None
    funnel: Funnel | None


def _facts(
    catalog: Catalog,
    query: MetricQuery,
    periods: Periods | None,
    measures: Mapping[str, Measure],
    caller: Caller | None,
) -> Iterator[Fact]:
    grouped: dict[_Group, dict[str, Measure]] = {}
    for name, measure in measures.items():
        cut = measure.cut
        keys, by_time = kept(catalog, measure, cut, query) if cut else (query.by, periods is not None)
        scan = _scan(measure, periods if by_time else None)
        reads_alone = scan is Scan.PLAIN and not by_time
        reading = reading_of(replace(measure, carry=False)) if reads_alone else Reading()
        group = _Group(measure.model, measure.time, scan, keys, by_time, reading, measure.snapshot, measure.funnel)
        grouped.setdefault(group, {})[name] = measure
    filtered = tuple(c.dimension for c in comparisons(query.where))
    for group, found in grouped.items():
        first_name, first = next(iter(found.items()))
        shown = declared_name(first_name)
        model = catalog.models[group.model]
        fact = Fact(
            label=f"{model.name}_funnel" if group.funnel else model.name,
            model=model,
            time=time_of(catalog, first),
            scan=group.scan,
            keys=group.keys,
            by_time=group.by_time,
            reading=group.reading,
            snapshot=group.snapshot,
            funnel=group.funnel,
            measures=found,
            reached={n: reach(catalog, first, n, shown) for n in (*group.keys, *filtered)},
            filters=tuple(_filters(catalog, query, model, shown)),
            guards=tuple(guards(catalog, model, caller)),
        )
        fact = replace(fact, masks=_masks(catalog, fact, caller))
        yield replace(fact, steps=tuple(_steps(catalog, fact, caller))) if group.funnel else fact


def _masks(catalog: Catalog, fact: Fact, caller: Caller | None) -> dict[str, tuple[Mask, ...]]:
    """A way that meets a model again leads to rows of it that the fact's own guards do not speak of."""
    if caller is None:
        return {}
    found: dict[str, tuple[Mask, ...]] = {}
    usual = {path for path, _ in paths(catalog, fact.model.name)}
    for name, reached in fact.reached.items():
        stops = [reached.path[: n + 1] for n in range(len(reached.path))]
        masks = [
            (stop, tuple(guards(catalog, catalog.models[stop[-1].target], caller)))
            for stop in stops
            if stop not in usual
        ]
        if any(conditions for _, conditions in masks):
            found[name] = tuple(masks)
    return found


def _steps(catalog: Catalog, fact: Fact, caller: Caller | None) -> Iterator[Fact]:
    assert fact.funnel is not None
    for step in fact.funnel.steps:
        model = catalog.models[step.model]
        yield fact.alone(model, model.time, tuple(guards(catalog, model, caller)))


def _scan(measure: Measure, periods: Periods | None) -> Scan:
    if measure.snapshot:
        return Scan.SNAPSHOT
    reading = reading_of(measure)
    if periods is None or reading == Reading():
        return Scan.PLAIN
    if measure.window is None:
        return Scan.PERIODS
    if not combine.is_decomposable(measure):
        return Scan.ROWS
    if isinstance(measure.window, Cumulative):
        return Scan.PERIODS
    return Scan.ROWS if periods.length.unit.is_clock else Scan.DAYS


def _filters(catalog: Catalog, query: MetricQuery, model: Model, wanted_by: str) -> Iterator[Condition]:
    for name in query.filters:
        named = catalog.filters[name]
        ways = (
            [()] if named.model == model.name else [p for p, m in paths(catalog, model.name) if m.name == named.model]
        )
        if len(ways) != 1:
            how = "in several ways" if ways else "by no many-to-one join"
            raise QueryError(
                "UNREACHABLE_FILTER",
                f"the filter '{name}' is about {named.model}, which '{wanted_by}' (of {model.name}) reaches {how}",
            )
        yield ways[0], named.where
