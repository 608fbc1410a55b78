"""The list price of a call: kept beside its bill, filled in for calls of earlier versions, in the way of no load."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loaders.item import Location, Parsed
from loaders.job import run_load
from store import LoadReport, Price, PricedRequest, Record, Request, Stage, Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LINE = Price(
    price_id="P",
    source="prices",
    provider="acme",
    model="big",
    effective_from=datetime(2026, 1, 1, tzinfo=UTC),
    input=Decimal(5),
    cache_read=Decimal("0.5"),
    output=Decimal(25),
)
CALL = Request(
    request_key="r",
    source="test",
    provider="acme",
    model="big",
    started_at=datetime(2026, 2, 1, tzinfo=UTC),
    uncached_input_tokens=1_000,
    cache_read_tokens=2_000,
    cache_write_5m_tokens=0,
    cache_write_1h_tokens=0,
    output_tokens=100,
)
BILL = replace(
    CALL,
    billed_usd=Decimal("0.007"),
    uncached_input_tokens=None,
    cache_read_tokens=None,
    cache_write_5m_tokens=None,
    cache_write_1h_tokens=None,
    output_tokens=None,
)
LISTED = (Decimal("0.0085"), Decimal("0.009"), Decimal(0))


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open(None) as opened:
        yield opened


def load(store: Store, *records: Record) -> LoadReport:
    items = [Parsed(Location("test", n), (record,)) for n, record in enumerate(records, start=1)]
    return run_load(store, "test", "test", items, now=NOW)


def kept(store: Store) -> list[tuple[object, ...]]:
    return store.read(
        "SELECT cost_usd, cash_usd, list_usd, cache_read_saving_usd, cache_write_premium_usd FROM request_facts"
    ).rows


@pytest.mark.parametrize("order", [(CALL, BILL), (BILL, CALL)], ids=["usage first", "bill first"])
def test_a_bill_from_elsewhere_leaves_the_list_price_of_the_usage(store: Store, order: tuple[Record, ...]) -> None:
    load(store, LINE)
    for record in order:
        load(store, record)
    billed = Decimal("0.007")
    assert kept(store) == [(billed, billed, *LISTED)]


def test_calls_of_an_earlier_version_get_their_list_price_with_the_next_load_of_the_book(store: Store) -> None:
    load(store, LINE)
    with Stage(source="old", location="old", directory=store.stage_directory) as stage:
        stage.add(0, PricedRequest(CALL, Decimal("0.0085"), "PRICED", "P"))
        store.apply(stage, now=NOW)
    assert kept(store)[0][2:] == (None, None, None)
    load(store, LINE)
    assert kept(store)[0][2:] == LISTED
    assert store.read("FROM restatements").rows == []


def test_a_call_that_was_billed_is_stored_whatever_its_tokens_would_cost(store: Store) -> None:
    load(store, replace(LINE, input=Decimal(10_000)))
    report = load(store, replace(CALL, uncached_input_tokens=2**61, billed_usd=Decimal(1)))
    assert (report.stored, report.rejected) == (1, 0)
    assert kept(store) == [(Decimal(1), Decimal(1), None, None, None)]
