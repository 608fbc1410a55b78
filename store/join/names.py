"""Which records of a load are of calls that another record names otherwise, by a shared key or identity.

Most records have nothing to do with others: their key is theirs alone, and one source has it. They are merged as ever.
The others, and the stored calls that they are of, are set apart: `apart` has the keys of the load, `broken` the stored
calls, and `parts` all that sources said of either, one row a key and source.
"""

from duckdb import DuckDBPyConnection

from store.join.components import label
from store.join.marks import find_names
from store.merge import merged_rows
from store.request_merge import BUCKETS
from store.rows import few_of, integer
from store.tables import REQUESTS, SIGHTINGS
from store.winners import is_total, same

_COLUMNS = ", ".join(REQUESTS.columns)
_SENT = " + ".join(bucket for bucket in BUCKETS if bucket != "output_tokens")
_NAMED = f"""
    SELECT request_key, source, unnest(identities) AS name, {_SENT} AS sent_tokens, output_tokens,
        list_filter(identities, lambda one: starts_with(one, 'response:')) AS answers,
        list_filter(identities, lambda one: starts_with(one, 'call:')) AS calls
    FROM parts WHERE scope = 'request'"""
_OF_SEVERAL_CALLS = f"""
    SELECT name FROM ({_NAMED}) GROUP BY name, source
    HAVING min(sent_tokens) <> max(sent_tokens) OR min(output_tokens) <> max(output_tokens)
        OR count(DISTINCT calls) FILTER (len(calls) > 0) > 1
        OR (NOT starts_with(name, 'response:') AND count(DISTINCT answers) FILTER (len(answers) > 0) > 1)"""
"""Names that one source gives to several keys of other usage, other calls or other answers, as a gateway its id of a
workflow or its one id of all answers: they tell no call from another. How the tokens sent are split does not part: of
spans of one call, one knows of the cache and another does not.
"""


def set_apart(cursor: DuckDBPyConnection) -> bool:
    """Makes `apart`, `broken` and, where there are any, `parts`; whether there are any."""
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE staged_names AS
        SELECT DISTINCT request_key, unnest(identities) AS name FROM staged_requests
        WHERE scope = 'request' AND len(identities) > 0""")
    find_names(cursor, "stored_names", "SELECT name FROM staged_names")
    for keys in ("apart", "broken"):
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE {keys} (request_key VARCHAR)")
    cursor.execute(f"""
        INSERT INTO apart
        SELECT staged.request_key FROM staged_names AS staged
        JOIN stored_names AS stored USING (name) WHERE stored.request_key <> staged.request_key
        UNION
        SELECT request_key FROM staged_names SEMI JOIN ({_shared_names()}) USING (name)
        UNION
        SELECT request_key FROM staged_requests SEMI JOIN sightings USING (request_key)
        UNION
        {_keys_of_several_sources(cursor)}""")
    cursor.execute("""
        INSERT INTO broken
        SELECT stored.request_key FROM staged_names AS staged
        JOIN stored_names AS stored USING (name) WHERE stored.request_key <> staged.request_key
        UNION
        SELECT sightings.call_key FROM sightings SEMI JOIN staged_requests USING (request_key)
        UNION
        SELECT request_key FROM before_requests SEMI JOIN apart USING (request_key)""")
    _break_namesakes(cursor)
    cursor.execute("""
        INSERT INTO apart
        SELECT DISTINCT request_key FROM staged_requests SEMI JOIN broken USING (request_key)
        ANTI JOIN apart USING (request_key)""")
    if not integer(cursor, "SELECT count(*) FROM apart"):
        return False
    _gather(cursor)
    return True


def _break_namesakes(cursor: DuckDBPyConnection) -> None:
    """Adds to `broken` the stored calls that share a name with one of it, and so on.

    Only names of several calls are shared so. Without all that have such a name, it would seem to be of one.
    """
    if not integer(cursor, "SELECT count(*) FROM broken"):
        return
    rows = few_of("requests", "broken", "request_key")
    names = f"SELECT unnest(identities) AS name FROM ({rows}) WHERE scope = 'request'"
    while find_names(cursor, "namesakes", names):
        found = cursor.execute("""
            INSERT INTO broken
            SELECT DISTINCT request_key FROM namesakes ANTI JOIN broken USING (request_key)
            WHERE scope = 'request' RETURNING request_key""").fetchone()
        if found is None:
            return


def take_apart(cursor: DuckDBPyConnection, calls: str) -> None:
    """Makes `taken_apart`, what sources said of the stored calls that the query `calls` (request_key) gives."""
    columns = f"{_COLUMNS}, first_load_id, load_id"
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE whole_calls AS
        SELECT request_key FROM ({calls}) AS chosen ANTI JOIN sightings ON sightings.call_key = chosen.request_key""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE taken_apart AS
        SELECT {columns}, named_key FROM sightings WHERE call_key IN ({calls})
        UNION ALL
        SELECT {columns}, request_key FROM ({few_of("requests", "whole_calls", "request_key")})""")


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
    _part_calls(cursor)
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE parts AS
        WITH best AS (
            SELECT label, {best_key()} AS named_key
            FROM parts JOIN named_calls ON node = request_key GROUP BY label
        )
        SELECT parts.*, best.named_key FROM parts JOIN named_calls ON node = request_key JOIN best USING (label)""")


def _part_calls(cursor: DuckDBPyConnection) -> None:
    """Two ids that the proxy gave are two calls, whatever chain of names joins them: there only such ids join."""
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE chained AS
        SELECT node FROM named_calls WHERE label IN (
            SELECT label FROM links JOIN named_calls USING (node)
            WHERE starts_with(name, 'call:') GROUP BY label HAVING count(DISTINCT name) > 1
        )""")
    if integer(cursor, "SELECT count(*) FROM chained"):
        cursor.execute("""
            DELETE FROM links
            WHERE node IN (FROM chained) AND name IS NOT NULL AND NOT starts_with(name, 'call:')""")
        label(cursor, "links", "named_calls")


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
