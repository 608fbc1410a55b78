"""Which records of a load are of calls that another record names otherwise, by a shared key or identity.

Most records have nothing to do with others: their key is theirs alone, and one source has it. They are merged as ever.
The others, and the stored calls that they are of, are set apart: `apart` has the keys of the load, `broken` the stored
calls, and `parts` all that sources said of either, one row a key and source.
"""

from duckdb import DuckDBPyConnection

from store.join.components import label
from store.merge import merged_rows
from store.rows import integer
from store.tables import REQUESTS, SIGHTINGS
from store.winners import is_total, same

_COLUMNS = ", ".join(REQUESTS.columns)
_NAMED = """
    SELECT request_key, source, unnest(identities) AS name,
        list_filter(identities, lambda one: starts_with(one, 'response:')) AS answers
    FROM parts WHERE scope = 'request'"""
_OF_SEVERAL_CALLS = f"""
    SELECT name FROM ({_NAMED}) WHERE len(answers) > 0 AND NOT starts_with(name, 'response:')
    GROUP BY name, source HAVING count(DISTINCT answers) > 1"""
"""Names that one source gives to several answers, as a gateway its id of a workflow: they tell no call from another."""


def set_apart(cursor: DuckDBPyConnection) -> bool:
    """Makes `apart`, `broken` and, where there are any, `parts`; whether there are any."""
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE staged_names AS
        SELECT DISTINCT request_key, unnest(identities) AS name FROM staged_requests
        WHERE scope = 'request' AND len(identities) > 0""")
    cursor.execute("CREATE OR REPLACE TEMP TABLE stored_names (request_key VARCHAR, name VARCHAR)")
    if integer(cursor, "SELECT count(*) FROM staged_names"):
        cursor.execute("""
            INSERT INTO stored_names
            SELECT request_key, name FROM (SELECT request_key, unnest(identities) AS name FROM requests)
            SEMI JOIN staged_names USING (name)""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE apart AS
        SELECT staged.request_key FROM staged_names AS staged
        JOIN stored_names AS stored USING (name) WHERE stored.request_key <> staged.request_key
        UNION
        SELECT request_key FROM staged_names SEMI JOIN ({_shared_names()}) USING (name)
        UNION
        SELECT request_key FROM staged_requests SEMI JOIN sightings USING (request_key)
        UNION
        {_keys_of_several_sources(cursor)}""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE broken AS
        SELECT stored.request_key FROM staged_names AS staged
        JOIN stored_names AS stored USING (name) WHERE stored.request_key <> staged.request_key
        UNION
        SELECT sightings.call_key FROM sightings SEMI JOIN staged_requests USING (request_key)
        UNION
        SELECT request_key FROM before_requests SEMI JOIN apart USING (request_key)""")
    cursor.execute("""
        INSERT INTO apart
        SELECT DISTINCT request_key FROM staged_requests SEMI JOIN broken USING (request_key)
        ANTI JOIN apart USING (request_key)""")
    if not integer(cursor, "SELECT count(*) FROM apart"):
        return False
    _gather(cursor)
    return True


def take_apart(cursor: DuckDBPyConnection, calls: str) -> None:
    """Makes `taken_apart`, what sources said of the stored calls that the query `calls` (request_key) gives."""
    columns = f"{_COLUMNS}, first_load_id, load_id"
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE taken_apart AS
        SELECT {columns}, named_key FROM sightings WHERE call_key IN ({calls})
        UNION ALL
        SELECT {columns}, request_key FROM requests
        WHERE request_key IN ({calls}) AND request_key NOT IN (SELECT call_key FROM sightings)""")


def _gather(cursor: DuckDBPyConnection) -> None:
    """`parts`: what was stored of the broken calls and what the load says, each key and source merged on its own."""
    take_apart(cursor, "SELECT request_key FROM broken")
    cursor.execute("CREATE OR REPLACE TEMP TABLE before_sightings AS FROM taken_apart")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE staged_sightings AS
        SELECT * FROM staged_requests SEMI JOIN apart USING (request_key)""")
    unchanged = same("stored", "part", REQUESTS.columns)
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE parts AS
        WITH said AS ({_merged(cursor)}),
        everything AS (
            SELECT {_COLUMNS} FROM said
            UNION ALL
            SELECT {_COLUMNS} FROM before_sightings ANTI JOIN said USING (request_key, source)
        )
        SELECT part.*, stored.first_load_id, CASE WHEN {unchanged} THEN stored.load_id END AS load_id
        FROM everything AS part LEFT JOIN before_sightings AS stored USING (request_key, source)""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE links AS
        SELECT request_key AS node, NULL AS name FROM parts
        UNION ALL
        SELECT request_key, name FROM ({_NAMED}) WHERE name NOT IN ({_OF_SEVERAL_CALLS})""")
    label(cursor, "links", "named_calls")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE parts AS
        WITH best AS (
            SELECT label, {best_key()} AS named_key
            FROM parts JOIN named_calls ON node = request_key GROUP BY label
        )
        SELECT parts.*, best.named_key FROM parts JOIN named_calls ON node = request_key JOIN best USING (label)""")


def _merged(cursor: DuckDBPyConnection) -> str:
    """A query for what the load says; to plan a merge is dear, and mostly there is one record a key and source."""
    several = integer(
        cursor,
        """
        SELECT count(*) FROM (
            SELECT request_key, source FROM (
                SELECT request_key, source FROM staged_sightings
                UNION ALL
                SELECT request_key, source FROM before_sightings
            ) GROUP BY request_key, source HAVING count(*) > 1
        )""",
    )
    return merged_rows(SIGHTINGS) if several else f"SELECT {_COLUMNS} FROM staged_sightings"


def best_key() -> str:
    """Of the keys of one call: one that the provider gave before one that a tool made up; then the first by name."""
    given = "starts_with(lower(request_key), lower(provider) || ':') IS TRUE"
    return f"min({{'made_up': NOT ({given}), 'key': request_key}}).key"


def _shared_names() -> str:
    return "SELECT name FROM staged_names GROUP BY name HAVING min(request_key) <> max(request_key)"


def _keys_of_several_sources(cursor: DuckDBPyConnection) -> str:
    """Totals are left out: of those the statement that was loaded last holds, whoever made it."""
    said = f"""
        SELECT request_key, source FROM {{}} WHERE NOT ({is_total()})"""
    both = f"{said.format('staged_requests')} UNION ALL {said.format('before_requests')}"
    if integer(cursor, f"SELECT count(*) FROM (SELECT DISTINCT source FROM ({both}))") < 2:
        return "SELECT NULL WHERE FALSE"
    return f"SELECT request_key FROM ({both}) GROUP BY request_key HAVING min(source) <> max(source)"
