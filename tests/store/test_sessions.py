"""What a session cost, on which model, how it ended and what came of it."""

from typing import Any

import pytest

from store import Outcome, Store
from store.records import Termination
from tests.store.conftest import Load, at, call, run, table, usd


def fact(store: Store, session_id: str = "s1") -> dict[str, Any]:
    (row,) = table(store, f"FROM session_facts WHERE session_id = '{session_id}'")
    return row


def outcome(kind: str, is_success: bool | None = None, **fields: Any) -> Outcome:
    return Outcome(
        **{"outcome_id": kind, "source": "test", "session_id": "s1", "kind": kind, "is_success": is_success, **fields}
    )


def test_a_session_without_requests_cost_nothing_and_has_the_model_it_asked_for(load: Load, store: Store) -> None:
    load(run("s1", model="opus"))
    row = fact(store)
    assert (row["cost_usd"], row["cost_completeness"], row["model"]) == (usd("0"), "NO_REQUESTS", "opus")
    assert (row["requests"], row["unpriced_requests"], row["known_cost_usd"]) == (0, 0, usd("0"))


def test_the_model_of_a_session_is_the_one_with_most_of_its_cost(load: Load, store: Store) -> None:
    load(
        run("s1"),
        call("r1", "3", session_id="s1", provider="anthropic", model="opus"),
        call("r2", "3", session_id="s1", provider="bedrock", model="opus"),
        call("r3", "4", session_id="s1", provider="openai", model="gpt"),
    )
    row = fact(store)
    assert (row["model"], row["provider"], row["mixed_models"]) == ("opus", "anthropic", True)
    assert row["cost_usd"] == usd("10")


def test_of_models_that_cost_the_same_the_one_with_more_tokens_counts_then_the_first_by_name(
    load: Load, store: Store
) -> None:
    load(
        run("s1"),
        run("s2"),
        call("r1", "1", session_id="s1", model="a"),
        call("r2", "1", session_id="s1", model="b", output_tokens=9),
        call("r3", "1", session_id="s2", model="a"),
        call("r4", "1", session_id="s2", model="b"),
    )
    assert (fact(store, "s1")["model"], fact(store, "s2")["model"]) == ("b", "a")


def test_a_request_without_a_model_does_not_hide_the_model_of_the_others(load: Load, store: Store) -> None:
    load(run("s1"), call("r1", "9", session_id="s1"), call("r2", "1", session_id="s1", model="opus"))
    row = fact(store)
    assert (row["model"], row["mixed_models"]) == ("opus", False)


def test_one_model_of_two_providers_is_not_mixed(load: Load, store: Store) -> None:
    load(
        run("s1"),
        call("r1", "1", session_id="s1", model="opus", provider="anthropic"),
        call("r2", "2", session_id="s1", model="opus", provider="bedrock"),
    )
    row = fact(store)
    assert (row["model"], row["provider"], row["mixed_models"]) == ("opus", "bedrock", False)


def test_a_total_of_a_session_counts_only_where_its_parts_are_unknown(load: Load, store: Store) -> None:
    load(
        run("s1"),
        run("s2"),
        call("total 1", "5", "REPORTED", session_id="s1", scope="session"),
        call("part 1", "2", session_id="s1"),
        call("total 2", "7", "REPORTED", session_id="s2", scope="session"),
    )
    assert (fact(store, "s1")["cost_usd"], fact(store, "s1")["requests"]) == (usd("2"), 1)
    assert (fact(store, "s2")["cost_usd"], fact(store, "s2")["requests"]) == (usd("7"), 0)
    assert store.read("SELECT request_key, request_count FROM request_facts ORDER BY ALL").rows == [
        ("part 1", 1),
        ("total 2", 0),
    ]


def test_a_total_that_nobody_could_price_makes_the_cost_unknown(load: Load, store: Store) -> None:
    load(run("s1"), call("total", None, session_id="s1", scope="session"))
    row = fact(store)
    assert (row["cost_usd"], row["cost_completeness"], row["requests"], row["unpriced_requests"]) == (
        None,
        "UNPRICED",
        0,
        1,
    )


