"""Which calls can be alike to what a load changes: the same model and counts, at nearly the same time, of two sources.

Heartbeats look all the same, through years, so likeness does not narrow and time must. Calls that are alike end at most
`WINDOW_S` apart. One that comes or goes can join or part only those next to it and those next to these: a clique beside
it has no one else, and what is no clique is not joined whoever comes. So a `band` of time reaches two windows from what
the load touches, and one more, where calls are only witnesses: whom they are next to is not known.
"""

from duckdb import DuckDBPyConnection

from store.request_merge import BUCKETS
from store.rows import few_of, integer, row

WINDOW_S = 5
WINDOW = f"INTERVAL {WINDOW_S} SECONDS"
_BAND = f"INTERVAL {3 * WINDOW_S} SECONDS"
OVER_AT = "coalesce(ended_at, started_at)"
LIKENESS = f"hash(lower(model), {', '.join(BUCKETS)})"
_HAS_USAGE = "scope = 'request' AND output_tokens > 0 AND model IS NOT NULL"
CAN_MATCH = f"{_HAS_USAGE} AND {OVER_AT} IS NOT NULL"


def has_name(kind: str) -> str:
    """An expression: whether a row has a name of this kind."""
    return f"len(list_filter(coalesce(identities, []), lambda name: starts_with(name, '{kind}:'))) > 0"


NAMES_ANSWER = f"({has_name('response')} OR starts_with(lower(request_key), lower(provider) || ':') IS TRUE)"


def find_near(cursor: DuckDBPyConnection, *, has_parts: bool) -> bool:
    """Whether anything can be alike: in a band, two calls, two sources, and a call whose answer has no name.

    Makes `moved`, what of `changed_requests` is in such a band, and `like_them`, the stored calls that are.
    """
    if not _has_two_sources(cursor):
        return False
    _find_said(cursor, has_parts=has_parts)
    _find_likenesses(cursor, has_parts=has_parts)
    if not integer(cursor, "SELECT count(*) FROM likenesses"):
        return False
    _find_bands(cursor)
    _find_stored(cursor)
    _find_possible(cursor)
    if not integer(cursor, "SELECT count(*) FROM possible"):
        return False
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE moved AS
        SELECT named_key AS request_key FROM fresh SEMI JOIN possible USING (likeness, begins_at) WHERE NOT is_part""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE like_them AS
        SELECT DISTINCT request_key FROM near SEMI JOIN possible USING (likeness, begins_at)""")
    return True


def _has_two_sources(cursor: DuckDBPyConnection) -> bool:
    """Most first loads have one, and are large."""
    told = ("staged_requests", "requests", "sightings")
    first = "coalesce((SELECT min(source) FROM staged_requests), '')"
    others = " OR ".join(f"EXISTS (FROM {table} WHERE source <> {first})" for table in told)
    return bool(row(cursor, f"SELECT {others}")[0])


def _find_said(cursor: DuckDBPyConnection, *, has_parts: bool) -> None:
    """`said`: what the load says.

    The row of a call has its usage from one part, and may be over when any of them begins or ends: where the part with
    the usage does not say when it ended, it is over when another begins.
    """
    seen = f"{LIKENESS} AS likeness, {', '.join(BUCKETS)}, source, {NAMES_ANSWER} AS is_named"
    parts = f"""
        UNION ALL
        SELECT {seen}, named_key, TRUE, first_at, last_at
        FROM (
            SELECT
                *, min(least(started_at, ended_at)) OVER named AS first_at,
                max(greatest(started_at, ended_at)) OVER named AS last_at
            FROM parts WINDOW named AS (PARTITION BY named_key)
        )
        WHERE {_HAS_USAGE} AND first_at IS NOT NULL"""
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE said AS
        SELECT {seen}, request_key AS named_key, FALSE AS is_part, {OVER_AT} AS first_at, {OVER_AT} AS last_at
        FROM changed_requests WHERE {CAN_MATCH}
        {parts if has_parts else ""}""")


