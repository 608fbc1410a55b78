"""Where nobody has said what came of a source's sessions, nothing is called idle."""

from store import Outcome, Store
from tests.store.conftest import Load, at, run


def ended(session_id: str, source: str, termination: str = "success") -> object:
    return run(
        session_id,
        source=source,
        started_at=at("2026-02-20T10:00:00Z"),
        ended_at=at("2026-02-20T11:00:00Z"),
        termination=termination,
        termination_confidence=50,
    )


def classes(store: Store) -> list[tuple[object, ...]]:
    return store.read("SELECT session_id, class, is_idle, task_result FROM session_facts ORDER BY 1").rows


def test_without_outcomes_a_session_that_ended_is_neither_idle_nor_a_failed_task(load: Load, store: Store) -> None:
    load(ended("a", "openclaw"), ended("b", "openclaw", "timeout"))  # type: ignore[arg-type]
    assert classes(store) == [("a", "unknown", None, "pending"), ("b", "failed", None, "pending")]


def test_one_outcome_of_a_source_judges_its_other_sessions_and_no_other_source(load: Load, store: Store) -> None:
    load(ended("a", "openclaw"), ended("b", "openclaw"), ended("c", "runs"))  # type: ignore[arg-type]
    load(Outcome(outcome_id="o", source="test", session_id="a", kind="PR_MERGED", is_success=True))
    assert classes(store) == [
        ("a", "productive", 0, "success"),
        ("b", "idle", 1, "none"),
        ("c", "unknown", None, "pending"),
    ]
