"""Which files of a state directory are read, and why the others are left."""

import os
from pathlib import Path

import pytest

from loaders.item import Ignored, LoadError, Rejected
from loaders.openclaw import paths
from loaders.openclaw.layout import Place, survey
from tests.loaders.openclaw.conftest import OTHER, SESSION, Home, header, reasons, rules

STAMP = "2026-02-11T08-15-30.044Z"


def place(home: Home, name: str, folder: str = "sessions") -> Place | Ignored | Rejected:
    """What becomes of the only file in agent main's folder."""
    home.write(f"agents/main/{folder}/{name}", b"")
    layout = survey(home.root)
    found: list[Place | Ignored | Rejected] = [*layout.places, *layout.left]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("name", "is_archive"),
    [
        (f"{SESSION}.jsonl", False),
        (f"{SESSION}.jsonl.reset.{STAMP}", True),
        (f"{SESSION}.jsonl.reset.2026-02-11T08-15-30Z", True),
        (f"{SESSION}.jsonl.deleted.{STAMP}", True),
        (f"{SESSION}.jsonl.deleted.1770797730044", True),
        (f"{SESSION}.jsonl.deleted.{STAMP}.zst", True),
        (f"{SESSION}.jsonl.deleted.{STAMP}.9f3a2c.zst", True),
        (f"{SESSION}.jsonl.reset.{STAMP}.gz", True),
        (f"{SESSION}.jsonl.zst", False),
        (f"{SESSION}-topic-77.jsonl", False),
        (f"{SESSION}-topic-a%2Fb.jsonl.reset.{STAMP}", True),
        (f"2026-02-11T08-15-30-044Z_{SESSION}.jsonl", False),
    ],
)
def test_a_transcript_is_read_under_each_of_its_names(home: Home, name: str, is_archive: bool) -> None:
    found = place(home, name)
    assert isinstance(found, Place)
    assert (found.kind, found.agent, found.session, found.is_archive) == ("transcript", "main", SESSION, is_archive)


def test_a_custom_session_id_is_the_name_of_its_file(home: Home) -> None:
    found = place(home, "nightly.report-1-topic-5.jsonl")
    assert isinstance(found, Place)
    assert found.session == "nightly.report-1"


@pytest.mark.parametrize("folder", ["session-sqlite-import-archive", "sessions/session-sqlite-import-archive"])
@pytest.mark.parametrize(
    "name",
    [
        f"{SESSION}.jsonl",
        f"agent_main_main.{SESSION}.jsonl.imported-1788300000000",
        f"agent_main_subagent_{OTHER}.{SESSION}.jsonl.imported-1788300000000.2",
    ],
)
def test_copies_kept_by_a_migration_are_read_where_no_database_has_them(home: Home, folder: str, name: str) -> None:
    found = place(home, name, folder)
    assert isinstance(found, Place)
    assert (found.kind, found.session, found.is_archive) == ("transcript", SESSION, False)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        (f"{SESSION}.checkpoint.5d0c9a1e-1111-4222-8333-444455556666.jsonl", "checkpoint: a copy of a transcript"),
        (f"{SESSION}.checkpoint.cp1.jsonl.deleted.{STAMP}.zst", "checkpoint: a copy of a transcript"),
        (f"{SESSION}.trajectory.jsonl", "trajectory: a debug copy"),
        (f"{SESSION}.trajectory-path.json", "trajectory: a debug copy"),
        (f"{SESSION}.jsonl.bak.{STAMP}", "backup of a transcript"),
        (f"{SESSION}.jsonl.bak", "backup of a transcript"),
        ("sessions.json.bak.1772614800000", "backup of sessions.json"),
        ("sessions.json.123.tmp", "backup of sessions.json"),
        (".usage-cost-cache.json", "usage cache of OpenClaw"),
        (".usage-cost-cache.json.lock", "usage cache of OpenClaw"),
        (f"{SESSION}.jsonl.lock", "lock or temporary file"),
        ("notes.md", "not a transcript"),
    ],
)
def test_a_file_that_holds_no_spend_of_its_own_is_left_by_a_named_rule(home: Home, name: str, rule: str) -> None:
    found = place(home, name)
    assert isinstance(found, Ignored)
    assert found.rule == rule
    assert found.location.path.endswith(f"agents/main/sessions/{name}")


@pytest.mark.parametrize("name", [f"{SESSION}.jsonl.swp", f"{SESSION}.jsonl.reset.yesterday", f"{SESSION}.jsonl.old"])
def test_a_file_that_may_hold_spend_under_an_unknown_name_is_rejected_aloud(home: Home, name: str) -> None:
    found = place(home, name)
    assert isinstance(found, Rejected)
    assert "read are <sessionId>.jsonl" in found.reason


def test_every_agent_is_read_and_not_only_the_default_one(home: Home) -> None:
    home.transcript(agent="main")
    home.transcript(agent="ops", name=f"{OTHER}.jsonl")
    assert [found.agent for found in survey(home.root).places] == ["main", "ops"]


