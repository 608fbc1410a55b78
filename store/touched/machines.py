"""Infrastructure: what a day of machines costs is spread over the sessions of that day, so each of them is reached."""

from duckdb import DuckDBPyConnection

from store.facts import write_fact
from store.touched.days import MOST_DAYS, are_days
from store.touched.reached import differing, keep_rows, reach

_BUSY_UNTIL = "busy_until(started_at, ended_at, observed_at, termination) AS busy_until"
_MOVED = f"""
    WITH old AS (SELECT session_id, started_at, {_BUSY_UNTIL} FROM before_sessions),
    new AS (SELECT session_id, started_at, {_BUSY_UNTIL} FROM sessions WHERE load_id = $load_id),
    moved AS (
        SELECT
            CASE
                WHEN new.started_at = old.started_at THEN least(old.busy_until, new.busy_until)
                ELSE least(old.started_at, new.started_at)
            END::DATE AS first_on,
            greatest(old.started_at, new.started_at, old.busy_until, new.busy_until)::DATE AS last_on
        FROM new LEFT JOIN old USING (session_id)
        WHERE new.started_at IS DISTINCT FROM old.started_at OR new.busy_until IS DISTINCT FROM old.busy_until
    )
    SELECT DISTINCT day FROM compute_pools JOIN moved ON day BETWEEN first_on AND last_on"""
"""The days on which a session that the load changed is busy for another time than before."""


def refresh_machines(cursor: DuckDBPyConnection, load_id: int, *, has_sessions: bool) -> None:
    """Makes `burdened_sessions`, those that bear another amount than before by the policy in force."""
    cursor.execute("CREATE OR REPLACE TEMP TABLE burdened_sessions (session_id VARCHAR)")
    if not has_sessions or not cursor.execute("SELECT 1 FROM charge_days WHERE is_infrastructure LIMIT 1").fetchone():
        return
    days = [day for (day,) in cursor.execute(_MOVED, {"load_id": load_id}).fetchall()]
    if not days:
        return
    these = are_days(days) if len(days) <= MOST_DAYS else "TRUE"
    keep_rows(cursor, "allocated_days", these)
    if len(days) <= MOST_DAYS:
        cursor.execute(f"DELETE FROM allocated_days WHERE {these}")
        cursor.execute("INSERT INTO allocated_days FROM allocated_days_of($days)", {"days": days})
    else:
        write_fact(cursor, "allocated_days")
    write_fact(cursor, "compute_days")
    reach(cursor, differing("allocated_days", these))
    borne = differing("allocated_days", these, "session_id, day, allocated_usd")
    cursor.execute(f"INSERT INTO burdened_sessions {borne}")
