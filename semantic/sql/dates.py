"""Calendar arithmetic as SQL: the same rules as `calendar`, for a database. Dates in, dates out.

Usual periods are a DATE_TRUNC; periods of a catalog's own are counted from their origin.
"""

from collections.abc import Callable
from datetime import date

from sqlglot import exp

from semantic.calendar import month_number
from semantic.periods import Duration, Periods, Unit
from semantic.sql import tree

_EPOCH = date(1900, 1, 1)
_TRUNCATED = {
    (1, Unit.MONTH): "MONTH",
    (1, Unit.QUARTER): "QUARTER",
    (1, Unit.YEAR): "YEAR",
}


def start_of(day: exp.Expression, periods: Periods) -> exp.Expression:
    """The first day of the period that a date, or a local time, is in."""
    length, origin = periods.length, periods.origin
    if length.days == 1:
        return tree.cast(day, "DATE")
    if length.days == 7 and (origin - _EPOCH).days % 7 == 0:
        return _truncated(day, "WEEK")
    unit = _TRUNCATED.get((length.count, length.unit))
    if unit and length.months and month_number(origin) % length.months == 0:
        return _truncated(day, unit)
    if length.days:
        return _start_in_days(tree.cast(day, "DATE"), length.days, origin)
    assert length.months, f"a {periods.name} is not made of days"
    return _start_in_months(day, length.months, origin)


def following(start: exp.Expression, periods: Periods) -> exp.Expression:
    """The first day after the period that starts on `start`."""
    return moved(start, periods.length)


def moved(day: exp.Expression, by: Duration, times: int = 1) -> exp.Expression:
    """A date moved along the calendar; a month that is too short for the day gives its last day."""
    count, unit = (times * by.months, "MONTH") if by.months else (times * (by.days or 0), "DAY")
    return tree.cast(
        exp.DateAdd(this=day, expression=tree.number(count), unit=exp.Var(this=unit)),
        "DATE",
    )


def has_counterpart(day: exp.Expression, by: Duration) -> exp.Expression:
    """Whether the earlier month has the day: 30 March has none in February."""
    earlier = moved(day.copy(), by, -1)
    return exp.EQ(this=part(earlier, "DAY"), expression=part(day.copy(), "DAY"))


def local_time(instant: exp.Expression, zone: str) -> exp.Expression:
    """An instant in UTC as the clocks of a zone show it."""
    if zone == "UTC":
        return instant
    in_utc = exp.AtTimeZone(this=instant, zone=tree.text("UTC"))
    return exp.AtTimeZone(this=in_utc, zone=tree.text(zone))


def instant_after(instant: exp.Expression, by: Duration) -> exp.Expression:
    """An instant or date moved by a duration; days are of 24 hours."""
    count, unit = (by.months, "MONTH") if by.months else (by.days, "DAY") if by.days else (by.minutes, "MINUTE")
    interval = exp.Interval(this=tree.text(str(count)), unit=exp.Var(this=unit))
    return exp.Add(this=instant, expression=interval)


def clock_start(
    instant: exp.Expression, local: Callable[[], exp.Expression], periods: Periods, zone: str
) -> exp.Expression:
    """The instant at which the local minute or hour of an instant began: an hour that comes twice is two."""
    unit = exp.Var(this=periods.length.unit.upper())
    if zone == "UTC" or periods.length.unit is Unit.MINUTE:  # every zone is a whole number of minutes away from UTC
        return exp.TimestampTrunc(this=instant, unit=unit)
    away = exp.Paren(this=exp.Sub(this=local(), expression=instant))
    return exp.Sub(this=exp.TimestampTrunc(this=local(), unit=unit), expression=away)


def seconds_between(earlier: exp.Expression, later: exp.Expression) -> exp.Expression:
    microseconds = exp.DateDiff(this=later, expression=earlier, unit=exp.Var(this="MICROSECOND"))
    return exp.Div(this=tree.cast(microseconds, "DOUBLE"), expression=tree.number(1_000_000))


def part(moment: exp.Expression, unit: str) -> exp.Expression:
    return exp.Extract(this=exp.Var(this=unit), expression=moment)


def days_between(earlier: exp.Expression, later: exp.Expression) -> exp.Expression:
    return exp.DateDiff(this=later, expression=earlier, unit=exp.Var(this="DAY"))


def _truncated(moment: exp.Expression, unit: str) -> exp.Expression:
    return tree.cast(exp.TimestampTrunc(this=moment, unit=exp.Var(this=unit)), "DATE")


def _start_in_days(day: exp.Expression, size: int, origin: date) -> exp.Expression:
    """Blocks of days from `origin` in both directions; before it a remainder is negative, so it is taken twice."""

    def remainder(of: exp.Expression) -> exp.Expression:
        return exp.Mod(this=exp.Paren(this=of), expression=tree.number(size))

    apart = remainder(days_between(tree.day(origin), day))
    over = remainder(exp.Add(this=apart, expression=tree.number(size)))
    return tree.days_after(day.copy(), exp.Neg(this=exp.Paren(this=over)))


def _start_in_months(day: exp.Expression, size: int, origin: date) -> exp.Expression:
    counted = exp.Add(
        this=exp.Mul(this=part(day, "YEAR"), expression=tree.number(12)),
        expression=exp.Sub(this=part(day.copy(), "MONTH"), expression=tree.number(1 + month_number(origin) % size)),
    )
    over = exp.Mod(this=exp.Paren(this=counted), expression=tree.number(size))
    first = _truncated(day.copy(), "MONTH")
    back = exp.Neg(this=exp.Paren(this=over))
    return tree.cast(exp.DateAdd(this=first, expression=back, unit=exp.Var(this="MONTH")), "DATE")
