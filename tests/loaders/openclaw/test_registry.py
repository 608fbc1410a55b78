"""The sub-agent registry: who spawned whom, and how the child ended."""

import json

import pytest

from loaders.item import Item, Location, Parsed, Rejected
from loaders.openclaw.keys import Directory
from loaders.openclaw.registry import read_registry
from loaders.openclaw.sessions import StoreEntry, read_store
from store import Session
from tests.loaders.openclaw.conftest import NOW, OTHER, SESSION, Json, at, ms, reasons, rules, sessions

CHILD = "agent:ops:subagent:5d0c9a1e-1111-4222-8333-444455556666"
STARTED = ms("2026-03-10T10:00:00Z")
STORES: dict[str, Json] = {
    "main": {"agent:main:main": {"sessionId": SESSION}},
    "ops": {CHILD: {"sessionId": OTHER}},
}


def run(**more: object) -> Json:
    whole: Json = {
        "runId": "r-1",
        "childSessionKey": CHILD,
        "requesterSessionKey": "agent:main:main",
        "createdAt": STARTED - 5,
        "startedAt": STARTED,
        "endedAt": STARTED + 95_000,
        "outcome": {"status": "ok"},
        "endedReason": "subagent-complete",
        "model": "claude-demo-4",
        **more,
    }
    return {name: value for name, value in whole.items() if value is not None}


def items(runs: object, version: object = 2) -> list[Item]:
    entries = [
        entry
        for agent, store in STORES.items()
        for entry in read_store(json.dumps(store).encode(), "sessions.json", agent, NOW)
        if isinstance(entry, StoreEntry)
    ]
    document = json.dumps({"version": version, "runs": runs}).encode()
    return list(read_registry(document, "runs.json", Directory(entries), NOW))


def test_a_run_gives_its_child_a_parent_and_an_end() -> None:
    assert items({"r-1": run()}) == [
        Parsed(
            Location("runs.json", 1),
            (
                Session(
                    session_id=OTHER,
                    source="openclaw",
                    observed_at=at("2026-03-10T10:01:35Z"),
                    agent="ops",
                    parent_session_id=SESSION,
                    trigger="subagent",
                    trigger_rule="sub-agent registry",
                    trigger_confidence=90,
                    model="claude-demo-4",
                    started_at=at("2026-03-10T10:00:00Z"),
                    ended_at=at("2026-03-10T10:01:35Z"),
                    termination="success",
                    termination_rule="sub-agent registry",
                    termination_confidence=75,
                ),
            ),
        )
    ]


@pytest.mark.parametrize(
    ("more", "termination"),
    [
        ({"outcome": {"status": "error", "error": "boom"}, "endedReason": "subagent-error"}, "error"),
        ({"outcome": {"status": "error", "error": "it timed out"}}, "timeout"),
        ({"outcome": {"status": "timeout"}, "endedReason": "subagent-complete"}, "timeout"),
        ({"outcome": {"status": "error", "error": "killed"}, "endedReason": "subagent-killed"}, "aborted"),
        ({"outcome": None, "endedReason": "subagent-error"}, "error"),
        ({"outcome": None, "endedReason": "session-reset"}, "unknown"),
        ({"outcome": None, "endedReason": None}, "unknown"),
        ({"endedAt": None}, None),
    ],
)
def test_the_outcome_says_how_the_child_ended_unless_it_was_killed(more: Json, termination: str | None) -> None:
    (session,) = sessions(items({"r-1": run(**more)}))
    assert session.termination == termination


def test_a_child_that_no_store_knows_is_ignored() -> None:
    assert rules(items({"r-1": run(childSessionKey="agent:ops:subagent:swept")})) == [
        "sub-agent run whose session is in no store"
    ]


def test_a_requester_that_no_store_knows_leaves_the_parent_unknown() -> None:
    (session,) = sessions(items({"r-1": run(requesterSessionKey="agent:gone:main")}))
    assert session.parent_session_id is None


def test_clocks_that_disagree_give_no_run_of_negative_length() -> None:
    (session,) = sessions(items({"r-1": run(endedAt=STARTED - 1)}))
    assert session.started_at == session.ended_at


def test_a_run_that_cannot_be_read_is_rejected_and_its_neighbour_is_not() -> None:
    found = items({"r-0": 5, "r-1": run(childSessionKey=None), "r-2": run()})
    assert reasons(found) == ["must be a JSON object like {...}, got 5", "childSessionKey is missing"]
    assert len(sessions(found)) == 1


def test_a_registry_of_an_unknown_version_or_form_is_one_rejection() -> None:
    assert reasons(items({"r-1": run()}, version=3)) == ["version must be 1 or 2, got 3"]
    assert reasons(items([run()])) == [f"runs must be an object, got {json.dumps([run()])[:57]}..."]
    (rejected,) = read_registry(b"{", "runs.json", Directory([]), NOW)
    assert isinstance(rejected, Rejected)
