"""Which model an entity leads to: one row of it at most, so that no row is counted twice."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from semantic.file.names import RESERVED
from semantic.formats.metricflow.names import Names, usable
from semantic.formats.metricflow.project import Dimension, Entity, Project, SemanticModel, aggregates_of
from semantic.formats.metricflow.sql import is_column, names_in_text
from semantic.formats.report import Finding, Kind

_ONE = ("primary", "unique", "natural")
"""Types of entities that name at most one row, a natural one at one time."""


@dataclass(frozen=True, slots=True)
class Link:
    """A join: `columns` pairs own columns with the target's; `since` and `until` are of its dated rows."""

    entity: str
    role: str
    target: str
    columns: tuple[tuple[str, str], ...]
    is_key: bool
    since: str = ""
    until: str = ""


def key_of(model: SemanticModel, project: Project, time: str) -> tuple[str, ...]:
    """The columns that name a row; the entities and the time where the project names none, else all that is known."""
    natural = _column_of(model, "natural")
    since = _valid(model, "start")
    own = _column_of(model, "primary")
    if not own and natural and since:
        return (natural, since)
    own = own or _column_of(model, "unique")
    if own:
        partitions = {theirs for other in _joining(model, project) for _, theirs in _partitions(other, model)}
        return (own, *sorted(partitions))
    columns = [e.sql for e in model.entities if is_column(e.sql)] + ([time] if time else [])
    columns = columns or [d.sql for d in model.dimensions if is_column(d.sql)]
    texts = [*(e.sql for e in model.entities), *(d.sql for d in model.dimensions)]
    read = [name for text in texts for name in sorted(names_in_text(text))]
    return tuple(dict.fromkeys(columns or read))


def has_unique_key(model: SemanticModel) -> bool:
    """Whether the project says what names a row."""
    is_versioned = bool(_column_of(model, "natural") and _valid(model, "start"))
    return is_versioned or bool(_column_of(model, "primary") or _column_of(model, "unique"))


def links_of(
    model: SemanticModel,
    project: Project,
    names: Names,
    keys: Mapping[str, tuple[str, ...]],
    has_time: bool,
    findings: list[Finding],
) -> tuple[Link, ...]:
    """The joins of a model; a finding for each that cannot be one."""
    found: list[Link] = []
    taken = {names.models[model.name]}
    is_aggregated = any(a.model == model.name for a in aggregates_of(project))
    for mine in model.entities:
        if mine.type != "foreign" and not is_aggregated:
            continue  # who comes here by this entity gets by it to its other models as well
        targets = list(_targets(mine, model, project))
        plain = [target for target, theirs in targets if theirs.type != "natural"] or [t for t, _ in targets]
        for target, theirs in targets:
            if theirs.type == "natural" and not has_time:
                what, advice = f"'{model.name}' has no time at which its rows hold", "give it an agg_time_dimension"
                construct = f"entity '{mine.name}' to '{target.name}'"
                findings.append(Finding(Kind.LOST, model.place, construct, what, advice))
                continue
            role = _role(mine, names.models[target.name], taken, is_only=[target] == plain)
            link = _link(model, mine, target, theirs, role, keys[target.name], findings)
            if link is not None:
                found.append(link)
                taken.add(role)
    return tuple(found)


def _role(entity: Entity, target: str, taken: set[str], *, is_only: bool) -> str:
    """The entity's name where it leads to one model alone (or to one without versions), else the model's."""
    wanted = usable(entity.role or entity.name, "role", RESERVED)
    tries = [*([wanted] if is_only else []), target, *(f"{wanted}_{target}{n}" for n in ("", *range(2, 99)))]
    return next(role for role in tries if role not in taken and role not in RESERVED)


def _link(
    model: SemanticModel,
    mine: Entity,
    target: SemanticModel,
    theirs: Entity,
    role: str,
    key: tuple[str, ...],
    findings: list[Finding],
) -> Link | None:
    place, construct = model.place, f"entity '{mine.name}' to '{target.name}'"
    if not is_column(mine.sql) or not is_column(theirs.sql):
        shown = mine.sql if not is_column(mine.sql) else theirs.sql
        advice = "give the table a column that holds it"
        findings.append(Finding(Kind.LOST, place, construct, f"a join pairs columns, this is {shown}", advice))
        return None
    since = until = ""
    if theirs.type == "natural":
        since, until = _valid(target, "start"), _valid(target, "end")
        if not since:
            advice = "mark its start with validity_params, as a column"
            findings.append(Finding(Kind.LOST, place, construct, "the target's rows have no start", advice))
            return None
    columns = ((mine.sql, theirs.sql), *_partitions(model, target))
    is_key = {*(pair[1] for pair in columns), *([since] if since else [])} == set(key)
    if not is_key and theirs.type != "unique":
        advice = f"pair its whole key: {', '.join(key)}"
        findings.append(Finding(Kind.LOST, place, construct, "the join would repeat rows", advice))
        return None
    return Link(mine.name, role, target.name, columns, is_key, since, until)


def _targets(entity: Entity, model: SemanticModel, project: Project) -> Iterator[tuple[SemanticModel, Entity]]:
    for other in project.models.values():
        theirs = other.entity(entity.name)
        if other is model or theirs is None or theirs.type not in _ONE:
            continue
        if not (entity.type == "natural" and theirs.type == "natural"):
            yield other, theirs


def _joining(model: SemanticModel, project: Project) -> Iterable[SemanticModel]:
    """The models that join this one by the entity that names its rows."""
    for other in project.models.values():
        if other is not model and any(e.name == model.own_entity for e in other.entities):
            yield other


def _partitions(model: SemanticModel, target: SemanticModel) -> tuple[tuple[str, str], ...]:
    """Columns by which tables are cut: rows match those of the same part, where both are cut by the same."""
    pairs: list[tuple[Dimension, Dimension]] = []
    for mine in model.dimensions:
        theirs = target.dimension(mine.name)
        if mine.is_partition and theirs is not None and theirs.is_partition:
            pairs.append((mine, theirs))
    return tuple((a.sql, b.sql) for a, b in pairs if is_column(a.sql) and is_column(b.sql))


def _column_of(model: SemanticModel, kind: str) -> str:
    found = [e.sql for e in model.entities if e.type == kind and is_column(e.sql)]
    return found[0] if found else ""


def _valid(model: SemanticModel, end: str) -> str:
    found = [d.sql for d in model.dimensions if d.validity == end and is_column(d.sql)]
    return found[0] if found else ""
