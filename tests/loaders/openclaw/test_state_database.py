"""The state database and the task ledger: what started a session, and how it ended."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta

import pytest

from store import Session
from tests.loaders.openclaw.conftest import (
    NOW,
    OTHER,
    SESSION,
    Home,
    Json,
    answer,
    at,
    header,
    ms,
    reasons,
    requests,
    rules,
    sessions,
    stored_sessions,
    user,
)
from tests.loaders.openclaw.databases import AgentDatabase, StateDatabase

START, END = "2026-03-04T09:00:00Z", "2026-03-04T09:01:05Z"
RUN_KEY = f"agent:main:cron:job-nightly:run:{SESSION}"
CHILD = "agent:main:subagent:5d0c9a1e-1111-4222-8333-444455556666"
JOB: Json = {"id": "job-nightly", "name": "Nightly digest", "schedule": {"kind": "cron", "expr": "0 3 * * *"}}


@pytest.fixture
def state(home: Home) -> Iterator[StateDatabase]:
    found = StateDatabase(home)
    yield found
    found.close()


def task(state: StateDatabase, **columns: object) -> None:
    whole = {
        "task_id": f"t{columns}"[:200],
        "runtime": "subagent",
        "status": "succeeded",
        "agent_id": "main",
        "created_at": ms(START),
        "started_at": ms(START),
        "ended_at": ms(END),
        **columns,
    }
    state.add("task_runs", **whole)


def audit(state: StateDatabase, status: str, when: str | datetime = END, **columns: object) -> None:
    whole = {
        "occurred_at": ms(when) if isinstance(when, str) else int(when.timestamp() * 1000),
        "kind": "agent_run",
        "status": status,
        "agent_id": "main",
        "session_id": SESSION,
        "run_id": "r-1",
        **columns,
    }
    state.add("audit_events", **whole)


def only(home: Home) -> Session:
    (found,) = sessions(home.items())
    return found


def ended(session: Session) -> tuple[object, ...]:
    return session.termination, session.termination_rule, session.termination_confidence


def test_a_cron_run_log_in_the_database_says_what_the_same_line_in_a_file_says(
    home: Home, state: StateDatabase
) -> None:
    run: Json = {
        "ts": ms(END),
        "jobId": "job-nightly",
        "action": "finished",
        "status": "error",
        "error": "cron: job execution timed out",
        "sessionKey": RUN_KEY,
        "runAtMs": ms(START),
        "durationMs": 65_000,
    }
    log = home.cron_log(run)
    in_file = only(home)
    log.unlink()
    state.add("cron_run_logs", store_key="s", job_id="job-nightly", seq=1, ts=ms(END), entry_json=run)
    assert only(home) == in_file
    assert ended(in_file) == ("timeout", "cron run log: error", 80)


def test_the_columns_of_a_cron_run_stand_in_for_its_json(home: Home, state: StateDatabase) -> None:
    columns = {"session_key": RUN_KEY, "status": "ok", "run_at_ms": ms(START), "duration_ms": 65_000}
    state.add("cron_run_logs", store_key="s", job_id="job-nightly", seq=1, ts=ms(END), **columns)
    found = only(home)
    assert (found.session_id, found.trigger, found.started_at, found.ended_at) == (SESSION, "cron", at(START), at(END))
    assert ended(found) == ("success", "cron run log: ok", 80)


@pytest.mark.parametrize(
    ("status", "detail", "how"),
    [
        ("succeeded", {"status": "ok", "completionStatus": "succeeded"}, "success"),
        ("failed", {"status": "ok", "completionStatus": "unknown"}, "error"),
        ("failed", {"status": "error", "error": "no key"}, "error"),
        ("timed_out", {"status": "error", "error": "too slow"}, "timeout"),
        ("lost", {}, "lost"),
        ("cancelled", {}, "aborted"),
    ],
)
def test_a_cron_task_is_a_cron_run_whose_row_knows_how_it_ended(
    home: Home, state: StateDatabase, status: str, detail: Json, how: str
) -> None:
    detail = {"kind": "cron-run", "sessionId": SESSION, "runAtMs": ms(START), "durationMs": 65_000, **detail}
    task(state, runtime="cron", source_id="job-nightly", child_session_key=RUN_KEY, status=status, detail_json=detail)
    found = only(home)
    assert (found.session_id, found.trigger, found.trigger_rule) == (SESSION, "cron", "task ledger")
    assert (found.started_at, found.ended_at) == (at(START), at(END))
    assert found.termination == how


def test_a_cron_task_without_detail_is_read_from_its_columns(home: Home, state: StateDatabase) -> None:
    task(
        state, runtime="cron", source_id="job-nightly", child_session_key=RUN_KEY, ended_at=None, last_event_at=ms(END)
    )
    found = only(home)
    assert (found.session_id, found.started_at, found.ended_at) == (SESSION, at(START), at(END))


def test_a_recurring_job_names_the_task_class_of_its_runs_and_a_reminder_does_not(
    home: Home, state: StateDatabase
) -> None:
    state.add("cron_jobs", store_key="s", job_id="job-nightly", job_json=JOB)
    once: Json = {"id": "job-once", "name": "Call mum", "schedule": {"kind": "at", "at": START}}
    state.add("cron_jobs", store_key="s", job_id="job-once", job_json=once)
    state.add("cron_jobs", store_key="s", job_id="job-bad", job_json="[]")
    task(state, runtime="cron", source_id="job-nightly", child_session_key=RUN_KEY)
    home.store(
        {
            "agent:main:cron:job-nightly": {"sessionId": SESSION},
            "agent:main:cron:job-once": {"sessionId": OTHER},
            "agent:main:cron:job-gone": {"sessionId": "gone"},
        }
    )
    items = home.items()
    classes = [(session.session_id, session.task_class) for session in sessions(items)]
    assert classes == [
        (SESSION, "Nightly digest"),
        (OTHER, None),
        ("main/gone", None),
        (SESSION, "Nightly digest"),
    ]
    assert rules(items).count("scheduled job: only its name is used") == 2
    assert reasons(items) == ["must be a JSON object like {...}, got []"]


def test_jobs_in_a_file_name_their_runs_as_well(home: Home) -> None:
    home.write("cron/jobs.json.migrated", b'{"version": 1, "jobs": [{"id": "JOB-Nightly", "name": "nightly"}, {}, 5]}')
    home.cron_log({"action": "finished", "status": "ok", "jobId": "job-nightly", "sessionKey": RUN_KEY, "ts": ms(END)})
    items = home.items()
    assert [session.task_class for session in sessions(items)] == ["nightly"]
    assert reasons(items) == ["id is missing", "must be a JSON object like {...}, got 5"]


def test_a_subagent_task_gives_a_child_its_parent_and_its_end(home: Home, state: StateDatabase) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}, CHILD: {"sessionId": OTHER}})
    task(state, requester_session_key="agent:main:main", child_session_key=CHILD, status="failed", error="it timed out")
    found = sessions(home.items())[-1]
    assert (found.session_id, found.parent_session_id, found.trigger) == (OTHER, SESSION, "subagent")
    assert ended(found) == ("timeout", "task ledger: failed", 78)


@pytest.mark.parametrize(
    ("columns", "rule"),
    [
        ({"status": "queued", "child_session_key": CHILD}, "task that has not begun"),
        ({"child_session_key": None}, "task without a session of its own"),
        ({"child_session_key": "agent:main:subagent:swept"}, "task whose session is in no store"),
    ],
)
def test_a_task_that_says_nothing_about_a_known_session_is_ignored(
    home: Home, state: StateDatabase, columns: Json, rule: str
) -> None:
    task(state, **columns)
    assert rule in rules(home.items())


def test_a_task_of_the_command_line_does_not_make_a_chat_its_own(home: Home, state: StateDatabase) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}, "agent:main:odd": {"sessionId": OTHER}})
    task(state, runtime="cli", child_session_key="agent:main:main")
    task(state, runtime="cli", child_session_key="agent:main:odd")
    assert stored_sessions(home.items(), "trigger") == {SESSION: ("human",), OTHER: ("api",)}


def test_a_running_task_runs_until_it_was_silent_for_a_day(home: Home, state: StateDatabase) -> None:
    home.store({CHILD: {"sessionId": SESSION}, "agent:main:subagent:two": {"sessionId": OTHER}})
    for key, seen in ((CHILD, NOW - timedelta(hours=1)), ("agent:main:subagent:two", NOW - timedelta(hours=25))):
        last = int(seen.timestamp() * 1000)
        task(state, child_session_key=key, status="running", ended_at=None, last_event_at=last)
    stored = stored_sessions(home.items(), "is_running, termination")
    assert stored == {SESSION: (True, None), OTHER: (False, "lost")}


def test_the_task_ledger_of_mid_2026_is_the_same_table_in_a_file_of_its_own(home: Home) -> None:
    with closing(StateDatabase(home, 3, "tasks/runs.sqlite")) as ledger:
        task(ledger, runtime="cron", source_id="job-nightly", child_session_key=RUN_KEY)
        assert only(home).session_id == SESSION


@pytest.mark.parametrize(
    ("status", "code", "how"),
    [
        ("succeeded", None, "success"),
        ("failed", "rate_limit", "error"),
        ("failed", "provider_timeout", "timeout"),
        ("timed_out", None, "timeout"),
        ("cancelled", None, "aborted"),
        ("blocked", None, "error"),
    ],
)
def test_an_audit_event_says_how_a_run_ended(
    home: Home, state: StateDatabase, status: str, code: str | None, how: str
) -> None:
    audit(state, status, error_code=code)
    found = only(home)
    assert (found.ended_at, found.observed_at) == (at(END), at(END))
    assert ended(found) == (how, f"audit: {status}", 90)


def test_an_audit_event_of_an_unknown_end_gives_way_to_any_other_evidence(home: Home, state: StateDatabase) -> None:
    audit(state, "unknown")
    assert ended(only(home)) == ("unknown", "audit: unknown", 10)


def test_the_audit_log_is_believed_before_cron_log_store_and_transcript(home: Home, state: StateDatabase) -> None:
    home.store({RUN_KEY: {"sessionId": SESSION, "status": "done", "updatedAt": ms(END)}})
    home.cron_log({"action": "finished", "status": "ok", "sessionKey": RUN_KEY, "ts": ms(END), "runAtMs": ms(START)})
    home.transcript(header(), user(), answer())
    audit(state, "started", START)
    audit(state, "failed", END)
    stored = stored_sessions(home.items(), "termination, termination_rule, termination_confidence, is_running")
    assert stored == {SESSION: ("error", "audit: failed", 90, False)}


def test_the_latest_run_of_a_session_is_its_end(home: Home, state: StateDatabase) -> None:
    audit(state, "failed", START, run_id="r-1")
    audit(state, "succeeded", END, run_id="r-2")
    assert stored_sessions(home.items(), "termination, ended_at") == {
        SESSION: ("success", at(END).replace(tzinfo=None))
    }


def test_a_session_that_was_started_again_is_running(home: Home, state: StateDatabase) -> None:
    audit(state, "failed", END, run_id="r-1")
    audit(state, "started", NOW - timedelta(minutes=1), run_id="r-2")
    assert stored_sessions(home.items(), "termination, is_running") == {SESSION: (None, True)}


def test_a_run_without_an_end_for_a_day_is_lost(home: Home, state: StateDatabase) -> None:
    audit(state, "started", NOW - timedelta(hours=25))
    assert ended(only(home)) == ("lost", "audit: started", 60)


def test_events_of_tools_and_messages_are_one_ignored_item(home: Home, state: StateDatabase) -> None:
    audit(state, "succeeded", kind="tool_action")
    audit(state, "failed", kind="message")
    items = home.items()
    assert sessions(items) == []
    assert rules(items).count("audit events of tools and messages: they end no run") == 1


def test_a_run_is_found_by_its_key_where_it_names_no_session(home: Home, state: StateDatabase) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}})
    audit(state, "failed", session_id=None, session_key="agent:main:main")
    audit(state, "failed", session_id=None, session_key="agent:main:gone")
    items = home.items()
    assert [session.termination for session in sessions(items)] == [None, "error"]
    assert "run whose session is in no store" in rules(items)


def test_state_events_tell_an_end_less_surely(home: Home, state: StateDatabase) -> None:
    for kind in ("child_spawned", "run_completed", "run_failed"):
        state.add("session_state_events", session_id=SESSION, agent_id="main", kind=kind, occurred_at=ms(END))
    items = home.items()
    assert [ended(session) for session in sessions(items)] == [
        ("success", "state event: run_completed", 70),
        ("error", "state event: run_failed", 70),
    ]
    assert "state event: it ends no run" in rules(items)


def test_runs_that_sent_messages_tell_an_end_as_well(home: Home) -> None:
    with closing(AgentDatabase(home)) as database:
        database.session("agent:main:main", {"sessionId": SESSION, "updatedAt": ms(START)})
        for run, status in (("r-1", "completed"), ("r-2", "errored"), ("r-3", "aborted"), ("r-4", "new word")):
            row = {"run_id": run, "session_key": "agent:main:main", "run_status": status, "occurred_at": ms(END)}
            database.add("message_tool_run_outcomes", **row)
        items = home.items()
    assert [session.termination for session in sessions(items)] == [None, "success", "error", "aborted"]
    assert "message run without an end" in rules(items)


@pytest.mark.parametrize("version", [8, 9])
def test_subagent_runs_are_read_from_the_wide_and_from_the_compact_table(home: Home, version: int) -> None:
    home.store({"agent:main:main": {"sessionId": SESSION}, CHILD: {"sessionId": OTHER}})
    run: Json = {
        "childSessionKey": CHILD,
        "requesterSessionKey": "agent:main:main",
        "startedAt": ms(START),
        "endedAt": ms(END),
        "outcome": {"status": "timeout"},
    }
    with closing(StateDatabase(home, version)) as state:
        row = {"run_id": "r-1", "child_session_key": CHILD, "requester_session_key": "agent:main:main"}
        if version >= 9:
            state.add("subagent_runs", payload_json=run, **row)
        else:
            wide = {"started_at": ms(START), "ended_at": ms(END), "outcome_status": "timeout"}
            state.add("subagent_runs", **wide, **row)
        found = sessions(home.items())[-1]
    assert (found.session_id, found.parent_session_id) == (OTHER, SESSION)
    assert (found.started_at, found.ended_at) == (at(START), at(END))
    assert ended(found) == ("timeout", "sub-agent registry", 75)


def test_a_row_that_cannot_be_read_is_rejected_with_its_place_and_the_next_one_is_read(home: Home) -> None:
    home.store({CHILD: {"sessionId": SESSION}})
    with closing(StateDatabase(home, 8)) as state:  # not STRICT
        task(state, child_session_key=CHILD, started_at="soon")
        task(state, child_session_key=CHILD)
        task(state, runtime="cron", child_session_key=RUN_KEY, detail_json="{")
        audit(state, "failed", "2036-03-04T09:00:00Z")
        state.add("cron_run_logs", store_key="s", job_id="j", seq=1, ts=ms(END), entry_json=5)
        state.add("subagent_runs", run_id="r", child_session_key="")
        items = home.items()
    assert len(sessions(items)) == 2
    assert [reason.partition(",")[0] for reason in reasons(items)] == [
        "must be a JSON object like {...}",
        "started_at must be a time like 2026-03-04T09:00:00.120Z",
        "is not JSON: Expecting property name enclosed in double quotes at character 2",
        "childSessionKey is missing",
        "occurred_at is 2036-03-04T09:00:00+00:00",
    ]


def test_a_state_database_that_is_none_is_named_and_the_sessions_are_read(home: Home) -> None:
    broken = home.write("state/openclaw.sqlite", b"")
    home.transcript(header(), answer())
    items = home.items()
    assert len(requests(items)) == 1
    assert reasons(items) == ["is an empty file, not a SQLite database; the runs in it are not in this load"]
    assert str(broken) in str([item.location for item in items])


def test_receipts_and_an_unknown_database_are_left_by_a_rule(home: Home, state: StateDatabase) -> None:
    assert rules(home.items()) == ["receipts of scheduled runs: they name no session"]
    state.connection.executescript(
        "".join(
            f"DROP TABLE {table};"
            for table in (
                "cron_jobs",
                "cron_run_logs",
                "cron_run_receipts",
                "task_runs",
                "audit_events",
                "session_state_events",
                "subagent_runs",
            )
        )
    )
    assert rules(home.items()) == ["database without a table of runs"]
