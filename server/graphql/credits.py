"""The `credits` field: what a vendor's credits cost, how much of them is left, and when they run out."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import Info

from finance.credits import Outlook, Quota, QuotaStatus, outlook
from finance.pricing import rounded_usd
from semantic import QueryError
from server.graphql.context import Context
from server.graphql.fields import FINANCE, Inputs, RootField, given
from server.graphql.scalars import BigInt
from server.graphql.states import enum_of
from server.graphql.tabular import rows_of, zoneless
from server.slices import check_unrestricted

MOST_VENDORS, MOST_QUOTAS = 1_000, 1_000

_VENDORS = f"""
WITH used AS (
    SELECT
        provider,
        min(vendor) AS vendor,
        sum(credits) AS used_credits,
        sum(cost_usd) AS used_usd,
        count(*) FILTER (WHERE cost_usd IS NULL) AS unpriced_uses,
        sum(cost_usd) FILTER (WHERE attribution <> 'ATTRIBUTED') AS unattributed_usd
    FROM credit_facts
    WHERE used_at < $as_of
    GROUP BY provider
),
bought AS (
    SELECT
        provider, min(vendor) AS vendor, count(*) AS purchases, sum(paid_usd) AS paid_usd,
        CASE WHEN bool_and(credits IS NOT NULL) THEN sum(credits) END AS bought_credits,
        bool_or(has_overlap) AS has_overlap
    FROM credit_purchases
    WHERE CAST(starts_on AS TIMESTAMP) < $as_of
    GROUP BY provider
)
SELECT
    coalesce(bought.vendor, used.vendor) AS vendor, used.used_credits, used.used_usd, used.unattributed_usd,
    coalesce(used.unpriced_uses, 0) AS unpriced_uses, coalesce(bought.purchases, 0) AS purchases,
    bought.paid_usd, bought.bought_credits,
    (
        SELECT sum(usage.credits) FROM credit_facts AS usage
        WHERE usage.provider = bought.provider AND usage.used_at < $as_of
            AND usage.used_at >= (
                SELECT min(CAST(p.starts_on AS TIMESTAMP)) FROM credit_purchases AS p
                WHERE p.provider = bought.provider
            )
    ) AS used_since_bought,
    EXISTS (
        SELECT 1 FROM credit_purchases AS p
        WHERE p.provider = bought.provider AND CAST(p.ends_on AS TIMESTAMP) <= $as_of
    ) AS has_expired
