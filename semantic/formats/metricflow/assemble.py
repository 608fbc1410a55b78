"""Read parts -> one project: names are unique, measures that make metrics make them, references find something."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from semantic.formats.metricflow.elements import read_model
from semantic.formats.metricflow.metric_form import MetricReader, read_saved_query
from semantic.formats.metricflow.project import (
    Aggregated,
    Conversion,
    Cumulative,
    CustomGrain,
    Definition,
    Derived,
    Input,
    Measure,
    Metric,
    Project,
    Ratio,
    SemanticModel,
    Simple,
)
from semantic.formats.metricflow.reading import Data, FormatError, part, text
from semantic.formats.metricflow.sql import is_column, names_in_text
from semantic.formats.report import Finding, Kind

Placed = tuple[str, Data]
"""A mapping and the file (with its line where known) that it stands in."""


@dataclass
class Parts:
    """What the files of a project hold, all in the manifest's form."""

    models: list[Placed] = field(default_factory=list)
    metrics: list[Placed] = field(default_factory=list)
    saved_queries: list[Placed] = field(default_factory=list)
    grains: list[CustomGrain] = field(default_factory=list)


def assemble(parts: Parts, findings: list[Finding]) -> Project:
    """Raises `FormatError` where a name is given twice or a metric names a measure that is not there."""
    models: dict[str, SemanticModel] = {}
    for place, data in _enabled(parts.models, findings):
        with _at(place):
            model = read_model(data, place, findings)
        if model.name in models:
            raise FormatError(f"{model.place} is declared already at {models[model.name].place}")
        models[model.name] = model
    if not models:
        raise FormatError("there is no semantic model here; give target/semantic_manifest.json or the models' YAML")
    measures = {m.name: m for model in models.values() for m in model.measures}
    reader = MetricReader(measures)
    metrics: dict[str, Metric] = {}
    for place, data in _enabled(parts.metrics, findings):
        with _at(place):
            metric = reader.read(data, place, findings)
        if metric.name in metrics:
            raise FormatError(f"{metric.place} is declared already at {metrics[metric.name].place}")
        metrics[metric.name] = metric
    metrics |= _metrics_of_measures(models.values(), metrics)
    findings += _unused_measures(models.values(), metrics)
    models = {m.name: m for m in models.values() if _has_columns(m, findings)}
    queries = tuple(read_saved_query(data, place) for place, data in _enabled(parts.saved_queries, findings))
    return Project(models, metrics, queries, {g.name: g for g in parts.grains})


@contextmanager
def _at(place: str) -> Iterator[None]:
    """Says where a part stands that is not of its form."""
    try:
        yield
    except FormatError as error:
        raise (error if str(error).startswith(place) else FormatError(f"{place}: {error}")) from error


def _enabled(placed: Sequence[Placed], findings: list[Finding]) -> Iterable[Placed]:
    for place, data in placed:
        if "false" in (text(data, "enabled").lower(), text(part(data, "config"), "enabled").lower()):
            findings.append(
                Finding(Kind.LEFT_OUT, f"{place}: '{text(data, 'name')}'", "enabled: false", "is not imported")
            )
        else:
            yield place, data


def _has_columns(model: SemanticModel, findings: list[Finding]) -> bool:
    """Whether anything is known of the model's table by which a row could be named."""
    texts = [*(e.sql for e in model.entities), *(d.sql for d in model.dimensions)]
    if any(is_column(text) or names_in_text(text) for text in texts):
        return True
    advice = "give it an entity or a dimension"
    findings.append(Finding(Kind.LOST, model.place, "semantic model", "names no column of its table", advice))
    return False


def _metrics_of_measures(models: Iterable[SemanticModel], metrics: dict[str, Metric]) -> dict[str, Metric]:
    """A metric for each measure that asks for one, or that a metric names as if it were one."""
    named = {i.name for metric in metrics.values() for i in inputs_of(metric.definition)}
    made = {}
    for model in models:
        for measure in model.measures:
            if measure.name not in metrics and (measure.makes_metric or measure.name in named):
                made[measure.name] = _metric_of(measure, model)
    return made


def _metric_of(measure: Measure, model: SemanticModel) -> Metric:
    place = f"{model.place}, measure '{measure.name}'"
    return Metric(
        measure.name,
        Simple(Aggregated(measure.aggregate)),
        place,
        label=measure.label,
        description=measure.description,
    )


def _unused_measures(models: Iterable[SemanticModel], metrics: dict[str, Metric]) -> Iterable[Finding]:
    used = {a.aggregate for metric in metrics.values() for a in _aggregated_in(metric.definition)}
    for model in models:
        for measure in model.measures:
            if measure.aggregate not in used:
                place = f"{model.place}, measure '{measure.name}'"
                yield Finding(Kind.LEFT_OUT, place, "measure", "no metric uses it, so nobody could ask for it")


def inputs_of(definition: Definition) -> tuple[Input, ...]:
    """The metrics that a definition names."""
    match definition:
        case Ratio(numerator=numerator, denominator=denominator):
            return (numerator, denominator)
        case Derived(inputs=inputs):
            return inputs
        case Cumulative(base=Input() as base):
            return (base,)
        case Conversion(base=base, conversion=conversion):
            return tuple(i for i in (base, conversion) if isinstance(i, Input))
    return ()


def _aggregated_in(definition: Definition) -> tuple[Aggregated, ...]:
    match definition:
        case Simple(base=base):
            return (base,)
        case Cumulative(base=Aggregated() as base):
            return (base,)
        case Conversion(base=base, conversion=conversion):
            return tuple(a for a in (base, conversion) if isinstance(a, Aggregated))
    return ()
