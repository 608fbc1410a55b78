"""Waste by class of session: counts, cost, shares, and a year of it at the same pace.

Pure functions on what the sessions of a slice say. A class that is not known of every finished session has no rate:
sessions whose source has no outcomes may be idle or productive, and nobody can say.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Literal

from finance.intervals import wilson

SessionClass = Literal["productive", "idle", "failed", "pending", "unknown"]
CostStatus = Literal["OK", "LOWER_BOUND", "UNPRICED"]
RateStatus = Literal["OK", "NO_FINISHED_SESSIONS", "NOT_FINISHED", "NO_OUTCOMES"]
ShareStatus = Literal["OK", "PARTIAL", "NOT_FINISHED", "ZERO_COST", "UNPRICED"]

CLASSES: tuple[SessionClass, ...] = ("productive", "idle", "failed", "pending", "unknown")
DAYS_OF_A_YEAR = Decimal("365.25")
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_PLACES = Decimal("1e-12")


@dataclass(frozen=True, slots=True)
class ClassTotals:
    """What the sessions of one class add up to."""

    session_class: SessionClass
    sessions: int
    costed: int
    """Those whose cost is known in full."""
    known_usd: Decimal
    """The cost of those."""


@dataclass(frozen=True, slots=True)
class ClassWaste:
    """One class beside the whole. Every None has its reason in the status beside it."""

    session_class: SessionClass
    sessions: int
    cost_usd: Decimal | None
    cost_status: CostStatus
    cost_share: float | None
    """Of the cost of finished sessions."""
    share_status: ShareStatus
    rate: float | None
    """Of the number of finished sessions."""
    rate_low: float | None
    rate_high: float | None
    rate_status: RateStatus
    usd_per_year: Decimal | None
    """Its cost at the pace of the days asked for, in a year of 365.25 days; None as the cost is, or without days."""


def waste_by_class(totals: Iterable[ClassTotals], days: int | None, level: float = 0.95) -> list[ClassWaste]:
    """A row for each class that has sessions, in the order of `CLASSES`. `days` are those that the sessions are of."""
    found = {row.session_class: row for row in totals if row.sessions}
    rows = [found[name] for name in CLASSES if name in found]
    finished = [row for row in rows if row.session_class != "pending"]
    return [_row(row, finished, days, level) for row in rows]


def finished_sessions(totals: Iterable[ClassTotals]) -> int:
    return sum(row.sessions for row in totals if row.session_class != "pending")


def _row(row: ClassTotals, finished: list[ClassTotals], days: int | None, level: float) -> ClassWaste:
    cost, cost_status = _cost(row)
    share, share_status = _share(row, finished)
    rate_status = _rate_status(row, finished)
    n = finished_sessions(finished)
    interval = wilson(row.sessions, n, level) if rate_status == "OK" else None
    return ClassWaste(
        session_class=row.session_class,
        sessions=row.sessions,
        cost_usd=cost,
        cost_status=cost_status,
        cost_share=share,
        share_status=share_status,
        rate=row.sessions / n if rate_status == "OK" else None,
        rate_low=interval[0] if interval else None,
        rate_high=interval[1] if interval else None,
        rate_status=rate_status,
        usd_per_year=per_year(cost, days),
    )


def per_year(usd: Decimal | None, days: int | None) -> Decimal | None:
    """An amount of some days at the same pace for a year, to 12 places; None without days."""
    if usd is None or days is None or days < 1:
        return None
    return _EXACT.quantize(_EXACT.divide(_EXACT.multiply(usd, DAYS_OF_A_YEAR), Decimal(days)), _PLACES)


def _cost(row: ClassTotals) -> tuple[Decimal | None, CostStatus]:
    if row.costed == 0:
        return None, "UNPRICED"
    return row.known_usd, "OK" if row.costed == row.sessions else "LOWER_BOUND"


def _share(row: ClassTotals, finished: list[ClassTotals]) -> tuple[float | None, ShareStatus]:
    if row.session_class == "pending":
        return None, "NOT_FINISHED"
    if row.costed == 0:
        return None, "UNPRICED"
    whole = sum((other.known_usd for other in finished), Decimal(0))
    if whole == 0:
        return None, "ZERO_COST"
    is_whole = all(other.costed == other.sessions for other in finished)
    return float(_EXACT.divide(row.known_usd, whole)), "OK" if is_whole else "PARTIAL"


def _rate_status(row: ClassTotals, finished: list[ClassTotals]) -> RateStatus:
    """A failure is known from how a session ended; idle and productive only where outcomes are loaded."""
    if row.session_class == "pending":
        return "NOT_FINISHED"
    is_judged = all(other.session_class != "unknown" for other in finished)
    return "OK" if is_judged or row.session_class == "failed" else "NO_OUTCOMES"
