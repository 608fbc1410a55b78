"""Which copy wins: several records with one key become one row, whatever their order and however they were split.

Columns that belong together form a struct, led by what ranks it, and the greatest (or least) struct of a key wins as a
whole. The rest of the struct breaks ties by content, so the winner is the same in any order; and since a stored row is
itself such a winner, merging it with what comes later gives what merging everything at once would have given. Totals of
sessions are no copies: the statement that was loaded last is the one that holds.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from store.priced import KNOWLEDGE
from store.tables import (
    COST,
    CREDIT_USAGE,
    PRICES,
    REPORTED_USAGE,
    REQUESTS,
    SCORES,
    SESSION_EVIDENCE,
    SESSIONS,
    WEIGHED,
    Table,
)

_NEVER = "'-infinity'::TIMESTAMP"
_IDENTITIES = "coalesce(identities, [])"
CACHE_WRITES = ("cache_write_5m_tokens", "cache_write_1h_tokens")
BUCKETS = ("uncached_input_tokens", "cache_read_tokens", *CACHE_WRITES, "output_tokens")
_TOKENS = " + ".join(BUCKETS)
_UNBILLED = "coalesce(unbilled_status, cost_status)"
_KNOWLEDGE_RANK = (
    f"list_position({list(KNOWLEDGE)}, {_UNBILLED})"
    f" + CASE WHEN {_UNBILLED} = 'UNPRICED' AND unpriced_part IS NOT NULL THEN 1.5 ELSE 0 END"
)
"""A copy that says why no line can price it knows more than one that was priced without knowing that."""
_TERMS = f"greatest({_KNOWLEDGE_RANK}, list_position({list(KNOWLEDGE)}, 'PRICED'))"
"""What a copy knows of its cost beside tokens and price lines: nothing, why no line fits, a plan, or a bill."""


@dataclass(frozen=True, slots=True)
class Merge:
    groups: Mapping[str, str]
    """Group -> the aggregate that picks its winner among the copies of a key."""
    columns: Mapping[str, str]
    """Column -> where it is in the winners."""
    restated: str = "FALSE"
    """Which records are no copies but statements: the last one replaces what was stated before, as a whole."""


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
            WHERE NOT ({merge.restated})
                OR seq IN (SELECT max(seq) FROM staged_{table.name} WHERE {merge.restated} GROUP BY {keys})
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


def keep_conflicts() -> str:
    """Notes the records of a request that say something else than the one that counts, of this load or stored before.

    A copy of which the other is a continuation (no bucket of it is larger, nothing it states is stated otherwise) is
    no conflict: answers are streamed, and written down more than once. Nor is one that has as many cache writes without
    saying how long they are kept. What is noted already is not noted again.
    """
    names = ("provider", "model")
    otherwise = " OR ".join(
        [f"lower(copy.{name}) <> lower(kept.{name})" for name in names]
        + [f"copy.{bucket} > kept.{bucket}" for bucket in BUCKETS if bucket not in CACHE_WRITES]
        + [_written_otherwise()]
        + ["copy.billed_usd <> kept.billed_usd"]
    )
    columns = ", ".join(REQUESTS.columns)
    return f"""
        INSERT INTO conflicts
        WITH copies AS (
            SELECT {columns} FROM staged_requests
            UNION ALL
            SELECT {columns} FROM before_requests
        ),
        several AS (SELECT request_key FROM copies GROUP BY request_key HAVING count(*) > 1),
        counting AS (
            SELECT {columns} FROM changed_requests
            UNION ALL
            SELECT {columns} FROM before_requests ANTI JOIN changed_requests USING (request_key)
        )
        SELECT $load_id, * FROM (
            SELECT request_key, {_said("kept")}, {_said("copy")}
            FROM copies AS copy
            SEMI JOIN several USING (request_key)
            JOIN counting AS kept USING (request_key)
            WHERE NOT ({is_total("kept.")}) AND ({otherwise})
            EXCEPT SELECT request_key, kept, other FROM conflicts
        )"""


def _written_otherwise() -> str:
    """A condition: together more cache writes, or as many, split in another way than the one that is stated."""
    together = [" + ".join(f"{row}.{bucket}" for bucket in CACHE_WRITES) for row in ("copy", "kept")]
    larger = " OR ".join(f"copy.{bucket} > kept.{bucket}" for bucket in CACHE_WRITES)
    both_split = "copy.cache_write_1h_tokens > 0 AND kept.cache_write_1h_tokens > 0"
    return f"{' > '.join(together)} OR ({both_split} AND ({larger}))"


def _said(row: str) -> str:
    """What a record of a request says, as JSON: for people who look at a conflict."""
    members = ", ".join(f"'{column}', {row}.{column}" for column in ("provider", "model", *BUCKETS, "billed_usd"))
    return f"json_object({members})"


def same(left: str, right: str, columns: Iterable[str]) -> str:
    """A condition; unknown is the same as unknown."""
    return " AND ".join(f"{left}.{column} IS NOT DISTINCT FROM {right}.{column}" for column in columns)


def is_total(row: str = "") -> str:
    """A condition: the row of requests is a source's total of a session, without usage that could rank copies."""
    return f"{row}scope = 'session' AND {row}output_tokens IS NULL"


def _stated(columns: Iterable[str]) -> str:
    """How many of the columns say something. DuckDB ranks NULL highest, so content alone would prefer the unknown."""
    return " + ".join(f"({column} IS NOT NULL)::INTEGER" for column in columns)


