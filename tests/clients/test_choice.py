"""Which model is taken: no server, no clock."""

from decimal import Decimal
from random import Random

import pytest

from examples.clients.router.choice import Choice, at_worst, careful, thompson
from examples.clients.router.evidence import ModelEvidence


def evidence(
    model: str,
    *,
    successes: int = 80,
    failures: int = 20,
    cost: str | None = "0.10",
    high: str | None = "0.12",
    low: float = 0.7,
    rate_high: float = 0.9,
    graded: bool = True,
    basis: str = "CELL",
    alike: tuple[str, ...] = (),
) -> ModelEvidence:
    return ModelEvidence(
        model=model,
        basis=basis,  # type: ignore[arg-type]
        resolved=successes + failures,
        alpha=1.0 + successes,
        beta=1.0 + failures,
        rate_low=low,
        rate_high=rate_high,
        cost_usd=None if cost is None else Decimal(cost),
        cost_low_usd=None if cost is None else Decimal(cost),
        cost_high_usd=None if high is None else Decimal(high),
        is_decision_grade=graded,
        alike=frozenset(alike),
    )


def test_the_bound_of_a_success_is_the_dearest_session_over_the_lowest_rate() -> None:
    assert at_worst(evidence("a", high="0.12", low=0.5)) == Decimal("0.24")
    assert at_worst(evidence("a", cost="0.10", high=None, low=0.5)) == Decimal("0.20")
    assert at_worst(evidence("a", cost=None, high=None)) is None
    assert at_worst(evidence("a", low=0.0)) is None


def test_the_model_whose_success_costs_least_at_worst_is_taken() -> None:
    models = [evidence("large", high="0.60"), evidence("small", high="0.12"), evidence("middle", high="0.30")]
    assert careful(models, "large") == Choice("small", "BEST_BOUND", 1.0)
    assert careful(models, "small") == Choice("small", "DEFAULT_IS_BEST", 1.0)


def test_a_cheap_model_of_which_little_is_known_is_not_taken() -> None:
    models = [evidence("large", high="0.60"), evidence("new", high="0.01", graded=False)]
    assert careful(models, "large") == Choice("large", "DEFAULT_IS_BEST", 1.0)
    assert careful(models[1:], "large") == Choice("large", "NOTHING_DECISION_GRADE", 1.0)
    assert careful([], "large") == Choice("large", "NOTHING_DECISION_GRADE", 1.0)


def test_a_difference_that_may_be_noise_moves_no_work() -> None:
    models = [evidence("large", high="0.13"), evidence("small", high="0.12", alike=("large",))]
    assert careful(models, "large") == Choice("large", "NOT_TOLD_APART", 1.0)
    assert careful(models, "small") == Choice("small", "DEFAULT_IS_BEST", 1.0)


def test_models_that_always_succeed_are_told_apart_by_what_they_cost() -> None:
    always = {"low": 0.95, "rate_high": 1.0}
    cheap = evidence("small", cost="0.10", high="0.12", alike=("large",), **always)
    dear = evidence("large", cost="0.50", high="0.60", alike=("small",), **always)
    near = evidence("large", cost="0.11", high="0.13", alike=("small",), **always)
    assert careful([dear, cheap], "large") == Choice("small", "BEST_BOUND", 1.0)
    assert careful([near, cheap], "large") == Choice("large", "NOT_TOLD_APART", 1.0)


def test_a_default_of_which_too_little_is_known_does_not_hold_back_a_better_model() -> None:
    models = [evidence("large", graded=False), evidence("small", alike=("large",))]
    assert careful(models, "large") == Choice("small", "BEST_BOUND", 1.0)


def test_an_unknown_cost_is_not_a_low_one() -> None:
    models = [evidence("large", high="0.60"), evidence("unpriced", cost=None, high=None)]
    assert careful(models, "large").model == "large"


def test_what_a_model_did_at_other_work_does_not_beat_what_one_did_at_this() -> None:
    models = [evidence("large", high="0.60"), evidence("elsewhere", high="0.01", basis="MODEL")]
    assert careful(models, "large") == Choice("large", "DEFAULT_IS_BEST", 1.0)
    assert careful([evidence("pooled", basis="PRIOR")], "large") == Choice("large", "NOTHING_DECISION_GRADE", 1.0)


def test_of_equal_models_the_same_one_is_always_taken() -> None:
    assert careful([evidence("b"), evidence("a")], "z").model == "a"
    assert careful([evidence("a"), evidence("b")], "z").model == "a"


def test_a_draw_takes_the_surely_better_model_with_certainty() -> None:
    models = [evidence("good", successes=9_000, failures=1_000), evidence("bad", successes=1_000, failures=9_000)]
    assert thompson(Random(1), Decimal(1))(models, "bad") == Choice("good", "DRAWN", 1.0)


def test_equal_models_are_drawn_about_as_often_and_the_probability_says_so() -> None:
    policy, random = thompson(Random(7), Decimal(1), draws=300), [evidence("a"), evidence("b")]
    choices = [policy(random, "a") for _ in range(100)]
    taken = sum(choice.model == "a" for choice in choices) / 100
    assert 0.3 < taken < 0.7
    assert all(0.4 < choice.probability < 0.6 for choice in choices)


def test_a_model_that_nobody_has_tried_is_tried_sometimes() -> None:
    models = [evidence("known", successes=60, failures=40), evidence("new", successes=1, failures=1)]
    policy = thompson(Random(3), Decimal(1))
    taken = [policy(models, "known").model for _ in range(150)]
    assert 15 < taken.count("new") < 100


def test_what_a_success_is_worth_decides_between_cheap_and_good() -> None:
    cheap = evidence("cheap", successes=500, failures=500, cost="0.01")
    good = evidence("good", successes=900, failures=100, cost="0.50")
    assert thompson(Random(1), Decimal("0.10"))([cheap, good], "cheap").model == "cheap"
    assert thompson(Random(1), Decimal("10"))([cheap, good], "cheap").model == "good"


def test_a_model_of_unknown_cost_is_drawn_only_at_an_assumed_one() -> None:
    models = [evidence("known", successes=1, failures=9), evidence("unpriced", cost=None, successes=900, failures=100)]
    assert thompson(Random(1), Decimal(1))(models, "known").model == "known"
    assert thompson(Random(1), Decimal(1), {"unpriced": Decimal("0.1")})(models, "known").model == "unpriced"
    nothing = Choice("known", "NOTHING_TO_DRAW", 1.0)
    assert thompson(Random(1), Decimal(1))(models[1:], "known") == nothing


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_seed_draws_the_same(seed: int) -> None:
    models = [evidence("a"), evidence("b")]
    one, other = thompson(Random(seed), Decimal(1)), thompson(Random(seed), Decimal(1))
    assert [one(models, "a") for _ in range(20)] == [other(models, "a") for _ in range(20)]
