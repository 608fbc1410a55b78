"""G11: the fee of a plan falls to the calls that it covers, credits cost as they are used, and no dollar counts twice.

Calls are stored as records and priced by the job; fees, purchases, uses and the quota come through the loaders.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from loaders import Task
from loaders.item import Item, Location, Parsed
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import Catalog
from semantic.query import TimeRange
from store import Price, Request, Session, Store
from tests.golden.conftest import Case, Golden, answer, one, write_csv
from tests.server.conftest import Api, Json

pytestmark = pytest.mark.golden
CASE = "G11_credits_subscriptions"
NOON = timedelta(hours=12)


class Month:
    """The case's month in a store, known as of one instant."""

    def __init__(self, store: Store, catalog: Catalog, case: Case, home: Path, now: datetime) -> None:
        self.inputs = case["inputs"]["inputs.json"]
        self.store, self.catalog, self.home, self.now = store, catalog, home, now
        self.expected = case["expected"]
        self.api = Api(catalog, store)

    def records(self, *records: Any) -> None:
        items: list[Item] = [Parsed(Location("case", n), (r,)) for n, r in enumerate(records, start=1)]
        assert run_load(self.store, "case", "case", items, now=self.now).rejected == 0

    def load(self, kind: str, rows: list[Json]) -> None:
        columns = dict.fromkeys(name for row in rows for name in row)
        path = write_csv(self.home / f"{kind}.csv", [{name: row.get(name) for name in columns} for row in rows])
        report = run_load(self.store, kind, str(path), LOADERS[kind].read(Task(str(path), self.now)), now=self.now)
        assert report.rejected == 0, report.rejections

    def plan_is_used(self, with_calls: bool = True) -> None:
        plan = self.inputs["subscription"]
        self.load("charges", [fee(plan["plan"], "subscription", "acme", plan["fee_usd"], plan)])
        if not with_calls:
            return
        self.records(
            Price(
                price_id="p",
                source="case",
                provider="acme",
                model="m",
                effective_from=day("2026-01-01"),
                input=Decimal(1),
            )
        )
        for key, session_id, on, usd in plan["usage"]:
            started = day(on) + NOON
            if started < self.now:
                self.records(
                    Session(
                        session_id=session_id,
                        source="case",
                        started_at=started,
                        ended_at=started,
                        termination="success",
                    ),
                    included(key, session_id, started, Decimal(usd)),
                )

    def quota_is_used(self) -> None:
        quota = self.inputs["credit_quota"]
        vendor, plan = quota["vendor"], {"vendor": quota["vendor"], "plan": "creator"}
        self.load(
            "charges", [fee("speech", "credits", vendor, quota["fee_usd"], quota) | {"credits": quota["credits"]}]
        )
        price = {"starts_on": quota["period_start"], "resets_at": quota["period_end"], "fee_usd": quota["fee_usd"]}
        held = {"limit_credits": quota["credits"]}
        seen = {"observed_at": quota["as_of"], "used_credits": quota["used"]}
        uses = [use(vendor, session_id, used) for session_id, used in quota["session_usage"]]
        self.load("credits", [plan | price | held | seen, plan | price | held, *uses])

    def prepaid_are_used(self) -> None:
        bought = self.inputs["prepaid"]
        paid = Decimal(bought["credits_bought_usd"]) + Decimal(bought["fee_usd"])
        top_up = {"charge_id": "top-up", "category": "credits", "vendor": bought["vendor"], "amount_usd": str(paid)}
        self.load(
            "charges", [top_up | {"starts_on": "2026-02-01", "credits": bought["credits_bought_usd"], "ends_on": None}]
        )
        self.load("credits", [use(bought["vendor"], session_id, used) for session_id, used in bought["consumption"]])

    def plan(self, as_of: str) -> Json:
        fields = """provider status periodDays accruedUsd listEquivalentUsd leverage unusedUsd unallocatedUsd
            shares { kind sessionId cashUsd shareUsd listUsd }"""
        (found,) = self.api.data(f'{{ plans(asOf: "{as_of}T00:00:00Z") {{ {fields} }} }}')["plans"]
        return dict(found)

    def credit_costs(self, vendor: str) -> dict[str, Any]:
        where = {"vendor": {"eq": vendor}}
        rows = self.api.rows("sessionId creditCost", "where: $where", {"where": where})
        return {row["sessionId"] or "unattributed": row["creditCost"] for row in rows}


