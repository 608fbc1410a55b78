"""Dimensions and entities -> dimensions of a metrics file. A name means one thing there, in all models."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlglot import exp

from semantic.expression import parse_column
from semantic.file.names import RESERVED, folded
from semantic.formats.metricflow.names import Names, usable
from semantic.formats.metricflow.project import Dimension, Project, SemanticModel, aggregates_of
from semantic.formats.metricflow.sql import carried, columns_in, is_column, quoted, truncated
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import Finding, Kind, NotCarriedError

_TYPES = {
    "string": "string", "integer": "integer", "decimal": "decimal", "float": "decimal", "boolean": "boolean",
    "date": "date", "datetime": "timestamp", "datetime_tz": "timestamp",
}  # fmt: skip
_CAST = {
    "DATE": "date", "TIMESTAMP": "timestamp", "TIMESTAMPNTZ": "timestamp", "BOOLEAN": "boolean", "DECIMAL": "decimal",
    "DOUBLE": "decimal", "FLOAT": "decimal", "INT": "integer", "BIGINT": "integer", "SMALLINT": "integer",
}  # fmt: skip
_WHOLE_DAYS = ("day", "week", "month", "quarter", "year")
_TRUTH = (
    exp.Boolean, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.And, exp.Or, exp.Not, exp.Is, exp.In,
    exp.Between, exp.Like,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Carried:
    """A dimension under its new name; `sql` is what it reads, or `metric` whose value for each row it is."""

    name: str
    type: str
    sql: str
    label: str = ""
    description: str = ""
    metric: str = ""

    def written(self) -> Plain:
        body: dict[str, Plain] = {"type": self.type}
        if self.metric:
            body["metric"] = self.metric
        elif self.sql != self.name:
            body["sql"] = quoted(self.sql) if is_column(self.sql) else self.sql
        if self.label:
            body["label"] = self.label
        if self.description:
            body["description"] = self.description
        return self.type if len(body) == 1 else body


def dimensions_of(
    project: Project, names: Names, times: Mapping[str, str], dialect: str, findings: list[Finding]
) -> dict[str, dict[str, Carried]]:
    """For each model its dimensions by their names in the project; an entity under `entity:` and its name.

    The time of a model is none of them: a question cuts by it through its grain.
    """
    used = _Used(names)
    found: dict[str, dict[str, Carried]] = {}
    for model in project.models.values():
        raw = _raw_columns(model, project)
        own: dict[str, Carried] = {}
        for dimension in model.dimensions:
            if dimension.name == times.get(model.name):
                continue
            place = f"{model.place}, dimension '{dimension.name}'"
            try:
                own[dimension.name] = used.take(_read(dimension, dialect), model, raw, place, findings)
            except NotCarriedError as error:
                findings.append(error.at(place))
        for name, carried_entity in _entities(model, own, dialect, findings):
            own[f"entity:{name}"] = used.take(carried_entity, model, raw, f"{model.place}, entity '{name}'", findings)
        found[model.name] = own
    return found


@dataclass
class _Used:
    """The dimension names so far, with what each means."""

    names: Names

    def __post_init__(self) -> None:
        self.types: dict[str, tuple[str, str]] = {}

    def take(
        self, wanted: Carried, model: SemanticModel, raw: frozenset[str], place: str, findings: list[Finding]
    ) -> Carried:
        """The dimension under a name that nothing else has: neither a metric, nor a column, nor another meaning."""
        prefix = usable(model.own_entity or model.name, "model", ())
        tries = (wanted.name, f"{prefix}_{wanted.name}", *(f"{prefix}_{wanted.name}_{n}" for n in range(2, 100)))
        name = next(t for t in tries if self._is_free(t, wanted, raw))
        self.types[folded(name)] = (name, wanted.type)
        if name != wanted.name:
            what = f"is called {name} here, since {wanted.name} means something else"
            findings.append(Finding(Kind.DIFFERS, place, f"name {wanted.name}", what, "ask for it under that name"))
        return Carried(name, wanted.type, wanted.sql, wanted.label, wanted.description)

    def _is_free(self, name: str, wanted: Carried, raw: frozenset[str]) -> bool:
        is_captured = name in raw and wanted.sql != name
        known = self.types.get(folded(name), (name, wanted.type))
        return folded(name) not in self.names.taken and not is_captured and known == (name, wanted.type)


def _read(dimension: Dimension, dialect: str) -> Carried:
    sql = dimension.sql if is_column(dimension.sql) else carried(dimension.sql, dialect, "expr")
    name = usable(dimension.name, "dimension", RESERVED)
    if dimension.is_time:
        is_days = dimension.grain in _WHOLE_DAYS
        if is_days and not (dimension.datatype == "date" and dimension.grain == "day"):
            sql = truncated(quoted(sql) if is_column(sql) else sql, dimension.grain)
        return Carried(name, "date" if is_days else "timestamp", sql, dimension.label, dimension.description)
    kind = _TYPES.get(dimension.datatype) or _type_of(parse_column(quoted(sql) if is_column(sql) else sql))
    return Carried(name, kind, sql, dimension.label, dimension.description)


def _type_of(tree: exp.Expression) -> str:
    """What an expression evidently gives; text where it does not show."""
    if isinstance(tree, exp.Case):
        results = [branch.args["true"] for branch in tree.args["ifs"]]
        default = tree.args.get("default")
        kinds = {_type_of(r.unnest()) for r in [*results, *([default] if default else [])]}
        return kinds.pop() if len(kinds) == 1 else "string"
    match tree.unnest():
        case exp.Literal() as literal:
            return "string" if literal.is_string else "integer" if literal.is_int else "decimal"
        case exp.Cast() as cast:
            return _CAST.get(cast.to.this.name, "string")
        case exp.Add() | exp.Sub() as sum_:
            return _type_of(sum_.this)
        case exp.Extract() | exp.DateDiff() | exp.Length():
            return "integer"
    return "boolean" if isinstance(tree.unnest(), _TRUTH) else "string"


def _entities(
    model: SemanticModel, own: Mapping[str, Carried], dialect: str, findings: list[Finding]
) -> Iterable[tuple[str, Carried]]:
    """Entities can be asked for as well; each is a dimension under the name of its column."""
    have = {d.sql for d in own.values()}
    for entity in model.entities:
        if entity.sql in have:
            continue
        try:
            sql = entity.sql if is_column(entity.sql) else carried(entity.sql, dialect, "expr")
        except NotCarriedError as error:
            findings.append(error.at(f"{model.place}, entity '{entity.name}'"))
            continue
        have.add(entity.sql)
        yield entity.name, Carried(usable(sql if is_column(sql) else entity.name, "entity", RESERVED), "string", sql)


def _raw_columns(model: SemanticModel, project: Project) -> frozenset[str]:
    """Columns that a value, a join or the time reads by name, so that no dimension may stand in their place."""
    texts = [a.sql for a in aggregates_of(project) if a.model == model.name]
    texts += [e.sql for e in model.entities]
    found: set[str] = {text for text in texts if is_column(text)}
    for text in texts:
        try:
            found |= columns_in(text)
        except ValueError:
            continue
    return frozenset(found)
