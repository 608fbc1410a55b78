"""When the cash may be gone, as percentiles that contain the error of the mean burn itself.

Three methods over the daily net burn of the basis (what the calendar knows stays out of it and is walked):

- STUDENT, the default. The burn of the next t days is t x mean + error, with variance s2 x t for the days to come and
  v x t^2 for the mean. s2 is the long-run variance: weekdays are taken out where they differ (F test, 5 %), and a
  first-order autocorrelation counts where it is above its noise. v = s2 / n, plus what an incomplete week does to the
  mean. Quantiles are Student's t, bent for skewness by Hall's transformation (Hall 1992, J. R. Stat. Soc. B 54), at
  the late end by half of it: lumps that were not seen yet are likelier than lumps that were seen too often.
- NORMAL. Independent normal days: the first passage of a Brownian motion is inverse Gaussian; the error of the mean is
  mixed in by Gauss-Hermite quadrature.
- BLOCK_BOOTSTRAP. Days are drawn in blocks of a week, once for the mean and again for the days to come.

`benchmarks/coverage.py` measures how often the stated bands hold; docs/runway.md has the table.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import cbrt, ceil, inf, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

Method = Literal["STUDENT", "NORMAL", "BLOCK_BOOTSTRAP"]
Floats = NDArray[np.float64]

LEAST_DAYS = 7
"""With fewer days nothing is said of doubt."""
WEEK = 7
MOST_PATHS = 20_000
_MIXED = 60


@dataclass(frozen=True, slots=True)
class Outlook:
    """What percentiles are computed from. Amounts are USD as floats: they speak of doubt, not of money."""

    cash_usd: float
    """Above 0."""
    daily_usd: tuple[float, ...]
    """Net burn of each day of the basis, oldest first."""
    scheduled_usd: tuple[float, ...] = ()
    """Of each day to come, from the first on; empty where nothing is scheduled."""
    horizon_days: int = 3653

    @property
    def mean(self) -> float:
        return float(np.mean(self.daily_usd))

    @property
    def n(self) -> int:
        return len(self.daily_usd)


@dataclass(frozen=True, slots=True)
class Spread:
    """How uncertain burn is, by the method STUDENT."""

    mean: float
    sd_long_run: float
    """Of a day, so that the burn of t days varies by sd x sqrt(t)."""
    mean_variance: float
    freedom: float
    skewness: float
    n: int


def spread_of(daily_usd: Sequence[float]) -> Spread:
    """The spread of at least 7 days."""
    days = np.asarray(daily_usd, dtype=np.float64)
    n, mean = len(days), float(days.mean())
    rest, freedom, imbalance = _without_weekdays(days - mean)
    total = float(rest @ rest)
    if total <= 1e-18 * n * max(mean * mean, 1e-12):
        return Spread(mean, 0.0, imbalance**2, freedom, 0.0, n)
    factor = _autocorrelation_factor(rest, total)
    variance = total / freedom * factor
    left = freedom if factor == 1 else max(3.0, min(freedom, n / factor)) - 1
    skewness = float(np.mean(rest**3)) / (total / n) ** 1.5
    return Spread(mean, sqrt(variance), variance / n + imbalance**2, left, skewness, n)


def _without_weekdays(days: Floats) -> tuple[Floats, float, float]:
    """What is left of days around 0 without a pattern of weekdays, its degrees of freedom, and the mean's imbalance."""
    n = len(days)
    if n < 3 * WEEK:
        return days, n - 1.0, 0.0
    weekday = np.arange(n) % WEEK
    means = np.array([days[weekday == which].mean() for which in range(WEEK)])
    rest = days - means[weekday]
    within, between = float(rest @ rest), float(means[weekday] @ means[weekday])
    freedom = float(n - WEEK)
    if between <= 0 or (
        within > 0 and stats.f.sf(between / (WEEK - 1) / (within / freedom), WEEK - 1, freedom) >= 0.05
    ):
        return days, n - 1.0, 0.0
    return rest, freedom, float(means.mean())


