"""The form of 2026, in which a dbt model carries its semantics itself -> the manifest's form, key by key."""

from collections.abc import Iterable, Mapping
from typing import Any

from semantic.formats.metricflow.reading import Data, part, parts, strangers, text
from semantic.formats.report import Finding

_DIMENSION = {"type", "name", "label", "description", "is_partition", "validity_params", "config"}
_ENTITY = {"type", "name", "label", "description", "config"}
_DERIVED = {"dimensions", "entities"}
_OWN = {"name", "enabled", "group", "config"}
_COMMON = ("name", "description", "label", "config", "is_partition")
_OF_A_METRIC = {"name", "type", "description", "label", "filter", "config", "time_granularity", "datatype"}
_TO_PARAMS = {"numerator", "denominator", "expr", "join_to_timespine", "fill_nulls_with"}
_OF_CONVERSION = {"entity", "calculation", "base_metric", "conversion_metric", "window", "constant_properties"}
_OF_CUMULATIVE = {"window", "grain_to_date", "period_agg"}
_OF_AGGREGATION = {"agg", "percentile", "percentile_type", "non_additive_dimension", "agg_time_dimension"}


def older_model(data: Data, place: str, findings: list[Finding]) -> dict[str, Any]:
    """The semantic model that a dbt model declares."""
    given = data.get("semantic_model")
    own: Data = given if isinstance(given, Mapping) else {}
    columns, derived = parts(data, "columns"), part(data, "derived_semantics")
    findings += strangers(own, _OWN, f"{place}: semantic_model")
    findings += strangers(derived, _DERIVED, f"{place}: derived_semantics")
    for column in columns:
        where = f"{place}: column '{text(column, 'name')}'"
        findings += strangers(_mapping(column.get("dimension")), _DIMENSION, where)
        findings += strangers(_mapping(column.get("entity")), _ENTITY, where)
    return {
        "name": text(own, "name", text(data, "name")),
        "description": text(data, "description"),
        "model": f"ref('{text(data, 'name')}')",
        "config": own.get("config"),
        "group": own.get("group"),
        "primary_entity": text(data, "primary_entity"),
        "defaults": {"agg_time_dimension": text(data, "agg_time_dimension")},
        "entities": [*_column_entities(columns), *parts(derived, "entities")],
        "dimensions": [*_column_dimensions(columns), *map(_derived_dimension, parts(derived, "dimensions"))],
        "measures": [],
    }


def grains_of_model(data: Data) -> Iterable[tuple[str, str]]:
    """Name and column of each period that a calendar table declares."""
    for grain in parts(part(data, "time_spine"), "custom_granularities"):
        name = text(grain, "name").lower()
        yield name, text(grain, "column_name", name)


def _mapping(given: Any) -> Data:
    """`{type: time, ...}`, also where only the type is written."""
    if isinstance(given, Mapping):
        return given
    return {"type": given} if given else {}


def _column_entities(columns: Iterable[Data]) -> Iterable[dict[str, Any]]:
    for column in columns:
        entity = _mapping(column.get("entity"))
        if entity:
            name = text(column, "name")
            yield {"name": text(entity, "name", name), "type": entity.get("type"), "expr": name}


def _column_dimensions(columns: Iterable[Data]) -> Iterable[dict[str, Any]]:
    for column in columns:
        dimension = _mapping(column.get("dimension"))
        if dimension:
            name = text(column, "name")
            yield {
                **{key: dimension[key] for key in _COMMON if key in dimension},
                "name": text(dimension, "name", name),
                "description": text(dimension, "description", text(column, "description")),
                "type": dimension.get("type"),
                "datatype": _datatype(text(column, "data_type")),
                "expr": name,
                "type_params": _time_params(column, dimension),
            }


def _derived_dimension(dimension: Data) -> dict[str, Any]:
    return {
        **{key: dimension[key] for key in _COMMON if key in dimension},
        "type": dimension.get("type"),
        "expr": dimension.get("expr"),
        "type_params": _time_params(dimension, dimension),
        **{key: value for key, value in dimension.items() if key not in {*_DIMENSION, "granularity"}},
    }


def _time_params(grained: Data, dimension: Data) -> dict[str, Any] | None:
    if not grained.get("granularity"):
        return None
    return {"time_granularity": grained["granularity"], "validity_params": dimension.get("validity_params")}


_DATATYPES = {
    "bool": "boolean", "boolean": "boolean", "int": "integer", "integer": "integer", "bigint": "integer",
    "decimal": "decimal", "numeric": "decimal", "float": "float", "double": "float", "date": "date",
    "timestamp": "datetime", "datetime": "datetime", "timestamptz": "datetime_tz", "timestamp_tz": "datetime_tz",
    "timestamp with time zone": "datetime_tz", "string": "string", "text": "string", "varchar": "string",
}  # fmt: skip


def _datatype(written: str) -> str:
    """The kind of value of a database's type, where its name says it."""
    return _DATATYPES.get(written.lower().partition("(")[0].strip(), "")


def older_metric(data: Data, model: str, time: str) -> dict[str, Any]:
    """A metric with its settings under `type_params`; one that has them there already stays as it is.

    `model` and `time` are the semantic model that a simple metric stands in and its time dimension.
    """
    if "type_params" in data:
        return dict(data)
    params: dict[str, Any] = {key: data[key] for key in _TO_PARAMS if key in data}
    params["is_private"] = data.get("hidden")
    params["metrics"] = data.get("input_metrics")
    match text(data, "type", "simple").lower():
        case "simple":
            params["metric_aggregation_params"] = _aggregation(data, model, time)
        case "cumulative":
            own = {key: data[key] for key in _OF_CUMULATIVE if key in data}
            params["cumulative_type_params"] = {**own, "metric": data.get("input_metric")}
        case "conversion":
            params["conversion_type_params"] = {key: data[key] for key in _OF_CONVERSION if key in data}
    known = {*_OF_A_METRIC, *_TO_PARAMS, *_OF_CONVERSION, *_OF_CUMULATIVE, *_OF_AGGREGATION}
    others = {k: v for k, v in data.items() if k not in {*known, "hidden", "input_metrics", "input_metric"}}
    return {**{k: v for k, v in data.items() if k in _OF_A_METRIC}, **others, "type_params": params}


def _aggregation(data: Data, model: str, time: str) -> dict[str, Any]:
    rule = part(data, "non_additive_dimension")
    kind = text(data, "percentile_type").lower()
    renamed = {
        "name": rule.get("name"),
        "window_choice": rule.get("window_agg"),
        "window_groupings": rule.get("group_by"),
    }
    return {
        "semantic_model": model,
        "agg": data.get("agg"),
        "agg_params": {"percentile": data.get("percentile"), "use_discrete_percentile": kind == "discrete"},
        "agg_time_dimension": text(data, "agg_time_dimension", time),
        "non_additive_dimension": {**renamed, "name": rule.get("name")} if rule else None,
    }
