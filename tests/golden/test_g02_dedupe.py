"""G02: a call is counted once, whatever was streamed, copied or loaded again. Through OpenClaw's transcripts."""

from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from store import Store
from tests.golden.conftest import Golden, instant, load, one, write_jsonl

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
    assert total["requests"] == expected["distinctRequests"] == 6
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
    assert len(kept) == 6


def test_loading_the_same_files_again_changes_nothing(
    store: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, tmp_path: Path
) -> None:
    case = golden("G02_dedupe")
    homes = write_homes(tmp_path, case)
    first = [load(store, "openclaw", home) for home in homes.values()]
    again = [load(store, "openclaw", home) for home in homes.values()]
    assert [r.stored for r in again] == [0, 0, 0]
    assert [r.read for r in again] == [r.read for r in first]
    total = one(store, catalog, "inference_cost").values["inference_cost"]
    assert golden_module.differences(total, case["expected"]["secondIngestOfSameFiles"]["totalUsd"]) == []