def _find_likenesses(cursor: DuckDBPyConnection, *, has_parts: bool) -> None:
    """`replaced`: the rows until now of what the load says. `likenesses`: how either looks."""
    replaced = "SELECT * FROM before_requests SEMI JOIN changed_requests USING (request_key)"
    if has_parts:
        replaced += f" UNION ALL BY NAME {few_of('requests', 'broken', 'request_key')}"
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE replaced AS
        SELECT request_key, {LIKENESS} AS likeness, {", ".join(BUCKETS)}, {OVER_AT} AS over_at
        FROM ({replaced}) WHERE {CAN_MATCH}""")
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE likenesses AS
        SELECT likeness, {", ".join(BUCKETS)} FROM said
        UNION
        SELECT likeness, {", ".join(BUCKETS)} FROM replaced""")


def _find_bands(cursor: DuckDBPyConnection) -> None:
    """`bands` of a likeness, none of which meets another, and `fresh`, what is said with the band that it is in."""
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE bands AS
        WITH touched AS (
            SELECT likeness, first_at - {_BAND} AS begins_at, max(last_at) + {_BAND} AS ends_at FROM (
                SELECT likeness, first_at, last_at FROM said
                UNION ALL
                SELECT likeness, over_at, over_at FROM replaced
            ) GROUP BY likeness, first_at
        ),
        placed AS (
            SELECT *, (begins_at > max(ends_at) OVER earlier) IS NOT FALSE AS is_first
            FROM touched
            WINDOW earlier AS (
                PARTITION BY likeness ORDER BY begins_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            )
        ),
        banded AS (
            SELECT likeness, ends_at, max(CASE WHEN is_first THEN begins_at END) OVER so_far AS begins_at
            FROM placed WINDOW so_far AS (PARTITION BY likeness ORDER BY begins_at)
        )
        SELECT likeness, begins_at, max(ends_at) AS ends_at FROM banded GROUP BY likeness, begins_at""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE fresh AS
        SELECT said.*, begins_at FROM said
        ASOF JOIN bands ON said.likeness = bands.likeness AND said.first_at >= bands.begins_at""")


def _find_stored(cursor: DuckDBPyConnection) -> None:
    """`near`: the other stored calls of a band, by the time of their row or by one that a source says of them.

    They are found by their counts, because to work out the likeness of each that is stored is dear.
    """
    in_time = "{} >= (SELECT min(begins_at) FROM bands) AND {} <= (SELECT max(ends_at) FROM bands)"
    seen = " UNION ALL ".join(
        f"SELECT call_key AS request_key, {at} AS over_at FROM sightings WHERE {in_time.format(at, at)}"
        for at in ("started_at", "ended_at")
    )
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE near AS
        WITH by_row AS (
            SELECT request_key, {LIKENESS} AS likeness, {OVER_AT} AS over_at
            FROM ({few_of("requests", "likenesses", *BUCKETS)})
            WHERE {CAN_MATCH} AND {in_time.format(OVER_AT, OVER_AT)}
        ),
        seen AS ({seen}),
        by_sighting AS (
            SELECT request_key, likeness, seen.over_at
            FROM (
                SELECT request_key, {LIKENESS} AS likeness
                FROM ({few_of("requests", "seen", "request_key")}) WHERE {CAN_MATCH}
            )
            JOIN seen USING (request_key)
        ),
        points AS (FROM by_row UNION FROM by_sighting)
        SELECT DISTINCT request_key, points.likeness, begins_at
        FROM points
        ASOF JOIN bands ON points.likeness = bands.likeness AND points.over_at >= bands.begins_at
        WHERE points.over_at <= bands.ends_at AND request_key NOT IN (SELECT request_key FROM replaced)""")


def _find_possible(cursor: DuckDBPyConnection) -> None:
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE possible AS
        WITH told AS (
            SELECT request_key, source, {NAMES_ANSWER} AS is_named
            FROM ({few_of("requests", "near", "request_key")})
            UNION ALL
            SELECT call_key, source, {NAMES_ANSWER}
            FROM sightings WHERE call_key IN (SELECT request_key FROM near)
        ),
        pool AS (
            SELECT likeness, begins_at, named_key, source, is_named FROM fresh
            UNION ALL
            SELECT likeness, begins_at, request_key, source, is_named FROM near JOIN told USING (request_key)
        )
        SELECT likeness, begins_at FROM pool GROUP BY likeness, begins_at
        HAVING NOT bool_and(is_named) AND min(source) <> max(source) AND min(named_key) <> max(named_key)""")
