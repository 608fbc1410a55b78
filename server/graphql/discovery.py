"""The `catalog` field: what can be asked."""

from typing import Any, get_args

import strawberry

from semantic import Catalog, Formula, Metric, ValueType, dimensions_of
from semantic.measure import Each, Rank
from semantic.model import DimensionType
from server.graphql.generated import enum_type
from server.graphql.rows import grain_description
from server.keys import Key, keys_of
from server.names import field_name, value_name
from server.withheld import mentions

_Better: Any = enum_type("Better", ("higher", "lower"), "Which direction is good news.")
_KINDS = {
    "measure": "An aggregate of rows.",
    "formula": "Arithmetic with metrics.",
    "rank": "The place of a metric's value among the rows.",
    "each": "An aggregate of a metric's values, one for each entity or period.",
}
_MetricKind: Any = enum_type("MetricKind", _KINDS, "How a metric comes about.", _KINDS)
_ValueType: Any = enum_type("ValueType", get_args(ValueType), "What the values of a metric are.")
_DimensionType: Any = enum_type("DimensionType", get_args(DimensionType), "What the values of a dimension are.")


@strawberry.type(name="Dimension", description="Something that metrics can be cut by.")
class DimensionInfo:
    name: str = strawberry.field(description="As metrics.yaml names it.")
    graphql_name: str = strawberry.field(description="The field that it is here.")
    label: str = strawberry.field(description="For people.")
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
    format: str = strawberry.field(description="How to write it for people; empty where nothing is said.")
    owner: str = strawberry.field(description="Who answers for it; empty where nobody is named.")
    target: str = strawberry.field(description="What it is meant to reach; empty where nothing is said.")
    deprecated: str | None = strawberry.field(description="What to ask for instead; null for a metric that stays.")
    is_approximate: bool = strawberry.field(description="Whether its values are estimates.")
    kind: str = strawberry.field(graphql_type=_MetricKind)
    definition: str = strawberry.field(
        description="As it stands in metrics.yaml; empty where it names something that you may not see."
    )
    dimensions: list[DimensionInfo] = strawberry.field(description="What it can be cut by.")


@strawberry.type(description="Something that metrics.yaml gives a name.")
class Named:
    name: str = strawberry.field(description="As metrics.yaml names it.")
    graphql_name: str = strawberry.field(description="The value that it is here.")
    description: str


@strawberry.type(name="Catalog", description="What metrics.yaml declares.")
class CatalogInfo:
    time_zone: str = strawberry.field(description="Where days are cut, unless a question names another zone.")
    metrics: list[MetricInfo]
    dimensions: list[DimensionInfo] = strawberry.field(description="With the parts of the time, such as timeWeekday.")
    filters: list[Named] = strawberry.field(description="Conditions that a question can name.")
    grains: list[Named] = strawberry.field(description="The lengths of periods.")


def catalog_info(catalog: Catalog, hidden: frozenset[str]) -> CatalogInfo:
    """Of a catalog as its reader sees it; `hidden` are the names that no definition may tell him."""
    dimensions = {name: _dimension(key) for name, key in keys_of(catalog).items()}
    return CatalogInfo(
        time_zone=catalog.time_zone,
        metrics=[
            _metric(metric, [dimensions[name] for name in dimensions_of(catalog, metric.name)], hidden)
            for metric in catalog.metrics.values()
        ],
        dimensions=list(dimensions.values()),
        filters=[
            Named(name=f.name, graphql_name=value_name(f.name), description=f.description)
            for f in catalog.filters.values()
        ],
        grains=[
            Named(name=str(name), graphql_name=value_name(name), description=grain_description(catalog.calendar, name))
            for name in catalog.calendar.names
        ],
    )


def _dimension(key: Key) -> DimensionInfo:
    return DimensionInfo(
        name=key.name,
        graphql_name=field_name(key.name),
        label=key.label,
        type=key.type,
        values=list(key.values),
        description=key.description,
    )


def _metric(metric: Metric, dimensions: list[DimensionInfo], hidden: frozenset[str]) -> MetricInfo:
    return MetricInfo(
        name=metric.name,
        graphql_name=field_name(metric.name),
        label=metric.label,
        description=metric.description,
        unit=metric.unit,
        type=metric.type,
        better=metric.better or None,
        format=metric.format,
        owner=metric.owner,
        target=metric.target,
        deprecated=metric.deprecated or None,
        is_approximate=metric.is_approximate,
        kind=kind_of(metric),
        definition="" if mentions(metric.source_text, hidden) else metric.source_text,
        dimensions=dimensions,
    )


def kind_of(metric: Metric) -> str:
    match metric.definition:
        case Formula():
            return "formula"
        case Rank():
            return "rank"
        case Each():
            return "each"
    return "measure"
