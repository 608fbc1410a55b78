"""What a session key says, and which session lives at it."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from loaders.openclaw.keys import Directory, SessionKey, cause_by_key, parse_key, unique_id, uuid_in
from tests.loaders.openclaw.conftest import OTHER, SESSION, at


def test_a_key_is_read_without_regard_to_case() -> None:
    assert parse_key("Agent:Main:Cron:Nightly") == SessionKey("main", "cron:nightly")
    assert str(parse_key("agent:main:main")) == "agent:main:main"


def test_a_bare_key_of_an_early_release_names_no_agent() -> None:
    assert parse_key("cron:nightly") == SessionKey(None, "cron:nightly")
    assert parse_key("main") == SessionKey(None, "main")


@pytest.mark.parametrize(
    ("key", "trigger", "confidence"),
    [
        ("agent:main:main", "human", 30),
        ("agent:main:main:thread:77", "human", 30),
        ("agent:main:direct:alice", "human", 30),
        ("agent:main:telegram:direct:42", "human", 30),
        ("agent:main:telegram:work:dm:42", "human", 30),
        ("agent:main:discord:channel:123", "human", 30),
        ("agent:main:matrix:group:!abc:topic:5", "human", 30),
        ("agent:main:slack:room:c1", "human", 30),
        ("agent:main:dashboard:5d0c9a1e-1111-4222-8333-444455556666", "human", 30),
        ("agent:main:incognito-5d0c", "human", 30),
        ("global", "human", 30),
        ("agent:main:cron:job-nightly", "cron", 90),
        ("agent:main:cron:job-nightly:run:c0000000-0000-4000-8000-000000000001", "cron", 90),
        ("cron:job-nightly", "cron", 90),
        ("agent:main:cron:subagent:run:x", "cron", 90),
        ("agent:main:subagent:5d0c9a1e-1111-4222-8333-444455556666", "subagent", 90),
        ("agent:main:subagent:5d0c9a1e:subagent:6e1d", "subagent", 90),
        ("agent:main:main:subagent:6e1d", "subagent", 90),
        ("agent:main:subagent:workboard-sprint-7", "subagent", 90),
        ("agent:main:acp:5d0c9a1e", "subagent", 90),
        ("agent:main:hook:5d0c9a1e", "webhook", 90),
        ("hook:gmail:msg-1", "webhook", 90),
        ("agent:main:openai:5d0c9a1e", "api", 90),
        ("agent:main:openai-user:alice", "api", 90),
        ("agent:main:openresponses:5d0c9a1e", "api", 90),
        ("agent:main:explicit:model-run-5d0c9a1e", "api", 90),
        ("agent:main:main:heartbeat", "human", 30),
        (f"agent:main:{SESSION}", "unknown", 0),
        ("unknown", "unknown", 0),
        ("node-kitchen", "unknown", 0),
        ("", "unknown", 0),
    ],
)
def test_the_class_of_a_key_tells_the_trigger(key: str, trigger: str, confidence: int) -> None:
    cause = cause_by_key(parse_key(key))
    assert (cause.trigger, cause.confidence) == (trigger, confidence)


def test_a_heartbeat_key_is_one_only_where_the_entry_says_so() -> None:
    cause = cause_by_key(parse_key("agent:main:main:heartbeat"), is_isolated_heartbeat=True)
    assert (cause.trigger, cause.rule, cause.confidence) == ("heartbeat", "session key: heartbeat", 90)


def test_a_chat_type_stands_in_for_a_key_of_a_configured_name() -> None:
    cause = cause_by_key(parse_key("agent:main:home"), "group")
    assert (cause.trigger, cause.rule, cause.confidence) == ("human", "chat type: group", 30)


def test_a_uuid_is_unique_by_itself_and_any_other_id_only_with_its_agent() -> None:
    assert unique_id(SESSION.upper(), "main") == SESSION
    assert unique_id("nightly", "main") == "main/nightly"
    assert unique_id("nightly", "ops") == "ops/nightly"


def test_the_uuid_that_ends_a_file_name_is_the_session() -> None:
    assert uuid_in(f"2026-02-11T08-15-30-044Z_{SESSION}") == SESSION
    assert uuid_in(f"agent_main_subagent_{OTHER}.{SESSION}") == SESSION
    assert uuid_in("nightly") is None
    assert uuid_in(f"probe-anthropic-{SESSION}") is None


@dataclass(frozen=True)
class Lives:
    key: SessionKey
    session_id: str
    agent: str = "main"
    updated_at: datetime | None = None
    session_started_at: datetime | None = None


def test_the_entry_touched_last_says_who_lives_at_a_key() -> None:
    key = parse_key("agent:main:main")
    late = Lives(key, "late", updated_at=at("2026-03-02T00:00:00Z"))
    early = Lives(key, "early", updated_at=at("2026-03-01T00:00:00Z"))
    undated = Lives(key, "undated")
    for entries in ([late, early, undated], [undated, early, late]):
        assert Directory(entries).session_at("agent:main:MAIN", "main") == "late"


def test_a_bare_key_is_looked_up_with_the_agent_of_the_store_that_used_it() -> None:
    directory = Directory([Lives(parse_key("main"), "of-main"), Lives(parse_key("main"), "of-ops", agent="ops")])
    assert directory.session_at("main", "ops") == "of-ops"
    assert directory.session_at("agent:main:main", "ops") == "of-main"
    assert directory.session_at("cron:nightly", "ops") is None


def test_a_session_that_began_after_the_child_is_not_its_parent() -> None:
    directory = Directory(
        [Lives(parse_key("agent:main:main"), "after-reset", session_started_at=at("2026-03-02T00:00:00Z"))]
    )
    assert directory.session_at("agent:main:main", "main", at("2026-03-01T23:59:59Z")) is None
    assert directory.session_at("agent:main:main", "main", at("2026-03-02T00:00:00Z")) == "after-reset"
