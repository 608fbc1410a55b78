"""Admission, thresholds and the straight line; thresholds against a replay that keeps only what is armed."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.admission import admit
from finance.budgets import Rule
from finance.standings import projected_breach_at, projected_usd, standing_of, state_of
from finance.thresholds import Episode, look
from finance.windows import window_of

NOON = datetime(2026, 2, 20, 12, tzinfo=UTC)
DAY = window_of(NOON, "day", "UTC")


def rule(limit: str = "5", **fields: Any) -> Rule:
    return Rule(budget_id="b", limit_usd=Decimal(limit), **{"blocks": True, **fields})


@pytest.mark.parametrize(
    ("committed", "trigger", "most", "allowed", "reason"),
    [
        ("4.20", "cron", "0.80", True, "WITHIN_LIMIT"),
        ("4.20", "cron", "0.800000000001", False, "WOULD_EXCEED"),
        ("5", "cron", "0", False, "LIMIT_REACHED"),
        ("5", "human", "0.20", True, "EXEMPT"),
        ("4.9", "human", "0.20", True, "EXEMPT"),
        ("1", "human", "0.20", True, "WITHIN_LIMIT"),
        ("1", "cron", None, False, "UNPRICED_POLICY"),
        ("1", "api", None, True, "UNPRICED_POLICY"),
        ("5", "api", None, False, "LIMIT_REACHED"),
        ("5", "human", None, True, "EXEMPT"),
    ],
)
def test_a_request_fits_or_not_for_a_reason(
    committed: str, trigger: str, most: str | None, allowed: bool, reason: str
) -> None:
    limits = rule(exempt_triggers=frozenset({"human"}), unpriced_denied=frozenset({"cron"}))
    verdict = admit(limits, Decimal(committed), trigger=trigger, max_usd=None if most is None else Decimal(most))
    assert (verdict.is_allowed, verdict.reason) == (allowed, reason)


def test_an_exempt_trigger_is_not_stopped_by_a_policy_for_unknown_cost() -> None:
    both = rule(exempt_triggers=frozenset({"human"}), unpriced_denied=frozenset({"human"}))
    assert admit(both, Decimal(0), trigger="human", max_usd=None).reason == "EXEMPT"


def test_a_budget_of_nothing_is_open_from_the_start_and_stops_whatever_is_not_exempt() -> None:
    assert state_of(Decimal(0), Decimal(0)) == "OPEN"
    assert admit(rule("0"), Decimal(0), trigger="cron", max_usd=Decimal(0)).reason == "LIMIT_REACHED"
    assert look(rule("0"), Decimal(0), None).told == ()
    assert look(rule("0"), Decimal("0.01"), None).told == (Decimal("0.5"), Decimal("0.8"), Decimal(1))


def test_a_budget_that_only_tells_stops_nothing() -> None:
    assert admit(rule(blocks=False), Decimal(100), trigger="cron", max_usd=Decimal(1)).reason == "NO_LIMIT"


def test_a_lowered_limit_tells_at_once() -> None:
    before = look(rule("10"), Decimal(4), None).episode
    assert look(rule("4"), Decimal(4), before).told == (Decimal("0.5"), Decimal("0.8"), Decimal(1))


def test_a_raised_limit_arms_what_it_leaves_behind_and_tells_it_again() -> None:
    before = look(rule("5"), Decimal("5.5"), None).episode
    raised = look(rule("8"), Decimal("5.5"), before)
    assert (raised.rearmed, raised.told, raised.has_closed) == ((Decimal("0.8"), Decimal(1)), (), True)
    assert look(rule("8"), Decimal("6.5"), raised.episode).told == (Decimal("0.8"),)


def test_a_correction_that_closes_nothing_arms_nothing() -> None:
    before = look(rule(), Decimal("4.5"), None).episode
    corrected = look(rule(), Decimal("2"), before)
    assert corrected.rearmed == ()
    assert look(rule(), Decimal("4.5"), corrected.episode).told == ()


def test_a_correction_that_closes_the_breaker_lets_it_be_told_again() -> None:
    before = look(rule(), Decimal("5"), None).episode
    corrected = look(rule(), Decimal("4.5"), before)
    assert (corrected.has_closed, corrected.rearmed) == (True, (Decimal(1),))
    assert look(rule(), Decimal("5"), corrected.episode).told == (Decimal(1),)


def test_the_straight_line() -> None:
    assert projected_usd(DAY, NOON, Decimal(3)) == 6
    assert projected_breach_at(DAY, NOON, Decimal(5), Decimal(3)) == datetime(2026, 2, 20, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "limit", "spent", "projected", "breach"),
    [
        (DAY.starts_at, "5", "3", None, None),  # nothing has passed
        (DAY.ends_at, "5", "3", "3", None),  # over
        (NOON, "6", "3", "6", None),  # reached as the window ends: not within it
        (NOON, "5", "5", "10", None),  # reached already
        (NOON, "5", "0", "0", None),
        (NOON, "5", "-1", "-2", None),  # a credit
        (NOON, "0", "0", "0", None),
    ],
)
def test_where_no_line_reaches_the_limit(
    now: datetime, limit: str, spent: str, projected: str | None, breach: None
) -> None:
    standing = standing_of(
        rule(limit), None, DAY, now, spent_usd=Decimal(spent), unpriced_requests=0, held_usd=Decimal(0)
    )
    assert standing.projected_usd == (None if projected is None else Decimal(projected))
    assert standing.projected_breach_at is breach


CENTS = st.integers(0, 1_200)
MOVES = st.lists(st.tuples(st.sampled_from(("spend", "limit")), CENTS), max_size=25)
SHARES = st.sets(st.sampled_from(("0.25", "0.5", "0.8", "1", "1.5")), max_size=4)


def replayed(shares: set[Decimal], moves: list[tuple[str, int]]) -> list[list[Decimal]]:
    """What is told after each move: `armed` shrinks by what is reached and grows by what a raised limit leaves."""
    limit, spent = Decimal(5), Decimal(0)
    armed, told = set(shares), []
    for what, cents in moves:
        amount = Decimal(cents) / 100
        if what == "limit":
            armed |= {share for share in shares if amount > limit and spent < share * amount}
            limit = amount
        else:
            spent += amount
        now = {share for share in armed if spent > 0 and spent >= share * limit}
        armed -= now
        told.append(sorted(now))
    return told


@settings(max_examples=150, deadline=None)
@given(shares=SHARES, moves=MOVES)
def test_thresholds_are_told_as_a_replay_tells_them(shares: set[str], moves: list[tuple[str, int]]) -> None:
    given_shares = {Decimal(share) for share in shares}
    limit, spent, episode = Decimal(5), Decimal(0), None
    told = []
    for what, cents in moves:
        amount = Decimal(cents) / 100
        limit, spent = (amount, spent) if what == "limit" else (limit, spent + amount)
        moved = Rule(budget_id="b", limit_usd=limit, thresholds=tuple(sorted(given_shares)))
        step = look(moved, spent, episode)
        episode = step.episode
        told.append(list(step.told))
        assert isinstance(episode, Episode)
        assert episode.is_open == (spent >= limit)
    assert told == replayed(given_shares, moves)
