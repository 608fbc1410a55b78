"""The facts of the calls that a load has touched, written down without those of all others.

What is sent comes in loads of a few calls, every second, beside millions that they do not touch. A row of
`request_facts` follows from its own request, its session, and the other requests of that session and of a session that
this one ran for; a row of `session_spend` from the rows of its session. So what a load has touched is known by its
sessions, and by the keys of calls that have none. Where they are many, to write down everything is quicker, and that is
what happens.
"""

from collections.abc import Sequence

from duckdb import DuckDBPyConnection

MOST_NAMED = 1_000
FACTS_OF_CALLS = ("request_facts", "session_spend")
"""In the order in which one rests on the other."""


def refresh_touched(cursor: DuckDBPyConnection, load_id: int, *, has_requests: bool, has_sessions: bool) -> bool:
    """Brings `FACTS_OF_CALLS` to what their views say after a load of requests and sessions.

    False, with nothing done, where too much was touched. With requests, `gone` has the stored ones that the load has
    taken away; with sessions, `before_sessions` has what was stored of them.
    """
    _find_touched(cursor, load_id, has_requests=has_requests, has_sessions=has_sessions)
    sessions = _first(cursor, "SELECT session_id FROM touched_sessions")
    calls = _first(cursor, "SELECT request_key FROM touched_calls WHERE session_id IS NULL")
    if len(sessions) > MOST_NAMED or len(calls) > MOST_NAMED:
        return False
    cursor.execute("""
        DELETE FROM request_facts
        WHERE session_id IN (FROM touched_sessions) OR request_key IN (SELECT request_key FROM touched_calls)""")
    # Constants reach below what the view joins, which a subquery does not.
    cursor.execute(
        "INSERT INTO request_facts SELECT * FROM request_facts_now"
        f" WHERE session_id IN ({_places('s', sessions)}) OR request_key IN ({_places('c', calls)})",
        _named("s", sessions) | _named("c", calls),
    )
    cursor.execute("DELETE FROM session_spend WHERE session_id IN (FROM touched_sessions)")
    cursor.execute("INSERT INTO session_spend FROM session_spend_of($sessions)", {"sessions": sessions})
    return True


def _find_touched(cursor: DuckDBPyConnection, load_id: int, *, has_requests: bool, has_sessions: bool) -> None:
    """`touched_calls`: stored or taken away by the load. `touched_sessions`: theirs, before and after, and parents."""
    gone = "UNION SELECT request_key, NULL FROM gone" if has_requests else ""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE touched_calls AS
        SELECT request_key, session_id FROM requests WHERE load_id = $load_id
        {gone}""",
        {"load_id": load_id},
    )
    earlier = "UNION SELECT parent_session_id FROM before_sessions" if has_sessions else ""
    cursor.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE touched_sessions AS
        WITH own AS (
            SELECT session_id FROM touched_calls
            UNION
            SELECT session_id FROM request_facts WHERE request_key IN (SELECT request_key FROM touched_calls)
            UNION
            SELECT session_id FROM sessions WHERE load_id = $load_id
        ),
        with_parents AS (
            FROM own
            UNION
            SELECT parent_session_id FROM sessions SEMI JOIN own USING (session_id)
            {earlier}
        )
        SELECT session_id FROM with_parents WHERE session_id IS NOT NULL""",
        {"load_id": load_id},
    )


def _first(cursor: DuckDBPyConnection, names: str) -> list[str]:
    """As many as may be named, and one more where there are more."""
    return [name for (name,) in cursor.execute(f"{names} LIMIT {MOST_NAMED + 1}").fetchall()]


def _places(prefix: str, names: Sequence[str]) -> str:
    return ", ".join(f"${prefix}{number}" for number in range(len(names))) or "NULL"


def _named(prefix: str, names: Sequence[str]) -> dict[str, str]:
    return {f"{prefix}{number}": name for number, name in enumerate(names)}
