"""The asked time in the terms of the calendar, and what a period of an answer reads: its own rows, or others."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from semantic.calendar import first_whole_day, following, local_day, midnight, moved, moved_instant, start_of
from semantic.catalog import Catalog
from semantic.errors import QueryError
from semantic.measure import Cumulative, Rolling, ToDate, Window
from semantic.periods import Calendar, Duration, Periods
from semantic.query import MetricQuery

MAX_PERIODS = 100_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a period reads where it is not just its own rows."""

    window: Window | None = None
    carry: bool = False
    shift: Duration | None = None
    carried: str = ""
    """The one measure that is carried, whose gaps decide what is carried."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Half-open bounds on the rows that a scan reads: instants for instants, days for dates.

    `keeps_undated`: whether rows without a time are among them.
    """

    start: datetime | None = None
    end: datetime | None = None
    first_day: date | None = None
    day_after: date | None = None
    """The first day that is not read; the day after the question where None, for what comes later has not happened."""
    keeps_undated: bool = False


@dataclass(frozen=True, slots=True)
class Range:
    """The asked range. `series_from` is the local day of the start (the first whole one where only dates are asked):
    where a series of periods begins. `ends_on` is the first day after the range, at most the as-of day: where trailing
    windows end.
    """

    start: datetime | None
    end: datetime | None
    series_from: date | None
    first_day: date | None
    last_day_after: date | None
    ends_on: date
    known_on: date
    """The last day whose balances are known at the end of the range."""


@dataclass(frozen=True, slots=True)
class Period:
    """The asked time: a range, cut into periods where there is a grain."""

    zone: str
    calendar: Calendar
    periods: Periods | None
    range: Range
    as_of: date

    @property
    def by_clock(self) -> bool:
        return self.periods is not None and self.periods.length.unit.is_clock

    @property
    def day_after_question(self) -> date:
        """Where facts of days end when the range does not say: what comes later has not happened."""
        return self.as_of + timedelta(days=1)

    def shifted(self, by: Duration) -> "Period":
        """The range moved to earlier; without a start and an end there is nothing to move."""
        if self.range.start is None or self.range.end is None:
            raise QueryError(
                "NEEDS_RANGE", f"{by} earlier than what? Ask by a grain, or give the range a start and an end"
            )
        start, end = (moved_instant(i, by, -1, self.zone) for i in (self.range.start, self.range.end))
        return replace(self, range=_range(start, end, self.zone, self.as_of, only_dates=False))


def period_of(catalog: Catalog, query: MetricQuery, periods: Periods | None, *, only_dates: bool) -> Period:
    """The asked time; `QueryError` where a range is none, or too long for its grain."""
    zone = query.zone or catalog.time_zone
    start, end = query.time.start, query.time.end
    for name, instant in (("start", start), ("end", end)):
        if instant is not None and instant.tzinfo is not UTC:
            raise QueryError("BAD_TIME", f"the {name} of a range is an instant in UTC, this is {instant!r}")
        if instant is not None and not 1900 <= instant.year < 2200:
            raise QueryError("BAD_TIME", f"the {name} of a range lies between 1900 and 2200, not in {instant.year}")
    if not 1900 <= query.as_of.year < 2200:
        raise QueryError("BAD_TIME", f"a question is asked between 1900 and 2200, not on {query.as_of}")
    if start and end and end <= start:
        raise QueryError("BAD_TIME", f"a range ends after it starts, this is {start.isoformat()} to {end.isoformat()}")
    asked = _range(start, end, zone, query.as_of, only_dates=only_dates)
    period = Period(zone, catalog.calendar, periods, asked, query.as_of)
    _check_length(period)
    return period


def _range(start: datetime | None, end: datetime | None, zone: str, as_of: date, *, only_dates: bool) -> Range:
    first_day = first_whole_day(start, zone) if start else None
    is_past = end is not None and end <= midnight(as_of, zone)
    # A window is whole days: a day that the range cuts is in no window, whether the fact has instants or dates.
    ends_on = local_day(end, zone) if end and is_past else as_of
    return Range(
        start=start,
        end=end,
        series_from=local_day(start, zone) if start and not only_dates else first_day,
        first_day=first_day,
        last_day_after=first_whole_day(end, zone) if end else None,
        ends_on=ends_on,
        known_on=ends_on - timedelta(days=1) if is_past else as_of,
    )


