"""What a question rests on: the asked metrics, all that they are computed from, and which are totals of others."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from semantic import combine
from semantic.catalog import Catalog
from semantic.errors import QueryError
from semantic.measure import Cut, Each, Measure
from semantic.metric import Metric
from semantic.plan import Total
from semantic.query import MetricQuery
from semantic.reach import reach

_UNCUT_SUFFIX = "__uncut"


def closure(catalog: Catalog, query: MetricQuery) -> tuple[dict[str, Metric], dict[str, Total]]:
    """The metrics and all that they rest on, each once and after its own inputs; and which of them are totals."""
    found: dict[str, Metric] = {}

    def visit(name: str) -> None:
        if name in found:
            return
        metric = catalog.metric(name)
        if not isinstance(metric.definition, Each):
            for following in metric.inputs:
                visit(following)
        found[name] = _without_idle_cut(catalog, metric, query)

    for name in query.metrics:
        visit(name)
        leaves = list(_leaves(found, name))
        if all(isinstance(m.definition, Measure) and m.definition.cut for m in leaves):
            for leaf in leaves:
                _add_uncut(found, leaf)
    return found, dict(_totals(catalog, found, query))


def _without_idle_cut(catalog: Catalog, metric: Metric, query: MetricQuery) -> Metric:
    """A cut that leaves out none of the asked keys is none."""
    measure = metric.definition
    if not isinstance(measure, Measure) or measure.cut is None:
        return metric
    is_idle = kept(catalog, measure, measure.cut, query) == (query.by, query.grain is not None)
    return replace(metric, definition=replace(measure, cut=None)) if is_idle else metric


def kept(catalog: Catalog, measure: Measure, cut: Cut, query: MetricQuery) -> tuple[tuple[str, ...], bool]:
    """The dimensions that a cut keeps, and whether it keeps the time."""
    keys = tuple(k for k in query.by if not _leaves_out(catalog, measure, cut, k))
    return keys, query.grain is not None and not cut.leaves_out("time")


def _leaves(found: Mapping[str, Metric], name: str) -> Iterator[Metric]:
    """The measures, and aggregates of metrics, that a metric rests on."""
    metric = found[name]
    if isinstance(metric.definition, Measure | Each):
        yield metric
    else:
        for following in metric.inputs:
            yield from _leaves(found, following)


def _add_uncut(found: dict[str, Metric], metric: Metric) -> None:
    """A metric that leaves keys out does not say which keys there are; without the cut it does."""
    assert isinstance(metric.definition, Measure)
    uncut = replace(metric, name=metric.name + _UNCUT_SUFFIX, definition=replace(metric.definition, cut=None))
    if _origin(found, metric) is None:
        found[uncut.name] = uncut


def _origin(found: Mapping[str, Metric], metric: Metric) -> str | None:
    """The metric that is the same but for the cut."""
    assert isinstance(metric.definition, Measure)
    uncut = replace(metric.definition, cut=None)
    return next((n for n, m in found.items() if m.definition == uncut and m.empty == metric.empty), None)


def _totals(catalog: Catalog, found: Mapping[str, Metric], query: MetricQuery) -> Iterator[tuple[str, Total]]:
    """The cut measures that are the sum of another one over the keys that they leave out."""
    for name, metric in found.items():
        measure = metric.definition
        if not isinstance(measure, Measure) or measure.cut is None:
            continue
        keys, by_time = kept(catalog, measure, measure.cut, query)
        origin = _origin(found, metric)
        if origin is not None and combine.adds_up(measure, keeps_time=by_time or query.grain is None):
            yield name, Total(origin, keys, by_time)


def _leaves_out(catalog: Catalog, measure: Measure, cut: Cut, key: str) -> bool:
    return any(_is_same(catalog, measure, name, key) for name in cut.names) != cut.keeps


def _is_same(catalog: Catalog, measure: Measure, name: str, key: str) -> bool:
    """Whether a name of the file means an asked key: `agent` and `run.agent` may be one dimension."""
    if name in (key, key.rpartition(".")[2]):
        return True
    if name.rpartition(".")[2] != key.rpartition(".")[2]:
        return False
    try:
        return reach(catalog, measure, name) == reach(catalog, measure, key)
    except QueryError:
        return False
