"""A whole state directory of the releases that keep sessions in files."""

import gzip
from pathlib import Path

import pytest
import zstandard

from loaders.item import Ignored, LoadError, Parsed, Rejected
from loaders.openclaw import paths, read
from loaders.source import total_bytes
from tests.loaders.openclaw.conftest import (
    NOW,
    OTHER,
    SESSION,
    Home,
    answer,
    encoded,
    header,
    ms,
    reasons,
    requests,
    rules,
    sessions,
    user,
)

STAMP = "2026-02-11T08-15-30.044Z"


def test_a_home_that_is_none_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="has no agents/ folder"):
        read(tmp_path, now=NOW)


def test_an_empty_home_has_no_items(home: Home) -> None:
    assert home.items() == []


def test_live_reset_deleted_and_compressed_transcripts_all_count(home: Home) -> None:
    home.transcript(header(), answer("a1"))
    home.transcript(header(), answer("a2"), name=f"{SESSION}.jsonl.reset.{STAMP}")
    home.transcript(header(), answer("a3"), name=f"{SESSION}.jsonl.deleted.{STAMP}")
    packed = zstandard.ZstdCompressor().compress(encoded(header(), answer("a4")))
    home.write(f"agents/main/sessions/{OTHER}.jsonl.deleted.{STAMP}.zst", packed)
    home.write(f"agents/main/sessions/{OTHER}.jsonl.reset.{STAMP}.gz", gzip.compress(encoded(header(), answer("a5"))))
    assert len({call.request_key for call in requests(home.items())}) == 5


def test_checkpoints_backups_and_caches_are_not_counted_again(home: Home) -> None:
    home.transcript(header(), answer())
    for name in (
        f"{SESSION}.checkpoint.cp1.jsonl",
        f"{SESSION}.jsonl.bak.{STAMP}",
        f"{SESSION}.trajectory.jsonl",
        "sessions.json.bak.1772614800000",
        ".usage-cost-cache.json",
    ):
        home.transcript(header(), answer("elsewhere"), name=name)
    items = home.items()
    assert len(requests(items)) == 1
    assert len(rules(items)) == 5


def test_an_archive_that_is_cut_off_gives_the_calls_before_the_cut(home: Home) -> None:
    packed = gzip.compress(encoded(header(), answer("a1"), answer("a2")), mtime=0)
    home.write(f"agents/main/sessions/{SESSION}.jsonl.deleted.{STAMP}.gz", packed[:-10])
    items = home.items()
    assert len(requests(items)) >= 1
    assert ["cut off" in reason for reason in reasons(items)] == [True]
    assert len(sessions(items)) == 1


def test_a_topic_belongs_to_the_session_of_its_chat(home: Home) -> None:
    home.transcript(header(), answer("a1"), name=f"{SESSION}-topic-5.jsonl")
    home.transcript(header(session=f"{SESSION}-topic-7"), answer("a2"), name=f"{SESSION}-topic-7.jsonl")
    home.transcript(answer("a3"), name=f"{SESSION}-topic-9.jsonl")
    items = home.items()
    assert {call.session_id for call in requests(items)} == {SESSION}
    assert {session.session_id for session in sessions(items)} == {SESSION}


def test_a_copy_in_the_import_archive_has_the_key_of_the_live_call(home: Home) -> None:
    home.transcript(header(), answer())
    archive = "agents/main/session-sqlite-import-archive"
    home.write(f"{archive}/agent_main_main.{SESSION}.jsonl.imported-1788300000000", encoded(header(), answer()))
    calls = requests(home.items())
    assert len(calls) == 2
    assert len({call.request_key for call in calls}) == 1


def test_one_name_in_two_agents_is_two_sessions_unless_it_is_a_uuid(home: Home) -> None:
    for agent in ("main", "ops"):
        home.transcript(header(session="daily"), answer(agent), agent=agent, name="daily.jsonl")
    assert {call.session_id for call in requests(home.items())} == {"main/daily", "ops/daily"}


def test_the_evidence_about_a_cron_run_meets_at_one_session(home: Home) -> None:
    key = f"agent:main:cron:job-nightly:run:{SESSION}"
    entry = {"sessionId": SESSION, "updatedAt": ms("2026-03-04T09:00:06Z")}
    home.store({"agent:main:cron:job-nightly": entry, key: entry})
    home.cron_log({"ts": ms("2026-03-04T09:00:06Z"), "action": "finished", "status": "ok", "sessionKey": key})
    home.transcript(header(), user("[cron:job-nightly nightly] go"), answer())
    found = sessions(home.items())
    assert {session.session_id for session in found} == {SESSION}
    assert [(session.trigger, session.trigger_confidence) for session in found] == [
        ("cron", 90),
        ("cron", 90),
        ("cron", 90),
        ("cron", 60),
    ]


def test_a_child_finds_its_parent_in_the_store_of_another_agent(home: Home) -> None:
    child = "agent:ops:subagent:5d0c9a1e-1111-4222-8333-444455556666"
    home.store({"agent:main:main": {"sessionId": SESSION}}, agent="main")
    home.store({child: {"sessionId": OTHER, "spawnedBy": "agent:main:main"}}, agent="ops")
    home.registry({"r-1": {"childSessionKey": child, "requesterSessionKey": "agent:main:main"}})
    children = [session for session in sessions(home.items()) if session.session_id == OTHER]
    assert [session.parent_session_id for session in children] == [SESSION, SESSION]


def test_every_line_and_entry_is_one_item(home: Home) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}, "agent:main:broken": 5})
    home.cron_log({"action": "started"}, "{")
    home.registry({"r-1": {}, "r-2": {"childSessionKey": "agent:main:subagent:swept"}})
    home.transcript(header(), "", user(), answer(), "{", {"type": "new"})
    home.write("agents/main/sessions/notes.md", b"")
    home.write("cron/jobs.json", b'{"version": 1, "jobs": [{"id": "job-nightly", "name": "nightly"}]}')
    items = home.items()
    assert len(items) == 2 + 2 + 2 + 5 + 2
    kinds = [sum(isinstance(item, kind) for item in items) for kind in (Parsed, Ignored, Rejected)]
    assert kinds == [3, 6, 4]
    assert all(item.location.path.startswith(str(home.root)) for item in items)


def test_stores_and_logs_that_are_cut_off_leave_the_transcripts_readable(home: Home) -> None:
    cut_off = gzip.compress(b"{}")[:-1]
    home.write("agents/main/sessions/sessions.json", cut_off)
    home.write("agents/ops/sessions/sessions.json", b'{"agent:ops:main": {')
    home.write("subagents/runs.json", cut_off)
    home.write("cron/runs/job-nightly.jsonl", cut_off)
    home.transcript(header(), answer())
    items = home.items()
    assert len(reasons(items)) == 4
    assert len(requests(items)) == 1


def test_progress_ends_at_the_size_of_what_is_read(home: Home) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}})
    home.cron_log({"action": "started"})
    home.registry({})
    home.transcript(header(), answer())
    home.transcript(header(), answer(), name=f"{SESSION}.jsonl.bak")
    steps: list[int] = []
    assert len(list(read(home.root, now=NOW, on_bytes=steps.append))) == 5
    assert sum(steps) == total_bytes(paths(home.root)) > 0


def test_reading_twice_gives_the_same_items(home: Home) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}})
    home.transcript(header(), user(), answer())
    assert home.items() == home.items()
