"""Numbers of the names of calls: who has a name is asked of every load, and to read all names is dear.

`call_marks` follows from `requests.identities`. MD5, because it is the same in each version of DuckDB.
"""

from duckdb import DuckDBPyConnection

from store.rows import few_of, integer


def mark_of(name: str) -> str:
    return f"md5_number_lower({name})"


def keep_marks(cursor: DuckDBPyConnection, *, was_stored: bool) -> None:
    """After the rows are written. `was_stored`: some of `changed_requests` and `gone` may have had marks before."""
    if was_stored:
        cursor.execute("""
            DELETE FROM call_marks
            WHERE request_key IN (SELECT request_key FROM changed_requests UNION ALL SELECT request_key FROM gone)""")
    cursor.execute(f"""
        INSERT INTO call_marks
        SELECT request_key, {mark_of("unnest(identities)")} FROM changed_requests WHERE len(identities) > 0""")


def find_names(cursor: DuckDBPyConnection, table: str, names: str) -> bool:
    """Makes `table` (request_key, scope, name): which stored calls have one of the `names`, a query for `name`."""
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE marked_calls AS
        SELECT DISTINCT request_key FROM call_marks
        SEMI JOIN (SELECT {mark_of("name")} AS mark FROM ({names})) USING (mark)""")
    cursor.execute(f"CREATE OR REPLACE TEMP TABLE {table} (request_key VARCHAR, scope VARCHAR, name VARCHAR)")
    if not integer(cursor, "SELECT count(*) FROM marked_calls"):
        return False
    cursor.execute(f"""
        INSERT INTO {table}
        SELECT request_key, scope, name FROM (
            SELECT request_key, scope, unnest(identities) AS name
            FROM ({few_of("requests", "marked_calls", "request_key")})
        )
        SEMI JOIN ({names}) AS asked USING (name)""")
    return True
