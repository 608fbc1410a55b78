"""Semantic models -> models of a metrics file, and what each of their dimensions is called there."""

from collections.abc import Callable
from dataclasses import dataclass, field

from semantic.formats.metricflow.dimensions import Carried, dimensions_of
from semantic.formats.metricflow.filters import Reference
from semantic.formats.metricflow.links import Link, has_unique_key, key_of, links_of
from semantic.formats.metricflow.names import Names
from semantic.formats.metricflow.project import Project, SemanticModel
from semantic.formats.metricflow.times import default_time, is_date, time_column
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import Finding, Kind, NotCarriedError


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that a filter is about: a model, dated by one of its time dimensions (its own where empty)."""

    model: str
    time: str = ""


def _unmeasured(scope: Scope, reference: Reference) -> tuple[str, ...]:
    raise NotCarriedError(f"filter Metric('{reference.name}')", f"there are no metrics yet over '{scope.model}'")


@dataclass
class Models:
    """All models of a project as they will stand in the file, by their names in the project."""

    project: Project
    names: Names
    dialect: str
    times: dict[str, str] = field(default_factory=dict)
    """The time dimension of each model, where its column could be carried."""
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)
    links: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    dimensions: dict[str, dict[str, Carried]] = field(default_factory=dict)

    measured: Callable[[Scope, Reference], tuple[str, ...]] = _unmeasured
    """Makes a metric a dimension that a filter can name: the roles on the way to it, and its name."""

    def entity_column(self, model: str, entity: str) -> str:
        """The column (or expression) of an entity; `NotCarriedError` where the model has none."""
        found = self.project.models[model].entity(entity)
        if found is None:
            raise NotCarriedError(f"entity '{entity}'", f"'{model}' has no such entity", "name one that it has")
        return found.sql

    def time_of(self, model: str, dimension: str = "") -> Plain:
        """How the file writes the time of a model, or another of its time dimensions."""
        name = dimension or self.times.get(model, "")
        found = self.project.models[model].dimension(name)
        if found is None:
            raise NotCarriedError(f"time dimension '{name}'", f"'{model}' has no such dimension", "declare it")
        column = time_column(found, self.dialect)
        return {"column": column, "grain": "day"} if is_date(found) else column

    def column_of_time(self, model: str, dimension: str = "") -> str:
        name = dimension or self.times.get(model, "")
        found = self.project.models[model].dimension(name)
        if found is None:
            raise NotCarriedError("metric_time", f"'{model}' has no time", "declare its agg_time_dimension")
        return time_column(found, self.dialect)

    def written(self) -> dict[str, Plain]:
        return {self.names.models[name]: self._model(model) for name, model in self.project.models.items()}

    def _model(self, model: SemanticModel) -> Plain:
        body: dict[str, Plain] = {}
        if model.description:
            body["description"] = model.description
        key = self.keys[model.name]
        body["source"] = model.source
        body["key"] = key[0] if len(key) == 1 else list(key)
        if model.name in self.times:
            body["time"] = self.time_of(model.name)
        if links := self.links[model.name]:
            body["joins"] = {link.role: self._join(link) for link in links}
        if carried := self.dimensions[model.name]:
            body["dimensions"] = {d.name: d.written() for d in carried.values()}
        return body

    def _join(self, link: Link) -> Plain:
        target = self.names.models[link.target]
        key = [k for k in self.keys[link.target] if k != link.since]
        body: dict[str, Plain] = {"to": target}
        if len(link.columns) > 1 or [link.columns[0][1]] != key:
            body["columns"] = dict(link.columns)
        elif link.columns[0][0] != key[0]:
            body["column"] = link.columns[0][0]
        if not link.is_key:
            body["kind"] = "one_to_one"
        if link.since:
            body["as_of"] = {"from": link.since, "until": link.until} if link.until else link.since
        return target if len(body) == 1 else body


def carried_models(project: Project, names: Names, dialect: str, findings: list[Finding]) -> Models:
    """Times and keys first, joins between them, then the dimensions."""
    models = Models(project, names, dialect)
    for model in project.models.values():
        time = _time(models, model, findings)
        models.keys[model.name] = key_of(model, project, time)
        if not has_unique_key(model):
            what = f"nothing names one row; written as {', '.join(models.keys[model.name])}"
            findings.append(Finding(Kind.DIFFERS, model.place, "key", what, "name the columns that do, if there are"))
    for model in project.models.values():
        has_time = model.name in models.times
        models.links[model.name] = links_of(model, project, names, models.keys, has_time, findings)
    models.dimensions = dimensions_of(project, names, models.times, dialect, findings)
    return models


def _time(models: Models, model: SemanticModel, findings: list[Finding]) -> str:
    """The column that dates the rows; empty where there is none that can be carried."""
    name = default_time(model, models.project)
    dimension = model.dimension(name)
    if dimension is None:
        return ""
    try:
        column = time_column(dimension, models.dialect)
    except NotCarriedError as error:
        findings.append(error.at(model.place))
        return ""
    models.times[model.name] = name
    return column
