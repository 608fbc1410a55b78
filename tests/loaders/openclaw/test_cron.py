"""Cron run logs: an index of sessions that the clock started, and how they ended."""

from pathlib import Path

import pytest

from loaders.item import Item, Location, Parsed
from loaders.openclaw.cron import read_run_log
from loaders.source import read_lines
from store import Session
from tests.loaders.openclaw.conftest import NOW, SESSION, Json, at, encoded, ms, reasons, requests, rules, sessions

KEY = f"agent:main:cron:job-nightly:run:{SESSION}"
STARTED, LOGGED = ms("2026-03-10T03:00:00Z"), ms("2026-03-10T03:01:06Z")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "job-nightly.jsonl"


def run(**more: object) -> Json:
    whole: Json = {
        "ts": LOGGED,
        "jobId": "job-nightly",
        "action": "finished",
        "status": "ok",
        "sessionId": SESSION,
        "sessionKey": KEY,
        "runAtMs": STARTED,
        "durationMs": 65000,
        "model": "gpt-demo",
        "usage": {"input_tokens": 5200, "output_tokens": 910, "total_tokens": 21400},
        **more,
    }
    return {name: value for name, value in whole.items() if value is not None}


def items(log: Path, *runs: Json | str) -> list[Item]:
    log.write_bytes(encoded(*runs))
    return list(read_run_log(read_lines(log, log.name), NOW))


def test_a_finished_run_says_what_started_its_session_and_how_it_ended(log: Path) -> None:
    assert items(log, run()) == [
        Parsed(
            Location("job-nightly.jsonl", 1),
            (
                Session(
                    session_id=SESSION,
                    source="openclaw",
                    observed_at=at("2026-03-10T03:01:06Z"),
                    agent="main",
                    trigger="cron",
                    trigger_rule="cron run log",
                    trigger_confidence=90,
                    model="gpt-demo",
                    started_at=at("2026-03-10T03:00:00Z"),
                    ended_at=at("2026-03-10T03:01:05Z"),
                    termination="success",
                    termination_rule="cron run log: ok",
                    termination_confidence=80,
                ),
            ),
        )
    ]


def test_the_usage_in_the_log_is_never_spend(log: Path) -> None:
    assert requests(items(log, run())) == []


@pytest.mark.parametrize(
    ("more", "termination"),
    [
        ({"status": "error", "error": "401 bad key"}, "error"),
        ({"status": "error", "error": "cron: job execution timed out"}, "timeout"),
        ({"status": "error", "error": "Timed Out"}, "timeout"),
        ({"status": "error", "errorReason": "timeout"}, "timeout"),
        ({"status": None, "error": "boom"}, "error"),
        ({"status": "ok", "completionStatus": "failed"}, "error"),
        ({"status": "ok", "completionStatus": "succeeded"}, "success"),
        ({"status": None}, "unknown"),
    ],
)
def test_a_timeout_is_an_error_whose_text_says_so(log: Path, more: Json, termination: str) -> None:
    (session,) = sessions(items(log, run(**more)))
    assert session.termination == termination


def test_an_end_of_an_unknown_kind_gives_way_to_any_other_evidence(log: Path) -> None:
    (session,) = sessions(items(log, run(status=None)))
    assert session.termination_confidence < 40


def test_the_session_is_taken_from_the_key_where_its_field_is_missing(log: Path) -> None:
    (session,) = sessions(items(log, run(sessionId=None)))
    assert session.session_id == SESSION


def test_an_id_that_is_no_uuid_belongs_to_the_agent_in_the_key(log: Path) -> None:
    (session,) = sessions(items(log, run(sessionId="nightly-1", sessionKey="agent:ops:cron:j:run:nightly-1")))
    assert (session.session_id, session.agent) == ("ops/nightly-1", "ops")
    assert reasons(items(log, run(sessionId="nightly-1", sessionKey=None))) == [
        "sessionId nightly-1 is no UUID, so it needs a sessionKey that names its agent"
    ]


def test_a_run_inside_a_conversation_does_not_make_that_a_cron_session(log: Path) -> None:
    for key in ("agent:main:main", "agent:main:telegram:direct:42", "agent:main:hook:1"):
        assert rules(items(log, run(sessionKey=key))) == ["cron: ran inside a session that something else started"]


def test_a_run_without_a_session_is_ignored(log: Path) -> None:
    assert rules(items(log, run(sessionId=None, sessionKey=None))) == ["cron: run without a session of its own"]


def test_a_skipped_run_and_a_line_that_ends_nothing_are_ignored(log: Path) -> None:
    assert rules(items(log, run(status="skipped"), run(action="started"))) == [
        "cron: skipped run",
        "cron: not the end of a run",
    ]


def test_the_end_is_when_it_was_logged_where_the_duration_is_missing(log: Path) -> None:
    (session,) = sessions(items(log, run(durationMs=None)))
    assert session.ended_at == at("2026-03-10T03:01:06Z")
    (backwards,) = sessions(items(log, run(durationMs=None, ts=STARTED - 1)))
    assert backwards.ended_at == backwards.started_at


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes at character 2"),
        (run(durationMs=-1), "durationMs must be a whole number from 0 on, got -1"),
        (run(durationMs=10**14), "durationMs is 100,000,000,000,000, which is over a year"),
        (run(runAtMs=ms("2026-03-12T00:00:00Z")), "runAtMs is 2026-03-12T00:00:00+00:00, more than a day ahead"),
        (run(status=5), "status must be a text, got 5"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_and_the_next_one_is_read(
    log: Path, line: Json | str, reason: str
) -> None:
    found = items(log, line, run())
    assert reasons(found)[0].startswith(reason)
    assert len(sessions(found)) == 1
