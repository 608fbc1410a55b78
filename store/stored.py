"""What is stored, as records again: for pricing anew and for telling where the data comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from duckdb import DuckDBPyConnection

from store.priced import PricedRequest
from store.records import Price, Request

_BATCH = 10_000
_PRICE = tuple(field.name for field in fields(Price))
_REQUEST = tuple(field.name for field in fields(Request))


@dataclass(frozen=True, slots=True)
class Load:
    """One run of a loader: stored, or failed with an error and nothing stored."""

    load_id: int
    source: str
    location: str
    cursor: str | None
    """Where the next load goes on; of a load that failed, where the last one before it had come to."""
    started_at: datetime | None
    """When it began to read; None for loads of earlier versions, which did not keep it."""
    applied_at: datetime
    data_version: int
    read: int
    stored: int
    unchanged: int
    ignored: int
    rejected: int
    removed: int
    conflicts: int
    error: str | None


_LOAD = tuple(field.name for field in fields(Load))


def select_loads(cursor: DuckDBPyConnection) -> list[Load]:
    """Newest first."""
    rows = cursor.execute(f"SELECT {', '.join(_LOAD)} FROM loads ORDER BY load_id DESC").fetchall()
    return [Load(**_fields(_LOAD, row)) for row in rows]


def select_prices(cursor: DuckDBPyConnection, known_at: datetime | None) -> list[Price]:
    """The newest version of every line, of those known at an instant (UTC without a zone; None for now)."""
    rows = cursor.execute(
        f"""
        SELECT {", ".join(_PRICE)} FROM prices
        WHERE (price_id, known_at) IN (
            SELECT (price_id, max(known_at)) FROM prices
            WHERE $known_at IS NULL OR known_at <= $known_at
            GROUP BY price_id
        )
        ORDER BY provider, model, effective_from, price_id""",
        {"known_at": known_at},
    ).fetchall()
    return [Price(**_fields(_PRICE, row)) for row in rows]


def select_requests(cursor: DuckDBPyConnection, models: set[tuple[str, str]] | None) -> Iterator[PricedRequest]:
    """Streams, so that a store of any size can be priced anew. A request without a provider comes with its model.

    Names are compared without regard to case, as the price book compares them.
    """
    cursor.execute(
        f"""
        SELECT cost_usd, cost_status, price_id, {", ".join(_REQUEST)} FROM requests
        WHERE $everything
            OR (lower(provider), lower(model)) IN (SELECT (unnest($providers), unnest($models)))
            OR (provider IS NULL AND lower(model) IN (SELECT unnest($models)))""",
        {
            "everything": models is None,
            "providers": [provider.lower() for provider, _ in models or ()],
            "models": [model.lower() for _, model in models or ()],
        },
    )
    while batch := cursor.fetchmany(_BATCH):
        for cost_usd, cost_status, price_id, *row in batch:
            yield PricedRequest(Request(**_fields(_REQUEST, row)), cost_usd, cost_status, price_id)


def _fields(names: tuple[str, ...], row: Any) -> dict[str, Any]:
    return {
        name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
        for name, value in zip(names, row, strict=True)
    }
