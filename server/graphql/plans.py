"""The `plans` field: what was paid for plans (subscriptions), what has accrued of it, and to whom it falls.

Shares are computed by the store as of an instant, by the same macro that writes the facts down as of the last load.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import Info

from finance.plans import PlanStatus, PlanUse, PlanWorth, plan_worth
from finance.pricing import rounded_usd
from semantic import QueryError
from server.graphql.context import Context
from server.graphql.fields import FINANCE, Inputs, RootField, given
from server.graphql.scalars import BigInt
from server.graphql.states import enum_of
from server.graphql.tabular import rows_of, zoneless
from server.slices import check_unrestricted

MOST_PLANS, MOST_SHARES = 1_000, 1_000

_PERIODS = f"""
WITH shares AS (SELECT * FROM plan_shares_at(CAST($as_of AS TIMESTAMP)))
SELECT
    period.provider, period.starts_on, period.ends_on, period.plan, period.charges, period.fee_usd,
    (
        SELECT sum(accrued_of(amount_usd, starts_on, ends_on, CAST($as_of AS TIMESTAMP)))
        FROM charges AS charge
        WHERE charge.category = 'subscription' AND billing_name(charge.vendor) = period.provider
            AND charge.starts_on = period.starts_on AND charge.ends_on = period.ends_on
    ) AS accrued_usd,
    CAST(coalesce(sum(shares.calls), 0) AS BIGINT) AS calls,
    CAST(coalesce(sum(shares.unpriced_calls), 0) AS BIGINT) AS unpriced_calls,
    coalesce(sum(shares.list_usd), 0) AS list_usd,
    coalesce(sum(shares.share_usd) FILTER (WHERE shares.kind = 'UNALLOCATED'), 0) AS unallocated_usd,
    coalesce(sum(shares.share_usd) FILTER (WHERE shares.kind = 'UNATTRIBUTED'), 0) AS unattributed_usd,
    EXISTS (
        SELECT 1 FROM plan_periods AS other
        WHERE other.provider = period.provider
            AND (other.starts_on <> period.starts_on OR other.ends_on <> period.ends_on)
            AND other.starts_on < period.ends_on AND period.starts_on < other.ends_on
    ) AS has_overlap
FROM plan_periods AS period
LEFT JOIN shares
    ON shares.provider = period.provider AND shares.starts_on = period.starts_on AND shares.ends_on = period.ends_on
GROUP BY ALL
UNION ALL
SELECT
    call.billing_provider, min(call.started_on), max(call.started_on) + 1, NULL, 0, NULL, NULL,
    count(*), count(*) FILTER (WHERE call.list_usd IS NULL), coalesce(sum(call.list_usd), 0), NULL, NULL, FALSE
FROM request_facts AS call
WHERE call.cost_status = 'INCLUDED'
    AND call.started_at < CAST($as_of AS TIMESTAMP)
    AND NOT EXISTS (
        SELECT 1 FROM plan_periods AS period
        WHERE period.provider = call.billing_provider
            AND period.starts_on <= call.started_on AND call.started_on < period.ends_on
    )
