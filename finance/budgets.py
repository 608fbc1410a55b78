"""Budgets as values: what a budget says, the window that it is for, where spend stands in it, what is to be told."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

State = Literal["CLOSED", "OPEN"]
"""Of a breaker: CLOSED lets traffic flow, OPEN means that the limit is reached."""


Scope = Literal["global", "agent", "model", "trigger", "session"]
SCOPES: tuple[Scope, ...] = ("global", "agent", "model", "trigger", "session")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What one budget says."""

    budget_id: str
    limit_usd: Decimal
    scope: Scope = "global"
    member: str | None = None
    """Which agent, model, trigger or session; None for everything, or for each member on its own."""
    period: Literal["day", "week", "month"] = "day"
    zone: str = "UTC"
    thresholds: tuple[Decimal, ...] = (Decimal("0.5"), Decimal("0.8"), Decimal(1))
    """Shares of the limit, in rising order."""
    blocks: bool = False
    exempt_triggers: frozenset[str] = frozenset()
    """Never stopped, whatever was spent and whatever a request may cost."""
    unpriced_denied: frozenset[str] = frozenset()
    """Stopped while nobody can say what a request may cost."""


@dataclass(frozen=True, slots=True)
class Window:
    """One day, week or month of a budget's zone; half-open instants in UTC."""

    label: str
    """Such as 2026-02-20, 2026-W08 or 2026-02."""
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one budget stands, for one member of its scope, in one window."""

    budget_id: str
    scope: str
    member: str | None
    """Which agent, model, trigger or session; None for everything."""
    window: Window
    limit_usd: Decimal
    spent_usd: Decimal
    """What is known; a lower bound where `unpriced_requests` is above 0."""
    unpriced_requests: int
    held_usd: Decimal
    """Reserved by requests that are in flight."""
    state: State
    blocks: bool
    """Whether the budget stops requests at its limit, or only tells."""
    projected_usd: Decimal | None = None
    """At the window's end, by a straight line through what was spent so far; None at the window's start."""
    projected_breach_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something to be told once: a threshold was reached, or a breaker closed again."""

    alert_id: str
    """The same for the same happening, however often it is told: senders and receivers tell repetitions by it."""
    kind: Literal["THRESHOLD", "RECOVERED"]
    standing: Standing
    threshold: Decimal | None
    """The share of the limit that was reached; None for a recovery."""
    at: datetime
