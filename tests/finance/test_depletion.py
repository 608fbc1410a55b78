from itertools import pairwise
from math import inf, isfinite

import pytest

from finance.depletion import Outlook, bootstrap_days, deviations, normal_days, quantiles, spread_of, student_days
from tests.finance.companies import BEYOND, PROCESSES, companies

STEADY = Outlook(1000.0, (10.0,) * 30)
NOISY = Outlook(50_000.0, tuple(200.0 + 60 * (-1) ** (n * n // 3) for n in range(30)))
PS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def test_days_without_a_spread_give_one_day_at_every_probability() -> None:
    for method in ("STUDENT", "NORMAL", "BLOCK_BOOTSTRAP"):
        assert quantiles(STEADY, PS, method, paths=100) == pytest.approx([100.0] * 7)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["STUDENT", "NORMAL", "BLOCK_BOOTSTRAP"])
def test_later_dates_are_more_probable_and_the_median_is_the_point(method: str) -> None:
    found = quantiles(NOISY, PS, method)  # type: ignore[arg-type]
    assert all(a <= b for a, b in pairwise(found))
    assert found[3] == pytest.approx(50_000 / NOISY.mean, rel=0.02)


def test_the_error_of_the_mean_is_most_of_the_doubt() -> None:
    with_it = normal_days(NOISY, 0.9) - normal_days(NOISY, 0.1)
    without = normal_days(NOISY, 0.9, has_mean_error=False) - normal_days(NOISY, 0.1, has_mean_error=False)
    assert with_it > 2 * without


def test_a_pattern_of_weekdays_is_not_taken_for_noise() -> None:
    pattern = [200.0 + (60 if day % 7 < 5 else -150) + (5 if day % 2 else -5) for day in range(30)]
    spread = spread_of(pattern)
    assert spread.sd_long_run < 7
    assert spread.freedom == 23


def test_days_that_resemble_the_day_before_widen_the_band() -> None:
    slow = [200.0 + (60 if day // 5 % 2 else -60) for day in range(20)]
    assert spread_of(slow).sd_long_run > 1.5 * 60


def test_lumps_move_the_early_end_more_than_the_late_one() -> None:
    lumpy = Outlook(50_000.0, (*(100.0,) * 9, 1100.0) * 3)
    middle = 50_000 / lumpy.mean
    early, late = student_days(lumpy, 0.1), student_days(lumpy, 0.9)
    plain = normal_days(lumpy, 0.1)
    assert early < plain < middle < late


def test_what_is_scheduled_moves_every_percentile() -> None:
    due = [0.0] * 400
    due[9] = 500.0
    assert quantiles(Outlook(1000.0, (10.0,) * 30, tuple(due), 400), PS, "STUDENT") == pytest.approx([150.0] * 7)


def test_a_late_end_that_may_never_come_is_infinite() -> None:
    thin = Outlook(1000.0, (60.0, -50.0, 70.0, -55.0, 40.0, -40.0, 10.0))
    found = quantiles(thin, (0.1, 0.9), "STUDENT")
    assert isfinite(found[0])
    assert found[1] == inf
    assert quantiles(thin, (0.9,), "NORMAL") == [inf]


def test_nothing_is_told_beyond_the_horizon() -> None:
    assert quantiles(Outlook(1000.0, (10.0,) * 30, horizon_days=99), (0.5,), "STUDENT") == [inf]
    assert bootstrap_days(Outlook(1000.0, (10.0,) * 30, horizon_days=99), paths=100, seed=1)[0] == inf


def test_a_seed_gives_the_same_days_and_another_seed_others() -> None:
    first, again, other = (list(bootstrap_days(NOISY, paths=200, seed=seed)) for seed in (3, 3, 4))
    assert first == again != other


def test_deviations_are_those_of_the_delta_method() -> None:
    found = deviations(STEADY)
    assert found is not None
    assert found.combined == 0
    assert deviations(Outlook(1000.0, (-10.0,) * 30)) is None


def held(name: str, count: int) -> float:
    hits = 0
    for company in companies(PROCESSES[name], count, seed=11):
        early, late = quantiles(company.outlook, (0.1, 0.9), "STUDENT")
        hits += early <= company.truth <= late + 1
    return hits / count


@pytest.mark.parametrize("name", [name for name in PROCESSES if name not in BEYOND])
def test_the_band_of_80_percent_holds_about_as_often(name: str) -> None:
    """150 companies a process: within three standard deviations of 75 to 85 %. benchmarks/coverage.py takes 2,000."""
    assert 0.65 < held(name, 150) < 0.95
