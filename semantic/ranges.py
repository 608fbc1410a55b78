"""Ranges of time in words, such as `last 30 days` or `2026-Q1`: text in, instants out. They are whole local days.

`last` is what is complete: the days, weeks or months before the one that holds the day of the question. `this` is the
whole period that holds it, `to date` what there is of it, that day included.
"""

import re
from collections.abc import Callable
from datetime import date, timedelta

from semantic.calendar import following, midnight, moved, start_of
from semantic.errors import QueryError, suggestion
from semantic.periods import Calendar, Duration, Periods, Unit
from semantic.query import TimeRange

EXAMPLES = (
    "today", "yesterday", "last 30 days", "last 3 months", "this week", "last quarter", "month to date",
    "2026", "2026-Q1", "2026-03", "2026-03-08", "2026-03-01 to 2026-03-31",
)  # fmt: skip
FIRST_YEAR, YEAR_AFTER = 1900, 2200

Days = tuple[date, date]
"""The first day and the first day after."""


def parse_range(text: str, as_of: date, zone: str, calendar: Calendar) -> TimeRange:
    """The instants of a range in words; `QueryError` BAD_RANGE where it says none. `zone` is one of `zone_names()`.

    Example:
        >>> parse_range("last 2 days", date(2026, 3, 9), "America/New_York", Calendar()).start.isoformat()
        '2026-03-07T05:00:00+00:00'
    """
    words = " ".join(text.lower().split())
    try:
        days = _relative(words, as_of, calendar) or _between(words)
        if days is not None and days[0].year >= FIRST_YEAR and days[1].year < YEAR_AFTER:
            return TimeRange(midnight(days[0], zone), midnight(days[1], zone))
    except (ValueError, OverflowError) as error:  # a day such as 30 February, or one that no calendar holds
        raise QueryError("BAD_RANGE", f"'{text}' is no range of days: {error}") from error
    if days is not None:
        raise QueryError("BAD_RANGE", f"'{text}' is outside of the years {FIRST_YEAR} to {YEAR_AFTER - 1}")
    raise QueryError("BAD_RANGE", f"'{text}' is not a range of time; write one such as {', '.join(EXAMPLES)}")


def _relative(words: str, as_of: date, calendar: Calendar) -> Days | None:
    tomorrow = as_of + timedelta(days=1)
    if words in ("today", "yesterday"):
        return (as_of, tomorrow) if words == "today" else (as_of - timedelta(days=1), as_of)
    if found := re.fullmatch(r"last (?:(\d{1,5}) )?(\w+)", words):
        count, periods = int(found[1] or 1), _periods(found[2], calendar)
        current = start_of(as_of, periods)
        if count == 0:
            raise QueryError("BAD_RANGE", f"'{words}' holds nothing; count from 1")
        return moved(current, periods.length, -count), current
    if found := re.fullmatch(r"this (\w+)", words):
        periods = _periods(found[1], calendar)
        current = start_of(as_of, periods)
        return current, following(current, periods)
    if found := re.fullmatch(r"(\w+) to date", words):
        return start_of(as_of, _periods(found[1], calendar)), tomorrow
    return None


def _periods(word: str, calendar: Calendar) -> Periods:
    """The periods that a word names, in the singular or the plural."""
    periods = calendar.periods(word) or calendar.periods(word.removesuffix("s"))
    if periods is None:
        raise QueryError("BAD_RANGE", f"'{word}' is not a length of time; {suggestion(word, _of_days(calendar))}")
    if periods.length.unit.is_clock:
        raise QueryError("BAD_RANGE", f"a range in words is made of whole days, so it counts no {periods.name}s")
    return periods


def _of_days(calendar: Calendar) -> list[str]:
    return [name for name in calendar.names if (p := calendar.periods(name)) and not p.length.unit.is_clock]


def _between(words: str) -> Days | None:
    """From the first day of the first to the last day of the second; or one of them alone."""
    first, _, last = words.partition(" to ")
    start, end = _named(first), _named(last or first)
    if start is None or end is None:
        return None
    if end[1] <= start[0]:
        raise QueryError("BAD_RANGE", f"'{words}' ends before it starts")
    return start[0], end[1]


_Reader = Callable[[re.Match[str]], date]
_NAMED: tuple[tuple[str, Unit, _Reader], ...] = (
    (r"(\d{4})", Unit.YEAR, lambda m: date(int(m[1]), 1, 1)),
    (r"(\d{4})-q([1-4])", Unit.QUARTER, lambda m: date(int(m[1]), 3 * int(m[2]) - 2, 1)),
    (r"(\d{4})-(\d\d)", Unit.MONTH, lambda m: date(int(m[1]), int(m[2]), 1)),
    (r"(\d{4})-(\d\d)-(\d\d)", Unit.DAY, lambda m: date(int(m[1]), int(m[2]), int(m[3]))),
)


def _named(words: str) -> Days | None:
    """A year, a quarter, a month or a day that is named by its number."""
    for pattern, unit, first_day in _NAMED:
        if found := re.fullmatch(pattern, words):
            day = first_day(found)
            return day, moved(day, Duration(1, unit))
    return None