def _autocorrelation_factor(rest: Floats, total: float) -> float:
    """Long-run / plain variance of a first-order process; 1 where the correlation could be noise or is negative."""
    n = len(rest)
    seen = float(rest[1:] @ rest[:-1]) / total
    unbiased = min(0.9, seen + (1 + 3 * seen) / n)  # Kendall 1954: the sample correlation is too low by (1 + 3r) / n
    return (1 + unbiased) / (1 - unbiased) if unbiased >= 1 / sqrt(n) else 1.0


def burn_quantile(spread: Spread, p: float) -> float:
    """How many standard errors burn is above its mean where the cash runs out with probability `p` by then."""
    bend = spread.skewness / sqrt(spread.n)
    plain = float(stats.t.isf(p, spread.freedom))
    bent = -_hall(-plain, bend)
    return bent if plain >= 0 else (bent + plain) / 2


def _hall(t: float, bend: float) -> float:
    """The inverse of Hall's transformation of a studentised mean; `bend` is skewness / sqrt(n)."""
    return t if abs(bend) < 1e-9 else 3 / bend * (cbrt(1 + bend * (t - bend / 6)) - 1)


def student_days(outlook: Outlook, p: float, spread: Spread | None = None) -> float:
    """Days until the cash is gone, at probability `p`; inf where that is beyond the horizon or never."""
    found = spread or spread_of(outlook.daily_usd)
    return _reached(outlook, found.mean, found.sd_long_run**2, found.mean_variance, burn_quantile(found, p))


def _reached(outlook: Outlook, mean: float, variance: float, mean_variance: float, q: float) -> float:
    """The first t with t x mean + q x sqrt(variance x t + mean_variance x t^2) >= cash and what is scheduled."""
    if outlook.scheduled_usd:
        days = np.arange(1, outlook.horizon_days + 1, dtype=np.float64)
        due = np.zeros(outlook.horizon_days)
        given = outlook.scheduled_usd[: outlook.horizon_days]
        due[: len(given)] = given
        closing = (
            outlook.cash_usd + np.cumsum(due) - days * mean - q * np.sqrt(variance * days + mean_variance * days**2)
        )
        gone = np.flatnonzero(closing <= 1e-9)
        return float(days[gone[0]]) if len(gone) else inf
    cash = outlook.cash_usd
    # (cash - t x mean)^2 = q^2 (variance x t + mean_variance x t^2), and the root on the side of q.
    square = mean * mean - q * q * mean_variance
    linear = 2 * cash * mean + q * q * variance
    root = sqrt(max(0.0, linear * linear - 4 * square * cash * cash))
    if q >= 0:
        return 2 * cash * cash / (linear + root) if linear + root > 0 else inf
    return (linear + root) / (2 * square) if mean > 0 and square > 0 else inf


def normal_days(outlook: Outlook, p: float, *, has_mean_error: bool = True) -> float:
    """The p-quantile of the first passage of a Brownian motion, with or without the error of its drift."""
    mean, sd, n = outlook.mean, float(np.std(outlook.daily_usd, ddof=1)), outlook.n
    mean_variance = sd * sd / n if has_mean_error else 0.0
    if outlook.scheduled_usd or sd <= 1e-9 * abs(mean):
        return _reached(outlook, mean, sd * sd, mean_variance, float(stats.norm.isf(p)))
    drifts, weights = _mixture(mean, sqrt(mean_variance))

    def missing(days: float) -> float:
        return float(weights @ _gone_by(days, outlook.cash_usd, drifts, sd)) - p

    latest = float(outlook.horizon_days)
    return inf if missing(latest) < 0 else float(optimize.brentq(missing, 1e-6, latest, xtol=1e-10))


def _gone_by(days: float, cash: float, drifts: Floats, sd: float) -> Floats:
    """P(first passage <= days) of Brownian motions: the distribution function of the inverse Gaussian."""
    scale = sd * sqrt(days)
    late = 2 * drifts * cash / sd**2 + stats.norm.logcdf(-(drifts * days + cash) / scale)
    return np.asarray(stats.norm.cdf((drifts * days - cash) / scale) + np.exp(np.minimum(late, 0.0)))


