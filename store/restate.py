"""Costs that change: what replaces them, and what they were, kept with the reason."""

from datetime import datetime

from duckdb import DuckDBPyConnection

from store.errors import StoreError
from store.merge import same
from store.tables import COST, LISTED


def recost(cursor: DuckDBPyConnection, load_id: int, now: datetime) -> None:
    cursor.execute(f"""
        CREATE TEMP TABLE recosted AS
        SELECT staged.* FROM staged_recosts AS staged
        ANTI JOIN requests AS stored ON {same("staged", "stored", ("request_key", *COST, *LISTED))}
        WHERE staged.seq IN (SELECT max(seq) FROM staged_recosts GROUP BY request_key)""")
    unknown = cursor.execute(
        "SELECT request_key FROM recosted ANTI JOIN requests USING (request_key) LIMIT 1"
    ).fetchone()
    if unknown:
        raise StoreError(f"request {unknown[0]} cannot be given another cost: it is not stored")
    restate(cursor, "recosted", "new.reason", load_id, now)
    cursor.execute(
        f"""
        UPDATE requests SET {", ".join(f"{column} = new.{column}" for column in (*COST, *LISTED))}, load_id = $load_id
        FROM recosted AS new WHERE new.request_key = requests.request_key""",
        {"load_id": load_id},
    )


def restate(cursor: DuckDBPyConnection, changed: str, reason: str, load_id: int, now: datetime) -> None:
    """Keeps the costs that are about to be replaced, where they were known."""
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
