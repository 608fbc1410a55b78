"""What a metric is as a value: a measure, which aggregates rows of one model, or something made over other metrics.

Everything that can be said of rows and time is part of the measure, so that it is one scan whatever is said of it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from sqlglot import exp

from semantic.errors import Mark
from semantic.periods import Duration, Unit


class Aggregation(StrEnum):
    COUNT = "count"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"
    COUNT_DISTINCT = "count_distinct"
    APPROXIMATE_DISTINCT = "approximate_distinct"
    """Written `count_distinct` with `approximate: true`."""
    MEDIAN = "median"
    PERCENTILE = "percentile"
    DISCRETE_PERCENTILE = "discrete_percentile"
    """Written `percentile` with `method: discrete`: a value that occurs, not one between two."""
    STDDEV = "stddev"
    FIRST = "first"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class Time:
    """A column that says when: an instant in UTC, or a date."""

    column: str
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Rolling:
    """A trailing window that ends with the period, or with the last complete day before the question.

    `average` turns the sum into the mean per that unit. `partial` says what a window is that reaches back before the
    history: the sum of what there is (keep), the mean over what there is (scale), or null.
    """

    length: Duration
    average: Unit | None = None
    partial: Literal["keep", "scale", "null"] = "keep"


@dataclass(frozen=True, slots=True)
class ToDate:
    """Everything since the start of the `grain` that the period's last day is in."""

    grain: str


@dataclass(frozen=True, slots=True)
class Cumulative:
    """Everything up to the end of the period."""


Window = Rolling | ToDate | Cumulative


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One value of each entity a period, then summed (semi-additive).

    `take` last or first: the entity's last (first) row in the period; with `carry`, where it has none, its last row
    before. `take` min, max or avg: over the entity's rows in the period.
    """

    per: tuple[str, ...]
    take: Literal["last", "first", "min", "max", "avg"] = "last"
    carry: bool = True


@dataclass(frozen=True, slots=True)
class Step:
    """A later event of a funnel: rows of a model that pass `where`."""

    name: str
    model: str
    by: str
    """The column that names the entity."""
    where: tuple[exp.Expression, ...] = ()


@dataclass(frozen=True, slots=True)
class Funnel:
    """What follows each row of a model: `steps` in order, all `within` a time after the row, for the same entity.

    The row counts as converted where every step is found; each step takes the earliest event that is not before the
    step before it (after it, where both read the same model).
    """

    by: str
    steps: tuple[Step, ...]
    within: Duration


@dataclass(frozen=True, slots=True)
class Cut:
    """Keys of the question that a measure leaves out; `keeps` says that all others but the named ones are."""

    names: frozenset[str]
    """Dimensions, and `time` for the grain."""
    keeps: bool = False

    def leaves_out(self, key: str) -> bool:
        return (key in self.names) != self.keeps


@dataclass(frozen=True, slots=True)
class Measure:
    """An aggregate over one model's rows; `value` is None for a count of rows.

    Evaluated in this order: where, aggregate (the snapshot inside it), empty, window, shift, cut.
    """

    model: str
    aggregation: Aggregation
    value: exp.Expression | None = None
    fraction: str | None = None
    where: tuple[exp.Expression, ...] = ()
    time: Time | None = None
    """The metric's own time column; the model's where None."""
    snapshot: Snapshot | None = None
    funnel: Funnel | None = None
    is_converted: bool | None = None
    """Of a funnel: count converted rows only (True), or take the seconds to the last step as the value (False)."""
    window: Window | None = None
    carry: bool = False
    """Whether a period without rows has the value of the last period with rows (`empty: carry`)."""
    shift: Duration | None = None
    cut: Cut | None = None

    @property
    def is_count(self) -> bool:
        """Over no rows a count is 0, whatever `empty` says."""
        return self.aggregation in (
            Aggregation.COUNT,
            Aggregation.COUNT_DISTINCT,
            Aggregation.APPROXIMATE_DISTINCT,
        )

    @property
    def average(self) -> Unit | None:
        return self.window.average if isinstance(self.window, Rolling) else None

    @property
    def is_null_if_partial(self) -> bool:
        """Whether a window that begins before the history has no value."""
        return isinstance(self.window, Rolling) and self.window.partial == "null"

    @property
    def is_its_rows(self) -> bool:
        """Whether the value is the number of rows behind it, so that evidence needs no other count."""
        window = self.window
        is_changed = isinstance(window, Rolling) and (window.average is not None or window.partial == "null")
        return self.value is None and self.is_converted is not False and not is_changed


@dataclass(frozen=True, slots=True)
class Formula:
    """A scalar expression whose identifiers are metrics."""

    tree: exp.Expression
    inputs: tuple[str, ...]
    marks: tuple[Mark, ...] = ()
    """Where each input is named."""


@dataclass(frozen=True, slots=True)
class Rank:
    """The place of `of` among the rows of a period (1 is first; equal values share a place; null has none)."""

    of: str
    first: Literal["highest", "lowest"] = "highest"
    within: frozenset[str] = frozenset()
    """Keys whose values are ranked apart; the period is always one where there is a grain."""


@dataclass(frozen=True, slots=True)
class Each:
    """`of` for each of `by` and each period of `grain`, beside the asked keys; then one value of those that exist."""

    of: str
    take: Literal["sum", "avg", "min", "max", "median", "stddev"]
    by: tuple[str, ...] = ()
    grain: str | None = None


Definition = Measure | Formula | Rank | Each