def _mixture(mean: float, error: float) -> tuple[Floats, Floats]:
    points, weights = _hermite()
    return (mean + error * points, weights) if error else (np.array([mean]), np.array([1.0]))


@lru_cache(1)
def _hermite() -> tuple[Floats, Floats]:
    points, weights = np.polynomial.hermite_e.hermegauss(_MIXED)
    return points, weights / weights.sum()


def bootstrap_days(
    outlook: Outlook, *, paths: int, seed: int, block_days: int = WEEK, on_block: Callable[[], object] = int
) -> Floats:
    """The day on which each of `paths` simulated companies is out of cash, ascending; inf beyond the horizon.

    The same seed gives the same days. `paths` is at most 20,000. `on_block` is called again and again, and may raise
    to end it.
    """
    draw = np.random.default_rng(seed)
    history = np.asarray(outlook.daily_usd, dtype=np.float64)
    n, block = len(history), min(block_days, len(history))
    means = _block_days(draw, history, paths, ceil(n / block), block)[:, :n].mean(axis=1)
    error = (means - history.mean()) * sqrt(n / (n - 1))
    left = np.full(paths, outlook.cash_usd)
    gone = np.full(paths, inf)
    due = outlook.scheduled_usd
    for start in range(0, outlook.horizon_days, block):
        on_block()
        days = _block_days(draw, history, paths, 1, block)
        for offset in range(block):
            day = start + offset
            left -= days[:, offset] + error - (due[day] if day < len(due) else 0.0)
            gone[(left <= 1e-9) & ~np.isfinite(gone)] = day + 1
        if np.isfinite(gone).all():
            break
    gone[gone > outlook.horizon_days] = inf
    return np.sort(gone)


def _block_days(draw: np.random.Generator, history: Floats, paths: int, blocks: int, block: int) -> Floats:
    """(paths, blocks x block) days of the history, in runs of `block` days that go round its end."""
    starts = draw.integers(len(history), size=(paths, blocks, 1))
    drawn: Floats = history[(starts + np.arange(block)) % len(history)].reshape(paths, blocks * block)
    return drawn


def quantiles(
    outlook: Outlook,
    ps: Sequence[float],
    method: Method,
    *,
    has_mean_error: bool = True,
    paths: int = 5_000,
    seed: int = 1,
    block_days: int = WEEK,
    on_block: Callable[[], object] = int,
) -> list[float]:
    """Days until the cash is gone at each probability; inf where the horizon is not enough to tell."""
    if method == "BLOCK_BOOTSTRAP":
        simulated = bootstrap_days(outlook, paths=paths, seed=seed, block_days=block_days, on_block=on_block)
        return [float(simulated[min(paths - 1, max(0, ceil(p * paths) - 1))]) for p in ps]
    ask = (
        partial(normal_days, outlook, has_mean_error=has_mean_error)
        if method == "NORMAL"
        else partial(student_days, outlook, spread=spread_of(outlook.daily_usd))
    )
    return [days if days <= outlook.horizon_days else inf for days in map(ask, ps)]


@dataclass(frozen=True, slots=True)
class Deviations:
    """Standard deviations of the days until the cash is gone, for independent days and a positive mean."""

    process: float
    """From the days to come."""
    mean_error: float
    """From not knowing the mean."""

    @property
    def combined(self) -> float:
        return sqrt(self.process**2 + self.mean_error**2)


def deviations(outlook: Outlook) -> Deviations | None:
    """By the delta method; None where the mean is not above 0."""
    mean, sd = outlook.mean, float(np.std(outlook.daily_usd, ddof=1))
    if mean <= 0:
        return None
    days = outlook.cash_usd / mean
    return Deviations(sd * sqrt(days) / mean, days / mean * sd / sqrt(outlook.n))
