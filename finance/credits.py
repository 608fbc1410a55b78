"""How long the credits of a plan last at the pace of its period, and what is left of the money paid for them.

Definitions: golden case G11. The pace is what was used / the days since the period began; the day of exhaustion is the
first whose projected closing balance is 0 or less, where the day of the observation is day 0.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Context, Decimal, localcontext
from math import ceil
from typing import Literal

QuotaStatus = Literal["OK", "EXHAUSTED", "UNLIMITED", "PERIOD_UNKNOWN", "TOO_EARLY", "NO_USE", "PERIOD_OVER"]
"""OK; why there is no projection: the credits are used up, have no end, the period's first day is not known, it has
hardly begun, nothing was used, or it was over by then and nobody has looked since."""

_WIDE = Context(prec=50)
_LEAST_DAYS = Decimal("0.5")
_MOST_DAYS = 36_525
"""A century: a day later than that means nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What was seen of a plan's credits at one instant (UTC)."""

    observed_at: datetime
    used: Decimal
    limit: Decimal | None
    starts_on: date | None
    resets_at: datetime | None
    fee_usd: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Amounts of credits and USD; None where `status`, or a fee or a reset that is not known, leaves nothing to say."""

    status: QuotaStatus
    unit_usd: Decimal | None
    remaining: Decimal | None
    elapsed_days: Decimal | None
    daily: Decimal | None
    days_left: Decimal | None
    exhausts_on: date | None
    exhausts_before_reset: bool | None
    used_at_reset: Decimal | None
    shortfall: Decimal | None
    breakage_usd: Decimal | None
    """What the unused credits are worth: lost if the period ended at the observation."""


def outlook(quota: Quota, as_of: datetime) -> Outlook:
    """What the newest observation says of the rest of the period, read at `as_of`."""
    with localcontext(_WIDE):
        unit = None if quota.fee_usd is None or not quota.limit else quota.fee_usd / quota.limit
        remaining = None if quota.limit is None else max(quota.limit - quota.used, Decimal(0))
        elapsed = _elapsed_days(quota)
        status = _status(quota, remaining, elapsed, as_of)
        daily = quota.used / elapsed if elapsed is not None and elapsed >= _LEAST_DAYS else None
        is_projected = status in ("OK", "EXHAUSTED", "NO_USE") and daily is not None
        at_reset = _used_at_reset(quota, daily) if is_projected else None
        left = remaining / daily if is_projected and remaining is not None and daily else None
        exhausts_on = _after(quota.observed_at, left)
        return Outlook(
            status=status,
            unit_usd=unit,
            remaining=remaining,
            elapsed_days=elapsed,
            daily=daily,
            days_left=left,
            exhausts_on=exhausts_on,
            exhausts_before_reset=_is_before_reset(quota, at_reset),
            used_at_reset=at_reset,
            shortfall=None if at_reset is None or quota.limit is None else max(at_reset - quota.limit, Decimal(0)),
            breakage_usd=None if unit is None or remaining is None else unit * remaining,
        )


def _status(quota: Quota, remaining: Decimal | None, elapsed: Decimal | None, as_of: datetime) -> QuotaStatus:
    if quota.resets_at is not None and quota.resets_at <= as_of:
        return "PERIOD_OVER"
    if remaining is None:
        return "UNLIMITED"
    if remaining == 0:
        return "EXHAUSTED"
    if elapsed is None:
        return "PERIOD_UNKNOWN"
    if elapsed < _LEAST_DAYS:
        return "TOO_EARLY"
    return "OK" if quota.used else "NO_USE"


def _elapsed_days(quota: Quota) -> Decimal | None:
    if quota.starts_on is None:
        return None
    return max(
        _days(quota.observed_at - datetime.combine(quota.starts_on, time(), quota.observed_at.tzinfo)), Decimal(0)
    )


def _used_at_reset(quota: Quota, daily: Decimal | None) -> Decimal | None:
    if daily is None or quota.resets_at is None:
        return None
    return quota.used + daily * max(_days(quota.resets_at - quota.observed_at), Decimal(0))


def _is_before_reset(quota: Quota, at_reset: Decimal | None) -> bool | None:
    return None if at_reset is None or quota.limit is None else at_reset > quota.limit


def _after(observed_at: datetime, days_left: Decimal | None) -> date | None:
    if days_left is None or days_left > _MOST_DAYS:
        return None
    try:
        return observed_at.date() + timedelta(days=ceil(days_left))
    except OverflowError:
        return None


def _days(span: timedelta) -> Decimal:
    return Decimal(span // timedelta.resolution) / Decimal(timedelta(days=1) // timedelta.resolution)