def fee(charge_id: str, category: str, vendor: str, usd: str, period: Json) -> Json:
    days = {"starts_on": period["period_start"], "ends_on": period["period_end"]}
    return {"charge_id": charge_id, "category": category, "vendor": vendor, "amount_usd": usd} | days


def use(vendor: str, session_id: str, used: Any) -> Json:
    whose = None if session_id == "unattributed" else session_id
    return {"vendor": vendor, "used_at": "2026-02-20", "credits": str(used), "session_id": whose}


def included(key: str, session_id: str, started: datetime, list_usd: Decimal) -> Request:
    """At one dollar a million tokens."""
    return Request(
        request_key=key,
        source="case",
        session_id=session_id,
        provider="acme",
        model="m",
        started_at=started,
        uncached_input_tokens=int(list_usd * 1_000_000),
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=0,
        is_included=True,
    )


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def empty() -> Iterator[Store]:
    with Store.open(None) as store:
        yield store


@pytest.fixture
def month(empty: Store, catalog: Catalog, golden: Golden, tmp_path: Path) -> Month:
    """Known on the first of March, when the plan's period is over and that of the quota is not."""
    return Month(empty, catalog, golden(CASE), tmp_path, day("2026-03-01"))


def test_the_fee_of_a_plan_falls_to_sessions_by_list_equivalent(month: Month, golden_module: ModuleType) -> None:
    month.plan_is_used()
    plan = month.plan("2026-03-01")
    shares = {share["sessionId"]: share for share in plan["shares"]}
    middle = month.plan(month.inputs["subscription"]["midMonthAsOf"])
    cash = {share["cashUsd"] for share in (*plan["shares"], *middle["shares"])}
    first, *_ = month.inputs["subscription"]["usage"]
    bases = {
        "cashMarginalUsd": shares[first[1]]["cashUsd"],
        "amortisedUsd": shares[first[1]]["shareUsd"],
        "listEquivalentUsd": shares[first[1]]["listUsd"],
    }
    found = {
        "marginalCashPerRequestUsd": cash.pop(),
        "periodDays": plan["periodDays"],
        "listEquivalentUsd": plan["listEquivalentUsd"],
        "planLeverage": plan["leverage"],
        "unusedValueUsd": plan["unusedUsd"],
        "fullPeriodEffective": {name: share["shareUsd"] for name, share in shares.items()},
        "midMonth": {
            "accruedFeeUsd": middle["accruedUsd"],
            "effective": {share["sessionId"]: share["shareUsd"] for share in middle["shares"]},
        },
        "costBases": {first[1]: bases},
    }
    expected = {name: value for name, value in month.expected["subscription"].items() if name != "noUsage"}
    assert golden_module.differences(found, expected) == []
    assert cash == set()
    assert month.expected["mustNotEqual"]["subscriptionSessionCost"].startswith("0 ")
    assert Decimal(bases["amortisedUsd"]) != 0


def test_metrics_say_the_same_of_the_sessions(month: Month, golden_module: ModuleType) -> None:
    month.plan_is_used()
    names = ("session_api_cost", "plan_share_cost", "amortised_session_cost")
    rows = answer(month.store, month.catalog, *names, by=("session_id",), as_of=date(2026, 3, 1)).rows
    expected = month.expected["subscription"]["fullPeriodEffective"]
    for name in names[1:]:
        found = {str(row.keys["session_id"]): row.values[name] for row in rows}
        assert golden_module.differences(found, expected) == [], name
    assert {row.values["session_api_cost"] for row in rows} == {Decimal(0)}
    total = one(month.store, month.catalog, "plan_leverage", "unused_plan_value", as_of=date(2026, 3, 1)).values
    assert total["plan_leverage"] == float(month.expected["subscription"]["planLeverage"])
    assert total["unused_plan_value"] == Decimal(month.expected["subscription"]["unusedValueUsd"])


def test_facts_that_were_written_in_the_middle_of_the_month_hold_what_had_accrued_then(
    empty: Store, catalog: Catalog, golden: Golden, tmp_path: Path, golden_module: ModuleType
) -> None:
    case = golden(CASE)
    until = case["inputs"]["inputs.json"]["subscription"]["midMonthAsOf"]
    month = Month(empty, catalog, case, tmp_path, day(until))
    month.plan_is_used()
    rows = empty.read("SELECT session_id, share_usd FROM plan_shares").rows
    found = {"accruedFeeUsd": sum(usd for _, usd in rows), "effective": dict(rows)}
    assert golden_module.differences(found, month.expected["subscription"]["midMonth"]) == []


