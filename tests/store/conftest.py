"""A store in memory, records with little to say, and loads of them."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import pytest

from store import Charge, CostStatus, LoadReport, PricedRequest, Request, Session, Stage, StagedRecord, Store
from tests.stores import check_facts, new_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def usd(text: str) -> Decimal:
    return Decimal(text)


def call(
    key: str,
    cost: str | None = "0.1",
    cost_status: CostStatus | None = None,
    price_id: str | None = None,
    **fields: Any,
) -> PricedRequest:
    """A request of 10 tokens in and `output_tokens` out, which cost what it is said to have cost."""
    usage = {
        "uncached_input_tokens": 10,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 0,
        "output_tokens": 1,
    }
    request = Request(**{"request_key": key, "source": "test", **usage, **fields})
    return PricedRequest(
        request, None if cost is None else usd(cost), cost_status or ("PRICED" if cost else "UNPRICED"), price_id
    )


def run(session_id: str, **fields: Any) -> Session:
    return Session(**{"session_id": session_id, "source": "test", **fields})


def bill(charge_id: str, amount: str, starts_on: str, ends_on: str, **fields: Any) -> Charge:
    return Charge(
        **{
            "charge_id": charge_id,
            "source": "bill",
            "category": "compute",
            "amount_usd": usd(amount),
            "starts_on": date.fromisoformat(starts_on),
            "ends_on": date.fromisoformat(ends_on),
            **fields,
        }
    )


class Load(Protocol):
    def __call__(self, *records: StagedRecord, now: datetime = NOW) -> LoadReport: ...


def load_into(store: Store, *records: StagedRecord, now: datetime = NOW) -> LoadReport:
    """One load in which every record is an item of its own."""
    with Stage(source="test", location="records", directory=store.stage_directory) as stage:
        for item, record in enumerate(records):
            stage.add(item, record)
        report = store.apply(stage, now=now)
    # All of them where the tests are of that: to plan the views of all takes a second.
    check_facts(store, ("request_facts", "session_spend", "computed_days"))
    return report


def rows_of(path: Path) -> list[dict[str, str | None]]:
    """A CSV file; an empty cell is None."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(file)]


def table(store: Store, sql: str) -> list[dict[str, Any]]:
    answer = store.read(sql)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


@pytest.fixture
def load(store: Store) -> Callable[..., LoadReport]:
    def apply(*records: StagedRecord, now: datetime = NOW) -> LoadReport:
        return load_into(store, *records, now=now)

    return apply
