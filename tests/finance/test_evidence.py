"""Evidence from the sums of a group, against the same computed from its sessions one by one."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from math import sqrt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.comparison import break_even, difference, may_return_alike, may_succeed_alike
from finance.evidence import Evidence, evidence_of
from finance.intervals import wilson, z_of
from finance.tally import Moments, Prior, Tally, prior_of

PRIOR = Prior(0.5, 20, "half")
Z = z_of(0.95)
Run = tuple[str, int, Decimal]
"""Root, success, cost."""

some_runs = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 1), st.decimals("0.01", "9.99", places=2)),
    min_size=2,
    max_size=40,
)


def tally_of(runs: Sequence[Run], /, **fields: Any) -> Tally:
    """All of them resolved and of known cost, unless `fields` say otherwise."""
    n = len(runs)
    cost, successes = sum((c for _, _, c in runs), Decimal(0)), sum(s for _, s, _ in runs)
    mean, rate = float(cost) / n, successes / n
    roots: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for root, success, own in runs:
        roots[root].append((float(own) - mean, success - rate))
    each = [pair for pairs in roots.values() for pair in pairs]
    together = [(sum(c for c, _ in pairs), sum(s for _, s in pairs)) for pairs in roots.values()]
    return Tally(
        **{
            "sessions": n,
            "resolved": n,
            "successes": successes,
            "root_squares": sum(len(pairs) ** 2 for pairs in roots.values()),
            "scored": n,
            "scored_successes": successes,
            "scored_roots": len(roots),
            "cost_usd": cost,
            "largest_cost_usd": max(c for _, _, c in runs),
            "of_sessions": moments(each),
            "of_roots": moments(together),
            **fields,
        }
    )


def moments(pairs: Sequence[tuple[float, float]]) -> Moments:
    return Moments(sum(c * c for c, _ in pairs), sum(s * s for _, s in pairs), sum(c * s for c, s in pairs))


def evidence(tally: Tally) -> Evidence:
    (found,) = evidence_of([(tally, PRIOR)])
    return found


def apart(sessions: Sequence[Run]) -> list[Run]:
    """The same with a root for each session."""
    return [(str(n), success, cost) for n, (_, success, cost) in enumerate(sessions)]


def steady(n: int, successes: int, cost: str = "1") -> list[Run]:
    return [(str(i), int(i < successes), Decimal(cost) + Decimal(i % 3) / 100) for i in range(n)]


@settings(max_examples=50)
@given(some_runs)
def test_with_a_root_for_each_session_the_error_is_the_plain_one(sessions: list[Run]) -> None:
    found = evidence(tally_of(apart(sessions)))
    n, costs, hits = len(sessions), [float(c) for _, _, c in sessions], [s for _, s, _ in sessions]
    mean, rate = sum(costs) / n, sum(hits) / n
    var_cost = sum((c - mean) ** 2 for c in costs) / (n - 1)
    var_hit = sum((h - rate) ** 2 for h in hits) / (n - 1)
    covariance = sum((c - mean) * (h - rate) for c, h in zip(costs, hits, strict=True)) / (n - 1)
    ratio = rate / mean
    plain = sqrt(max(0.0, var_hit - 2 * ratio * covariance + ratio**2 * var_cost) / n) / mean
    if found.roi_standard_error is not None:
        assert found.roi_standard_error == pytest.approx(plain, rel=1e-9, abs=1e-12)
    assert found.effective_n == n
    assert found.roi == pytest.approx(ratio)


@settings(max_examples=50)
@given(some_runs)
def test_with_shared_roots_the_error_is_that_of_the_sums_of_roots(sessions: list[Run]) -> None:
    found = evidence(tally_of(sessions))
    sums: dict[str, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
    for root, success, cost in sessions:
        sums[root] = (sums[root][0] + success, sums[root][1] + float(cost))
    total = sum(c for _, c in sums.values())
    ratio = sum(s for s, _ in sums.values()) / total
    residuals = sum((s - ratio * c) ** 2 for s, c in sums.values())
    if len(sums) > 1 and found.roi_standard_error is not None:
        assert found.roi_standard_error == pytest.approx(
            sqrt(residuals * len(sums) / (len(sums) - 1)) / total, rel=1e-6, abs=1e-9
        )


def test_sessions_of_one_root_count_as_if_they_said_the_same() -> None:
    alone = steady(40, 30)
    paired = [(str(int(root) // 2), success, cost) for root, success, cost in alone]
    found = evidence(tally_of(paired))
    assert (found.effective_n, found.success_rate) == (20.0, 0.75)
    assert found.wilson == wilson(15, 20, Z)
    assert (found.posterior.alpha, found.posterior.beta) == (25.0, 15.0)
    assert found.reasons == ("20 independent resolved sessions are fewer than 30",)
    assert evidence(tally_of(alone)).decision_grade


@pytest.mark.parametrize(
    ("tally", "status"),
    [
        (Tally(), "NO_SESSIONS"),
        (Tally(sessions=3, pending=3), "NO_DECIDED_TASKS"),
        (Tally(sessions=2, resolved=2, successes=1, root_squares=2), "COST_UNKNOWN"),
        (tally_of([("a", 1, Decimal(0)), ("b", 0, Decimal(0))]), "ZERO_COST"),
        (tally_of([("a", 1, Decimal(1))]), "INSUFFICIENT_SAMPLE"),
        (tally_of([("a", 1, Decimal(1)), ("a", 0, Decimal(2))]), "INSUFFICIENT_SAMPLE"),
        (tally_of(steady(40, 30), resolved=41, root_squares=41), "PARTIAL"),
        (tally_of(steady(40, 30)), "OK"),
    ],
)
def test_every_null_has_its_status(tally: Tally, status: str) -> None:
    found = evidence(tally)
    assert found.status == status
    assert (found.roi is None) == (status in ("NO_SESSIONS", "NO_DECIDED_TASKS", "COST_UNKNOWN", "ZERO_COST"))
    assert (found.roi_interval is None) == (status not in ("OK", "PARTIAL"))
    assert found.decision_grade == (status == "OK")


def test_nothing_known_is_the_prior_and_half_of_everything() -> None:
    (found,) = evidence_of([(Tally(), prior_of(0, 0, 20, "all models"))])
    assert (found.posterior.alpha, found.posterior.beta, found.posterior.mean) == (10.0, 10.0, 0.5)
    assert found.prior.source == "all models pooled with a half, strength 20"


@pytest.mark.parametrize(("successes", "rate"), [(0, 0.5 / 11), (10, 10.5 / 11), (4, 0.4)])
def test_a_pool_in_which_all_or_none_succeed_is_no_certainty(successes: int, rate: float) -> None:
    prior = prior_of(10, successes, 20, "all")
    assert prior.rate == rate
    assert prior.alpha > 0
    assert prior.beta > 0


@pytest.mark.parametrize("successes", [0, 40])
def test_where_none_or_all_succeed_the_interval_still_has_a_length(successes: int) -> None:
    found = evidence(tally_of(steady(40, successes)))
    assert found.roi_method == "WILSON_OVER_COST"
    assert found.roi_standard_error is None
    assert found.roi_interval is not None
    assert found.roi_interval.high - found.roi_interval.low > 0.05
    assert found.roi in (0.0, pytest.approx(40 / float(found.tally.cost_usd)))
    assert found.roi in found.roi_interval  # type: ignore[operator]  # not None, as the line above says


def test_a_cost_that_cannot_be_told_from_0_gives_no_interval() -> None:
    found = evidence(tally_of([("a", 1, Decimal("0.01")), ("b", 0, Decimal("9.99"))]))
    assert found.cost_interval is not None
    assert (found.cost_interval.low, found.roi_interval, found.status) == (0.0, None, "INSUFFICIENT_SAMPLE")


def test_one_session_that_is_a_fifth_of_the_cost_is_told() -> None:
    sessions = steady(30, 20)
    assert not evidence(tally_of(sessions)).heavy_tail
    assert evidence(tally_of([*sessions, ("x", 1, Decimal(9))])).heavy_tail
    assert not evidence(tally_of(steady(4, 2))).heavy_tail


def test_many_pending_tasks_are_no_ground_for_a_decision() -> None:
    found = evidence(tally_of(steady(40, 30), sessions=60, pending=20))
    assert found.pending_share == pytest.approx(1 / 3)
    assert found.reasons == ("more than 30% of the tasks are pending",)


def test_net_value_is_what_a_session_brings() -> None:
    found = evidence(tally_of([("a", 1, Decimal("0.5")), ("b", 0, Decimal("0.1"))]))
    assert found.net_value_usd(Decimal(2)) == Decimal("0.7")
    assert found.net_value_usd(Decimal(2), failure_penalty=Decimal(1)) == Decimal("0.2")
    assert evidence(Tally()).net_value_usd(Decimal(2)) is None


def group(n: int, successes: int, cost: str) -> Evidence:
    return evidence(tally_of([(str(i), int(i < successes), Decimal(cost)) for i in range(n)]))


def test_break_even_is_the_extra_cost_of_an_extra_success() -> None:
    found = break_even(group(400, 340, "0.5"), group(400, 280, "0.2"))
    assert (found.status, found.value_usd) == ("OK", Decimal(2))
    assert found.lowest_usd is not None
    assert found.highest_usd is not None
    assert found.lowest_usd < 2 < found.highest_usd
    turned = break_even(group(400, 280, "0.2"), group(400, 340, "0.5"))
    assert turned == found


@pytest.mark.parametrize(
    ("one", "other", "status"),
    [
        ((40, 30, "0.1"), (40, 20, "0.2"), "DOMINATES"),
        ((40, 20, "0.2"), (40, 30, "0.1"), "DOMINATED"),
        ((40, 20, "0.2"), (80, 40, "0.2"), "SAME"),
        ((40, 20, "0.1"), (40, 20, "0.2"), "DOMINATES"),
        ((40, 21, "0.3"), (40, 20, "0.2"), "UNBOUNDED"),
    ],
)
def test_without_a_trade_there_is_no_break_even(
    one: tuple[int, int, str], other: tuple[int, int, str], status: str
) -> None:
    found = break_even(group(*one), group(*other))
    assert found.status == status
    assert (found.value_usd is None) == (status != "UNBOUNDED")


def test_what_is_not_known_cannot_be_told_apart() -> None:
    known, unknown = group(40, 30, "0.1"), evidence(Tally())
    assert break_even(known, unknown).status == "UNKNOWN"
    assert difference(known, unknown) is None
    assert may_succeed_alike(known, unknown)
    assert may_return_alike(known, unknown)


def test_a_clear_difference_is_told() -> None:
    good, bad = evidence(tally_of(steady(200, 180))), evidence(tally_of(steady(200, 60)))
    assert not may_succeed_alike(good, bad)
    assert not may_return_alike(good, bad)
    assert may_return_alike(good, evidence(tally_of(steady(200, 176))))
