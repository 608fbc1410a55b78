"""What transcripts say about their sessions: whose they are, when they ran, who started them, how they ended."""

from datetime import timedelta

import pytest

from loaders.claude_code import read
from loaders.job import run_load
from store import Session
from tests.loaders.claude_code.conftest import (
    ANSWERED,
    ASKED,
    NOW,
    OTHER,
    SESSION,
    Json,
    Write,
    answer,
    at,
    failure,
    items,
    progress,
    reasons,
    requests,
    rules,
    sessions,
    user,
)
from tests.stores import new_store

SIDE: Json = {"isSidechain": True, "agentId": "c0ffee1"}
AGENT_FILE = f"{SESSION}/subagents/agent-c0ffee1.jsonl"


def test_a_transcript_is_a_session_from_its_first_entry_to_its_last(write: Write) -> None:
    assert sessions(items(write(user(), answer()))) == [
        Session(
            session_id=SESSION,
            source="claude-code",
            observed_at=at(ANSWERED),
            agent="claude-code",
            trigger="human",
            trigger_rule="nothing says otherwise",
            trigger_confidence=10,
            model="claude-demo-4",
            started_at=at(ASKED),
            ended_at=at(ANSWERED),
            termination="success",
            termination_rule="transcript: answer",
            termination_confidence=40,
        )
    ]


def test_a_transcript_younger_than_half_an_hour_is_still_running(write: Write) -> None:
    path = write(user(), answer())
    (young,) = sessions(items(path, now=at(ANSWERED) + timedelta(minutes=29)))
    (old,) = sessions(items(path, now=at(ANSWERED) + timedelta(minutes=30)))
    assert (young.ended_at, young.termination) == (None, None)
    assert (old.ended_at, old.termination) == (at(ANSWERED), "success")


@pytest.mark.parametrize(
    ("entries", "termination", "rule"),
    [
        ([user()], "unknown", "transcript: no answer"),
        ([user(), answer(), user("thanks", "2026-03-04T09:01:00Z")], "success", "transcript: answer"),
        ([user(), failure()], "error", "transcript: API error"),
        ([user(), failure(ANSWERED), answer(timestamp="2026-03-04T09:00:20Z")], "success", "transcript: answer"),
        ([user(), {**user(), "type": "system", "subtype": "api_error"}], "error", "transcript: API error"),
        (
            [user(), answer(), user([{"type": "text", "text": "[Request interrupted by user]"}])],
            "aborted",
            "transcript: interrupted by the user",
        ),
    ],
    ids=["no answer", "answered", "failed", "failed, then answered", "retrying", "interrupted"],
)
def test_the_end_is_read_from_the_last_thing_that_happened(
    write: Write, entries: list[Json], termination: str, rule: str
) -> None:
    (session,) = sessions(items(write(*entries)))
    assert (session.termination, session.termination_rule) == (termination, rule)


@pytest.mark.parametrize(
    ("entry", "trigger", "rule", "confidence"),
    [
        (user(entrypoint="cli"), "human", "entrypoint: cli", 30),
        (user(entrypoint="sdk-cli"), "api", "entrypoint: sdk-cli", 30),
        (user("[cron:nightly] clean up", entrypoint="sdk-cli"), "cron", "prompt text: cron", 60),
        (user("Read HEARTBEAT.md if it exists"), "heartbeat", "prompt text: heartbeat", 60),
    ],
)
def test_who_started_it_is_told_by_the_prompt_or_the_door(
    write: Write, entry: Json, trigger: str, rule: str, confidence: int
) -> None:
    (session,) = sessions(items(write(entry, answer())))
    assert (session.trigger, session.trigger_rule, session.trigger_confidence) == (trigger, rule, confidence)


def test_only_the_first_prompt_tells_who_started_it(write: Write) -> None:
    path = write(user("a caveat", isMeta=True), user("<command-name>/clear</command-name>"), user(), user("[cron:x] y"))
    assert [session.trigger for session in sessions(items(path))] == ["human"]


