"""Which thresholds are told: once per budget, member and window, and again only after they were re-armed.

A threshold is re-armed when the limit was raised so far that what was spent no longer reaches it, or when a correction
of the spend closes a breaker: whatever was said to have recovered is told again if it opens again.
"""

from dataclasses import dataclass, field, replace
from decimal import Decimal

from finance.budgets import Rule
from finance.standings import state_of


@dataclass(frozen=True, slots=True)
class Episode:
    """What is remembered of one budget, member and window."""

    limit_usd: Decimal
    """The limit when it was looked at last."""
    is_open: bool = False
    told: frozenset[Decimal] = frozenset()
    """Thresholds that were told and are not re-armed."""
    times: dict[Decimal, int] = field(default_factory=dict)
    """How often each was told: two episodes of one window are two happenings."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one look has come to."""

    episode: Episode
    told: tuple[Decimal, ...]
    """Thresholds to tell now, in rising order."""
    rearmed: tuple[Decimal, ...]
    has_closed: bool
    """The breaker was open in this window and is not any more."""


def reached(rule: Rule, limit_usd: Decimal, spent_usd: Decimal) -> frozenset[Decimal]:
    """Thresholds that the spend has come to. Those of a limit of 0 are reached with the first spend."""
    if limit_usd == 0:
        return frozenset(rule.thresholds) if spent_usd > 0 else frozenset()
    return frozenset(share for share in rule.thresholds if spent_usd >= share * limit_usd)


def look(rule: Rule, spent_usd: Decimal, before: Episode | None, limit_usd: Decimal | None = None) -> Step:
    """What is to be told now that so much is spent; `limit_usd` where the window's limit is not the rule's of today."""
    limit = rule.limit_usd if limit_usd is None else limit_usd
    known = before or Episode(limit)
    now_reached = reached(rule, limit, spent_usd)
    is_open = state_of(limit, spent_usd) == "OPEN"
    has_closed = known.is_open and not is_open
    rearmed = known.told - now_reached if limit > known.limit_usd or has_closed else frozenset()
    fresh = now_reached - known.told
    times = known.times | {share: known.times.get(share, 0) + 1 for share in fresh}
    episode = replace(known, limit_usd=limit, is_open=is_open, told=(known.told - rearmed) | fresh, times=times)
    return Step(episode, tuple(sorted(fresh)), tuple(sorted(rearmed)), has_closed)
