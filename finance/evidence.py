"""What sessions brought for their money, with its doubt: from the sums of a group to everything one may say of it.

A session is *resolved* when its task succeeded or failed, and *scored* when its cost is known, too. The success rate is
over the resolved. ROI (successes per dollar), cost per session and cost per success are over the scored, above and
below the line the same sessions, as docs/decisions/0004 has it. Sessions of one root are not independent: they vary
together, so variances are of roots, and rates count `effective_n` sessions (Kish 1965).

Money is Decimal; only doubt is float.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from finance.intervals import (
    LEVEL,
    Interval,
    beta_intervals,
    delta,
    jeffreys,
    log_delta,
    ratio_standard_error,
    wilson,
    z_of,
)
from finance.tally import Moments, Prior, Tally

Status = Literal["OK", "PARTIAL", "INSUFFICIENT_SAMPLE", "ZERO_COST", "COST_UNKNOWN", "NO_DECIDED_TASKS", "NO_SESSIONS"]
Method = Literal["DELTA", "WILSON_OVER_COST"]
TWELVE_PLACES = Decimal("1e-12")
HEAVY_VARIATION = 2.0
HEAVY_SHARE = 0.2
MOST_PENDING = 0.3


@dataclass(frozen=True, slots=True)
class Beta:
    """What is believed of a success rate; a draw from it is a Thompson sample."""

    alpha: float
    beta: float
    interval: Interval

    @property
    def mean(self) -> float:
        return self.alpha / (self.alpha + self.beta)


@dataclass(frozen=True, slots=True)
class Gates:
    """What a value must reach to be decided upon."""

    resolved: float = 30
    level: float = LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that may be said of one group. A value is None for the reason in `status`."""

    tally: Tally
    prior: Prior
    level: float
    status: Status
    effective_n: float
    """Resolved sessions, as if those of one root said the same; the number itself where each has a root of its own."""
    success_rate: float | None = None
    wilson: Interval | None = None
    jeffreys: Interval | None = None
    posterior: Beta
    cost_per_session_usd: Decimal | None = None
    cost_interval: Interval | None = None
    cost_per_success_usd: Decimal | None = None
    roi: float | None = None
    roi_standard_error: float | None = None
    roi_interval: Interval | None = None
    roi_method: Method | None = None
    roi_log_interval: Interval | None = None
    variances: Moments | None = None
    """Of the cost and the success of one session (divided by n - 1)."""
    heavy_tail: bool = False
    """A few sessions make up the cost: it varies more than twice its mean, or one session is over a fifth of it."""
    reasons: tuple[str, ...] = ()
    """Why this is not to be decided upon."""

    @property
    def decision_grade(self) -> bool:
        return not self.reasons

    @property
    def priced_share(self) -> float | None:
        return self.tally.scored / self.tally.resolved if self.tally.resolved else None

    @property
    def pending_share(self) -> float | None:
        return _pending_share(self.tally)

    def net_value_usd(self, task_value: Decimal, failure_penalty: Decimal = Decimal(0)) -> Decimal | None:
        """Of one session: what a success is worth x success rate - cost - what a failure costs x failure rate."""
        t = self.tally
        if not t.scored:
            return None
        failures = t.scored - t.scored_successes
        return rounded((task_value * t.scored_successes - t.cost_usd - failure_penalty * failures) / t.scored)


def evidence_of(tallies: Sequence[tuple[Tally, Prior]], gates: Gates = Gates()) -> list[Evidence]:
    """One for each group, in their order."""
    counts = [_effective(tally) for tally, _ in tallies]
    parameters = [
        (prior.alpha + hits, prior.beta + n - hits) for (_, prior), (n, hits) in zip(tallies, counts, strict=True)
    ]
    intervals = beta_intervals([a for a, _ in parameters], [b for _, b in parameters], gates.level)
    posteriors = [Beta(*pair, interval) for pair, interval in zip(parameters, intervals, strict=True)]
    return [
        _evidence(tally, prior, posterior, gates) for (tally, prior), posterior in zip(tallies, posteriors, strict=True)
    ]


def rounded(amount: Decimal) -> Decimal:
    """Money as it is told."""
    return amount.quantize(TWELVE_PLACES, ROUND_HALF_EVEN) if amount.adjusted() < MOST_DIGITS else amount


MOST_DIGITS = 15
"""Before the point: more of them leave no room for twelve behind it in the 28 digits that are computed with."""


def _effective(tally: Tally) -> tuple[float, float]:
    """How many sessions count as independent, and how many of them succeeded."""
    if not tally.resolved:
        return 0.0, 0.0
    n = tally.resolved**2 / tally.root_squares
    return n, n if tally.successes == tally.resolved else n * tally.successes / tally.resolved


