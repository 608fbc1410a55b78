"""1,000 anonymised rows of three clouds' FOCUS 1.0 bills: the sums of the file come out, digit for digit."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from loaders import focus
from loaders.job import run_load
from store import LoadReport, Store
from tests.stores import new_store

pytestmark = pytest.mark.real
NOW = datetime(2024, 11, 1, tzinfo=UTC)
NAME = "focus-1.0/focus_sample.csv"
OURS = {"AI and Machine Learning": "compute", "Compute": "compute", "Networking": "network", "Storage": "storage"}
"""All its rows of AI are machines, disks and traffic of Azure Machine Learning; none is a call to a model."""
SUMS = "SELECT count(*), sum(billed_usd), sum(amount_usd) FROM charges"


@pytest.fixture
def sample(shared: Callable[[str], Path]) -> Path:
    return shared(f"real-data/{NAME}")


@pytest.fixture
def expected(shared: Callable[[str], Path]) -> dict[str, Any]:
    stated: dict[str, Any] = json.loads(shared("real-data/EXPECTED.json").read_text())[NAME]
    return stated


def load(store: Store, path: Path, whole: str | None = None) -> LoadReport:
    return run_load(store, "focus", str(path), focus.read(path, now=NOW, whole=whole), now=NOW)


def sums_by(store: Store, column: str) -> dict[Any, Any]:
    rows = store.read(f"SELECT {column}, sum(amount_usd) FROM charge_days GROUP BY {column}").rows
    return {row[0]: row[1] for row in rows}


def test_the_effective_cost_is_kept_to_the_last_digit(sample: Path, expected: dict[str, Any]) -> None:
    # No amount of the file has more than 11 decimal places and the store keeps 12: no difference is allowed.
    with new_store() as store:
        report = load(store, sample)
        assert (report.read, report.stored, report.ignored, report.rejected) == (1000, 1000, 0, 0)
        assert store.read("SELECT sum(amount_usd) FROM charge_days").rows == [(Decimal("14.97651418586"),)]
        assert expected["effective"] == "14.97651418586"
        vendors = {group["k"]: Decimal(group["effective"]) for group in expected["by_ProviderName"]}
        assert sums_by(store, "vendor") == vendors == {"AWS": 13, "Microsoft": Decimal("1.97651418586"), "Oracle": 0}


def test_every_category_has_the_sum_of_its_services(sample: Path, expected: dict[str, Any]) -> None:
    sums: dict[str, Decimal] = {}
    for group in expected["by_ServiceCategory"]:
        ours = OURS.get(group["k"], "other" if group["k"] == "Other" else "software")
        sums[ours] = sums.get(ours, Decimal(0)) + Decimal(group["effective"])
    with new_store() as store:
        load(store, sample)
        assert sums_by(store, "category") == sums
        assert "inference" not in sums
        assert sums["compute"] == Decimal("14.60466352842")


def test_every_row_is_a_charge_of_the_day_that_it_started_on(sample: Path) -> None:
    with sample.open(newline="") as file:
        rows = list(csv.DictReader(file))
    days: dict[str, Decimal] = {}
    for row in rows:
        day = row["ChargePeriodStart"][:10]
        days[day] = days.get(day, Decimal(0)) + Decimal(row["EffectiveCost"])
    with new_store() as store:
        load(store, sample)
        assert store.read("SELECT count(*) FROM charge_days").rows == [(1000,)]
        assert {str(day): amount for day, amount in sums_by(store, "day").items()} == days


def test_what_was_billed_and_what_it_cost_in_effect_are_kept_side_by_side(
    sample: Path, expected: dict[str, Any]
) -> None:
    """What was billed has 495 different amounts, of many magnitudes, where what was effective has 40."""
    with new_store() as store:
        load(store, sample)
        assert store.read(SUMS).rows == [(1000, Decimal("20.52022672899"), Decimal("14.97651418586"))]
        assert expected["billed"] == "20.52022672899"
        vendors = {group["k"]: Decimal(group["billed"]) for group in expected["by_ProviderName"]}
        rows = store.read("SELECT vendor, sum(billed_usd) FROM charges GROUP BY vendor").rows
        assert {vendor: billed for vendor, billed in rows} == vendors  # noqa: C416 - a row is a tuple of any length


def test_loading_twice_changes_nothing(sample: Path) -> None:
    with new_store() as store:
        for whole in (None, "periods", None):
            report = load(store, sample, whole)
            assert (report.read, report.stored + report.unchanged, report.removed) == (1000, 1000, 0)
            assert store.read(SUMS).rows == [(1000, Decimal("20.52022672899"), Decimal("14.97651418586"))]
        assert report.unchanged == 1000


def test_rows_that_a_later_export_has_no_more_are_removed(sample: Path, tmp_path: Path) -> None:
    with sample.open(newline="") as file:
        header, *rows = csv.reader(file)
    later = tmp_path / "later.csv"
    kept = [row for number, row in enumerate(rows) if number % 10]
    with later.open("w", newline="") as file:
        csv.writer(file).writerows([header, *kept])
    billed, effective = (
        sum((Decimal(row[header.index(column)]) for row in kept), Decimal(0))
        for column in ("BilledCost", "EffectiveCost")
    )
    with new_store() as store:
        load(store, sample)
        assert load(store, later).removed == 0
        report = load(store, later, "periods")
        assert (report.read, report.removed) == (900, 100)
        assert store.read(SUMS).rows == [(900, billed, effective)]
        assert load(store, sample, "periods").stored == 100
        assert store.read(SUMS).rows == [(1000, Decimal("20.52022672899"), Decimal("14.97651418586"))]


def test_one_cloud_by_itself_leaves_the_bills_of_the_others_alone(sample: Path, tmp_path: Path) -> None:
    with sample.open(newline="") as file:
        header, *rows = csv.reader(file)
    alone = tmp_path / "oracle.csv"
    with alone.open("w", newline="") as file:
        csv.writer(file).writerows([header, *(row for row in rows if row[header.index("ProviderName")] == "Oracle")])
    with new_store() as store:
        load(store, sample)
        report = load(store, alone, "periods")
        assert (report.read, report.stored, report.removed) == (7, 0, 0)
        assert store.read(SUMS).rows == [(1000, Decimal("20.52022672899"), Decimal("14.97651418586"))]
