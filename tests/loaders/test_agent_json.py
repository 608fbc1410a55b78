"""What `openclaw agent --json` printed: which runs there are, what they used, and when they count."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import openclaw
from loaders.agent_json import LOADER, paths, read
from loaders.item import Ignored, Item, LoadError, Parsed, Rejected
from loaders.job import run_load
from store import LoadReport, Request, Session, Store
from tests.stores import new_store

Json = dict[str, object]

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SESSION = "7b1f0d52-3c7e-4b51-9a44-0e2f5c9d1a10"
BEGAN = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
USED: Json = {"input": 30, "output": 240, "cacheRead": 18700, "cacheWrite": 787, "total": 10020}
LAST: Json = {"input": 18, "output": 155, "cacheRead": 9700, "cacheWrite": 147, "total": 10020}


def meta(usage: object = USED, **account: object) -> Json:
    told: Json = {"sessionId": SESSION, "provider": "anthropic", "model": "claude-demo-4", "usage": usage}
    report = {"generatedAt": int(BEGAN.timestamp() * 1000), "sessionKey": "agent:ops:cron:nightly"}
    of_run = told | {"lastCallUsage": LAST} | account
    return {"durationMs": 8123, "agentMeta": of_run, "aborted": False, "systemPromptReport": report}


def by_gateway(run: str = "r-1", of_run: Json | None = None) -> Json:
    return {"runId": run, "status": "ok", "result": {"payloads": [{"text": "3 {open}"}], "meta": of_run or meta()}}


def by_itself(of_run: Json | None = None) -> Json:
    return {"payloads": [{"text": "3 tickets"}], "meta": of_run or meta()}


def by_exec(**fields: object) -> Json:
    told: Json = {"ok": True, "status": "ok", "final": "done", "payloads": [], "usage": USED, "costUsd": 0.0125}
    return told | {"sessionId": SESSION, "provider": "anthropic", "model": "claude-demo-4"} | fields


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return tmp_path / "runs.json"


def items(path: Path, *texts: str | Json) -> list[Item]:
    path.write_text("\n".join(text if isinstance(text, str) else json.dumps(text) for text in texts))
    return list(read(path, now=NOW))


def load(store: Store, path: Path, *texts: str | Json) -> LoadReport:
    return run_load(store, "agent-json", str(path), items(path, *texts), now=NOW)


def requests(found: Iterable[Item]) -> list[Request]:
    parsed = (item for item in found if isinstance(item, Parsed))
    return [record for item in parsed for record in item.records if isinstance(record, Request)]


def sessions(found: Iterable[Item]) -> list[Session]:
    parsed = (item for item in found if isinstance(item, Parsed))
    return [record for item in parsed for record in item.records if isinstance(record, Session)]


def reasons(found: Iterable[Item]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Rejected)]


def rules(found: Iterable[Item]) -> list[str]:
    return [item.rule for item in found if isinstance(item, Ignored)]


def counted(store: Store) -> list[tuple[object, ...]]:
    return store.read(
        "SELECT session_id, count(*), sum(total_tokens)::BIGINT FROM request_facts GROUP BY 1 ORDER BY 1"
    ).rows


def test_a_run_is_the_total_of_its_session_and_evidence_about_it(capture: Path) -> None:
    ended_at = BEGAN + timedelta(milliseconds=8123)
    [item] = items(capture, by_gateway())
    assert isinstance(item, Parsed)
    assert item.records == (
        Session(
            session_id=SESSION,
            source="agent-json",
            observed_at=ended_at,
            agent="ops",
            trigger="cron",
            trigger_rule="session key: cron",
            trigger_confidence=90,
            model="claude-demo-4",
            started_at=BEGAN,
            ended_at=ended_at,
            termination="success",
            termination_rule="run: what it printed",
            termination_confidence=30,
        ),
        Request(
            request_key="agent-json:run:r-1",
            source="agent-json",
            scope="session",
            session_id=SESSION,
            agent="ops",
            provider="anthropic",
            model="claude-demo-4",
            started_at=BEGAN,
            ended_at=ended_at,
            uncached_input_tokens=30,
            cache_read_tokens=18700,
            cache_write_5m_tokens=787,
            cache_write_1h_tokens=0,
            output_tokens=240,
        ),
    )


@pytest.mark.parametrize(
    "document",
    [
        by_itself(),
        {"ts": "2026-03-04T09:00:09Z", "level": "info", "job": {"steps": [{"out": by_gateway()}]}},
        {"0": "agent done", "1": json.dumps(by_gateway()), "time": "2026-03-04T10:00:09+01:00"},
        by_exec(),
        {"agentMeta": {"usage": USED}},
    ],
    ids=["without a gateway", "in a log line", "as a text in a log line", "exec", "nothing but the usage"],
)
def test_usage_is_found_at_any_depth_and_its_total_is_not_believed(capture: Path, document: Json) -> None:
    (total,) = requests(items(capture, document))
    buckets = (total.uncached_input_tokens, total.cache_read_tokens, total.cache_write_5m_tokens, total.output_tokens)
    assert (buckets, total.scope) == ((30, 18700, 787, 240), "session")


@pytest.mark.parametrize(
    ("text", "documents", "left"),
    [
        (f"{json.dumps(by_gateway('a'))}\n{json.dumps(by_gateway('b'))}", 2, 0),
        (f"{json.dumps(by_gateway('a'), indent=2)}\n{json.dumps(by_gateway('b'), indent=2)}", 2, 0),
        (f"{json.dumps(by_gateway('a'), indent=2)}{json.dumps(by_gateway('b'), indent=2)}", 2, 0),
        (f"{json.dumps(by_gateway('a'))}{json.dumps(by_gateway('b'))}", 2, 0),
        (json.dumps([by_gateway("a"), by_gateway("b")], indent=4), 1, 0),
        (f"[\n{json.dumps(by_gateway('a'))},\n{json.dumps(by_gateway('b'))}\n]", 2, 2),
        (f"[gateway] up\n{json.dumps(by_gateway('a'), indent=2)}\nbye }}\n{json.dumps(by_gateway('b'))}", 2, 2),
        (f"12:00 run {json.dumps(by_gateway('a'))}\n\n{json.dumps(by_gateway('b'), indent=1)}", 2, 0),
    ],
    ids=["lines", "printed", "printed, no break", "no break", "list", "list of lines", "in a log", "behind words"],
)
def test_documents_come_in_many_forms(capture: Path, text: str, documents: int, left: int) -> None:
    found = items(capture, text)
    assert sorted(total.request_key for total in requests(found)) == ["agent-json:run:a", "agent-json:run:b"]
    assert (len(found), len(rules(found)), reasons(found)) == (documents + left, left, [])


def test_a_document_that_breaks_off_takes_no_other_with_it(capture: Path) -> None:
    broken = json.dumps(by_gateway("lost"), indent=2)[:-40]
    found = items(capture, broken, by_gateway("a"), '{"runId": {"b"', by_gateway("b"), '{"c": tru}', '{"d": [')
    assert [total.request_key for total in requests(found)] == ["agent-json:run:a", "agent-json:run:b"]
    assert reasons(found) == [
        "breaks off before the next document begins",
        "breaks off before the next document begins",
        "is not JSON: Expecting value at character 7",
        "breaks off: its last bracket is missing",
    ]


def test_a_line_of_quotes_and_backslashes_is_read_in_linear_time(capture: Path) -> None:
    found = items(capture, '{"a": "' + '\\"' * 300_000, '{"b": ' + '"' * 300_001 + "\\", by_gateway())
    assert len(requests(found)) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"agentMeta": {"usage": {"input": -3}}}, "usage.input must be a whole number from 0 on, got -3"),
        ({"agentMeta": {"usage": USED, "model": 4}}, "model must be a text, got 4"),
        ('{"agentMeta": {"usage": {"input": NaN}}}', "is not JSON: NaN is no number there"),
        ('{"a":' * 200 + "1" + "}" * 200, "is nested more than 100 deep"),
        ('words with "agentMeta" {', "is not JSON: Expecting property name enclosed in double quotes at character 2"),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_with_its_reason(capture: Path, line: str | Json, reason: str) -> None:
    found = items(capture, line, by_gateway())
    assert (reasons(found), len(requests(found))) == ([reason], 1)


@pytest.mark.parametrize(
    "line",
    [{"level": "info"}, {"agentMeta": 7}, {"agentMeta": {"name": "ops"}}, {"usage": USED}, {"ok": True, "status": "x"}],
)
def test_json_that_tells_of_no_run_is_ignored(capture: Path, line: Json) -> None:
    assert rules(items(capture, line)) == ["JSON without agentMeta"]


def test_runs_of_one_session_add_up_and_a_second_capture_adds_nothing(store: Store, capture: Path) -> None:
    load(store, capture, by_gateway("r-1"), by_gateway("r-2"), by_gateway("r-1"))
    assert counted(store) == [(SESSION, 2, 2 * 19757)]
    again = load(store, capture.with_name("log.jsonl"), {"ts": "2026-03-04T09:00:09Z", "run": by_gateway("r-2")})
    assert (counted(store), again.conflicts) == ([(SESSION, 2, 2 * 19757)], 0)


def test_runs_without_an_id_are_told_apart_by_what_they_used_and_how_long_they_took(capture: Path) -> None:
    one, other = by_itself(), by_itself(meta() | {"durationMs": 8124})
    noted = {"ts": "2026-03-04T09:00:09Z", "meta": one["meta"]}
    first, second, copy = requests(items(capture, one, other, noted))
    assert first.request_key == copy.request_key != second.request_key


def test_lines_with_nothing_but_the_usage_are_told_apart_by_their_times(capture: Path) -> None:
    lines = [{"ts": 1772614800 + n, "agentMeta": {"usage": USED, "model": "m"}} for n in (0, 1, 0)]
    first, second, third = requests(items(capture, *lines))
    assert first.request_key == third.request_key != second.request_key
    assert (first.started_at, second.started_at) == (BEGAN, BEGAN + timedelta(seconds=1))


def test_two_runs_with_one_id_in_a_document_are_two(capture: Path) -> None:
    attempts = [meta(), meta({"input": 5, "output": 1})]
    assert len({total.request_key for total in requests(items(capture, {"runId": "r", "attempts": attempts}))}) == 2


def transcript(home: Path, session: str = SESSION) -> Path:
    """One call of the run that was captured; the others were compacted away."""
    usage: Json = {"input": 12, "output": 85, "cacheRead": 9000, "cacheWrite": 640, "totalTokens": 9737}
    answer = {
        "role": "assistant",
        "provider": "anthropic",
        "model": "claude-demo-4",
        "usage": usage,
        "stopReason": "stop",
    }
    at = "2026-03-04T09:00:04.900Z"
    lines: list[Json] = [
        {"type": "session", "version": 3, "id": session, "timestamp": "2026-03-04T09:00:00.120Z", "cwd": "/srv"},
        {"type": "message", "id": "a1", "parentId": None, "timestamp": at, "message": answer},
    ]
    path = home / "agents" / "ops" / "sessions" / f"{session}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return home


@pytest.mark.parametrize(
    ("session", "stored", "is_captured_first"), [(SESSION, SESSION, True), ("nightly", "ops/nightly", False)]
)
def test_beside_the_transcript_of_its_session_a_run_adds_nothing(
    store: Store, capture: Path, tmp_path: Path, session: str, stored: str, is_captured_first: bool
) -> None:
    home = transcript(tmp_path / "home", session)
    runs = [by_gateway("r-1", meta(sessionId=session)), by_gateway("r-2", meta(sessionId=session))]
    for is_capture in (is_captured_first, not is_captured_first):
        if is_capture:
            load(store, capture, *runs)
        else:
            run_load(store, "openclaw", str(home), openclaw.read(home, now=NOW), now=NOW)
    assert counted(store) == [(stored, 1, 9737)]


def test_a_run_that_another_program_made_lies_on_its_session(capture: Path) -> None:
    bound = meta(sessionId="7b1f0d52-0000-4000-8000-000000000002", cliSessionBinding={"sessionId": SESSION.upper()})
    found = items(capture, by_gateway("r-1", bound))
    assert [total.session_id for total in requests(found)] == [SESSION]
    assert [(s.session_id, s.parent_session_id) for s in sessions(found)] == [
        (SESSION, "7b1f0d52-0000-4000-8000-000000000002")
    ]


@pytest.mark.parametrize(
    ("document", "started_at", "ended_at"),
    [
        (by_exec(), None, None),
        ({"time": "2026-03-04T10:00:09+01:00", "out": by_exec()}, "09:00:09", "09:00:09"),
        ({"time": "2026-03-04T09:00:09Z", "out": by_exec(durationMs="9000")}, "09:00:00", "09:00:09"),
        ({"ts": "1772614809.5", "out": by_exec()}, "09:00:09.5", "09:00:09.5"),
        ({"timestamp": 1772614809500, "out": by_exec()}, "09:00:09.5", "09:00:09.5"),
        ({"_meta": {"date": "2026-03-04T09:00:09Z"}, "0": by_exec()}, "09:00:09", "09:00:09"),
        ({"ts": "2031-03-04T09:00:09Z", "out": by_exec()}, None, None),
        ({"ts": [1], "time": {}, "out": by_exec()}, None, None),
    ],
    ids=["none", "line", "line less duration", "seconds", "milliseconds", "tslog", "future", "no time"],
)
def test_when_it_ran_is_what_it_or_its_line_says_and_never_the_time_of_the_file(
    capture: Path, document: Json, started_at: str | None, ended_at: str | None
) -> None:
    (total,) = requests(items(capture, document))
    expected = [datetime.fromisoformat(f"2026-03-04T{time}Z") if time else None for time in (started_at, ended_at)]
    assert [total.started_at, total.ended_at] == expected


def test_a_run_at_an_unknown_time_counts_outside_of_every_day(store: Store, capture: Path) -> None:
    load(store, capture, by_exec())
    assert store.read("SELECT day, is_known, row_count FROM daily_spend").rows == [(None, False, 1)]


@pytest.mark.parametrize(
    ("cost", "estimate"),
    [(0.0125, "0.0125"), ("0.0130", "0.0130"), (0, None), ("free", None), (True, None), (None, None), ("1e99", None)],
)
def test_the_cost_that_it_states_is_an_estimate(capture: Path, cost: object, estimate: str | None) -> None:
    (total,) = requests(items(capture, by_exec(costUsd=cost)))
    assert total.estimated_usd == (None if estimate is None else Decimal(estimate))
    assert (total.billed_usd, total.reported_usd) == (None, None)


def test_numbers_may_be_texts(capture: Path) -> None:
    (total,) = requests(items(capture, {"agentMeta": {"usage": {"input": "30", "output": "240"}}}))
    assert (total.uncached_input_tokens, total.output_tokens) == (30, 240)


@pytest.mark.parametrize("usage", [None, {}, {"total": 900}, {"input": 0, "output": 0}])
def test_a_run_without_usage_is_unknown_and_not_free(capture: Path, usage: object) -> None:
    (total,) = requests(items(capture, by_gateway("r", meta(usage))))
    assert total.output_tokens is None


def test_of_a_single_call_the_total_proves_what_the_input_holds(capture: Path) -> None:
    usage: Json = {"input": 100, "output": 20, "cacheRead": 80, "total": 120}
    one = {"provider": "google", "model": "g", "usage": usage, "lastCallUsage": usage}
    several = one | {"lastCallUsage": usage | {"input": 60}}
    found = requests(items(capture, {"runId": "a", "agentMeta": one}, {"runId": "b", "agentMeta": several}))
    assert [total.uncached_input_tokens for total in found] == [20, 100]


@pytest.mark.parametrize(
    ("document", "termination"),
    [
        (by_gateway(of_run=meta() | {"aborted": True}), "aborted"),
        (by_gateway(of_run=meta() | {"error": {"kind": "context_overflow", "message": "x"}}), "error"),
        (by_gateway() | {"status": "timeout"}, "timeout"),
        (by_exec(ok=False, status="error", error={"kind": "timeout"}), "timeout"),
        (by_exec(ok=False, status="error", usage=None), "error"),
        (by_gateway() | {"status": 7}, "success"),
    ],
)
def test_how_it_ended(capture: Path, document: Json, termination: str) -> None:
    assert [session.termination for session in sessions(items(capture, document))] == [termination]


def test_a_run_without_a_session_is_a_total_of_its_own(store: Store, capture: Path) -> None:
    load(store, capture, {"agentMeta": {"usage": USED}}, {"agentMeta": {"usage": LAST}})
    assert counted(store) == [(None, 2, 19757 + 10020)]


def test_loading_again_in_halves_or_backwards_gives_the_same_rows(store: Store, capture: Path, tmp_path: Path) -> None:
    runs = [by_gateway("a"), by_itself(), by_exec(), {"ts": "2026-03-04T09:00:09Z", "x": by_gateway("a")}, "noise"]
    report = load(store, capture, *runs)
    assert (report.read, report.rejected, report.ignored) == (5, 0, 1)
    assert load(store, capture, *runs).stored == 0
    rows = "SELECT * EXCLUDE (load_id, first_load_id) FROM requests ORDER BY 1"
    with new_store() as other:
        for half in (runs[2:][::-1], runs[:2][::-1]):
            load(other, tmp_path / "half.jsonl", *half)
        assert other.read(rows).rows == store.read(rows).rows


def test_a_folder_is_read_file_by_file(tmp_path: Path) -> None:
    items(tmp_path / "b.json", by_gateway("b"))
    items(tmp_path / "a.jsonl", by_gateway("a"))
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    (tmp_path / "away.json").symlink_to("/etc/hostname")
    found = list(read(tmp_path, now=NOW))
    assert [path.name for path in paths(tmp_path)] == ["a.jsonl", "b.json"]
    assert [total.request_key for total in requests(found)] == ["agent-json:run:a", "agent-json:run:b"]
    assert rules(found) == ["not a capture"]
    assert "links out of the directory are not followed" in reasons(found)[0]


def test_a_place_without_captures_says_what_would_be_right(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(LoadError, match="give a file with the output of openclaw agent --json, or a folder"):
            read(path, now=NOW)
    assert LOADER.name == "agent-json"
