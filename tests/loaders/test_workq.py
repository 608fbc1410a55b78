import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from loaders.item import Ignored, Item, LoadError, Parsed, Rejected
from loaders.job import run_load
from loaders.loader import Task
from loaders.workq import LOADER
from loaders.workq.clock import clock_of
from store import Outcome, Session
from tests.stores import new_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ONE, TWO, THREE = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abc")
RUN_KEY = f"agent:main:cron:nightly:run:{ONE}"

SCHEMA = """
CREATE TABLE work_items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_ref TEXT NOT NULL UNIQUE, title TEXT, agent_id TEXT NOT NULL,
    squad TEXT, status TEXT NOT NULL DEFAULT 'claimed', branch TEXT, pr_url TEXT, priority TEXT DEFAULT 'medium',
    claimed_at TEXT NOT NULL DEFAULT '', updated_at TEXT NOT NULL, claimed_session_key TEXT
);
CREATE TABLE work_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, issue_ref TEXT NOT NULL, agent_id TEXT NOT NULL, action TEXT NOT NULL,
    detail TEXT, created_at TEXT NOT NULL
);
"""


@contextmanager
def database(path: Path, schema: str = SCHEMA) -> Iterator[sqlite3.Connection]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
        yield connection
        connection.commit()


def item(
    connection: sqlite3.Connection,
    issue_ref: str,
    status: object,
    key: object = RUN_KEY,
    *log: tuple[str, str, str],
    agent: object = "main",
    updated_at: object = "2026-03-10 10:00:00",
) -> None:
    """`log`: agent, action and time."""
    connection.execute(
        "INSERT INTO work_items (issue_ref, agent_id, status, updated_at, claimed_session_key) VALUES (?, ?, ?, ?, ?)",
        (issue_ref, agent, status, updated_at, key),
    )
    connection.executemany(
        "INSERT INTO work_log (issue_ref, agent_id, action, created_at) VALUES (?, ?, ?, ?)",
        [(issue_ref, *entry) for entry in log],
    )


def read(path: Path, now: datetime = NOW, **options: str) -> list[Item]:
    return list(LOADER.read(Task(str(path), now, options)))  # type: ignore[arg-type]


def outcomes(items: list[Item]) -> list[Outcome]:
    records = [record for found in items if isinstance(found, Parsed) for record in found.records]
    return [record for record in records if isinstance(record, Outcome)]


def only(items: list[Item]) -> Outcome:
    [found] = items
    assert isinstance(found, Parsed), found
    return outcomes(items)[0]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_done_item_is_a_success_of_the_session_in_its_key_when_it_was_completed(tmp_path: Path) -> None:
    with database(tmp_path / "workq.db") as queue:
        item(
            queue,
            "org/repo#12",
            "done",
            RUN_KEY.upper(),
            ("main", "claimed", "2026-03-10 08:00:00"),
            ("main", "completed", "2026-03-10 09:30:00"),
            ("system:sweep", "note", "2026-03-10 10:00:00"),
        )

    assert only(read(tmp_path / "workq.db")) == Outcome(
        outcome_id="workq:org/repo#12",
        source="workq",
        session_id=ONE,
        kind="WORKQ_RESOLVED",
        is_success=True,
        occurred_at=at("2026-03-10 09:30:00"),
    )


@pytest.mark.parametrize(
    ("status", "updated_at", "kind", "is_success", "occurred_at"),
    [
        ("dropped", "2026-03-10 10:00:00", "WORKQ_DROPPED", False, at("2026-03-10 10:00:00")),
        ("claimed", "2026-03-10 10:00:00", "UNKNOWN", None, None),
        ("in-progress", "2026-03-09 12:00:01", "UNKNOWN", None, None),
        ("blocked", "2026-03-10 10:00:00", "UNKNOWN", None, None),
        ("in-review", "2026-03-04 10:00:00", "WORKQ_IN_REVIEW", None, None),
        ("in-progress", "2026-03-09 12:00:00", "WORKQ_OVERDUE", False, at("2026-03-10 12:00:00")),
        ("in-review", "2026-03-03 12:00:00", "WORKQ_OVERDUE", False, at("2026-03-10 12:00:00")),
    ],
)
def test_what_is_open_is_undecided_until_its_window_closes(
    tmp_path: Path, status: str, updated_at: str, kind: str, is_success: bool | None, occurred_at: datetime | None
) -> None:
    with database(tmp_path / "workq.db") as queue:
        item(queue, "T-1", status, updated_at=updated_at)

    found = only(read(tmp_path / "workq.db"))
    assert (found.kind, found.is_success, found.occurred_at) == (kind, is_success, occurred_at)


