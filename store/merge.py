"""Which copy wins: several records with one key become one row, whatever their order and however they were split.

Columns that belong together form a struct, led by what ranks it, and the greatest (or least) struct of a key wins as a
whole. The rest of the struct breaks ties by content, so the winner is the same in any order; and since a stored row is
itself such a winner, merging it with what comes later gives what merging everything at once would have given. Totals of
sessions are no copies: the statement that was loaded last is the one that holds.
"""

from collections.abc import Mapping
from dataclasses import replace

from store.request_merge import BUCKETS, request_merge
from store.tables import (
    CREDIT_USAGE,
    PRICES,
    REPORTED_USAGE,
    REQUESTS,
    SCORES,
    SESSION_EVIDENCE,
    SESSIONS,
    SIGHTINGS,
    WEIGHED,
    Table,
)
from store.winners import NEVER, Merge, same, struct


def merged_rows(table: Table, staged: str | None = None) -> str:
    """A query for one row a key: what `before_<table>`, the stored rows, and `staged_<table>` say together.

    `staged` names another table in the place of the last.
    """
    merge = MERGES.get(table.name)
    staged = staged or f"staged_{table.name}"
    columns, keys = ", ".join(table.columns), ", ".join(table.key)
    if merge is None:
        return f"""
            SELECT {columns} FROM {staged}
            WHERE seq IN (SELECT max(seq) FROM {staged} GROUP BY {keys})"""
    winners = ", ".join(f"{aggregate} AS {group}" for group, aggregate in merge.groups.items())
    merged = ", ".join(f"{merge.columns.get(column, column)} AS {column}" for column in table.columns)
    # Most keys of a load have one copy, or one that is stored as it is: only the others have to be merged.
    return f"""
        WITH news AS (
            SELECT {columns} FROM {staged} AS staged
            ANTI JOIN before_{table.name} AS stored ON {same("staged", "stored", table.columns)}
            WHERE NOT ({merge.restated})
                OR seq IN (SELECT max(seq) FROM {staged} WHERE {merge.restated} GROUP BY {keys})
        ),
        copies AS (
            SELECT {columns} FROM news
            UNION ALL
            SELECT {columns} FROM before_{table.name} SEMI JOIN news USING ({keys})
            WHERE NOT ({merge.restated}) OR ({keys}) NOT IN (SELECT ({keys}) FROM news WHERE {merge.restated})
        ),
        several AS (SELECT {keys} FROM copies GROUP BY {keys} HAVING count(*) > 1)
        SELECT {columns} FROM copies ANTI JOIN several USING ({keys})
        UNION ALL
        SELECT {merged} FROM (
            SELECT {keys}, {winners} FROM copies SEMI JOIN several USING ({keys}) GROUP BY {keys}
        )"""


def known_prices() -> str:
    """Gives every staged price line the instant since when it is known: `$now` for one that nobody knew before.

    A line that says what its newest stored version says is that version. One with other content is another version,
    known later.
    """
    content = [column for column in PRICES.columns if column != "known_at"]
    return f"""
        WITH versions AS (
            SELECT *, known_at = max(known_at) OVER (PARTITION BY price_id) AS is_newest FROM prices
        )
        UPDATE staged_prices AS staged SET known_at = coalesce(
            (
                SELECT max(version.known_at) FROM versions AS version
                WHERE {same("version", "staged", content)}
                    AND (version.is_newest OR version.known_at = staged.known_at)
            ),
            CASE WHEN NOT EXISTS (
                SELECT 1 FROM prices AS taken
                WHERE taken.price_id = staged.price_id AND taken.known_at = staged.known_at
            ) THEN staged.known_at END,
            greatest($now, (
                SELECT max(older.known_at) + INTERVAL 1 MICROSECOND FROM prices AS older
                WHERE older.price_id = staged.price_id
            ))
        )"""


def _sighting_merge() -> Merge:
    """As copies of a request; the source is part of the key."""
    merge = request_merge()
    return replace(merge, columns={name: at for name, at in merge.columns.items() if name != "source"})


