"""Where a budget stands: the state of its breaker, and a straight line through what was spent so far."""

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal

from finance.budgets import Rule, Standing, State, Window

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-12")
_A_MICROSECOND = timedelta(microseconds=1)


def state_of(limit_usd: Decimal, spent_usd: Decimal) -> State:
    """OPEN from the instant at which the limit is reached. A limit of 0 is reached before anything is spent."""
    return "OPEN" if spent_usd >= limit_usd else "CLOSED"


def standing_of(
    rule: Rule,
    member: str | None,
    window: Window,
    now: datetime,
    *,
    spent_usd: Decimal,
    unpriced_requests: int,
    held_usd: Decimal,
    limit_usd: Decimal | None = None,
) -> Standing:
    """`limit_usd` is the one that held in the window, where that is another than the rule's of today."""
    limit = rule.limit_usd if limit_usd is None else limit_usd
    return Standing(
        budget_id=rule.budget_id,
        scope=rule.scope,
        member=member,
        window=window,
        limit_usd=limit,
        spent_usd=spent_usd,
        unpriced_requests=unpriced_requests,
        held_usd=held_usd,
        state=state_of(limit, spent_usd),
        blocks=rule.blocks,
        projected_usd=projected_usd(window, now, spent_usd),
        projected_breach_at=projected_breach_at(window, now, limit, spent_usd),
    )


def projected_usd(window: Window, now: datetime, spent_usd: Decimal) -> Decimal | None:
    """Spend at the window's end if it goes on as it did so far, to 12 places; what was spent once it has ended.

    None at the window's start: nothing has passed that a line could go through.
    """
    if now >= window.ends_at:
        return spent_usd
    passed = (now - window.starts_at) // _A_MICROSECOND
    if passed <= 0:
        return None
    whole = (window.ends_at - window.starts_at) // _A_MICROSECOND
    projected = _EXACT.divide(_EXACT.multiply(spent_usd, Decimal(whole)), Decimal(passed))
    return projected.quantize(_PLACES, context=_EXACT)


def projected_breach_at(window: Window, now: datetime, limit_usd: Decimal, spent_usd: Decimal) -> datetime | None:
    """When the same line reaches the limit; None where that is not within the window, or has happened already."""
    passed = (now - window.starts_at) // _A_MICROSECOND
    if passed <= 0 or now >= window.ends_at or spent_usd <= 0 or spent_usd >= limit_usd:
        return None
    after = _EXACT.divide(_EXACT.multiply(limit_usd, Decimal(passed)), spent_usd)
    if after >= (window.ends_at - window.starts_at) // _A_MICROSECOND:
        return None
    return window.starts_at + timedelta(microseconds=int(after.to_integral_value(ROUND_HALF_EVEN)))
