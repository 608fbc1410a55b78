"""What a reader asks for: a definition with its unit, its words and the reasons to be null. Frozen."""

from dataclasses import dataclass, field
from typing import Literal

from semantic.errors import Mark
from semantic.measure import Aggregation, Definition, Each, Formula, Measure, Rank

ValueType = Literal["money", "integer", "number", "date", "text"]
Empty = Literal["null", "zero", "carry"]


def declared_name(name: str) -> str:
    """The metric of the file that a part belongs to: of `cost__1_month_earlier`, `cost`."""
    return name.partition("__")[0]


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
    definition: Definition
    unit: str = ""
    label: str = ""
    description: str = ""
    better: Literal["higher", "lower", ""] = ""
    format: str = ""
    owner: str = ""
    target: str = ""
    deprecated: str = ""
    """What to ask for instead; empty where the metric stays."""
    access: frozenset[str] = frozenset()
    """The roles that may see it; empty for everybody."""
    empty: Empty = "null"
    reasons: Reasons = field(default_factory=Reasons)
    source_text: str = ""
    """The definition as it stands in the file, for `explain` and the catalog's page."""
    mark: Mark | None = None

    @property
    def type(self) -> ValueType:
        """Money and dates by their unit, counts and sums of whole things as integers, everything else as a number."""
        definition = self.definition
        if isinstance(definition, Rank):
            return "integer"
        if self.unit == "USD" or self.unit.startswith("USD/"):
            return "money"
        if self.unit in ("date", "text"):
            return "date" if self.unit == "date" else "text"
        if isinstance(definition, Measure) and definition.average is None:
            is_mean = definition.snapshot is not None and definition.snapshot.take == "avg"
            kept_whole = (Aggregation.SUM, Aggregation.MIN, Aggregation.MAX)
            keeps_tokens_whole = definition.aggregation in kept_whole and not is_mean
            if definition.is_count or (self.unit == "tokens" and keeps_tokens_whole):
                return "integer"
        return "number"

    @property
    def inputs(self) -> tuple[str, ...]:
        """The metrics that this one is computed from; none for a measure."""
        match self.definition:
            case Formula(inputs=inputs):
                return inputs
            case Rank(of=of) | Each(of=of):
                return (of,)
        return ()

    @property
    def is_approximate(self) -> bool:
        """Whether the number is an estimate, which a reader must be told."""
        definition = self.definition
        return isinstance(definition, Measure) and definition.aggregation is Aggregation.APPROXIMATE_DISTINCT
