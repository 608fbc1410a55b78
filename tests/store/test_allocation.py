"""The three policies of allocation: whatever is drawn, sessions and what is on none of them add up to the pool."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import AllocationPolicy, Store, StoreError
from tests.store.conftest import at, bill, load_into, run, table, usd

MIDNIGHT = at("2026-02-18T00:00Z")
POLICIES = ("capacity", "busy", "even")
SPANS = st.tuples(st.integers(0, 4 * 86_400), st.integers(0, 2 * 86_400))
AMOUNTS = st.decimals("-1000", "100000", places=12)
World = tuple[list[tuple[int, int]], list[Decimal]]
"""When sessions begin, in seconds, and how long they take; and what the bills of three days ask for."""


@settings(max_examples=5, deadline=None)
@given(
    worlds=st.lists(
        st.tuples(st.lists(SPANS, max_size=8), st.lists(AMOUNTS, min_size=1, max_size=3)), min_size=1, max_size=12
    ),
    slots=st.integers(1, 3),
)
def test_sessions_and_what_is_on_none_of_them_add_up_to_the_pool(worlds: list[World], slots: int) -> None:
    sessions, bills, amounts = [], [], []
    for world, (spans, charged) in enumerate(worlds):  # each has days of its own
        midnight, amounts = MIDNIGHT + timedelta(days=10 * world), [*amounts, *charged]
        for n, (offset, length) in enumerate(spans):
            start = midnight + timedelta(seconds=offset)
            times = {"started_at": start, "ended_at": start + timedelta(seconds=length)}
            sessions.append(run(f"{world}s{n}", termination="success", **times))
        days_charged = str(midnight.date()), str(midnight.date() + timedelta(days=3))
        bills += [bill(f"{world}c{n}", str(amount), *days_charged) for n, amount in enumerate(charged)]
    with Store.open(None) as store:
        load_into(store, *sessions, *bills)
        store.set_allocation(slots)
        days = table(store, "FROM compute_days")
        shares = table(store, "FROM session_days")
        facts = table(store, "FROM session_facts")
    for policy in POLICIES:
        name = f"allocated_{policy}_usd"
        left = "idle_usd" if policy == "capacity" else f"unallocated_{policy}_usd"
        for day in days:
            on_sessions = sum((s[name] for s in shares if s["day"] == day["day"]), Decimal(0))
            assert on_sessions == day[name]
            assert on_sessions + day[left] == day["pool_usd"]
        assert sum(f[name] for f in facts) == sum(day[name] for day in days)
        assert sum(day["pool_usd"] for day in days) == sum(amounts)
    there = {s["day"] for s in shares}
    worked = {s["day"] for s in shares if s["busy_seconds"] > 0}
    assert all(day["unallocated_even_usd"] == 0 for day in days if day["day"] in there)
    assert all(day["unallocated_busy_usd"] == 0 for day in days if day["day"] in worked)


def a_day_of_three(store: Store, amount: str) -> None:
    times = {"started_at": MIDNIGHT, "termination": "success"}
    ends = {"s1": 1, "s2": 1, "s3": 2}
    load_into(
        store,
        *(run(s, **times, ended_at=MIDNIGHT + timedelta(hours=hours)) for s, hours in ends.items()),
        bill("c1", amount, "2026-02-18", "2026-02-19"),
    )


def shares(store: Store, column: str) -> list[Decimal]:
    return [row[column] for row in table(store, f"SELECT {column} FROM session_facts ORDER BY session_id")]


@pytest.mark.parametrize(
    ("amount", "even", "busy"),
    [
        ("10", ["3.333334", "3.333333", "3.333333"], ["2.5", "2.5", "5"]),
        ("-10", ["-3.333334", "-3.333333", "-3.333333"], ["-2.5", "-2.5", "-5"]),
        ("0.000001", ["0.000001", "0", "0"], ["0", "0", "0.000001"]),
        ("0.0000015", ["0.000001", "0.0000005", "0"], ["0.0000005", "0", "0.000001"]),
        ("0", ["0", "0", "0"], ["0", "0", "0"]),
    ],
)
def test_what_is_left_over_goes_to_the_largest_remainder_and_then_by_name(
    store: Store, amount: str, even: list[str], busy: list[str]
) -> None:
    a_day_of_three(store, amount)
    assert shares(store, "allocated_even_usd") == [usd(share) for share in even]
    assert shares(store, "allocated_busy_usd") == [usd(share) for share in busy]


@pytest.mark.parametrize(("policy", "cost"), [("capacity", "1.0"), ("busy_time", "6"), ("even", "8")])
def test_the_policy_in_force_is_in_the_cost_of_a_session(store: Store, policy: AllocationPolicy, cost: str) -> None:
    a_day_of_three(store, "24")
    store.set_allocation(1, policy)
    assert shares(store, "cost_usd")[0] == shares(store, "allocated_usd")[0] == usd(cost)
    (day,) = table(store, "FROM compute_days")
    assert day["allocated_usd"] + day["unallocated_usd"] == usd("24")
    assert day["idle_usd"] == usd("20")


def test_a_policy_that_nobody_knows_is_refused_with_those_that_there_are(store: Store) -> None:
    with pytest.raises(StoreError, match="'by_mood' is no policy of allocation; there are capacity, busy_time, even"):
        store.set_allocation(1, "by_mood")  # type: ignore[arg-type]  # what a caller may get wrong


def test_another_policy_is_a_new_version_of_the_data(store: Store) -> None:
    store.set_allocation(1, "even")
    version = store.data_version()
    store.set_allocation(1, "even")
    assert store.data_version() == version
    store.set_allocation(1, "capacity")
    assert store.data_version() == version + 1
