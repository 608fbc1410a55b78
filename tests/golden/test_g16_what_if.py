"""G16, repricing: cron work on another model, with its saving and the tokens at which that is gone. By GraphQL."""

from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from store import Record, Session, Store
from tests.golden.conftest import Golden, load_records, requests_of
from tests.server.conftest import Api

pytestmark = pytest.mark.golden
CASE = "G16_what_if"
QUESTION = """
query ($provider: String, $model: String!, $tokens: Decimal!, $where: FilterInput) {
  whatIf(provider: $provider, model: $model, tokenMultiplier: $tokens, where: $where) {
    label status actualUsd actualListUsd whatIfUsd savingUsd savingOnPaidUsd savingShare
    breakEven { tokenMultiplier status }
    total { actualUsd whatIfUsd status }
    largest(per: REQUEST, first: 100) { key actualUsd whatIfUsd }
  }
  metrics { rows { requestKey inferenceCost } }
}"""


@pytest.fixture
def case(golden: Golden) -> dict[str, Any]:
    return golden(CASE)


@pytest.fixture
def api(store: Store, catalog: Catalog, case: dict[str, Any]) -> Api:
    rows = case["inputs"]["requests.csv"]
    sessions: list[Record] = [
        Session(session_id=id_, source="case", agent=agent, trigger=trigger, trigger_confidence=100)
        for id_, agent, trigger in sorted({(row["session_id"], row["agent_id"], row["trigger"]) for row in rows})
    ]
    assert load_records(store, [*sessions, *requests_of(rows)]).rejected == 0
    return Api(catalog, store)


def asked(api: Api, params: dict[str, str], tokens: str) -> dict[str, Any]:
    where = {"trigger": {"eq": params["scope_trigger"].upper()}}
    names = {"provider": params["target_provider"], "model": params["target_model"]}
    return api.data(QUESTION, {**names, "tokens": params[tokens], "where": where})


def test_every_call_and_every_sum_is_repriced(api: Api, case: dict[str, Any], golden_module: ModuleType) -> None:
    params, expected = case["inputs"]["params.json"], case["expected"]
    answer = asked(api, params, "tokenMultiplier")
    told, altered = answer["whatIf"], asked(api, params, "altTokenMultiplier")["whatIf"]
    assert (told["status"], told["total"]["status"], told["breakEven"]["status"]) == ("OK", "OK", "OK")
    outside = {row["requestKey"]: row["inferenceCost"] for row in answer["metrics"]["rows"]}
    inside = {part["key"]: {k: v for k, v in part.items() if k != "key"} for part in told["largest"]}
    found = {
        "per": {key: {"actualUsd": cost, "whatIfUsd": cost} for key, cost in outside.items()} | inside,
        "repricing": {
            "actualTotalUsd": told["total"]["actualUsd"],
            "scopeActualUsd": told["actualUsd"],
            "scopeWhatIfUsd": told["whatIfUsd"],
            "savingUsd": told["savingUsd"],
            "savingShareOfScope": told["savingShare"],
            "totalWhatIfUsd": told["total"]["whatIfUsd"],
            "scopeWhatIfUsdAt1_2xTokens": altered["whatIfUsd"],
            "savingUsdAt1_2xTokens": altered["savingUsd"],
        },
        "breakEvenTokenMultiplier": told["breakEven"]["tokenMultiplier"],
        "label": told["label"],
    }
    assert golden_module.differences(found, {name: expected[name] for name in found}) == []
    assert len(inside) < len(outside)
    assert Decimal(told["actualListUsd"]) == Decimal(told["actualUsd"])
    assert Decimal(told["savingOnPaidUsd"]) == Decimal(told["savingUsd"])


def test_at_the_break_even_nothing_is_saved(api: Api, case: dict[str, Any]) -> None:
    params = case["inputs"]["params.json"]
    even = Decimal(case["expected"]["breakEvenTokenMultiplier"]).quantize(Decimal("0.000001"))
    saved = asked(api, {**params, "even": str(even)}, "even")["whatIf"]["savingUsd"]
    assert abs(Decimal(saved)) < Decimal("0.000001")
