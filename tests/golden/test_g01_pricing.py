"""G01: the cost of nineteen calls, from the answers of their providers and the price book, through both loaders."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from finance.pricing import PriceBook, is_over_tier, list_equivalent
from loaders import responses
from loaders.job import run_load
from semantic import Catalog
from store import PricedRequest, Store
from tests.golden.conftest import NOW, Golden, one, write_jsonl

pytestmark = pytest.mark.golden
CASE = "G01_request_pricing"
NAMES = {"COMPUTED": "PRICED", "FREE": "PRICED"}
"""Where the golden answers use another word; a free model is priced at 0."""
Stored = dict[str, PricedRequest]


@pytest.fixture
def loaded(store: Store, golden: Golden, tmp_path: Path) -> Store:
    rows = golden(CASE)["inputs"]["requests.csv"]
    log = write_jsonl(tmp_path / "answers.jsonl", [line(row) for row in rows])
    report = run_load(store, "responses", str(log), responses.read(log, now=NOW), now=NOW)
    assert (report.read, report.stored, report.rejected) == (len(rows), len(rows), 0)
    return store


@pytest.fixture
def calls(loaded: Store) -> Stored:
    return {stored.request.request_key.split(":")[1]: stored for stored in loaded.requests_of(None)}


def line(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the case as a gateway logs it: the answer in the provider's own shape, the rest beside it."""
    return {
        "provider": row["provider"],
        "model": row["model"],
        "at": row["ts"],
        "session_id": row["session_id"],
        "agent": row["agent_id"],
        "request_id": row["request_id"],
        "status": "ok" if row["status"] == "ok" else "error",
        "billed_usd": None if row["provider"] == "openrouter" else row["billed_usd"],
        "is_included": row["billing_mode"] == "SUBSCRIPTION",
        "response": None if row["input_tokens"] is None else answer(row),
    }


def answer(row: dict[str, Any]) -> dict[str, Any]:
    count = {name: int(row[f"{name}_tokens"]) for name in ("input", "cache_read", "output")}
    five_minutes, one_hour = int(row["cache_write_5m_tokens"]), int(row["cache_write_1h_tokens"])
    if row["provider"] == "google":
        usage = {
            "promptTokenCount": count["input"],
            "cachedContentTokenCount": count["cache_read"],
            "candidatesTokenCount": count["output"],
        }
        return {"responseId": row["request_id"], "modelVersion": row["model"], "usageMetadata": usage}
    if row["accounting"] == "EXCLUSIVE":
        messages = {
            "input_tokens": count["input"],
            "cache_read_input_tokens": count["cache_read"],
            "cache_creation_input_tokens": five_minutes + one_hour,
            "cache_creation": {"ephemeral_5m_input_tokens": five_minutes, "ephemeral_1h_input_tokens": one_hour},
            "output_tokens": count["output"],
        }
        return {"id": row["request_id"], "model": row["model"], "usage": messages}
    assert five_minutes + one_hour == 0
    charged = {"cost": float(row["billed_usd"]), "cost_details": {}} if row["provider"] == "openrouter" else {}
    chat = {
        "prompt_tokens": count["input"],
        "completion_tokens": count["output"],
        "total_tokens": count["input"] + count["output"],
        "prompt_tokens_details": {"cached_tokens": count["cache_read"]},
    }
    return {"id": row["request_id"], "model": row["model"], "usage": chat | charged}


def test_every_call_costs_what_it_should(
    loaded: Store, calls: Stored, golden: Golden, golden_module: ModuleType
) -> None:
    book = PriceBook(loaded.prices())
    found = {}
    for name, stored in calls.items():
        request, listed = stored.request, list_equivalent(stored.request, book)
        line = book.in_force(request.provider, request.model, request.started_at)
        found[name] = {
            "computedUsd": listed.usd,
            "effectiveUsd": stored.cost_usd,
            "status": stored.cost_status,
            "priceId": listed.price_id,
            "tierApplied": None if line is None or listed.usd is None else is_over_tier(request, line),
        }
        if stored.cost_status == "PRICED":
            assert (stored.cost_usd, stored.price_id) == (listed.usd, listed.price_id), name
    expected = golden(CASE)["expected"]["perRequest"]
    said = {name: row | {"status": NAMES.get(row["status"], row["status"])} for name, row in expected.items()}
    assert set(found) == set(expected)
    assert golden_module.differences(found, said) == []


def test_no_call_costs_what_the_known_defects_make_of_it(
    calls: Stored, golden: Golden, golden_module: ModuleType
) -> None:
    wrong = golden(CASE)["expected"]["mustNotEqual"]
    assert wrong
    for name, amount in wrong.items():
        assert not golden_module.forbidden(calls[name].cost_usd, amount), name


def test_the_total_is_a_lower_bound_and_says_that_two_calls_are_unknown(
    loaded: Store, catalog: Catalog, calls: Stored, golden: Golden, golden_module: ModuleType
) -> None:
    totals = golden(CASE)["expected"]["totals"]
    row = one(loaded, catalog, "inference_cost", "requests")
    assert golden_module.differences(row.values["inference_cost"], totals["effectiveUsdKnown"]) == []
    assert row.values["requests"] == totals["requests"]
    assert (row.evidence["inference_cost"].status == "LOWER_BOUND") is totals["isLowerBound"]
    assert row.evidence["inference_cost"].unknown == len(totals["unknownRequests"])
    assert sorted(name for name, stored in calls.items() if stored.cost_usd is None) == totals["unknownRequests"]
    known = sum(stored.cost_usd is not None for stored in calls.values())
    assert golden_module.differences(round(Decimal(known) / len(calls), 12), totals["pricedCoverageByCount"]) == []


def test_what_was_included_and_what_was_billed_keep_their_list_price_beside_them(
    loaded: Store, calls: Stored, golden: Golden, golden_module: ModuleType
) -> None:
    book, totals = PriceBook(loaded.prices()), golden(CASE)["expected"]["totals"]
    listed = {name: list_equivalent(stored.request, book).usd for name, stored in calls.items()}
    included = [listed[name] or 0 for name, stored in calls.items() if stored.cost_status == "INCLUDED"]
    drift = [
        stored.cost_usd - price
        for name, stored in calls.items()
        if stored.cost_status == "BILLED" and stored.cost_usd is not None and (price := listed[name]) is not None
    ]
    assert golden_module.differences(sum(included), totals["listEquivalentIncludedUsd"]) == []
    assert golden_module.differences(sum(drift), totals["billedMinusComputedUsd"]) == []


def test_no_price_came_from_anywhere_but_the_book(loaded: Store) -> None:
    assert {line.source for line in loaded.prices()} == {"prices"}
    assert len(loaded.prices(known_at=NOW - timedelta(days=1))) == 0
