"""The `restatements` field: costs that changed after they were known, with what they were and why."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import UNSET, Info, argument

from semantic import QueryError
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import FINANCE, Inputs, RootField, given, today
from server.graphql.metrics import TimeRangeInput, read_time
from server.graphql.scalars import BigInt
from server.slices import slice_of

MOST_EVENTS = 1_000

_COLUMNS = """
    event.request_key, event.restated_at, event.old_cost_usd, event.new_cost_usd,
    event.old_cost_status, event.new_cost_status, event.old_price_id, event.new_price_id, event.reason"""

_CALL = """
    (SELECT any_value(known.call_key) FROM call_keys AS known
     WHERE known.request_key = event.request_key AND known.call_key <> event.request_key
     AND event.request_key NOT IN (SELECT request_key FROM requests))"""
"""The call that a key has been found to be of; NULL where it is counted itself."""


@strawberry.type(description="One change of a cost that was known.")
class Restatement:
    request_key: str
    restated_at: datetime = strawberry.field(description="When the load was stored that changed it.")
    before_usd: Decimal
    after_usd: Decimal | None = strawberry.field(description="Null where the cost is no longer known.")
    delta_usd: Decimal | None = strawberry.field(description="After - before; null where after is.")
    status_before: str
    status_after: str
    price_id_before: str | None
    price_id_after: str | None
    reason: str = strawberry.field(description="As the price line states it, or which load it was.")


@strawberry.type(description="Changes of costs that were known; nothing of them is overwritten.")
class Restatements:
    count: BigInt = strawberry.field(description="All that match, also those beyond `first`.")
    delta_usd: Decimal = strawberry.field(description="What they add up to, of those whose cost is still known.")
    lost: BigInt = strawberry.field(description="Those whose cost is no longer known; in no sum.")
    events: list[Restatement] = strawberry.field(description="The newest first.")


def _field(inputs: Inputs) -> Any:
    def restatements(
        info: Info[Context, None],
        time: Annotated[TimeRangeInput | None, argument(description="When they were made.")] = UNSET,
        where: Annotated[Any, argument(graphql_type=inputs.where | None, description="Of which calls.")] = UNSET,
        first: Annotated[int, argument(description=f"At most so many, up to {MOST_EVENTS:,}.")] = 20,
        zone: Annotated[str | None, argument(description="Where days are cut, such as Europe/Berlin.")] = UNSET,
        as_of: Annotated[date | None, argument(description="The day on which it is asked; default: today.")] = UNSET,
    ) -> Restatements:
        context = info.context
        if not 1 <= first <= MOST_EVENTS:
            raise QueryError("BAD_LIMIT", f"first is from 1 to {MOST_EVENTS:,}, this is {first:,}")
        day = given(as_of) or today(context, given(zone))
        made = read_time(context, time, day, given(zone))
        chosen = slice_of(
            context.planner, "requests", as_of=day, where=inputs.filter(where), zone=given(zone), caller=context.caller
        )
        bounds = {"made_since": _plain(made.start), "made_until": _plain(made.end)}
        matching = f"""
            FROM restatements AS event
            WHERE coalesce({_CALL}, event.request_key) IN ({chosen.sql})
                AND ($made_since::TIMESTAMP IS NULL OR event.restated_at >= $made_since)
                AND ($made_until::TIMESTAMP IS NULL OR event.restated_at < $made_until)"""

        def read(sql: str) -> list[tuple[Any, ...]]:
            params = {**chosen.params, **bounds}
            return context.reader.read(sql, params, timeout_ms=context.deadline.remaining_ms()).rows

        ((count, delta, lost),) = read(
            "SELECT count(*), coalesce(sum(event.new_cost_usd - event.old_cost_usd), 0),"
            f" count(*) FILTER (WHERE event.new_cost_usd IS NULL) {matching}"
        )
        newest = "ORDER BY event.restated_at DESC, event.request_key"
        events = read(f"SELECT {_COLUMNS} {matching} {newest} LIMIT {first:d}")
        return Restatements(
            count=BigInt(count), delta_usd=Decimal(delta), lost=BigInt(lost), events=[_event(e) for e in events]
        )

    return strawberry.field(
        resolver=restatements,
        graphql_type=Restatements | None,
        description="Costs that changed after they were known: what they were, what they are, and why.",
    )


def _event(row: tuple[Any, ...]) -> Restatement:
    key, restated_at, before, after, *rest = row
    status_before, status_after, price_before, price_after, reason = rest
    return Restatement(
        request_key=key,
        restated_at=restated_at,
        before_usd=before,
        after_usd=after,
        delta_usd=None if after is None else after - before,
        status_before=status_before,
        status_after=status_after,
        price_id_before=price_before,
        price_id_after=price_after,
        reason=reason,
    )


def _plain(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(UTC).replace(tzinfo=None)


RESTATEMENTS = RootField(
    "restatements", _field, needs=("requests", "inference_cost"), roles=FINANCE, weight=Weight(per_value=20)
)
