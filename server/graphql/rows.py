"""One row of an answer: a field for each dimension and each metric of the catalog.

A row is a dict, and its fields have no resolver of their own: the schema's default resolver looks them up. That is the
cheapest field that Strawberry has, and an answer has rows times columns of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Parent

from semantic import Catalog, Dimension, Grain, Metric, Row, ValueType
from server.graphql.generated import bare_class, enum_type
from server.graphql.scalars import BigInt
from server.names import attribute, enum_type_name, field_name

_OF_METRIC: Mapping[ValueType, type] = {"money": Decimal, "integer": BigInt, "number": float, "date": date}
_OF_DIMENSION: Mapping[str, type] = {
    "string": str,
    "integer": BigInt,
    "decimal": Decimal,
    "boolean": bool,
    "date": date,
    "timestamp": datetime,
}

GrainName = enum_type("Grain", Grain, "The length of a period; a week begins on Monday.")


@strawberry.type(name="Evidence", description="What stands behind one value.")
class EvidenceType:
    status: str = strawberry.field(
        description="OK; LOWER_BOUND for a sum with members that do not know their value; PARTIAL for a formula over "
        "such sums; or, where the value is null, the reason, such as UNPRICED or NO_SESSIONS."
    )
    n: BigInt = strawberry.field(description="Rows behind the value; of a formula, of the input that has the most.")
    unknown: BigInt = strawberry.field(
        description="Rows among them whose value is not known; of a formula, of the input that has the most."
    )


@dataclass(frozen=True, slots=True)
class RowTypes:
    row: type
    totals: type


def row_types(catalog: Catalog, enums: Mapping[str, type]) -> RowTypes:
    """`MetricsRow`, and `MetricsTotals`, which has no dimensions: a total that is cut by something is no total."""
    meanings = {m.name: metric_description(m) for m in catalog.metrics.values()}
    metric_name = enum_type("MetricName", catalog.metrics, "Every metric.", meanings)
    metrics = {m.name: _metric(m) for m in catalog.metrics.values()}
    dimensions = {d.name: _dimension(d, enums) for d in catalog.dimensions().values()}
    row = bare_class("MetricsRow", {**dimensions, "time": _time(), **metrics, "evidence": _evidence(metric_name)})
    totals = bare_class("MetricsTotals", {**metrics, "evidence": _evidence(metric_name)})
    return RowTypes(
        strawberry.type(row, description="The metrics of one combination of the dimensions that are selected here."),
        strawberry.type(totals, description="The metrics over everything that the question covers."),
    )


def enums_of(catalog: Catalog) -> dict[str, type]:
    """An enum for each dimension that has a closed set of values."""
    return {
        d.name: enum_type(enum_type_name(d.name), d.values, d.description)
        for d in catalog.dimensions().values()
        if d.type == "enum"
    }


def row_values(row: Row) -> dict[str, object]:
    """A row as the schema reads it: values by attribute, and the evidence by metric."""
    values = {attribute(name): value for name, value in (*row.keys.items(), *row.values.items())}
    return {**values, "evidence": row.evidence}


def read_field(source: Any, name: str) -> object:
    """The default resolver: rows are dicts, everything else has attributes."""
    return source[name] if isinstance(source, dict) else getattr(source, name)


def metric_description(metric: Metric) -> str:
    text = metric.description or metric.label
    return f"{text}. Unit: {metric.unit}." if metric.unit else f"{text}."


def _metric(metric: Metric) -> tuple[Any, Any]:
    settings = strawberry.field(name=field_name(metric.name), description=metric_description(metric))
    return _OF_METRIC[metric.type] | None, settings


def _dimension(dimension: Dimension, enums: Mapping[str, type]) -> tuple[Any, Any]:
    annotation = enums.get(dimension.name) or _OF_DIMENSION[dimension.type]
    settings = strawberry.field(name=field_name(dimension.name), description=dimension.description or None)
    return annotation | None, settings


def _time() -> tuple[Any, Any]:
    def time(root: Parent[Any], grain: Annotated[Any, strawberry.argument(graphql_type=GrainName)]) -> Any:
        return root["time"]

    return date | None, strawberry.field(
        resolver=time,
        graphql_type=date | None,
        description="The first day of a period, and with it one row for each period. One grain in a question.",
    )


def _evidence(metric_name: Any) -> tuple[Any, Any]:
    def evidence(root: Parent[Any], metric: Annotated[Any, strawberry.argument(graphql_type=metric_name)]) -> Any:
        return root["evidence"][metric.value]

    return EvidenceType, strawberry.field(
        resolver=evidence,
        graphql_type=EvidenceType,
        description="What stands behind the value of a metric.",
    )
