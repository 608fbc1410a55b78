"""The catalog as a value: models with their dimensions and joins, metrics with their kind and modifiers. Frozen.

A *model* names a table of the store and what may be asked of it. A *measure* aggregates rows of one model; an
*expression* combines metrics. Every metric is one of the two once the catalog is loaded (a variation is a measure or an
expression with a further filter).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from sqlglot import exp

from semantic.errors import Mark

DimensionType = Literal["string", "integer", "decimal", "boolean", "date", "timestamp", "enum"]
ValueType = Literal["money", "integer", "number", "date"]
Empty = Literal["null", "zero"]

WHOLE_UNITS = frozenset({"requests", "sessions", "tokens"})
"""Units of which there are no parts."""

DAYS_PER_MONTH = "30.4375"
"""The average month of the Gregorian calendar over four years: (3 x 365 + 366) / 48 days."""


class Aggregation(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT_DISTINCT = "count_distinct"
    MEDIAN = "median"
    PERCENTILE = "percentile"


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Dimension:
    """Something that metrics can be cut by; `sql` is a scalar expression over the model's columns."""

    name: str
    type: DimensionType
    sql: exp.Expression
    values: tuple[str, ...] = ()
    description: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Many rows of a model to at most one row of the target: `column` equals the target's key."""

    role: str
    target: str
    column: str


@dataclass(frozen=True, slots=True)
class Model:
    """`time` is the column that ranges and grains read; an instant in UTC, or a date (`time_is_date`)."""

    name: str
    source: str
    key: tuple[str, ...]
    time: str | None
    time_is_date: bool
    dimensions: Mapping[str, Dimension]
    joins: Mapping[str, Join]
    description: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Rolling:
    """A trailing window of whole days that ends with the period; `per_month` scales its daily mean to a month."""

    days: int
    per_month: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The last value of each entity at the end of the period, carried forward, then summed (semi-additive)."""

    per: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate over one model's rows; `column` is None for a count of rows."""

    model: str
    aggregation: Aggregation
    column: str | None = None
    fraction: str | None = None
    where: tuple[exp.Expression, ...] = ()
    rolling: Rolling | None = None
    snapshot: Snapshot | None = None

    @property
    def is_count(self) -> bool:
        """Over no rows a count is 0, whatever `empty` says."""
        return self.aggregation in (Aggregation.COUNT, Aggregation.COUNT_DISTINCT)

    @property
    def is_its_rows(self) -> bool:
        """Whether the value is the number of rows behind it, so that evidence needs no other count."""
        return self.column is None and not (self.rolling and self.rolling.per_month)


@dataclass(frozen=True, slots=True)
class Formula:
    """A scalar expression whose identifiers are metrics."""

    tree: exp.Expression
    inputs: tuple[str, ...]
    marks: tuple[Mark, ...] = ()
    """Where each input is named."""


@dataclass(frozen=True, slots=True)
class Reasons:
    """The codes that say why a metric is null, or that a metric which divides by it is."""

    unknown: str | None = None
    """Rows are there and none of them knows the value."""
    empty: str | None = None
    """There are no rows."""
    zero: str | None = None
    """The value is 0 where another metric divides by it."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What a reader asks for, with its definition in words."""

    name: str
    definition: Measure | Formula
    unit: str = ""
    label: str = ""
    description: str = ""
    better: Literal["higher", "lower", ""] = ""
    empty: Empty = "null"
    reasons: Reasons = field(default_factory=Reasons)
    source_text: str = ""
    """The definition as it stands in the file, for `explain` and the catalog's page."""
    mark: Mark | None = None

    @property
    def type(self) -> ValueType:
        """Money and dates by their unit, counts and sums of whole things as integers, everything else as a number."""
        if self.unit == "USD" or self.unit.startswith("USD/"):
            return "money"
        if self.unit == "date":
            return "date"
        if isinstance(self.definition, Measure) and not self.definition.rolling:
            keeps_tokens_whole = self.definition.aggregation in (Aggregation.SUM, Aggregation.MIN, Aggregation.MAX)
            if self.definition.is_count or (self.unit == "tokens" and keeps_tokens_whole):
                return "integer"
        return "number"


@dataclass(frozen=True, slots=True)
class Catalog:
    """Everything that a metrics file declares."""

    name: str
    time_zone: str
    models: Mapping[str, Model]
    metrics: Mapping[str, Metric]
    file: str = ""

    def dimensions(self) -> Mapping[str, Dimension]:
        """Each dimension name once; models that share a name share its meaning (checked when loaded)."""
        found: dict[str, Dimension] = {}
        for model in self.models.values():
            for name, dimension in model.dimensions.items():
                found.setdefault(name, dimension)
        return dict(sorted(found.items()))

    def measures_of(self, metric: str) -> Mapping[str, Measure]:
        """The measures that a metric rests on, by metric name, in the order in which they are first met."""
        found: dict[str, Measure] = {}
        met = {metric}
        waiting = [metric]
        while waiting:
            name = waiting.pop(0)
            definition = self.metrics[name].definition
            if isinstance(definition, Measure):
                found[name] = definition
                continue
            waiting += [following for following in definition.inputs if following not in met]
            met.update(definition.inputs)
        return found
