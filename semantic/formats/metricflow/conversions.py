"""A conversion -> a funnel of two steps. There every converting event counts once; here every start that converts."""

from semantic.formats.metricflow.aggregates import Body, Differs, body_of
from semantic.formats.metricflow.durations import duration
from semantic.formats.metricflow.models import Models, Scope
from semantic.formats.metricflow.project import Aggregated, Conversion, Input, Metric, Simple, Source
from semantic.formats.metricflow.resolve import condition
from semantic.formats.metricflow.sql import is_column, joined
from semantic.formats.metrics_yaml import Plain
from semantic.formats.report import NotCarriedError

ENDLESS = "100 years"
"""How long a funnel may wait at most; there, without a window, it waits for ever."""
_OUTPUTS = {"conversion_rate": "rate", "conversions": "count"}


def funnel_of(
    conversion: Conversion, metric: Metric, models: Models, differs: Differs
) -> tuple[dict[str, Plain], Scope]:
    """The definition and the rows that start; `NotCarriedError` where the two events cannot be told so."""
    if conversion.constants:
        shown = ", ".join(f"{a} = {b}" for a, b in conversion.constants)
        raise NotCarriedError(f"constant_properties {shown}", "a step compares nothing but the entity with its start")
    if conversion.calculation not in _OUTPUTS:
        raise NotCarriedError(f"calculation {conversion.calculation}", "is neither conversion_rate nor conversions")
    start, step = _events(conversion.base, models), _events(conversion.conversion, models)
    before, after = _rows(start, models, differs), _rows(step, models, differs)
    scope = Scope(start.aggregate.model, start.aggregate.time)
    by, their = (_entity(models, e.aggregate.model, conversion.entity) for e in (start, step))
    body: dict[str, Plain] = {"name": "converted", "model": str(after.value)}
    if their != by:
        body["by"] = their
    where = [*after.conditions, condition(models, Scope(step.aggregate.model, step.aggregate.time), step.filters)]
    if where := [c for c in where if c]:
        body["where"] = joined(where)
    within = duration(conversion.window, "window") if conversion.window else ENDLESS
    funnel: dict[str, Plain] = {"start": str(before.value), "by": by, "steps": [body], "within": within}
    output = _OUTPUTS[conversion.calculation]
    if output != "rate":
        funnel["output"] = output
    _tell(conversion, differs)
    filters = condition(models, scope, (*start.filters, *metric.filters))
    return Body("funnel", funnel, before.conditions).written(filters), scope


def _tell(conversion: Conversion, differs: Differs) -> None:
    what = (
        "theirs counts converting events, each with the last start before it; here a start counts once if it converts"
    )
    differs("conversion", what, "compare the two before you rely on it")
    if conversion.window is None:
        differs("conversion without a window", f"waits at most {ENDLESS}", "")


def _events(source: Source, models: Models) -> Aggregated:
    """The events behind a measure, or behind a metric that only counts them."""
    if isinstance(source, Aggregated):
        return source
    metric = models.project.metrics.get(source.name)
    if metric is None or not isinstance(metric.definition, Simple):
        raise NotCarriedError(f"metric '{source.name}'", "is no count of rows, so it is no event of a conversion")
    base = metric.definition.base
    return Aggregated(base.aggregate, (*base.filters, *metric.filters, *_filters(source)), base.fill)


def _filters(source: Input) -> tuple[str, ...]:
    if source.offset is not None or source.to_grain:
        raise NotCarriedError(f"offset of '{source.name}'", "events of a conversion have no offset")
    return source.filters


def _rows(events: Aggregated, models: Models, differs: Differs) -> Body:
    """Events are rows; a distinct count is one of rows where it counts what names a row."""
    aggregate = events.aggregate
    body = body_of(aggregate, models, differs, exact=False)
    if body.kind == "count_distinct" and models.keys[aggregate.model] == (aggregate.sql,):
        body = Body("count", models.names.models[aggregate.model])
    if body.kind != "count":
        raise NotCarriedError(f"agg {aggregate.agg} of {aggregate.sql}", "a funnel counts rows", "count rows instead")
    if aggregate.model not in models.times:
        raise NotCarriedError(f"conversion over '{aggregate.model}'", "its rows have no time", "give the model one")
    if aggregate.time not in ("", models.times[aggregate.model]):
        raise NotCarriedError(f"agg_time_dimension {aggregate.time}", "a funnel reads the time of the model")
    return body


def _entity(models: Models, model: str, entity: str) -> str:
    column = models.entity_column(model, entity)
    if not is_column(column):
        raise NotCarriedError(f"entity '{entity}'", f"a funnel follows a column, this is {column}", "add a column")
    return column
