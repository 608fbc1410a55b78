"""G06: invoices spread over days and laid on sessions by three policies; idle and unallocated stay visible."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog, TimeRange, parse_filter
from semantic.periods import Calendar
from semantic.ranges import parse_range
from store import Charge, Record, Request, Session, Store
from tests.golden.conftest import Case, Golden, answer, instant, load_records, one, sessions_of

pytestmark = pytest.mark.golden
CASE = "G06_infra_allocation"


@pytest.fixture
def case(golden: Golden) -> Case:
    return golden(CASE)


@pytest.fixture
def loaded(case: Case) -> Iterator[Store]:
    """The invoices, the sessions, and one call of session a that was billed what the case says that it cost."""
    inputs = case["inputs"]
    seen = instant(inputs["params.json"]["asOfForOpenSessions"])
    sessions = [s for s in sessions_of(inputs["sessions.csv"]) if isinstance(s, Session)]
    records: list[Record] = [s if s.termination else replace(s, observed_at=seen, is_running=True) for s in sessions]
    records += [
        Charge(
            charge_id=row["cost_id"],
            source="case",
            category="compute",
            amount_usd=Decimal(row["amount_usd"]),
            starts_on=date.fromisoformat(row["period_start"]),
            ends_on=date.fromisoformat(row["period_end"]),
        )
        for row in inputs["infra_costs.csv"]
    ]
    billed = Decimal(case["expected"]["fullyLoadedSession_a"]["apiCostUsd"])
    records.append(
        Request(
            request_key="a",
            source="case",
            session_id="a",
            started_at=instant("2026-02-18T10:00:00Z"),
            billed_usd=billed,
        )
    )
    with Store.open(None) as store:
        assert load_records(store, records).rejected == 0
        store.set_allocation(inputs["params.json"]["capacitySlots"], "capacity")
        yield store


def days_of(case: Case) -> TimeRange:
    first, *_, last = case["inputs"]["params.json"]["days"]
    return parse_range(f"{first} to {last}", date(2026, 2, 21), "UTC", Calendar())


def by_day(store: Store, catalog: Catalog, case: Case, metric: str) -> dict[str, Any]:
    rows = answer(store, catalog, metric, time=days_of(case), grain="day", as_of=date(2026, 2, 20)).rows
    return {str(row.keys["time"])[:10]: row.values[metric] for row in rows}


def by_session(store: Store, catalog: Catalog, metric: str, expected: dict[str, str]) -> dict[str, Any]:
    rows = answer(store, catalog, metric, by=("session_id",)).rows
    found = {str(row.keys["session_id"]): row.values[metric] for row in rows}
    assert {name: value for name, value in found.items() if value} == {name: found[name] for name in expected}
    return {name: found[name] for name in expected}


def per_day(store: Store, case: Case, column: str) -> dict[str, dict[str, Any]]:
    """What each session has of each day: a table of the store, which SQL reads; metrics add it up by session."""
    rows = store.read(f"SELECT day, session_id, {column} FROM session_days WHERE {column} <> 0").rows
    found: dict[str, dict[str, Any]] = {day: {} for day in case["inputs"]["params.json"]["days"]}
    for day, session, usd in rows:
        found[str(day)][str(session)] = usd
    return found


def test_the_pool_of_a_day_is_what_each_invoice_has_for_it(
    loaded: Store, catalog: Catalog, case: Case, golden_module: ModuleType
) -> None:
    pools = by_day(loaded, catalog, case, "compute_pool_cost")
    assert golden_module.differences(pools, case["expected"]["dailyPoolUsd"]) == []
    total = one(loaded, catalog, "compute_pool_cost", time=days_of(case), as_of=date(2026, 2, 20))
    assert golden_module.differences(total.values["compute_pool_cost"], case["expected"]["poolTotalUsd"]) == []


@pytest.mark.parametrize(
    ("policy", "metric", "column", "left"),
    [
        ("BUSY_TIME", "compute_cost_by_busy_time", "allocated_busy_usd", "unallocated_compute_by_busy_time"),
        ("EVEN", "compute_cost_evenly", "allocated_even_usd", "unallocated_compute_evenly"),
    ],
)
def test_policies_that_share_everything_leave_only_the_days_without_sessions(
    loaded: Store,
    catalog: Catalog,
    case: Case,
    golden_module: ModuleType,
    policy: str,
    metric: str,
    column: str,
    left: str,
) -> None:
    expected = case["expected"][policy]
    sessions = by_session(loaded, catalog, metric, expected["perSession"])
    unallocated = one(loaded, catalog, left, time=days_of(case), as_of=date(2026, 2, 20)).values[left]
    actual = {
        "perDay": per_day(loaded, case, column),
        "perSession": sessions,
        "unallocatedUsd": unallocated,
        "allocatedUsd": sum(sessions.values()),
    }
    assert golden_module.differences({name: actual[name] for name in expected}, expected) == []
    assert sum(sessions.values()) + unallocated == Decimal(case["expected"]["poolTotalUsd"])


def test_by_capacity_what_nobody_used_stays_visible(
    loaded: Store, catalog: Catalog, case: Case, golden_module: ModuleType
) -> None:
    expected = case["expected"]["CAPACITY"]
    sessions = by_session(loaded, catalog, "compute_cost_by_capacity", expected["perSession"])
    idle = one(
        loaded, catalog, "idle_compute_cost", "idle_compute_share", time=days_of(case), as_of=date(2026, 2, 20)
    ).values
    actual = {
        "perSession": sessions,
        "idleUsdPerDay": by_day(loaded, catalog, case, "idle_compute_cost"),
        "idleUsd": idle["idle_compute_cost"],
        "idleShare": idle["idle_compute_share"],
    }
    assert golden_module.differences(actual, expected) == []
    assert sum(sessions.values()) + idle["idle_compute_cost"] == Decimal(case["expected"]["poolTotalUsd"])


def test_the_policy_in_force_is_in_the_cost_of_a_session(
    loaded: Store, catalog: Catalog, case: Case, golden_module: ModuleType
) -> None:
    expected, slots = case["expected"]["fullyLoadedSession_a"], case["inputs"]["params.json"]["capacitySlots"]
    metrics = ("session_api_cost", "session_compute_cost", "cost_per_session")
    capacity = one(loaded, catalog, *metrics, where=parse_filter("session_id = 'a'")).values
    loaded.set_allocation(slots, "busy_time")
    busy = one(loaded, catalog, *metrics, where=parse_filter("session_id = 'a'")).values
    actual = {
        "apiCostUsd": busy["session_api_cost"],
        "allocatedComputeUsd": busy["session_compute_cost"],
        "costPerSessionUsd": busy["cost_per_session"],
        "capacityPolicyUsd": capacity["cost_per_session"],
    }
    assert golden_module.differences(actual, expected) == []
