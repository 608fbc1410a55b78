"""Costs that change: what replaces them, and what they were, kept with the reason."""

from collections.abc import Iterable
from datetime import datetime

from duckdb import DuckDBPyConnection

from store.errors import StoreError
from store.join import merge_again, merged_calls
from store.request_merge import BUCKETS
from store.rows import few_of, integer
from store.tables import COST, LISTED, REQUESTS
from store.winners import same

_LOOKS = ("provider", "model", "ended_at", *BUCKETS)
"""What a price can change of the records under one name, by which they were or were not taken for others."""


def recost(cursor: DuckDBPyConnection, load_id: int, now: datetime) -> bool:
    """Gives stored requests their staged costs; whether one has changed. Makes `recosted`, the rows that have another.

    Where several sources tell of a call, what each of them says is priced, and the row is merged from that again.
    `costs_before` is what the rows cost until now, `retold` what sources say of the calls that may be alike to others
    since, or no more: the load has to store it as if it were told again.
    """
    cursor.execute("CREATE TEMP TABLE retold AS FROM sightings LIMIT 0")
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
    cursor.execute(f"CREATE TEMP TABLE costs_before AS {_costs_of('recosted')}")
    restate(cursor, "recosted", "new.reason", load_id, now)
    _update(cursor, "requests", "recosted", (*COST, *LISTED), ("request_key",), load_id)
    return _recost_sightings(cursor, load_id, now) or bool(integer(cursor, "SELECT count(*) FROM recosted"))


def _recost_sightings(cursor: DuckDBPyConnection, load_id: int, now: datetime) -> bool:
    if not integer(cursor, "SELECT count(*) FROM recosted_sightings"):
        return False
    cursor.execute(f"CREATE TEMP TABLE looks_before AS {_looks()}")
    _update(cursor, "sightings", "recosted_sightings", (*COST, *LISTED), ("request_key", "source"), load_id)
    merge_again(cursor)
    _find_retold(cursor)
    cursor.execute(f"INSERT INTO costs_before {_costs_of('remerged')}")
    restate(cursor, "remerged", "new.reason", load_id, now)
    _update(cursor, "requests", "remerged", REQUESTS.columns, ("request_key",), load_id)
    return True


def _find_retold(cursor: DuckDBPyConnection) -> None:
    is_as_before = same("looks", "looks_before", ("named_key", *_LOOKS))
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE retold AS
        WITH looks AS ({_looks()}),
        changed AS (SELECT named_key FROM looks ANTI JOIN looks_before ON {is_as_before})
        SELECT * FROM sightings WHERE call_key IN (
            SELECT call_key FROM sightings SEMI JOIN changed USING (named_key)
        )""")


def _looks() -> str:
    """A query for how each name of the calls that are priced anew looks, to what may be alike to it."""
    recosted = "SELECT call_key FROM sightings SEMI JOIN recosted_sightings USING (request_key, source)"
    parts = f"(SELECT * FROM sightings WHERE call_key IN ({recosted}))"
    return f"SELECT request_key AS named_key, {', '.join(_LOOKS)} FROM ({merged_calls(parts, 'named_key')})"


def _costs_of(named: str) -> str:
    return f"SELECT request_key, {', '.join(COST)} FROM ({few_of('requests', named, 'request_key')})"


def find_rows_before(cursor: DuckDBPyConnection, load_id: int) -> None:
    """Makes `rows_before`: what the load is about to replace or to take away, at what it cost before the load.

    A cost that the same load has given and that does not stay was never known to anybody, so nothing is kept of it.
    """
    cursor.execute(f"""
        CREATE TEMP TABLE replaced_costs AS
        SELECT costs_before.* FROM costs_before SEMI JOIN gone USING (request_key)
        UNION
        SELECT costs_before.* FROM costs_before
        JOIN changed_requests AS new USING (request_key)
        JOIN requests AS stored USING (request_key)
        WHERE NOT ({same("stored", "new", COST)})""")
    for kept in ("restatements", "late_costs"):
        cursor.execute(
            f"DELETE FROM {kept} WHERE load_id = $load_id AND request_key IN (SELECT request_key FROM replaced_costs)",
            {"load_id": load_id},
        )
    costs = (f"if(cost.request_key IS NULL, stored.{column}, cost.{column}) AS {column}" for column in COST)
    cursor.execute(f"""
        CREATE TEMP TABLE rows_before AS
        WITH replaced AS (SELECT request_key FROM changed_requests UNION FROM gone)
        SELECT stored.* REPLACE ({", ".join(costs)})
        FROM ({few_of("requests", "replaced", "request_key")}) AS stored
        LEFT JOIN replaced_costs AS cost ON cost.request_key = stored.request_key""")


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


def restate(
    cursor: DuckDBPyConnection, changed: str, reason: str, load_id: int, now: datetime, before: str = "requests"
) -> None:
    """Keeps the costs that are about to be replaced, where they were known; where not, that they were unknown."""
    cursor.execute(
        f"""
        INSERT INTO late_costs BY NAME
        SELECT request_key, $now AS known_at, $load_id AS load_id, old.cost_status AS old_cost_status,
            old.price_id AS old_price_id
        FROM {changed} AS new
        JOIN {before} AS old USING (request_key)
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
        JOIN {before} AS old USING (request_key)
        WHERE old.cost_usd IS NOT NULL AND NOT ({same("old", "new", COST)})""",
        {"now": now, "load_id": load_id},
    )
