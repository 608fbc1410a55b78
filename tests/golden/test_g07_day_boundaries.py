"""G07: one set of charges by local day, ISO week and month in four zones, days of 23 and 25 hours among them."""

from datetime import date
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog, Grain, TimeRange, local_day, midnight
from store import Record, Request, Session, Store
from tests.golden.conftest import Golden, answer, instant, load_records

pytestmark = pytest.mark.golden
CASE = "G07_day_boundaries"
AS_OF = date(2026, 12, 31)


@pytest.fixture
def loaded(store: Store, golden: Golden) -> Store:
    charges = golden(CASE)["inputs"]["charges.csv"]
    report = load_records(store, [_request(row["id"], row["ts"], row["cost_usd"]) for row in charges])
    assert (report.stored, report.rejected) == (len(charges), 0)
    return store


def _request(key: str, at: str, usd: str, session: str | None = None) -> Record:
    return Request(request_key=key, source="case", started_at=instant(at), billed_usd=Decimal(usd), session_id=session)


def _by(store: Store, catalog: Catalog, grain: Grain, zone: str) -> dict[date, Decimal]:
    rows = answer(store, catalog, "inference_cost", grain=grain, zone=zone, as_of=AS_OF).rows
    found: dict[Any, Any] = {row.keys["time"]: row.values["inference_cost"] for row in rows}
    return {day: usd for day, usd in found.items() if usd}


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata", "Asia/Shanghai"])
def test_each_charge_is_in_its_local_day_week_and_month(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, zone: str
) -> None:
    actual = {
        "byDay": {str(day): usd for day, usd in _by(loaded, catalog, Grain.DAY, zone).items()},
        "byIsoWeek": {_week(day): usd for day, usd in _by(loaded, catalog, Grain.WEEK, zone).items()},
        "byMonth": {f"{day:%Y-%m}": usd for day, usd in _by(loaded, catalog, Grain.MONTH, zone).items()},
    }
    expected = golden(CASE)["expected"][zone]
    assert {name: set(found) for name, found in actual.items()} == {
        name: set(found) for name, found in expected.items()
    }
    assert golden_module.differences(actual, expected) == []


def test_the_total_is_the_same_in_every_zone(loaded: Store, catalog: Catalog, golden: Golden) -> None:
    zones = ("UTC", "America/New_York", "Asia/Kolkata", "Asia/Shanghai", "Pacific/Apia")
    totals = {
        answer(loaded, catalog, "inference_cost", zone=z, as_of=AS_OF).rows[0].values["inference_cost"] for z in zones
    }
    assert totals == {Decimal(golden(CASE)["expected"]["totalUsd"])}


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        ("America/New_York", date(2026, 6, 1), 24),
        ("UTC", date(2026, 3, 8), 24),
    ],
)
def test_a_series_by_hour_has_as_many_rows_as_the_local_day_has_hours(
    loaded: Store, catalog: Catalog, golden: Golden, zone: str, day: date, hours: int
) -> None:
    range_ = TimeRange(midnight(day, zone), midnight(date.fromordinal(day.toordinal() + 1), zone))
    rows = answer(loaded, catalog, "inference_cost", grain=Grain.HOUR, zone=zone, time=range_, as_of=AS_OF).rows
    assert len(rows) == len({row.keys["time"] for row in rows}) == hours
    assert golden(CASE)["expected"]["dayLengthHours"][f"{zone} {day}"] == hours


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_a_session_across_midnight_spends_on_two_days_and_belongs_to_the_one_it_started_on(
    store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, zone: str
) -> None:
    session = golden(CASE)["inputs"]["params.json"]["session"]
    records: list[Record] = [
        Session(
            session_id=session["session_id"], source="case", trigger="human", trigger_confidence=100,
            started_at=instant(session["started_at"]), ended_at=instant(session["ended_at"]),
            termination="success", termination_confidence=100,
        ),
        *(_request(f"r{n}", at, usd, session["session_id"]) for n, (at, usd) in enumerate(session["requests"])),
    ]  # fmt: skip
    assert load_records(store, records).rejected == 0
    (row,) = answer(store, catalog, "session_cost", grain=Grain.DAY, zone=zone).rows
    actual = {
        "spendByDay": {str(day): usd for day, usd in _by(store, catalog, Grain.DAY, zone).items()},
        "cohortDay": str(row.keys["time"]),
        "cohortCostUsd": row.values["session_cost"],
    }
    assert golden_module.differences(actual, golden(CASE)["expected"]["sessionAcrossMidnight"][zone]) == []
    started = instant(session["started_at"])
    assert started is not None
    assert str(local_day(started, zone)) == actual["cohortDay"]