def _check_length(period: Period) -> None:
    if not period.by_clock:
        return
    assert period.periods is not None
    name = period.periods.name
    if period.range.start is None or period.range.end is None:
        raise QueryError("NEEDS_RANGE", f"a question by {name} needs a range with a start and an end")
    minutes = period.periods.length.minutes or 1
    count = (period.range.end - period.range.start) // timedelta(minutes=minutes)
    if count > MAX_PERIODS:
        raise QueryError(
            "TOO_LARGE", f"at most {MAX_PERIODS:,} periods fit into one answer, this has {count:,} by {name}"
        )


def stretch(period: Period, reading: Reading) -> Bounds:
    """The rows of a question without a grain: the range, or what a window at its end reads."""
    if reading.shift:
        period = period.shifted(reading.shift)
    ends = Bounds(end=period.range.end, day_after=period.range.last_day_after)
    match reading.window:
        case Rolling(length=length):
            first, day_after = moved(period.range.ends_on, length, -1), period.range.ends_on
            return Bounds(midnight(first, period.zone), midnight(day_after, period.zone), first, day_after)
        case ToDate(grain=grain):
            periods = period.calendar.periods(grain)
            assert periods is not None
            asked = period.range
            at = max(asked.known_on, local_day(asked.start, period.zone) if asked.start else asked.known_on)
            at_day = max(asked.known_on, asked.first_day or asked.known_on)
            start = midnight(start_of(at, periods), period.zone)
            return replace(ends, start=start, first_day=start_of(at_day, periods))
        case Cumulative():
            return ends
    undated = period.range.start is None and period.range.end is None
    return replace(ends, start=period.range.start, first_day=period.range.first_day, keeps_undated=undated)


def before_range(period: Period, readings: tuple[Reading, ...]) -> Bounds:
    """The rows that the periods of a series read: up to the end of the range, and as far back as any of them does."""
    undated = Reading() in readings and period.range.start is None and period.range.end is None
    ends = Bounds(end=period.range.end, day_after=period.range.last_day_after, keeps_undated=undated)
    if period.by_clock:
        return replace(ends, start=_clock_start(period, readings))
    if period.range.series_from is None or period.periods is None:
        return ends
    first = start_of(period.range.series_from, period.periods)
    starts = [_reads_from(period, reading, first) for reading in readings]
    if period.range.end is None:  # the last row ends the series, whether or not a window reads it
        starts.append(first)
    if None in starts:
        return ends
    earliest = min(day for day in starts if day is not None)
    return replace(ends, start=midnight(earliest, period.zone), first_day=earliest)


def _clock_start(period: Period, readings: tuple[Reading, ...]) -> datetime | None:
    """The first instant that is read by the clock; None where that is all of the past, or since a local day."""
    assert period.range.start is not None
    minutes = 60  # the first period may begin before the range
    for reading in readings:
        if reading.carry or (reading.window is not None and not isinstance(reading.window, Rolling)):
            return None
        length = reading.window.length.minutes if isinstance(reading.window, Rolling) else 0
        minutes = max(minutes, 60 + (length or 0) + ((reading.shift.minutes or 0) if reading.shift else 0))
    return period.range.start - timedelta(minutes=minutes)


def _reads_from(period: Period, reading: Reading, first: date) -> date | None:
    """The first day that the first period of a series reads; None where that is all of the past."""
    assert period.periods is not None
    if reading.carry or isinstance(reading.window, Cumulative):
        return None
    if reading.shift:
        first = moved(first, reading.shift, -1)
    match reading.window:
        case Rolling(length=length):
            return moved(min(following(first, period.periods), period.range.ends_on), length, -1)
        case ToDate(grain=grain):
            periods = period.calendar.periods(grain)
            assert periods is not None
            return start_of(first, periods)
    return first
