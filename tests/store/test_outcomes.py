"""What comes of tasks: windows, reversals, the passing of time, and any past instant."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from store import Outcome, OutcomeRule, RecordError, Score, Session, Store, StoreError
from tests.store.conftest import Load, at
from tests.store.test_facts import assert_current

WEEK = timedelta(days=7)
RULES = (
    OutcomeRule(kind="PR_OPENED", is_awaiting=True, window=WEEK),
    OutcomeRule(kind="PR_MERGED", is_success=True, window=WEEK),
    OutcomeRule(kind="PR_REVERTED", is_success=False, window=WEEK, reverses=("PR_MERGED",), within=timedelta(days=14)),
    OutcomeRule(kind="IDLE_EXIT", is_idle=True),
)


def day(number: int) -> datetime:
    return at(f"2026-02-{number:02}T00:00:00Z")


def ended(session_id: str, on: int | None = 1, **fields: object) -> Session:
    end = {} if on is None else {"ended_at": day(on), "termination": "success"}
    return Session(**{"session_id": session_id, "source": "test", "started_at": day(1), **end, **fields})  # type: ignore[arg-type]


def told(session_id: str, kind: str, on: int | None, **fields: object) -> Outcome:
    return Outcome(
        **{"outcome_id": f"{session_id}:{kind}", "source": "test", "session_id": session_id, "kind": kind,
           "occurred_at": None if on is None else day(on), **fields}
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture
def ruled(store: Store) -> Store:
    store.set_outcome_rules(RULES)
    return store


def results(store: Store, on: int) -> dict[str, str]:
    rows = store.read(
        "SELECT session_id, result FROM task_results_at($at::TIMESTAMP)", {"at": day(on).replace(tzinfo=None)}
    ).rows
    return {str(session): str(result) for session, result in rows}


def written(store: Store) -> dict[str, str]:
    return {str(s): str(r) for s, r in store.read("SELECT session_id, task_result FROM session_facts").rows}


def test_an_opened_pull_request_is_pending_until_its_window_closes_and_has_failed_then(
    load: Load, ruled: Store
) -> None:
    load(ended("s"), told("s", "PR_OPENED", 1), now=day(2))
    assert [results(ruled, on)["s"] for on in (1, 7, 8)] == ["pending", "pending", "failure"]
    version = ruled.data_version()
    ruled.advance(day(7))
    assert (written(ruled), ruled.data_version()) == ({"s": "pending"}, version)
    ruled.advance(day(8))
    assert (written(ruled), ruled.data_version()) == ({"s": "failure"}, version + 1)
    ruled.advance(day(9))
    assert ruled.data_version() == version + 1
    assert_current(ruled)


def test_a_merge_at_the_last_instant_of_the_window_counts_and_a_later_one_does_not(load: Load, ruled: Store) -> None:
    load(
        ended("intime"), told("intime", "PR_MERGED", 8), ended("late"),
        told("late", "PR_MERGED", None, occurred_at=day(8) + timedelta(microseconds=1)), now=day(20),
    )  # fmt: skip
    assert written(ruled) == {"intime": "success", "late": "failure"}
    assert ruled.read("SELECT DISTINCT class FROM session_facts").rows == [("productive",)]


@pytest.mark.parametrize(
    "reverted",
    [
        [told("s", "PR_MERGED", 3), told("s", "PR_REVERTED", 10)],
        [told("s", "PR_REVERTED", 10, undone_success_at=day(3))],
    ],
    ids=["beside the merge", "in its place"],
)
def test_a_revert_turns_the_success_off_from_its_instant_on(load: Load, ruled: Store, reverted: list[Outcome]) -> None:
    load(ended("s"), *reverted, now=day(5))
    assert [results(ruled, on)["s"] for on in (2, 3, 9, 10)] == ["pending", "success", "success", "failure"]
    assert written(ruled) == {"s": "success"}
    ruled.advance(day(10))
    assert written(ruled) == {"s": "failure"}
    assert_current(ruled)


@pytest.mark.parametrize("shape", [0, 1])
def test_a_revert_that_comes_too_late_changes_nothing(load: Load, ruled: Store, shape: int) -> None:
    apart = [told("s", "PR_MERGED", 3), told("s", "PR_REVERTED", 18)]
    load(ended("s"), *([told("s", "PR_REVERTED", 18, undone_success_at=day(3))] if shape else apart), now=day(20))
    assert (written(ruled), results(ruled, 19)) == ({"s": "success"}, {"s": "success"})


def test_a_running_session_is_pending_whatever_came_of_it(load: Load, ruled: Store) -> None:
    load(ended("s", None), told("s", "PR_MERGED", 1), now=day(3))
    assert (written(ruled), results(ruled, 3)) == ({"s": "pending"}, {"s": "running"})


def test_a_session_that_had_not_started_is_not_there_and_one_that_had_not_ended_was_running(
    load: Load, ruled: Store
) -> None:
    load(ended("s", 5, started_at=day(3)), told("s", "PR_MERGED", 5), now=day(9))
    assert [results(ruled, on) for on in (2, 4, 5)] == [{}, {"s": "running"}, {"s": "success"}]


def test_an_outcome_without_an_instant_counts_as_of_the_end_and_one_before_the_start_counts(
    load: Load, ruled: Store
) -> None:
    load(
        ended("undated"), told("undated", "PR_MERGED", None),
        ended("early", 5, started_at=day(4)), told("early", "PR_MERGED", 2), now=day(20),
    )  # fmt: skip
    assert written(ruled) == {"early": "success", "undated": "success"}
    rows = ruled.read("SELECT session_id, us_to_success FROM task_results_at(TIMESTAMP '2026-02-20') ORDER BY 1").rows
    assert rows == [("early", 0), ("undated", 0)]
    assert ruled.read("SELECT outcome_id FROM outcome_facts WHERE is_before_start").rows == [("early:PR_MERGED",)]


def test_a_kind_without_a_rule_is_as_its_source_says_at_any_time(load: Load, ruled: Store) -> None:
    load(
        ended("good"), told("good", "RUN", 28, is_success=True), ended("bad"), told("bad", "RUN", 2, is_success=False),
        ended("idle"), told("idle", "IDLE_EXIT", 1), now=day(28),
    )  # fmt: skip
    assert written(ruled) == {"good": "success", "bad": "failure", "idle": "none"}
    assert results(ruled, 20) == {"good": "pending", "bad": "failure", "idle": "none"}


def test_the_same_rules_again_are_no_new_version_and_others_change_the_facts(load: Load, ruled: Store) -> None:
    load(ended("s"), told("s", "PR_OPENED", 1), now=day(9))
    version = ruled.data_version()
    ruled.set_outcome_rules(reversed(RULES))
    assert ruled.data_version() == version
    ruled.set_outcome_rules([])
    assert (ruled.data_version(), written(ruled)) == (version + 1, {"s": "pending"})
    assert_current(ruled)


def test_a_window_of_nothing_and_two_rules_of_a_kind_are_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="the window of A must be longer than nothing"):
        OutcomeRule(kind="A", window=timedelta(0))
    with pytest.raises(StoreError, match="each kind has one rule"):
        store.set_outcome_rules([OutcomeRule(kind="A"), OutcomeRule(kind="A", is_idle=True)])


def score(value: str, scorer: str, on: int) -> Score:
    return Score(session_id="s", scorer=scorer, score=Decimal(value), observed_at=day(on), source="test")


def test_a_session_has_the_mean_of_what_each_scorer_said_last_in_any_order(load: Load, store: Store) -> None:
    load(ended("s"), score("0.9", "a", 3), score("0.5", "b", 1), score("0.1", "a", 2), now=day(4))
    load(score("0", "a", 1), now=day(5))
    load(score("1", "c", 1), now=day(6))
    assert store.read("SELECT score FROM session_facts").rows == [(Decimal("0.8"),)]
    assert_current(store)


@pytest.mark.parametrize("value", ["-0.1", "1.000000000001", "0.1234567890123", "NaN", "Infinity"])
def test_a_score_out_of_range_is_refused(value: str) -> None:
    with pytest.raises(RecordError, match="score must"):
        score(value, "a", 1)
