"""Calls that two sources saw and that no name joins: alike in every respect, and each the only one that is.

A wrong match hides what was spent; a missed one counts it twice. So this is narrow: the same model and the same five
counts of tokens with some output, ends at most five seconds apart, times that meet where both have two, no session
against another, no agent against another but in one session, no provider beside a bill of another, no source that
both have, and not two ids of answers or of requests, which would be of two calls. What then hangs together is one
call only where each is alike to each other one. Two calls of one source that look alike are so left apart, and with
them whatever could be of either.

All of it is a function of the rows that are stored: what comes later can join two calls, and can part them again.
"""

from duckdb import DuckDBPyConnection

from store.join.calls import merged_calls
from store.join.components import label
from store.join.names import take_apart
from store.join.near import CAN_MATCH, LIKENESS, NAMES_ANSWER, OVER_AT, WINDOW, find_near, has_name
from store.request_merge import BUCKETS
from store.tables import REQUESTS

_COLUMNS = ", ".join(REQUESTS.columns)


def match_alike(cursor: DuckDBPyConnection, *, has_parts: bool) -> bool:
    """Makes `matches` (named_key, label) for the calls that are alike to another.

    What can be alike moves from `changed_requests` to `parts`, and stored calls that can be are taken apart, too;
    whether there are parts now.
    """
    cursor.execute("CREATE OR REPLACE TEMP TABLE matches (named_key VARCHAR, label VARCHAR)")
    if not find_near(cursor, has_parts=has_parts):
        return has_parts
    _move_into_parts(cursor, has_parts=has_parts)
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE named_rows AS
        WITH rows AS ({merged_calls("parts", "named_key")}),
        said AS (
            SELECT named_key AS request_key, list(DISTINCT source) AS sources, bool_or({NAMES_ANSWER}) AS names_answer
            FROM parts GROUP BY named_key
        )
        SELECT request_key AS named_key, session_id, agent, lower(provider) AS provider, billed_usd, sources,
            started_at, ended_at, lower(model) AS model, {", ".join(BUCKETS)},
            {LIKENESS} AS likeness, {OVER_AT} AS over_at, names_answer, {has_name("request-id")} AS names_request
        FROM rows JOIN said USING (request_key)
        WHERE {CAN_MATCH}""")
    _pair(cursor)
    return True


def _move_into_parts(cursor: DuckDBPyConnection, *, has_parts: bool) -> None:
    """What the load changes and names do not join: its row is all that is said of it."""
    take_apart(cursor, "FROM like_them")
    columns = f"{_COLUMNS}, first_load_id, load_id, named_key"
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE parts AS
        {f"SELECT {columns} FROM parts UNION ALL" if has_parts else ""}
        SELECT {columns} FROM taken_apart
        UNION ALL
        SELECT {", ".join(f"new.{column}" for column in REQUESTS.columns)}, stored.first_load_id, NULL, new.request_key
        FROM changed_requests AS new
        SEMI JOIN moved USING (request_key)
        LEFT JOIN before_requests AS stored USING (request_key)""")
    cursor.execute("DELETE FROM changed_requests WHERE request_key IN (FROM moved)")
    cursor.execute("""
        INSERT INTO broken
        SELECT request_key FROM before_requests SEMI JOIN moved USING (request_key)
        UNION ALL
        FROM like_them""")


def _pair(cursor: DuckDBPyConnection) -> None:
    """`pairs` of rows that are alike; `matches` where all that hang together are pairs."""
    slack = "INTERVAL 1 SECOND"
    equal = " AND ".join(f"one.{column} = other.{column}" for column in ("likeness", "model", *BUCKETS))
    cursor.execute(f"""
        CREATE OR REPLACE TEMP TABLE pairs AS
        WITH placed AS (SELECT *, time_bucket({WINDOW}, over_at) AS slot FROM named_rows),
        near AS (SELECT *, unnest([slot - {WINDOW}, slot, slot + {WINDOW}]) AS beside FROM placed)
        SELECT one.named_key AS one, other.named_key AS other
        FROM placed AS one
        JOIN near AS other ON {equal} AND one.slot = other.beside
        WHERE NOT one.names_answer AND (other.names_answer OR one.named_key < other.named_key)
            AND one.over_at BETWEEN other.over_at - {WINDOW} AND other.over_at + {WINDOW}
            AND NOT list_has_any(one.sources, other.sources)
            AND NOT (one.names_request AND other.names_request)
            AND (one.session_id = other.session_id) IS NOT FALSE
            AND ((one.agent = other.agent) IS NOT FALSE OR (one.session_id = other.session_id) IS TRUE)
            AND ((one.provider = other.provider) IS NOT FALSE OR coalesce(one.billed_usd, other.billed_usd) IS NULL)
            AND (
                one.started_at >= one.ended_at OR other.started_at >= other.ended_at
                OR greatest(one.started_at, other.started_at) - {slack} <= least(one.ended_at, other.ended_at)
            ) IS NOT FALSE""")
    cursor.execute("""
        CREATE OR REPLACE TEMP TABLE links AS
        SELECT one AS node, one || chr(10) || other AS name FROM pairs
        UNION ALL
        SELECT other, one || chr(10) || other FROM pairs""")
    label(cursor, "links", "alike_calls")
    # Of whom only witnesses are known, no more is known than before: what was one call is one.
    cursor.execute(f"""
        INSERT INTO matches
        WITH stored AS (
            SELECT DISTINCT named_key, call_key FROM sightings WHERE call_key IN (FROM like_them)
        ),
        sizes AS (
            SELECT
                label, count(*) AS calls, bool_and(is_inside) AS are_inside,
                count(DISTINCT coalesce(call_key, node)) = 1 AS is_as_before
            FROM alike_calls
            JOIN ({_PLACED}) AS placed ON placed.named_key = node
            LEFT JOIN stored ON stored.named_key = node
            GROUP BY label
        ),
        joined AS (
            SELECT label, count(*) AS pairs FROM pairs JOIN alike_calls ON node = pairs.one GROUP BY label
        )
        SELECT node, label FROM alike_calls
        JOIN sizes USING (label) JOIN joined USING (label)
        WHERE pairs * 2 = calls * (calls - 1) AND (are_inside OR is_as_before)""")


_PLACED = f"""
    SELECT named_key,
        (over_at >= begins_at + {WINDOW} AND over_at <= ends_at - {WINDOW}) IS TRUE AS is_inside
    FROM named_rows
    ASOF LEFT JOIN bands ON named_rows.likeness = bands.likeness AND named_rows.over_at >= bands.begins_at"""
"""Whom each call is next to is known of those that are not at the edge of a band."""
