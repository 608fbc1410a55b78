"""Entities, dimensions, measures and semantic models, from the manifest's form (the older YAML differs little)."""

from collections.abc import Iterable
from dataclasses import replace

from semantic.formats.metricflow.project import Aggregate, Dimension, Entity, Measure, NonAdditive, SemanticModel
from semantic.formats.metricflow.reading import Data, FormatError, flag, part, parts, strangers, text, texts
from semantic.formats.report import Finding, Kind

COMMON = {"name", "description", "label", "config", "metadata"}
_MODEL = {*COMMON, "defaults", "node_relation", "model", "primary_entity", "entities", "measures", "dimensions"}
_ENTITY = {*COMMON, "type", "role", "expr", "entity"}
_DIMENSION = {*COMMON, "type", "datatype", "is_partition", "type_params", "expr"}
_MEASURE = {
    *COMMON, "agg", "create_metric", "create_metric_display_name", "expr", "agg_params", "non_additive_dimension",
    "agg_time_dimension",
}  # fmt: skip
# Where dbt keeps its own account of a model; no number depends on it.
_OF_DBT = {
    "resource_type", "package_name", "path", "original_file_path", "unique_id", "fqn", "refs", "depends_on",
    "created_at", "unrendered_config", "group",
}  # fmt: skip


def read_model(data: Data, place: str, findings: list[Finding]) -> SemanticModel:
    """One semantic model; `findings` takes what is in it that nobody knows."""
    name = text(data, "name")
    if not name:
        raise FormatError(f"{place}: a semantic model without a name")
    where = f"{place}: semantic model '{name}'"
    findings += strangers(data, _MODEL | _OF_DBT, where)
    for entity in parts(data, "entities"):
        findings += strangers(entity, _ENTITY, f"{where}, entity '{text(entity, 'name')}'")
    for dimension in parts(data, "dimensions"):
        findings += strangers(dimension, _DIMENSION, f"{where}, dimension '{text(dimension, 'name')}'")
    for measure in parts(data, "measures"):
        findings += strangers(measure, _MEASURE, f"{where}, measure '{text(measure, 'name')}'")
    findings += unused_settings(data, where)
    return SemanticModel(
        name,
        _source(data, where),
        where,
        tuple(_entity(e) for e in parts(data, "entities")),
        tuple(_dimension(d) for d in parts(data, "dimensions")),
        tuple(_measure(m, name) for m in parts(data, "measures")),
        text(data, "primary_entity"),
        text(part(data, "defaults"), "agg_time_dimension"),
        text(data, "description"),
    )


def unused_settings(data: Data, place: str) -> Iterable[Finding]:
    """One line for what dbt says about a thing beside its meaning."""
    config = part(data, "config")
    named = [f"config.{k}" for k in ("tags", "group") if config.get(k)] + [k for k in ("tags", "group") if data.get(k)]
    if named:
        yield Finding(Kind.LEFT_OUT, place, ", ".join(named), "has no counterpart and changes no number")


def _source(data: Data, place: str) -> str:
    """`schema.table` of where the rows are; a table alone where only a reference names it."""
    relation = part(data, "node_relation")
    if relation:
        alias, schema = text(relation, "alias"), text(relation, "schema_name")
        if alias:
            return f"{schema}.{alias}" if schema else alias
        return ".".join(p.strip('`"[]') for p in text(relation, "relation_name").split(".")[-2:])
    reference = text(data, "model")
    if not reference:
        raise FormatError(f"{place}: names no table; it needs `model:` or `node_relation:`")
    names = [p.strip("'\" ") for p in reference.strip("{} ").partition("(")[2].rstrip(")").split(",")]
    names = [n for n in names if n and "=" not in n]
    if not names:
        return reference
    return ".".join(names[-2:]) if "source" in reference.partition("(")[0] else names[-1]


def _entity(data: Data) -> Entity:
    name = text(data, "name")
    return Entity(name, text(data, "type").lower(), text(data, "expr", name), text(data, "role"))


def _dimension(data: Data) -> Dimension:
    name, params = text(data, "name"), part(data, "type_params")
    validity = part(params, "validity_params")
    return Dimension(
        name,
        text(data, "expr", name),
        text(data, "type").lower() == "time",
        text(params, "time_granularity").lower(),
        "start" if flag(validity, "is_start") else "end" if flag(validity, "is_end") else "",
        flag(data, "is_partition"),
        text(data, "datatype").lower(),
        text(data, "label"),
        text(data, "description"),
    )


def _measure(data: Data, model: str) -> Measure:
    name = text(data, "name")
    return Measure(
        name,
        replace(read_aggregate(data, model), sql=text(data, "expr", name)),
        text(data, "label"),
        text(data, "description"),
        flag(data, "create_metric"),
    )


def read_aggregate(data: Data, model: str) -> Aggregate:
    """`agg` and what belongs to it, without the expression."""
    params, rule = part(data, "agg_params"), part(data, "non_additive_dimension")
    non_additive = None
    if rule:
        choice = text(rule, "window_choice", "min").lower()
        non_additive = NonAdditive(text(rule, "name"), choice, texts(rule, "window_groupings"))
    return Aggregate(
        model,
        text(data, "agg").lower(),
        "",
        text(data, "agg_time_dimension"),
        text(params, "percentile"),
        flag(params, "use_discrete_percentile"),
        flag(params, "use_approximate_percentile"),
        non_additive,
    )
