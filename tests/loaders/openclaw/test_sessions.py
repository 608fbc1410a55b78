"""sessions.json: identity, cause, parent and end of sessions, and never their spend."""

import json

import pytest

from loaders.item import Item, Location, Parsed, Rejected
from loaders.openclaw.keys import Directory
from loaders.openclaw.sessions import StoreEntry, evidence, read_store
from store import Session
from tests.loaders.openclaw.conftest import NOW, OTHER, SESSION, Json, at, ms, reasons, requests, sessions

CHILD = "agent:main:subagent:5d0c9a1e-1111-4222-8333-444455556666"
UPDATED = ms("2026-03-10T11:00:00Z")


def items(store: Json, agent: str = "main") -> list[Item]:
    entries = list(read_store(json.dumps(store).encode(), "sessions.json", agent, NOW))
    directory = Directory(entry for entry in entries if isinstance(entry, StoreEntry))
    return [entry if isinstance(entry, Rejected) else evidence(entry, directory, NOW) for entry in entries]


def session(key: str, **entry: object) -> Session:
    (found,) = sessions(items({key: {"sessionId": SESSION, "updatedAt": UPDATED, **entry}}))
    return found


def test_an_entry_is_one_item_with_everything_it_says() -> None:
    store: Json = {
        "agent:main:main": {"sessionId": SESSION, "updatedAt": UPDATED, "chatType": "direct", "status": "running"},
        CHILD: {
            "sessionId": OTHER,
            "updatedAt": UPDATED,
            "spawnedBy": "agent:main:main",
            "spawnDepth": 1,
            "model": "claude-demo-4",
            "status": "timeout",
            "startedAt": ms("2026-03-10T10:00:00Z"),
            "endedAt": ms("2026-03-10T10:01:35Z"),
        },
    }
    assert items(store)[1] == Parsed(
        Location("sessions.json", 2),
        (
            Session(
                session_id=OTHER,
                source="openclaw",
                observed_at=at("2026-03-10T11:00:00Z"),
                agent="main",
                parent_session_id=SESSION,
                trigger="subagent",
                trigger_rule="session key: subagent",
                trigger_confidence=90,
                model="claude-demo-4",
                started_at=at("2026-03-10T10:00:00Z"),
                ended_at=at("2026-03-10T10:01:35Z"),
                termination="timeout",
                termination_rule="session store: timeout",
                termination_confidence=60,
            ),
        ),
    )


def test_the_token_and_cost_fields_are_never_spend() -> None:
    found = items(
        {"agent:main:main": {"sessionId": SESSION, "inputTokens": 40, "outputTokens": 310, "estimatedCostUsd": 72.5}}
    )
    assert requests(found) == []
    assert len(sessions(found)) == 1


def test_the_two_keys_of_a_cron_run_are_two_items_about_one_session() -> None:
    rolling, run = "agent:main:cron:job-nightly", f"agent:main:cron:job-nightly:run:{SESSION}"
    found = items({key: {"sessionId": SESSION, "updatedAt": UPDATED} for key in (rolling, run)})
    assert len(found) == 2
    assert [(s.session_id, s.trigger, s.trigger_confidence) for s in sessions(found)] == [(SESSION, "cron", 90)] * 2


@pytest.mark.parametrize(
    ("key", "entry", "trigger", "rule", "confidence"),
    [
        ("agent:main:cron:j", {"spawnedBy": "agent:main:main"}, "cron", "session key: cron", 90),
        ("agent:main:main", {"spawnedBy": "agent:ops:main"}, "subagent", "spawnedBy", 80),
        ("agent:main:main", {"spawnDepth": 1}, "subagent", "spawnDepth", 80),
        ("agent:main:main", {"spawnDepth": 0}, "human", "session key: main", 30),
        ("agent:main:helper", {"parentSessionKey": "agent:main:main"}, "subagent", "parentSessionKey", 80),
        ("agent:main:dashboard:1", {"parentSessionKey": "agent:main:main"}, "human", "session key: dashboard", 30),
        ("agent:main:slack:channel:1:thread:2", {"parentSessionKey": "x"}, "human", "session key: channel", 30),
        ("agent:main:home", {"chatType": "direct"}, "human", "chat type: direct", 30),
        ("agent:main:home", {}, "unknown", "no clue", 0),
        (
            "agent:main:main:heartbeat",
            {"heartbeatIsolatedBaseSessionKey": "agent:main:main"},
            "heartbeat",
            "session key: heartbeat",
            90,
        ),
    ],
)
def test_the_key_decides_before_the_parent_and_the_parent_before_the_place(
    key: str, entry: Json, trigger: str, rule: str, confidence: int
) -> None:
    found = session(key, **entry)
    assert (found.trigger, found.trigger_rule, found.trigger_confidence) == (trigger, rule, confidence)


@pytest.mark.parametrize(
    ("status", "termination"),
    [("done", "success"), ("failed", "error"), ("killed", "aborted"), ("timeout", "timeout"), ("running", None)],
)
def test_the_status_of_the_last_run_is_how_the_session_ended(status: str, termination: str | None) -> None:
    found = session("agent:main:main", status=status, endedAt=UPDATED)
    assert (found.termination, found.termination_confidence) == (termination, 60 if termination else 0)
    assert (found.ended_at is None) == (termination is None)


