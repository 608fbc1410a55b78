"""Fees of plans and credits as facts: shared to the last digit, kept apart where unused, and never counted twice."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import CreditUsage, PricedRequest, Store
from tests.store.conftest import Load, at, bill, call, run, table, usd

MARCH = datetime(2026, 3, 1, tzinfo=UTC)


def included(key: str, list_usd: str | None, session_id: str | None = "s1", **fields: Any) -> PricedRequest:
    when = {"started_at": at("2026-02-03T10:00:00Z")} | fields
    made = call(key, "0", "INCLUDED", session_id=session_id, provider="Acme", **when)
    listed = None if list_usd is None else usd(list_usd)
    return replace(made, request=replace(made.request, is_included=True), list_usd=listed)


def plan(amount: str = "200", charge_id: str = "plan", **fields: Any) -> Any:
    days = {"starts_on": "2026-02-01", "ends_on": "2026-03-01"} | fields
    return bill(
        charge_id, amount, days.pop("starts_on"), days.pop("ends_on"), category="subscription", vendor="ACME", **days
    )


def used(usage_id: str, count: str, worth: str | None = None, **fields: Any) -> CreditUsage:
    rule = None if worth is None else "stated"
    known = {"source": "test", "vendor": "Speech", "used_at": at("2026-02-10T00:00:00Z")} | fields
    return CreditUsage(
        usage_id=usage_id, credits=usd(count), usd=None if worth is None else usd(worth), usd_rule=rule, **known
    )


def shares(store: Store) -> dict[Any, Any]:
    return {
        (row["kind"], row["session_id"]): row["share_usd"]
        for row in table(store, "SELECT kind, session_id, share_usd FROM plan_shares")
    }


def session(store: Store, session_id: str = "s1") -> dict[str, Any]:
    columns = "cost_usd, plan_share_usd, credit_usd, amortised_usd"
    (row,) = table(store, f"SELECT {columns} FROM session_facts WHERE session_id = '{session_id}'")
    return row


def spend(store: Store, on: str | None = None) -> list[tuple[Any, ...]]:
    where = "" if on is None else f" WHERE day = '{on}'"
    return store.read(f"SELECT kind, is_known, amount_usd, cash_usd FROM daily_spend{where} ORDER BY ALL").rows


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with Store.open(None) as opened:
        yield opened


@settings(max_examples=15, deadline=None)
@given(
    pool=st.integers(-(10**27), 10**27),
    parts=st.lists(st.integers(0, 10**26), min_size=1, max_size=6).filter(any),
)
def test_parts_that_follow_each_other_add_up_to_the_pool(shared: Store, pool: int, parts: list[int]) -> None:
    """At the sizes of the largest amounts that can be stored, in 10^-12 USD: nothing overflows, nothing is lost."""
    whole, before, found = sum(parts), 0, []
    for part in parts:
        sql = "SELECT share_of($pool::HUGEINT, $through::HUGEINT, $whole::HUGEINT)"
        asked = {"pool": str(pool), "whole": str(whole)}
        through, until = (
            int(shared.read(sql, asked | {"through": str(n)}).rows[0][0]) for n in (before + part, before)
        )
        found.append(through - until)
        before += part
    assert sum(found) == pool
    for part, share in zip(parts, found, strict=True):
        assert abs(share - pool * part / whole) <= max(2, abs(pool) * 1e-9)


def test_calls_of_no_known_session_keep_their_share_to_themselves(load: Load, store: Store) -> None:
    load(plan(), run("s1"), included("r1", "30"), included("r2", "10", None), included("r3", "60", "gone"), now=MARCH)
    assert shares(store) == {
        ("SESSION", "s1"): usd("60"),
        ("UNATTRIBUTED", None): usd("20"),
        ("UNATTRIBUTED", "gone"): usd("120"),
    }


def test_a_call_without_a_list_price_makes_the_part_of_its_session_unknown(load: Load, store: Store) -> None:
    load(plan(), run("s1"), run("s2"), included("r1", "30"), included("r2", None, "s2"), now=MARCH)
    assert shares(store) == {("SESSION", "s1"): usd("200"), ("SESSION", "s2"): None}
    assert session(store, "s2")["amortised_usd"] is None


def test_calls_that_no_fee_covers_have_no_amortised_cost_and_are_not_free(load: Load, store: Store) -> None:
    load(run("s1"), included("r1", "30"), now=MARCH)
    assert session(store) == {"cost_usd": usd("0"), "plan_share_usd": None, "credit_usd": 0, "amortised_usd": None}


def test_two_seats_of_one_period_are_one_pool_and_a_call_outside_of_it_is_not_covered(load: Load, store: Store) -> None:
    later = included("r2", "5", "s2", started_at=at("2026-03-01T00:00:00Z"))
    load(plan("100", "a"), plan("50", "b"), run("s1"), run("s2"), included("r1", "30"), later, now=MARCH)
    assert session(store)["amortised_usd"] == usd("150")
    assert session(store, "s2")["amortised_usd"] is None


def test_facts_accrue_to_the_day_of_the_last_load_and_never_back(load: Load, store: Store) -> None:
    load(plan("28"), run("s1"), included("r1", "30"), now=at("2026-02-08T00:00:00Z"))
    assert session(store)["plan_share_usd"] == usd("7")
    load(run("s9"), now=at("2026-02-08T00:00:01Z"))
    assert session(store)["plan_share_usd"] == usd("8")
    load(run("s10"), now=at("2026-02-02T00:00:00Z"))
    assert session(store)["plan_share_usd"] == usd("8")
    load(run("s10"), now=at("2027-01-01T00:00:00Z"))
    assert session(store)["plan_share_usd"] == usd("28")


def test_credits_are_paid_for_when_bought_and_cost_as_they_are_used(load: Load, store: Store) -> None:
    bought = bill("c", "10", "2026-02-01", "2027-02-01", category="credits", vendor="speech", credits=usd("1000"))
    load(bought, run("s1"), used("u1", "300", session_id="s1"), used("u2", "1", None, vendor="Other"), now=MARCH)
    assert spend(store, "2026-02-01") == [("credits", True, usd("0"), usd("10"))]
    assert spend(store, "2026-02-10") == [("credits", False, None, usd("0")), ("credits", True, usd("3"), usd("0"))]
    assert session(store)["amortised_usd"] == usd("3")


def test_credits_that_nothing_tells_the_use_of_are_an_unknown_cost_and_not_none(load: Load, store: Store) -> None:
    load(bill("c", "10", "2026-02-01", "2027-02-01", category="credits", vendor="speech", credits=usd("1000")))
    assert spend(store) == [("credits", False, None, usd("10"))]


def test_credits_that_expire_unused_are_a_cost_of_their_last_day_once_it_is_over(load: Load, store: Store) -> None:
    month = bill("c", "22", "2026-02-01", "2026-03-01", category="credits", vendor="Speech", credits=usd("1000"))
    load(month, used("u1", "500"), now=at("2026-02-20T00:00:00Z"))
    assert spend(store, "2026-02-28") == []
    load(run("s1"), now=MARCH)
    assert spend(store, "2026-02-28") == [("expired_credits", True, usd("11"), usd("0"))]


def test_credits_of_a_month_without_any_use_are_a_cost_where_the_vendor_s_use_is_loaded(
    load: Load, store: Store
) -> None:
    january = bill("a", "22", "2026-01-01", "2026-02-01", category="credits", vendor="Speech", credits=usd("1000"))
    load(january, used("u1", "500", "11"), now=MARCH)
    assert spend(store, "2026-01-31") == [("expired_credits", True, usd("22"), usd("0"))]


def test_credits_that_calls_may_have_used_did_not_expire_for_all_that_is_known(load: Load, store: Store) -> None:
    month = bill("c", "22", "2026-02-01", "2026-03-01", category="credits", vendor="Speech", credits=usd("1000"))
    made = call("r1", "20", "BILLED", provider="speech", started_at=at("2026-02-03T10:00:00Z"))
    load(month, made, used("u1", "50"), now=MARCH)
    assert spend(store, "2026-02-28") == []


def test_a_purchase_none_of_which_was_used_is_a_cost_of_its_last_day(load: Load, store: Store) -> None:
    january = bill("jan", "10", "2026-01-01", "2026-02-01", category="credits", vendor="Speech", credits=usd("500"))
    february = bill("feb", "22", "2026-02-01", "2026-03-01", category="credits", vendor="Speech", credits=usd("1000"))
    load(january, february, used("u1", "500", used_at=at("2026-01-10T00:00:00Z")), now=MARCH)
    assert spend(store, "2026-02-28") == [("expired_credits", True, usd("22"), usd("0"))]
    assert spend(store, "2026-01-31") == []


def overlapping() -> list[Any]:
    kind = {"category": "credits", "vendor": "Speech", "credits": usd("1000")}
    return [bill("a", "22", "2026-01-01", "2026-02-15", **kind), bill("b", "10", "2026-02-01", "2026-03-01", **kind)]


def test_purchases_that_overlap_expire_together_on_the_last_day_of_the_last(load: Load, store: Store) -> None:
    load(*overlapping(), used("u1", "500", "7"), now=at("2026-02-20T00:00:00Z"))
    assert spend(store, "2026-02-14") == spend(store, "2026-02-28") == []
    load(run("s1"), now=MARCH)
    assert spend(store, "2026-02-14") == []
    assert spend(store, "2026-02-28") == [("expired_credits", True, usd("25"), usd("0"))]


@pytest.mark.parametrize("worth", ["32", "40"])
def test_purchases_that_overlap_and_were_used_up_leave_nothing(load: Load, store: Store, worth: str) -> None:
    load(*overlapping(), used("u1", "2000", worth), now=MARCH)
    assert spend(store, "2026-02-28") == []


def test_the_rest_of_purchases_that_overlap_is_unknown_where_calls_may_have_used_them(load: Load, store: Store) -> None:
    made = call("r1", "20", "BILLED", provider="speech", started_at=at("2026-02-03T10:00:00Z"))
    load(*overlapping(), made, used("u1", "50", "1"), now=MARCH)
    assert spend(store, "2026-02-28") == [("expired_credits", False, None, usd("0"))]


def test_prepaid_credits_that_calls_used_do_not_expire_in_whole(load: Load, store: Store) -> None:
    top_up = bill("c", "10", "2026-02-01", "2026-03-01", category="credits", vendor="openrouter")
    load(top_up, call("r1", "4", "BILLED", provider="openrouter", started_at=at("2026-02-03T10:00:00Z")), now=MARCH)
    assert spend(store, "2026-02-28") == []


def test_calls_after_the_credits_of_their_provider_have_ended_are_cash(load: Load, store: Store) -> None:
    top_up = bill("c", "10", "2026-01-01", "2026-02-01", category="credits", vendor="openrouter")
    calls = [
        call(key, "50", "BILLED", provider="openrouter", started_at=at(f"{on}T23:59:59Z"))
        for key, on in (("r1", "2026-01-31"), ("r2", "2026-02-01"))
    ]
    load(top_up, *calls, now=at("2026-02-10T00:00:00Z"))
    assert spend(store, "2026-01-31") == [("inference", True, usd("50"), usd("0"))]
    assert spend(store, "2026-02-01") == [("inference", True, usd("50"), usd("50"))]


def test_a_call_that_credits_paid_for_does_not_hide_that_the_cash_of_another_is_unknown(
    load: Load, store: Store
) -> None:
    top_up = bill("c", "10", "2026-02-01", "2027-02-01", category="credits", vendor="openrouter")
    day = {"started_at": at("2026-02-03T10:00:00Z")}
    load(
        top_up,
        call("r1", None, "UNPRICED", provider="openrouter", **day),
        call("r2", None, "UNPRICED", provider="acme", **day),
    )
    assert spend(store, "2026-02-03") == [("inference", False, None, None)]


@pytest.mark.parametrize("category", ["software", "other", "subscription"])
def test_use_of_credits_whose_fee_is_a_charge_by_days_is_not_counted_twice(
    load: Load, store: Store, category: str
) -> None:
    fee = bill("c", "28", "2026-02-01", "2026-03-01", category=category, vendor="speech")
    load(fee, run("s1"), used("u1", "500", "11", session_id="s1"), now=MARCH)
    assert table(store, "SELECT counted_as, cost_usd FROM credit_facts") == [
        {"counted_as": "charges", "cost_usd": usd("11")}
    ]
    assert [row[2] for row in spend(store, "2026-02-10")] == [usd("1")]
    assert session(store)["amortised_usd"] == usd("0")


def test_calls_that_prepaid_credits_paid_for_are_cost_and_no_cash(load: Load, store: Store) -> None:
    top_up = bill("c", "105.5", "2026-02-02", "2027-02-01", category="credits", vendor="OpenRouter, Inc.")
    calls = [
        call(key, "4", "BILLED", provider="openrouter", started_at=at(f"{on}T10:00:00Z"))
        for key, on in (("r1", "2026-02-01"), ("r2", "2026-02-03"))
    ]
    load(top_up, *calls, used("u1", "4", "4", vendor="openrouter", used_at=at("2026-02-03T00:00:00Z")))
    assert spend(store, "2026-02-01") == [("inference", True, usd("4"), usd("4"))]
    assert spend(store, "2026-02-02") == [("credits", True, usd("0"), usd("105.5"))]
    assert spend(store, "2026-02-03") == [("inference", True, usd("4"), usd("0"))]


def test_a_bill_is_paid_on_its_first_day_by_what_it_asks_for(load: Load, store: Store) -> None:
    load(bill("c", "6", "2026-02-01", "2026-02-03", category="software", billed_usd=usd("10")))
    assert spend(store, "2026-02-01") == [("charges", True, usd("3"), usd("10"))]
    assert spend(store, "2026-02-02") == [("charges", True, usd("3"), usd("0"))]


def test_the_days_until_which_facts_accrue_are_days(load: Load, store: Store) -> None:
    load(run("s1"), now=at("2026-02-08T00:00:00Z"))
    assert store.read("SELECT until_on FROM accrual").rows == [(date(2026, 2, 8),)]
    load(run("s2"), now=at("2026-02-08T10:00:00Z"))
    assert store.read("SELECT until_on FROM accrual").rows == [(date(2026, 2, 9),)]
