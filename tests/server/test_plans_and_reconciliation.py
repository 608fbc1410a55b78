"""The fields `plans`, `credits` and `reconciliation`: their arguments, their nulls, and who may ask."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from semantic import Caller, Catalog, load_catalog
from store import Charge, CreditQuota, CreditUsage, Store
from tests.server.conftest import NOW, REPOSITORY, Api, Json, at, call, load_into, session

PLAN = """provider status feeUsd accruedUsd listEquivalentUsd leverage unallocatedUsd
    shares(first: 1) { sessionId shareUsd }"""


def charge(charge_id: str, category: Any, vendor: str, amount: str, until: date, **fields: Any) -> Charge:
    known = {"source": "test", "starts_on": date(2026, 3, 1), "amount_usd": Decimal(amount), "ends_on": until}
    return Charge(charge_id=charge_id, category=category, vendor=vendor, **{**known, **fields})


def included(key: str, session_id: str, provider: str, list_usd: str) -> Any:
    made = call(key, session_id, "big", "2026-03-02T10:00", "1")
    request = replace(made.request, provider=provider, is_included=True)
    return replace(made, request=request, cost_usd=Decimal(0), cost_status="INCLUDED", list_usd=Decimal(list_usd))


@pytest.fixture(scope="module")
def paid(catalog: Catalog) -> Iterator[Api]:
    with Store.open(None) as store:
        records = (
            session("s1", "main", "cron", "2026-03-02T10:00"),
            session("s2", "main", "cron", "2026-03-02T10:00"),
            included("i1", "s1", "acme", "30"),
            included("i2", "s2", "acme", "10"),
            included("i3", "s2", "free", "10"),
            replace(call("r1", "s1", "big", "2026-03-03T10:00", "2"), cost_status="PRICED"),
            charge("plan", "subscription", "Acme", "31", date(2026, 4, 1)),
            charge("bill", "inference", "ACME", "2.5", date(2026, 3, 4)),
            charge("top", "credits", "Speech", "10", date(2027, 3, 1), credits=Decimal(100)),
            CreditUsage(
                usage_id="u", source="test", vendor="speech", used_at=at("2026-03-05T00:00"), credits=Decimal(7)
            ),
            CreditUsage(
                usage_id="v", source="test", vendor="other", used_at=at("2026-03-05T00:00"), credits=Decimal(7)
            ),
            CreditQuota(
                vendor="speech", plan="p", observed_at=at("2026-03-05T00:00"), source="test", used_credits=Decimal(5)
            ),
        )
        load_into(store, records)
        yield Api(catalog, store)


def test_a_plan_is_shared_as_of_now_and_one_without_a_fee_says_so(paid: Api) -> None:
    plans = {plan["provider"]: plan for plan in paid.data(f"{{ plans {{ {PLAN} }} }}")["plans"]}
    assert plans["acme"] == {
        "provider": "acme",
        "status": "OK",
        "feeUsd": "31.000000000000",
        "accruedUsd": "10.000000000000",
        "listEquivalentUsd": "40.000000000000",
        "leverage": pytest.approx(40 / 31),
        "unallocatedUsd": "0.000000000000",
        "shares": [{"sessionId": "s1", "shareUsd": "7.500000000000"}],
    }
    assert plans["free"] == {
        "provider": "free",
        "status": "FEE_UNKNOWN",
        "feeUsd": None,
        "accruedUsd": None,
        "listEquivalentUsd": "10.000000000000",
        "leverage": None,
        "unallocatedUsd": None,
        "shares": [],
    }


def test_before_its_first_day_a_plan_has_cost_nothing(paid: Api) -> None:
    (plan,) = paid.data(f'{{ plans(asOf: "2026-03-01T00:00:00Z") {{ {PLAN} }} }}')["plans"]
    assert (plan["status"], Decimal(plan["accruedUsd"]), plan["leverage"]) == ("NOT_STARTED", 0, None)


def test_credits_are_worth_what_was_paid_and_of_unknown_worth_without_a_price(paid: Api) -> None:
    fields = "vendors { vendor status usedUsd remainingCredits paidPerCreditUsd } quotas { status fee: feeUsd }"
    found = paid.data(f"{{ credits {{ {fields} }} }}")["credits"]
    by_vendor = {row["vendor"].lower(): row for row in found["vendors"]}
    assert Decimal(by_vendor["speech"]["usedUsd"]) == Decimal("0.7")
    assert Decimal(by_vendor["speech"]["remainingCredits"]) == 93
    assert by_vendor["other"] == {
        "vendor": "other",
        "status": "UNPRICED",
        "usedUsd": None,
        "remainingCredits": None,
        "paidPerCreditUsd": None,
    }
    assert found["quotas"] == [{"status": "UNLIMITED", "fee": None}]


def reconciled(api: Api, arguments: str = "") -> list[Json]:
    fields = "rows { provider status driftUsd causes { kind usd missing } includedCalls }"
    return list(api.data(f"{{ reconciliation{arguments} {{ {fields} }} }}")["reconciliation"]["rows"])


def test_a_difference_names_what_is_behind_it(paid: Api) -> None:
    rows = {row["provider"]: row for row in reconciled(paid)}
    assert rows["acme"]["status"] == "UNDER_COMPUTED"
    unexplained = {"kind": "UNEXPLAINED", "usd": "0.500000000000", "missing": "REPORTED_USAGE"}
    assert (rows["acme"]["causes"], rows["acme"]["includedCalls"]) == ([unexplained], 2)
    assert rows["free"] == {
        "provider": "free",
        "status": "INCLUDED",
        "driftUsd": None,
        "causes": [],
        "includedCalls": 1,
    }


@pytest.mark.parametrize(
    ("arguments", "providers"),
    [
        ('(provider: "ACME")', ["acme"]),
        ('(provider: "nobody")', []),
        ('(since: "2026-03-03", until: "2026-03-04")', ["acme"]),
        ('(since: "2026-03-04")', []),
        ('(until: "2026-03-01")', []),
    ],
)
def test_a_range_takes_whole_periods_and_a_provider_is_found_in_any_case(
    paid: Api, arguments: str, providers: list[str]
) -> None:
    assert [row["provider"] for row in reconciled(paid, arguments)] == providers


def test_calls_that_cost_more_than_the_bill_are_in_doubt(catalog: Catalog) -> None:
    with Store.open(None) as store:
        cost = replace(call("r1", "s1", "big", "2026-03-03T10:00", "4"), cost_status="PRICED")
        load_into(store, (cost, charge("bill", "inference", "ACME", "2", date(2026, 3, 4))))
        asked = "rows { matchedUsd matchedShare callsInDoubt } totals { matchedShare matchedIsUpperBound }"
        found = Api(catalog, store).data(f"{{ reconciliation {{ {asked} }} }}")["reconciliation"]
    assert found["rows"] == [{"matchedUsd": None, "matchedShare": None, "callsInDoubt": True}]
    assert (Decimal(found["totals"]["matchedShare"]), found["totals"]["matchedIsUpperBound"]) == (1, True)


def test_a_range_without_a_day_is_refused(paid: Api) -> None:
    asked = '{ reconciliation(since: "2026-03-04", until: "2026-03-04") { rows { status } } }'
    assert paid.codes(asked) == ["EMPTY_RANGE"]


def test_an_instant_needs_its_zone(paid: Api) -> None:
    assert "has none" in paid.message('{ plans(asOf: "2026-03-01T00:00:00") { status } }')


def test_every_cut_of_spend_says_how_much_of_it_the_bills_confirm(paid: Api) -> None:
    rows = paid.rows("reconciliationStatus inferenceCost reconciledShare")
    assert {row["reconciliationStatus"]: Decimal(row["inferenceCost"]) for row in rows} == {
        "UNDER_COMPUTED": Decimal(2),
        "INCLUDED": Decimal(0),
    }


@pytest.mark.parametrize(
    "asked", ["plans { status }", "credits { quotas { plan } }", "reconciliation { rows { status } }"]
)
def test_who_may_see_a_part_of_the_rows_gets_no_answer_about_all_of_them(paid: Api, asked: str) -> None:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    policy = "policies:\n  own_agents: {model: sessions, rows: 'agent = :caller.agent', unless: [cfo]}\n"
    caller = Caller(frozenset({"finance"}), {"agent": "main"})
    guarded = Api(load_catalog(f"{text}\n{policy}"), paid.store, caller=caller)
    assert guarded.codes(f"{{ {asked} }}") == ["NOT_ALLOWED"]


def test_plans_are_as_of_the_question(paid: Api) -> None:
    (plan, _) = sorted(paid.data("{ plans { provider asOf } }")["plans"], key=lambda plan: plan["provider"])
    assert plan["asOf"] == NOW.isoformat().replace("+00:00", "Z")
