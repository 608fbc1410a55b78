"""Sums over one group of sessions, and what is expected of it beforehand: what evidence is made of."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums of squares and of products around the means; or variances and a covariance."""

    cost: float = 0.0
    success: float = 0.0
    product: float = 0.0

    def divided(self, by: float) -> "Moments":
        return Moments(self.cost / by, self.success / by, self.product / by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Sums over one group of sessions: all that evidence needs of them."""

    sessions: int = 0
    pending: int = 0
    """Their task is not decided yet."""
    resolved: int = 0
    successes: int = 0
    root_squares: int = 0
    """Resolved sessions of each root, squared and added."""
    scored: int = 0
    scored_successes: int = 0
    scored_roots: int = 0
    cost_usd: Decimal = Decimal(0)
    """Of the scored."""
    largest_cost_usd: Decimal = Decimal(0)
    of_sessions: Moments = Moments()
    """Around the means of the scored, over sessions."""
    of_roots: Moments = Moments()
    """The same over roots: deviations are added within a root before they are squared."""
    mixed_model_sessions: int = 0
    mature_through: datetime | None = None
    """Sessions that started before this are all decided."""


@dataclass(frozen=True, slots=True)
class Prior:
    """What is expected of a group before it is looked at: a Beta distribution."""

    rate: float
    strength: float
    source: str

    @property
    def alpha(self) -> float:
        return self.rate * self.strength

    @property
    def beta(self) -> float:
        return (1 - self.rate) * self.strength


def prior_of(resolved: int, successes: int, strength: float, source: str) -> Prior:
    """From what is pooled; where none or all of it succeeded, half a success and half a failure are added.

    Without them nothing could ever be learned against it. Where nothing is resolved that makes a rate of 1/2.
    """
    if 0 < successes < resolved:
        return Prior(successes / resolved, strength, f"{source} pooled, strength {strength:g}")
    return Prior((successes + 0.5) / (resolved + 1), strength, f"{source} pooled with a half, strength {strength:g}")
