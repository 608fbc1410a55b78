"""The lines of one transcript, and what the whole of it says about its session."""

from datetime import timedelta
from pathlib import Path

import pytest

from loaders.item import Ignored, Location, Parsed, Rejected
from store import Session
from tests.loaders.openclaw.conftest import (
    ANSWERED,
    OTHER,
    SESSION,
    Json,
    answer,
    at,
    header,
    prompt_error,
    reasons,
    requests,
    rules,
    sessions,
    transcript_items,
    user,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / f"{SESSION}.jsonl"


def test_every_line_is_one_item(file: Path) -> None:
    items = transcript_items(file, header(), user(), "{broken", answer(), {"type": "label", "targetId": "x"})
    assert {item.location.line: type(item) for item in items} == {
        1: Parsed,
        2: Ignored,
        3: Rejected,
        4: Parsed,
        5: Ignored,
    }


def test_the_header_carries_what_the_whole_file_says_about_the_session(file: Path) -> None:
    items = transcript_items(file, header(), user(provenance={"kind": "external_user"}), answer())
    assert items[-1] == Parsed(
        Location(file.name, 1),
        (
            Session(
                session_id=SESSION,
                source="openclaw",
                observed_at=at("2026-03-04T09:00:05Z"),
                agent="main",
                trigger="human",
                trigger_rule="provenance: external_user",
                trigger_confidence=50,
                model="claude-demo-4",
                started_at=at("2026-03-04T09:00:00Z"),
                ended_at=at("2026-03-04T09:00:05Z"),
                termination="success",
                termination_rule="transcript: stop",
                termination_confidence=40,
            ),
        ),
    )


def test_a_malformed_line_in_the_middle_loses_nothing_but_itself(file: Path) -> None:
    items = transcript_items(file, header(), answer("a1"), '{"type":"message","mess', answer("a2"))
    assert len(requests(items)) == 2
    (rejected,) = [item for item in items if isinstance(item, Rejected)]
    assert rejected.location == Location(file.name, 3)
    assert rejected.raw == '{"type":"message","mess'


def test_all_branches_of_the_tree_are_summed(file: Path) -> None:
    retried = [answer(name) | {"parentId": "a0000001"} for name in ("b1", "b2", "b3")]
    items = transcript_items(file, header(), user(), *retried)
    assert sum(call.output_tokens or 0 for call in requests(items)) == 3 * 85


def test_messages_that_copy_text_sent_by_other_means_are_no_calls(file: Path) -> None:
    mirror = answer(provider="openclaw", model="delivery-mirror", api="openai-responses")
    injected = answer(provider="openclaw", model="gateway-injected", api="openai-responses")
    items = transcript_items(file, header(), mirror, injected)
    assert requests(items) == []
    assert rules(items) == ["synthetic message", "synthetic message"]


def test_a_copied_message_at_the_end_does_not_hide_how_the_session_ended(file: Path) -> None:
    mirror = answer(provider="openclaw", model="delivery-mirror", timestamp="2026-03-04T09:00:08Z")
    (session,) = sessions(transcript_items(file, header(), answer(stopReason="error"), mirror))
    assert session.termination == "error"
    assert session.ended_at == at("2026-03-04T09:00:08Z")


def test_what_says_nothing_about_usage_is_ignored_by_a_named_rule(file: Path) -> None:
    quiet: list[Json] = [
        user(),
        {"type": "message", "message": {"role": "toolResult", "toolName": "exec", "content": []}},
        {"type": "message", "message": {"role": "bashExecution", "command": "ls"}},
        {"type": "message", "message": {"role": "observer"}},
        {"type": "model_change", "provider": "anthropic", "modelId": "claude-demo-4"},
        {"type": "compaction", "summary": "(text)", "tokensBefore": 151200},
        {"type": "custom", "customType": "model-snapshot", "data": {"modelId": "claude-demo-4"}},
        {"type": "leaf_pointer", "targetId": "x"},
    ]
    assert rules(transcript_items(file, header(), *quiet)) == [
        "user message",
        "tool result",
        "shell command",
        "unknown role",
        "model change",
        "compaction: the usage of its model call is not recorded",
        "state marker",
        "unknown entry type",
    ]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("[]", "must be a JSON object like {...}, got []"),
        ("{}", "type is missing; an entry has one, such as message"),
        ('{"type": 5}', "type must be a text, got 5"),
        ('{"type": "message"}', "message.role is missing; it is user, assistant or toolResult"),
        ('{"type": "message", "message": "hi"}', 'message must be an object, got "hi"'),
        ('{"type": "message", "message": {"role": "assistant", "usage": {"input": NaN}}}', "is not JSON: NaN is no"),
        ('{"type": "message", "message": {"role": "assistant"}}', "timestamp is missing, on the entry and on its"),
    ],
)
def test_what_should_have_said_something_is_rejected_with_the_reason(file: Path, entry: str, reason: str) -> None:
    (found,) = reasons(transcript_items(file, header(), entry))
    assert found.startswith(reason)


