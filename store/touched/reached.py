"""`reached_sessions`: those whose own facts follow from a row that has changed, here or in another session."""

from duckdb import DuckDBPyConnection

from store.facts import write_fact


def reach(cursor: DuckDBPyConnection, sessions: str) -> None:
    """`sessions` is a query for `session_id`."""
    cursor.execute(f"INSERT INTO reached_sessions SELECT session_id FROM ({sessions}) WHERE session_id IS NOT NULL")


def keep_rows(cursor: DuckDBPyConnection, fact: str, rows: str = "TRUE") -> None:
    """Makes `before_fact`, what the fact says of these rows until now."""
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE before_fact AS SELECT * FROM {fact} WHERE {rows}")


def differing(fact: str, rows: str = "TRUE", columns: str = "*", given: str = "session_id") -> str:
    """A query for the sessions, or what else is `given`, of rows that the fact has otherwise than `before_fact`."""
    before, after = f"SELECT {columns} FROM before_fact", f"SELECT {columns} FROM {fact} WHERE {rows}"
    return f"""
        SELECT {given} FROM (({before} EXCEPT ALL {after}) UNION ALL ({after} EXCEPT ALL {before}))"""


def write_reaching(cursor: DuckDBPyConnection, fact: str) -> None:
    """Writes down all of a fact and reaches the sessions whose rows have changed."""
    keep_rows(cursor, fact)
    write_fact(cursor, fact)
    reach(cursor, differing(fact))
