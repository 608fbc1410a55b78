"""Which columns of the store a catalog reads, and where the file says so: what a check against real tables needs."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from semantic.errors import Mark
from semantic.expression import names_in
from semantic.model import Catalog, Measure, Model


@dataclass(frozen=True, slots=True)
class ColumnUse:
    source: str
    column: str
    mark: Mark
    used_by: str


def columns_used(catalog: Catalog) -> Iterator[ColumnUse]:
    """Every column that models, dimensions and measures read, with the place that says so."""
    for model in catalog.models.values():
        yield from _of_model(catalog, model)
    for metric in catalog.metrics.values():
        if isinstance(metric.definition, Measure) and metric.mark is not None:
            for source, column in _of_measure(catalog, metric.definition):
                yield ColumnUse(source, column, metric.mark, f"the metric '{metric.name}'")


def _of_model(catalog: Catalog, model: Model) -> Iterator[ColumnUse]:
    assert model.mark is not None
    own = [*model.key, *([model.time] if model.time else []), *(j.column for j in model.joins.values())]
    for column in dict.fromkeys(own):
        yield ColumnUse(model.source, column, model.mark, f"the model '{model.name}'")
    for dimension in model.dimensions.values():
        for column in names_in(dimension.sql):
            mark = dimension.mark or model.mark
            yield ColumnUse(model.source, column, mark, f"the dimension '{dimension.name}'")


def _of_measure(catalog: Catalog, measure: Measure) -> Iterator[tuple[str, str]]:
    model = catalog.models[measure.model]
    trees: list[exp.Expression] = [*measure.where, *([exp.column(measure.column)] if measure.column else [])]
    for tree in trees:
        for name in names_in(tree):
            role, _, column = name.rpartition(".")
            owner = catalog.models[model.joins[role].target] if role else model
            if column not in owner.dimensions:
                yield owner.source, column
