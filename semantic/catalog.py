"""Everything that a metrics file declares, as one frozen value: models, metrics, filters, policies and checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from semantic.errors import Mark
from semantic.measure import Measure
from semantic.metric import Metric
from semantic.model import Dimension, Model
from semantic.outcome import OutcomeRule
from semantic.periods import Calendar


@dataclass(frozen=True, slots=True)
class NamedFilter:
    """A condition with a name, over the columns, dimensions and joins of one model."""

    name: str
    model: str
    where: exp.Expression
    description: str = ""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rows of a model a caller sees: those for which `rows` is true. It holds for each fact that joins the model.

    Callers with one of the `unless` roles see all rows. `:caller.NAME` in `rows` is a claim of the caller.
    """

    name: str
    model: str
    rows: exp.Expression
    unless: frozenset[str] = frozenset()
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One expectation of the file's `tests:`; exactly one of the five kinds is given."""

    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    grain: str | None = None
    where: str = ""
    filters: tuple[str, ...] = ()
    range: str = ""
    """A range in words, as `ranges.parse_range` reads it."""
    equals: str | None = None
    between: tuple[str, str] | None = None
    sums_to: str | None = None
    not_null: bool = False
    matches_sql: str | None = None
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Catalog:
    """Everything that a metrics file declares. Equal only to itself, so that what is made of it can be kept by it."""

    name: str
    time_zone: str
    models: Mapping[str, Model]
    metrics: Mapping[str, Metric]
    file: str = ""
    calendar: Calendar = field(default_factory=Calendar)
    filters: Mapping[str, NamedFilter] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    parts: Mapping[str, Metric] = field(default_factory=dict)
    """Metrics that the file does not name: what a change, a share or a variation of a formula is made of."""
    outcomes: Mapping[str, OutcomeRule] = field(default_factory=dict)
    """What each kind of outcome means."""
    access: frozenset[str] = frozenset()
    """The roles that see a metric or a dimension that names none itself; empty for everybody."""

    def metric(self, name: str) -> Metric:
        """A metric of the file or a part of one; `KeyError` where there is none."""
        return self.metrics[name] if name in self.metrics else self.parts[name]

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
            here = self.metric(name)
            if isinstance(here.definition, Measure):
                found[name] = here.definition
            waiting += [following for following in here.inputs if following not in met]
            met.update(here.inputs)
        return found