def _struct(ranks: Mapping[str, str], columns: Iterable[str]) -> str:
    members = [f"'by_{name}': {expression}" for name, expression in ranks.items()]
    return "{" + ", ".join([*members, *(f"'{column}': {column}" for column in columns)]) + "}"


def _request_merge() -> Merge:
    """The oldest session owns the call; the copy with the most output is the one that was streamed to its end.

    A source that does not say how long a cache write is kept has all of them as five minutes, so of copies with the
    same tokens the one with more for an hour is the one that was told. That ranks below what decides a cost without
    the split (a plan, a bill, a part that no line prices), and above a price, which is else that of the guess.

    What one load took for a call and another knows to be the total of several is a total.

    A bill holds whichever copy states it, since it often comes in a record that has nothing else; of two that differ
    the larger, for no copy says which came later. What the usage was chosen by stays known beside a bill from
    elsewhere, so that a later copy is ranked as if all had come at once.
    """
    owner = ("session_id", "agent", "owner_started_at")
    cost = ("billed_usd", *COST)
    apart = {"request_key", "started_at", "unbilled_status", "identities", *owner, *cost}
    usage = [c for c in REQUESTS.columns if c not in apart]
    oldest = {
        "unowned": "session_id IS NULL",
        "age": "coalesce(owner_started_at, 'infinity'::TIMESTAMP)",
    }
    fullest = {
        "output": "coalesce(output_tokens, -1)",
        "tokens": f"coalesce({_TOKENS}, -1)",
        "total": "(scope = 'session')::INTEGER",
        "terms": _TERMS,
        "split": "coalesce(cache_write_1h_tokens, -1)",
        "knowledge": _KNOWLEDGE_RANK,
        "names": _stated(("provider", "model")),
        "end": f"coalesce(ended_at, {_NEVER})",
        "statements": _stated(usage),
        "status": _UNBILLED,
    }
    known = _struct({"statements": _stated(COST)}, cost)
    other_bill = f"bill.billed_usd IS NOT NULL AND best.usage.by_status <> '{KNOWLEDGE[-1]}'"
    return Merge(
        groups={
            "owner": f"min({_struct(oldest, owner)})",
            "best": f"max({{'usage': {_struct(fullest, usage)}, 'cost': {known}}})",
            "bill": f"max({_struct({}, cost)}) FILTER (WHERE billed_usd IS NOT NULL)",
            "started": "min(started_at)",
            "known_as": f"list_sort(list_distinct(flatten(list({_IDENTITIES}))))",
        },
        columns={column: f"owner.{column}" for column in owner}
        | {column: f"best.usage.{column}" for column in usage}
        | {c: f"CASE WHEN bill.billed_usd IS NULL THEN best.cost.{c} ELSE bill.{c} END" for c in cost}
        | {"unbilled_status": f"CASE WHEN {other_bill} THEN best.usage.by_status END"}
        | {"started_at": "started", "identities": "known_as"},
        restated=is_total(),
    )


def _session_merge() -> Merge:
    """`Session` says which evidence decides a field; the field keeps the instant of the evidence that did.

    How it ended is kept beside what follows from it, because an end that is void while the session runs counts again
    once the session is seen to be over.
    """
    over = {"instant": f"coalesce(state_observed_at, {_NEVER})", "over": "NOT is_running"}
    state = _struct(over, ("is_running", "state_observed_at"))
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
    ranks = ({"confidence": confidence} if confidence else {}) | {"instant": f"coalesce({instant}, {_NEVER})"}
    ranks |= {"ruled": f"{rule} IS NOT NULL"} if rule else {}
    return _struct(ranks, [column for column in (field, instant, rule, confidence) if column])


def _credit_merge() -> Merge:
    """A count that still grows is what it was when it was read last; a statement replaces whatever was there."""
    columns = [column for column in CREDIT_USAGE.columns if column not in CREDIT_USAGE.key]
    latest = _struct({"instant": f"coalesce(observed_at, {_NEVER})", "count": "credits"}, columns)
    return Merge({"latest": f"max({latest})"}, {c: f"latest.{c}" for c in columns}, restated="observed_at IS NULL")


def _score_merge() -> Merge:
    """The latest judgement of a scorer."""
    columns = [column for column in SCORES.columns if column not in SCORES.key]
    latest = _struct({"instant": "observed_at"}, columns)
    return Merge({"latest": f"max({latest})"}, {c: f"latest.{c}" for c in columns})


def _usage_merge() -> Merge:
    """Of a meter, whose kinds of tokens come one by one, each at its highest; of anybody else the last statement."""
    counts = (*BUCKETS, "input_tokens", "requests", "usd")
    rest = [c for c in REPORTED_USAGE.columns if c not in (*REPORTED_USAGE.key, *counts, "starts_at", "ends_at")]
    groups = {
        "began": "min(starts_at)",
        "latest": f"max({_struct({'instant': 'ends_at'}, rest)})",
        "read": "max(ends_at)",
    }
    groups |= {f"most_{count}": f"max({count})" for count in counts}
    columns = {count: f"most_{count}" for count in counts} | {column: f"latest.{column}" for column in rest}
    return Merge(groups, columns | {"starts_at": "began", "ends_at": "read"}, restated="reporter <> 'meter'")


MERGES: Mapping[str, Merge] = {
    REQUESTS.name: _request_merge(),
    SESSIONS.name: _session_merge(),
    CREDIT_USAGE.name: _credit_merge(),
    SCORES.name: _score_merge(),
    REPORTED_USAGE.name: _usage_merge(),
}
