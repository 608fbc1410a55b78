"""Whether one more request fits into a budget, and why not. What is reserved counts like what is spent."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from finance.budgets import Rule

Reason = Literal["WITHIN_LIMIT", "WOULD_EXCEED", "LIMIT_REACHED", "EXEMPT", "UNPRICED_POLICY", "NO_LIMIT"]
"""NO_LIMIT: no budget that applies stops anything."""


@dataclass(frozen=True, slots=True)
class Verdict:
    is_allowed: bool
    reason: Reason


def admit(rule: Rule, committed_usd: Decimal, *, trigger: str, max_usd: Decimal | None) -> Verdict:
    """`committed_usd` is spent and held together; `max_usd` the most that the request may cost, None if unknown.

    Exactly reaching the limit is allowed. An exempt trigger is never stopped, not even by a policy for requests of
    unknown cost. A budget that only tells stops nothing.
    """
    if not rule.blocks:
        return Verdict(True, "NO_LIMIT")
    verdict = _without_exemption(rule, committed_usd, trigger, max_usd)
    if not verdict.is_allowed and trigger in rule.exempt_triggers:
        return Verdict(True, "EXEMPT")
    return verdict


def _without_exemption(rule: Rule, committed_usd: Decimal, trigger: str, max_usd: Decimal | None) -> Verdict:
    if committed_usd >= rule.limit_usd:
        return Verdict(False, "LIMIT_REACHED")
    if max_usd is None:
        return Verdict(trigger not in rule.unpriced_denied, "UNPRICED_POLICY")
    if committed_usd + max_usd > rule.limit_usd:
        return Verdict(False, "WOULD_EXCEED")
    return Verdict(True, "WITHIN_LIMIT")
