"""The facts of sessions: each follows from its session, its calls, its outcomes, its scores and its shares."""

from duckdb import DuckDBPyConnection

from store.facts import write_fact
from store.rows import integer
from store.touched.reached import reach, write_reaching

_MOST_REACHED = 5_000


def find_reached(cursor: DuckDBPyConnection, load_id: int) -> None:
    """Begins `reached_sessions`: touched by the load itself, by a score, or by the time that has passed."""
    cursor.execute("CREATE OR REPLACE TEMP TABLE reached_sessions (session_id VARCHAR)")
    cursor.execute(
        """
        INSERT INTO reached_sessions
        FROM touched_sessions
        UNION
        FROM due_sessions
        UNION
        SELECT session_id FROM scores WHERE load_id = $load_id""",
        {"load_id": load_id},
    )


def refresh_outcomes(cursor: DuckDBPyConnection, *, are_changed: bool) -> None:
    """Outcomes follow from each other, their rules and the end of their session.

    The first outcome of a source judges all its other sessions, too: `session_facts` knows which it took for judged.
    """
    if are_changed or integer(cursor, "SELECT count(*) FROM outcomes SEMI JOIN touched_sessions USING (session_id)"):
        write_reaching(cursor, "outcome_facts")
    reach(
        cursor,
        """
        SELECT session_id FROM session_facts
        WHERE (is_productive IS NOT NULL) <> (source IN (SELECT source FROM judged_sources))""",
    )


def refresh_sessions(cursor: DuckDBPyConnection) -> None:
    if integer(cursor, "SELECT count(DISTINCT session_id) FROM reached_sessions") > _MOST_REACHED:
        write_fact(cursor, "session_facts")
        return
    these = "session_id IN (FROM reached_sessions)"
    cursor.execute(f"DELETE FROM session_facts WHERE {these}")
    cursor.execute(f"INSERT INTO session_facts SELECT * FROM session_facts_now WHERE {these}")
