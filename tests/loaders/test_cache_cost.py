"""What cache reads are of the cost of a call: by the price line that the call was priced with, or unknown."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from loaders.item import Location, Parsed
from loaders.job import run_load
from store import Price, Record, Request, Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def price(model: str = "big", **fields: Any) -> Price:
    given: dict[str, Any] = {
        "price_id": model,
        "source": "prices",
        "provider": "acme",
        "model": model,
        "effective_from": datetime(2026, 1, 1, tzinfo=UTC),
        "effective_to": None,
        "input": Decimal(10),
        "cache_read": Decimal(1),
        "cache_write_5m": Decimal(12),
        "cache_write_1h": Decimal(20),
        "output": Decimal(30),
        "tier_over": 1000,
        "tier_input": Decimal(20),
        "tier_cache_read": Decimal("2.5"),
        "tier_cache_write_5m": Decimal(24),
        "tier_cache_write_1h": Decimal(40),
        "tier_output": Decimal(60),
        "known_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Price(**{**given, **fields})


def call(key: str, read: int | None, uncached: int | None = 0, model: str = "big", **fields: Any) -> Request:
    return Request(
        request_key=key,
        source="test",
        session_id=None,
        provider="acme",
        model=model,
        started_at=datetime(2026, 2, 1, tzinfo=UTC),
        uncached_input_tokens=None if read is None else uncached,
        cache_read_tokens=read,
        cache_write_5m_tokens=None if read is None else 0,
        cache_write_1h_tokens=None if read is None else 0,
        output_tokens=None if read is None else 7,
        **fields,
    )


PRICES: tuple[Record, ...] = (
    price(),
    price("dear", cache_read=Decimal("1e9")),
    price("fine", cache_read=Decimal("0.0000001")),
    price("without", cache_read=None),
)
CALLS: tuple[Record, ...] = (
    call("below", 1000),
    call("over", 900, uncached=101),
    call("none", 0),
    call("billed", 1000, billed_usd=Decimal(1)),
    call("included", 1000, is_included=True),
    call("reported", 1000, reported_usd=Decimal(1)),
    call("unpriced", 1000, model="of no line"),
    call("no price of reads", 1000, model="without"),
    call("no price of reads and none", 0, model="without"),
    call("missing", None),
    call("huge", 999, model="dear"),
    call("tiny", 3, model="fine"),
)


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store.open(None) as opened:
        load(opened, PRICES)
        load(opened, CALLS)
        yield opened


def load(store: Store, records: tuple[Record, ...]) -> None:
    items = [Parsed(Location("test", n), (record,)) for n, record in enumerate(records, start=1)]
    run_load(store, "test", "test", items, now=NOW)


def costs(store: Store) -> dict[object, object]:
    return dict(store.read("SELECT request_key, cache_read_cost_usd FROM request_facts").rows)  # type: ignore[arg-type]


def test_cache_reads_cost_what_their_line_and_tier_say_and_nothing_is_guessed(store: Store) -> None:
    assert costs(store) == {
        "below": Decimal("0.001"),
        "over": Decimal("0.00225"),
        "none": 0,
        "billed": None,
        "included": None,
        "reported": None,
        "unpriced": None,
        "no price of reads": None,
        "no price of reads and none": 0,
        "missing": None,
        "huge": Decimal(999_000),
        "tiny": Decimal("3e-13").quantize(Decimal("1e-12")),
    }


def test_a_corrected_price_line_holds_from_the_load_that_brings_it(store: Store) -> None:
    load(store, (price(cache_read=Decimal(3), known_at=datetime(2026, 2, 15, tzinfo=UTC)),))
    assert costs(store)["below"] == Decimal("0.003")
