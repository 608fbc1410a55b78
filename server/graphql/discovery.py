"""The `catalog` and `sources` fields: what can be asked, and where the data comes from."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, get_args

import strawberry

from semantic import Catalog, Dimension, Formula, Metric, ValueType, dimensions_of
from semantic.model import DimensionType
from server.graphql.generated import enum_type
from server.graphql.scalars import BigInt
from server.names import field_name
from store import Load

_Better: Any = enum_type("Better", ("higher", "lower"), "Which direction is good news.")
_MetricKind: Any = enum_type("MetricKind", ("measure", "formula"), "An aggregate of rows, or arithmetic with metrics.")
_ValueType: Any = enum_type("ValueType", get_args(ValueType), "What the values of a metric are.")
_DimensionType: Any = enum_type("DimensionType", get_args(DimensionType), "What the values of a dimension are.")


@strawberry.type(name="Dimension", description="Something that metrics can be cut by.")
class DimensionInfo:
    name: str = strawberry.field(description="As metrics.yaml names it.")
    graphql_name: str = strawberry.field(description="The field that it is here.")
    type: str = strawberry.field(graphql_type=_DimensionType)
    values: list[str] = strawberry.field(description="All values that there are; empty where the set is open.")
    description: str


@strawberry.type(name="Metric", description="Something that can be asked for.")
class MetricInfo:
    name: str = strawberry.field(description="As metrics.yaml names it.")
    graphql_name: str = strawberry.field(description="The field that it is here.")
    label: str = strawberry.field(description="For people.")
    description: str
    unit: str = strawberry.field(description='Such as "USD/month"; empty for a plain number.')
    type: str = strawberry.field(graphql_type=_ValueType)
    better: str | None = strawberry.field(graphql_type=_Better | None)
    kind: str = strawberry.field(graphql_type=_MetricKind)
    definition: str = strawberry.field(description="As it stands in metrics.yaml.")
    dimensions: list[DimensionInfo] = strawberry.field(description="What it can be cut by.")


@strawberry.type(name="Catalog", description="What metrics.yaml declares.")
class CatalogInfo:
    time_zone: str = strawberry.field(description="Where days are cut, unless a question names another zone.")
    metrics: list[MetricInfo]
    dimensions: list[DimensionInfo]


@strawberry.type(description="Where data comes from, and how its last load went.")
class Source:
    source: str = strawberry.field(description="The kind of loader.")
    location: str
    loads: BigInt = strawberry.field(description="How often it has been loaded.")
    last_load_at: datetime
    age_seconds: BigInt = strawberry.field(description="Since the last load.")
    data_version: BigInt = strawberry.field(description="Of the data, after the last load.")
    read: BigInt = strawberry.field(description="Items that the last load read: the sum of the four below.")
    stored: BigInt
    unchanged: BigInt
    ignored: BigInt = strawberry.field(description="By a rule, such as a kind of entry that costs nothing.")
    rejected: BigInt = strawberry.field(description="Not understood; kept with their place and the reason.")


def catalog_info(catalog: Catalog) -> CatalogInfo:
    dimensions = {name: _dimension(dimension) for name, dimension in catalog.dimensions().items()}
    return CatalogInfo(
        time_zone=catalog.time_zone,
        metrics=[
            _metric(metric, [dimensions[name] for name in dimensions_of(catalog, metric.name)])
            for metric in catalog.metrics.values()
        ],
        dimensions=list(dimensions.values()),
    )


def sources_of(loads: Iterable[Load], now: datetime) -> list[Source]:
    """One for each kind and location, from all loads, newest first."""
    grouped: dict[tuple[str, str], list[Load]] = {}
    for load in loads:
        grouped.setdefault((load.source, load.location), []).append(load)
    return [_source(of_one, now) for _, of_one in sorted(grouped.items())]


def _dimension(dimension: Dimension) -> DimensionInfo:
    return DimensionInfo(
        name=dimension.name,
        graphql_name=field_name(dimension.name),
        type=dimension.type,
        values=list(dimension.values),
        description=dimension.description,
    )


def _metric(metric: Metric, dimensions: list[DimensionInfo]) -> MetricInfo:
    return MetricInfo(
        name=metric.name,
        graphql_name=field_name(metric.name),
        label=metric.label,
        description=metric.description,
        unit=metric.unit,
        type=metric.type,
        better=metric.better or None,
        kind="formula" if isinstance(metric.definition, Formula) else "measure",
        definition=metric.source_text,
        dimensions=dimensions,
    )


def _source(loads: list[Load], now: datetime) -> Source:
    last = loads[0]
    return Source(
        source=last.source,
        location=last.location,
        loads=BigInt(len(loads)),
        last_load_at=last.applied_at,
        age_seconds=BigInt(max(0, int((now - last.applied_at).total_seconds()))),
        data_version=BigInt(last.data_version),
        read=BigInt(last.read),
        stored=BigInt(last.stored),
        unchanged=BigInt(last.unchanged),
        ignored=BigInt(last.ignored),
        rejected=BigInt(last.rejected),
    )
