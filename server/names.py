"""Catalog names as GraphQL writes them: `cost_per_session` is the field costPerSession, the value COST_PER_SESSION."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from keyword import iskeyword

from semantic import Catalog, CatalogError, Dimension, Mark, Metric, Mistake

# Types that the schema always has; the enum of a dimension that would be called the same takes another name.
# fmt: off
FIXED_TYPES = frozenset({
    "Better", "BigInt", "Boolean", "Catalog", "Date", "DateTime", "Decimal", "Dimension", "DimensionType", "Direction",
    "Evidence", "Explain", "Fact", "FilterInput", "Float", "Grain", "Int", "Integer", "Metric", "MetricKind",
    "MetricName", "Metrics", "MetricsRow", "MetricsTotals", "OrderBy", "OrderInput", "Parameter", "Query", "Reached",
    "Source", "String", "TimeRangeInput", "Timestamp", "ValueType",
})
# fmt: on
FILTER_WORDS = ("and", "or", "not")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Which name of the catalog a field stands for."""

    metrics: Mapping[str, str]
    dimensions: Mapping[str, str]


def vocabulary(catalog: Catalog) -> Vocabulary:
    """`CatalogError` where two names of the catalog would be one in GraphQL."""
    dimensions = catalog.dimensions()
    fields: dict[str, str] = {}
    mistakes = []
    named: tuple[Dimension | Metric, ...] = (*dimensions.values(), *catalog.metrics.values())
    for item in named:
        field = field_name(item.name)
        place = item.mark or Mark(catalog.file, 1, 1)
        if field in fields:
            mistakes.append(Mistake(place, f"'{item.name}' and '{fields[field]}' are both {field} in GraphQL"))
        elif field in FILTER_WORDS and item.name in dimensions:
            mistakes.append(Mistake(place, f"'{field}' joins conditions in a filter and cannot name a dimension"))
        fields[field] = item.name
    if mistakes:
        raise CatalogError(mistakes)
    return Vocabulary(
        metrics={field: name for field, name in fields.items() if name in catalog.metrics},
        dimensions={field: name for field, name in fields.items() if name in dimensions},
    )


def field_name(name: str) -> str:
    """In camelCase.

    Example:
        >>> field_name("p95_session_cost")
        'p95SessionCost'
    """
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def enum_type_name(dimension: str) -> str:
    """In PascalCase, and told apart from the schema's own types.

    Example:
        >>> enum_type_name("task_result"), enum_type_name("source")
        ('TaskResult', 'SourceDimension')
    """
    name = field_name(dimension)
    name = name[:1].upper() + name[1:]
    return name + "Dimension" if name in FIXED_TYPES else name


def value_name(value: str) -> str:
    """In CAPITALS.

    Example:
        >>> value_name("pr-merged"), value_name("5m")
        ('PR_MERGED', '_5M')
    """
    name = re.sub(r"\W", "_", value, flags=re.ASCII).upper()
    return f"_{name}" if not name or name[0].isdigit() else name


def attribute(name: str) -> str:
    """The Python attribute for a name that may be a word of Python, such as `class`."""
    return f"{name}_" if iskeyword(name) else name