GROUP BY call.billing_provider
ORDER BY 2 DESC, 1, 3
LIMIT {MOST_PLANS + 1}
"""
_SHARES = """
SELECT session_id, kind, calls, unpriced_calls, list_usd, share_usd
FROM plan_shares_at(CAST($as_of AS TIMESTAMP))
WHERE provider = $provider AND starts_on = $starts_on AND ends_on = $ends_on
ORDER BY share_usd DESC NULLS LAST, session_id
LIMIT $first
"""

PlanState = enum_of(
    "PlanState",
    PlanStatus,
    description="Why numbers of a plan are null or in part. OK; PARTIAL: some calls have no list price; UNPRICED: none "
    "has; NO_USE: no call was made; NOT_STARTED; FEE_UNKNOWN: nobody loaded a fee for these calls; OVERLAPPING: plans "
    "of other periods cover the same calls, so that what each is worth cannot be told; FREE: there is no fee.",
)


@strawberry.type(description="The part of a plan's fee that falls to one session, or to nobody.")
class PlanShare:
    kind: str = strawberry.field(description="SESSION; UNATTRIBUTED: calls of no known session; UNALLOCATED: no use.")
    session_id: str | None
    calls: BigInt
    unpriced_calls: BigInt = strawberry.field(description="Without a list price; no part of the fee falls to them.")
    cash_usd: Decimal = strawberry.field(description="What the calls cost in cash beside the fee: 0.")
    share_usd: Decimal | None = strawberry.field(
        description="Of what has accrued of the fee, by list-equivalent. Null where none of the calls has a list price."
    )
    list_usd: Decimal = strawberry.field(description="What the calls would have cost at list prices.")


def _shares(
    root: strawberry.Parent[Any],
    info: Info[Context, None],
    first: Annotated[int, strawberry.argument(description=f"At most {MOST_SHARES}.")] = 20,
) -> list[PlanShare]:
    if root.fee_usd is None:
        return []
    params = {
        "as_of": zoneless(root.as_of),
        "provider": root.provider,
        "starts_on": root.starts_on,
        "ends_on": root.ends_on,
        "first": max(0, min(first, MOST_SHARES)),
    }
    return [
        PlanShare(
            kind=row["kind"],
            session_id=row["session_id"],
            calls=BigInt(row["calls"]),
            unpriced_calls=BigInt(row["unpriced_calls"]),
            cash_usd=Decimal(0),
            share_usd=row["share_usd"],
            list_usd=row["list_usd"],
        )
        for row in rows_of(info.context, _SHARES, params)
    ]


@strawberry.type(description="One period for which plans of a provider were paid, and the calls that they cover.")
class Plan:
    provider: str | None = strawberry.field(description="Whose INCLUDED calls it covers, as bills of it are found.")
    plan: str | None = strawberry.field(description="As the charges describe it; null without one.")
    status: PlanState  # type: ignore[valid-type]
    starts_on: date = strawberry.field(description="UTC. Without a fee, the first day of such calls.")
    ends_on: date = strawberry.field(description="Exclusive.")
    charges: BigInt = strawberry.field(description="Seats and corrections of one period are one pool.")
    fee_usd: Decimal | None = strawberry.field(description="Of the period. Null: FEE_UNKNOWN.")
    period_days: BigInt
    accrued_days: BigInt = strawberry.field(description="Days that have begun before `asOf`.")
    accrued_usd: Decimal | None = strawberry.field(description="Of the fee, by day. Null: FEE_UNKNOWN.")
    calls: BigInt
    unpriced_calls: BigInt = strawberry.field(description="Without a list price.")
    list_equivalent_usd: Decimal = strawberry.field(
        description="What the calls would have cost at list prices; a lower bound where `unpricedCalls` > 0."
    )
    leverage: float | None = strawberry.field(description="List-equivalent / fee: above 1 the plan pays off.")
    unused_usd: Decimal | None = strawberry.field(
        description="Fee less list-equivalent, at least 0: what the plan costs more than its calls would have."
    )
    unallocated_usd: Decimal | None = strawberry.field(
        description="What has accrued and nobody used: it stays here and is spread over nobody."
    )
    unattributed_usd: Decimal | None = strawberry.field(description="What falls to calls of no known session.")
    as_of: datetime = strawberry.field(description="Fees have accrued until then, and calls before it count.")
    shares: list[PlanShare] = strawberry.field(
        resolver=_shares,
        description="Who has the accrued fee, largest first; together with the rest they add up to it.",
    )


def read_plans(info: Info[Context, None], as_of: datetime | None = None) -> list[Plan]:
    """Newest period first. `asOf` is now unless it is given."""
    context = info.context
    check_unrestricted(context.planner, ("requests", "charges", "sessions"), context.caller)
    instant = given(as_of) or context.now
    rows = rows_of(context, _PERIODS, {"as_of": zoneless(instant)})
    if len(rows) > MOST_PLANS:
        raise QueryError("TOO_MANY", f"there are more than {MOST_PLANS:,} periods of plans; ask SQL for plan_periods")
    return [_plan(row, instant) for row in rows]


def _plan(row: Mapping[str, Any], as_of: datetime) -> Plan:
    use = PlanUse(
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
        fee_usd=row["fee_usd"],
        accrued_usd=row["accrued_usd"],
        calls=row["calls"],
        unpriced_calls=row["unpriced_calls"],
        list_usd=row["list_usd"],
        has_overlap=row["has_overlap"],
    )
    worth: PlanWorth = plan_worth(use, as_of)
    return Plan(
        provider=row["provider"],
        plan=row["plan"],
        status=PlanState[worth.status],
        starts_on=use.starts_on,
        ends_on=use.ends_on,
        charges=BigInt(row["charges"]),
        fee_usd=use.fee_usd,
        period_days=BigInt(worth.period_days),
        accrued_days=BigInt(worth.accrued_days),
        accrued_usd=use.accrued_usd,
        calls=BigInt(use.calls),
        unpriced_calls=BigInt(use.unpriced_calls),
        list_equivalent_usd=use.list_usd,
        leverage=None if worth.leverage is None else float(worth.leverage),
        unused_usd=None if worth.unused_usd is None else rounded_usd(worth.unused_usd),
        unallocated_usd=row["unallocated_usd"],
        unattributed_usd=row["unattributed_usd"],
        as_of=as_of,
    )


def _make(_: Inputs) -> Any:
    return strawberry.field(
        resolver=read_plans,
        description="Plans (subscriptions): fees, what has accrued of them, and to which sessions it falls. Calls "
        "under a plan cost no cash and are not free.",
    )


PLANS = RootField("plans", _make, needs=("plan_cost", "plan_share_cost", "session_cost"), roles=FINANCE)
