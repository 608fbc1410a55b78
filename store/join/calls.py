"""One row of what several sources say of a call, and which of them gave each field.

The row is a function of the set of `parts`, each what one source says under one key; nothing of it rests on the order
in which they came.
"""

from store.request_merge import AGE, BILL_FROM_ELSEWHERE, FULLEST, KNOWN_AS, KNOWN_COST, MONEY, OWNER, UNOWNED, USAGE
from store.tables import REQUESTS
from store.winners import struct

TRANSCRIPTS = ("openclaw", "claude-code", "codex", "agent-json")
TAGGERS = ("proxy", "responses")
"""Sources whose session the caller named for the call. That of any other is the session of a trace."""
FIELDS = ("session", "agent", "model", "start", "tokens", "cost", "status")
"""What a source can have given to a call; model, tokens and status are of one and the same."""

_STANDING = f"""CASE
    WHEN owner_started_at IS NOT NULL OR source IN {TRANSCRIPTS} THEN 0 WHEN source IN {TAGGERS} THEN 1 ELSE 2
END"""
_SOURCE = ("source", "request_key")
_OWNED = {"unowned": UNOWNED, "standing": _STANDING, "age": AGE}
_AGENTS = f"list({struct({'standing': _STANDING, 'age': AGE}, ('agent', 'session_id', *_SOURCE))})"
_SAME_SESSION = "lambda one: one.session_id IS NULL OR one.session_id IS NOT DISTINCT FROM owner.session_id"


def merged_calls(parts: str, by: str) -> str:
    """A query for the columns of a request, and `<field>_from` structs of source and key; one row for each `by`.

    The session in whose transcript the call stands wins over one that the caller named, and that over the one of a
    trace. The agent is the one whose session it is; where that says none, the best that another says of this session,
    or of none.
    A bill is the cost whoever has it, its provider who charged; otherwise tokens and cost are of the fullest usage.
    """
    columns = {column: f"owner.{column}" for column in OWNER}
    columns |= {column: f"best.usage.{column}" for column in USAGE}
    columns |= {c: f"CASE WHEN bill.billed_usd IS NULL THEN best.cost.{c} ELSE bill.{c} END" for c in MONEY}
    columns |= {"unbilled_status": f"CASE WHEN {BILL_FROM_ELSEWHERE} THEN best.usage.by_status END"}
    columns |= {"request_key": by, "started_at": "started.started_at", "identities": "known_as"}
    columns |= {"provider": "coalesce(bill.provider, best.usage.provider)"}
    columns |= {"agent": "coalesce(owner.agent, agent_said.agent)"}
    listed = ", ".join(f"{columns[column]} AS {column}" for column in REQUESTS.columns)
    return f"""
        WITH winners AS (
            SELECT
                {by},
                min({struct(_OWNED, (*OWNER, *_SOURCE))}) AS owner,
                {_AGENTS} FILTER (WHERE agent IS NOT NULL) AS agents,
                max({{
                    'usage': {struct(FULLEST, (*USAGE, "request_key"))}, 'cost': {struct(KNOWN_COST, MONEY)}
                }}) AS best,
                max({struct({}, (*MONEY, *_SOURCE, "provider"))}) FILTER (WHERE billed_usd IS NOT NULL) AS bill,
                min({struct({}, ("started_at", *_SOURCE))}) FILTER (WHERE started_at IS NOT NULL) AS started,
                {KNOWN_AS} AS known_as
            FROM {parts} GROUP BY {by}
        ),
        agreed AS (
            SELECT *, list_min(list_filter(agents, {_SAME_SESSION})) AS agent_said FROM winners
        )
        SELECT {listed}, {_given()} FROM agreed"""


def _given() -> str:
    """Which part each field is from; NULL where nobody says anything."""
    usage = _from("best.usage")
    given = {
        "session": f"CASE WHEN owner.session_id IS NOT NULL THEN {_from('owner')} END",
        "agent": f"CASE WHEN owner.agent IS NOT NULL THEN {_from('owner')}"
        f" WHEN agent_said.agent IS NOT NULL THEN {_from('agent_said')} END",
        "model": f"CASE WHEN best.usage.model IS NOT NULL THEN {usage} END",
        "start": f"CASE WHEN started.started_at IS NOT NULL THEN {_from('started')} END",
        "tokens": f"CASE WHEN best.usage.output_tokens IS NOT NULL THEN {usage} END",
        "cost": f"CASE WHEN bill.billed_usd IS NOT NULL THEN {_from('bill')}"
        f" WHEN best.cost.cost_usd IS NOT NULL THEN {usage} END",
        "status": usage,
    }
    return ", ".join(f"{given[field]} AS {field}_from" for field in FIELDS)


def _from(winner: str) -> str:
    return f"{{'source': {winner}.source, 'request_key': {winner}.request_key}}"


def fields_given(row: str, part: str) -> str:
    """An expression: the fields that the call `row` has from `part`."""
    mine = f"{{'source': {part}.source, 'request_key': {part}.request_key}}"
    given = ", ".join(f"CASE WHEN {row}.{field}_from = {mine} THEN '{field}' END" for field in FIELDS)
    return f"list_filter([{given}], lambda field: field IS NOT NULL)"
