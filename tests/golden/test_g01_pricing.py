"""G01: the cost of nineteen calls, by the price book that the loader reads."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from finance.pricing import PriceBook, cost_of, is_over_tier, list_equivalent
from loaders import prices
from loaders.item import Parsed
from store import Price, Request

CASE = "golden/cases/G01_request_pricing"
NAMES = {"COMPUTED": "PRICED", "FREE": "PRICED"}
"""Where the golden answers use another word; a free model is priced at 0."""

pytestmark = pytest.mark.golden


@pytest.fixture
def book(shared: Callable[[str], Path]) -> PriceBook:
    now = datetime(2026, 4, 1, tzinfo=UTC)
    items = list(prices.read(shared("golden/pricebook.csv"), now=now))
    lines = [record for item in items if isinstance(item, Parsed) for record in item.records]
    assert len(items) == len(lines) == 12
    return PriceBook([line for line in lines if isinstance(line, Price)])


@pytest.fixture
def calls(shared: Callable[[str], Path]) -> dict[str, Request]:
    with shared(f"{CASE}/requests.csv").open(encoding="utf-8", newline="") as file:
        return {row["request_id"]: call(row) for row in csv.DictReader(file)}


@pytest.fixture
def answers(shared: Callable[[str], Path]) -> dict[str, dict[str, dict[str, object]]]:
    text = shared(f"{CASE}/expected.json").read_text()
    document: dict[str, dict[str, dict[str, dict[str, object]]]] = json.loads(text)
    return document["assertions"]


def call(row: dict[str, str]) -> Request:
    """A row of the case, its input made disjoint from the cached part."""
    read, write_5m, write_1h = (row[f"cache_{name}_tokens"] for name in ("read", "write_5m", "write_1h"))
    cached = sum(int(count or 0) for count in (read, write_5m, write_1h)) if row["accounting"] == "INCLUSIVE" else 0
    return Request(
        request_key=row["request_id"],
        source="golden",
        provider=row["provider"],
        model=row["model"],
        started_at=datetime.fromisoformat(row["ts"]).astimezone(UTC),
        uncached_input_tokens=int(row["input_tokens"]) - cached if row["input_tokens"] else None,
        cache_read_tokens=int(read) if read else None,
        cache_write_5m_tokens=int(write_5m) if write_5m else None,
        cache_write_1h_tokens=int(write_1h) if write_1h else None,
        output_tokens=int(row["output_tokens"]) if row["output_tokens"] else None,
        billed_usd=Decimal(row["billed_usd"]) if row["billed_usd"] else None,
        is_included=row["billing_mode"] == "SUBSCRIPTION",
    )


def decimal(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def test_every_call_costs_what_it_should(
    book: PriceBook, calls: dict[str, Request], answers: dict[str, dict[str, dict[str, object]]]
) -> None:
    assert len(calls) == 19
    for name, expected in answers["perRequest"].items():
        cost, listed = cost_of(calls[name], book), list_equivalent(calls[name], book)
        line = book.in_force(calls[name].provider, calls[name].model, calls[name].started_at)
        over = None if line is None or listed.usd is None else is_over_tier(calls[name], line)

        assert cost.usd == decimal(expected["effectiveUsd"]), name
        assert cost.status == NAMES.get(str(expected["status"]), expected["status"]), name
        assert listed.usd == decimal(expected["computedUsd"]), name
        assert listed.price_id == expected["priceId"], name
        assert over == expected["tierApplied"], name


def test_no_call_costs_what_the_known_defects_make_of_it(
    book: PriceBook, calls: dict[str, Request], answers: dict[str, dict[str, object]]
) -> None:
    assert len(answers["mustNotEqual"]) == 6
    for name, wrong in answers["mustNotEqual"].items():
        assert cost_of(calls[name], book).usd != decimal(wrong), name


def test_the_totals_say_that_two_calls_are_unknown(
    book: PriceBook, calls: dict[str, Request], answers: dict[str, dict[str, object]]
) -> None:
    totals = answers["totals"]
    costs = {name: cost_of(request, book) for name, request in calls.items()}
    listed = {name: list_equivalent(request, book).usd for name, request in calls.items()}
    known = [cost.usd for cost in costs.values() if cost.usd is not None]
    included = [listed[name] or Decimal(0) for name, cost in costs.items() if cost.status == "INCLUDED"]
    drift = [
        cost.usd - price
        for name, cost in costs.items()
        if cost.status == "BILLED" and cost.usd is not None and (price := listed[name]) is not None
    ]

    assert sum(known) == decimal(totals["effectiveUsdKnown"])
    assert [name for name, cost in costs.items() if cost.usd is None] == totals["unknownRequests"]
    assert round(Decimal(len(known)) / len(costs), 12) == decimal(totals["pricedCoverageByCount"])
    assert sum(included) == decimal(totals["listEquivalentIncludedUsd"])
    assert sum(drift) == decimal(totals["billedMinusComputedUsd"])