def test_opening_and_closing_it_is_no_session(write: Write) -> None:
    hook: Json = {"type": "progress", "sessionId": SESSION, "timestamp": ASKED, "data": {"type": "hook_progress"}}
    found = items(write(hook, user("<command-name>/exit</command-name>")))
    assert (sessions(found), rules(found)) == ([], ["user message", "progress"])


def test_a_sub_agent_is_a_session_of_its_own_below_its_parent(write: Write) -> None:
    write(user(), answer())
    path = write(user() | SIDE, answer(message={"id": "msg_2"}) | SIDE, name=AGENT_FILE)
    found = items(path.parents[2])
    child = next(session for session in sessions(found) if session.parent_session_id)
    assert (child.session_id, child.parent_session_id) == (f"{SESSION}/agent-c0ffee1", SESSION)
    assert (child.trigger, child.trigger_confidence) == ("subagent", 80)
    assert {call.request_key: call.session_id for call in requests(found)} == {
        "anthropic:msg_1": SESSION,
        "anthropic:msg_2": f"{SESSION}/agent-c0ffee1",
    }


def test_progress_that_repeats_a_sub_agent_is_not_billed_again(write: Write) -> None:
    write(answer() | SIDE, name=AGENT_FILE)
    path = write(user(), progress(), progress(nested=user()))
    found = items(path.parent)
    assert len(requests(found)) == 1
    assert "progress: repeats a call that the sub-agent's own transcript has" in rules(found)
    assert "progress" in rules(found)


def test_progress_of_a_sub_agent_without_a_transcript_says_so(write: Write) -> None:
    found = items(write(user(), progress()))
    assert requests(found) == []
    assert rules(found) == ["progress: begins a call of a sub-agent whose transcript is missing"]


def test_a_sub_agent_inside_the_transcript_of_its_session_is_told_apart(write: Write) -> None:
    found = items(write(user(), answer(), user() | SIDE, answer() | SIDE))
    assert [session.session_id for session in sessions(found)] == [SESSION, f"{SESSION}/agent-c0ffee1"]


def test_an_unnamed_side_chain_belongs_to_its_session(write: Write) -> None:
    found = items(write(user(), answer(isSidechain=True)))
    assert [session.session_id for session in sessions(found)] == [SESSION]


def test_a_line_without_a_session_belongs_to_the_one_that_names_the_file(write: Write) -> None:
    path = write(answer(sessionId=None), name=f"{OTHER}.jsonl")
    assert [call.session_id for call in requests(items(path))] == [OTHER]


@pytest.mark.parametrize("copied", [{"forkedFrom": {"sessionId": SESSION}, "sessionId": OTHER}, {}])
def test_history_that_a_fork_copied_stays_with_the_session_it_came_from(write: Write, copied: Json) -> None:
    write(user(), answer())
    own = answer(timestamp="2026-03-05T09:00:00Z", sessionId=OTHER, message={"id": "msg_2"})
    fork = write(user() | copied, answer() | copied, own, name=f"{OTHER}.jsonl")
    with new_store() as store:
        run_load(store, "claude-code", "home", read(fork.parent, now=NOW), now=NOW)
        calls = store.read("SELECT request_key, session_id FROM requests ORDER BY 1").rows
        assert calls == [("anthropic:msg_1", SESSION), ("anthropic:msg_2", OTHER)]
        starts = store.read("SELECT session_id, started_at FROM sessions ORDER BY 1").rows
        assert [(name, str(start)) for name, start in starts] == [
            (SESSION, "2026-03-04 09:00:00"),
            (OTHER, "2026-03-05 09:00:00"),
        ]


def test_an_agent_id_that_is_no_text_is_rejected(write: Write) -> None:
    line = progress()
    line["data"] = {"agentId": ["c0ffee1"], "message": answer()}
    assert reasons(items(write(line))) == ['agentId must be a text, got ["c0ffee1"]']
