"""Bills are compared over their own days, each call once, and what does not fit together says so."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from store import PricedRequest, Store
from store.errors import StoreError
from tests.store.conftest import Load, at, bill, call, table, usd


def made(key: str, cost: str | None, on: str, provider: str | None = "acme", **fields: Any) -> PricedRequest:
    return call(key, cost, provider=provider, started_at=at(f"{on}T23:00:00Z"), **fields)


def billed(charge_id: str, amount: str, starts_on: str, ends_on: str, vendor: str | None = "Acme") -> Any:
    return bill(charge_id, amount, starts_on, ends_on, category="inference", vendor=vendor)


def compared(store: Store) -> list[tuple[Any, ...]]:
    columns = "provider, starts_on::VARCHAR, ends_on::VARCHAR, status, computed_usd, billed_usd"
    return store.read(f"SELECT {columns} FROM reconciliation_days ORDER BY ALL").rows


def test_a_bill_of_several_days_is_compared_over_all_of_them(load: Load, store: Store) -> None:
    load(
        made("r1", "2", "2026-02-01"),
        made("r2", "3", "2026-02-28"),
        made("r3", "4", "2026-03-01"),
        billed("b", "5", "2026-02-01", "2026-03-01"),
    )
    assert compared(store) == [
        ("acme", "2026-02-01", "2026-03-01", "MATCH", usd("5"), usd("5")),
        ("acme", "2026-03-01", "2026-03-02", "PENDING", usd("4"), None),
    ]


def test_bills_whose_days_overlap_are_one_period_and_compare_each_call_once(load: Load, store: Store) -> None:
    load(
        made("r1", "2", "2026-02-01"),
        made("r2", "3", "2026-02-03"),
        billed("month", "4", "2026-02-01", "2026-03-01"),
        billed("line", "1", "2026-02-03", "2026-02-04"),
        billed("late", "7", "2026-02-20", "2026-03-05"),
        billed("next", "9", "2026-03-05", "2026-03-06"),
    )
    assert compared(store) == [
        ("acme", "2026-02-01", "2026-03-05", "UNDER_COMPUTED", usd("5"), usd("12")),
        ("acme", "2026-03-05", "2026-03-06", "UNTRACKED", None, usd("9")),
    ]


def test_many_lines_of_days_that_follow_each_other_are_a_period_a_day(load: Load, store: Store) -> None:
    days = [f"2026-02-{day:02}" for day in range(1, 29)]
    ends = [*days[1:], "2026-03-01"]
    load(*(billed(f"{n}-{on}", "1", on, end) for on, end in zip(days, ends, strict=True) for n in range(40)))
    assert compared(store) == [
        ("acme", on, end, "UNTRACKED", None, usd("40")) for on, end in zip(days, ends, strict=True)
    ]


def test_a_bill_that_comes_under_two_names_of_an_account_is_known_to_be_repeated(load: Load, store: Store) -> None:
    def line(account: str, amount: str, model: str) -> Any:
        said = billed(f"{account}:{model}", amount, "2026-03-02", "2026-03-03")
        return replace(said, part=f"{account} | costs | 2026-03-02", model=model, line_item="tokens")

    load(line("acme", "2.00", "big"), line("acme", "0.50", "small"), line("acme", "0", "free"))
    assert table(store, "SELECT model FROM bill_lines WHERE is_repeated") == []
    load(line("acme-renamed", "2.00", "big"), line("other", "0.70", "small"), line("other", "0", "free"))
    assert table(store, "SELECT model, amount_usd FROM bill_lines WHERE is_repeated") == [
        {"model": "big", "amount_usd": usd("4.00")}
    ]


@pytest.mark.parametrize(
    ("provider", "vendor"),
    [("amazon-bedrock", "Amazon Web Services"), ("google-vertex", "Google Cloud"), ("OpenAI", " openai, LLC ")],
)
def test_a_bill_finds_the_calls_of_the_service_that_its_company_sells(
    load: Load, store: Store, provider: str, vendor: str
) -> None:
    load(made("r1", "2", "2026-02-01", provider), billed("b", "2", "2026-02-01", "2026-02-02", vendor))
    assert [row[3] for row in compared(store)] == ["MATCH"]


def test_what_nobody_names_matches_nothing(load: Load, store: Store) -> None:
    load(made("r1", "2", "2026-02-01", None), billed("b", "2", "2026-02-01", "2026-02-02", None))
    assert sorted(row[3] for row in compared(store)) == ["PENDING", "UNTRACKED"]


@pytest.mark.parametrize(
    ("computed", "amount", "status"),
    [
        ("1", "1.01", "MATCH"),
        ("1", "1.010000000001", "UNDER_COMPUTED"),
        ("199", "200", "MATCH"),
        ("198.99", "200", "UNDER_COMPUTED"),
        ("201", "200", "MATCH"),
        ("201.000000000001", "200", "OVER_COMPUTED"),
        ("0", "0", "MATCH"),
        ("1", "-1", "OVER_COMPUTED"),
        ("999999999999999", "999999999999999", "MATCH"),
    ],
)
def test_either_tolerance_is_enough_and_its_edge_is_inside(
    load: Load, store: Store, computed: str, amount: str, status: str
) -> None:
    load(made("r1", computed, "2026-02-01"), billed("b", amount, "2026-02-01", "2026-02-02"))
    assert [row[3] for row in compared(store)] == [status]


def test_another_tolerance_is_another_comparison_and_nonsense_is_refused(load: Load, store: Store) -> None:
    load(made("r1", "1", "2026-02-01"), billed("b", "2", "2026-02-01", "2026-02-02"))
    store.set_tolerance(Decimal(1), Decimal(0))
    assert [row[3] for row in compared(store)] == ["MATCH"]
    version = store.data_version()
    store.set_tolerance(Decimal(1), Decimal(0))
    assert store.data_version() == version
    for absolute, share in ((Decimal(-1), Decimal(0)), (Decimal(0), Decimal(2)), (Decimal("NaN"), Decimal(0))):
        with pytest.raises(StoreError, match="a tolerance is"):
            store.set_tolerance(absolute, share)


def test_calls_under_a_plan_wait_for_no_bill_but_may_be_in_one(load: Load, store: Store) -> None:
    plan = made("r1", "0", "2026-02-01", cost_status="INCLUDED")
    plan = replace(plan, request=replace(plan.request, is_included=True), list_usd=usd("3"))
    load(plan)
    assert [row[3] for row in compared(store)] == ["INCLUDED"]
    load(billed("b", "3", "2026-02-01", "2026-02-02"))
    (row,) = table(store, "SELECT status, included_calls FROM reconciliation_days")
    assert row == {"status": "UNDER_COMPUTED", "included_calls": 1}


def test_what_may_be_behind_a_difference_is_counted(load: Load, store: Store) -> None:
    load(
        made("r1", "2", "2026-02-01", price_id="old", model="big"),
        made("r2", "3", "2026-02-02", price_id="new", model="big"),
        made("r3", None, "2026-02-02", model="ghost"),
        made("r4", None, "2026-02-02", cost_status="MISSING_USAGE"),
        billed("b", "9", "2026-02-01", "2026-03-01"),
    )
    names = "status, calls, unpriced_calls, unmeasured_calls, price_changes, drift_usd"
    assert table(store, f"SELECT {names} FROM reconciliation_days") == [
        {
            "status": "UNDER_COMPUTED",
            "calls": 4,
            "unpriced_calls": 1,
            "unmeasured_calls": 1,
            "price_changes": 1,
            "drift_usd": usd("4"),
        }
    ]


def test_a_call_of_unknown_time_is_in_no_period(load: Load, store: Store) -> None:
    load(call("r1", "4", provider="acme"))
    assert compared(store) == []