def test_a_status_that_is_new_or_missing_says_nothing_about_the_end() -> None:
    assert session("agent:main:main", status="paused").termination is None
    assert session("agent:main:main").termination is None


def test_a_session_running_for_a_day_without_an_update_is_lost() -> None:
    stale = session("agent:main:main", status="running", updatedAt=ms("2026-03-09T11:59:59Z"))
    assert (stale.termination, stale.termination_confidence, stale.ended_at) == ("lost", 60, None)
    fresh = session("agent:main:main", status="running", updatedAt=ms("2026-03-09T12:00:00Z"))
    assert (fresh.termination, fresh.is_running, stale.is_running) == (None, True, False)
    assert not session("agent:main:main").is_running


def test_the_end_of_an_earlier_run_is_not_the_end_of_this_one() -> None:
    found = session("agent:main:main", status="done", startedAt=UPDATED, endedAt=UPDATED - 1)
    assert (found.started_at, found.ended_at) == (at("2026-03-10T11:00:00Z"), None)


def test_the_start_of_the_session_wins_over_the_start_of_its_last_run() -> None:
    found = session("agent:main:main", sessionStartedAt=UPDATED - 60_000, startedAt=UPDATED)
    assert found.started_at == at("2026-03-10T10:59:00Z")


def test_a_parent_is_found_in_the_store_of_another_agent() -> None:
    stores = {
        "ops": {"agent:ops:main": {"sessionId": "boss", "updatedAt": UPDATED}},
        "main": {CHILD: {"sessionId": OTHER, "updatedAt": UPDATED, "spawnedBy": "agent:ops:main"}},
    }
    entries = [
        entry
        for agent, store in stores.items()
        for entry in read_store(json.dumps(store).encode(), "s", agent, NOW)
        if isinstance(entry, StoreEntry)
    ]
    (found,) = sessions([evidence(entries[1], Directory(entries), NOW)])
    assert found.parent_session_id == "ops/boss"


def test_a_parent_that_no_store_knows_is_unknown() -> None:
    assert session(CHILD, spawnedBy="agent:gone:main").parent_session_id is None


def test_a_parent_that_was_reset_after_the_child_began_is_unknown() -> None:
    store: Json = {
        "agent:main:main": {"sessionId": SESSION, "sessionStartedAt": UPDATED},
        CHILD: {"sessionId": OTHER, "startedAt": UPDATED - 1, "spawnedBy": "agent:main:main"},
    }
    assert [found.parent_session_id for found in sessions(items(store))] == [None, None]


def test_the_exact_parent_session_wins_over_its_key() -> None:
    store: Json = {
        "agent:main:main": {"sessionId": SESSION},
        CHILD: {"sessionId": OTHER, "spawnedBy": "agent:main:main", "parentSessionId": OTHER[:-1] + "9"},
    }
    assert sessions(items(store))[1].parent_session_id == OTHER[:-1] + "9"


def test_no_session_is_its_own_parent() -> None:
    assert session("agent:main:main", spawnedBy="agent:main:main").parent_session_id is None


def test_earlier_sessions_of_a_key_share_its_cause() -> None:
    family = {"sessionId": SESSION, "usageFamilySessionIds": [SESSION, OTHER, "old"]}
    found = sessions(items({"agent:main:cron:j": family}))
    assert [(s.session_id, s.trigger, s.termination) for s in found] == [
        (SESSION, "cron", None),
        (OTHER, "cron", None),
        ("main/old", "cron", None),
    ]


def test_an_unset_update_time_is_unknown() -> None:
    assert session("agent:main:main", updatedAt=0).observed_at is None


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (None, "must be a JSON object like {...}, got null"),
        ("x", 'must be a JSON object like {...}, got "x"'),
        ({}, "sessionId is missing"),
        ({"sessionId": 5}, "sessionId must be a text, got 5"),
        (
            {"sessionId": SESSION, "updatedAt": "soon"},
            'updatedAt must be a time like 2026-03-04T09:00:00.120Z, got "soon"',
        ),
        ({"sessionId": SESSION, "spawnDepth": "deep"}, 'spawnDepth must be a whole number from 0 on, got "deep"'),
    ],
)
def test_an_entry_that_cannot_be_read_is_rejected_and_its_neighbours_are_not(entry: object, reason: str) -> None:
    found = items({"agent:main:main": entry, CHILD: {"sessionId": OTHER}})
    assert reasons(found) == [reason]
    assert [item.location for item in found] == [Location("sessions.json", 1), Location("sessions.json", 2)]
    assert len(sessions(found)) == 1


def test_a_rejected_entry_is_shown_with_its_key() -> None:
    (rejected,) = items({"agent:main:main": {"sessionId": 5}})
    assert isinstance(rejected, Rejected)
    assert rejected.raw == '{"agent:main:main": {"sessionId": 5}}'


@pytest.mark.parametrize("document", [b"", b"[]", b'{"agent:main:main": {"sess', b'{"a": NaN}'])
def test_a_file_that_is_no_store_is_one_rejection(document: bytes) -> None:
    (rejected,) = read_store(document, "sessions.json", "main", NOW)
    assert isinstance(rejected, Rejected)
    assert rejected.location == Location("sessions.json")
