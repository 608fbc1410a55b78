"""Days and periods in a named zone. A local day has 23, 24 or 25 hours; ranges are half-open instants in UTC."""

from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from semantic.periods import Duration, Periods


@cache
def zone_names() -> frozenset[str]:
    """The zones that can be named. Python finds them by walking directories, so they are looked for once."""
    return frozenset(available_timezones() - {"localtime"})  # what this machine calls local means nothing elsewhere


def midnight(day: date, zone: str) -> datetime:
    """The instant at which a local day starts.

    Example:
        >>> midnight(date(2026, 3, 8), "America/New_York").isoformat()
        '2026-03-08T05:00:00+00:00'
    """
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def local_day(instant: datetime, zone: str) -> date:
    """The local day that an instant falls on."""
    return instant.astimezone(ZoneInfo(zone)).date()


def first_whole_day(instant: datetime, zone: str) -> date:
    """The first local day that starts at or after an instant: where a range over dates begins or ends."""
    day = local_day(instant, zone)
    return day if midnight(day, zone) >= instant else day + timedelta(days=1)


def start_of(day: date, periods: Periods) -> date:
    """The first day of the period that a day is in.

    Example:
        >>> from semantic.periods import Calendar
        >>> start_of(date(2026, 3, 8), Calendar().periods("week")).isoformat()
        '2026-03-02'
    """
    length = periods.length
    if length.days:
        return day - timedelta(days=(day - periods.origin).days % length.days)
    assert length.months, f"a {periods.name} is not made of days"
    months = month_number(day) - month_number(periods.origin)
    return _first_of_month(month_number(day) - months % length.months)


def following(start: date, periods: Periods) -> date:
    """The first day after the period that starts on `start`."""
    return moved(start, periods.length)


def moved(day: date, by: Duration, times: int = 1) -> date:
    """A day moved along the calendar; a month that is too short for the day gives its last day.

    Example:
        >>> from semantic.periods import Unit
        >>> moved(date(2026, 3, 31), Duration(1, Unit.MONTH), -1).isoformat()
        '2026-02-28'
    """
    if by.days:
        return day + timedelta(days=times * by.days)
    assert by.months, f"{by} is not made of days"
    first = _first_of_month(month_number(day) + times * by.months)
    return first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))


def moved_instant(instant: datetime, by: Duration, times: int, zone: str) -> datetime:
    """An instant moved along the local calendar, at the same time of the day; by the clock for minutes and hours."""
    if by.minutes:
        return instant + timedelta(minutes=times * by.minutes)
    local = instant.astimezone(ZoneInfo(zone))
    return datetime.combine(moved(local.date(), by, times), local.time(), ZoneInfo(zone)).astimezone(UTC)


def month_number(day: date) -> int:
    """Months since the year 0."""
    return day.year * 12 + day.month - 1


def _first_of_month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
