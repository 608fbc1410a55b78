"""Which copy wins: several records with one key become one row, whatever their order and however they were split.

Columns that belong together form a struct, led by what ranks it, and the greatest (or least) struct of a key wins as a
whole. The rest of the struct breaks ties by content, so the winner is the same in any order; and since a stored row is
itself such a winner, merging it with what comes later gives what merging everything at once would have given.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from store.priced import KNOWLEDGE
from store.tables import PRICES, REQUESTS, SESSION_EVIDENCE, SESSIONS, Table

_NEVER = "'-infinity'::TIMESTAMP"
_TOKENS = "uncached_input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens + output_tokens"


@dataclass(frozen=True, slots=True)
class Merge:
    groups: Mapping[str, str]
    """Group -> the aggregate that picks its winner among the copies of a key."""
    columns: Mapping[str, str]
    """Column -> where it is in the winners."""


def merged_rows(table: Table) -> str:
    """A query for one row a key: what `before_<table>`, the stored rows, and `staged_<table>` say together."""
    merge = MERGES.get(table.name)
    columns, keys = ", ".join(table.columns), ", ".join(table.key)
    if merge is None:
        return f"""
            SELECT {columns} FROM staged_{table.name}
            WHERE seq IN (SELECT max(seq) FROM staged_{table.name} GROUP BY {keys})"""
    winners = ", ".join(f"{aggregate} AS {group}" for group, aggregate in merge.groups.items())
    merged = ", ".join(f"{merge.columns.get(column, column)} AS {column}" for column in table.columns)
    # Most keys of a load have one copy, or one that is stored as it is: only the others have to be merged.
    return f"""
        WITH news AS (
            SELECT {columns} FROM staged_{table.name} AS staged
            ANTI JOIN before_{table.name} AS stored ON {same("staged", "stored", table.columns)}
        ),
        copies AS (
            SELECT {columns} FROM news
            UNION ALL
            SELECT {columns} FROM before_{table.name} SEMI JOIN news USING ({keys})
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


def same(left: str, right: str, columns: Iterable[str]) -> str:
    """A condition; unknown is the same as unknown."""
    return " AND ".join(f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}" for column in columns)


def _struct(ranks: Mapping[str, str], columns: Iterable[str]) -> str:
    members = [f"'by_{name}': {expression}" for name, expression in ranks.items()]
    return "{" + ", ".join([*members, *(f"'{column}': {column}" for column in columns)]) + "}"


def _request_merge() -> Merge:
    """The oldest session owns the call; the copy with the most output is the one that was streamed to its end."""
    owner = ("session_id", "agent", "owner_started_at")
    usage = [c for c in REQUESTS.columns if c not in {"request_key", "started_at", *owner}]
    oldest = {
        "unowned": "session_id IS NULL",
        "age": "coalesce(owner_started_at, 'infinity'::TIMESTAMP)",
    }
    fullest = {
        "output": "coalesce(output_tokens, -1)",
        "tokens": f"coalesce({_TOKENS}, -1)",
        "knowledge": f"list_position({list(KNOWLEDGE)}, cost_status)",
        "end": f"coalesce(ended_at, {_NEVER})",
    }
    return Merge(
        groups={
            "owner": f"min({_struct(oldest, owner)})",
            "usage": f"max({_struct(fullest, usage)})",
            "started": "min(started_at)",
        },
        columns={column: f"owner.{column}" for column in owner}
        | {column: f"usage.{column}" for column in usage}
        | {"started_at": "started"},
    )


def _session_merge() -> Merge:
    """`Session` says which evidence decides a field; the field keeps the instant of the evidence that did."""
    groups = {
        "started": "min(started_at)",
        "ended": "max(ended_at)",
        "newest": f"max({_evidence('source', 'observed_at')})",
    }
    columns = {
        "started_at": "started",
        "ended_at": "ended",
        "source": "newest.source",
        "observed_at": "newest.observed_at",
    }
    for field, instant in SESSION_EVIDENCE.items():
        weighed = (f"{field}_rule", f"{field}_confidence") if field in ("trigger", "termination") else ()
        groups[f"{field}_evidence"] = f"max({_evidence(field, instant, *weighed)}) FILTER (WHERE {field} IS NOT NULL)"
        columns |= {column: f"{field}_evidence.{column}" for column in (field, instant, *weighed)}
        if weighed:
            columns[f"{field}_confidence"] = f"coalesce({field}_evidence.{field}_confidence, 0)"
    return Merge(groups, columns)


def _evidence(field: str, instant: str, rule: str | None = None, confidence: str | None = None) -> str:
    ranks = ({"confidence": confidence} if confidence else {}) | {"instant": f"coalesce({instant}, {_NEVER})"}
    return _struct(ranks, [column for column in (field, instant, rule, confidence) if column])


MERGES: Mapping[str, Merge] = {REQUESTS.name: _request_merge(), SESSIONS.name: _session_merge()}