@pytest.mark.parametrize("version", [4, 0, "3", True, {"a": 1}])
def test_a_transcript_of_an_unknown_version_is_rejected_line_by_line(file: Path, version: object) -> None:
    items = transcript_items(file, header(version=version), user(), answer())
    assert [item.location.line for item in items] == [1, 2, 3]
    assert len(reasons(items)) == 3
    assert all("versions 1 to 3 are known" in reason for reason in reasons(items))


@pytest.mark.parametrize("version", [1, 2, 3, None])
def test_the_known_versions_are_read_and_no_version_is_the_first(file: Path, version: object) -> None:
    assert len(requests(transcript_items(file, header(version=version), answer()))) == 1


def test_a_file_without_a_header_still_counts_under_the_name_of_the_file(file: Path) -> None:
    items = transcript_items(file, user(), answer())
    assert [item.location.line for item in items] == [2, 1]
    assert [call.session_id for call in requests(items)] == [SESSION]
    (session,) = sessions(items)
    assert (session.session_id, session.started_at) == (SESSION, at("2026-03-04T09:00:01Z"))


def test_a_broken_first_line_is_judged_on_its_own_and_the_rest_still_counts(file: Path) -> None:
    items = transcript_items(file, '{"type":"sess', answer())
    assert len(reasons(items)) == 1
    assert len(requests(items)) == len(sessions(items)) == 1


def test_a_header_with_a_broken_time_is_rejected_and_the_rest_still_counts(file: Path) -> None:
    items = transcript_items(file, header(timestamp="yesterday"), answer())
    assert [reason.partition(",")[0] for reason in reasons(items)] == [
        "timestamp must be a time like 2026-03-04T09:00:00.120Z"
    ]
    assert len(requests(items)) == len(sessions(items)) == 1


def test_a_second_header_is_ignored(file: Path) -> None:
    items = transcript_items(file, header(), answer(), header(session=OTHER))
    assert rules(items) == ["a second header"]
    assert {session.session_id for session in sessions(items)} == {SESSION}


def test_a_header_alone_is_a_session_without_requests_that_ended_somehow(file: Path) -> None:
    (session,) = sessions(transcript_items(file, header()))
    assert (session.termination, session.termination_rule) == ("unknown", "transcript: no answer")
    assert session.termination_confidence < 40
    assert session.started_at == session.ended_at == at("2026-03-04T09:00:00Z")


def test_the_id_in_the_header_wins_over_the_name_of_the_file(file: Path) -> None:
    items = transcript_items(file, header(session=OTHER.upper()), answer())
    assert {call.session_id for call in requests(items)} == {OTHER}


def test_an_id_that_is_no_uuid_is_unique_only_with_its_agent(file: Path) -> None:
    items = transcript_items(file, header(session="Nightly.1"), answer())
    assert {call.session_id for call in requests(items)} == {"main/Nightly.1"}


