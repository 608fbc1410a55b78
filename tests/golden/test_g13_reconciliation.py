"""G13: what calls cost beside what providers billed, by provider and day: two accounts that are never added."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from store import Request, Store
from tests.golden.conftest import NOW, Golden, instant, load, load_records, one, write_csv
from tests.server.conftest import Api, Json

pytestmark = pytest.mark.golden
CASE = "G13_reconciliation"
ROWS = "provider startsOn endsOn status driftUsd driftShare officialUsd"
TOTALS = """officialUsd computedUsd billedUsd settledComputedUsd netDriftUsd absoluteDriftUsd captureShare pendingUsd
    matchedShare"""


@pytest.fixture
def case(golden: Golden) -> Json:
    return golden(CASE)


@pytest.fixture
def store(case: Json, tmp_path: Path) -> Any:
    """The computed side as calls whose cost their provider states, the billed side through the loader for charges."""
    rows = case["inputs"]["provider_days.csv"]
    tolerance = case["inputs"]["params.json"]
    with Store.open(None) as opened:
        opened.set_tolerance(Decimal(tolerance["absToleranceUsd"]), Decimal(tolerance["relTolerance"]))
        load_records(opened, [call(row) for row in rows if row["computed_usd"]])
        billed = [bill(row) for row in rows if row["invoice_state"] == "SETTLED"]
        assert load(opened, "charges", write_csv(tmp_path / "bills.csv", billed)).stored == len(billed)
        yield opened


def call(row: Json) -> Request:
    return Request(
        request_key=f"{row['provider']} {row['day']}",
        source="case",
        provider=row["provider"],
        started_at=instant(f"{row['day']}T15:00:00Z"),
        billed_usd=Decimal(row["computed_usd"]),
    )


def bill(row: Json) -> Json:
    on = date.fromisoformat(row["day"])
    return {
        "charge_id": f"{row['provider']} {on}",
        "category": "inference",
        "amount_usd": row["billed_usd"],
        "starts_on": on,
        "ends_on": on + timedelta(days=1),
        "vendor": row["provider"].title(),
    }


def asked(catalog: Catalog, store: Store, fields: str, arguments: str = "") -> Json:
    return dict(Api(catalog, store).data(f"{{ reconciliation{arguments} {{ {fields} }} }}")["reconciliation"])


def test_each_provider_and_day_is_compared(
    store: Store, catalog: Catalog, case: Json, golden_module: ModuleType
) -> None:
    rows = asked(catalog, store, f"rows {{ {ROWS} }}")["rows"]
    found = {
        (row["provider"], row["startsOn"]): {
            "provider": row["provider"],
            "day": row["startsOn"],
            "status": row["status"],
            "driftUsd": row["driftUsd"],
            "driftShareOfBilled": row["driftShare"],
            "officialUsd": row["officialUsd"],
        }
        for row in rows
    }
    expected = {(row["provider"], row["day"]): row for row in case["expected"]["rows"]}
    assert found.keys() == expected.keys()
    for key, row in expected.items():
        assert golden_module.differences(found[key], row) == [], key


def test_totals_do_not_let_differences_cancel(
    store: Store, catalog: Catalog, case: Json, golden_module: ModuleType
) -> None:
    totals = asked(catalog, store, f"totals {{ {TOTALS} }}")["totals"]
    named = {
        "settledBilledUsd": "billedUsd",
        "absDriftUsd": "absoluteDriftUsd",
        "captureShareOfBilled": "captureShare",
        "matchedShareOfBilled": "matchedShare",
    }
    expected = case["expected"]["totals"]
    found = {name: totals[named.get(name, name)] for name in expected}
    assert golden_module.differences(found, expected) == []
    assert case["expected"]["mustNotEqual"]["driftQuality"].endswith("quality = absDriftUsd and matchedShareOfBilled")
    assert Decimal(totals["absoluteDriftUsd"]) != abs(Decimal(totals["netDriftUsd"]))


def test_the_residual_is_a_line_of_its_own_that_makes_the_total_the_invoice(
    store: Store, catalog: Catalog, case: Json, golden_module: ModuleType
) -> None:
    found = asked(catalog, store, "residuals { label provider usd } totals { settledComputedUsd billedUsd }")
    expected = case["expected"]["residualLine"]
    lines = {line["provider"]: line["usd"] for line in found["residuals"]}
    assert golden_module.differences(lines, expected["byProvider"]) == []
    assert {line["label"] for line in found["residuals"]} == {expected["label"]}
    total = Decimal(found["totals"]["settledComputedUsd"]) + sum(map(Decimal, lines.values()))
    assert total == Decimal(found["totals"]["billedUsd"])
    assert expected["rule"].startswith("session costs stay as computed")
    cost = one(store, catalog, "inference_cost", as_of=NOW.date()).values["inference_cost"]
    assert golden_module.differences(str(cost), case["expected"]["totals"]["computedUsd"]) == []


def test_every_sum_of_spend_says_how_much_of_it_is_reconciled(store: Store, catalog: Catalog, case: Json) -> None:
    rows = case["inputs"]["provider_days.csv"]
    matching = {(row["provider"], row["day"]) for row in case["expected"]["rows"] if row["status"] == "MATCH"}
    expected = sum(Decimal(row["computed_usd"]) for row in rows if (row["provider"], row["day"]) in matching)
    total = one(store, catalog, "inference_cost", "reconciled_cost", "reconciled_share", as_of=NOW.date()).values
    assert total["reconciled_cost"] == expected
    assert total["reconciled_share"] == pytest.approx(float(expected / total["inference_cost"]), rel=1e-12)
