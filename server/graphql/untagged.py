"""The `untagged` field: calls that no known session made, what they cost, and what to do so that they are laid on one.

It asks the semantic layer alone, so that its sums are those of `unattributed_cost` and filters mean the same.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

import strawberry
from strawberry import Info

from semantic import MetricQuery, Order, QueryError, Row, TimeRange
from semantic.query import Both, Comparison, Filter, Op
from server.answer import Answer, answer_to, compiled, only_row
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import Inputs, RootField, given, time_range, today
from server.graphql.scalars import BigInt
from server.graphql.states import enum_of

TagKind = Literal["NOTHING", "AGENT_ONLY", "UNKNOWN_SESSION"]
NEEDS = ("requests", "inference_cost", "active_sessions")
_BY = ("attribution", "provider", "model", "agent", "source")
_IS_UNTAGGED = Comparison("attribution", Op.NE, ("ATTRIBUTED",))
WHAT_TO_DO: Mapping[str, str] = {
    "NOTHING": "Send the session and the agent with each call, or let the client call through `clawback proxy` with "
    "its headers; until then a header for each agent says at least whose calls they are. docs/tagging.md",
    "AGENT_ONLY": "A header that is the same for all sessions names the agent and nothing else. Set the session where "
    "the call is made, or load the transcripts of this agent. docs/tagging.md",
    "UNKNOWN_SESSION": "The calls name sessions of which nothing is loaded. Load the source that has them, such as the "
    "transcripts, or correct the id: one id for very many calls is a header that does not change. docs/tagging.md",
}

UntaggedKind = enum_of(
    "UntaggedKind",
    TagKind,
    description="NOTHING: a call without session and agent; AGENT_ONLY: with an agent and no session; UNKNOWN_SESSION: "
    "with a session of which nothing is loaded.",
)


@strawberry.type(description="Calls that no known session made, of one kind, provider, model, agent and source.")
class UntaggedRow:
    kind: UntaggedKind  # type: ignore[valid-type]
    provider: str | None
    model: str | None
    agent: str | None
    source: str | None = strawberry.field(description="The loader that gave the usage.")
    day: date | None = strawberry.field(description="Local; null unless asked by day, or of calls of unknown time.")
    calls: BigInt
    session_ids: BigInt = strawberry.field(description="How many ids of sessions they name.")
    cost_usd: Decimal | None = strawberry.field(description="Null where the cost of none is known; see costStatus.")
    cost_status: str = strawberry.field(description="OK; LOWER_BOUND where the cost of some is unknown; UNPRICED.")
    share: float | None = strawberry.field(
        description="Of the cost of all calls of the range; null where that is 0 or unknown."
    )
    what_to_do: str


@strawberry.type(description="Spend that can be laid on no session: a line of its own, never spread over others.")
class Untagged:
    rows: list[UntaggedRow] = strawberry.field(description="The dearest first.")
    truncated: bool = strawberry.field(description="There are more rows than the limit.")
    calls: BigInt = strawberry.field(description="All of them, in rows or not.")
    cost_usd: Decimal | None
    cost_status: str
    share: float | None = strawberry.field(description="Of the cost of all calls of the range.")
    call_share: float | None = strawberry.field(description="Of all calls of the range; null without calls.")


def _field(inputs: Inputs) -> Any:
    where_type = strawberry.argument(graphql_type=inputs.where | None, description="Which calls.")

    def resolve(
        info: Info[Context, None],
        range: Annotated[  # noqa: A002 - the word of every field that takes one
            str | None,
            strawberry.argument(description='Whole local days in words, such as "last 30 days"; left out: all time.'),
        ] = None,
        where: Annotated[Any, where_type] = None,
        by_day: Annotated[bool, strawberry.argument(description="A row for each local day.")] = False,
        limit: Annotated[int | None, strawberry.argument(description="So many rows.")] = None,
    ) -> Untagged:
        context = info.context
        as_of = today(context, None)
        during = time_range(context, given(range), as_of, None)
        return _told(context, as_of, during, inputs.filter(given(where)), by_day=by_day, limit=given(limit))

    return strawberry.field(
        resolver=resolve,
        description="Calls without a session, or with one of which nothing is loaded, and what to do about them.",
    )


def _told(
    context: Context, as_of: date, during: TimeRange, where: Filter | None, *, by_day: bool, limit: int | None
) -> Untagged:
    if limit is not None and limit < 1:
        raise QueryError("BAD_ARGUMENT", f"limit is a number of rows from 1 on, got {limit}")
    chosen: Filter = _IS_UNTAGGED if where is None else Both((_IS_UNTAGGED, where))
    metrics = ("requests", "inference_cost", "active_sessions")
    most = min(limit or context.limits.rows, context.limits.most_rows)
    question = MetricQuery(
        metrics=metrics,
        by=_BY,
        grain="day" if by_day else None,
        as_of=as_of,
        time=during,
        where=chosen,
        order_by=(Order("inference_cost", "desc"), Order("requests", "desc")),
        limit=most,
        evidence=True,
    )
    of_all = MetricQuery(metrics=metrics, as_of=as_of, time=during, where=where, evidence=True)
    untagged = MetricQuery(metrics=metrics, as_of=as_of, time=during, where=chosen, evidence=True)
    rows = _asked(context, question).result
    everything, total = only_row(_asked(context, of_all)), only_row(_asked(context, untagged))
    return Untagged(
        rows=[_row(row, everything) for row in rows.rows if _has_calls(row)],
        truncated=rows.truncated,
        calls=BigInt(_count(total, "requests")),
        cost_usd=_cost(total),
        cost_status=total.evidence["inference_cost"].status,
        share=_share(_cost(total), _cost(everything)),
        call_share=_share(_count(total, "requests"), _count(everything, "requests")),
    )


def _asked(context: Context, query: MetricQuery) -> Answer:
    planned = compiled(context.planner, query, context.caller)
    return answer_to(planned, context.reader, timeout_ms=context.deadline.remaining_ms())


def _row(row: Row, everything: Row) -> UntaggedRow:
    kind = str(row.keys["attribution"])
    if kind == "NO_SESSION_ID":
        kind = "NOTHING" if row.keys["agent"] is None else "AGENT_ONLY"
    time = row.keys.get("time")
    return UntaggedRow(
        kind=UntaggedKind[kind],
        provider=_text(row, "provider"),
        model=_text(row, "model"),
        agent=_text(row, "agent"),
        source=_text(row, "source"),
        day=time if isinstance(time, date) else None,
        calls=BigInt(_count(row, "requests")),
        session_ids=BigInt(_count(row, "active_sessions")),
        cost_usd=_cost(row),
        cost_status=row.evidence["inference_cost"].status,
        share=_share(_cost(row), _cost(everything)),
        what_to_do=WHAT_TO_DO[kind],
    )


def _has_calls(row: Row) -> bool:
    """A day that is filled into a series has none; a total of calls hides how many there were."""
    return bool(row.values["requests"] or row.values["inference_cost"] or row.values["inference_cost"] is None)


def _text(row: Row, key: str) -> str | None:
    value = row.keys[key]
    return None if value is None else str(value)


def _count(row: Row, metric: str) -> int:
    """A sum of counts comes as a float."""
    value = row.values[metric]
    return int(value) if isinstance(value, int | float | Decimal) else 0


def _cost(row: Row) -> Decimal | None:
    value = row.values["inference_cost"]
    return value if isinstance(value, Decimal) else None


def _share(part: Decimal | int | None, whole: Decimal | int | None) -> float | None:
    return None if part is None or not whole else float(part / whole)


UNTAGGED = RootField("untagged", _field, needs=NEEDS, weight=Weight(per_value=20))
