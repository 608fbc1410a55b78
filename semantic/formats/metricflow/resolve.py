"""References of filters -> names that a predicate of one model can use: its own, or `role.name` of a joined one."""

from collections.abc import Callable, Iterator

from semantic.expression import MAX_ROLES
from semantic.formats.metricflow.filters import METRIC_TIME, Reference, pieces_of, rendered
from semantic.formats.metricflow.models import Models, Scope
from semantic.formats.metricflow.project import SemanticModel
from semantic.formats.metricflow.sql import carried_condition, date_part, is_column, joined, quoted, truncated
from semantic.formats.metricflow.times import is_date
from semantic.formats.report import NotCarriedError

_AS_IT_IS = ("", "nanosecond", "microsecond", "millisecond", "second")
"""Grains at which a time is left alone."""


def condition(models: Models, scope: Scope, filters: tuple[str, ...]) -> str:
    """All filters as one predicate over the rows of a scope; empty where there is none."""
    found = []
    for template in dict.fromkeys(filters):
        text = rendered(pieces_of(template), lambda reference: _sql(models, scope, reference))
        found.append(carried_condition(text, models.dialect, "filter"))
    return joined(found)


def name_in_question(models: Models, model: str, reference: Reference) -> str:
    """What a question calls a dimension or an entity: its plain name, which finds its way by itself."""
    plain = Reference(reference.kind, reference.path, reference.name)
    try:
        found = _sql(models, Scope(model), plain)
    except NotCarriedError:
        found = _sql(models, Scope(model), Reference("entity", reference.path, reference.name))
    return found.rpartition(".")[2]


def _sql(models: Models, scope: Scope, reference: Reference) -> str:
    if reference.kind == "metric":
        return qualified(models.measured(scope, reference))
    if reference.name == METRIC_TIME:
        return _time(models, scope.model, scope.time, (), reference)
    if reference.kind == "entity":
        roles, target = _one(models, scope.model, reference, lambda m: m.entity(reference.name))
        column = models.entity_column(target, reference.name)
        name = next((d.name for d in models.dimensions[target].values() if d.sql == column), column)
        if not is_column(name):
            raise NotCarriedError(f"filter Entity('{reference}')", f"it is {column}, which could not be carried")
        return qualified((*roles, name))
    roles, target = _one(models, scope.model, reference, lambda m: m.dimension(reference.name))
    if models.times.get(target) == reference.name:
        return _time(models, target, reference.name, roles, reference)
    known = models.dimensions[target].get(reference.name)
    if known is None:
        raise NotCarriedError(f"filter Dimension('{reference}')", "the dimension could not be carried")
    return _cut(qualified((*roles, known.name)), reference.grain, reference)


def _time(models: Models, model: str, dimension: str, roles: tuple[str, ...], reference: Reference) -> str:
    """A time column, cut to the grain that is asked or, where none is, to the declared one."""
    sql = qualified((*roles, models.column_of_time(model, dimension)))
    declared = models.project.models[model].dimension(dimension or models.times[model])
    assert declared is not None
    grain = reference.grain or declared.grain
    return _cut(sql, "" if grain == "day" and is_date(declared) else grain, reference)


def _cut(sql: str, grain: str, reference: Reference) -> str:
    if reference.date_part:
        return date_part(sql, reference.date_part)
    return sql if grain in _AS_IT_IS else truncated(sql, grain)


def _one(
    models: Models, model: str, reference: Reference, has: Callable[[SemanticModel], object | None]
) -> tuple[tuple[str, ...], str]:
    """The one way to a model that has what a reference names; an own name goes before a joined one."""
    own = models.project.models[model]
    path = reference.path
    if path[:1] == (own.own_entity,):
        if len(path) == 1 and has(own) is not None:
            return (), model
        path = path[1:] if len(path) > 1 else path
    found = [(roles, end) for roles, end in _ways(models, model, path) if has(models.project.models[end]) is not None]
    if len(found) == 1 and len(found[0][0]) <= MAX_ROLES:
        return found[0]
    what = {0: "leads nowhere", 1: "is too far away"}.get(len(found), "leads to several places")
    raise NotCarriedError(f"filter {reference}", f"{what} from '{model}'", "name the way to it in the filter")


def _ways(models: Models, model: str, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Where a path of entities leads from a model: roles and the model at the end."""
    if not path:
        yield (), model
        return
    for link in models.links[model]:
        if link.entity == path[0]:
            yield from (((link.role, *roles), end) for roles, end in _ways(models, link.target, path[1:]))


def qualified(parts: tuple[str, ...]) -> str:
    """`role.name`, with quotes around words that SQL keeps for itself."""
    return ".".join(quoted(part) for part in parts)