def test_a_plan_that_nobody_used_stays_where_it_is(month: Month, golden_module: ModuleType) -> None:
    month.plan_is_used(with_calls=False)
    plan, expected = month.plan("2026-03-01"), month.expected["subscription"]["noUsage"]
    (share,) = plan["shares"]
    assert expected["effective"] == f"fee stays in {share['kind']}_SUBSCRIPTION"
    assert (share["sessionId"], plan["status"]) == (None, "NO_USE")
    assert golden_module.differences(share["shareUsd"], expected["amountUsd"]) == []
    assert golden_module.differences(plan["unallocatedUsd"], expected["amountUsd"]) == []


def test_a_quota_says_when_it_runs_out(month: Month, golden_module: ModuleType) -> None:
    month.quota_is_used()
    fields = """unitUsd elapsedDays dailyCredits remainingCredits exhaustsOn resetsAt exhaustsBeforeReset daysLeft
        breakageUsd projectedCreditsAtReset projectedShortfallCredits status"""
    asked = f'{{ credits(asOf: "{month.inputs["credit_quota"]["as_of"]}T00:00:00Z") {{ quotas {{ {fields} }} }} }}'
    (quota,) = month.api.data(asked)["credits"]["quotas"]
    found = {
        "unitPriceUsdPerCredit": quota["unitUsd"],
        "elapsedDays": int(Decimal(quota["elapsedDays"])),
        "dailyCredits": quota["dailyCredits"],
        "remainingCredits": quota["remainingCredits"],
        "exhaustDate": quota["exhaustsOn"],
        "resetDate": quota["resetsAt"][:10],
        "exhaustsBeforeReset": quota["exhaustsBeforeReset"],
        "daysToExhaust": quota["daysLeft"],
        "effectiveUsd": month.credit_costs(month.inputs["credit_quota"]["vendor"]),
        "breakageIfPeriodEndedNowUsd": quota["breakageUsd"],
        "projectedCreditsAtReset": quota["projectedCreditsAtReset"],
        "projectedShortfallCredits": quota["projectedShortfallCredits"],
    }
    assert Decimal(quota["elapsedDays"]) == found["elapsedDays"]
    assert golden_module.differences(found, month.expected["creditQuota"]) == []
    assert quota["status"] == "OK"


def test_prepaid_credits_cost_what_was_paid_for_them_as_they_are_used(month: Month, golden_module: ModuleType) -> None:
    month.prepaid_are_used()
    fields = "paidPerCreditUsd usedUsd remainingCredits focus { chargeCategory billedCost effectiveCost }"
    asked = f'{{ credits(asOf: "2026-03-01T00:00:00Z") {{ vendors {{ {fields} }} }} }}'
    (vendor,) = month.api.data(asked)["credits"]["vendors"]
    found = {
        "effectivePerCredit": vendor["paidPerCreditUsd"],
        "effectiveUsd": month.credit_costs(month.inputs["prepaid"]["vendor"]),
        "consumedEffectiveUsd": vendor["usedUsd"],
        "remainingBalanceCredits": vendor["remainingCredits"],
        "focusRows": [
            {"ChargeCategory": r["chargeCategory"], "BilledCost": r["billedCost"], "EffectiveCost": r["effectiveCost"]}
            for r in vendor["focus"]
        ],
    }
    assert golden_module.differences(found, month.expected["prepaid"]) == []


def test_a_month_of_cash_and_a_month_of_cost_count_each_dollar_once(month: Month, golden_module: ModuleType) -> None:
    month.plan_is_used()
    month.quota_is_used()
    month.prepaid_are_used()
    february = TimeRange(day("2026-02-01"), day("2026-03-01"))
    total = one(month.store, month.catalog, "paid_spend", "accrued_spend", time=february, as_of=date(2026, 3, 1))
    assert total.evidence["accrued_spend"].status == "OK"
    found = {"cashBurnUsd": total.values["paid_spend"], "accrualCostUsd": total.values["accrued_spend"]}
    expected = {name: month.expected["monthViews"][name] for name in found}
    assert golden_module.differences(found, expected) == []
    twice = Decimal(month.expected["mustNotEqual"]["burnIfPurchaseAndConsumptionBothCounted"])
    assert twice not in found.values()
    events = sum(Decimal(usd) for _, usd in month.inputs["cash_events_in_month"])
    assert found["cashBurnUsd"] == events
    assert month.expected["monthViews"]["note"] == "runway uses cash; unit cost uses effective (accrual)"
