"""A home half-way through its move from files into a database: every call counts once, no stale word is believed."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loaders.item import Item
from tests.loaders.openclaw.conftest import (
    NOW,
    OTHER,
    SESSION,
    Home,
    Json,
    answer,
    encoded,
    header,
    ms,
    rules,
    sessions,
    stored_calls,
    stored_sessions,
    user,
)
from tests.loaders.openclaw.databases import AgentDatabase, StateDatabase

MOVED, FORKED, DELETED = SESSION, OTHER, "d0000000-0000-4000-8000-000000000004"
UNMOVED, CRON, OPS = (f"{letter}0000000-0000-4000-8000-00000000000a" for letter in "9ca")
STAMP = "2026-03-05T08-15-30.044Z"
BEFORE, AFTER = ms("2026-03-04T09:30:00Z"), ms("2026-03-06T09:00:00Z")
SQUEEZE = zstandard.ZstdCompressor().compress
STALE = "stale sessions.json: the database has this session, as new or newer"


def moved_lines() -> list[Json | str]:
    return [header(), user(), answer("a1"), answer("a2", "2026-03-04T09:00:07Z", responseId="resp-2")]


@pytest.fixture
def halfway(home: Home) -> Iterator[Home]:
    """Everything at once. The comments say where each of the eight calls lies."""
    # Moved: in the database (a1, a2, and a3 since), in the import archive twice, in a checkpoint and a backup.
    home.write(
        f"agents/main/session-sqlite-import-archive/agent_main_main.{MOVED}.jsonl.imported-1", encoded(*moved_lines())
    )
    home.transcript(*moved_lines(), name=f"session-sqlite-import-archive/{MOVED}.jsonl")
    home.transcript(*moved_lines(), name=f"{MOVED}.checkpoint.5d0c9a1e-1111-4222-8333-444455556666.jsonl")
    home.transcript(*moved_lines(), name=f"{MOVED}.jsonl.bak.{STAMP}")
    # Still live as a file beside the database, which has its first lines only: a4 is in the file alone.
    home.transcript(header(UNMOVED), answer("a4"), name=f"{UNMOVED}.jsonl")
    # Deleted: an archive in the database, and the file that the gateway exported of it (a5).
    lines = encoded(header(DELETED), answer("a5"))
    home.write(f"agents/main/sessions/{DELETED}.jsonl.deleted.{STAMP}.zst", SQUEEZE(lines))
    # A cron session: its transcript is an archive (a6), its run is in the renamed log and in the ledger.
    home.write(
        f"agents/main/sessions/{CRON}.jsonl.deleted.{STAMP}.9f3a2c.zst", SQUEEZE(encoded(header(CRON), answer("a6")))
    )
    key = f"agent:main:cron:job-nightly:run:{CRON}"
    run: Json = {"action": "finished", "status": "ok", "sessionKey": key, "ts": ms("2026-03-04T09:01:00Z")}
    home.cron_log(run, name="job-nightly.jsonl.migrated")
    # Another agent that was not moved yet (a7).
    home.transcript(header(OPS), answer("a7"), agent="ops", name=f"{OPS}.jsonl")
    home.store({"agent:ops:main": {"sessionId": OPS, "status": "done", "updatedAt": AFTER}}, agent="ops")
    home.store(
        {
            "agent:main:main": {"sessionId": MOVED, "status": "running", "updatedAt": BEFORE},
            "agent:main:cron:job-nightly": {"sessionId": CRON, "status": "running", "updatedAt": BEFORE},
            key: {"sessionId": CRON, "status": "running", "updatedAt": BEFORE},
            "agent:main:telegram:direct:7": {"sessionId": DELETED, "status": "done", "updatedAt": BEFORE},
        }
    )
    with closing(AgentDatabase(home, 17)) as database, closing(StateDatabase(home, 9)) as state:
        database.events(*moved_lines(), answer("a3", "2026-03-06T09:00:00Z"), session=MOVED)
        database.events(header(UNMOVED), session=UNMOVED)
        database.session("agent:main:main", {"sessionId": MOVED, "status": "failed", "updatedAt": AFTER})
        database.archive(SQUEEZE(lines), session=DELETED, encoding="zstd")
        # A fork: two copied calls and one of its own (a8).
        copied = moved_lines()[1:]
        database.events(header(FORKED, "2026-03-05T09:00:00Z", parentSession=MOVED), *copied, session=FORKED)
        database.events(answer("a8", "2026-03-05T09:00:09Z"), session=FORKED, first=10)
        database.session(
            "agent:main:main:thread:9",
            {"sessionId": FORKED, "updatedAt": AFTER, "forkedFromParent": True},
            fork_source_session_id=MOVED,
            created_at=ms("2026-03-05T09:00:00Z"),
        )
        for seq in range(3):
            database.add("session_transcript_active_events", session_id=MOVED, seq=seq)
        task = {"task_id": "t-1", "runtime": "cron", "source_id": "job-nightly", "child_session_key": key}
        state.add("task_runs", status="succeeded", ended_at=ms("2026-03-04T09:01:00Z"), **task)
        state.add("agent_databases", agent_id="main", path="agents/main/agent/openclaw-agent.sqlite")
        yield home


EXPECTED = sorted([(MOVED, 255, 3), (UNMOVED, 85, 1), (DELETED, 85, 1), (CRON, 85, 1), (OPS, 85, 1), (FORKED, 85, 1)])


def test_every_call_counts_once_and_belongs_to_the_session_that_made_it(halfway: Home) -> None:
    assert stored_calls(halfway.items()) == EXPECTED


def test_a_stale_store_ends_no_session_and_starts_none_anew(halfway: Home) -> None:
    stored = stored_sessions(halfway.items(), "trigger, termination, termination_rule, is_running")
    assert stored == {
        MOVED: ("human", "error", "session store: failed", False),
        UNMOVED: ("unknown", "success", "transcript: stop", False),
        DELETED: ("human", "success", "session store: done", False),
        CRON: ("cron", "success", "task ledger: ok", False),
        OPS: ("human", "success", "session store: done", False),
        FORKED: ("human", "success", "transcript: stop", False),
    }
    assert rules(halfway.items()).count(STALE) == 1


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_the_order_in_which_the_copies_are_read_does_not_matter(halfway: Home, random: object) -> None:
    items: list[Item] = halfway.items()
    random.shuffle(items)  # type: ignore[attr-defined]
    assert stored_calls(items) == EXPECTED


def test_a_home_that_is_read_before_and_after_its_move_counts_each_call_once(home: Home) -> None:
    home.transcript(*moved_lines())
    before = home.items()
    (home.root / f"agents/main/sessions/{SESSION}.jsonl").unlink()
    with closing(AgentDatabase(home)) as database:
        database.events(*moved_lines(), answer("a3"))
        after = home.items()
    assert stored_calls([*before, *after]) == [(SESSION, 255, 3)]


def test_a_session_at_work_in_the_database_is_not_lost_because_the_file_says_running_since_days(home: Home) -> None:
    young = (NOW - timedelta(minutes=5)).isoformat()
    home.store({"agent:main:main": {"sessionId": SESSION, "status": "running", "updatedAt": BEFORE}})
    with closing(AgentDatabase(home)) as database:
        database.events(header(), user(), answer(timestamp=young))
        # Its node is not written yet, another one is.
        database.session("agent:main:other", {"sessionId": OTHER, "updatedAt": AFTER})
        found = stored_sessions(home.items(), "termination, is_running")
    assert found[SESSION] == (None, True)


def test_a_key_that_has_another_session_in_the_database_still_tells_what_began_the_old_one(home: Home) -> None:
    home.store({"agent:main:cron:job": {"sessionId": SESSION, "status": "running", "updatedAt": BEFORE}})
    with closing(AgentDatabase(home)) as database:
        database.session("agent:main:cron:job", {"sessionId": OTHER, "updatedAt": AFTER, "status": "running"})
        found = {session.session_id: session for session in sessions(home.items())}
    assert (found[SESSION].trigger, found[SESSION].termination, found[SESSION].is_running) == ("cron", None, False)
    assert found[OTHER].termination == "lost"


def test_a_release_that_went_back_to_files_is_believed_because_its_store_is_newer(home: Home) -> None:
    with closing(AgentDatabase(home)) as database:
        database.session("agent:main:main", {"sessionId": SESSION, "updatedAt": BEFORE, "status": "done"})
        home.store({"agent:main:main": {"sessionId": SESSION, "updatedAt": AFTER, "status": "failed"}})
        found = stored_sessions(home.items(), "termination")
    assert found == {SESSION: ("error",)}


def test_a_database_without_sessions_yet_leaves_the_files_as_they_are(home: Home) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION, "updatedAt": BEFORE, "status": "done"}})
    with closing(AgentDatabase(home)):
        items = home.items()
    assert [session.termination for session in sessions(items)] == ["success"]
    assert STALE not in rules(items)


def test_nodes_win_over_the_entries_of_a_schema_that_was_left_half_way(home: Home) -> None:
    with closing(AgentDatabase(home, 14)) as database:
        database.connection.execute(
            "CREATE TABLE session_entries (session_key TEXT, session_id TEXT, entry_json TEXT, updated_at INTEGER)"
        )
        database.session("agent:main:main", {"sessionId": SESSION, "updatedAt": AFTER, "status": "done"})
        for key, session in (("agent:main:main", SESSION), ("agent:main:late", OTHER)):
            entry = {"sessionId": session, "updatedAt": AFTER + 9, "status": "failed"}
            database.add("session_entries", session_key=key, session_id=session, entry_json=entry, updated_at=AFTER)
        items = home.items()
    assert [(session.session_id, session.termination) for session in sessions(items)] == [
        (SESSION, "success"),
        (OTHER, "error"),
    ]
    assert "session entry: session_nodes has this key" in rules(items)
