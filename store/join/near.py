"""Which calls can be alike to what a load changes: the same model and counts, near in time, and of two sources.

Heartbeats look all the same, through years. Only those matter that end soon after each other: a `run` of them goes on
until none ends for `WINDOW_S`. Whatever is alike is in one run, and runs that the load does not touch are not read.
"""

from duckdb import DuckDBPyConnection

from store.request_merge import BUCKETS
from store.rows import few_of, integer

WINDOW_S = 5
OVER_AT = "coalesce(ended_at, started_at)"
LIKENESS = f"hash(lower(model), {', '.join(BUCKETS)})"
_HAS_USAGE = "scope = 'request' AND output_tokens > 0 AND model IS NOT NULL"
CAN_MATCH = f"{_HAS_USAGE} AND {OVER_AT} IS NOT NULL"


def has_name(kind: str) -> str:
    """An expression: whether a row has a name of this kind."""
    return f"len(list_filter(coalesce(identities, []), lambda name: starts_with(name, '{kind}:'))) > 0"


NAMES_ANSWER = f"({has_name('response')} OR starts_with(lower(request_key), lower(provider) || ':') IS TRUE)"


def find_near(cursor: DuckDBPyConnection, *, has_parts: bool) -> bool:
    """Whether anything can be alike: a run with two calls, two sources, and a call whose answer has no name.

    Makes `moved`, what of `changed_requests` is in such a run, and `like_them`, the stored calls that are.
    """
    _find_fresh(cursor, has_parts=has_parts)
    _find_stretches(cursor, has_parts=has_parts)
    _find_runs(cursor)
    _find_possible(cursor)
    if not integer(cursor, "SELECT count(*) FROM possible"):
        return False
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE moved AS
        SELECT named_key AS request_key FROM fresh
        JOIN runs USING (likeness, first_at) SEMI JOIN possible USING (likeness, run) WHERE NOT is_part""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE like_them AS
        SELECT request_key FROM near SEMI JOIN possible USING (likeness, run) WHERE NOT is_replaced""")
    return True


def _find_fresh(cursor: DuckDBPyConnection, *, has_parts: bool) -> None:
    """`fresh`: what the load says. The row of a call has its usage from one part, and its times from any of them."""
    seen = f"{LIKENESS} AS likeness, {', '.join(BUCKETS)}, source, {NAMES_ANSWER} AS is_named"
    parts = f"""
        UNION ALL
        SELECT {seen}, named_key, TRUE, first_at, last_at
        FROM (
            SELECT *, min({OVER_AT}) OVER named AS first_at, max({OVER_AT}) OVER named AS last_at
            FROM parts WINDOW named AS (PARTITION BY named_key)
        )
        WHERE {_HAS_USAGE} AND first_at IS NOT NULL"""
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE fresh AS
        SELECT {seen}, request_key AS named_key, FALSE AS is_part, {OVER_AT} AS first_at, {OVER_AT} AS last_at
        FROM changed_requests WHERE {CAN_MATCH}
        {parts if has_parts else ""}""")


def _find_stretches(cursor: DuckDBPyConnection, *, has_parts: bool) -> None:
    """`stretches` of time of the stored calls that look like what the load brings or replaces (`is_replaced`).

    They are found by their counts, because to work out the likeness of each that is stored is dear.
    """
    replaced = "SELECT * FROM before_requests SEMI JOIN changed_requests USING (request_key)"
    if has_parts:
        replaced += f" UNION ALL BY NAME {few_of('requests', 'broken', 'request_key')}"
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE replaced AS
        SELECT request_key, {LIKENESS} AS likeness, {", ".join(BUCKETS)} FROM ({replaced}) WHERE {CAN_MATCH}""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE likenesses AS
        SELECT likeness, {", ".join(BUCKETS)} FROM fresh
        UNION
        SELECT likeness, {", ".join(BUCKETS)} FROM replaced""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE stretches AS
        WITH calls AS (
            SELECT request_key, {LIKENESS} AS likeness, {OVER_AT} AS over_at
            FROM ({few_of("requests", "likenesses", *BUCKETS)})
            WHERE {CAN_MATCH} AND {LIKENESS} IN (SELECT likeness FROM likenesses)
        ),
        seen AS (
            SELECT call_key AS request_key, min({OVER_AT}) AS first_at, max({OVER_AT}) AS last_at
            FROM sightings SEMI JOIN calls ON calls.request_key = call_key GROUP BY call_key
        )
        SELECT
            request_key, likeness, least(over_at, first_at) AS first_at, greatest(over_at, last_at) AS last_at,
            request_key IN (SELECT request_key FROM replaced) AS is_replaced
        FROM calls LEFT JOIN seen USING (request_key)""")


def _find_runs(cursor: DuckDBPyConnection) -> None:
    """`runs`, each named by its first instant; `near`: the stored calls of those that the load touches."""
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE runs AS
        WITH stretch AS (
            SELECT likeness, first_at, max(last_at) AS last_at FROM (
                SELECT likeness, first_at, last_at FROM fresh
                UNION ALL
                SELECT likeness, first_at, last_at FROM stretches
            ) GROUP BY likeness, first_at
        ),
        after_pause AS (
            SELECT
                likeness, first_at,
                (first_at > max(last_at) OVER earlier + INTERVAL {WINDOW_S} SECONDS) IS NOT FALSE AS begins
            FROM stretch
            WINDOW earlier AS (
                PARTITION BY likeness ORDER BY first_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        )
        SELECT likeness, first_at, max(CASE WHEN begins THEN first_at END) OVER so_far AS run
        FROM after_pause WINDOW so_far AS (PARTITION BY likeness ORDER BY first_at)""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE near AS
        WITH placed AS (SELECT * FROM stretches JOIN runs USING (likeness, first_at)),
        touched AS (
            SELECT likeness, run FROM fresh JOIN runs USING (likeness, first_at)
            UNION
            SELECT likeness, run FROM placed WHERE is_replaced
        )
        SELECT request_key, likeness, run, is_replaced FROM placed SEMI JOIN touched USING (likeness, run)""")


def _find_possible(cursor: DuckDBPyConnection) -> None:
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE possible AS
        WITH stored AS (SELECT likeness, run, request_key FROM near WHERE NOT is_replaced),
        said AS (
            SELECT request_key, source, {NAMES_ANSWER} AS is_named
            FROM ({few_of("requests", "near", "request_key")})
            UNION ALL
            SELECT call_key, source, {NAMES_ANSWER}
            FROM sightings WHERE call_key IN (SELECT request_key FROM near)
        ),
        pool AS (
            SELECT likeness, run, named_key, source, is_named FROM fresh JOIN runs USING (likeness, first_at)
            UNION ALL
            SELECT likeness, run, request_key, source, is_named FROM stored JOIN said USING (request_key)
        )
        SELECT likeness, run FROM pool GROUP BY likeness, run
        HAVING NOT bool_and(is_named) AND min(source) <> max(source) AND min(named_key) <> max(named_key)""")
