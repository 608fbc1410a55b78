"""The slow way against answers that were counted by hand: kinds, balances, funnels, joins and policies."""

from datetime import date, timedelta

import pytest

from semantic import Comparison, MetricQuery, Op
from tests.semantic.brute import RefusedError
from tests.semantic.test_brute import AT, DAYS, ON, Fact, apr, counted, shown, summed, table, told, utc
from tests.semantic.worlds import (
    Caller,
    Case,
    Dimension,
    Entry,
    Funnel,
    Join,
    Length,
    Policy,
    Snapshot,
    Sql,
    Step,
    Table,
    World,
    compared,
    name,
)

NUMBERS: list[Fact] = [(apr(1), "a", 1), (apr(2), "a", 2), (apr(3), "b", 4), (apr(3), "b", None)]


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (Entry(kind="avg", model="t", value=name("n")), 2.333333),
        (Entry(kind="median", model="t", value=name("n")), 2.0),
        (Entry(kind="percentile", model="t", value=name("n"), p="0.9"), 3.6),
        (Entry(kind="percentile", model="t", value=name("n"), p="0.5", is_discrete=True), 2.0),
        (Entry(kind="percentile", model="t", value=name("n"), p="0.9", is_discrete=True), 4.0),
        (Entry(kind="stddev", model="t", value=name("n")), 1.527525),
        (Entry(kind="first", model="t", value=name("n")), 1.0),
        (Entry(kind="last", model="t", value=name("n")), 4.0),
        (Entry(kind="last", model="t", value=name("team")), "b"),
        (Entry(kind="count_distinct", model="t", value=name("team")), 2.0),
        (Entry(kind="sum", model="t", value=Sql("coalesce", parts=(name("n"), Sql("value", value=10)))), 17.0),
    ],
)
def test_each_kind_of_rows_that_know_their_value(entry: Entry, value: object) -> None:
    assert told(NUMBERS, entry) == [(value,)]


def test_nothing_known_is_null_and_no_rows_are_what_empty_says() -> None:
    unknown = summed(where=compared("team", "=", "b"), empty="zero")
    assert told(NUMBERS[3:], unknown) == [(None,)]
    assert told(NUMBERS[:2], unknown) == [(0.0,)]


# --- balances

BALANCES: list[Fact] = [(apr(1), "ops", 9), (apr(3), "ops", 5), (apr(2), "res", 1), (apr(6), "res", 3)]


@pytest.mark.parametrize(
    ("snapshot", "values"),
    [
        (Snapshot(("team",)), (6.0, 8.0)),
        (Snapshot(("team",), "last", carry=False), (6.0, 3.0)),
        (Snapshot(("team",), "first", carry=False), (10.0, 3.0)),
        (Snapshot(("team",), "max"), (10.0, 8.0)),
        (Snapshot(("team",), "avg", carry=False), (8.0, 3.0)),
    ],
)
def test_a_balance_is_one_value_of_each_entity(snapshot: Snapshot, values: tuple[float, float]) -> None:
    weeks = told(BALANCES, summed(snapshot=snapshot), grain="week")
    assert weeks == [(date(2026, 3, 30), values[0]), (apr(6), values[1])]


# --- funnels


def funnel(output: str, *steps: Step) -> Entry:
    return Entry(kind="funnel", funnel=Funnel("t", "team", steps or (Step("paid", "u"),), Length(2, "day"), output))


def follow(entry: Entry, starts: list[Fact], events: list[Fact]) -> list[tuple[object, ...]]:
    world = World({"t": table(starts, AT), "u": table(events, AT, "u")}, {"m": entry})
    return shown(Case(world, MetricQuery(metrics=("m",), as_of=date(2026, 5, 1))))


@pytest.mark.parametrize(("output", "value"), [("starts", 4.0), ("count", 1.0), ("rate", 0.25), ("time", 172799.0)])
def test_a_start_converts_where_the_step_follows_within_the_time(output: str, value: float) -> None:
    starts: list[Fact] = [(utc(4, 1), "a"), (utc(4, 1), "b"), (utc(4, 1), None), (None, "a")]
    events: list[Fact] = [(utc(4, 3) - timedelta(seconds=1), "a"), (utc(4, 3), "b"), (utc(4, 1), None)]
    assert follow(funnel(output), starts, events) == [(value,)]


def test_a_step_at_the_same_time_follows_unless_it_is_of_the_same_model() -> None:
    starts: list[Fact] = [(utc(4, 1), "a"), (utc(4, 1, 1), "a")]
    assert follow(funnel("count"), starts, [(utc(4, 1), "a")]) == [(1.0,)]
    assert follow(funnel("count", Step("again", "t")), starts, []) == [(1.0,)]


# --- joins, filters, policies


def test_the_version_in_force_is_the_last_that_began_and_has_not_ended() -> None:
    prices = Table(
        "prices",
        ("code", "since"),
        None,
        {},
        {"plan": Dimension("string")},
        {},
        (
            {"code": "x", "since": apr(1), "until": apr(3), "plan": "old"},
            {"code": "x", "since": apr(5), "until": None, "plan": "new"},
        ),
    )
    facts = table([(apr(d), "x") for d in (1, 2, 3, 4, 5, 9)] + [(None, "x")], ON)
    joins = {"price": Join("prices", (("team", "code"),), since="since", until="until")}
    joined = Table("t", ("id",), ON, {}, facts.dimensions, joins, facts.rows)
    world = World({"t": joined, "prices": prices}, {"m": counted()})
    query = MetricQuery(metrics=("m",), as_of=date(2026, 5, 1), by=("plan",))
    assert shown(Case(world, query)) == [("new", 2.0), ("old", 2.0), (None, 3.0)]


def test_a_condition_on_values_drops_rows_after_they_are_ranked_and_a_null_is_no_value() -> None:
    big = Comparison("m", Op.GT, (3,))
    assert told(DAYS[:3], summed(), by=("team",), having=big) == [("a", 5.0)]
    assert told(NUMBERS[3:], summed(), by=("team",), having=Comparison("m", Op.NE, (3,))) == [("b", None)]


def test_a_caller_sees_the_rows_that_the_policies_leave_him() -> None:
    rows = Policy("t", Sql("in claim", parts=(name("team"), Sql("claim", "teams"))), frozenset({"admin"}))
    world = World({"t": table(DAYS[:3], ON)}, {"m": counted()}, policies={"own": rows})
    query = MetricQuery(metrics=("m",), as_of=date(2026, 5, 1))
    assert shown(Case(world, query, Caller(claims={"teams": ("b", "c")}))) == [(1.0,)]
    assert shown(Case(world, query, Caller(frozenset({"admin"})))) == [(3.0,)]
    assert shown(Case(world, query)) == [(3.0,)]
    with pytest.raises(RefusedError, match="NO_CLAIM"):
        shown(Case(world, query, Caller()))
