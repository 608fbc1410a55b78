"""G03: what a session costs by model: 0.47 on Opus, 0.12 on Sonnet. Through price book, store and metrics."""

from decimal import Decimal
from types import ModuleType

import pytest

from semantic import Catalog
from store import Store
from tests.golden.conftest import Golden, answer, load_records, one, requests_of, sessions_of

pytestmark = pytest.mark.golden


@pytest.fixture
def loaded(store: Store, golden: Golden) -> Store:
    inputs = golden("G03_seed_unit_cost")["inputs"]
    load_records(store, [*sessions_of(inputs["sessions.csv"]), *requests_of(inputs["requests.csv"])])
    return store


def test_cost_per_session_by_model(loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType) -> None:
    expected = golden("G03_seed_unit_cost")["expected"]
    rows = answer(
        loaded, catalog, "sessions", "session_cost", "cost_per_session", "median_session_cost", by=("model",)
    ).rows
    actual = {
        row.keys["model"]: {
            "sessions": row.values["sessions"],
            "totalUsd": row.values["session_cost"],
            "costPerSessionUsd": row.values["cost_per_session"],
            "medianUsd": row.values["median_session_cost"],
        }
        for row in rows
    }
    wanted = {
        model: {k: v for k, v in body.items() if k in actual[model]} for model, body in expected["byModel"].items()
    }
    assert golden_module.differences(actual, wanted) == []
    assert {row.evidence["cost_per_session"].status for row in rows} == {"OK"}


def test_the_whole_is_the_ratio_of_the_sums_and_not_the_mean_of_the_means(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden("G03_seed_unit_cost")["expected"]
    whole = one(loaded, catalog, "session_cost", "cost_per_session", "inference_cost").values
    assert golden_module.differences(whole["session_cost"], expected["totalUsd"]) == []
    assert golden_module.differences(whole["inference_cost"], expected["totalUsd"]) == []
    assert golden_module.differences(whole["cost_per_session"], expected["overallCostPerSessionUsd"]) == []
    assert not golden_module.forbidden(whole["cost_per_session"], expected["mustNotEqual"]["overallIfMeanOfModelMeans"])


@pytest.mark.parametrize(("dimension", "answers"), [("agent", "byAgentUsd"), ("trigger", "byTriggerUsd")])
def test_cost_by_agent_and_by_trigger(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, dimension: str, answers: str
) -> None:
    rows = answer(loaded, catalog, "inference_cost", by=(dimension,)).rows
    actual = {row.keys[dimension]: row.values["inference_cost"] for row in rows}
    assert golden_module.differences(actual, golden("G03_seed_unit_cost")["expected"][answers]) == []


def test_each_session_has_its_own_cost(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    rows = answer(loaded, catalog, "session_cost", by=("session_id",)).rows
    actual = {row.keys["session_id"]: row.values["session_cost"] for row in rows}
    assert golden_module.differences(actual, golden("G03_seed_unit_cost")["expected"]["perSessionUsd"]) == []


def test_what_the_models_cost_beside_each_other(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    rows = answer(loaded, catalog, "cost_per_session", by=("model",)).rows
    per_session = {str(row.keys["model"]): Decimal(str(row.values["cost_per_session"])) for row in rows}
    opus, sonnet = per_session["claude-opus-4-6"], per_session["claude-sonnet-4-6"]
    expected = golden("G03_seed_unit_cost")["expected"]
    assert golden_module.differences(round(opus / sonnet, 12), expected["costRatioOpusToSonnet"]) == []
    assert golden_module.differences(opus - sonnet, expected["costGapUsd"]) == []
    least = expected["breakEvenSuccessRate"]["sonnetMustBeAtMostForOpusToWinOnRatio"]
    assert golden_module.differences(round(sonnet / opus, 12), least) == []