def _evidence(tally: Tally, prior: Prior, posterior: Beta, gates: Gates) -> Evidence:
    n, hits = _effective(tally)
    z = z_of(gates.level)
    money = _money(tally, z)
    status = money.status
    return Evidence(
        tally=tally,
        prior=prior,
        level=gates.level,
        status=status,
        effective_n=n,
        success_rate=tally.successes / tally.resolved if n else None,
        wilson=wilson(hits, n, z) if n else None,
        jeffreys=jeffreys(hits, n, gates.level) if n else None,
        posterior=posterior,
        cost_per_session_usd=money.per_session,
        cost_interval=money.per_session_interval,
        cost_per_success_usd=money.per_success,
        roi=money.roi,
        roi_standard_error=money.roi_standard_error,
        roi_interval=money.roi_interval,
        roi_method=money.roi_method,
        roi_log_interval=money.roi_log_interval,
        variances=tally.of_sessions.divided(tally.scored - 1) if tally.scored > 1 else None,
        heavy_tail=_has_heavy_tail(tally),
        reasons=tuple(_reasons(tally, n, status, gates)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Money:
    """What rests on the scored sessions."""

    status: Status
    per_session: Decimal | None = None
    per_session_interval: Interval | None = None
    per_success: Decimal | None = None
    roi: float | None = None
    roi_standard_error: float | None = None
    roi_interval: Interval | None = None
    roi_method: Method | None = None
    roi_log_interval: Interval | None = None


def _money(t: Tally, z: float) -> _Money:
    if not t.scored:
        return _Money(status="NO_SESSIONS" if not t.sessions else "COST_UNKNOWN" if t.resolved else "NO_DECIDED_TASKS")
    per_session = rounded(t.cost_usd / t.scored)
    per_success = rounded(t.cost_usd / t.scored_successes) if t.scored_successes else None
    of_cost = _cost_interval(t, z)
    if t.cost_usd <= 0:
        return _Money(
            status="ZERO_COST", per_session=per_session, per_session_interval=of_cost, per_success=per_success
        )
    roi = float(t.scored_successes / t.cost_usd)
    found = _Money(
        status="PARTIAL" if t.scored < t.resolved else "OK" if of_cost else "INSUFFICIENT_SAMPLE",
        per_session=per_session,
        per_session_interval=of_cost,
        per_success=per_success,
        roi=roi,
    )
    return found if of_cost is None else _with_doubt(found, t, of_cost, roi, z)


def _with_doubt(found: _Money, t: Tally, of_cost: Interval, roi: float, z: float) -> _Money:
    """Where none or all succeed, the delta method sees no variation of success at all; Wilson's interval does."""
    moments = t.of_roots
    spread = moments.success - 2 * roi * moments.product + roi * roi * moments.cost
    error = ratio_standard_error(roi, float(t.cost_usd), spread, t.scored_roots)
    method: Method = "DELTA" if 0 < t.scored_successes < t.scored else "WILSON_OVER_COST"
    within: Interval | None = delta(roi, error, z)
    if method == "WILSON_OVER_COST":
        rate = wilson(t.scored_successes / t.scored * t.scored_roots, t.scored_roots, z)
        within = Interval(rate.low / of_cost.high, rate.high / of_cost.low) if of_cost.low > 0 else None
    elif of_cost.low <= 0:
        within = None  # the cost cannot be told from 0, so the ratio has no upper bound (Fieller's g >= 1)
    is_delta = method == "DELTA"
    return _Money(
        status=found.status if within else "INSUFFICIENT_SAMPLE" if found.status == "OK" else found.status,
        per_session=found.per_session,
        per_session_interval=of_cost,
        per_success=found.per_success,
        roi=roi,
        roi_standard_error=error if is_delta else None,
        roi_interval=within,
        roi_method=method if within else None,
        roi_log_interval=log_delta(roi, error, z) if is_delta and within else None,
    )


def _cost_interval(t: Tally, z: float) -> Interval | None:
    """Of the mean cost of a session; None below two roots, which say nothing about how roots vary."""
    if t.scored_roots < 2:
        return None
    mean = float(t.cost_usd) / t.scored
    error = ratio_standard_error(mean, t.scored, t.of_roots.cost, t.scored_roots)
    return delta(mean, error, z)


def _has_heavy_tail(t: Tally) -> bool:
    if t.scored < 2 or t.cost_usd <= 0:
        return False
    mean = float(t.cost_usd) / t.scored
    varies = (t.of_sessions.cost / (t.scored - 1)) ** 0.5 > HEAVY_VARIATION * mean
    # Of four sessions one always has a quarter: the share tells something only where sessions are many.
    return varies or (t.scored > 1 / HEAVY_SHARE and float(t.largest_cost_usd / t.cost_usd) > HEAVY_SHARE)


def _pending_share(t: Tally) -> float | None:
    known = t.pending + t.resolved
    return t.pending / known if known else None


def _reasons(t: Tally, n: float, status: Status, gates: Gates) -> Iterable[str]:
    if n < gates.resolved:
        yield f"{n:.6g} independent resolved sessions are fewer than {gates.resolved:g}"
    if status not in ("OK", "INSUFFICIENT_SAMPLE"):
        yield f"status {status}"
    if status == "INSUFFICIENT_SAMPLE":
        yield "the sample is too small for an interval"
    if (_pending_share(t) or 0) > MOST_PENDING:
        yield f"more than {MOST_PENDING:.0%} of the tasks are pending"
