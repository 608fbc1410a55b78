"""One row of an answer: a field for each dimension and each metric of the catalog.

A row is a dict, and its fields have no resolver of their own: the schema's default resolver looks them up. That is the
cheapest field that Strawberry has, and an answer has rows times columns of them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Parent

from semantic import Catalog, Metric, Shaped, ValueType
from semantic.periods import Calendar
from server.graphql.generated import bare_class, enum_type
from server.graphql.pure import pure_column
from server.graphql.scalars import BigInt, PeriodStart
from server.graphql.table import Table
from server.keys import Key
from server.names import attribute, enum_type_name, field_name

_OF_METRIC: Mapping[ValueType, type] = {"money": Decimal, "integer": BigInt, "number": float, "date": date, "text": str}
_OF_KEY: Mapping[str, type] = {
    "string": str,
    "integer": BigInt,
    "decimal": Decimal,
    "boolean": bool,
    "date": date,
    "timestamp": datetime,
}

DICTS = frozenset({"MetricsRow", "MetricsTotals"})
"""Types whose values are dicts; the values of all others have attributes."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


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


def row_types(catalog: Catalog, keys: Iterable[Key], enums: Mapping[str, type]) -> RowTypes:
    """`MetricsRow`, and `MetricsTotals`, which has no dimensions: a total that is cut by something is no total."""
    named = catalog.metrics.values()
    meanings = {m.name: metric_description(m) for m in named}
    metric_name = enum_type("MetricName", catalog.metrics, "Every metric.", meanings, replacements(catalog))
    metrics = {m.name: _metric(m) for m in named}
    dimensions = {key.name: _dimension(key, enums) for key in keys}
    evidence = {"evidence": _evidence(metric_name)}
    row = bare_class("MetricsRow", {**dimensions, "time": _time(catalog.calendar), **metrics, **evidence})
    totals = bare_class("MetricsTotals", {**metrics, **evidence})
    return RowTypes(
        strawberry.type(row, description="The metrics of one combination of the dimensions that are selected here."),
        strawberry.type(totals, description="The metrics over everything that the question covers."),
    )


def enums_of(keys: Iterable[Key]) -> dict[str, type]:
    """An enum for each dimension that has a closed set of values."""
    return {k.name: enum_type(enum_type_name(k.name), k.values, k.description) for k in keys if k.type == "enum"}


def replacements(catalog: Catalog) -> dict[str, str]:
    """What to ask for instead of each deprecated metric."""
    return {m.name: m.deprecated for m in catalog.metrics.values() if m.deprecated}


def grain_description(calendar: Calendar, name: str) -> str:
    """How long the periods of a catalog's own grain are, and when one of them begins; nothing for the usual ones."""
    periods = calendar.grains.get(name)
    return f"Every {periods.length}, counted from {periods.origin.isoformat()}" if periods else ""


def table_of(shaped: Shaped) -> Table:
    """Rows as the schema reads them: values by attribute, and the evidence by metric."""
    named = {attribute(name): column for name, column in (*shaped.keys.items(), *shaped.values.items())}
    return Table(shaped.length, named, shaped.evidence)


def read_field(source: Any, name: str) -> object:
    """The default resolver: rows are dicts, everything else has attributes."""
    return source[name] if isinstance(source, dict) else getattr(source, name)


def metric_description(metric: Metric) -> str:
    unit = f" Unit: {metric.unit}." if metric.unit else ""
    estimate = " An estimate." if metric.is_approximate else ""
    return f"{metric.description or metric.label}.{unit}{estimate}"


def _metric(metric: Metric) -> tuple[Any, Any]:
    settings = strawberry.field(
        name=field_name(metric.name),
        description=metric_description(metric),
        deprecation_reason=metric.deprecated or None,
    )
    return _OF_METRIC[metric.type] | None, settings


def _dimension(key: Key, enums: Mapping[str, type]) -> tuple[Any, Any]:
    annotation = enums.get(key.name) or _OF_KEY[key.type]
    settings = strawberry.field(name=field_name(key.name), description=key.description or None)
    return annotation | None, settings


def _time(calendar: Calendar) -> tuple[Any, Any]:
    lengths = {name: text for name in calendar.grains if (text := grain_description(calendar, name))}
    week = f"The length of a period; a week begins on {_WEEKDAYS[calendar.week_start]}."
    grain_name = enum_type("Grain", calendar.names, week, lengths)

    @pure_column(lambda grain: "time")
    def time(root: Parent[Any], grain: Annotated[Any, strawberry.argument(graphql_type=grain_name)]) -> Any:
        return root["time"]

    return PeriodStart | None, strawberry.field(
        resolver=time,
        graphql_type=PeriodStart | None,
        description="When a period begins, and with it one row for each period. One grain in a question.",
    )


def _evidence(metric_name: Any) -> tuple[Any, Any]:
    @pure_column(lambda metric: ("evidence", metric.value))
    def evidence(root: Parent[Any], metric: Annotated[Any, strawberry.argument(graphql_type=metric_name)]) -> Any:
        return root["evidence"][metric.value]

    return EvidenceType, strawberry.field(
        resolver=evidence,
        graphql_type=EvidenceType,
        description="What stands behind the value of a metric.",
    )
