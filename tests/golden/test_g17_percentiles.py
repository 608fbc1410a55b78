"""G17: percentiles of the depletion date with and without the error of the mean, from a store of 30 days of calls."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from store import CashBalance, Record, Request
from tests.golden.conftest import Golden, load_records
from tests.server.conftest import Api
from tests.stores import new_store

pytestmark = pytest.mark.golden
CASE = "G17_depletion_percentiles"
TOLERANCE = Decimal("0.001")
ANSWER = (
    "runwayDays depletionDate percentiles(as: $as) { status method basisDays paths seed sdProcessDays sdMeanDays "
    "sdCombinedDays values { p days date } }"
)


@pytest.fixture
def api(golden: Golden, catalog: Catalog) -> Iterator[Api]:
    """Days that are as far above the mean as below, in an order without a pattern, so that mean and deviation hold."""
    given = golden(CASE)["inputs"]["params.json"]
    n, mean, deviation = (
        given["n_days_observed"],
        Decimal(given["mean_daily_net_burn"]),
        Decimal(given["sd_daily_net_burn"]),
    )
    off = (Decimal(deviation) * (Decimal(n - 1) / n).sqrt()).quantize(Decimal("1e-12"))
    as_of = date.fromisoformat(given["as_of"])
    records: list[Record] = [
        CashBalance(account="bank", as_of_on=as_of, balance_usd=Decimal(given["cash_usd"]), source="case")
    ]
    for number in range(n):
        day = as_of - timedelta(days=n - number)
        records.append(
            Request(
                request_key=f"r{number}",
                source="case",
                started_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
                billed_usd=Decimal(mean) + off * (1 if number % 2 else -1),
            )
        )
    with new_store() as store:
        load_records(store, records)
        yield Api(catalog, store)


def asked(api: Api, golden: Golden, **how: Any) -> dict[str, Any]:
    given = golden(CASE)["inputs"]["params.json"]
    text = f'query($as: PercentilesInput) {{ runway(asOf: "{given["as_of"]}") {{ {ANSWER} }} }}'
    values = [float(p) for p in given["percentiles"]]
    return dict(api.data(text, {"as": {"values": values, **how}})["runway"])


def by_name(golden: Golden, told: dict[str, Any]) -> dict[str, Any]:
    names = golden(CASE)["inputs"]["params.json"]["percentiles"]
    return dict(zip(names, told["percentiles"]["values"], strict=True))


def test_the_closed_form_with_and_without_the_error_of_the_mean(
    api: Api, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    narrow = asked(api, golden, method="NORMAL", hasMeanError=False)
    wide = asked(api, golden, method="NORMAL")
    spread = wide["percentiles"]
    found = {
        "pointEstimate": {"days": wide["runwayDays"], "date": wide["depletionDate"]},
        "processNoiseOnly": by_name(golden, narrow),
        "withParameterUncertainty": by_name(golden, wide),
        "sdDays": {
            "processOnly": spread["sdProcessDays"],
            "fromMeanUncertainty": spread["sdMeanDays"],
            "combinedApprox": spread["sdCombinedDays"],
        },
        "tolerance": expected["tolerance"],  # in words; the next test is what it says
    }
    assert golden_module.differences(found, expected, tol=TOLERANCE) == []
    narrow_days, wide_days = ([v["days"] for v in t["percentiles"]["values"]] for t in (narrow, wide))
    assert wide_days[-1] - wide_days[0] > 2 * (narrow_days[-1] - narrow_days[0])


def test_simulated_companies_agree_and_a_seed_gives_the_same_dates(
    api: Api, golden: Golden, golden_module: ModuleType
) -> None:
    case = golden(CASE)
    how = {"method": "BLOCK_BOOTSTRAP", "paths": 20_000, "seed": 7, "blockDays": 1}
    told = asked(api, golden, **how)
    assert asked(api, golden, **how) == told
    assert (told["percentiles"]["paths"], told["percentiles"]["seed"]) == (20_000, 7)
    days = {name: {"days": value["days"]} for name, value in by_name(golden, told).items()}
    wanted = {name: {"days": v["days"]} for name, v in case["expected"]["withParameterUncertainty"].items()}
    tolerance = Decimal(str(case["inputs"]["params.json"]["tolDaysForMonteCarlo"]))
    assert golden_module.differences(days, wanted, tol=tolerance) == []
