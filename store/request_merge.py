"""Which copy of a call has its session, its usage and its cost."""

from store.priced import KNOWLEDGE
from store.tables import COST, REQUESTS
from store.winners import NEVER, Merge, is_total, stated, struct

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

OWNER = ("session_id", "agent", "owner_started_at")
MONEY = ("billed_usd", *COST)
_APART = {"request_key", "started_at", "unbilled_status", "identities", *OWNER, *MONEY}
USAGE = tuple(column for column in REQUESTS.columns if column not in _APART)
UNOWNED, AGE = "session_id IS NULL", "coalesce(owner_started_at, 'infinity'::TIMESTAMP)"
FULLEST = {
    "output": "coalesce(output_tokens, -1)",
    "tokens": f"coalesce({_TOKENS}, -1)",
    "total": "(scope = 'session')::INTEGER",
    "terms": _TERMS,
    "split": "coalesce(cache_write_1h_tokens, -1)",
    "knowledge": _KNOWLEDGE_RANK,
    "names": stated(("provider", "model")),
    "end": f"coalesce(ended_at, {NEVER})",
    "statements": stated(USAGE),
    "status": _UNBILLED,
}
"""Of two copies of a call the one that has its usage, by the first of these in which they differ."""
KNOWN_COST = {"statements": stated(COST)}
KNOWN_AS = f"list_sort(list_distinct(flatten(list({_IDENTITIES}))))"
BILL_FROM_ELSEWHERE = f"bill.billed_usd IS NOT NULL AND best.usage.by_status <> '{KNOWLEDGE[-1]}'"


def request_merge() -> Merge:
    """The oldest session owns the call; the copy with the most output is the one that was streamed to its end.

    A source that does not say how long a cache write is kept has all of them as five minutes, so of copies with the
    same tokens the one with more for an hour is the one that was told. That ranks below what decides a cost without
    the split (a plan, a bill, a part that no line prices), and above a price, which is else that of the guess.

    What one load took for a call and another knows to be the total of several is a total.

    A bill holds whichever copy states it, since it often comes in a record that has nothing else; of two that differ
    the larger, for no copy says which came later. What the usage was chosen by stays known beside a bill from
    elsewhere, so that a later copy is ranked as if all had come at once.
    """
    return Merge(
        groups={
            "owner": f"min({struct({'unowned': UNOWNED, 'age': AGE}, OWNER)})",
            "best": f"max({{'usage': {struct(FULLEST, USAGE)}, 'cost': {struct(KNOWN_COST, MONEY)}}})",
            "bill": f"max({struct({}, MONEY)}) FILTER (WHERE billed_usd IS NOT NULL)",
            "started": "min(started_at)",
            "known_as": KNOWN_AS,
        },
        columns={column: f"owner.{column}" for column in OWNER}
        | {column: f"best.usage.{column}" for column in USAGE}
        | {c: f"CASE WHEN bill.billed_usd IS NULL THEN best.cost.{c} ELSE bill.{c} END" for c in MONEY}
        | {"unbilled_status": f"CASE WHEN {BILL_FROM_ELSEWHERE} THEN best.usage.by_status END"}
        | {"started_at": "started", "identities": "known_as"},
        restated=is_total(),
    )
