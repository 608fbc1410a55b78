"""Bills are spread over their days to the last digit, and infrastructure is shared by who kept it busy."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from store import CashBalance, Store
from tests.store.conftest import Load, at, bill, call, run, table, usd


def days_of(store: Store) -> list[Decimal]:
    return [row["amount_usd"] for row in table(store, "SELECT amount_usd FROM charge_days ORDER BY day")]


@pytest.mark.parametrize(
    "amount",
    ["100", "0.000000000001", "-7", "-0.000000000005", "123456789.123456789012", "999999999999999.999999999999"],
)
def test_the_days_of_a_charge_add_up_to_it_to_the_last_digit(load: Load, store: Store, amount: str) -> None:
    load(bill("c1", amount, "2026-02-01", "2026-02-08"))
    days = days_of(store)
    assert len(days) == 7
    assert sum(days) == usd(amount)
    assert len(set(days[:-1])) == 1


def test_the_last_day_takes_the_remainder(load: Load, store: Store) -> None:
    load(bill("c1", "10", "2026-02-01", "2026-02-04"))
    assert days_of(store) == [usd("3.333333333333"), usd("3.333333333333"), usd("3.333333333334")]


def test_a_charge_of_one_day_is_that_day(load: Load, store: Store) -> None:
    load(bill("c1", "24", "2024-02-29", "2024-03-01", category="people", vendor="Robert"))
    assert table(store, "SELECT day, category, vendor, amount_usd, is_infrastructure FROM charge_days") == [
        {
            "day": date(2024, 2, 29),
            "category": "people",
            "vendor": "Robert",
            "amount_usd": usd("24"),
            "is_infrastructure": False,
        }
    ]


def test_a_balance_holds_until_the_next_one_of_its_account(load: Load, store: Store) -> None:
    def balance(account: str, day: str, amount: str) -> CashBalance:
        return CashBalance(account=account, as_of_on=date.fromisoformat(day), balance_usd=usd(amount), source="bank")

    load(balance("a", "2026-01-31", "10"), balance("a", "2026-02-28", "8"), balance("b", "2026-02-01", "5"))
    assert store.read("SELECT account, balance_usd, valid_until_on FROM cash_days ORDER BY ALL").rows == [
        ("a", usd("8"), None),
        ("a", usd("10"), date(2026, 2, 28)),
        ("b", usd("5"), None),
    ]


def test_daily_spend_is_requests_and_charges_but_not_the_bill_for_the_same_requests(load: Load, store: Store) -> None:
    load(
        call("r1", "0.4", started_at=at("2026-02-20T23:59:59.999999Z")),
        call("r2", "0.1", started_at=at("2026-02-21T00:00:00Z")),
        call("r3", None, started_at=at("2026-02-21T00:00:00Z")),
        bill("c1", "24", "2026-02-20", "2026-02-21"),
        bill("c2", "6", "2026-02-20", "2026-02-21", category="people"),
        bill("c3", "0.4", "2026-02-20", "2026-02-21", category="inference"),
    )
    assert store.read("SELECT day, kind, is_known, amount_usd, row_count FROM daily_spend ORDER BY ALL").rows == [
        (date(2026, 2, 20), "charges", True, usd("6"), 1),
        (date(2026, 2, 20), "charges", True, usd("24"), 1),
        (date(2026, 2, 20), "inference", True, usd("0.4"), 1),
        (date(2026, 2, 21), "inference", False, None, 1),
        (date(2026, 2, 21), "inference", True, usd("0.1"), 1),
    ]


def test_a_request_without_a_time_is_spend_of_no_day_and_not_dropped(load: Load, store: Store) -> None:
    load(call("r1", "0.4"))
    assert store.read("SELECT day, amount_usd FROM daily_spend").rows == [(None, usd("0.4"))]


def busy(session_id: str, started_at: str, hours: float, **fields: Any) -> Any:
    start = at(started_at)
    return run(session_id, started_at=start, ended_at=start + timedelta(hours=hours), termination="success", **fields)


def allocation(store: Store) -> dict[str, Decimal]:
    return {str(name): row for name, row in store.read("SELECT session_id, allocated_usd FROM session_facts").rows}  # type: ignore[misc]


def test_a_session_pays_for_its_share_of_the_day(load: Load, store: Store) -> None:
    load(busy("s1", "2026-02-18T10:00Z", 6), bill("c1", "24", "2026-02-18", "2026-02-19"))
    assert allocation(store) == {"s1": usd("6")}
    assert store.read("SELECT pool_usd, allocated_usd, idle_usd FROM compute_days").rows == [
        (usd("24"), usd("6"), usd("18"))
    ]


def test_twice_the_capacity_halves_the_share(load: Load, store: Store) -> None:
    load(busy("s1", "2026-02-18T10:00Z", 6), bill("c1", "24", "2026-02-18", "2026-02-19"))
    store.set_allocation(2)
    assert allocation(store) == {"s1": usd("3")}


def test_sessions_that_overlap_beyond_the_capacity_share_all_of_it(load: Load, store: Store) -> None:
    load(*(busy(f"s{n}", "2026-02-18T00:00Z", 24) for n in range(3)), bill("c1", "10", "2026-02-18", "2026-02-19"))
    assert allocation(store) == dict.fromkeys(["s0", "s1", "s2"], usd("3.333333333333"))
    assert store.read("SELECT allocated_usd, idle_usd FROM compute_days").rows == [
        (usd("9.999999999999"), usd("0.000000000001"))
    ]


def test_a_session_over_midnight_is_split_at_utc_midnight(load: Load, store: Store) -> None:
    load(busy("s1", "2026-02-18T23:00Z", 3), bill("c1", "24", "2026-02-18", "2026-02-19"))
    assert store.read("SELECT day, busy_seconds, allocated_usd FROM session_days ORDER BY day").rows == [
        (date(2026, 2, 18), usd("3600"), usd("1")),
        (date(2026, 2, 19), usd("7200"), usd("0")),
    ]
    assert allocation(store) == {"s1": usd("1")}


def test_a_session_that_ends_at_midnight_is_not_on_the_next_day(load: Load, store: Store) -> None:
    load(busy("s1", "2026-02-18T23:00Z", 1))
    assert store.read("SELECT day FROM session_days").rows == [(date(2026, 2, 18),)]


def test_a_session_that_ended_nobody_knows_when_counts_with_no_time(load: Load, store: Store) -> None:
    seen = at("2026-02-20T00:00Z")
    load(run("s1", started_at=at("2026-02-18T10:00Z"), termination="lost", observed_at=seen))
    assert store.read("SELECT busy_seconds FROM session_facts").rows == [(usd("0"),)]
    assert store.read("SELECT day, busy_seconds FROM session_days").rows == [(date(2026, 2, 18), usd("0"))]


def test_people_are_not_infrastructure(load: Load, store: Store) -> None:
    load(busy("s1", "2026-02-18T10:00Z", 6), bill("c1", "24", "2026-02-18", "2026-02-19", category="people"))
    assert allocation(store) == {"s1": usd("0")}
    assert store.read("FROM compute_days").rows == []
