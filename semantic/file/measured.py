"""Dimensions that are a metric of each row: the reports of a session, so that one can cut and filter by them.

The metric is aggregated for each row of the dimension's model before anything is joined to it, so what it is counted
from (many rows of another model) cannot repeat a row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sqlglot import exp

from semantic.catalog import Catalog
from semantic.errors import suggestion
from semantic.file.document import Mistakes
from semantic.measure import Measure
from semantic.model import Dimension, Model
from semantic.reach import paths


def with_measured_dimensions(catalog: Catalog, mistakes: Mistakes) -> Mapping[str, Model]:
    """The models with the definition of each such dimension's metric filled in."""
    return {name: _model(catalog, model, mistakes) for name, model in catalog.models.items()}


def _model(catalog: Catalog, model: Model, mistakes: Mistakes) -> Model:
    if not any(dimension.metric for dimension in model.dimensions.values()):
        return model
    found = {name: _dimension(catalog, model, d, mistakes) for name, d in model.dimensions.items()}
    return replace(model, dimensions=found)


def _dimension(catalog: Catalog, model: Model, dimension: Dimension, mistakes: Mistakes) -> Dimension:
    if not dimension.metric or dimension.mark is None:
        return dimension
    metric = catalog.metrics.get(dimension.metric)
    if metric is None:
        hint = suggestion(dimension.metric, catalog.metrics)
        mistakes.add(dimension.mark, f"there is no metric '{dimension.metric}' to be a dimension; {hint}")
        return dimension
    measure = metric.definition
    if not isinstance(measure, Measure) or measure != replace(
        measure, window=None, shift=None, cut=None, carry=False, snapshot=None, funnel=None
    ):
        mistakes.add(
            dimension.mark,
            f"'{dimension.metric}' cannot be a dimension; that takes an aggregate of rows without a window, a shift, "
            "a snapshot or a funnel",
        )
        return dimension
    ways = [path for path, target in paths(catalog, measure.model) if target.name == model.name]
    if len(ways) != 1:
        how = "several many-to-one ways lead" if ways else "no many-to-one join leads"
        mistakes.add(dimension.mark, f"'{dimension.metric}' is of {measure.model}, from which {how} to {model.name}")
        return dimension
    if used := next(_measured_names(catalog, measure), None):
        mistakes.add(dimension.mark, f"'{dimension.metric}' itself uses '{used}', which is a metric of other rows")
        return dimension
    is_zero = measure.is_count or metric.empty == "zero"
    return replace(dimension, measure=measure, back=ways[0], is_zero=is_zero)


def _measured_names(catalog: Catalog, measure: Measure) -> Iterator[str]:
    measured = {d.name for model in catalog.models.values() for d in model.dimensions.values() if d.metric}
    for tree in (*measure.where, *([measure.value] if measure.value is not None else [])):
        yield from (column.name for column in tree.find_all(exp.Column) if column.name in measured)