def test_a_very_old_transcript_has_entries_without_ids_and_a_header_with_a_model(file: Path) -> None:
    old = header(version=None, provider="anthropic", modelId="claude-demo-1", branchedFrom=None)
    nameless = {name: value for name, value in answer().items() if name not in ("id", "parentId")}
    assert len(requests(transcript_items(file, old, nameless))) == 1


def test_copies_in_a_fork_have_the_key_of_the_original_and_the_start_of_the_fork(tmp_path: Path) -> None:
    calls = [answer("a1"), answer("a2", timestamp="2026-03-04T09:01:00Z", responseId="resp_demo_2")]
    original = requests(transcript_items(tmp_path / "a", header(), *calls))
    fork = header(session=OTHER, timestamp="2026-03-04T10:00:00Z", parentSession=SESSION)
    copies = requests(transcript_items(tmp_path / "b", fork, *calls, answer("a3", timestamp="2026-03-04T10:00:09Z")))
    assert [call.request_key for call in copies][:2] == [call.request_key for call in original]
    assert len({call.request_key for call in copies}) == 3
    assert {call.session_id for call in copies} == {OTHER}
    assert {call.owner_started_at for call in original} == {at("2026-03-04T09:00:00Z")}
    assert {call.owner_started_at for call in copies} == {at("2026-03-04T10:00:00Z")}


def test_copied_history_tells_nothing_about_how_the_fork_began_or_ended(file: Path) -> None:
    fork = header(timestamp="2026-03-04T10:00:00Z", parentSession=OTHER)
    copied = [user("Read HEARTBEAT.md if it exists"), answer(stopReason="error"), prompt_error("boom")]
    items = transcript_items(file, fork, *copied)
    (session,) = sessions(items)
    assert (session.trigger, session.termination, session.model) == ("unknown", "unknown", None)
    assert session.started_at == session.ended_at == at("2026-03-04T10:00:00Z")
    assert "prompt error in copied history" in rules(items)


def test_the_own_turns_of_a_fork_say_how_it_began_and_ended(file: Path) -> None:
    fork = header(timestamp="2026-03-04T10:00:00Z", parentSession=OTHER)
    own = [
        user(timestamp="2026-03-04T10:00:01Z", provenance={"kind": "external_user"}),
        answer("b1", "2026-03-04T10:00:05Z"),
    ]
    (session,) = sessions(transcript_items(file, fork, user("[cron:job] x"), answer(stopReason="error"), *own))
    assert (session.trigger, session.termination) == ("human", "success")


@pytest.mark.parametrize(
    ("message", "termination"),
    [
        ({"stopReason": "stop"}, "success"),
        ({"stopReason": "toolUse"}, "success"),
        ({"stopReason": "length"}, "success"),
        ({"stopReason": "error", "errorMessage": "529 overloaded"}, "error"),
        ({"stopReason": "error", "errorMessage": "LLM request timed out."}, "timeout"),
        ({"stopReason": "error", "errorMessage": {"code": 529}}, "error"),
        ({"stopReason": "aborted"}, "aborted"),
        ({"stopReason": None}, "unknown"),
        ({"stopReason": "refusal"}, "unknown"),
    ],
)
def test_the_last_answer_says_how_a_session_ended(file: Path, message: Json, termination: str) -> None:
    (session,) = sessions(transcript_items(file, header(), answer("a1"), answer("a2", ANSWERED, **message)))
    assert session.termination == termination


@pytest.mark.parametrize(
    ("error", "termination"),
    [("401 bad key", "error"), ("cron: job execution timed out", "timeout"), ("aborted", "aborted")],
)
def test_a_prompt_error_makes_a_failed_session_without_any_answer(file: Path, error: str, termination: str) -> None:
    items = transcript_items(file, header(), prompt_error(error))
    assert all(isinstance(item, Parsed) for item in items)
    assert requests(items) == []
    failed, whole = sessions(items)
    assert (failed.session_id, failed.observed_at) == (SESSION, at("2026-03-04T09:00:09Z"))
    assert (whole.session_id, whole.termination, whole.model) == (SESSION, termination, "claude-demo-4")
    assert whole.termination_rule == "transcript: prompt error"


