"""One message that Claude Code, OpenClaw and a log of answers have: one call, at the price of what is known best."""

import json
from decimal import Decimal
from itertools import permutations
from pathlib import Path

import pytest

from loaders import claude_code, openclaw, responses
from loaders.item import Location, Parsed
from loaders.job import run_load
from store import Price, Store
from tests.loaders.claude_code.conftest import ANSWERED, NOW, Json, answer, at
from tests.stores import new_store

PRICE = Price(
    price_id="P1",
    source="prices",
    provider="anthropic",
    model="claude-demo-4",
    effective_from=at("2026-01-01T00:00:00Z"),
    input=Decimal(5),
    cache_read=Decimal("0.50"),
    cache_write_5m=Decimal("6.25"),
    cache_write_1h=Decimal(10),
    output=Decimal(25),
)
USED: Json = {
    "input_tokens": 10,
    "cache_creation_input_tokens": 1000,
    "cache_read_input_tokens": 9000,
    "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 1000},
    "output_tokens": 20,
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def put(path: Path, *lines: Json) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def write(home: Path, used: Json) -> None:
    """OpenClaw's record of an answer has no lifetimes and no terms."""
    message = {
        "role": "assistant",
        "api": "anthropic-messages",
        "provider": "anthropic",
        "model": "claude-demo-4",
        "responseId": "msg_1",
        "usage": {"input": 10, "output": 20, "cacheRead": 9000, "cacheWrite": 1000, "totalTokens": 10030},
    }
    put(
        home / "openclaw/agents/main/sessions/s-1.jsonl",
        {"type": "session", "version": 3, "id": "s-1", "timestamp": ANSWERED, "cwd": "/"},
        {"type": "message", "id": "a1", "timestamp": ANSWERED, "message": message},
    )
    put(home / "projects/p/s-2.jsonl", answer(message={"usage": used}))
    body = {"id": "msg_1", "type": "message", "model": "claude-demo-4", "usage": used}
    put(home / "log/answers.jsonl", {"at": ANSWERED, "provider": "anthropic", "response": body})


def load(store: Store, home: Path, source: str) -> int:
    items = {
        "openclaw": lambda: openclaw.read(home / "openclaw", now=NOW),
        "claude-code": lambda: claude_code.read(home / "projects", now=NOW),
        "responses": lambda: responses.read(home / "log/answers.jsonl", now=NOW),
    }[source]()
    report = run_load(store, source, source, items, now=NOW)
    assert report.rejected == 0
    return report.conflicts


ORDERS = list(permutations(("openclaw", "claude-code", "responses")))


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_the_stated_lifetimes_of_cache_writes_are_priced_in_any_order(home: Path, order: tuple[str, ...]) -> None:
    write(home, USED)
    with new_store() as store:
        run_load(store, "prices", "p.csv", [Parsed(Location("p.csv"), (PRICE,))], now=NOW)
        assert [load(store, home, source) for source in order] == [0, 0, 0]
        stored = store.read("SELECT request_key, cache_write_5m_tokens, cache_write_1h_tokens, cost_usd FROM requests")
        # In millionths: input 50, cache reads 4,500, cache writes 10,000, output 500; as five minutes they were 6,250.
        assert stored.rows == [("anthropic:msg_1", 0, 1000, Decimal("0.01505"))]


@pytest.mark.parametrize("order", ORDERS, ids=", ".join)
def test_a_call_in_fast_mode_has_no_price_whoever_else_tells_of_it(home: Path, order: tuple[str, ...]) -> None:
    write(home, USED | {"speed": "fast"})
    with new_store() as store:
        run_load(store, "prices", "p.csv", [Parsed(Location("p.csv"), (PRICE,))], now=NOW)
        assert [load(store, home, source) for source in order] == [0, 0, 0]
        stored = store.read("SELECT cost_usd, cost_status, unpriced_part FROM requests")
        assert stored.rows == [(None, "UNPRICED", "fast mode")]