FROM used FULL JOIN bought ON bought.provider = used.provider
ORDER BY vendor
LIMIT {MOST_VENDORS + 1}
"""
_QUOTAS = f"""
SELECT vendor, plan, observed_at, used_credits, limit_credits, starts_on, resets_at, fee_usd
FROM (
    SELECT *, row_number() OVER (PARTITION BY vendor, plan ORDER BY observed_at DESC) AS place
    FROM credit_quotas
    WHERE observed_at <= $as_of
) AS seen
WHERE place = 1
ORDER BY vendor, plan
LIMIT {MOST_QUOTAS + 1}
"""

QuotaState = enum_of(
    "QuotaState",
    QuotaStatus,
    description="Why there is a projection, or none. OK; EXHAUSTED: nothing is left; UNLIMITED; PERIOD_UNKNOWN: the "
    "first day is not known; TOO_EARLY: less than half a day has passed; NO_USE; PERIOD_OVER: the newest "
    "observation is of a period that is over.",
)


@strawberry.type(description="What was seen of the credits of a plan, and what it says of the rest of the period.")
class CreditQuota:
    vendor: str
    plan: str
    status: QuotaState  # type: ignore[valid-type]
    observed_at: datetime = strawberry.field(description="Everything below is as of then.")
    starts_on: date | None
    resets_at: datetime | None
    fee_usd: Decimal | None = strawberry.field(description="Of the period; null where it is not known.")
    unit_usd: Decimal | None = strawberry.field(description="Fee / credits of the period; null without either.")
    used_credits: Decimal
    limit_credits: Decimal | None = strawberry.field(description="Null: without end.")
    remaining_credits: Decimal | None
    elapsed_days: Decimal | None
    daily_credits: Decimal | None = strawberry.field(description="Used / elapsed days.")
    days_left: Decimal | None = strawberry.field(description="Until the credits are used up at that pace.")
    exhausts_on: date | None = strawberry.field(
        description="The first day whose projected closing balance is 0 or less; null where none is within a century."
    )
    exhausts_before_reset: bool | None
    projected_credits_at_reset: Decimal | None = strawberry.field(description="Used by the reset, at that pace.")
    projected_shortfall_credits: Decimal | None = strawberry.field(description="What they are short of by the reset.")
    breakage_usd: Decimal | None = strawberry.field(
        description="What the unused credits are worth: lost if the period ended at the observation."
    )


@strawberry.type(description="A line as a FOCUS 1.2 bill has it: paid when bought, a cost when used.")
class FocusLine:
    charge_category: str
    billed_cost: Decimal
    effective_cost: Decimal | None = strawberry.field(description="Null where the worth of a use is not known.")


@strawberry.type(description="The credits of one vendor until `asOf`: bought, used, left.")
class CreditVendor:
    vendor: str
    status: str = strawberry.field(
        description="OK; LOWER_BOUND: some uses have no price; UNPRICED: none has; NO_USE: none is known."
    )
    purchases: BigInt
    paid_usd: Decimal | None = strawberry.field(description="With fees; null where no purchase is loaded.")
    bought_credits: Decimal | None = strawberry.field(description="Null where a purchase does not say how many.")
    paid_per_credit_usd: Decimal | None = strawberry.field(description="Paid / bought.")
    used_credits: Decimal | None = strawberry.field(description="Null where no use is loaded.")
    used_usd: Decimal | None
    unattributed_usd: Decimal | None = strawberry.field(description="Of it, use by no known session.")
    remaining_credits: Decimal | None = strawberry.field(
        description="Bought less used since. Null where not all of that is known, or purchases have expired."
    )
    focus: list[FocusLine]


@strawberry.type(description="Credits that vendors sell beforehand or with a plan.")
class Credits:
    vendors: list[CreditVendor]
    quotas: list[CreditQuota] = strawberry.field(description="The newest observation of each plan.")


def read_credits(info: Info[Context, None], as_of: datetime | None = None) -> Credits:
    """`asOf` is now unless it is given."""
    context = info.context
    check_unrestricted(context.planner, ("credits", "charges", "sessions"), context.caller)
    instant = (given(as_of) or context.now).astimezone(UTC)
    vendors = rows_of(context, _VENDORS, {"as_of": zoneless(instant)})
    quotas = rows_of(context, _QUOTAS, {"as_of": zoneless(instant)})
    if len(vendors) > MOST_VENDORS or len(quotas) > MOST_QUOTAS:
        raise QueryError("TOO_MANY", f"there are more than {MOST_VENDORS:,} vendors or plans of credits; ask SQL")
    return Credits(vendors=[_vendor(row) for row in vendors], quotas=[_quota(row, instant) for row in quotas])


def _vendor(row: Mapping[str, Any]) -> CreditVendor:
    paid, bought, used, used_usd = (row[name] for name in ("paid_usd", "bought_credits", "used_credits", "used_usd"))
    is_whole = bought is not None and row["used_since_bought"] is not None and not row["has_expired"]
    purchase = FocusLine(charge_category="Purchase", billed_cost=paid, effective_cost=Decimal(0))
    usage = FocusLine(charge_category="Usage", billed_cost=Decimal(0), effective_cost=used_usd)
    return CreditVendor(
        vendor=row["vendor"],
        status=_status(row),
        purchases=BigInt(row["purchases"]),
        paid_usd=paid,
        bought_credits=bought,
        paid_per_credit_usd=None if paid is None or not bought else rounded_usd(paid / bought),
        used_credits=used,
        used_usd=used_usd,
        unattributed_usd=row["unattributed_usd"],
        remaining_credits=bought - row["used_since_bought"] if is_whole else None,
        focus=[*([] if paid is None else [purchase]), *([] if used is None else [usage])],
    )


def _status(row: Mapping[str, Any]) -> str:
    if row["used_credits"] is None:
        return "NO_USE"
    if row["used_usd"] is None:
        return "UNPRICED"
    return "LOWER_BOUND" if row["unpriced_uses"] else "OK"


def _quota(row: Mapping[str, Any], as_of: datetime) -> CreditQuota:
    resets_at = row["resets_at"]
    quota = Quota(
        observed_at=row["observed_at"].replace(tzinfo=UTC),
        used=row["used_credits"],
        limit=row["limit_credits"],
        starts_on=row["starts_on"],
        resets_at=None if resets_at is None else resets_at.replace(tzinfo=UTC),
        fee_usd=row["fee_usd"],
    )
    seen: Outlook = outlook(quota, as_of)
    return CreditQuota(
        vendor=row["vendor"],
        plan=row["plan"],
        status=QuotaState[seen.status],
        observed_at=quota.observed_at,
        starts_on=quota.starts_on,
        resets_at=quota.resets_at,
        fee_usd=quota.fee_usd,
        unit_usd=_rounded(seen.unit_usd),
        used_credits=quota.used,
        limit_credits=quota.limit,
        remaining_credits=seen.remaining,
        elapsed_days=_rounded(seen.elapsed_days),
        daily_credits=_rounded(seen.daily),
        days_left=_rounded(seen.days_left),
        exhausts_on=seen.exhausts_on,
        exhausts_before_reset=seen.exhausts_before_reset,
        projected_credits_at_reset=_rounded(seen.used_at_reset),
        projected_shortfall_credits=_rounded(seen.shortfall),
        breakage_usd=_rounded(seen.breakage_usd),
    )


def _rounded(number: Decimal | None) -> Decimal | None:
    return None if number is None else rounded_usd(number)


def _make(_: Inputs) -> Any:
    return strawberry.field(
        resolver=read_credits,
        description="Credits: what was paid for them, what their use is worth, how much is left and when it runs out.",
    )


CREDITS = RootField("credits", _make, needs=("credit_cost", "charged_cost"), roles=FINANCE)
