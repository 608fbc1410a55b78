"""The `spendAsKnown` field: what calls cost as it was known at an instant, so that a report can be pinned to it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, cast

import strawberry
from strawberry import UNSET, Info, Parent, argument

from finance.pricing import PriceBook, list_equivalent
from semantic import MetricQuery, Order, QueryError, Row
from server.graphql.context import Context
from server.graphql.cut import CutValue, cut_by, cut_name, cut_values, cuts
from server.graphql.fields import FINANCE, Inputs, RootField, given, today
from server.graphql.generated import list_of
from server.graphql.known_rows import Known
from server.graphql.metrics import TimeRangeInput, read_time
from server.graphql.scalars import BigInt
from server.price_lines import lines_known
from server.slices import Slice, slice_of
from store import Request

MOST_ROWS = 1_000
MOST_CALLS = 100

_USAGE = (
    "request_key", "source", "scope", "session_id", "provider", "model", "started_at", "unpriced_part",
    "uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
)  # fmt: skip


@strawberry.type(description="Calls of one group, as they were known.")
class AsKnownRow:
    name: str = strawberry.field(description="The values in a row, such as main/opus.")
    keys: list[CutValue]
    cost_usd: Decimal | None = strawberry.field(description="Null where the cost of none of them was known.")
    calls: BigInt = strawberry.field(description="Rows: calls, and totals of calls that nothing told apart then.")
    unpriced_calls: BigInt = strawberry.field(description="Rows among them whose cost was not known.")
    status: str = strawberry.field(description="OK, LOWER_BOUND, or UNPRICED beside a null.")


@strawberry.type(description="One call as it was known.")
class AsKnownCall:
    request_key: str
    session_id: str | None
    provider: str | None
    model: str | None
    started_at: datetime | None
    cost_usd: Decimal | None = strawberry.field(description="Null where it was not known.")
    cost_status: str = strawberry.field(description="How it was known: BILLED, INCLUDED, REPORTED, PRICED; or why not.")
    price_id: str | None = strawberry.field(description="The price line of the cost; null where none was used.")
    list_usd: Decimal | None = strawberry.field(
        description="Its tokens at the list price that was known then; null where there was none."
    )
    list_price_id: str | None = strawberry.field(description="The price line that was in force for it, as known then.")
    drift_usd: Decimal | None = strawberry.field(description="`costUsd` - `listUsd`: what the bill adds to the list.")
    changed_since: bool = strawberry.field(
        description="A later load has changed the call; its cost is as it was known, its tokens and names are today's."
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    known: Known
    chosen: Slice


def _calls(root: Parent[Any], first: int = 10) -> list[AsKnownCall]:
    if not 1 <= first <= MOST_CALLS:
        raise QueryError("BAD_LIMIT", f"first is from 1 to {MOST_CALLS}, this is {first}")
    asked: _Asked = root.asked
    context, at = asked.known.context, asked.known.at
    columns = ", ".join((*_USAGE, "cost_usd", "cost_status", "price_id", "is_changed_since"))
    rows = asked.known.rows(
        f"SELECT {columns} FROM known ORDER BY cost_usd DESC NULLS LAST, request_key LIMIT {first:d}", asked.chosen
    ).rows
    book = PriceBook(lines_known(context.reader, at, timeout_ms=context.deadline.remaining_ms()))
    return [_call(row, book) for row in rows]


def _call(row: tuple[object, ...], book: PriceBook) -> AsKnownCall:
    usage = cast(dict[str, Any], dict(zip(_USAGE, row, strict=False)))
    if usage["started_at"] is not None:
        usage["started_at"] = usage["started_at"].replace(tzinfo=UTC)
    request = Request(**usage)
    cost, status, price_id, changed = cast(tuple[Decimal | None, str, str | None, bool], row[len(_USAGE) :])
    listed = list_equivalent(request, book)
    return AsKnownCall(
        request_key=request.request_key,
        session_id=request.session_id,
        provider=request.provider,
        model=request.model,
        started_at=request.started_at,
        cost_usd=cost,
        cost_status=status,
        price_id=price_id,
        list_usd=listed.usd,
        list_price_id=listed.price_id,
        drift_usd=None if cost is None or listed.usd is None else cost - listed.usd,
        changed_since=changed,
    )


def _changed_since(root: Parent[Any]) -> BigInt:
    asked: _Asked = root.asked
    ((count,),) = asked.known.rows("SELECT count(*) FROM known WHERE is_changed_since", asked.chosen).rows
    return BigInt(int(str(count)))


@strawberry.type(
    description="What calls cost as it was known at an instant: without what was loaded later, and with the costs that "
    "held before later corrections. Asked again with the same `knownAt`, the total does not move."
)
class AsKnown:
    asked: strawberry.Private[_Asked]
    known_at: datetime
    cost_usd: Decimal | None = strawberry.field(
        description="Null where nothing had been loaded, or the cost of no call was known."
    )
    calls: BigInt = strawberry.field(description="Rows: calls, and totals of calls that nothing told apart then.")
    unpriced_calls: BigInt = strawberry.field(description="Rows among them whose cost was not known.")
    status: str = strawberry.field(
        description="OK; LOWER_BOUND where the cost of some was not known; UNPRICED where of none; NOTHING_KNOWN where "
        "nothing had been loaded."
    )
    rows: list[AsKnownRow] = strawberry.field(description="The dearest first; cut by what calls say today.")
    truncated: bool = strawberry.field(description="Whether there are more groups than `top`.")
    changed_since: BigInt = strawberry.field(
        resolver=_changed_since,
        description="Calls among them that a later load has changed. Their cost is as it was known; by which agent, "
        "model, session and day they count is today's, so a part of the total can move where the total does not.",
    )
    largest: list[AsKnownCall] = strawberry.field(
        resolver=_calls, description=f"The dearest calls, at most {MOST_CALLS}."
    )


def _field(inputs: Inputs) -> Any:
    cut = cut_by(inputs)

    def spend_as_known(
        info: Info[Context, None],
        known_at: Annotated[datetime, argument(description="What was loaded until then counts; not after now.")],
        time: TimeRangeInput | None = UNSET,
        by: Annotated[Any, argument(graphql_type=list_of(cut) | None, description="At most four dimensions.")] = UNSET,
        where: Annotated[Any, argument(graphql_type=inputs.where | None)] = UNSET,
        top: Annotated[int, argument(description="At most so many groups.")] = 100,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[date | None, argument(description="The day on which it is asked; default: today.")] = UNSET,
    ) -> AsKnown:
        context = info.context
        if known_at > context.now:
            now = f"{context.now:%Y-%m-%dT%H:%M:%SZ}"
            raise QueryError("BAD_ARGUMENT", f"knownAt is an instant that has passed; it is {now} now")
        if not 1 <= top <= MOST_ROWS:
            raise QueryError("BAD_LIMIT", f"top is from 1 to {MOST_ROWS:,}, this is {top:,}")
        day = given(as_of) or today(context, given(zone))
        about: dict[str, Any] = {"as_of": day, "zone": given(zone), "where": inputs.filter(where)}
        about["time"] = read_time(context, time, day, given(zone))
        asked = _Asked(Known(context, known_at), slice_of(context.planner, "requests", caller=context.caller, **about))
        question = MetricQuery(metrics=("inference_cost",), evidence=True, **about)
        return _answered(asked, question, cuts(given(by) or []), top)

    return strawberry.field(
        resolver=spend_as_known,
        graphql_type=AsKnown | None,
        description="What calls cost as it was known at an instant: a report that was read then can be read again.",
    )


def _answered(asked: _Asked, question: MetricQuery, by: tuple[str, ...], top: int) -> AsKnown:
    known = asked.known
    (total,) = known.ask(question).rows
    whole = _row(total)
    cut: tuple[Row, ...] = ()
    truncated = False
    if by:
        order = (Order("inference_cost", "desc"), *(Order(name) for name in by))
        found = known.ask(replace(question, by=by, order_by=order, limit=top))
        cut, truncated = found.rows, found.truncated
    is_anything = known.is_anything()
    return AsKnown(
        asked=asked,
        known_at=known.at,
        cost_usd=whole.cost_usd if is_anything else None,
        calls=whole.calls,
        unpriced_calls=whole.unpriced_calls,
        status=whole.status if is_anything else "NOTHING_KNOWN",
        rows=[_row(row) for row in cut],
        truncated=truncated,
    )


def _row(row: Row) -> AsKnownRow:
    cost, evidence = row.values["inference_cost"], row.evidence["inference_cost"]
    return AsKnownRow(
        name=cut_name(row.keys),
        keys=cut_values(row.keys),
        cost_usd=None if cost is None else Decimal(str(cost)),
        calls=BigInt(evidence.n),
        unpriced_calls=BigInt(evidence.unknown),
        status=evidence.status,
    )


AS_KNOWN = RootField("spendAsKnown", _field, needs=("requests", "inference_cost"), roles=FINANCE)