def test_a_session_with_an_open_item_is_pending_and_one_with_a_late_one_has_failed(tmp_path: Path) -> None:
    sessions = [
        Session(session_id=name, source="t", started_at=NOW, termination="success", termination_confidence=90)
        for name in (ONE, TWO, THREE)
    ]
    with database(tmp_path / "workq.db") as queue:
        item(queue, "T-1", "in-progress", f"agent:a:cron:j:run:{ONE}")
        item(queue, "T-2", "claimed", f"agent:a:cron:j:run:{TWO}", updated_at="2026-03-01 10:00:00")
        item(queue, "T-3", "in-review", f"agent:a:cron:j:run:{THREE}")
    with new_store() as store:
        run_load(store, "t", "t", [Parsed(read(tmp_path / "workq.db")[0].location, tuple(sessions))], now=NOW)
        run_load(store, "workq", "workq.db", read(tmp_path / "workq.db"), now=NOW)
        rows = store.read("SELECT session_id, class, task_result FROM session_facts_now ORDER BY session_id").rows

    assert rows == [(ONE, "pending", "pending"), (TWO, "failed", "failure"), (THREE, "productive", "pending")]


def test_an_item_that_is_resolved_later_is_the_same_outcome(tmp_path: Path) -> None:
    path = tmp_path / "workq.db"
    with new_store() as store:
        with database(path) as queue:
            item(queue, "T-1", "in-progress")
        run_load(store, "workq", "workq.db", read(path), now=NOW)
        with closing(sqlite3.connect(path)) as queue:
            queue.execute("UPDATE work_items SET status = 'done', updated_at = '2026-03-10 11:00:00'")
            queue.commit()
        report = run_load(store, "workq", "workq.db", read(path), now=NOW)
        again = run_load(store, "workq", "workq.db", read(path), now=NOW)
        rows = store.read("SELECT outcome_id, kind, is_success FROM outcomes").rows

    assert (report.stored, again.stored, again.unchanged) == (1, 0, 1)
    assert rows == [("workq:T-1", "WORKQ_RESOLVED", True)]


def test_items_that_name_no_session_are_ignored_by_rules_that_say_why(tmp_path: Path) -> None:
    with database(tmp_path / "workq.db") as queue:
        item(queue, "T-1", "claimed", None, agent="system:unclaimed")
        item(queue, "T-2", "done", None)
        item(queue, "T-3", "done", "agent:main:main")

    assert [found.rule for found in read(tmp_path / "workq.db") if isinstance(found, Ignored)] == [
        "a work item that nobody has claimed",
        "a work item that was claimed without a session key",
        "no OpenClaw home says which session lived at its key: give the option home",
    ]


def write_store(home: Path, entries: dict[str, object]) -> None:
    folder = home / "agents" / "main" / "sessions"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "sessions.json").write_text(json.dumps(entries))


def write_transcript(home: Path, name: str, session_id: str, began_at: str) -> None:
    header = {"type": "session", "version": 3, "id": session_id, "timestamp": began_at}
    (home / "agents" / "main" / "sessions" / name).write_text(json.dumps(header) + "\n")


def milliseconds(text: str) -> int:
    return int(at(text).timestamp() * 1000)


def done_at(path: Path, key: str, *times: str) -> None:
    with database(path) as queue:
        for number, time in enumerate(times):
            item(queue, f"T-{number}", "done", key, ("main", "completed", time), updated_at=time)


