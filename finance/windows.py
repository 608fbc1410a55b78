"""The days, weeks and months of a zone as half-open stretches of UTC that follow each other without a gap.

A day begins when its midnight strikes for the first time; where the clock jumps over midnight, it begins at the jump.
So a day has 23 or 25 hours where the clock changes, and a date that a zone left out is a day of no length.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from finance.budgets import Window

Period = Literal["day", "week", "month"]

_A_DAY = timedelta(days=1)
_A_SECOND = timedelta(seconds=1)


def window_of(at: datetime, period: Period, zone: str) -> Window:
    """The window that contains an instant. Weeks are those of ISO 8601, from Monday.

    Raises:
        ValueError: `at` says no zone; `zoneinfo.ZoneInfoNotFoundError`: there is no such zone.

    Example:
        >>> window_of(datetime(2026, 3, 8, 12, tzinfo=UTC), "day", "America/New_York").label
        '2026-03-08'
    """
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} says no zone; give an instant in UTC")
    known = ZoneInfo(zone)
    first = _first_day(at.astimezone(known).date(), period)
    window = _window(first, period, known)
    # A clock that goes back over midnight shows yesterday's date for a while after today has begun.
    if at >= window.ends_at:
        return _window(_next(first, period), period, known)
    return window


def window_before(window: Window, period: Period, zone: str) -> Window:
    """The window that ends where this one begins."""
    return window_of(window.starts_at - _A_SECOND, period, zone)


def _window(first: date, period: Period, zone: tzinfo) -> Window:
    following = _next(first, period)
    return Window(_label(first, period), _beginning(first, zone), _beginning(following, zone))


def _first_day(day: date, period: Period) -> date:
    match period:
        case "day":
            return day
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)


def _next(first: date, period: Period) -> date:
    match period:
        case "day":
            return first + _A_DAY
        case "week":
            return first + 7 * _A_DAY
        case "month":
            return _first_day(first + 31 * _A_DAY, "month")


def _label(first: date, period: Period) -> str:
    match period:
        case "day":
            return first.isoformat()
        case "week":
            year, week, _ = first.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{first:%Y-%m}"


def _beginning(day: date, zone: tzinfo) -> datetime:
    """The first instant of a date, in UTC."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    begins = midnight.astimezone(UTC)
    if begins.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return begins
    return _jump(midnight.replace(fold=1).astimezone(UTC), begins, zone)


def _jump(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """The instant in (before, after] at which a clock jumps forward, to the second."""
    old = before.astimezone(zone).utcoffset()
    while after - before > _A_SECOND:
        middle = before + timedelta(seconds=(after - before) // _A_SECOND // 2)
        if middle.astimezone(zone).utcoffset() == old:
            before = middle
        else:
            after = middle
    return after
