"""G10: burn, runway and depletion date; unknown cash, profit, break-even, stale cash, the calendar, agent volume.

Each company of the case is a store of its own, asked by GraphQL with `runway`, and as metrics beside it.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from store import CashBalance, CashFlow, Charge, Record, Request, Session
from tests.golden.conftest import Golden, load_records, one
from tests.server.conftest import Api
from tests.stores import new_store

pytestmark = pytest.mark.golden
CASE = "G10_runway"
LAST_ASKED = datetime(2028, 3, 1, tzinfo=UTC)
POINT = "status flags basisDays runwayDays runwayMonths depletionDate"
BURN = "grossBurnDailyUsd netBurnDailyUsd grossBurnMonthlyUsd netBurnMonthlyUsd"
ROLLED = "rolledForward { cashUsd runwayDays depletionDate }"
Row = dict[str, str | None]
Ask = Callable[[list[Record], str], dict[str, Any]]


@pytest.fixture
def ask(catalog: Catalog) -> Ask:
    def asked(records: list[Record], selection: str) -> dict[str, Any]:
        with new_store() as store:
            load_records(store, records, LAST_ASKED)  # every day of every company is loaded: no spend is stale
            return dict(Api(catalog, store, now=LAST_ASKED).data(f"{{ {selection} }}")["runway"])

    return asked


def charge(name: str, category: Any, usd: str, since: date, until: date) -> Charge:
    return Charge(
        charge_id=name, source="case", category=category, amount_usd=Decimal(usd), starts_on=since, ends_on=until
    )


def call(name: str, usd: str, at: datetime, session_id: str | None = None) -> Request:
    return Request(request_key=name, source="case", session_id=session_id, started_at=at, billed_usd=Decimal(usd))


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def balance(usd: str | None, on: str | None) -> list[Record]:
    if usd is None or on is None:
        return []
    return [CashBalance(account="bank", as_of_on=date.fromisoformat(on), balance_usd=Decimal(usd), source="case")]


def company(row: Row) -> list[Record]:
    as_of, basis = date.fromisoformat(str(row["as_of"])), int(str(row["basis_days"]))
    records = balance(row["cash_usd"], row["cash_as_of"])
    if basis:
        since = as_of - timedelta(days=basis)
        for name, category in (("infra", "compute"), ("vendor", "software"), ("overhead", "people")):
            records.append(charge(name, category, str(row[f"{name}_usd"]), since, as_of))
        records.append(call("calls", str(row["inference_usd"]), noon(since)))
        records.append(
            CashFlow(
                flow_id="sales",
                source="case",
                kind="revenue",
                amount_usd=Decimal(str(row["revenue_usd"])),
                occurred_on=as_of - timedelta(days=1),
            )
        )
    return records


def test_every_company_has_its_burn_runway_and_status(golden: Golden, golden_module: ModuleType, ask: Ask) -> None:
    case = golden(CASE)
    found = {
        str(row["scenario"]): ask(company(row), f'runway(asOf: "{row["as_of"]}") {{ {POINT} {BURN} {ROLLED} }}')
        for row in case["inputs"]["scenarios.csv"]
    }
    assert golden_module.differences(found, case["expected"]["scenarios"]) == []
    for place, wrong in case["expected"]["mustNotEqual"].items():
        name, field = place.split(".")
        assert found[name][field] is None, f"{place} must not be {wrong}"
        assert not golden_module.forbidden(found[name][field], wrong)


def test_the_metrics_say_the_same(golden: Golden, golden_module: ModuleType, catalog: Catalog) -> None:
    case = golden(CASE)
    for row in case["inputs"]["scenarios.csv"]:
        expected = case["expected"]["scenarios"][row["scenario"]]
        with new_store() as store:
            load_records(store, company(row))
            as_of = date.fromisoformat(row["as_of"])
            found = one(store, catalog, "burn_rate", "net_burn_rate", "runway_months", "depletion_date", as_of=as_of)
        told = {
            "grossBurnMonthlyUsd": found.values["burn_rate"],
            "netBurnMonthlyUsd": found.values["net_burn_rate"],
            "depletionDate": _day(found.values["depletion_date"]),
        }
        same = {name: expected[name] for name in told}
        assert golden_module.differences(told, same) == [], row["scenario"]
        months, wanted = found.values["runway_months"], expected["runwayMonths"]
        assert (months is None) == (wanted is None), row["scenario"]
        assert months is None or float(str(months)) == pytest.approx(float(wanted), rel=1e-12)
        if wanted is None and expected["status"] != "NO_DATA":
            assert found.evidence["runway_months"].status == expected["status"]


def _day(value: Any) -> str | None:
    return None if value is None else str(value)


def test_the_calendar_is_walked(golden: Golden, golden_module: ModuleType, ask: Ask) -> None:
    case = golden(CASE)
    given, expected = case["inputs"]["scheduled.json"], case["expected"]["scheduledCashWalk"]
    as_of = date.fromisoformat(given["as_of"])
    since, soon = as_of - timedelta(days=30), as_of + timedelta(days=1)
    spend = str(Decimal(given["daily_variable_usd"]) * 30)
    company = [*balance(given["cash_usd"], given["as_of"]), charge("daily", "compute", spend, since, as_of)]
    company += [
        CashFlow(
            flow_id=item["name"],
            source="case",
            kind="expense",
            amount_usd=-Decimal(item["amount_usd"]),
            day_of_month=item["day_of_month"],
            starts_on=soon,
        )
        for item in given["recurring"]
    ]
    found: dict[str, Any] = {
        "monthEndRule": expected["monthEndRule"]
    }  # in words; the closing of 28 February is the rule
    for variant, items in given["variants"].items():
        planned = [
            CashFlow(
                flow_id=item["name"],
                source="case",
                kind="revenue",
                amount_usd=-Decimal(item["amount_usd"]),
                occurred_on=date.fromisoformat(item["date"]),
            )
            for item in items
        ]
        told = ask(
            [*company, *planned],
            f'runway(asOf: "{as_of}", horizonDays: {given["horizon_days"]}) {{ runwayDays depletionDate '
            "walk { on closingUsd } flat { dailyUsd days date errorDays } }",
        )
        closings = {day["on"]: day["closingUsd"] for day in told["walk"]}
        found[variant] = {
            "depletionDate": told["depletionDate"],
            "daysToDepletion": told["runwayDays"],
            "closingBalanceThatDay": closings[told["depletionDate"]],
            "closingBalances": closings,
        }
        if not items:
            found["flatRunRateForComparison"] = told["flat"]
    assert golden_module.differences(found, expected) == []


def test_runway_is_a_function_of_the_volume_of_agents(golden: Golden, golden_module: ModuleType, ask: Ask) -> None:
    case = golden(CASE)
    given = case["inputs"]["agent_scaling.json"]
    as_of = date.fromisoformat(given["as_of"])
    since = as_of - timedelta(days=30)
    records = balance(given["cash_usd"], given["as_of"])
    records.append(charge("fixed", "compute", str(Decimal(given["fixed_daily_usd"]) * 30), since, as_of))
    for number in range(30):
        at = noon(since + timedelta(days=number))
        records.append(Session(session_id=f"s{number}", source="case", started_at=at, ended_at=at))
        records.append(call(f"r{number}", given["cost_per_session_usd"], at, f"s{number}"))
    volumes = ", ".join(f'{{name: "{n}", sessionsPerDay: "{n}"}}' for n in given["sessions_per_day"])
    months = ", ".join(f'"{target}"' for target in given["targetMonths"])
    told = ask(
        records,
        f'runway(asOf: "{as_of}", scenarios: [{volumes}]) {{ scenarios {{ name {POINT} {BURN} }} '
        f"agentsAffordable(months: [{months}]) {{ months status maxSessionsPerDay low high }} }}",
    )
    by_volume = {one["name"]: {**one, "dailyUsd": one["netBurnDailyUsd"]} for one in told["scenarios"]}
    breaks = {f"{one['months']}Months": one for one in told["agentsAffordable"]}
    assert golden_module.differences(by_volume, case["expected"]["agentScaling"]) == []
    assert golden_module.differences(breaks, case["expected"]["agentScalingBreak"]) == []
