"""Kaplan-Meier against a person-by-person count in fractions, and the rates beside it."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from finance.maturity import DAY_US, Moment, Tasks, kaplan_meier, share

People = list[tuple[int, bool]]
"""(followed for so many microseconds, whether it ended in a success)."""


def counted(people: People) -> list[tuple[int, int, int, Fraction]]:
    """(after, at risk, successes, cumulative), by asking every task anew at every instant."""
    survival, steps = Fraction(1), []
    for at in sorted({after for after, is_success in people if is_success}):
        risk = sum(after >= at for after, _ in people)
        won = sum(after == at and is_success for after, is_success in people)
        survival *= 1 - Fraction(won, risk)
        steps.append((at, risk, won, 1 - survival))
    return steps


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), max_size=40), st.randoms(use_true_random=False))
def test_the_curve_is_that_of_a_count_person_by_person_in_any_order(people: People, random: object) -> None:
    moments = [Moment(after, int(won), int(not won)) for after, won in people]
    random.shuffle(moments)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    steps = kaplan_meier(moments)
    expected = counted(people)
    assert [(s.after_us, s.at_risk, s.successes) for s in steps] == [step[:3] for step in expected]
    for step, (*_, cumulative) in zip(steps, expected, strict=True):
        assert abs(Fraction(step.cumulative) - cumulative) <= Fraction(1, 2 * 10**12)


def test_of_a_success_and_a_pending_task_at_one_instant_the_pending_one_was_at_risk() -> None:
    (step,) = kaplan_meier([Moment(DAY_US, 1, 1)])
    assert (step.day, step.at_risk, step.cumulative) == (Decimal(1), 2, Decimal("0.5"))


def test_a_failure_that_stays_at_risk_to_the_end_lowers_the_curve() -> None:
    stays = kaplan_meier([Moment(3 * DAY_US, 1, 0), Moment(7 * DAY_US, 0, 1)])
    leaves = kaplan_meier([Moment(3 * DAY_US, 1, 0), Moment(DAY_US, 0, 1)])
    assert (stays[-1].cumulative, leaves[-1].cumulative) == (Decimal("0.5"), Decimal(1))


def test_without_a_success_there_is_no_step() -> None:
    assert kaplan_meier([]) == kaplan_meier([Moment(5, 0, 3)]) == []


def test_rates_of_no_task_are_none_and_bounds_enclose_the_rate() -> None:
    nothing, some = Tasks(0, 0, 0), Tasks(1, 1, 2)
    assert (nothing.resolved_only_rate, nothing.pending_share, nothing.bounds) == (None, None, None)
    assert (some.resolved_only_rate, some.pending_share) == (Decimal("0.5"), Decimal("0.5"))
    assert some.bounds == (Decimal("0.25"), Decimal("0.75"))


def test_a_share_is_exact_to_twelve_places() -> None:
    assert share(1, 3) == Decimal("0.333333333333")
