"""Intervals of rates and ratios, against numbers that others published and against what must hold."""

from math import comb, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.intervals import (
    beta_interval,
    delta,
    jeffreys,
    log_delta,
    newcombe,
    ratio_standard_error,
    wald_difference,
    wilson,
    z_of,
)

Z = z_of(0.95)
counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_a_level_is_so_many_standard_errors() -> None:
    assert z_of(0.95) == pytest.approx(1.959963984540054, abs=1e-15)
    assert z_of(0.8) == pytest.approx(1.2815515655446004, abs=1e-15)


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, float("nan")])
def test_a_level_outside_of_0_to_1_is_refused(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        z_of(level)


def test_newcombes_published_example() -> None:
    """Newcombe (1998), table II, case (a): 56/70 against 48/80, difference 0.2 with 0.0524 to 0.3339."""
    first, second = wilson(56, 70, Z), wilson(48, 80, Z)
    found = newcombe(56 / 70, first, 48 / 80, second)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0524, 0.3339)


def test_newcombes_published_single_proportion() -> None:
    """Newcombe (1998b), 81 of 263 by Wilson's method: 0.2553 to 0.3662."""
    found = wilson(81, 263, Z)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


@given(counts)
def test_wilson_solves_its_own_equation(case: tuple[int, int]) -> None:
    """Its ends are the rates from which what was seen is just z standard errors away."""
    successes, n = case
    found, rate = wilson(successes, n, Z), successes / n
    for end in (found.low, found.high):
        assert abs(rate - end) == pytest.approx(Z * sqrt(end * (1 - end) / n), abs=1e-9)
    assert 0 <= found.low <= rate <= found.high <= 1


@given(counts)
def test_successes_and_failures_mirror_each_other(case: tuple[int, int]) -> None:
    successes, n = case
    for found, mirrored in (
        (wilson(successes, n, Z), wilson(n - successes, n, Z)),
        (jeffreys(successes, n), jeffreys(n - successes, n)),
    ):
        assert found.low == pytest.approx(1 - mirrored.high, abs=1e-9)


def test_none_and_all_end_at_0_and_1_exactly() -> None:
    for found in (wilson(0, 7, Z), jeffreys(0, 7)):
        assert found.low == 0
    for found in (wilson(7, 7, Z), jeffreys(7, 7)):
        assert found.high == 1


@pytest.mark.parametrize(("successes", "n"), [(1, 0), (-1, 3), (4, 3), (float("nan"), 3), (1, float("inf"))])
def test_counts_that_are_none_are_refused(successes: float, n: float) -> None:
    with pytest.raises(ValueError, match="0 to n successes"):
        wilson(successes, n, Z)


@pytest.mark.parametrize(("alpha", "beta"), [(0.0, 1.0), (1.0, -1.0), (float("nan"), 1.0), (1.0, float("inf"))])
def test_a_beta_distribution_has_parameters_above_0(alpha: float, beta: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        beta_interval(alpha, beta)


def test_quantiles_of_beta_by_hand() -> None:
    """Beta(1, 1) is uniform; of Beta(2, 1) the distribution is x squared."""
    uniform, square = beta_interval(1, 1, 0.9), beta_interval(2, 1, 0.9)
    assert (uniform.low, uniform.high) == (pytest.approx(0.05), pytest.approx(0.95))
    assert (square.low, square.high) == (pytest.approx(sqrt(0.05)), pytest.approx(sqrt(0.95)))


def coverage(n: int, rate: float, *, of_wilson: bool) -> float:
    """How often the interval holds the truth: exactly, over every outcome that can be."""
    held = 0.0
    for successes in range(n + 1):
        if of_wilson:
            interval = wilson(successes, n, Z)
            low, high = interval.low, interval.high
        else:
            half = Z * sqrt(successes / n * (1 - successes / n) / n)
            low, high = successes / n - half, successes / n + half
        held += comb(n, successes) * rate**successes * (1 - rate) ** (n - successes) * (low <= rate <= high)
    return held


@settings(max_examples=60)
@given(st.integers(5, 120), st.floats(0.1, 0.9))
def test_wilson_holds_the_truth_about_as_often_as_it_says(n: int, rate: float) -> None:
    assert coverage(n, rate, of_wilson=True) > 0.83


def test_wald_does_not() -> None:
    assert coverage(10, 0.9, of_wilson=False) == pytest.approx(0.65, abs=0.005)
    assert coverage(10, 0.9, of_wilson=True) == pytest.approx(0.93, abs=0.005)


def test_a_difference_turned_round_is_its_negative() -> None:
    first, second = wilson(34, 40, Z), wilson(84, 120, Z)
    one, other = newcombe(0.85, first, 0.7, second), newcombe(0.7, second, 0.85, first)
    assert (one.low, one.high) == (pytest.approx(-other.high), pytest.approx(-other.low))


def test_walds_difference_needs_two_of_each() -> None:
    assert wald_difference(0.5, 1, 0.5, 40, Z) is None


def test_what_is_never_negative_has_no_interval_below_0() -> None:
    assert delta(1.0, 2.0, Z).low == 0
    found = log_delta(2.0, 0.5, Z)
    assert found is not None
    assert found.low * found.high == pytest.approx(4.0)
    assert log_delta(1e-9, 1e3, Z) is None
    with pytest.raises(ValueError, match="above 0"):
        log_delta(0, 1, Z)


def test_the_error_of_a_mean_is_that_of_a_ratio_over_ones() -> None:
    values = [1.0, 2.0, 4.0, 9.0]
    spread = sum((v - 4.0) ** 2 for v in values)
    assert ratio_standard_error(4.0, 4, spread, 4) == pytest.approx(sqrt(spread / 3 / 4))
