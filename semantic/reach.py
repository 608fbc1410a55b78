"""How a model gets to a dimension: its own first, else the one way of joins that leads there.

Every join leads from many rows to at most one, so following it can neither repeat a row nor lose one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp

from semantic.catalog import Catalog
from semantic.errors import QueryError, suggestion
from semantic.measure import Measure, Time
from semantic.model import Dimension, Join, Model

MAX_HOPS = 16
TIME_PARTS = {
    "hour": "The hour of the day, 0 to 23",
    "weekday": "The day of the week, 1 for Monday to 7",
    "day": "The day of the month, 1 to 31",
    "day_of_year": "The day of the year, 1 to 366",
    "week": "The week of the year as ISO 8601 counts, 1 to 53",
    "month": "The month, 1 to 12",
    "quarter": "The quarter, 1 to 4",
    "year": "The year",
}
"""What a row's local time can be cut by, and the whole number that each part is."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A dimension and the joins that lead to it from the fact; or a part of the fact's local time, such as `hour`."""

    dimension: Dimension
    path: tuple[Join, ...] = ()
    part: str = ""


Way = tuple[tuple[Join, ...], Model]


def reach(catalog: Catalog, measure: Measure, name: str, wanted_by: str = "") -> Reached:
    """How a measure gets to a dimension; `QueryError` where it does not, or in several ways."""
    model = catalog.models[measure.model]
    if name.startswith("time."):
        return _part(model, measure, name, wanted_by)
    role, _, plain = name.rpartition(".")
    if not role and plain in model.dimensions:
        return Reached(model.dimensions[plain])
    ways = _followed(catalog, model, role) if role else paths(catalog, model.name)
    found = [(path, target) for path, target in ways if plain in target.dimensions]
    if len(found) == 1:
        path, target = found[0]
        return Reached(target.dimensions[plain], path)
    subject = f"'{wanted_by}'" if wanted_by else f"the model '{model.name}'"
    if found:
        names = ", ".join(f"{role_of(path)}.{plain}" for path, _ in found)
        raise QueryError("AMBIGUOUS_DIMENSION", f"{subject} can reach '{plain}' in several ways; name one of: {names}")
    if plain not in catalog.dimensions():  # a metric may be made of what its caller may not ask for
        raise QueryError("UNKNOWN_DIMENSION", f"{subject} is cut by '{name}', which is no dimension")
    known = sorted(reachable(catalog, model))
    raise QueryError(
        "UNREACHABLE_DIMENSION",
        f"{subject} cannot be cut by '{name}': no many-to-one join leads there from {model.name}; "
        f"it can be cut by {', '.join(known) or 'time only'}",
    )


def role_of(path: tuple[Join, ...]) -> str:
    """The way as it is written in a name: `session.parent`."""
    return ".".join(join.role for join in path)


def reachable(catalog: Catalog, model: Model) -> dict[str, Reached]:
    """Every dimension that a model can be cut by under its plain name, parts of its time not among them."""
    found = {name: Reached(dimension) for name, dimension in model.dimensions.items()}
    ways: dict[str, list[Reached]] = {}
    for path, target in paths(catalog, model.name):
        for name, dimension in target.dimensions.items():
            ways.setdefault(name, []).append(Reached(dimension, path))
    return {**{name: reached[0] for name, reached in ways.items() if len(reached) == 1}, **found}


def dimensions_of(catalog: Catalog, metric: str) -> tuple[str, ...]:
    """What a metric can be cut by: the dimensions and parts of the time that every fact it rests on can reach."""
    sets = [_cuts(catalog, measure) for measure in catalog.measures_of(metric).values()]
    return tuple(sorted(frozenset.intersection(*sets))) if sets else ()


def _cuts(catalog: Catalog, measure: Measure) -> frozenset[str]:
    time = time_of(catalog, measure)
    parts = TIME_PARTS if time is not None and not measure.snapshot else {}
    kept = (part for part in parts if part != "hour" or not (time and time.is_date))
    return _names(catalog, measure.model) | {f"time.{part}" for part in kept}


@lru_cache(maxsize=4096)
def _names(catalog: Catalog, model: str) -> frozenset[str]:
    return frozenset(reachable(catalog, catalog.models[model]))


def time_of(catalog: Catalog, measure: Measure) -> Time | None:
    """The column that says when the rows of a measure are."""
    return measure.time or catalog.models[measure.model].time


@lru_cache(maxsize=4096)
def paths(catalog: Catalog, model: str) -> tuple[Way, ...]:
    """All ways along joins that meet no model twice, the shortest first."""
    return tuple(_walk(catalog, catalog.models[model]))


def _followed(catalog: Catalog, model: Model, roles: str) -> tuple[Way, ...]:
    """The one way that roles name, which may come back to a model that it has met; nothing where there is none."""
    path: tuple[Join, ...] = ()
    for role in roles.split("."):
        join = model.joins.get(role)
        if join is None or len(path) == MAX_HOPS:
            return ()
        path, model = (*path, join), catalog.models[join.target]
    return ((path, model),)


def _walk(catalog: Catalog, model: Model) -> Iterator[Way]:
    queue: list[tuple[tuple[Join, ...], Model, frozenset[str]]] = [((), model, frozenset({model.name}))]
    for path, here, met in queue:
        for join in here.joins.values():
            if join.target not in met and len(path) < MAX_HOPS:
                step = ((*path, join), catalog.models[join.target])
                yield step
                queue.append((*step, met | {join.target}))


def _part(model: Model, measure: Measure, name: str, wanted_by: str) -> Reached:
    part = name.removeprefix("time.")
    time = measure.time or model.time
    if part not in TIME_PARTS:
        hint = suggestion(part, TIME_PARTS)
        raise QueryError("UNKNOWN_DIMENSION", f"there is no part '{part}' of a time; {hint}")
    if time is None or measure.snapshot or (time.is_date and part == "hour"):
        why = "its rows have no time" if time is None else "a balance holds until the next one"
        why = "its rows are days" if time and time.is_date and not measure.snapshot else why
        raise QueryError("UNREACHABLE_DIMENSION", f"'{wanted_by or model.name}' cannot be cut by '{name}': {why}")
    return Reached(Dimension(name, "integer", exp.null()), part=part)
