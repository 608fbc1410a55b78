"""The `callProvenance` field: which sources saw a call, what joined them, and which of them gave each field of it."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

import strawberry
from strawberry import Info

from semantic import Comparison, Op, visible
from server.graphql.budget_types import known_text
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import FINANCE, Inputs, RootField, today
from server.graphql.scalars import BigInt
from server.graphql.states import enum_of
from server.slices import slice_of

JoinRule = enum_of(
    "JoinRule",
    Literal["KEY", "IDENTITY", "ALIKE"],
    "What makes a record one of the call: its key is that of the call; they share another name; or nothing but them "
    "fits, with the same model, tokens and time.",
)
CallField = enum_of(
    "CallField",
    Literal["SESSION", "AGENT", "MODEL", "START", "TOKENS", "COST", "STATUS"],
    "What of a call one source gives. Model, tokens and status are always of one and the same.",
)
_COLUMNS = (
    "source", "seen_as", "rule", "identities", "gave", "seen_since", "session_id", "agent", "provider", "model",
    "started_at", "ended_at", "uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens",
    "cache_write_1h_tokens", "output_tokens", "cost_usd", "cost_status", "status",
)  # fmt: skip


@strawberry.type(description="What one source says of a call.")
class CallSighting:
    source: str
    seen_as: str = strawberry.field(description="The key that the source gives it.")
    rule: JoinRule  # type: ignore[valid-type]
    identities: list[str] = strawberry.field(description="Its other names, as kind:value.")
    gave: list[CallField] = strawberry.field(  # type: ignore[valid-type]
        description="What the row of the call has from here."
    )
    seen_since: datetime | None = strawberry.field(description="When the load was stored that first had it.")
    session_id: str | None
    agent: str | None
    provider: str | None
    model: str | None
    started_at: datetime | None
    ended_at: datetime | None
    uncached_input_tokens: BigInt | None
    cache_read_tokens: BigInt | None
    cache_write_5m_tokens: BigInt | None
    cache_write_1h_tokens: BigInt | None
    output_tokens: BigInt | None
    cost_usd: Decimal | None = strawberry.field(description="What this record alone would cost.")
    cost_status: str
    status: str


@strawberry.type(description="A call, and every record that it was counted from.")
class CallProvenance:
    request_key: str = strawberry.field(description="The key under which the call is counted.")
    sightings: list[CallSighting]


def _field(_: Inputs) -> Any:
    def call_provenance(info: Info[Context, None], request_key: str) -> CallProvenance | None:
        context = info.context
        asked = known_text("requestKey", request_key)
        counted = _read(context, "SELECT min(call_key) FROM call_keys WHERE request_key = $asked", {"asked": asked})
        call_key = counted[0][0]
        if call_key is None:
            return None
        where = Comparison("request_key", Op.EQ, (call_key,))
        chosen = slice_of(context.planner, "requests", as_of=today(context, None), where=where, caller=context.caller)
        rows = _read(
            context,
            f"SELECT {', '.join(_COLUMNS)} FROM call_sightings"
            f" WHERE request_key = $call_key AND request_key IN ({chosen.sql}) ORDER BY source, seen_as",
            {**chosen.params, "call_key": call_key},
        )
        if not rows:
            return None
        hidden = {"session_id", "agent"} - set(visible(context.catalog, context.caller).dimensions())
        return CallProvenance(request_key=call_key, sightings=[_sighting(row, hidden) for row in rows])

    return strawberry.field(
        resolver=call_provenance,
        graphql_type=CallProvenance | None,
        description="Which sources saw a call, and what each of them says of it. Any of its keys finds it; null where "
        "there is no such call among those that the caller may see.",
    )


def _read(context: Context, sql: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    return context.reader.read(sql, params, timeout_ms=context.deadline.remaining_ms()).rows


def _sighting(row: tuple[Any, ...], hidden: set[str]) -> CallSighting:
    values = dict(zip(_COLUMNS, row, strict=True))
    values |= dict.fromkeys(hidden)
    values |= {
        name: None if values[name] is None else BigInt(values[name]) for name in _COLUMNS if name.endswith("tokens")
    }
    values["rule"] = JoinRule[values["rule"]]
    values["gave"] = [CallField[field.upper()] for field in values["gave"]]
    return CallSighting(**values)


CALL_PROVENANCE = RootField(
    "callProvenance", _field, needs=("requests", "inference_cost"), roles=FINANCE, weight=Weight(per_value=20)
)
