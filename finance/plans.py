"""What a plan (subscription) is worth so far: its accrued fee beside what its calls would have cost at list prices.

Definitions: golden case G11 and FOCUS 1.2, which keeps what is paid (billed) and what is used (effective) apart.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

PlanStatus = Literal["OK", "PARTIAL", "UNPRICED", "NO_USE", "NOT_STARTED", "FEE_UNKNOWN", "OVERLAPPING", "FREE"]
"""OK; PARTIAL: some calls have no list price; UNPRICED: none has; FEE_UNKNOWN: calls that no fee covers; OVERLAPPING:
another plan covers the same calls; FREE: the fee is 0 or less, so there is nothing to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUse:
    """One period of the plans of one provider, as of one instant. `fee_usd` None: nobody loaded a fee."""

    starts_on: date
    ends_on: date
    fee_usd: Decimal | None
    accrued_usd: Decimal | None
    calls: int
    unpriced_calls: int
    list_usd: Decimal
    has_overlap: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWorth:
    """`leverage` and `unused_usd` compare with the whole fee and are None where `status` says why."""

    status: PlanStatus
    period_days: int
    accrued_days: int
    leverage: Decimal | None
    unused_usd: Decimal | None


def days_begun(starts_on: date, ends_on: date, as_of: datetime) -> int:
    """Days of a period that have begun before an instant: at midnight, those that are over.

    Example:
        >>> days_begun(date(2026, 2, 1), date(2026, 3, 1), datetime(2026, 2, 15))
        14
    """
    start = datetime.combine(starts_on, time(), as_of.tzinfo)
    begun = -(-(as_of - start) // timedelta(days=1))
    return max(0, min(begun, (ends_on - starts_on).days))


def plan_worth(use: PlanUse, as_of: datetime) -> PlanWorth:
    """`as_of` in UTC. A list-equivalent that is a lower bound makes the leverage one, with status PARTIAL."""
    status = _status(use, as_of)
    is_compared = status in ("OK", "PARTIAL", "NO_USE")
    fee = use.fee_usd
    return PlanWorth(
        status=status,
        period_days=(use.ends_on - use.starts_on).days,
        accrued_days=days_begun(use.starts_on, use.ends_on, as_of),
        leverage=use.list_usd / fee if is_compared and fee else None,
        unused_usd=max(fee - use.list_usd, Decimal(0)) if is_compared and fee is not None else None,
    )


def _status(use: PlanUse, as_of: datetime) -> PlanStatus:
    if use.fee_usd is None:
        return "FEE_UNKNOWN"
    if days_begun(use.starts_on, use.ends_on, as_of) == 0:
        return "NOT_STARTED"
    if use.has_overlap:
        return "OVERLAPPING"
    if use.fee_usd <= 0:
        return "FREE"
    if use.calls == 0:
        return "NO_USE"
    if use.unpriced_calls == use.calls:
        return "UNPRICED"
    return "PARTIAL" if use.unpriced_calls else "OK"
