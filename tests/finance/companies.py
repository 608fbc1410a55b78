"""Simulated companies whose true depletion date is known: what is seen of them, and when their cash is really gone.

Each process gives daily net burn with a mean of about 200 USD. Of every company 30 days are seen; its cash lasts 90 to
500 days at the true mean.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from finance.depletion import Outlook

Floats = NDArray[np.float64]
Process = Callable[[np.random.Generator, int], Floats]
SEEN_DAYS = 30
MEAN_USD = 200.0
_LONGEST = 1_600


def normal(draw: np.random.Generator, days: int) -> Floats:
    return MEAN_USD + 60 * draw.standard_normal(days)


def weekday_pattern(draw: np.random.Generator, days: int) -> Floats:
    """Five working days of 260 and two days of 60, each give or take 15 %; the window begins on any weekday."""
    weekday = (np.arange(days) + draw.integers(7)) % 7
    return np.where(weekday < 5, 260.0, 60.0) * (1 + 0.15 * draw.standard_normal(days))


def lumps(draw: np.random.Generator, days: int) -> Floats:
    """A quiet base, and on one day of ten a lump of some hundreds."""
    base = 120 * np.exp(0.3 * draw.standard_normal(days) - 0.045)
    lump = 800 * np.exp(0.6 * draw.standard_normal(days) - 0.18)
    return np.asarray(base + (draw.random(days) < 0.1) * lump)


def lognormal(draw: np.random.Generator, days: int) -> Floats:
    """Every day is heavy-tailed: the deviation is 1.3 times the mean."""
    return np.asarray(MEAN_USD * np.exp(draw.standard_normal(days) - 0.5))


def student_noise(draw: np.random.Generator, days: int) -> Floats:
    """Both tails are heavy."""
    return MEAN_USD + 40 * draw.standard_t(3, days)


def autocorrelated(draw: np.random.Generator, days: int, carried: float = 0.6) -> Floats:
    """A day keeps `carried` of the day before."""
    noise = 60 * np.sqrt(1 - carried**2) * draw.standard_normal(days + 50)
    level = np.zeros(days + 50)
    for day in range(1, days + 50):
        level[day] = carried * level[day - 1] + noise[day]
    return MEAN_USD + level[50:]


def slightly_autocorrelated(draw: np.random.Generator, days: int) -> Floats:
    return autocorrelated(draw, days, 0.3)


def strongly_autocorrelated(draw: np.random.Generator, days: int) -> Floats:
    return autocorrelated(draw, days, 0.9)


def weekdays_and_autocorrelation(draw: np.random.Generator, days: int) -> Floats:
    return weekday_pattern(draw, days) * autocorrelated(draw, days, 0.5) / MEAN_USD


def rare_lumps(draw: np.random.Generator, days: int) -> Floats:
    """One day of fifty costs 20 times as much: half of the companies have not seen one in 30 days."""
    return np.asarray(143 * (1 + 0.1 * draw.standard_normal(days)) + (draw.random(days) < 0.02) * 2860)


PROCESSES: dict[str, Process] = {
    process.__name__.replace("_", " "): process
    for process in (
        normal,
        weekday_pattern,
        lumps,
        lognormal,
        student_noise,
        slightly_autocorrelated,
        autocorrelated,
        weekdays_and_autocorrelation,
        strongly_autocorrelated,
        rare_lumps,
    )
}
BEYOND = ("strongly autocorrelated", "rare lumps")
"""Processes of which 30 days say too little: no method that sees nothing else can hold its band there."""


@dataclass(frozen=True, slots=True)
class Company:
    outlook: Outlook
    truth: int
    """The day on which its cash is gone."""


def companies(process: Process, count: int, seed: int) -> Iterator[Company]:
    """`count` companies; the same seed gives the same ones."""
    draw = np.random.default_rng(seed)
    for _ in range(count):
        cash = MEAN_USD * draw.uniform(90, 500)
        days = process(draw, SEEN_DAYS + _LONGEST)
        gone = np.flatnonzero(np.cumsum(days[SEEN_DAYS:]) >= cash)
        assert len(gone), "the longest company outlives what is simulated"
        yield Company(Outlook(float(cash), tuple(float(day) for day in days[:SEEN_DAYS])), int(gone[0]) + 1)
