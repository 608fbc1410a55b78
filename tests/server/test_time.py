"""Time in a question: ranges in words, periods of every length, and the parts of a row's time as dimensions."""

from collections.abc import Iterator

import pytest

from semantic import load_catalog
from tests.server.conftest import RECORDS, Api, load_into
from tests.stores import new_store

CALENDAR = """
defaults: {week_start: sunday}
calendar:
  grains:
    sprint: {every: 2 weeks, from: 2026-01-05}
    fiscal_quarter: {every: 3 months, from: 2026-02-01}
models:
  calls:
    source: request_facts
    key: request_key
    time: started_at
    joins: {session: sessions}
    dimensions: {model: string}
  sessions:
    source: session_facts
    key: session_id
    time: started_at
    dimensions: {agent: string}
  charges:
    source: charge_days
    key: [charge_id, day]
    time: {column: day, grain: day}
  prices:
    source: prices
    key: model
metrics:
  calls: {count: calls}
  charged: {sum: charges.amount_usd, unit: USD}
  prices: {count: prices}
"""


@pytest.fixture(scope="module")
def calls() -> Iterator[Api]:
    """Calls on 1 March (two within a minute), 2 March in the morning, and 2 March at 23:30."""
    with new_store() as store:
        load_into(store, RECORDS)
        yield Api(load_catalog(CALENDAR), store)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("2026-03-01", 2),
        ("2026-03-01 to 2026-03-02", 4),
        ("last 8 days", 2),
        ("last 9 days", 4),
        ("this month", 4),
        ("month to date", 4),
        ("last month", 0),
        ("this sprint", 2),
        ("2026-Q1", 4),
        ("today", 0),
    ],
)
def test_a_range_may_be_said_in_words(calls: Api, words: str, expected: int) -> None:
    assert calls.rows("calls", f'time: {{range: "{words}"}}') == [{"calls": expected}]


def test_words_count_from_the_day_of_the_question_in_its_zone(calls: Api) -> None:
    assert calls.rows("calls", 'time: {range: "yesterday"}, asOf: "2026-03-03"') == [{"calls": 2}]
    assert calls.rows("calls", 'time: {range: "today"}, asOf: "2026-03-03", zone: "Asia/Tokyo"') == [{"calls": 1}]


@pytest.mark.parametrize(
    ("time", "message"),
    [
        ('{range: "lately"}', "'lately' is not a range of time; write one such as today, yesterday"),
        ('{range: "this moon"}', "'moon' is not a length of time"),
        ('{range: "today", start: "2026-03-01T00:00:00Z"}', "a range in words stands alone"),
    ],
)
def test_words_that_name_no_days_are_refused(calls: Api, time: str, message: str) -> None:
    query = f"{{ metrics(time: {time}) {{ totals {{ calls }} }} }}"
    assert calls.codes(query) == ["BAD_RANGE"]
    assert calls.message(query).startswith(message)


def test_periods_of_the_catalog_are_grains_of_the_schema(calls: Api) -> None:
    assert calls.rows("time(grain: SPRINT) calls", 'time: {range: "2026-03-01 to 2026-03-02"}') == [
        {"time": "2026-02-16", "calls": 2},
        {"time": "2026-03-02", "calls": 2},
    ]
    assert calls.rows("time(grain: FISCAL_QUARTER) calls") == [{"time": "2026-02-01", "calls": 4}]
    assert calls.rows("time(grain: QUARTER) calls") == [{"time": "2026-01-01", "calls": 4}]
    assert calls.rows("time(grain: YEAR) calls") == [{"time": "2026-01-01", "calls": 4}]


