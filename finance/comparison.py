"""Two groups of sessions side by side: which is worth more at which value of a success, and whether one can tell.

The difference of success rates has Newcombe's interval. ROI is compared on the logarithm: the ratio of two is told from
1 where its interval, from the delta standard errors of both, does not hold 1. Nothing is corrected for the number of
comparisons: of twenty that are the same, one is told apart by chance at 95 %.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import hypot, log
from typing import Literal

from finance.evidence import Evidence, rounded
from finance.intervals import Interval, newcombe, wald_difference, wilson, z_of

BreakEvenStatus = Literal["OK", "UNBOUNDED", "DOMINATES", "DOMINATED", "SAME", "UNKNOWN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """From which value of a success on the one with more successes is worth its higher cost.

    `lowest_usd` is that value where the rates are as far apart as the interval of their difference allows, and
    `highest_usd` where they are as close; None and UNBOUNDED where the difference may be none. DOMINATES: no dearer and
    succeeds no less often, so it is better at any value; DOMINATED: the other way round. SAME: neither differs.
    """

    status: BreakEvenStatus
    value_usd: Decimal | None = None
    lowest_usd: Decimal | None = None
    highest_usd: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Of two success rates."""

    value: float
    interval: Interval
    """Newcombe's."""
    wald: Interval | None

    @property
    def is_established(self) -> bool:
        return 0.0 not in self.interval


def difference(one: Evidence, other: Evidence) -> Difference | None:
    """Of the success rates; None where one is not known."""
    if one.success_rate is None or other.success_rate is None or one.wilson is None or other.wilson is None:
        return None
    rates = one.success_rate, other.success_rate
    return Difference(
        rates[0] - rates[1],
        newcombe(rates[0], one.wilson, rates[1], other.wilson),
        wald_difference(rates[0], one.effective_n, rates[1], other.effective_n, z_of(one.level)),
    )


def break_even(one: Evidence, reference: Evidence) -> BreakEven:
    """Over the scored sessions of both, where a failure costs nothing beside its session.

    Where a failure costs a penalty, the value is lower by just that penalty.
    """
    cost, rate = _cost_and_rate(one), _cost_and_rate(reference)
    if cost is None or rate is None:
        return BreakEven(status="UNKNOWN")
    extra, gap = cost[0] - rate[0], cost[1] - rate[1]
    if extra == 0 and gap == 0:
        return BreakEven(status="SAME")
    if gap >= 0 and extra <= 0:
        return BreakEven(status="DOMINATES")
    if gap <= 0 and extra >= 0:
        return BreakEven(status="DOMINATED")
    return _between(one, reference, abs(extra), abs(gap), sign=1 if gap > 0 else -1)


def may_succeed_alike(one: Evidence, other: Evidence) -> bool:
    """Whether their success rates are not known to differ; where nothing is known of one, neither is that."""
    found = difference(one, other)
    return found is None or not found.is_established


def may_return_alike(one: Evidence, other: Evidence) -> bool:
    """Whether their ROI is not known to differ; where one has no ROI, or no error of it, nothing is known."""
    pairs = [(group.roi, group.roi_standard_error) for group in (one, other)]
    (value, error), (against, its_error) = pairs
    if not value or not against or error is None or its_error is None:
        return True
    return abs(log(value / against)) <= z_of(one.level) * hypot(error / value, its_error / against)


def most_compared(groups: Sequence[Evidence], most: int) -> list[Evidence]:
    """Those with the most sessions, as every group is compared with every other."""
    return sorted(groups, key=lambda group: group.tally.resolved, reverse=True)[:most]


def _cost_and_rate(of: Evidence) -> tuple[Decimal, Decimal] | None:
    t = of.tally
    return (t.cost_usd / t.scored, Decimal(t.scored_successes) / t.scored) if t.scored else None


def _between(one: Evidence, reference: Evidence, extra: Decimal, gap: Decimal, sign: int) -> BreakEven:
    rates = [group.tally.scored_successes / group.tally.scored for group in (one, reference)]
    found = newcombe(rates[0], _of_scored(one), rates[1], _of_scored(reference))
    far, near = (found.high, found.low) if sign > 0 else (-found.low, -found.high)
    return BreakEven(
        status="OK" if near > 0 else "UNBOUNDED",
        value_usd=rounded(extra / gap),
        lowest_usd=rounded(extra / Decimal(far)),
        highest_usd=rounded(extra / Decimal(near)) if near > 0 else None,
    )


def _of_scored(group: Evidence) -> Interval:
    """Of the success rate of the scored sessions, which are as independent as the resolved ones."""
    t = group.tally
    n = group.effective_n * t.scored / t.resolved
    return wilson(n if t.scored_successes == t.scored else n * t.scored_successes / t.scored, n, z_of(group.level))
