"""Ranges in words become instants: whole local days, also across the changes of a zone's clocks."""

from datetime import UTC, date, datetime

import pytest

from semantic.errors import QueryError
from semantic.periods import Calendar, Duration, Periods, Unit
from semantic.query import TimeRange
from semantic.ranges import EXAMPLES, parse_range

AS_OF = date(2026, 3, 11)
"""A Wednesday; New York changed its clocks on the Sunday before, 8 March."""
CALENDAR = Calendar(
    grains={
        "sprint": Periods("sprint", Duration(2, Unit.WEEK), date(2026, 1, 5)),
        "fiscal_quarter": Periods("fiscal_quarter", Duration(3, Unit.MONTH), date(2026, 2, 1)),
    }
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def days(text: str, as_of: date = AS_OF, calendar: Calendar = CALENDAR) -> tuple[str, str]:
    """The first day and the first day after, in UTC."""
    found = parse_range(text, as_of, "UTC", calendar)
    assert found.start is not None
    assert found.end is not None
    assert found.start.time() == found.end.time() == datetime.min.time()
    return found.start.date().isoformat(), found.end.date().isoformat()


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "2026-03-11", "2026-03-12"),
        ("yesterday", "2026-03-10", "2026-03-11"),
        ("last 30 days", "2026-02-09", "2026-03-11"),
        ("last 1 day", "2026-03-10", "2026-03-11"),
        ("last day", "2026-03-10", "2026-03-11"),
        ("this day", "2026-03-11", "2026-03-12"),
        ("last 2 weeks", "2026-02-23", "2026-03-09"),
        ("last week", "2026-03-02", "2026-03-09"),
        ("this week", "2026-03-09", "2026-03-16"),
        ("week to date", "2026-03-09", "2026-03-12"),
        ("last 3 months", "2025-12-01", "2026-03-01"),
        ("last month", "2026-02-01", "2026-03-01"),
        ("this month", "2026-03-01", "2026-04-01"),
        ("month to date", "2026-03-01", "2026-03-12"),
        ("last 4 quarters", "2025-01-01", "2026-01-01"),
        ("last quarter", "2025-10-01", "2026-01-01"),
        ("this quarter", "2026-01-01", "2026-04-01"),
        ("quarter to date", "2026-01-01", "2026-03-12"),
        ("last 2 years", "2024-01-01", "2026-01-01"),
        ("last year", "2025-01-01", "2026-01-01"),
        ("this year", "2026-01-01", "2027-01-01"),
        ("year to date", "2026-01-01", "2026-03-12"),
        ("2026", "2026-01-01", "2027-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01"),
        ("2025-q4", "2025-10-01", "2026-01-01"),
        ("2026-02", "2026-02-01", "2026-03-01"),
        ("2026-03-08", "2026-03-08", "2026-03-09"),
        ("2026-03-01 to 2026-03-31", "2026-03-01", "2026-04-01"),
        ("2026-01 to 2026-03", "2026-01-01", "2026-04-01"),
        ("2025-Q4 to 2026-01-15", "2025-10-01", "2026-01-16"),
        ("this sprint", "2026-03-02", "2026-03-16"),
        ("last sprint", "2026-02-16", "2026-03-02"),
        ("last 3 sprints", "2026-01-19", "2026-03-02"),
        ("sprint to date", "2026-03-02", "2026-03-12"),
        ("this fiscal_quarter", "2026-02-01", "2026-05-01"),
        ("last fiscal_quarter", "2025-11-01", "2026-02-01"),
        ("  Last   30 DAYS ", "2026-02-09", "2026-03-11"),
    ],
)
def test_words_name_whole_days(text: str, start: str, end: str) -> None:
    assert days(text) == (start, end)


def test_weeks_start_where_the_calendar_says() -> None:
    assert days("this week", calendar=Calendar(week_start=6)) == ("2026-03-08", "2026-03-15")
    assert days("last 2 weeks", calendar=Calendar(week_start=2)) == ("2026-02-25", "2026-03-11")


def test_the_first_day_of_a_period_is_in_it() -> None:
    assert days("last month", as_of=date(2026, 3, 1)) == ("2026-02-01", "2026-03-01")
    assert days("month to date", as_of=date(2026, 3, 1)) == ("2026-03-01", "2026-03-02")
    assert days("this week", as_of=date(2026, 3, 15)) == ("2026-03-09", "2026-03-16")


def test_leap_days_count() -> None:
    assert days("2024-02") == ("2024-02-01", "2024-03-01")
    assert days("last 1 day", as_of=date(2024, 3, 1)) == ("2024-02-29", "2024-03-01")


@pytest.mark.parametrize(
    ("text", "zone", "start", "end"),
    [
        ("2026-03-08", "America/New_York", "2026-03-08T05:00", "2026-03-09T04:00"),  # 23 hours
        ("2026-11-01", "America/New_York", "2026-11-01T04:00", "2026-11-02T05:00"),  # 25 hours
        ("2026-03-08", "UTC", "2026-03-08T00:00", "2026-03-09T00:00"),
        ("last 7 days", "America/New_York", "2026-03-04T05:00", "2026-03-11T04:00"),
        ("this month", "Europe/Berlin", "2026-02-28T23:00", "2026-03-31T22:00"),
        ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("today", "Asia/Kolkata", "2026-03-10T18:30", "2026-03-11T18:30"),
        ("2026", "Asia/Tokyo", "2025-12-31T15:00", "2026-12-31T15:00"),
        ("2026-09-06", "America/Santiago", "2026-09-06T04:00", "2026-09-07T03:00"),  # has no midnight: begins at 1:00
    ],
)
def test_days_are_those_of_the_zone(text: str, zone: str, start: str, end: str) -> None:
    assert parse_range(text, AS_OF, zone, CALENDAR) == TimeRange(at(start), at(end))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a range of time; write one such as today, yesterday, last 30 days"),
        ("lately", "'lately' is not a range of time; write one such as"),
        ("30 days", "'30 days' is not a range of time"),
        ("2026-3", "'2026-3' is not a range of time"),
        ("2026-Q5", "'2026-Q5' is not a range of time"),
        ("2026-03-01 to", "'2026-03-01 to' is not a range of time"),
        ("2026-03-01 to today", "'2026-03-01 to today' is not a range of time"),
        ("last 3 moons", "'moons' is not a length of time; did you mean 'month'?"),
        ("this sprnt", "'sprnt' is not a length of time; did you mean 'sprint'?"),
        ("last 0 days", "'last 0 days' holds nothing; count from 1"),
        ("last 24 hours", "a range in words is made of whole days, so it counts no hours"),
        ("this minute", "a range in words is made of whole days, so it counts no minutes"),
        ("2026-02-30", "'2026-02-30' is no range of days: day"),
        ("2026-13", "'2026-13' is no range of days: month must be in 1..12"),
        ("0000", "'0000' is no range of days: year 0 is out of range"),
        ("last 99999 years", "'last 99999 years' is no range of days"),
        ("last 200 years", "'last 200 years' is outside of the years 1900 to 2199"),
        ("2200", "'2200' is outside of the years 1900 to 2199"),
        ("2026-03-02 to 2026-03-01", "'2026-03-02 to 2026-03-01' ends before it starts"),
    ],
)
def test_what_names_no_days_is_refused_with_examples(text: str, message: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_range(text, AS_OF, "UTC", CALENDAR)
    assert caught.value.code == "BAD_RANGE"
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_of_the_refusal_is_a_range(text: str) -> None:
    start, end = days(text)
    assert start < end
