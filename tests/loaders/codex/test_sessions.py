"""What rollouts say about their sessions: when they ran, who started them, how they ended."""

from datetime import timedelta

import pytest

from store import Session
from tests.loaders.codex.conftest import (
    ANSWERED,
    ASKED,
    BORN,
    FORK,
    FORK_TURN,
    FORKED,
    LATER,
    SESSION,
    TURN,
    Json,
    Write,
    answer,
    at,
    context,
    conversation,
    event,
    items,
    line,
    meta,
    sessions,
    user,
)


def started(**fields: object) -> list[Json]:
    return [meta(**fields), event("task_started", turn_id=TURN), context(), user()]


def test_a_rollout_is_a_session_from_its_first_line_to_its_last(write: Write) -> None:
    assert sessions(items(write(*conversation()))) == [
        Session(
            session_id=SESSION,
            source="codex",
            observed_at=at(ANSWERED),
            agent="codex",
            trigger="human",
            trigger_rule="session source: cli",
            trigger_confidence=30,
            model="gpt-demo",
            started_at=at(BORN),
            ended_at=at(ANSWERED),
            termination="success",
            termination_rule="transcript: turn complete",
            termination_confidence=40,
        )
    ]


def test_a_rollout_younger_than_half_an_hour_is_still_running(write: Write) -> None:
    path = write(*conversation())
    (young,) = sessions(items(path, now=at(ANSWERED) + timedelta(minutes=29)))
    (old,) = sessions(items(path, now=at(ANSWERED) + timedelta(minutes=30)))
    assert (young.is_running, young.ended_at, young.termination) == (True, None, None)
    assert (old.is_running, old.ended_at, old.termination) == (False, at(ANSWERED), "success")


def test_what_was_archived_is_over(write: Write) -> None:
    path = write(*conversation(), name=f"archived_sessions/rollout-2026-03-04T10-00-00-{SESSION}.jsonl")
    (session,) = sessions(items(path.parents[1], now=at(ANSWERED) + timedelta(minutes=1)))
    assert (session.termination, session.ended_at) == ("success", at(ANSWERED))


@pytest.mark.parametrize(
    ("entries", "termination", "rule"),
    [
        ([], "unknown", "transcript: turn without an end"),
        ([answer()], "unknown", "transcript: turn without an end"),
        ([answer(), event("task_complete", ANSWERED)], "success", "transcript: turn complete"),
        ([answer(), event("turn_complete", ANSWERED)], "success", "transcript: turn complete"),
        ([event("turn_aborted", ANSWERED, reason="interrupted")], "aborted", "transcript: turn aborted, interrupted"),
        ([event("error", ANSWERED), event("task_complete", ANSWERED)], "error", "transcript: error"),
        (
            [event("error"), event("task_complete"), event("task_started"), answer(), event("task_complete")],
            "success",
            "transcript: turn complete",
        ),
        ([event("task_complete"), event("task_started")], "unknown", "transcript: turn without an end"),
    ],
    ids=["no answer", "cut off", "complete", "complete, renamed", "aborted", "failed", "failed, then not", "gone on"],
)
def test_the_end_is_that_of_the_last_turn(write: Write, entries: list[Json], termination: str, rule: str) -> None:
    (session,) = sessions(items(write(*started(), *entries)))
    assert (session.termination, session.termination_rule) == (termination, rule)


def test_before_ends_of_turns_were_written_an_answer_is_the_end(write: Write) -> None:
    (session,) = sessions(items(write(meta(), context(), user(), answer())))
    assert (session.termination, session.termination_rule) == ("success", "transcript: answer")


@pytest.mark.parametrize(
    ("fields", "trigger", "rule", "confidence"),
    [
        ({"source": "cli"}, "human", "session source: cli", 30),
        ({"source": "vscode", "originator": "Codex Desktop"}, "human", "session source: vscode", 30),
        ({"source": "vscode", "originator": "openclaw"}, "api", "originator: openclaw", 30),
        ({"source": "exec"}, "api", "session source: exec", 30),
        ({"source": "appServer"}, "api", "session source: appserver", 30),
        ({"source": {"subagent": "review"}}, "subagent", "session source: subagent", 80),
        ({"source": {"subAgent": {"other": "guardian"}}}, "subagent", "session source: subagent", 80),
        ({"source": {"internal": "memory_consolidation"}}, "unknown", "no clue", 0),
        ({"source": None}, "unknown", "no clue", 0),
    ],
)
def test_who_started_it_is_told_by_its_first_line(
    write: Write, fields: Json, trigger: str, rule: str, confidence: int
) -> None:
    (session,) = sessions(items(write(*started(**fields), answer())))
    assert (session.trigger, session.trigger_rule, session.trigger_confidence) == (trigger, rule, confidence)


@pytest.mark.parametrize(
    "prompt",
    [
        user("[cron:nightly] clean up"),
        event("item_completed", item={"type": "UserMessage", "content": [{"type": "text", "text": "[cron:x] go"}]}),
        line("response_item", {"type": "message", "role": "user", "content": [{"text": "[cron:x] go"}]}),
    ],
    ids=["event", "item", "message"],
)
def test_the_first_prompt_knows_better(write: Write, prompt: Json) -> None:
    surroundings = line(
        "response_item", {"type": "message", "role": "user", "content": [{"text": "<environment_context>"}]}
    )
    (session,) = sessions(items(write(meta(source="exec"), surroundings, prompt, answer(), user("Read HEARTBEAT.md"))))
    assert (session.trigger, session.trigger_rule) == ("cron", "prompt text: cron")


@pytest.mark.parametrize(
    ("fields", "parent"),
    [
        ({"source": {"subagent": {"thread_spawn": {"parent_thread_id": SESSION.upper()}}}}, SESSION),
        ({"source": {"subagent": "review"}, "parent_thread_id": SESSION}, SESSION),
        ({"source": {"subagent": "review"}, "forked_from_id": SESSION}, SESSION),
        ({"source": {"subagent": "review"}}, None),
        ({"source": "cli", "forked_from_id": SESSION}, None),
        ({"source": {"subagent": {"thread_spawn": {"parent_thread_id": FORK}}}}, None),
    ],
    ids=["spawned", "named", "forked", "unnamed", "a person's fork", "itself"],
)
def test_a_sub_agent_has_a_parent(write: Write, fields: Json, parent: str | None) -> None:
    own = [event("task_started", LATER, turn_id=FORK_TURN), user("go", LATER), answer(LATER)]
    (session,) = sessions(items(write(meta(FORK, FORKED, **fields), *own, session=FORK)))
    assert session.parent_session_id == parent


def test_opening_and_closing_it_is_no_session(write: Write) -> None:
    assert sessions(items(write(meta(), event("shutdown_complete")))) == []


def test_a_rollout_without_its_first_line_is_named_by_its_file(write: Write) -> None:
    (session,) = sessions(items(write(context(), user(), answer())))
    assert (session.session_id, session.started_at) == (SESSION, at(ASKED))


def test_a_model_may_be_named_among_the_settings(write: Write) -> None:
    settings = {"collaboration_mode": {"mode": "plan", "settings": {"model": "gpt-demo"}}}
    (session,) = sessions(items(write(meta(), line("turn_context", settings), user(), answer())))
    assert session.model == "gpt-demo"
