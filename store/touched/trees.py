"""Trees of sessions, by family: all that hang together by the parents that they state, now or before the load.

A row says what is above a session and what all those below it cost; nothing outside of its family can change that.
"""

from duckdb import DuckDBPyConnection

from store.rows import integer
from store.touched.calls import MOST_NAMED
from store.touched.reached import differing, keep_rows, reach, write_reaching

_MOST_ROUNDS = 20
_RELATIVES = """
    SELECT parent_session_id AS session_id FROM sessions SEMI JOIN family USING (session_id)
    WHERE parent_session_id IS NOT NULL
    UNION
    SELECT session_id FROM sessions WHERE parent_session_id IN (FROM family)"""


def refresh_trees(cursor: DuckDBPyConnection) -> None:
    """Brings trees up to date with `touched_sessions`, which has parents of before, and `burdened_sessions`."""
    cursor.execute("CREATE OR REPLACE TEMP TABLE family (session_id VARCHAR)")
    cursor.execute("""
        INSERT INTO family
        WITH own AS (FROM touched_sessions UNION FROM burdened_sessions)
        SELECT session_id FROM session_trees SEMI JOIN own USING (session_id)
        UNION
        SELECT session_id FROM sessions SEMI JOIN own USING (session_id) WHERE parent_session_id IS NOT NULL
        UNION
        SELECT parent_session_id FROM sessions WHERE parent_session_id IN (FROM own)""")
    if not integer(cursor, "SELECT count(*) FROM family"):
        return
    if not _gather_family(cursor):
        write_reaching(cursor, "session_trees")
        return
    these = "session_id IN (FROM family)"
    keep_rows(cursor, "session_trees", these)
    cursor.execute(f"DELETE FROM session_trees WHERE {these}")
    sessions = [name for (name,) in cursor.execute("FROM family").fetchall()]
    cursor.execute("INSERT INTO session_trees FROM session_trees_of($sessions)", {"sessions": sessions})
    reach(cursor, differing("session_trees", these))


def _gather_family(cursor: DuckDBPyConnection) -> bool:
    """Adds relatives of relatives to `family`; False where they are too many, or too far."""
    for _ in range(_MOST_ROUNDS):
        if integer(cursor, "SELECT count(*) FROM family") > MOST_NAMED:
            return False
        more = f"INSERT INTO family SELECT session_id FROM ({_RELATIVES}) ANTI JOIN family USING (session_id)"
        if not integer(cursor, more):
            return True
    return False
