"""Fees on providers' bills are in spend where nothing else has their money, and unknown where something may."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Charge, CreditUsage, Price, Store
from tests.store.conftest import Load, at, bill, call, load_into, usd

FIRST = date(2026, 3, 2)


def line(
    charge_id: str, amount: str, item: Any, on: str = "2026-03-02", ends: str = "2026-03-03", **more: Any
) -> Charge:
    return bill(charge_id, amount, on, ends, **{"category": "inference", "vendor": "Acme", "line_item": item} | more)


def made(key: str, cost: str | None, status: Any = None, on: str = "2026-03-02", **more: Any) -> Any:
    return call(key, cost, status, **{"provider": "acme", "started_at": at(f"{on}T10:00:00Z")} | more)


def used(usage_id: str, worth: str, on: str = "2026-03-02") -> CreditUsage:
    return CreditUsage(
        usage_id=usage_id,
        source="test",
        vendor="acme",
        used_at=at(f"{on}T09:00:00Z"),
        credits=usd("1"),
        usd=usd(worth),
        usd_rule="stated",
    )


def bought(amount: str, on: str = "2026-03-01", ends: str = "2026-04-01") -> Charge:
    return bill("credits", amount, on, ends, category="credits", vendor="acme", credits=usd("100"))


def fees(store: Store) -> list[tuple[Any, ...]]:
    columns = "day::VARCHAR, is_known, amount_usd, cash_usd, row_count"
    return store.read(f"SELECT {columns} FROM daily_spend WHERE driver = 'fees' ORDER BY ALL").rows


def counted_as(store: Store) -> dict[Any, Any]:
    return dict(store.read("SELECT charge_id, counted_as FROM fee_facts").rows)  # type: ignore[arg-type]


def test_a_fee_is_spend_and_the_rest_of_its_bill_is_not(load: Load, store: Store) -> None:
    load(made("r1", "4"), line("t", "4", "tokens"), line("f", "0.3", "fee"), line("c", "-0.5", "credit"))
    assert fees(store) == [("2026-03-02", True, usd("0.3"), usd("0.3"), 1)]
    assert store.read("SELECT sum(amount_usd), sum(cash_usd) FROM daily_spend").rows == [(usd("4.3"), usd("4.3"))]


def test_a_fee_of_several_days_accrues_by_day_and_is_paid_on_the_first(load: Load, store: Store) -> None:
    load(line("f", "10", "fee", ends="2026-03-05", billed_usd=usd("11")))
    assert fees(store) == [
        ("2026-03-02", True, usd("3.333333333333"), usd("11"), 1),
        ("2026-03-03", True, usd("3.333333333333"), usd("0"), 1),
        ("2026-03-04", True, usd("3.333333333334"), usd("0"), 1),
    ]


def test_calls_whose_cost_somebody_states_may_have_the_fee_so_what_it_adds_is_unknown(load: Load, store: Store) -> None:
    load(line("f", "0.3", "fee"), made("r1", "4", "PRICED"))
    assert counted_as(store) == {"f": "FEES"}
    load(made("r2", "1", "REPORTED"))
    assert counted_as(store) == {"f": "FEES_IN_CALLS"}
    assert fees(store) == [("2026-03-02", False, None, None, 1)]


def test_stated_costs_of_other_days_and_of_other_providers_have_nothing_of_it(load: Load, store: Store) -> None:
    other = made("r2", "1", "BILLED", provider="openrouter")
    load(line("f", "0.3", "fee"), made("r1", "1", "BILLED", on="2026-03-03"), other)
    assert counted_as(store) == {"f": "FEES"}
    load(made("r3", "1", "BILLED", provider=None))
    assert counted_as(store) == {"f": "UNNAMED_CALLS"}


def test_a_price_with_a_fee_for_each_call_may_be_the_fee_of_the_bill(load: Load, store: Store) -> None:
    price = Price(
        price_id="p1",
        source="test",
        provider="acme",
        model="m",
        effective_from=at("2026-01-01T00:00:00Z"),
        known_at=at("2026-01-01T00:00:00Z"),
        input=usd("1"),
        output=usd("1"),
    )
    load(price, line("f", "0.3", "fee"), made("r1", "1", "PRICED", price_id="p1"))
    assert counted_as(store) == {"f": "FEES"}
    load(replace(price, per_call_fee=usd("0.01"), known_at=at("2026-03-01T00:00:00Z")))
    assert counted_as(store) == {"f": "FEES_IN_CALLS"}


def test_what_openrouter_charged_for_a_call_has_the_fee_for_a_key_of_ones_own_in_it(load: Load, store: Store) -> None:
    fee = line("f", "0.05", "fee", vendor="openrouter", source="openrouter")
    load(fee, made("r1", "1.05", "BILLED", provider="openrouter"))
    assert counted_as(store) == {"f": "CALLS"}
    assert fees(store) == []
    load(made("r2", "1", "PRICED", provider="openrouter"))
    assert fees(store) == [("2026-03-02", False, None, None, 1)]


def test_a_bill_that_is_told_twice_may_have_the_fee_twice(load: Load, store: Store) -> None:
    load(line("f", "0.3", "fee"), line("g", "0.3", "fee", source="api"))
    assert counted_as(store) == {"f": "ONE_BILL", "g": "ONE_BILL"}
    assert fees(store) == [("2026-03-02", False, None, None, 2)]


def test_the_use_of_credits_has_the_fees_of_its_days(load: Load, store: Store) -> None:
    load(line("f", "0.3", "fee"), used("u1", "2"))
    assert counted_as(store) == {"f": "CREDITS"}
    assert store.read("SELECT driver, amount_usd FROM daily_spend").rows == [("credits", usd("2"))]
    load(line("f", "0.3", "fee", ends="2026-03-04"))
    assert counted_as(store) == {"f": "FEES_IN_CREDITS"}


def test_credits_that_are_worth_less_than_the_fees_of_their_days_cannot_have_them(load: Load, store: Store) -> None:
    load(line("f", "300", "fee"), line("g", "200", "fee"), used("u1", "499"))
    assert counted_as(store) == {"f": "FEES_IN_CREDITS", "g": "FEES_IN_CREDITS"}
    assert fees(store) == [("2026-03-02", False, None, None, 2)]
    load(used("u1", "500"))
    assert counted_as(store) == {"f": "CREDITS", "g": "CREDITS"}


def test_calls_that_cost_less_than_openrouters_fees_do_not_have_them(load: Load, store: Store) -> None:
    fee = line("f", "500", "fee", vendor="openrouter", source="openrouter")
    load(fee, made("r1", "0.01", "BILLED", provider="openrouter"))
    assert counted_as(store) == {"f": "FEES_IN_CALLS"}
    assert fees(store) == [("2026-03-02", False, None, None, 1)]


def test_a_call_without_a_time_may_have_the_fee_of_any_day(load: Load, store: Store) -> None:
    load(line("f", "5", "fee"), call("r1", "5", "PRICED", provider="acme"))
    assert counted_as(store) == {"f": "FEES"}
    load(call("r2", "5", "BILLED", provider="other"))
    assert counted_as(store) == {"f": "FEES"}
    load(call("r3", "5", "BILLED", provider="acme"))
    assert counted_as(store) == {"f": "UNNAMED_CALLS"}


def test_a_fee_that_somebody_has_stated_himself_is_not_added_to_it(load: Load, store: Store) -> None:
    plan = bill("plan", "20", "2026-03-01", "2026-04-01", category="subscription", vendor="Acme")
    load(
        line("f", "300", "fee"), plan, bill("other", "300", "2026-03-03", "2026-03-04", category="other", vendor="Acme")
    )
    assert counted_as(store) == {"f": "FEES"}
    load(bill("own", "300", "2026-03-01", "2026-04-01", category="software", vendor="ACME"))
    assert counted_as(store) == {"f": "FEES_IN_CHARGES"}
    assert fees(store) == [("2026-03-02", False, None, None, 1)]


def test_a_fee_that_credits_paid_for_is_no_cash_and_those_did_not_expire(load: Load, store: Store) -> None:
    load(bought("22"), line("f", "0.3", "fee"), used("u1", "2", on="2026-01-05"), now=at("2026-04-02T00:00:00Z"))
    assert fees(store) == [("2026-03-02", True, usd("0.3"), usd("0"), 1)]
    assert store.read("SELECT * FROM expired_credits").rows == []


def test_a_fee_that_is_taken_back_is_taken_off_and_one_that_is_restated_replaces_itself(
    load: Load, store: Store
) -> None:
    load(line("f", "0.3", "fee"), line("g", "-0.1", "fee"))
    assert fees(store) == [("2026-03-02", True, usd("0.2"), usd("0.2"), 2)]
    load(line("f", "0.4", "fee"))
    assert fees(store) == [("2026-03-02", True, usd("0.3"), usd("0.3"), 2)]


@dataclass(frozen=True)
class World:
    """Days are numbers. A line is its first day, how many days, its source, whether it is a fee, and its vendor."""

    lines: tuple[tuple[int, int, str, bool, str | None], ...]
    calls: tuple[tuple[int, str, str | None], ...]
    uses: tuple[int, ...]


VENDOR = st.sampled_from(["acme", "acme", "openrouter", None])
WORLDS = st.builds(
    World,
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(1, 2), st.sampled_from(["a", "a", "openrouter"]), st.booleans(), VENDOR
        ),
        min_size=1,
        max_size=4,
    ).map(tuple),
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["PRICED", "BILLED", "REPORTED", "INCLUDED"]), VENDOR), max_size=3
    ).map(tuple),
    st.lists(st.integers(0, 3), max_size=2, unique=True).map(tuple),
)


def told_by_hand(world: World) -> list[str]:
    """The rule in words, one fee at a time: slow and plain."""
    return [_told(world, n) for n, one in enumerate(world.lines) if one[3]]


def _told(world: World, n: int) -> str:
    first, days, source, _, vendor = world.lines[n]
    start, end = first, first + days
    for _ in world.lines:  # a bill that overlaps makes the period longer, which may then overlap another
        for other, length, _, _, whose in world.lines:
            if whose == vendor and other < end and start < other + length:
                start, end = min(start, other), max(end, other + length)
    sources = {one[2] for one in world.lines if one[4] == vendor and start <= one[0] and one[0] + one[1] <= end}
    if len(sources) > 1:
        return "ONE_BILL"
    own = [status for day, status, whose in world.calls if start <= day < end and vendor in (whose, None)]
    own = [s for s in own if s != "INCLUDED"] if vendor else own
    nobodys = [status for day, status, whose in world.calls if start <= day < end and whose is None and vendor]
    called = {day for day, status, whose in world.calls if whose == "acme" and status != "INCLUDED"}
    drawn = [day for day in world.uses if first <= day < first + days and day not in called and vendor == "acme"]
    if drawn:
        return "CREDITS" if len(drawn) == days else "FEES_IN_CREDITS"
    if source == "openrouter" and own:
        own = [status for status in own if status != "INCLUDED"]
        if own:
            return "CALLS" if set(own) == {"BILLED"} else "FEES_IN_CALLS"
    if {"BILLED", "REPORTED"} & set(own):
        return "FEES_IN_CALLS"
    return "UNNAMED_CALLS" if {"BILLED", "REPORTED"} & set(nobodys) else "FEES"


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with Store.open(None) as opened:
        yield opened


@settings(max_examples=8, deadline=None)
@given(worlds=st.lists(WORLDS, min_size=12, max_size=12))
def test_each_fee_is_told_as_the_rule_says_in_words(shared: Store, worlds: list[World]) -> None:
    """One load for a dozen worlds, each in a month of its own after all that were before it."""
    [[last]] = shared.read("SELECT coalesce(max(ends_on), DATE '2026-03-02') FROM charges").rows
    assert isinstance(last, date)
    months = [last + timedelta(days=30 * (n + 1)) for n in range(len(worlds))]
    records = [records_of(world, first) for world, first in zip(worlds, months, strict=True)]
    load_into(shared, *(record for some in records for record in some))
    for world, first, some in zip(worlds, months, records, strict=True):
        expected = told_by_hand(world)
        billed = [one.amount_usd for one in some if isinstance(one, Charge) and one.line_item == "fee"]
        known = [usd for usd, told in zip(billed, expected, strict=True) if told == "FEES"]
        doubted = [told for told in expected if told not in ("FEES", "CALLS", "CREDITS")]
        params = {"first": first, "end": first + timedelta(days=30)}
        sql = "SELECT counted_as FROM fee_facts WHERE starts_on >= $first AND starts_on < $end ORDER BY charge_id"
        assert [told for (told,) in shared.read(sql, params).rows] == expected, world
        [spend] = shared.read(SPENT, params).rows
        assert spend == (sum(known, Decimal(0)), sum(known, Decimal(0)), bool(doubted)), world


SPENT = """
SELECT coalesce(sum(amount_usd), 0), coalesce(sum(cash_usd) FILTER (is_known), 0),
    coalesce(bool_or(NOT is_known AND amount_usd IS NULL), FALSE)
FROM daily_spend WHERE driver = 'fees' AND day >= $first AND day < $end
"""


def records_of(world: World, first: date) -> list[Any]:
    def on(day: int) -> str:
        return (first + timedelta(days=day)).isoformat()

    lines = [
        line(
            f"{first}:{n}",
            f"0.0{n + 1}",
            "fee" if is_fee else "tokens",
            on(day),
            on(day + days),
            source=source,
            vendor=vendor,
        )
        for n, (day, days, source, is_fee, vendor) in enumerate(world.lines)
    ]
    calls = [
        made(
            f"{first}:{n}",
            "0" if status == "INCLUDED" else "1",
            status,
            on(day),
            provider=provider,
            is_included=status == "INCLUDED",
        )
        for n, (day, status, provider) in enumerate(world.calls)
    ]
    return [*lines, *calls, *(used(f"{first}:{n}", "1", on(day)) for n, day in enumerate(world.uses))]