def test_a_key_names_the_session_that_lived_there_when_its_claimer_was_last_at_the_item(tmp_path: Path) -> None:
    path = tmp_path / "workq" / "workq.db"
    write_store(
        tmp_path,
        {
            "agent:main:main": {
                "sessionId": TWO,
                "updatedAt": milliseconds("2026-03-10 11:00:00"),
                "sessionStartedAt": milliseconds("2026-03-10 09:00:00"),
                "usageFamilySessionIds": [ONE, TWO],
            }
        },
    )
    write_transcript(tmp_path, f"{ONE}.jsonl.reset.2026-03-10T09-00-00.000Z", ONE, "2026-03-08T00:00:00Z")
    done_at(path, "agent:main:main", "2026-03-07 10:00:00", "2026-03-10 08:59:58", "2026-03-10 09:00:00")
    with closing(sqlite3.connect(path)) as queue:  # a sweep closes it after the reset
        queue.execute("UPDATE work_log SET created_at = '2026-03-10 08:00:00', action = 'note' WHERE issue_ref = 'T-1'")
        queue.execute(
            "INSERT INTO work_log VALUES (9, 'T-1', 'system:sweep', 'completed', NULL, '2026-03-10 11:00:00')"
        )
        queue.commit()

    items = read(path)
    assert items[0] == Ignored(items[0].location, "the OpenClaw home does not know which session lived at its key then")
    assert [(found.session_id, found.occurred_at) for found in outcomes(items)] == [
        (ONE, at("2026-03-10 11:00:00")),
        (TWO, at("2026-03-10 09:00:00")),
    ]


