"""Rates with their doubt, and what has no rate says why."""

from decimal import Decimal

import pytest

from finance.intervals import wilson
from finance.waste import ClassTotals, per_year, waste_by_class


def test_the_score_interval_of_five_in_eleven() -> None:
    assert wilson(5, 11) == pytest.approx((0.212712716225, 0.719908462591), abs=1e-12)


def test_an_interval_never_leaves_0_to_1_and_of_no_cases_there_is_none() -> None:
    assert wilson(0, 3) == pytest.approx((0, 0.561497031755), abs=1e-9)
    assert wilson(3, 3) == pytest.approx((1 - 0.561497031755, 1), abs=1e-9)
    assert wilson(0, 0) is None


@pytest.mark.parametrize(
    ("successes", "n", "level"), [(-1, 3, 0.9), (4, 3, 0.9), (1, 3, 0.0), (1, 3, 1.0), (1, 3, float("nan"))]
)
def test_counts_and_levels_that_are_none_are_refused(successes: int, n: int, level: float) -> None:
    with pytest.raises(ValueError, match="must be"):
        wilson(successes, n, level)


def test_where_outcomes_are_not_loaded_a_session_may_be_idle_so_nobody_knows_the_rate() -> None:
    rows = waste_by_class(
        [
            ClassTotals("unknown", 6, 6, Decimal(6)),
            ClassTotals("idle", 2, 2, Decimal(1)),
            ClassTotals("failed", 2, 1, Decimal(1)),
        ],
        days=2,
    )
    assert [(row.session_class, row.rate, row.rate_status) for row in rows] == [
        ("idle", None, "NO_OUTCOMES"),
        ("failed", 0.2, "OK"),
        ("unknown", None, "NO_OUTCOMES"),
    ]
    assert [(row.cost_usd, row.cost_status, row.cost_share, row.share_status) for row in rows] == [
        (Decimal(1), "OK", 0.125, "PARTIAL"),
        (Decimal(1), "LOWER_BOUND", 0.125, "PARTIAL"),
        (Decimal(6), "OK", 0.75, "PARTIAL"),
    ]


def test_sessions_of_unknown_cost_have_no_cost_and_sessions_that_were_free_have_no_share() -> None:
    (unpriced,) = waste_by_class([ClassTotals("failed", 1, 0, Decimal(0))], days=1)
    assert (unpriced.cost_usd, unpriced.cost_status, unpriced.cost_share) == (None, "UNPRICED", None)
    assert unpriced.usd_per_year is None
    (free,) = waste_by_class([ClassTotals("idle", 1, 1, Decimal(0))], days=1)
    assert (free.cost_usd, free.cost_share, free.share_status) == (Decimal(0), None, "ZERO_COST")


def test_a_year_has_365_and_a_quarter_days() -> None:
    assert per_year(Decimal("0.6"), 1) == Decimal("219.15")
    assert per_year(Decimal("1"), 7) == Decimal("52.178571428571")
    assert (per_year(Decimal(1), 0), per_year(Decimal(1), None), per_year(None, 3)) == (None, None, None)
