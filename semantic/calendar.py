"""Days and periods in a named zone. A local day has 23, 24 or 25 hours; ranges are half-open instants in UTC."""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from semantic.model import Grain


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


def period_start(day: date, grain: Grain) -> date:
    """The first day of the period that a day is in; weeks start on Monday."""
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=day.weekday())
        case Grain.MONTH:
            return day.replace(day=1)
