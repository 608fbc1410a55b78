"""What can be said of success while outcomes are still to come: rates, bounds, and Kaplan-Meier.

A task whose window is open is pending, neither failed nor left out. Three answers, by what they assume: the rate of the
resolved tasks (biased towards whatever comes first), the rate of the mature cohort (all windows closed), and success by
the end of the window after Kaplan and Meier (1958), which uses what the pending ones have shown so far. A known failure
cannot succeed any more, so it stays at risk to the end of the window, as in a competing risk (Fine and Gray, 1999);
taking it out when it becomes known would count it as one that might have succeeded like the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, localcontext

DIGITS = 60
"""Of the arithmetic, so that 12 places are right after millions of steps."""
PLACES = Decimal("1e-12")
DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Tasks:
    """How many tasks of sessions that have ended are in each state."""

    successes: int
    failures: int
    pending: int

    @property
    def resolved(self) -> int:
        return self.successes + self.failures

    @property
    def total(self) -> int:
        return self.resolved + self.pending

    @property
    def resolved_only_rate(self) -> Decimal | None:
        """Successes / resolved tasks; None where nothing is resolved."""
        return share(self.successes, self.resolved)

    @property
    def pending_share(self) -> Decimal | None:
        return share(self.pending, self.total)

    @property
    def bounds(self) -> tuple[Decimal, Decimal] | None:
        """The success rate if all pending tasks fail, and if all succeed; None where there is no task."""
        low, high = share(self.successes, self.total), share(self.successes + self.pending, self.total)
        return None if low is None or high is None else (low, high)


@dataclass(frozen=True, slots=True)
class Moment:
    """Tasks that were followed for the same time from the end of their sessions."""

    after_us: int
    successes: int
    """Those that succeeded then."""
    censored: int
    """Those that had not succeeded by then and were not followed any longer: pending ones at the question's instant."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the curve: an instant at which tasks succeeded."""

    after_us: int
    at_risk: int
    """Tasks that had not succeeded before, and were followed until then."""
    successes: int
    cumulative: Decimal
    """Estimated share of all tasks that have succeeded by then, rounded half even to 12 places."""

    @property
    def day(self) -> Decimal:
        return share(self.after_us, DAY_US) or Decimal(0)


def kaplan_meier(moments: Iterable[Moment]) -> list[Step]:
    """The curve of success. Of two things at one instant a success comes first: who is censored then was at risk.

    `moments` come in any order; those of one instant add up. A failure is censored at the end of the window.
    """
    found: dict[int, tuple[int, int]] = {}
    for moment in moments:
        successes, censored = found.get(moment.after_us, (0, 0))
        found[moment.after_us] = successes + moment.successes, censored + moment.censored
    at_risk = sum(successes + censored for successes, censored in found.values())
    steps: list[Step] = []
    with localcontext(prec=DIGITS):
        surviving = Decimal(1)
        for after_us in sorted(found):
            successes, censored = found[after_us]
            if successes:
                surviving = surviving * (at_risk - successes) / at_risk
                steps.append(Step(after_us, at_risk, successes, (1 - surviving).quantize(PLACES)))
            at_risk -= successes + censored
    return steps


def share(part: int | Decimal, whole: int | Decimal) -> Decimal | None:
    """Rounded half even to 12 places; None where the whole is 0."""
    if not whole:
        return None
    with localcontext(prec=DIGITS):
        return (Decimal(part) / Decimal(whole)).quantize(PLACES)
