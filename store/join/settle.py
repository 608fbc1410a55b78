"""From parts to rows: what is joined becomes one row of `requests`, and what was counted before leaves a trace.

A row that is counted by itself no more goes to `former_calls`; what that takes from the total, and what a call that
turns out to be one of its own adds to it, is a restatement with its reason.
"""

from datetime import datetime

from duckdb import DuckDBPyConnection

from store.join.calls import fields_given, merged_calls
from store.join.names import best_key
from store.rows import few_of
from store.tables import REQUESTS
from store.winners import same

JOINED = "JOINED"
"""The status of what is counted with another call: it costs nothing beside that."""
JOINED_COPY = "what another source says of the call"
IS_OF = "counted with call "
IS_OWN = "a call of its own again, not the one that it was taken for"
_COLUMNS = ", ".join(REQUESTS.columns)


def make_calls(cursor: DuckDBPyConnection) -> None:
    """Adds to `changed_requests` the rows of the calls that `parts` make; `gone` are stored rows that they replace."""
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE parts AS
        WITH grouped AS (
            SELECT parts.*, coalesce(matches.label, parts.named_key) AS together
            FROM parts LEFT JOIN matches USING (named_key)
        ),
        best AS (SELECT together, {best_key()} AS call_key FROM grouped GROUP BY together)
        SELECT grouped.* EXCLUDE (together), best.call_key FROM grouped JOIN best USING (together)""")
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE calls AS {merged_calls('parts', 'call_key')}")
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE before_calls AS {few_of('requests', 'calls', 'request_key')}")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE changed_requests AS
        SELECT {_COLUMNS} FROM changed_requests
        UNION ALL
        SELECT {_COLUMNS} FROM calls
        ANTI JOIN before_calls AS stored ON {same("calls", "stored", REQUESTS.columns)}""")
    cursor.execute("CREATE OR REPLACE TEMP TABLE gone AS FROM broken ANTI JOIN calls USING (request_key)")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE heirs AS
        SELECT request_key, call_key FROM (
            SELECT gone.request_key, parts.call_key,
                row_number() OVER (PARTITION BY parts.call_key ORDER BY gone.request_key) AS place
            FROM gone JOIN parts USING (request_key)
            WHERE parts.call_key NOT IN (SELECT request_key FROM broken)
        ) WHERE place = 1""")


def keep_former(cursor: DuckDBPyConnection, load_id: int, now: datetime, before: str) -> None:
    """Ahead of the rows: what is counted until now and will not be, and what that changes in the total.

    `before` has the rows as they were counted before the load.
    """
    values = {"load_id": load_id, "now": now}
    cursor.execute(
        f"""
        INSERT INTO former_calls BY NAME
        SELECT {", ".join(f"old.{column}" for column in REQUESTS.columns)},
            old.first_load_id, old.load_id, $load_id AS left_load_id, parts.call_key
        FROM {before} AS old
        JOIN gone USING (request_key)
        JOIN (SELECT DISTINCT request_key, call_key FROM parts) AS parts USING (request_key)""",
        {"load_id": load_id},
    )
    # A call that only got a better name costs what it cost; the first of its former rows stands for it.
    cursor.execute(
        f"""
        INSERT INTO restatements BY NAME
        SELECT old.request_key, $now AS restated_at, $load_id AS load_id,
            old.cost_usd AS old_cost_usd, old.cost_status AS old_cost_status, old.price_id AS old_price_id,
            CASE WHEN heirs.call_key IS NULL THEN 0 ELSE calls.cost_usd END AS new_cost_usd,
            CASE WHEN heirs.call_key IS NULL THEN '{JOINED}' ELSE calls.cost_status END AS new_cost_status,
            CASE WHEN heirs.call_key IS NOT NULL THEN calls.price_id END AS new_price_id,
            '{IS_OF}' || parts.call_key AS reason
        FROM {before} AS old
        JOIN gone USING (request_key)
        JOIN (SELECT DISTINCT request_key, call_key FROM parts) AS parts USING (request_key)
        JOIN calls ON calls.request_key = parts.call_key
        LEFT JOIN heirs ON heirs.request_key = old.request_key
        WHERE old.cost_usd IS NOT NULL
            AND (heirs.call_key IS NULL OR calls.cost_usd IS DISTINCT FROM old.cost_usd)""",
        values,
    )
    cursor.execute(
        f"""
        INSERT INTO restatements BY NAME
        SELECT request_key, $now AS restated_at, $load_id AS load_id,
            0 AS old_cost_usd, '{JOINED}' AS old_cost_status, NULL AS old_price_id,
            cost_usd AS new_cost_usd, cost_status AS new_cost_status, price_id AS new_price_id, '{IS_OWN}' AS reason
        FROM calls
        WHERE cost_usd IS NOT NULL
            AND request_key NOT IN (SELECT request_key FROM before_calls)
            AND request_key NOT IN (SELECT call_key FROM heirs)
            AND request_key NOT IN (SELECT call_key FROM parts WHERE first_load_id IS NULL)""",
        values,
    )


def keep_sightings(cursor: DuckDBPyConnection, load_id: int) -> None:
    """After the rows are written: what each source said of the calls that have more than one record."""
    cursor.execute("DELETE FROM requests WHERE request_key IN (FROM gone)")
    cursor.execute("DELETE FROM sightings WHERE call_key IN (FROM broken)")
    cursor.execute(
        f"""
        INSERT INTO sightings BY NAME
        SELECT {", ".join(f"parts.{column}" for column in REQUESTS.columns)}, parts.named_key, parts.call_key,
            coalesce(parts.first_load_id, $load_id) AS first_load_id, coalesce(parts.load_id, $load_id) AS load_id,
            {fields_given("calls", "parts")} AS gave
        FROM parts
        JOIN calls ON calls.request_key = parts.call_key
        WHERE parts.call_key IN (SELECT call_key FROM parts GROUP BY call_key HAVING count(*) > 1)""",
        {"load_id": load_id},
    )


def merge_again(cursor: DuckDBPyConnection) -> None:
    """Makes `remerged`, the rows of calls of which a sighting was priced anew, and tells anew who gave what."""
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE anew AS
        SELECT * FROM sightings WHERE call_key IN (
            SELECT call_key FROM sightings SEMI JOIN recosted_sightings USING (request_key, source)
        )""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE remerged AS
        WITH reasons AS (
            SELECT call_key AS request_key, min(reason) AS reason
            FROM recosted_sightings JOIN anew USING (request_key, source) GROUP BY call_key
        )
        SELECT * FROM ({merged_calls("anew", "call_key")}) JOIN reasons USING (request_key)""")
    cursor.execute(f"""
        UPDATE sightings SET gave = {fields_given("call", "sightings")}
        FROM remerged AS call WHERE call.request_key = sightings.call_key""")