def test_where_nobody_knows_when_a_session_began_it_gets_nothing_unless_its_key_is_its_own(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere.db"
    home = tmp_path / "home"
    write_store(
        home,
        {
            "agent:main:main": {"sessionId": TWO, "updatedAt": milliseconds("2026-03-10 11:00:00")},
            "agent:main:subagent:x": {"sessionId": THREE, "updatedAt": milliseconds("2026-03-10 11:00:00")},
        },
    )
    with database(path) as queue:
        item(queue, "T-1", "done", "agent:main:main")
        item(queue, "T-2", "done", "agent:main:subagent:x")
        item(queue, "T-3", "done", "agent:main:subagent:gone")

    items = read(path, home=str(home))
    assert [type(found) for found in items] == [Ignored, Parsed, Ignored]
    assert outcomes(items)[0].session_id == THREE


def test_an_earlier_session_of_unknown_age_makes_the_past_of_a_key_uncertain(tmp_path: Path) -> None:
    path = tmp_path / "workq" / "workq.db"
    write_store(
        tmp_path,
        {
            "agent:main:main": {
                "sessionId": THREE,
                "updatedAt": milliseconds("2026-03-10 11:00:00"),
                "sessionStartedAt": milliseconds("2026-03-10 09:00:00"),
                "usageFamilySessionIds": [ONE, TWO],
            }
        },
    )
    write_transcript(tmp_path, f"{ONE}.jsonl", ONE, "2026-03-08T00:00:00Z")
    done_at(path, "agent:main:main", "2026-03-09 10:00:00", "2026-03-10 10:00:00")

    items = read(path)
    assert [type(found) for found in items] == [Ignored, Parsed]
    assert outcomes(items)[0].session_id == THREE


def test_the_databases_of_a_home_know_every_session_of_a_key(tmp_path: Path) -> None:
    path = tmp_path / "workq" / "workq.db"
    schema = """
        CREATE TABLE session_nodes (session_key TEXT PRIMARY KEY, current_session_id TEXT, entry_json TEXT,
            updated_at INTEGER);
        CREATE TABLE session_windows (session_id TEXT PRIMARY KEY, session_key TEXT, created_at INTEGER,
            updated_at INTEGER);
        CREATE TABLE transcript_events (session_id TEXT, seq INTEGER, event_json TEXT, created_at INTEGER);
    """
    with database(tmp_path / "agents" / "main" / "agent" / "openclaw-agent.sqlite", schema) as sessions:
        later = milliseconds("2026-03-10 11:00:00")
        sessions.execute("INSERT INTO session_nodes VALUES ('agent:main:main', ?, '{}', ?)", (TWO, later))
        for session_id, began in ((ONE, "2026-03-08 00:00:00"), (TWO, "2026-03-10 09:00:00")):
            window = (session_id, milliseconds(began), later)
            sessions.execute("INSERT INTO session_windows VALUES (?, 'agent:main:main', ?, ?)", window)
    done_at(path, "agent:main:main", "2026-03-07 10:00:00", "2026-03-10 08:00:00", "2026-03-10 10:00:00")

    items = read(path)
    assert [type(found) for found in items] == [Ignored, Parsed, Parsed]
    assert [found.session_id for found in outcomes(items)] == [ONE, TWO]


def test_a_home_that_is_none_stops_the_load(tmp_path: Path) -> None:
    done_at(tmp_path / "workq.db", "agent:main:main", "2026-03-09 10:00:00")

    with pytest.raises(LoadError, match="is not a state directory of OpenClaw"):
        read(tmp_path / "workq.db", home=str(tmp_path))


def test_two_queues_with_items_of_one_name_are_told_apart(tmp_path: Path) -> None:
    with database(tmp_path / "workq.db") as queue:
        item(queue, "T-1", "done")

    assert only(read(tmp_path / "workq.db", queue="ops")).outcome_id == "workq:ops:T-1"


def written(path: Path, when: str) -> None:
    for file in path.parent.iterdir():
        os.utime(file, (at(when).timestamp(), at(when).timestamp()))


def test_rows_ahead_of_the_file_itself_stop_the_load_until_the_zone_is_given(tmp_path: Path) -> None:
    path = tmp_path / "workq.db"
    with database(path) as queue:
        item(queue, "T-1", "done", RUN_KEY, ("main", "completed", "2026-03-10 11:00:00"))
    written(path, "2026-03-10 07:00:01")

    with pytest.raises(LoadError) as raised:
        read(path)
    assert str(raised.value) == (
        f"{path}: its last row says 2026-03-10 11:00:00, which as UTC is 4:00 h after the file was written "
        "(2026-03-10 07:00:01 UTC): SQLite may have shifted its times. Give the option zone: the zone of the host that "
        "wrote it, such as zone=America/New_York, where it did, or zone=UTC where it did not"
    )
    assert only(read(path, zone="America/New_York")).occurred_at == at("2026-03-10 07:00:00")
    with pytest.raises(LoadError, match="which in Europe/Berlin is 5:00 h after the file was written"):
        read(path, zone="Europe/Berlin")
    with pytest.raises(LoadError, match="did you mean 'Europe/Berlin'"):
        read(path, zone="Europe/Berlim")


def test_a_file_that_is_whole_hours_younger_than_its_last_row_asks_for_the_zone(tmp_path: Path) -> None:
    path = tmp_path / "workq.db"
    with database(path) as queue:
        item(queue, "T-1", "done", RUN_KEY, ("main", "completed", "2026-03-10 05:30:00"))
    written(path, "2026-03-10 11:00:02")

    with pytest.raises(LoadError, match="which as UTC is 5:30 h before the file was written, nearly to the second"):
        read(path)
    assert only(read(path, zone="Asia/Kolkata")).occurred_at == at("2026-03-10 11:00:00")
    assert only(read(path, zone="UTC")).occurred_at == at("2026-03-10 05:30:00")
    written(path, "2026-03-10 11:07:00")
    assert only(read(path)).occurred_at == at("2026-03-10 05:30:00")


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kolkata", "Pacific/Auckland", "America/St_Johns", "UTC"])
def test_what_sqlite_shifts_the_clock_puts_right_again(zone: str) -> None:
    """SQLite itself shifts the digits, in a process that lives in the zone: every third hour of a year."""
    program = (
        "import sqlite3, sys\n"
        "from datetime import datetime, timedelta\n"
        "connection, begin = sqlite3.connect(':memory:'), datetime(2026, 1, 1)\n"
        "for hour in range(0, 365 * 24, 3):\n"
        "    true = str(begin + timedelta(hours=hour))\n"
        "    print(true, *connection.execute(\"SELECT datetime(?, 'utc')\", (true,)).fetchone(), sep='|')\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], env={"TZ": zone, "PATH": ""}, capture_output=True, text=True, check=True
    )
    clock = clock_of(zone, None, NOW, "workq.db")
    pairs = [line.split("|") for line in result.stdout.splitlines()]
    wrong = [true for true, shifted in pairs if clock.instant("created_at", shifted) != at(true)]

    assert len(pairs) == 2920
    assert len(wrong) <= 1, "at most the hour that a clock change leaves out, which no local time has"


def test_times_with_an_offset_mean_what_they_say(tmp_path: Path) -> None:
    with database(tmp_path / "workq.db") as queue:
        item(queue, "T-1", "dropped", updated_at="2026-03-10T11:00:00+01:00")

    assert only(read(tmp_path / "workq.db", zone="Asia/Kolkata")).occurred_at == at("2026-03-10 10:00:00")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"status": "finished"}, "status must be one of claimed, in-progress, blocked, in-review, done, dropped, got"),
        ({"status": 7}, "status must be one of claimed, in-progress, blocked, in-review, done, dropped, got '7'"),
        ({"status": b"done"}, "status must be text of at most 900 characters"),
        ({"issue_ref": "x" * 901}, "issue_ref must be text of at most 900 characters"),
        ({"issue_ref": b"\xff\x00"}, "issue_ref must be text of at most 900 characters"),
        ({"key": ""}, "claimed_session_key must be text"),
        ({"key": b"\x00"}, "claimed_session_key must be text"),
        ({"updated_at": 1773136800}, "updated_at must be a time like 2026-02-28 09:30:00"),
        ({"updated_at": "yesterday"}, "updated_at must be a time like 2026-02-28 09:30:00, got 'yesterday'"),
        ({"updated_at": "2026-03-12 10:00:00"}, "updated_at is 2026-03-12T10:00:00+00:00, more than a day ahead"),
    ],
)
def test_a_bad_row_costs_only_itself(tmp_path: Path, changed: dict[str, object], said: str) -> None:
    row = {"issue_ref": "T-1", "status": "done", "key": RUN_KEY, "updated_at": "2026-03-10 10:00:00"} | changed
    with database(tmp_path / "workq.db") as queue:
        item(queue, row["issue_ref"], row["status"], row["key"], updated_at=row["updated_at"])  # type: ignore[arg-type]
        item(queue, "T-2", "done", RUN_KEY, ("main", "completed", "2026-03-10 10:00:00"))

    bad, good = read(tmp_path / "workq.db")
    assert isinstance(good, Parsed)
    assert bad.location.line == 1
    assert isinstance(bad, Rejected)
    assert bad.reason.startswith(said)


