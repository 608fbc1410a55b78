"""The slow way against answers that were counted by hand: the judge of the compiler is judged here first."""

from collections.abc import Sequence
from datetime import UTC, date, datetime

import pytest

from semantic import MetricQuery, TimeRange
from tests.semantic.brute import RefusedError, answer
from tests.semantic.brute_numbers import Number
from tests.semantic.worlds import (
    Case,
    Cell,
    Change,
    Cut,
    Dimension,
    Each,
    Entry,
    Length,
    Line,
    Rank,
    Share,
    Table,
    Time,
    Window,
    World,
    name,
)

ON = Time("day", is_date=True)
AT = Time("at")
Fact = tuple[Cell, ...]
"""When, of which team, how much."""


def utc(month: int, day: int = 1, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def apr(day: int) -> date:
    return date(2026, 4, day)


def table(facts: Sequence[Fact], time: Time, called: str = "t") -> Table:
    rows: list[Line] = [dict(zip(("id", time.column, "team", "n"), (i, *f), strict=False)) for i, f in enumerate(facts)]
    return Table(called, ("id",), time, {}, {"team": Dimension("string")}, {}, tuple(rows))


def told(facts: Sequence[Fact], entry: Entry, when: Time = ON, **question: object) -> list[tuple[object, ...]]:
    """Each row of the answer to one metric: its keys and its value, as a float where it is a number."""
    world = World({"t": table(facts, when)}, {"m": entry}, grains={"sprint": (Length(2, "week"), date(2026, 1, 5))})
    query = MetricQuery(metrics=("m",), **{"as_of": date(2026, 5, 1), **question})  # type: ignore[arg-type]
    return shown(Case(world, query))


def shown(case: Case) -> list[tuple[object, ...]]:
    found = answer(case).rows
    rows = [(*key, *(_plain(row[n].value) for n in case.query.metrics)) for key, row in found.items()]
    return sorted(rows, key=str)


def _plain(value: object) -> object:
    return round(float(value.value), 6) if isinstance(value, Number) else value


def summed(**modifiers: object) -> Entry:
    return Entry(kind="sum", model="t", value=name("n"), **modifiers)  # type: ignore[arg-type]


def counted(**modifiers: object) -> Entry:
    return Entry(kind="count", model="t", **modifiers)  # type: ignore[arg-type]


DAYS: list[Fact] = [(apr(1), "a", 1), (apr(2), "b", 2), (apr(4), "a", 4), (None, "a", 8)]


# --- time


def test_a_row_without_a_time_has_a_row_of_its_own_where_no_range_is_asked() -> None:
    assert told(DAYS, counted()) == [(4.0,)]
    assert told(DAYS, counted(), grain="week") == [(None, 1.0), (date(2026, 3, 30), 3.0)]
    assert told(DAYS, counted(), time=TimeRange(utc(4))) == [(3.0,)]


@pytest.mark.parametrize(
    ("grain", "start"), [("sprint", date(2026, 3, 30)), ("quarter", date(2026, 4, 1)), ("year", date(2026, 1, 1))]
)
def test_periods_begin_where_their_grain_says(grain: str, start: date) -> None:
    assert told(DAYS[:3], counted(), grain=grain) == [(start, 3.0)]


def test_a_series_has_the_days_between_and_a_cut_by_something_has_not() -> None:
    assert told(DAYS[:3], summed(), grain="day") == [(apr(1), 1.0), (apr(2), 2.0), (apr(3), None), (apr(4), 4.0)]
    assert told(DAYS[:3], summed(), by=("team",), grain="day") == [
        ("a", apr(1), 1.0),
        ("a", apr(4), 4.0),
        ("b", apr(2), 2.0),
    ]


def test_the_hour_that_comes_twice_is_two_periods() -> None:
    night = TimeRange(utc(11, 1, 4), utc(11, 1, 8))  # midnight to three, of which one to two comes twice
    facts: list[Fact] = [(utc(11, 1, 5, 10), "a"), (utc(11, 1, 6, 10), "a"), (utc(11, 1, 6, 50), "a")]
    hours = told(facts, counted(), AT, zone="America/New_York", grain="hour", time=night)
    assert [(at.hour, n) for at, n in hours if isinstance(at, datetime)] == [(4, 0.0), (5, 1.0), (6, 2.0), (7, 0.0)]


def test_an_hour_of_a_zone_that_is_half_an_hour_off_begins_at_half_past() -> None:
    day = TimeRange(utc(4, 1), utc(4, 1, 1))
    hours = told([(utc(4, 1, 0, 40), "a")], counted(), AT, zone="Asia/Kolkata", grain="hour", time=day)
    assert [(str(at), n) for at, n in hours] == [("2026-03-31 23:30:00", 0.0), ("2026-04-01 00:30:00", 1.0)]


def test_days_are_local_and_those_of_the_clock_change_have_23_and_25_hours() -> None:
    for month, day, hours in ((3, 8, 23), (11, 1, 25)):
        offset = 5 if month == 3 else 4
        whole = TimeRange(utc(month, day, offset), utc(month, day + 1, 9 - offset))
        assert len(told([], counted(), AT, zone="America/New_York", grain="hour", time=whole)) == hours


def test_facts_of_days_are_counted_up_to_the_question_unless_the_range_says_otherwise() -> None:
    assert told(DAYS[:3], counted(), as_of=apr(2)) == [(2.0,)]
    assert told(DAYS[:3], counted(), as_of=apr(2), time=TimeRange(None, utc(5))) == [(3.0,)]


def test_parts_of_the_time_are_those_of_the_local_day() -> None:
    facts: list[Fact] = [(utc(4, 5, 23, 30), "a"), (utc(4, 6, 12), "a")]  # a Sunday in UTC
    assert told(facts, counted(), AT, by=("time.weekday",)) == [(1, 1.0), (7, 1.0)]
    assert told(facts, counted(), AT, by=("time.weekday",), zone="Europe/Berlin") == [(1, 2.0)]


# --- windows


def rolling(length: Length, **words: str) -> Window:
    return Window("rolling", length, **words)


LAST: list[Fact] = [(apr(29), "a", 1), (apr(30), "a", 2), (date(2026, 5, 1), "a", 4)]


def test_a_window_ends_with_the_last_complete_day_before_the_question() -> None:
    two_days = summed(window=rolling(Length(2, "day")))
    assert told(LAST, two_days) == [(3.0,)]
    assert told(LAST, two_days, grain="day") == [(apr(29), 1.0), (apr(30), 3.0), (date(2026, 5, 1), 3.0)]


def test_a_mean_is_over_the_days_that_history_has_or_over_all_of_the_window() -> None:
    assert told(LAST, summed(window=rolling(Length(10, "day"), average="day"))) == [(1.5,)]
    assert told(LAST, summed(window=rolling(Length(10, "day"), average="week", partial="keep"))) == [(2.1,)]
    assert told(LAST, summed(window=rolling(Length(10, "day"), partial="null"))) == [(None,)]
    assert told(LAST, summed(window=rolling(Length(3, "month"), average="quarter"))) == [(9.0,)]


def test_to_date_counts_from_the_start_of_the_month_that_the_last_known_day_is_in() -> None:
    month = summed(window=Window("to_date", grain="month"))
    assert told(LAST, month, as_of=apr(30)) == [(3.0,)]
    assert told(LAST, month, grain="week") == [(date(2026, 4, 27), 4.0)]  # the week ends in May
    assert told(LAST, month, grain="week", as_of=apr(30)) == [(date(2026, 4, 27), 3.0)]


def test_cumulative_is_all_that_came_before_the_end_of_the_period() -> None:
    assert told(DAYS, summed(window=Window("cumulative")), grain="day", time=TimeRange(utc(4, 3), utc(4, 5))) == [
        (apr(3), 3.0),
        (apr(4), 7.0),
    ]


def test_carry_gives_a_period_without_rows_the_value_of_the_last_that_has_some() -> None:
    assert told(DAYS[:3], summed(empty="carry"), grain="day")[2:] == [(apr(3), 2.0), (apr(4), 4.0)]


# --- shifts


def test_a_shift_reads_the_period_before_and_a_day_that_a_month_lacks_has_none() -> None:
    facts: list[Fact] = [(date(2026, 3, 30), "a", 1), (date(2026, 2, 28), "a", 2), (date(2026, 3, 31), "a", 4)]
    month_ago = counted(shift=Length(1, "month"))
    assert told(facts, month_ago, grain="day", time=TimeRange(utc(3, 28), utc(4, 1))) == [
        (date(2026, 3, 28), 1.0),
        (date(2026, 3, 29), None),
        (date(2026, 3, 30), None),
        (date(2026, 3, 31), None),
    ]
    assert told(facts, month_ago, grain="month", time=TimeRange(utc(3), utc(4))) == [(date(2026, 3, 1), 1.0)]


def test_a_change_is_against_the_period_before_and_null_without_a_base() -> None:
    percent = summed(change=Change(Length(1, "day"), "percent"), empty="zero")
    assert told(DAYS[:3], percent, grain="day") == [(apr(1), None), (apr(2), 1.0), (apr(3), -1.0), (apr(4), None)]


# --- other keys


def test_a_share_is_a_part_of_the_sum_over_the_dropped_dimension() -> None:
    assert told(DAYS[:3], summed(share=Share(of=("team",))), by=("team",)) == [("a", 0.714286), ("b", 0.285714)]
    within = summed(share=Share(within=()))
    assert told(DAYS[:3], within, by=("team",), grain="month") == [("a", apr(1), 0.714286), ("b", apr(1), 0.285714)]


def test_a_metric_that_keeps_no_key_is_the_same_everywhere() -> None:
    assert told(DAYS[:3], summed(cut=Cut((), keeps=True)), by=("team",)) == [("a", 7.0), ("b", 7.0)]


def test_equal_values_share_a_place() -> None:
    facts: list[Fact] = [(apr(1), "a", 3), (apr(1), "b", 3), (apr(1), "c", 1), (apr(1), "d", None)]
    ranked = summed(rank=Rank("highest"))
    assert told(facts, ranked, by=("team",)) == [("a", 1.0), ("b", 1.0), ("c", 3.0), ("d", None)]
    assert told(facts, summed(rank=Rank("lowest")), by=("team",))[:3] == [("a", 2.0), ("b", 2.0), ("c", 1.0)]


def test_each_takes_one_value_of_the_parts_of_which_empty_periods_are_some() -> None:
    daily = counted(each=Each("avg", grain="day"))
    assert told(DAYS[:3], daily) == [(0.75,)]  # three in four days
    assert told(DAYS[:3], summed(each=Each("max", by=("team",)))) == [(5.0,)]
    assert told(DAYS[:3], counted(each=Each("avg", grain="day")), by=("team",)) == [("a", 0.5), ("b", 0.25)]


def test_each_of_a_grain_that_does_not_fill_the_asked_one_is_refused() -> None:
    with pytest.raises(RefusedError, match="BAD_GRAIN"):
        told(DAYS, counted(each=Each("avg", grain="week")), grain="month")
