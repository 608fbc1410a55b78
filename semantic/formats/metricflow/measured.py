"""A filter by the value of a metric -> a dimension that is this metric of each row of the model that is grouped by."""

from collections.abc import Callable, Iterator

from semantic.formats.metricflow.dimensions import Carried
from semantic.formats.metricflow.entries import Entry
from semantic.formats.metricflow.filters import Reference
from semantic.formats.metricflow.models import Models, Scope
from semantic.formats.report import NotCarriedError


def measured(models: Models, scope: Scope, reference: Reference, entry_of: Callable[[str], Entry]) -> tuple[str, ...]:
    """The roles on the way to the dimension and its name; `NotCarriedError` where there can be none."""
    construct = f"filter Metric('{reference.name}')"
    if len(reference.path) != 1:
        raise NotCarriedError(construct, "a metric of rows is grouped by one entity", "group it by one")
    entity = reference.path[0].rpartition("__")[2]
    entry = entry_of(reference.name)
    if not entry.is_aggregate:
        raise NotCarriedError(construct, "rows are chosen by an aggregate of rows, which this is not")
    roles, target = _named_by(models, scope.model, entity, construct)
    (rows,) = entry.scopes
    ways = list(_ways(models, rows.model, target, frozenset({rows.model})))
    if len(ways) != 1:
        how = "several ways lead" if ways else "no way leads"
        raise NotCarriedError(construct, f"{how} from '{rows.model}' to '{target}'")
    name = models.names.new_metric(f"{entry.name}_of_{entity}")
    known = models.dimensions[target].setdefault(
        f"metric:{reference.name}", Carried(name, "decimal", "", metric=entry.name)
    )
    return (*roles, known.name)


def _named_by(models: Models, model: str, entity: str, construct: str) -> tuple[tuple[str, ...], str]:
    """The model of which an entity names one row, from where the filter stands."""
    if models.project.models[model].own_entity == entity:
        return (), model
    for link in models.links[model]:
        if link.entity == entity and link.is_key and not link.since:
            return (link.role,), link.target
    raise NotCarriedError(construct, f"no model has one row for each {entity}", "add one")


def _ways(models: Models, model: str, target: str, met: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Every way along joins that meets no model twice."""
    for link in models.links[model]:
        if link.target == target:
            yield (link.role,)
        elif link.target not in met:
            yield from ((link.role, *rest) for rest in _ways(models, link.target, target, met | {link.target}))
