"""A MetricFlow project as values, whichever of its three written forms it was read from. Expressions are SQL text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entity:
    """What models are joined by: `sql` is the column (or an expression) that identifies it in this model."""

    name: str
    type: str
    sql: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class Dimension:
    """`grain` is the declared one of a time dimension; `validity` marks the two ends of a dated row."""

    name: str
    sql: str
    is_time: bool = False
    grain: str = ""
    validity: Literal["start", "end", ""] = ""
    is_partition: bool = False
    datatype: str = ""
    label: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class NonAdditive:
    """A value that is not summed over time: rows at the `choice` (min, max) of the dimension, of each grouping."""

    dimension: str
    choice: str
    groupings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """How rows of one model become a number. `time` is its own time dimension, empty for the model's."""

    model: str
    agg: str
    sql: str
    time: str = ""
    percentile: str = ""
    is_discrete: bool = False
    is_approximate: bool = False
    non_additive: NonAdditive | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    name: str
    aggregate: Aggregate
    label: str = ""
    description: str = ""
    makes_metric: bool = False


@dataclass(frozen=True, slots=True)
class SemanticModel:
    """`time` is the dimension that its metrics are dated by unless they name another."""

    name: str
    source: str
    place: str
    entities: tuple[Entity, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    measures: tuple[Measure, ...] = ()
    primary_entity: str = ""
    time: str = ""
    description: str = ""

    def dimension(self, name: str) -> Dimension | None:
        return next((d for d in self.dimensions if d.name == name), None)

    def entity(self, name: str) -> Entity | None:
        return next((e for e in self.entities if e.name == name), None)

    @property
    def own_entity(self) -> str:
        """The name under which its own dimensions are asked; empty where it has none."""
        keys = [e.name for e in self.entities if e.type == "primary"]
        return keys[0] if keys else self.primary_entity


@dataclass(frozen=True, slots=True)
class Window:
    count: int
    unit: str
    """A grain's name in the singular, perhaps one of the project's own."""

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Aggregated:
    """A number of one model's rows as a metric uses it."""

    aggregate: Aggregate
    filters: tuple[str, ...] = ()
    fill: str = ""
    """What stands for no value; empty for nothing."""


@dataclass(frozen=True, slots=True)
class Input:
    """Another metric as a metric uses it."""

    name: str
    alias: str = ""
    filters: tuple[str, ...] = ()
    offset: Window | None = None
    to_grain: str = ""

    @property
    def is_plain(self) -> bool:
        return not self.filters and self.offset is None and not self.to_grain


Source = Aggregated | Input


@dataclass(frozen=True, slots=True)
class Simple:
    base: Aggregated


@dataclass(frozen=True, slots=True)
class Ratio:
    numerator: Input
    denominator: Input


@dataclass(frozen=True, slots=True)
class Derived:
    """`sql` is arithmetic over the inputs, each under its alias where it has one."""

    sql: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, slots=True)
class Cumulative:
    base: Source
    window: Window | None = None
    grain_to_date: str = ""
    period_agg: str = "first"


@dataclass(frozen=True, slots=True)
class Conversion:
    """Events of `conversion` that follow events of `base` for the same entity."""

    base: Source
    conversion: Source
    entity: str
    calculation: str = "conversion_rate"
    window: Window | None = None
    constants: tuple[tuple[str, str], ...] = ()


Definition = Simple | Ratio | Derived | Cumulative | Conversion


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    definition: Definition
    place: str
    filters: tuple[str, ...] = ()
    label: str = ""
    description: str = ""
    meta: Mapping[str, str] = field(default_factory=dict)
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class SavedQuery:
    name: str
    place: str
    metrics: tuple[str, ...]
    group_by: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: str = ""


@dataclass(frozen=True, slots=True)
class CustomGrain:
    """A period that is a column of a calendar table."""

    name: str
    column: str
    place: str


@dataclass(frozen=True, slots=True)
class Project:
    models: Mapping[str, SemanticModel] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    saved_queries: tuple[SavedQuery, ...] = ()
    grains: Mapping[str, CustomGrain] = field(default_factory=dict)


def aggregates_of(project: Project) -> Iterable[Aggregate]:
    """Everything that is aggregated anywhere."""
    for model in project.models.values():
        yield from (measure.aggregate for measure in model.measures)
    for metric in project.metrics.values():
        match metric.definition:
            case Simple(base=base) | Cumulative(base=Aggregated() as base):
                yield base.aggregate
            case Conversion(base=base, conversion=conversion):
                yield from (a.aggregate for a in (base, conversion) if isinstance(a, Aggregated))
