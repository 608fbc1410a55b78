"""The facts of calls, by session.

A row of `request_facts` follows from its own request, its session, and the other requests of that session and of a
session that this one ran for; a row of `session_spend` from the rows of its session. So what a load has touched is
known by its sessions, and by the keys of calls that have none.
"""

from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from store.rows import few_of

MOST_NAMED = 1_000
FACTS_OF_CALLS = ("request_facts", "session_spend")
"""In the order in which one rests on the other."""


def refresh_calls(
    cursor: DuckDBPyConnection, load_id: int, read_anew: Iterable[str], *, has_requests: bool, has_sessions: bool
) -> bool:
    """Brings `FACTS_OF_CALLS` up to date. Makes `touched_sessions` and `changed_calls`: rows that came or left.

    False, with nothing done, where too much was touched.
    """
    _find_touched(cursor, load_id, read_anew, has_requests=has_requests, has_sessions=has_sessions)
    sessions = _first(cursor, "SELECT session_id FROM touched_sessions")
    calls = _first(cursor, "SELECT request_key FROM touched_calls WHERE session_id IS NULL")
    if len(sessions) > MOST_NAMED or len(calls) > MOST_NAMED:
        return False
    # By rowid (see decision 0031), in a quarter of the time: the load has written none of these rows yet.
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE left_places AS
        SELECT rowid AS place FROM request_facts SEMI JOIN touched_sessions USING (session_id)
        UNION ALL
        SELECT rowid FROM request_facts SEMI JOIN known_calls USING (request_key) WHERE session_id IS NULL""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE left_calls AS
        SELECT * FROM request_facts WHERE rowid IN (FROM left_places)""")
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE came_calls AS FROM request_facts_of($sessions, $calls)",
        {"sessions": sessions, "calls": calls},
    )
    cursor.execute("DELETE FROM request_facts WHERE rowid IN (FROM left_places)")
    cursor.execute("INSERT INTO request_facts FROM came_calls")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE changed_calls AS
        WITH differing AS (
            SELECT before, after
            FROM left_calls AS before FULL JOIN came_calls AS after USING (request_key, source)
            WHERE before IS DISTINCT FROM after
        )
        SELECT call.session_id, call.billing_provider, call.started_on, call.started_at, call.cost_status
        FROM (SELECT unnest([before, after]) AS call FROM differing)
        WHERE call.request_key IS NOT NULL""")
    cursor.execute("DELETE FROM session_spend WHERE session_id IN (FROM touched_sessions)")
    cursor.execute("INSERT INTO session_spend FROM session_spend_of($sessions)", {"sessions": sessions})
    return True


def _find_touched(
    cursor: DuckDBPyConnection, load_id: int, read_anew: Iterable[str], *, has_requests: bool, has_sessions: bool
) -> None:
    """`touched_calls`: stored or taken away by the load. `touched_sessions`: theirs, before and after, and parents.

    Only `known_calls`, which are not new with this load, can have had another session before.
    """
    gone = "UNION SELECT request_key, NULL, TRUE FROM gone" if has_requests else ""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE touched_calls AS
        SELECT request_key, session_id, first_load_id <> $load_id AS is_known FROM requests WHERE load_id = $load_id
        {gone}""",
        {"load_id": load_id},
    )
    cursor.execute(
        "CREATE OR REPLACE TEMP TABLE known_calls AS SELECT DISTINCT request_key FROM touched_calls WHERE is_known"
    )
    uncounted = "UNION SELECT session_id FROM before_requests SEMI JOIN known_calls USING (request_key)"
    uncounted = uncounted if has_requests else ""
    earlier = "UNION SELECT parent_session_id FROM before_sessions" if has_sessions else ""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE touched_sessions AS
        WITH own AS (
            SELECT session_id FROM touched_calls
            UNION
            SELECT session_id FROM ({few_of("request_facts", "known_calls", "request_key")})
            {uncounted}
            UNION
            SELECT session_id FROM sessions WHERE load_id = $load_id
            UNION
            SELECT unnest($read_anew::VARCHAR[])
        ),
        with_parents AS (
            FROM own
            UNION
            SELECT parent_session_id FROM sessions SEMI JOIN own USING (session_id)
            {earlier}
        )
        SELECT session_id FROM with_parents WHERE session_id IS NOT NULL""",
        {"load_id": load_id, "read_anew": sorted(read_anew)},
    )


def _first(cursor: DuckDBPyConnection, names: str) -> list[str]:
    """As many as may be named, and one more where there are more."""
    return [name for (name,) in cursor.execute(f"{names} LIMIT {MOST_NAMED + 1}").fetchall()]
