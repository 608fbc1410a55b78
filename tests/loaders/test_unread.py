"""A line that nobody could read may have been a call: its session's cost is not known until the line can be read."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from store import LoadReport, Store
from tests.stores import new_store

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
SESSION = "7b1f0d52-3c7e-4b51-9a44-0e2f5c9d1a10"
HEADER = {"type": "session", "version": 3, "id": SESSION, "timestamp": "2026-03-04T09:00:00.000Z"}
PRICES = "price_id,provider,model,effective_from,input,output\nP1,anthropic,claude-demo,2026-01-01,1,2\n"


def call(name: str) -> str:
    message = {
        "role": "assistant",
        "provider": "anthropic",
        "model": "claude-demo",
        "responseId": name,
        "usage": {"input": 1_000_000, "output": 500_000, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 1_500_000},
        "stopReason": "stop",
    }
    return json.dumps({"type": "message", "id": name, "timestamp": "2026-03-04T09:00:05.000Z", "message": message})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store() as opened:
        (tmp_path / "prices.csv").write_text(PRICES)
        load(opened, "prices", tmp_path / "prices.csv")
        yield opened


def load(store: Store, kind: str, path: Path) -> LoadReport:
    return run_load(store, kind, str(path), LOADERS[kind].read(Task(str(path), NOW)), now=NOW)


def write(home: Path, *lines: str) -> Path:
    path = home / f"agents/main/sessions/{SESSION}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([json.dumps(HEADER), *lines]))
    return home


def costs(store: Store) -> list[tuple[object, ...]]:
    return store.read(
        "SELECT api_cost_usd, known_cost_usd, requests, unpriced_requests, cost_completeness FROM session_facts"
    ).rows


def test_a_session_with_a_line_that_was_cut_off_costs_at_least_what_was_read(store: Store, tmp_path: Path) -> None:
    home = write(tmp_path / "home", call("a"), call("b")[:150])
    assert load(store, "openclaw", home).rejected == 1
    assert costs(store) == [(None, Decimal(2), 1, 1, "PARTIALLY_PRICED")]
    assert store.read("SELECT request_key, cost_usd, request_count FROM request_facts ORDER BY 1").rows == [
        ("anthropic:a", Decimal(2), 1),
        (f"unread:{SESSION}", None, 0),
    ]


def test_it_is_whole_again_as_soon_as_the_line_is(store: Store, tmp_path: Path) -> None:
    home = write(tmp_path / "home", call("a"), call("b")[:150])
    load(store, "openclaw", home)
    load(store, "openclaw", write(home, call("a"), call("b")))
    assert costs(store) == [(Decimal(4), Decimal(4), 2, 0, "COMPLETE")]


def test_a_line_that_stays_unreadable_is_told_by_every_load_and_counted_once(store: Store, tmp_path: Path) -> None:
    home = write(tmp_path / "home", call("a"), "{not JSON")
    for _ in range(3):
        assert load(store, "openclaw", home).rejected == 1
        assert costs(store) == [(None, Decimal(2), 1, 1, "PARTIALLY_PRICED")]


def test_the_load_of_another_source_changes_nothing_about_it(store: Store, tmp_path: Path) -> None:
    load(store, "openclaw", write(tmp_path / "home", call("a"), "{not JSON"))
    load(store, "prices", tmp_path / "prices.csv")
    assert costs(store) == [(None, Decimal(2), 1, 1, "PARTIALLY_PRICED")]


@pytest.mark.parametrize("kind", ["claude-code", "codex"])
def test_transcripts_of_other_programs_say_it_of_their_sessions_too(store: Store, tmp_path: Path, kind: str) -> None:
    name = f"{SESSION}.jsonl" if kind == "claude-code" else f"rollout-2026-03-04T09-00-00-{SESSION}.jsonl"
    (tmp_path / "transcripts").mkdir()
    (tmp_path / "transcripts" / name).write_text("{not JSON\n")
    load(store, kind, tmp_path / "transcripts")
    assert store.read("SELECT session_id, cost_usd, cost_status FROM request_facts").rows == [
        (SESSION, None, "MISSING_USAGE")
    ]