def test_stores_are_read_before_what_refers_to_them(home: Home) -> None:
    home.transcript(agent="alpha")
    home.cron_log()
    home.registry({})
    home.store({}, agent="zulu")
    home.store({}, agent="alpha")
    assert [path.relative_to(home.root).as_posix() for path in paths(home.root)] == [
        "agents/alpha/sessions/sessions.json",
        "agents/zulu/sessions/sessions.json",
        "subagents/runs.json",
        "cron/runs/job-nightly.jsonl",
        f"agents/alpha/sessions/{SESSION}.jsonl",
    ]


def test_cron_logs_stay_readable_after_they_were_renamed_by_a_migration(home: Home) -> None:
    home.cron_log(name="job.jsonl.migrated")
    home.write("cron/runs/job.jsonl.tmp", b"")
    home.write("cron/jobs.json.migrated", b"{}")
    home.write("cron/jobs-state.json", b"{}")
    layout = survey(home.root)
    assert [found.path.name for found in layout.places] == ["jobs.json.migrated", "job.jsonl.migrated"]
    assert rules(layout.left) == ["schedule: says what will run, not what ran", "not a cron log"]


def test_the_databases_are_read_each_in_its_turn(home: Home) -> None:
    for name in ("state/openclaw.sqlite", "tasks/runs.sqlite", "agents/ops/agent/openclaw-agent.sqlite"):
        home.write(name, b"")
    home.transcript(header())
    kinds = [(found.kind, found.path.name, found.agent) for found in survey(home.root).places]
    assert kinds == [
        ("agent database", "openclaw-agent.sqlite", "ops"),
        ("state database", "openclaw.sqlite", ""),
        ("state database", "runs.sqlite", ""),
        ("transcript", f"{SESSION}.jsonl", "main"),
    ]


def test_a_directory_without_agents_is_refused_with_what_would_be_right(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"it has no agents/ folder; usually it is ~/\.openclaw"):
        survey(tmp_path)
    with pytest.raises(LoadError, match="is not a directory"):
        survey(tmp_path / "gone")


def test_the_parent_of_a_state_directory_is_refused_with_the_directory_that_was_meant(home: Home) -> None:
    with pytest.raises(LoadError, match=r"did you mean .*/\.openclaw\?"):
        survey(home.root.parent)


def test_a_database_that_is_a_link_out_of_the_home_is_not_opened(home: Home, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.sqlite").write_bytes(b"SQLite format 3\x00")
    (home.root / "agents" / "main" / "agent").mkdir(parents=True)
    (home.root / "agents" / "main" / "agent" / "openclaw-agent.sqlite").symlink_to(tmp_path / "elsewhere.sqlite")
    layout = survey(home.root)
    assert layout.places == ()
    assert "links out of the directory are not followed" in reasons(layout.left)[0]


def test_a_link_out_of_the_home_is_one_rejection_and_is_not_read(home: Home, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere"
    (outside / "sessions").mkdir(parents=True)
    (outside / "sessions" / f"{OTHER}.jsonl").write_text("secret")
    sessions = home.root / "agents" / "main" / "sessions"
    sessions.mkdir(parents=True)
    (sessions / f"{SESSION}.jsonl").symlink_to(outside / "sessions" / f"{OTHER}.jsonl")
    (home.root / "agents" / "linked").symlink_to(outside)
    (home.root / "cron").mkdir()
    (home.root / "cron" / "runs").symlink_to(outside / "sessions")
    layout = survey(home.root)
    assert layout.places == ()
    assert len(reasons(layout.left)) == len(layout.left) == 3
    assert all("links out of the directory are not followed" in reason for reason in reasons(layout.left))


def test_a_home_whose_agents_are_elsewhere_is_refused_because_nothing_would_be_read(home: Home, tmp_path: Path) -> None:
    (home.root / "agents").rmdir()
    (tmp_path / "disk").mkdir()
    (home.root / "agents").symlink_to(tmp_path / "disk")
    with pytest.raises(LoadError, match="give the directory that really holds agents/"):
        survey(home.root)


def test_a_link_within_the_home_is_read(home: Home) -> None:
    real = home.transcript(header())
    real.with_name(f"{OTHER}.jsonl").symlink_to(real)
    assert len(survey(home.root).places) == 2


def test_a_folder_named_like_a_transcript_is_rejected(home: Home) -> None:
    (home.root / "agents" / "main" / "sessions" / f"{SESSION}.jsonl").mkdir(parents=True)
    assert reasons(survey(home.root).left) == ["is not a regular file"]


def test_sessions_that_are_no_folder_are_one_rejection(home: Home) -> None:
    home.write("agents/main/sessions", b"")
    assert reasons(survey(home.root).left) == ["cannot be listed: Not a directory"]


def test_a_file_name_that_is_no_text_is_shown_as_text(home: Home) -> None:
    path = home.transcript(header())
    path.rename(path.with_name(os.fsdecode(b"caf\xe9.jsonl")))
    (found,) = survey(home.root).places
    assert found.shown_as.endswith("/caf\ufffd.jsonl")
    assert found.session == "caf\ufffd"