def test_weeks_begin_where_the_file_says(calls: Api) -> None:
    assert calls.rows("time(grain: WEEK) calls") == [{"time": "2026-03-01", "calls": 4}]
    grain = calls.data('{ __type(name: "Grain") { description enumValues { name description } } }')["__type"]
    assert grain["description"] == "The length of a period; a week begins on Sunday."
    assert [value["name"] for value in grain["enumValues"]] == [
        "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "SPRINT", "FISCAL_QUARTER",
    ]  # fmt: skip
    assert grain["enumValues"][-2]["description"] == "Every 2 weeks, counted from 2026-01-05"


def test_minutes_and_hours_begin_at_an_instant(calls: Api) -> None:
    hours = 'time: {start: "2026-03-01T09:00:00Z", end: "2026-03-01T12:00:00Z"}'
    assert calls.rows("time(grain: HOUR) calls", hours) == [
        {"time": "2026-03-01T09:00:00Z", "calls": 0},
        {"time": "2026-03-01T10:00:00Z", "calls": 2},
        {"time": "2026-03-01T11:00:00Z", "calls": 0},
    ]
    minutes = 'time: {start: "2026-03-01T10:01:00Z", end: "2026-03-01T10:03:00Z"}'
    assert calls.rows("time(grain: MINUTE) model calls", minutes) == [
        {"time": "2026-03-01T10:01:00Z", "model": "big", "calls": 1},
        {"time": "2026-03-01T10:02:00Z", "model": "small", "calls": 1},
    ]
    assert calls.codes("{ metrics { rows { time(grain: HOUR) calls } } }") == ["NEEDS_RANGE"]


def test_parts_of_the_time_cut_and_filter(calls: Api) -> None:
    assert calls.rows("timeWeekday calls") == [{"timeWeekday": 1, "calls": 2}, {"timeWeekday": 7, "calls": 2}]
    assert calls.rows("timeHour timeDay calls", "orderBy: [{by: TIME_HOUR, direction: DESC}, {by: TIME_DAY}]") == [
        {"timeHour": 23, "timeDay": 2, "calls": 1},
        {"timeHour": 10, "timeDay": 1, "calls": 2},
        {"timeHour": 10, "timeDay": 2, "calls": 1},
    ]
    assert calls.rows("calls", "where: {timeWeekday: {in: [1, 2]}, timeHour: {lt: 12}}") == [{"calls": 1}]
    assert calls.rows("timeDayOfYear timeWeek timeMonth timeQuarter timeYear calls") == [
        {"timeDayOfYear": 60, "timeWeek": 9, "timeMonth": 3, "timeQuarter": 1, "timeYear": 2026, "calls": 2},
        {"timeDayOfYear": 61, "timeWeek": 10, "timeMonth": 3, "timeQuarter": 1, "timeYear": 2026, "calls": 2},
    ]


def test_parts_of_the_time_are_those_of_the_zone(calls: Api) -> None:
    assert calls.rows("timeHour calls", 'zone: "Asia/Kolkata", where: {model: {eq: "ghost"}}') == [
        {"timeHour": 5, "calls": 1}
    ]


def test_days_have_no_hour_and_what_has_no_time_has_no_parts(calls: Api) -> None:
    assert calls.codes("{ metrics { rows { timeHour charged } } }") == ["UNREACHABLE_DIMENSION"]
    dimensions = {
        metric["name"]: {d["name"] for d in metric["dimensions"] if d["name"].startswith("time.")}
        for metric in calls.data("{ catalog { metrics { name dimensions { name } } } }")["catalog"]["metrics"]
    }
    assert len(dimensions["calls"]) == 8
    assert dimensions["charged"] == dimensions["calls"] - {"time.hour"}
    assert dimensions["prices"] == set()


def test_the_catalog_tells_its_periods(calls: Api) -> None:
    grains = calls.data("{ catalog { grains { name graphqlName description } } }")["catalog"]["grains"]
    assert grains[0] == {"name": "minute", "graphqlName": "MINUTE", "description": ""}
    assert grains[-1] == {
        "name": "fiscal_quarter",
        "graphqlName": "FISCAL_QUARTER",
        "description": "Every 3 months, counted from 2026-02-01",
    }
