"""Costs that change: what replaces them, and what they were, kept with the reason."""

from collections.abc import Iterable
from datetime import datetime

from duckdb import DuckDBPyConnection

from store.errors import StoreError
from store.join import merge_again
from store.rows import integer
from store.tables import COST, LISTED, REQUESTS
from store.winners import same


def recost(cursor: DuckDBPyConnection, load_id: int, now: datetime) -> bool:
    """Gives stored requests their staged costs; whether one has changed. Makes `recosted`, the rows that have another.

    Where several sources tell of a call, what each of them says is priced, and the row is merged from that again.
    """
    newest = "SELECT max(seq) FROM staged_recosts GROUP BY request_key, source"
    cursor.execute(f"""
        CREATE TEMP TABLE recosted_sightings AS
        SELECT staged.* FROM staged_recosts AS staged SEMI JOIN sightings USING (request_key, source)
        ANTI JOIN sightings AS stored ON {same("staged", "stored", ("request_key", "source", *COST, *LISTED))}
        WHERE staged.seq IN ({newest})""")
    cursor.execute(f"""
        CREATE TEMP TABLE recosted AS
        SELECT staged.* FROM staged_recosts AS staged ANTI JOIN sightings USING (request_key, source)
        ANTI JOIN requests AS stored ON {same("staged", "stored", ("request_key", *COST, *LISTED))}
        WHERE staged.seq IN ({newest})""")
    unknown = cursor.execute(
        "SELECT request_key FROM recosted ANTI JOIN requests USING (request_key) LIMIT 1"
    ).fetchone()
    if unknown:
        raise StoreError(f"request {unknown[0]} cannot be given another cost: it is not stored")
    restate(cursor, "recosted", "new.reason", load_id, now)
    _update(cursor, "requests", "recosted", (*COST, *LISTED), ("request_key",), load_id)
    return _recost_sightings(cursor, load_id, now) or bool(integer(cursor, "SELECT count(*) FROM recosted"))


def _recost_sightings(cursor: DuckDBPyConnection, load_id: int, now: datetime) -> bool:
    if not integer(cursor, "SELECT count(*) FROM recosted_sightings"):
        return False
    _update(cursor, "sightings", "recosted_sightings", (*COST, *LISTED), ("request_key", "source"), load_id)
    merge_again(cursor)
    restate(cursor, "remerged", "new.reason", load_id, now)
    _update(cursor, "requests", "remerged", REQUESTS.columns, ("request_key",), load_id)
    return True


def _update(
    cursor: DuckDBPyConnection,
    table: str,
    anew: str,
    columns: Iterable[str],
    key: tuple[str, ...],
    load_id: int,
) -> None:
    written = ", ".join(f"{column} = new.{column}" for column in columns)
    matching = " AND ".join(f"new.{column} = {table}.{column}" for column in key)
    cursor.execute(
        f"UPDATE {table} SET {written}, load_id = $load_id FROM {anew} AS new WHERE {matching}", {"load_id": load_id}
    )


def restate(cursor: DuckDBPyConnection, changed: str, reason: str, load_id: int, now: datetime) -> None:
    """Keeps the costs that are about to be replaced, where they were known; where not, that they were unknown."""
    cursor.execute(
        f"""
        INSERT INTO late_costs BY NAME
        SELECT request_key, $now AS known_at, $load_id AS load_id, old.cost_status AS old_cost_status,
            old.price_id AS old_price_id
        FROM {changed} AS new
        JOIN requests AS old USING (request_key)
        WHERE old.cost_usd IS NULL AND NOT ({same("old", "new", COST)})""",
        {"now": now, "load_id": load_id},
    )
    cursor.execute(
        f"""
        INSERT INTO restatements BY NAME
        SELECT
            request_key,
            $now AS restated_at,
            $load_id AS load_id,
            {", ".join(f"old.{column} AS old_{column}, new.{column} AS new_{column}" for column in COST)},
            {reason} AS reason
        FROM {changed} AS new
        JOIN requests AS old USING (request_key)
        WHERE old.cost_usd IS NOT NULL AND NOT ({same("old", "new", COST)})""",
        {"now": now, "load_id": load_id},
    )
