"""What is stored, as records again: for pricing anew and for telling where the data comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from duckdb import DuckDBPyConnection

from store.priced import PricedRequest
from store.records import Price, Request
from store.records.calls import MOST_IDENTITIES
from store.tables import COST, LISTED

_BATCH = 10_000
_PRICE = tuple(field.name for field in fields(Price))
_VALUED = (*COST, *LISTED)
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


@dataclass(frozen=True, slots=True)
class SourceState:
    """What the loads of one source have come to."""

    newest: Load
    newest_stored: Load | None
    """The newest that was stored; None where none ever was."""
    loads: int
    """How often it was stored."""


def select_sources(cursor: DuckDBPyConnection) -> list[SourceState]:
    """One for each source and location, in the order of their names."""
    rows = cursor.execute(
        f"""
        SELECT {", ".join(_LOAD)} FROM loads WHERE load_id IN (
            SELECT max(load_id) FROM loads GROUP BY source, location
            UNION
            SELECT max(load_id) FROM loads WHERE error IS NULL GROUP BY source, location
        )
        ORDER BY source, location, load_id"""
    ).fetchall()
    counts = cursor.execute(
        "SELECT source, location, count(*) FROM loads WHERE error IS NULL GROUP BY source, location"
    ).fetchall()
    times = {(source, location): int(count) for source, location, count in counts}
    newest: dict[tuple[str, str], Load] = {}
    stored: dict[tuple[str, str], Load] = {}
    for row in rows:
        load = Load(**_fields(_LOAD, row))
        newest[load.source, load.location] = load
        if load.error is None:
            stored[load.source, load.location] = load
    return [SourceState(load, stored.get(place), times.get(place, 0)) for place, load in newest.items()]


def select_newest_stored(cursor: DuckDBPyConnection, source: str, location: str) -> Load | None:
    found = cursor.execute(
        f"SELECT {', '.join(_LOAD)} FROM loads"
        " WHERE source = $source AND location = $location AND error IS NULL ORDER BY load_id DESC LIMIT 1",
        {"source": source, "location": location},
    ).fetchone()
    return None if found is None else Load(**_fields(_LOAD, found))


def select_pauses(
    cursor: DuckDBPyConnection, source: str, location: str, longer_than: timedelta, most: int
) -> list[tuple[datetime, datetime]]:
    """The newest pauses between two stored loads of a source that follow each other, oldest first."""
    rows = cursor.execute(
        """
        WITH starts AS (
            SELECT load_id, coalesce(started_at, applied_at) AS began_at,
                lag(began_at) OVER (ORDER BY load_id) AS before
            FROM loads WHERE source = $source AND location = $location AND error IS NULL
        )
        SELECT before, began_at FROM starts WHERE began_at - before > $longer_than
        ORDER BY load_id DESC LIMIT $most""",
        {"source": source, "location": location, "longer_than": longer_than, "most": most},
    ).fetchall()
    return [(before.replace(tzinfo=UTC), began_at.replace(tzinfo=UTC)) for before, began_at in reversed(rows)]


def select_rejections(cursor: DuckDBPyConnection, load_id: int, most: int) -> list[tuple[str, str]]:
    """Location and reason of the first rows that a load rejected."""
    rows = cursor.execute(
        "SELECT location, reason FROM rejected_rows WHERE load_id = $load_id ORDER BY rowid LIMIT $most",
        {"load_id": load_id, "most": most},
    ).fetchall()
    return [(str(location), str(reason)) for location, reason in rows]


def last_cursor(cursor: DuckDBPyConnection, source: str, location: str) -> str | None:
    """What the last load of a source that was stored has reached."""
    newest = select_newest_stored(cursor, source, location)
    return None if newest is None else newest.cursor


def select_attempts(cursor: DuckDBPyConnection) -> dict[tuple[str, str], tuple[datetime, bool]]:
    rows = cursor.execute(
        "SELECT source, location, max(coalesce(started_at, applied_at)), arg_max(error IS NOT NULL, load_id)"
        " FROM loads GROUP BY source, location"
    ).fetchall()
    return {(source, location): (began_at.replace(tzinfo=UTC), failed) for source, location, began_at, failed in rows}


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


def select_requests(
    cursor: DuckDBPyConnection, models: set[tuple[str, str]] | None, *, apart: bool = False
) -> Iterator[PricedRequest]:
    """Streams, so that a store of any size can be priced anew. A request without a provider comes with its model.

    Names are compared without regard to case, as the price book compares them. With `apart` a call that several
    sources tell of comes as what each of them says, of those whose model it is.
    """
    columns = ", ".join((*_VALUED, *_REQUEST))
    rows = f"SELECT {columns} FROM requests"
    if apart:
        rows += " WHERE request_key NOT IN (SELECT call_key FROM sightings)"
        rows += f" UNION ALL SELECT {columns} FROM sightings"
    cursor.execute(
        f"""
        SELECT * REPLACE (identities[:{MOST_IDENTITIES}] AS identities) FROM ({rows})
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
        for row in batch:
            values = dict(zip(_VALUED, row, strict=False))
            yield PricedRequest(Request(**_fields(_REQUEST, row[len(_VALUED) :])), **values)


def _fields(names: tuple[str, ...], row: Any) -> dict[str, Any]:
    return {name: _as_record_has_it(value) for name, value in zip(names, row, strict=True)}


def _as_record_has_it(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    return tuple(value) if isinstance(value, list) else value
