"""G02: a call is counted once, whatever was streamed, copied or loaded again.

The case's events are written as OpenClaw's transcripts, those of Anthropic as Claude Code's too, and its cumulative
counters as a rollout of Codex, and loaded from there.
"""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from loaders import codex
from loaders.job import run_load
from semantic import Catalog
from store import Store
from tests.golden.conftest import NOW, Golden, instant, load, one, write_jsonl

pytestmark = pytest.mark.golden
SESSIONS = ("S1", "S2", "S3")


def transcript(session_id: str, started_at: str, events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """A session's events as OpenClaw writes them: a header, then one line for each message."""
    header = {"type": "session", "version": 3, "id": session_id, "timestamp": started_at, "cwd": "/srv"}
    return [header, *(message(number, event) for number, event in enumerate(events))]


def message(number: int, event: dict[str, Any]) -> dict[str, Any]:
    sent = instant(event["ts"])
    assert sent is not None
    return {
        "type": "message",
        "id": f"{event['message_id']}-{number}",
        "parentId": None,
        "timestamp": event["ts"],
        "message": {
            "role": "assistant",
            "content": [{"type": "text", "text": "."}],
            "provider": event["provider"],
            "model": event["model"],
            "responseId": event["provider_request_id"],
            "usage": {
                "input": event["input_tokens"],
                "output": event["output_tokens"],
                "cacheRead": event["cache_read_tokens"],
                "cacheWrite": event["cache_write_5m_tokens"],
            },
            "stopReason": "error" if event.get("status") == "error" else "stop",
            "timestamp": int(sent.timestamp() * 1000),
        },
    }


def write_homes(root: Path, case: dict[str, Any]) -> dict[str, Path]:
    """One state directory a session, so that they can arrive one after the other."""
    starts = {row["session_id"]: row["started_at"] for row in case["inputs"]["sessions.csv"]}
    events = [e for e in case["inputs"]["events.jsonl"] if e["kind"] == "usage"]
    homes = {}
    for session in SESSIONS:
        own = [e for e in events if e["session_id"] == session]
        homes[session] = root / session
        path = homes[session] / "agents" / "main" / "sessions" / f"{session}.jsonl"
        write_jsonl(path, transcript(session, starts[session], own))
    return homes


def session_costs(store: Store) -> dict[str, Decimal]:
    rows = store.read("SELECT session_id, api_cost_usd FROM session_facts").rows
    return {str(name).removeprefix("main/"): Decimal(str(cost)) for name, cost in rows}


@pytest.mark.parametrize("order", [SESSIONS, SESSIONS[::-1]])
def test_copies_streams_and_retries_come_out_once_in_either_order_of_arrival(
    store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, tmp_path: Path, order: tuple[str, ...]
) -> None:
    case = golden("G02_dedupe")
    expected = case["expected"]
    homes = write_homes(tmp_path, case)
    for session in order:
        assert load(store, "openclaw", homes[session]).rejected == 0
    assert golden_module.differences(session_costs(store), expected["sessionCostUsd"]) == []
    total = one(store, catalog, "inference_cost", "requests").values
    assert golden_module.differences(total["inference_cost"], expected["totalUsd"]) == []
    arrived = {"sessionCostUsd": session_costs(store), "totalUsd": total["inference_cost"]}
    assert golden_module.differences(arrived, expected["reverseArrivalOrder"]) == []
    assert total["requests"] == expected["distinctRequests"]
    for wrong in ("noDedupeUsd", "firstWinsUsd"):
        assert not golden_module.forbidden(total["inference_cost"], expected["mustNotEqual"][wrong])
    assert not golden_module.forbidden(session_costs(store)["S2"], expected["mustNotEqual"]["S2IfReplayCounted"])


def test_each_call_belongs_to_the_oldest_session_and_keeps_its_last_usage(
    store: Store, golden: Golden, golden_module: ModuleType, tmp_path: Path
) -> None:
    case = golden("G02_dedupe")
    for home in write_homes(tmp_path, case).values():
        load(store, "openclaw", home)
    rows = store.read("SELECT request_key, session_id, output_tokens, cost_usd FROM requests").rows
    kept = {
        str(key).replace(":", "/", 1): {
            "session": str(session).removeprefix("main/"),
            "outputTokens": tokens,
            "costUsd": cost,
        }
        for key, session, tokens, cost in rows
    }
    expected = {
        key: {k: v for k, v in body.items() if k != "rawRecords"} for key, body in case["expected"]["kept"].items()
    }
    assert golden_module.differences(kept, expected) == []
    assert set(kept) == set(expected)


def test_loading_the_same_files_again_changes_nothing(
    store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, tmp_path: Path
) -> None:
    case = golden("G02_dedupe")
    homes = write_homes(tmp_path, case)
    first = [load(store, "openclaw", home) for home in homes.values()]
    again = [load(store, "openclaw", home) for home in homes.values()]
    assert {r.stored for r in again} == {case["expected"]["secondIngestOfSameFiles"]["newRequests"]}
    assert [r.read for r in again] == [r.read for r in first]
    total = one(store, catalog, "inference_cost").values["inference_cost"]
    assert golden_module.differences(total, case["expected"]["secondIngestOfSameFiles"]["totalUsd"]) == []


def test_every_record_is_accounted_for_and_the_retry_is_waste(
    store: Store, golden: Golden, golden_module: ModuleType, tmp_path: Path
) -> None:
    expected = golden("G02_dedupe")["expected"]
    reports = [load(store, "openclaw", home) for home in write_homes(tmp_path, golden("G02_dedupe")).values()]
    headers = len(SESSIONS)
    assert sum(report.read for report in reports) - headers == expected["rawRecords"]
    assert [report.rejected for report in reports] == [0, 0, 0]
    (row,) = store.read("SELECT count(*), sum(cost_usd) FROM requests WHERE status = 'error'").rows
    assert row[0] == 1
    assert golden_module.differences(row[1], expected["retryWasteUsd"]) == []


def claude_code_home(root: Path, case: dict[str, Any], session: str) -> Path:
    """The events of one session as Claude Code writes them: a prompt, then one line for each block of an answer."""
    start = next(row["started_at"] for row in case["inputs"]["sessions.csv"] if row["session_id"] == session)
    prompt = {"type": "user", "sessionId": session, "timestamp": start, "message": {"role": "user", "content": "."}}
    events = [e for e in case["inputs"]["events.jsonl"] if e["kind"] == "usage" and e["session_id"] == session]
    write_jsonl(
        root / f"claude-{session}" / "projects" / "srv" / f"{session}.jsonl",
        [prompt, *(claude_code_line(session, event) for event in events)],
    )
    return root / f"claude-{session}"


def claude_code_line(session: str, event: dict[str, Any]) -> dict[str, Any]:
    usage = {
        "input_tokens": event["input_tokens"],
        "cache_read_input_tokens": event["cache_read_tokens"],
        "cache_creation_input_tokens": event["cache_write_5m_tokens"] + event["cache_write_1h_tokens"],
        "cache_creation": {
            "ephemeral_5m_input_tokens": event["cache_write_5m_tokens"],
            "ephemeral_1h_input_tokens": event["cache_write_1h_tokens"],
        },
        "output_tokens": event["output_tokens"],
    }
    message = {"id": event["message_id"], "role": "assistant", "model": event["model"], "usage": usage}
    return {
        "type": "assistant",
        "sessionId": session,
        "requestId": event["provider_request_id"],
        "timestamp": event["ts"],
        "message": message | {"stop_reason": event["stop_reason"]},
    }


@pytest.mark.parametrize("order", [("S1", "S2"), ("S2", "S1")])
def test_claude_codes_transcripts_of_the_same_calls_give_the_same_costs(
    store: Store, golden: Golden, golden_module: ModuleType, tmp_path: Path, order: tuple[str, ...]
) -> None:
    case = golden("G02_dedupe")
    for session in order:
        assert load(store, "claude-code", claude_code_home(tmp_path, case, session)).rejected == 0
    expected = {session: case["expected"]["sessionCostUsd"][session] for session in order}
    assert golden_module.differences(session_costs(store), expected) == []
    own = [call for call in case["expected"]["kept"].values() if call["session"] in order]
    assert store.read("SELECT count(*) FROM requests").rows == [(len(own),)]
    again = [load(store, "claude-code", claude_code_home(tmp_path, case, session)).stored for session in order]
    assert again == [0, 0]


def rollout(case: dict[str, Any]) -> list[dict[str, Any]]:
    """The counters as Codex writes them: what the session has used so far, and beside it what its last call used."""
    started_at = next(row["started_at"] for row in case["inputs"]["sessions.csv"] if row["session_id"] == "S4")
    events = [event for event in case["inputs"]["events.jsonl"] if event["kind"] == "cumulative"]
    session = "0199a213-81c0-7800-8aa1-bbab2a035a53"
    meta = {"id": session, "timestamp": started_at, "cwd": "/srv", "originator": "codex_cli_rs"}
    turn = {"turn_id": "0199a213-81c0-7800-8aa1-bbab2a035a54", "model": events[0]["model"]}
    return [
        {"timestamp": started_at, "type": "session_meta", "payload": meta | {"model_provider": events[0]["provider"]}},
        {"timestamp": started_at, "type": "turn_context", "payload": turn},
        *(
            {
                "timestamp": event["ts"],
                "type": "event_msg",
                "payload": {
                    "type": "token_count",
                    "info": {
                        "total_token_usage": {"input_tokens": event["total_input_tokens"]},
                        "last_token_usage": {"input_tokens": event["last_input_tokens"]},
                    },
                },
            }
            for event in events
        ),
    ]


def test_a_counter_that_is_written_again_counts_what_it_grew(
    store: Store, golden: Golden, golden_module: ModuleType, tmp_path: Path
) -> None:
    case = golden("G02_dedupe")
    name = "rollout-2026-05-01T09-59-00-0199a213-81c0-7800-8aa1-bbab2a035a53.jsonl"
    home = write_jsonl(tmp_path / "sessions" / "2026" / "05" / "01" / name, rollout(case)).parent
    for _ in range(2):
        assert run_load(store, "codex", str(home), codex.read(home, now=NOW), now=NOW).rejected == 0
        ((tokens,),) = store.read("SELECT sum(uncached_input_tokens) FROM requests").rows
        assert golden_module.differences(tokens, case["expected"]["cumulativeCounter"]["inputTokens"]) == []
        assert not golden_module.forbidden(tokens, case["expected"]["mustNotEqual"]["cumulativeSumOfLast"])
