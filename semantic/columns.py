"""Which columns of the store a catalog reads, and where the file says so: what a check against real tables needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from semantic.catalog import Catalog
from semantic.errors import Mark
from semantic.expression import names_in
from semantic.measure import Measure
from semantic.model import Model
from semantic.reads import Read, reads_of, reads_of_join, reads_of_trees


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
        for source, column in _undeclared(reads_of_trees(catalog, catalog.models[named.model], [named.where])):
            if named.mark is not None:
                yield ColumnUse(source, column, named.mark, f"the filter '{named.name}'")
    for policy in catalog.policies.values():
        for source, column in _undeclared(reads_of_trees(catalog, catalog.models[policy.model], [policy.rows])):
            if policy.mark is not None:
                yield ColumnUse(source, column, policy.mark, f"the policy '{policy.name}'")


def _of_metrics(catalog: Catalog) -> Iterator[ColumnUse]:
    """Those of hidden parts under the metric that they are made for, where no other metric tells of them."""
    owners = {metric.mark: name for name, metric in catalog.metrics.items()}
    told: set[tuple[str, str]] = set()
    for metric in (*catalog.metrics.values(), *catalog.parts.values()):
        if not isinstance(metric.definition, Measure) or metric.mark is None:
            continue
        found = _undeclared(reads_of(catalog, metric.definition))
        for source, column in found if metric.name in catalog.metrics else [f for f in found if f not in told]:
            told.add((source, column))
            yield ColumnUse(source, column, metric.mark, f"the metric '{owners[metric.mark]}'")


def _of_model(catalog: Catalog, model: Model) -> Iterator[ColumnUse]:
    assert model.mark is not None
    for column in (*model.key, *([model.time.column] if model.time else [])):
        yield ColumnUse(model.source, column, model.mark, f"the model '{model.name}'")
    for column in model.across_rows:
        yield ColumnUse(model.source, column, model.mark, f"'across_rows' of the model '{model.name}'")
    for join in model.joins.values():
        mark, used_by = join.mark or model.mark, f"the join '{join.role}' of '{model.name}'"
        for read in reads_of_join(catalog, model, join):
            yield ColumnUse(read.source, read.column, mark, used_by)
    for dimension in (*model.dimensions.values(), *model.hidden.values()):
        if dimension.metric:
            continue
        for column in names_in(dimension.sql):
            mark = dimension.mark or model.mark
            yield ColumnUse(model.source, column, mark, f"the dimension '{dimension.name}'")


def _undeclared(reads: Iterable[Read]) -> Iterator[tuple[str, str]]:
    """Those of dimensions, joins and models are told where they are declared."""
    return ((read.source, read.column) for read in reads if not read.is_declared)
