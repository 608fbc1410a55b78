"""Lengths of time and how time is cut: minutes to years, and periods that a catalog declares of its own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from semantic.errors import Mark


class Unit(StrEnum):
    """A length of time. Minutes and hours are of the clock, the others of the calendar."""

    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def is_clock(self) -> bool:
        return self in (Unit.MINUTE, Unit.HOUR)


Grain = Unit
"""The periods that every catalog has are one unit long; a catalog may declare more under names of its own."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Such as `30 days` or `1 month`."""

    count: int
    unit: Unit

    @property
    def days(self) -> int | None:
        """Its whole days; None where it has no fixed number of them."""
        return {Unit.DAY: self.count, Unit.WEEK: 7 * self.count}.get(self.unit)

    @property
    def months(self) -> int | None:
        """Its whole months; None where it is no number of months."""
        return {Unit.MONTH: self.count, Unit.QUARTER: 3 * self.count, Unit.YEAR: 12 * self.count}.get(self.unit)

    @property
    def minutes(self) -> int | None:
        """Its minutes on the clock; None for days and more, which differ in length."""
        return {Unit.MINUTE: self.count, Unit.HOUR: 60 * self.count}.get(self.unit)

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


@dataclass(frozen=True, slots=True)
class Periods:
    """How time is cut: periods of `length`, one of which begins on `origin` (midnight in the zone of the question)."""

    name: str
    length: Duration
    origin: date = date(1900, 1, 1)
    """A Monday, and the first day of a month, a quarter and a year."""
    mark: Mark | None = None


@dataclass(frozen=True, slots=True)
class Calendar:
    """`week_start` counts from Monday = 0. `grains` holds the periods that the file declares beside the usual ones."""

    week_start: int = 0
    grains: Mapping[str, Periods] = field(default_factory=dict)

    def periods(self, name: str) -> Periods | None:
        """The periods of a grain's name; None where there is no such grain."""
        if name in self.grains:
            return self.grains[name]
        if name not in tuple(Grain):
            return None
        origin = date(1900, 1, 1 + self.week_start) if name == Grain.WEEK else date(1900, 1, 1)
        return Periods(name, Duration(1, Unit(name)), origin)

    @property
    def names(self) -> tuple[str, ...]:
        """Every grain, the usual ones first."""
        return (*Grain, *self.grains)
