"""Which settlements the data has by itself, so that spend is counted once: by the ledger before, by the data then.

A settlement that names its request is covered when that request is loaded with a cost that is known. One that names
none is covered when every source that has lately brought requests was loaded anew, by a load that began after the
settlement. Until then it may count beside a request that was loaded before it was settled: too much, never too little.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from store import Reader, StoreError
from store.ledger import Ledger

LATELY = timedelta(days=7)
TIMEOUT_MS = 5_000

Settlement = tuple[str, str | None, datetime]
"""Hold, request, when it was settled."""


def cover(ledger: Ledger, reader: Reader, now: datetime, hold_id: str | None = None) -> None:
    """Marks the settlements (or one) that the reader's version of the data has."""
    with ledger.reading() as books:
        settlements = books.holds.uncovered(hold_id)
    covered = _covered(reader, settlements, now) if settlements else []
    if covered:
        with ledger.writing() as books:
            books.holds.cover(covered, reader.data_version)


def _covered(reader: Reader, settlements: Sequence[Settlement], now: datetime) -> list[str]:
    keys = [key for _, key, _ in settlements if key is not None]
    loaded = _loaded(reader, keys) if keys else frozenset[str]()
    begun = None if len(keys) == len(settlements) else _all_sources_since(reader, now)
    return [
        hold
        for hold, key, settled_at in settlements
        if (key in loaded if key is not None else begun is not None and settled_at < begun)
    ]


def _loaded(reader: Reader, keys: Sequence[str]) -> frozenset[str]:
    rows = reader.read(
        "SELECT known.request_key FROM call_keys AS known"
        " JOIN request_facts AS fact ON fact.request_key = known.call_key"
        " WHERE fact.cost_usd IS NOT NULL AND known.request_key IN (SELECT unnest($keys::VARCHAR[]))",
        {"keys": list(keys)},
        timeout_ms=TIMEOUT_MS,
    ).rows
    return frozenset(str(key) for (key,) in rows)


def _all_sources_since(reader: Reader, now: datetime) -> datetime | None:
    """Every source of requests was read to its end by a load that began at this instant or later."""
    ((begun,),) = reader.read(
        """
        WITH sources AS (
            SELECT DISTINCT load.source, load.location
            FROM requests AS request JOIN loads AS load ON load.load_id = request.load_id
            WHERE request.started_at >= $lately
        )
        SELECT min(newest) FROM (
            SELECT max(load.started_at) AS newest
            FROM sources JOIN loads AS load USING (source, location)
            WHERE load.error IS NULL
            GROUP BY source, location
        )""",
        {"lately": (now - LATELY).astimezone(UTC).replace(tzinfo=None)},
        timeout_ms=TIMEOUT_MS,
    ).rows
    if begun is None:
        return None
    if not isinstance(begun, datetime):
        raise StoreError(f"loads.started_at holds {begun!r}, which is no instant")
    return begun.replace(tzinfo=UTC)