def test_an_answer_after_a_prompt_error_ends_the_session_well(file: Path) -> None:
    recovered = sessions(transcript_items(file, header(), prompt_error("boom"), answer()))
    assert [session.termination for session in recovered] == [None, "success"]


def test_a_live_transcript_written_to_within_half_an_hour_is_still_running(file: Path) -> None:
    last = at("2026-03-04T09:00:05Z")
    (young,) = sessions(transcript_items(file, header(), answer(), now=last + timedelta(minutes=29)))
    assert (young.termination, young.termination_rule, young.ended_at) == (None, None, None)
    assert young.is_running
    (quiet,) = sessions(transcript_items(file, header(), answer(), now=last + timedelta(minutes=30)))
    assert (quiet.termination, quiet.ended_at, quiet.is_running) == ("success", last, False)


def test_an_archived_transcript_has_ended_however_young_it_is(file: Path) -> None:
    (session,) = sessions(transcript_items(file, header(), answer(), now=at("2026-03-04T09:00:06Z"), is_archive=True))
    assert (session.termination, session.ended_at) == ("success", at("2026-03-04T09:00:05Z"))


@pytest.mark.parametrize(
    ("prompt", "trigger"),
    [
        ("Read HEARTBEAT.md if it exists (workspace context). Follow it strictly.", "heartbeat"),
        ("[Thu 2026-03-05 16:29 GMT+8] Read HEARTBEAT.md if it exists", "heartbeat"),
        ([{"type": "text", "text": "[OpenClaw heartbeat poll]"}], "heartbeat"),
        ("Look around. If nothing needs attention, reply HEARTBEAT_OK.", "heartbeat"),
        ("[cron:job-nightly nightly digest] Write the digest", "cron"),
        ("[Mon 2026-04-13 10:15 GMT+8] [Subagent Context] You are a helper (depth 1/1).", "subagent"),
    ],
)
def test_the_first_prompt_tells_what_openclaw_started_by_itself(file: Path, prompt: object, trigger: str) -> None:
    human = {"kind": "external_user"}
    (session,) = sessions(transcript_items(file, header(), user(prompt), user(provenance=human), answer()))
    assert (session.trigger, session.trigger_rule, session.trigger_confidence) == (
        trigger,
        f"prompt text: {trigger}",
        60,
    )


@pytest.mark.parametrize(
    ("kind", "trigger", "confidence"),
    [("external_user", "human", 50), ("inter_session", "subagent", 50), ("internal_system", "unknown", 50)],
)
def test_the_provenance_of_the_first_message_tells_who_wrote_it(
    file: Path, kind: str, trigger: str, confidence: int
) -> None:
    (session,) = sessions(transcript_items(file, header(), user(provenance={"kind": kind})))
    assert (session.trigger, session.trigger_confidence) == (trigger, confidence)


def test_without_a_clue_the_trigger_is_unknown(file: Path) -> None:
    for first in (user(), user(content=[{"type": "image"}]), user(content=None), user(provenance={"kind": "new"})):
        (session,) = sessions(transcript_items(file, header(), first))
        assert (session.trigger, session.trigger_rule, session.trigger_confidence) == ("unknown", "no clue", 0)


def test_a_session_without_answers_keeps_the_model_that_was_asked_for(file: Path) -> None:
    change: Json = {"type": "model_change", "timestamp": "2026-03-04T09:00:00Z", "modelId": "claude-demo-4"}
    (session,) = sessions(transcript_items(file, header(), change))
    assert session.model == "claude-demo-4"


def test_half_a_character_in_a_chat_text_hurts_nothing_and_in_a_model_name_is_rejected(file: Path) -> None:
    items = transcript_items(
        file, header(), answer(content=[{"type": "text", "text": "\ud83d"}]), answer(model="\ud83d")
    )
    assert len(requests(items)) == 1
    assert reasons(items) == ["model holds half of a surrogate pair, which is not text"]


def test_an_empty_file_has_no_items(file: Path) -> None:
    assert transcript_items(file) == []