@pytest.mark.parametrize(
    ("termination", "outcomes", "expected"),
    [
        (None, [], ("pending", None, "pending")),
        (None, [("PR_MERGED", True)], ("pending", "PR_MERGED", "pending")),
        ("success", [], ("idle", None, "none")),
        ("unknown", [], ("idle", None, "none")),
        ("success", [("IDLE_EXIT", None)], ("idle", "IDLE_EXIT", "none")),
        ("success", [("PR_OPENED", None)], ("productive", "PR_OPENED", "pending")),
        ("success", [("PR_OPENED", None), ("PR_MERGED", True)], ("productive", "PR_MERGED", "success")),
        ("success", [("PR_CLOSED", False)], ("failed", "PR_CLOSED", "failure")),
        ("success", [("RUN", False), ("PR_OPENED", None)], ("productive", "PR_OPENED", "failure")),
        ("success", [("UNKNOWN", None)], ("pending", "UNKNOWN", "pending")),
        ("error", [("UNKNOWN", None)], ("failed", "UNKNOWN", "failure")),
        ("error", [("PR_MERGED", True)], ("productive", "PR_MERGED", "success")),
        ("error", [], ("failed", None, "failure")),
        ("timeout", [("IDLE_EXIT", None)], ("failed", "IDLE_EXIT", "failure")),
        ("aborted", [], ("failed", None, "failure")),
        ("lost", [], ("failed", None, "failure")),
    ],
)
def test_a_session_is_classed_by_its_end_and_its_outcomes(
    load: Load,
    store: Store,
    termination: Termination | None,
    outcomes: list[tuple[str, bool | None]],
    expected: tuple[str, str | None, str],
) -> None:
    judged = (run("s2"), outcome("PR_MERGED", True, outcome_id="o2", session_id="s2"))
    load(run("s1", termination=termination), *(outcome(kind, is_success) for kind, is_success in outcomes), *judged)
    row = fact(store)
    assert (row["class"], row["outcome"], row["task_result"]) == expected


def test_of_outcomes_that_say_the_same_the_latest_decides(load: Load, store: Store) -> None:
    load(
        run("s1", termination="success"),
        outcome("PR_OPENED", occurred_at=at("2026-02-20T09:00Z")),
        outcome("ISSUE_OPENED", occurred_at=at("2026-02-20T10:00Z")),
    )
    assert fact(store)["outcome"] == "ISSUE_OPENED"


def test_a_session_with_a_parent_is_no_root_and_one_without_a_trigger_says_so(load: Load, store: Store) -> None:
    load(run("s0"), run("s1", parent_session_id="s0"), run("s2", trigger="cron"))
    assert (fact(store, "s1")["is_root"], fact(store, "s1")["trigger"]) == (False, "unknown")
    assert (fact(store, "s2")["is_root"], fact(store, "s2")["trigger"]) == (True, "cron")


def test_a_request_that_names_no_agent_is_spend_of_the_agent_of_its_session(load: Load, store: Store) -> None:
    load(run("s1", agent="amadeus"), call("r1", session_id="s1"), call("r2", session_id="s1", agent="xavier"))
    assert store.read("SELECT request_key, agent FROM request_facts ORDER BY ALL").rows == [
        ("r1", "amadeus"),
        ("r2", "xavier"),
    ]


def test_outcomes_and_requests_do_not_multiply_each_other(load: Load, store: Store) -> None:
    load(
        run("s1", termination="success"),
        *(call(f"r{n}", "1", session_id="s1", model=f"m{n}") for n in range(3)),
        *(outcome(kind) for kind in ("PR_OPENED", "ISSUE_OPENED")),
    )
    row = fact(store)
    assert (row["requests"], row["cost_usd"]) == (3, usd("3"))
