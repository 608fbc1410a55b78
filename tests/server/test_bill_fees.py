"""Fees on bills where people see burn: metrics, the drivers of the runway, the rows of the reconciliation."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Literal

import pytest

from semantic import Catalog
from store import CashBalance, Charge, PricedRequest, Request
from tests.server.conftest import Api, at, load_into
from tests.stores import new_store

AS_OF = "2026-02-01"


def call(key: str, day: int, provider: str, cost: str, status: Literal["PRICED", "BILLED"]) -> PricedRequest:
    tokens = dict.fromkeys(("uncached_input_tokens", "cache_read_tokens", "output_tokens"), 1)
    cached = dict.fromkeys(("cache_write_5m_tokens", "cache_write_1h_tokens"), 0)
    made = Request(
        request_key=key, source="test", provider=provider, started_at=at(f"2026-01-{day:02}T10:00"), **tokens, **cached
    )
    return PricedRequest(made, Decimal(cost), status)


def line(charge_id: str, vendor: str, day: int, usd: str, item: Any, days: int = 1) -> Charge:
    return Charge(
        charge_id=charge_id,
        source="test",
        category="inference",
        vendor=vendor,
        starts_on=date(2026, 1, day),
        ends_on=date(2026, 1, day + days),
        amount_usd=Decimal(usd),
        line_item=item,
    )


KNOWN = (
    *(call(f"c{day}", day, "acme", "2", "PRICED") for day in range(2, 32)),
    line("tokens", "Acme", 10, "2", "tokens"),
    line("searches", "Acme", 10, "1.5", "fee"),
    line("containers", "Acme", 20, "3", "fee", days=10),
    CashBalance(account="bank", as_of_on=date(2026, 1, 31), balance_usd=Decimal("645"), source="test"),
)
DOUBTED = (call("billed", 12, "other", "3", "BILLED"), line("maybe", "Other", 12, "0.7", "fee"))
"""The provider says what the call cost, perhaps with the fee."""


@pytest.fixture(scope="module")
def known(catalog: Catalog) -> Iterator[Api]:
    with new_store() as store:
        load_into(store, KNOWN)
        yield Api(catalog, store)


@pytest.fixture(scope="module")
def doubted(catalog: Catalog) -> Iterator[Api]:
    with new_store() as store:
        load_into(store, (*KNOWN, *DOUBTED))
        yield Api(catalog, store)


def runway(api: Api, basis: str = "ACCRUAL") -> Any:
    fields = "status flags unknownRequests runwayDays grossBurnDailyUsd drivers { name dailyUsd }"
    return api.data(f'{{ runway(asOf: "{AS_OF}", basis: {basis}) {{ {fields} }} }}')["runway"]


@pytest.mark.parametrize("basis", ["ACCRUAL", "CASH"])
def test_fees_are_a_driver_of_burn_beside_the_calls(known: Api, basis: str) -> None:
    """Thirty days of calls for 60, and fees of 4.50: 64.50 a month of days, 2.15 a day, and 645 last for 300 days."""
    found = runway(known, basis)
    assert {driver["name"]: Decimal(driver["dailyUsd"]) for driver in found["drivers"]} == {
        "inference": Decimal("2"),
        "fees": Decimal("0.15"),
    }
    assert (Decimal(found["grossBurnDailyUsd"]), Decimal(found["runwayDays"])) == (Decimal("2.15"), 300)
    assert (found["status"], found["flags"]) == ("OK", [])


def test_metrics_say_the_same_as_the_runway_and_bills_stay_what_they_are(known: Api) -> None:
    names = "burnRate accruedSpend paidSpend billFees providerBills"
    [row] = known.data(f'{{ metrics(time: {{range: "2026-01-02 to 2026-01-31"}}) {{ rows {{ {names} }} }} }}')[
        "metrics"
    ]["rows"]
    assert {name: Decimal(value) for name, value in row.items()} == {
        "burnRate": Decimal("2.15") * Decimal("30.4375"),
        "accruedSpend": Decimal("64.5"),
        "paidSpend": Decimal("64.5"),
        "billFees": Decimal("4.5"),
        "providerBills": Decimal("6.5"),
    }


def test_a_fee_that_may_be_in_the_cost_of_calls_makes_burn_a_lower_bound_and_says_why(doubted: Api) -> None:
    found = runway(doubted)
    assert {driver["name"]: Decimal(driver["dailyUsd"]) for driver in found["drivers"]} == {
        "inference": Decimal("2.1"),
        "fees": Decimal("0.15"),
    }
    assert (found["flags"], found["unknownRequests"]) == (["LOWER_BOUND", "FEES_IN_DOUBT"], 1)


def test_each_row_of_the_reconciliation_says_where_its_fees_are_counted(doubted: Api) -> None:
    fields = "rows { provider startsOn fees { usd countedAs } causes { kind usd missing } }"
    rows = doubted.data(f'{{ reconciliation(since: "2026-01-10") {{ {fields} }} }}')["reconciliation"]["rows"]
    by_day = {(row["provider"], row["startsOn"]): row for row in rows}
    apart, unsure = by_day["acme", "2026-01-10"], by_day["other", "2026-01-12"]
    assert apart["fees"] == [{"usd": "1.500000000000", "countedAs": "FEES"}]
    assert [cause["kind"] for cause in apart["causes"]] == ["FEES"]
    assert unsure["fees"] == [{"usd": "0.700000000000", "countedAs": "FEES_IN_CALLS"}]
    assert unsure["causes"] == [{"kind": "UNEXPLAINED", "usd": "-2.300000000000", "missing": "FEES_IN_CALLS"}]
    assert by_day["acme", "2026-01-11"]["fees"] == []
