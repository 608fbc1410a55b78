"""Which columns of the store a catalog reads, and where the file says so: what a check against real tables needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sqlglot import exp

from semantic.catalog import Catalog
from semantic.errors import Mark
from semantic.expression import names_in
from semantic.measure import Measure
from semantic.model import Join, Model


@dataclass(frozen=True, slots=True)
class ColumnUse:
    source: str
    column: str
    mark: Mark
    used_by: str


def columns_used(catalog: Catalog) -> Iterator[ColumnUse]:
    """Every column that models, metrics, filters and policies read, once for each place that says so."""
    yield from dict.fromkeys(_uses(catalog))


def _uses(catalog: Catalog) -> Iterator[ColumnUse]:
    for model in catalog.models.values():
        yield from _of_model(catalog, model)
    yield from _of_metrics(catalog)
    for named in catalog.filters.values():
        for source, column in _of_trees(catalog, catalog.models[named.model], [named.where]):
            if named.mark is not None:
                yield ColumnUse(source, column, named.mark, f"the filter '{named.name}'")
    for policy in catalog.policies.values():
        for source, column in _of_trees(catalog, catalog.models[policy.model], [policy.rows]):
            if policy.mark is not None:
                yield ColumnUse(source, column, policy.mark, f"the policy '{policy.name}'")


def _of_metrics(catalog: Catalog) -> Iterator[ColumnUse]:
    """Those of hidden parts under the metric that they are made for, where no other metric tells of them."""
    owners = {metric.mark: name for name, metric in catalog.metrics.items()}
    told: set[tuple[str, str]] = set()
    for metric in (*catalog.metrics.values(), *catalog.parts.values()):
        if not isinstance(metric.definition, Measure) or metric.mark is None:
            continue
        found = _of_measure(catalog, metric.definition)
        for source, column in found if metric.name in catalog.metrics else [f for f in found if f not in told]:
            told.add((source, column))
            yield ColumnUse(source, column, metric.mark, f"the metric '{owners[metric.mark]}'")


def _of_model(catalog: Catalog, model: Model) -> Iterator[ColumnUse]:
    assert model.mark is not None
    for column in (*model.key, *([model.time.column] if model.time else [])):
        yield ColumnUse(model.source, column, model.mark, f"the model '{model.name}'")
    for join in model.joins.values():
        mark, used_by = join.mark or model.mark, f"the join '{join.role}' of '{model.name}'"
        for source, column in _of_join(catalog, model, join):
            yield ColumnUse(source, column, mark, used_by)
    for dimension in (*model.dimensions.values(), *model.hidden.values()):
        if dimension.metric:
            continue
        for column in names_in(dimension.sql):
            mark = dimension.mark or model.mark
            yield ColumnUse(model.source, column, mark, f"the dimension '{dimension.name}'")


def _of_join(catalog: Catalog, model: Model, join: Join) -> Iterator[tuple[str, str]]:
    """Both sides, and what says which version is in force."""
    target = catalog.models[join.target].source
    for mine, theirs in join.columns:
        yield model.source, mine
        yield target, theirs
    if join.versions is not None:
        yield target, join.versions.since
        if join.versions.until:
            yield target, join.versions.until
        if join.versions.at:
            yield model.source, join.versions.at


def _of_measure(catalog: Catalog, measure: Measure) -> Iterator[tuple[str, str]]:
    model = catalog.models[measure.model]
    if measure.time is not None:
        yield model.source, measure.time.column
    yield from _of_trees(catalog, model, [*measure.where, *([measure.value] if measure.value else [])])
    if measure.funnel is not None:
        yield model.source, measure.funnel.by
        for step in measure.funnel.steps:
            owner = catalog.models[step.model]
            yield owner.source, step.by
            yield from _of_trees(catalog, owner, step.where)


def _of_trees(catalog: Catalog, model: Model, trees: Iterable[exp.Expression]) -> Iterator[tuple[str, str]]:
    """Names that are columns; those of dimensions are told where the dimension is declared."""
    for tree in trees:
        for name in names_in(tree):
            *roles, column = name.split(".")
            owner = model
            for role in roles:
                owner = catalog.models[owner.joins[role].target]
            if owner.dimension(column) is None:
                yield owner.source, column