def test_a_database_that_is_none_or_another_or_old_stops_the_load(tmp_path: Path) -> None:
    path = tmp_path / "workq.db"
    with pytest.raises(LoadError, match="there is no such file; give the database of WorkQ"):
        read(path)
    path.write_text("not a database, whatever its name says")
    with pytest.raises(LoadError, match="is no SQLite database"):
        read(path)
    path.unlink()
    with database(path, "CREATE TABLE issues (id INTEGER)"):
        pass
    with pytest.raises(LoadError, match="has no table work_items; give the database of WorkQ"):
        read(path)
    path.unlink()
    with database(path, SCHEMA.replace(", claimed_session_key TEXT", "")):
        pass
    with pytest.raises(LoadError, match="has no column claimed_session_key, so nobody can say which session"):
        read(path)
    path.unlink()
    with database(path, SCHEMA.replace("action TEXT NOT NULL,", "").replace("updated_at TEXT", "changed TEXT")):
        pass
    with pytest.raises(LoadError, match="work_items has no column updated_at; it has agent_id, branch, changed"):
        read(path)


def test_a_queue_in_use_is_read_with_what_is_not_yet_in_its_main_file(tmp_path: Path) -> None:
    path = tmp_path / "workq.db"
    with database(path) as queue:
        queue.execute("PRAGMA journal_mode = WAL")
        item(queue, "T-1", "done")
        queue.commit()
        before = sorted(file.name for file in tmp_path.iterdir())
        told: list[int] = []
        items = list(LOADER.read(Task(str(path), NOW, on_bytes=told.append)))

        assert LOADER.size is not None
        assert sum(told) == LOADER.size(path)
        assert sorted(file.name for file in tmp_path.iterdir()) == before
    assert only(items).kind == "WORKQ_RESOLVED"


def test_an_empty_queue_has_nothing_to_say(tmp_path: Path) -> None:
    with database(tmp_path / "workq.db"):
        pass

    assert read(tmp_path / "workq.db", NOW + timedelta(days=1)) == []
