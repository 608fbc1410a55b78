"""A load goes on past an item that cannot be stored, and stores nothing of it."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loaders.item import Item, LoadError, Location, Parsed
from loaders.job import run_load
from store import Price, Record, Request, Session
from tests.stores import new_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def price(usd: str) -> Price:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Price(
        price_id="p", source="book", provider="acme", model="m", effective_from=start, known_at=NOW, output=Decimal(usd)
    )


def call(key: str, output_tokens: int, provider: str = "acme", model: str = "m") -> Request:
    return Request(
        request_key=key,
        source="test",
        session_id=key,
        provider=provider,
        model=model,
        started_at=NOW,
        uncached_input_tokens=0,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=output_tokens,
    )


def line(number: int, *records: Record) -> Item:
    return Parsed(Location("log.jsonl", number), records)


def test_an_item_with_a_cost_that_cannot_be_stored_is_rejected_as_a_whole_and_the_load_goes_on() -> None:
    with new_store() as store:
        run_load(store, "prices", "book.csv", [line(1, price("5"))], now=NOW)
        absurd = line(7, Session(session_id="absurd", source="test"), call("absurd", 2**61 * 2 - 1))
        run_load(store, "prices", "book.csv", [line(1, price("900000"))], now=NOW)
        report = run_load(store, "test", "log.jsonl", [absurd, line(8, call("sound", 1_000_000))], now=NOW)
        assert (report.read, report.stored, report.rejected) == (2, 1, 1)
        ((location, reason),) = report.rejections
        assert location == "log.jsonl:7"
        assert reason.startswith("Request absurd: its cost must be an amount below 1e+15 USD, got 41505")
        assert store.read("SELECT request_key, cost_usd FROM requests").rows == [("sound", Decimal(900_000))]
        assert store.read("SELECT session_id FROM sessions").rows == []


def test_a_library_price_that_a_rejected_item_needed_is_stored_with_the_next_item_that_needs_it() -> None:
    library = {"provider": "anthropic", "model": "claude-opus-4-1"}
    with new_store() as store:
        items = [line(1, call("sound", 1_000_000, **library)), line(2, call("small", 1, **library))]
        huge = line(0, call("huge", 1, **library), call("absurd", 2**62 - 1))
        run_load(store, "prices", "book.csv", [line(1, price("900000"))], now=NOW)
        report = run_load(store, "test", "log.jsonl", [huge, *items], now=NOW)
        assert (report.read, report.stored, report.rejected) == (3, 2, 1)
        priced = store.read("SELECT count(*) FROM requests JOIN prices USING (price_id)").rows
        assert priced == [(2,)]


def test_prices_that_give_a_stored_call_a_cost_that_cannot_be_stored_are_refused() -> None:
    with new_store() as store:
        run_load(store, "test", "log.jsonl", [line(1, call("r1", 2**62 - 1))], now=NOW)
        with pytest.raises(LoadError, match=r"book\.csv: Request r1: its cost must be an amount below 1e\+15 USD"):
            run_load(store, "prices", "book.csv", [line(1, price("900000"))], now=NOW)
        assert store.read("SELECT cost_status FROM requests").rows == [("UNPRICED",)]
        assert store.prices() == []