def _session_merge() -> Merge:
    """`Session` says which evidence decides a field; the field keeps the instant of the evidence that did.

    How it ended is kept beside what follows from it, because an end that is void while the session runs counts again
    once the session is seen to be over.
    """
    over = {"instant": f"coalesce(state_observed_at, {NEVER})", "over": "NOT is_running"}
    state = struct(over, ("is_running", "state_observed_at"))
    groups = {
        "started": "min(started_at)",
        "ended": "max(stated_ended_at)",
        "state": f"max({state}) FILTER (WHERE is_running IS NOT NULL)",
        "newest": f"max({_evidence('source', 'observed_at')})",
    }
    columns = {
        "started_at": "started",
        "stated_ended_at": "ended",
        "ended_at": "CASE WHEN state.is_running IS NOT TRUE THEN ended END",
        "is_running": "state.is_running",
        "state_observed_at": "state.state_observed_at",
        "source": "newest.source",
        "observed_at": "newest.observed_at",
    }
    for field, instant in SESSION_EVIDENCE.items():
        weighed = WEIGHED.get(field, ())
        groups[f"{field}_evidence"] = f"max({_evidence(field, instant, *weighed)}) FILTER (WHERE {field} IS NOT NULL)"
        columns |= {column: f"{field}_evidence.{column}" for column in (field, instant, *weighed)}
        if weighed:
            columns[weighed[1]] = f"coalesce({field}_evidence.{weighed[1]}, 0)"
    columns["termination"] = f"CASE WHEN state.is_running IS NOT TRUE THEN {columns['stated_termination']} END"
    return Merge(groups, columns)


def _evidence(field: str, instant: str, rule: str | None = None, confidence: str | None = None) -> str:
    ranks = ({"confidence": confidence} if confidence else {}) | {"instant": f"coalesce({instant}, {NEVER})"}
    ranks |= {"ruled": f"{rule} IS NOT NULL"} if rule else {}
    return struct(ranks, [column for column in (field, instant, rule, confidence) if column])


def _credit_merge() -> Merge:
    """A count that still grows is what it was when it was read last; a statement replaces whatever was there."""
    columns = [column for column in CREDIT_USAGE.columns if column not in CREDIT_USAGE.key]
    latest = struct({"instant": f"coalesce(observed_at, {NEVER})", "count": "credits"}, columns)
    return Merge({"latest": f"max({latest})"}, {c: f"latest.{c}" for c in columns}, restated="observed_at IS NULL")


def _score_merge() -> Merge:
    """The latest judgement of a scorer."""
    columns = [column for column in SCORES.columns if column not in SCORES.key]
    latest = struct({"instant": "observed_at"}, columns)
    return Merge({"latest": f"max({latest})"}, {c: f"latest.{c}" for c in columns})


def _usage_merge() -> Merge:
    """Of a meter, whose kinds of tokens come one by one, each at its highest; of anybody else the last statement."""
    counts = (*BUCKETS, "input_tokens", "requests", "usd")
    rest = [c for c in REPORTED_USAGE.columns if c not in (*REPORTED_USAGE.key, *counts, "starts_at", "ends_at")]
    groups = {
        "began": "min(starts_at)",
        "latest": f"max({struct({'instant': 'ends_at'}, rest)})",
        "read": "max(ends_at)",
    }
    groups |= {f"most_{count}": f"max({count})" for count in counts}
    columns = {count: f"most_{count}" for count in counts} | {column: f"latest.{column}" for column in rest}
    return Merge(groups, columns | {"starts_at": "began", "ends_at": "read"}, restated="reporter <> 'meter'")


MERGES: Mapping[str, Merge] = {
    REQUESTS.name: request_merge(),
    SIGHTINGS.name: _sighting_merge(),
    SESSIONS.name: _session_merge(),
    CREDIT_USAGE.name: _credit_merge(),
    SCORES.name: _score_merge(),
    REPORTED_USAGE.name: _usage_merge(),
}
