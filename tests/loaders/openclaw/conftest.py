"""A state directory that a test writes entry by entry, in the formats of the file era."""

import atexit
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from loaders.item import Ignored, Item, Parsed, Rejected
from loaders.job import run_load
from loaders.openclaw import read
from loaders.openclaw.calls import Owner
from loaders.openclaw.transcript import read_transcript
from loaders.source import read_lines
from store import Request, Session, Store

Json = dict[str, object]

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SESSION = "7b1f0d52-3c7e-4b51-9a44-0e2f5c9d1a10"
OTHER = "e0000000-0000-4000-8000-000000000002"
ANSWERED = "2026-03-04T09:00:05Z"
USAGE: Json = {"input": 12, "output": 85, "cacheRead": 9000, "cacheWrite": 640, "totalTokens": 9737}
NOTHING: Json = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 0}


def at(iso: str) -> datetime:
    return datetime.fromisoformat(iso)


def ms(iso: str) -> int:
    return int(at(iso).timestamp() * 1000)


def header(session: str = SESSION, timestamp: str = "2026-03-04T09:00:00Z", **more: object) -> Json:
    return {"type": "session", "version": 3, "id": session, "timestamp": timestamp, "cwd": "/srv/claw", **more}


def user(content: object = "list open tickets", timestamp: str = "2026-03-04T09:00:01Z", **message: object) -> Json:
    return {
        "type": "message",
        "id": "a0000001",
        "timestamp": timestamp,
        "message": {"role": "user", "content": content, "timestamp": ms(timestamp), **message},
    }


def answer(entry_id: str = "a0000002", timestamp: str = ANSWERED, **message: object) -> Json:
    """An assistant message that took one second; a keyword that is None leaves the field out."""
    whole: Json = {
        "role": "assistant",
        "content": [{"type": "text", "text": "3 tickets are open"}],
        "api": "anthropic-messages",
        "provider": "anthropic",
        "model": "claude-demo-4",
        "usage": USAGE,
        "stopReason": "stop",
        "timestamp": ms(timestamp) - 1000,
        **message,
    }
    kept = {name: value for name, value in whole.items() if value is not None}
    return {"type": "message", "id": entry_id, "parentId": None, "timestamp": timestamp, "message": kept}


def prompt_error(error: str, timestamp: str = "2026-03-04T09:00:09Z") -> Json:
    data = {
        "timestamp": ms(timestamp),
        "runId": "r-1",
        "provider": "anthropic",
        "model": "claude-demo-4",
        "error": error,
    }
    return {
        "type": "custom",
        "id": "a0000009",
        "timestamp": timestamp,
        "customType": "openclaw:prompt-error",
        "data": data,
    }


def encoded(*entries: Json | str) -> bytes:
    lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
    return "".join(f"{line}\n" for line in lines).encode()


def requests(items: Iterable[Item]) -> list[Request]:
    return [record for record in _records(items) if isinstance(record, Request)]


def sessions(items: Iterable[Item]) -> list[Session]:
    return [record for record in _records(items) if isinstance(record, Session)]


def rules(items: Iterable[Item]) -> list[str]:
    return [item.rule for item in items if isinstance(item, Ignored)]


def reasons(items: Iterable[Item]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Rejected)]


def _records(items: Iterable[Item]) -> list[object]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records]


class Home:
    """A state directory under construction."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "agents").mkdir(parents=True)

    def write(self, name: str, content: bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def transcript(self, *entries: Json | str, name: str = f"{SESSION}.jsonl", agent: str = "main") -> Path:
        return self.write(f"agents/{agent}/sessions/{name}", encoded(*entries))

    def store(self, entries: Json, agent: str = "main") -> Path:
        return self.write(f"agents/{agent}/sessions/sessions.json", json.dumps(entries).encode())

    def cron_log(self, *runs: Json | str, name: str = "job-nightly.jsonl") -> Path:
        return self.write(f"cron/runs/{name}", encoded(*runs))

    def registry(self, runs: Json, version: int = 2) -> Path:
        return self.write("subagents/runs.json", json.dumps({"version": version, "runs": runs}).encode())

    def items(self, now: datetime = NOW) -> list[Item]:
        return list(read(self.root, now=now))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".openclaw")


def transcript_items(path: Path, *entries: Json | str, now: datetime = NOW, is_archive: bool = False) -> list[Item]:
    """The items of one transcript whose file is named after `SESSION` and lies with agent `main`."""
    path.write_bytes(encoded(*entries))
    owner = Owner(SESSION, "main", started_at=None)
    return list(read_transcript(read_lines(path, path.name), owner, now, is_archive=is_archive))


def distinct_calls(items: Iterable[Item]) -> list[tuple[object, ...]]:
    """Session, output tokens and the number of calls, each key once: what a store keeps where one session has a key."""
    calls = {call.request_key: call for call in requests(items)}
    assert len({(call.request_key, call.session_id) for call in requests(items)}) == len(calls)
    by_session: dict[str | None, list[int | None]] = {}
    for call in calls.values():
        by_session.setdefault(call.session_id, []).append(call.output_tokens)
    return [
        (session, None if None in outputs else sum(output or 0 for output in outputs), len(outputs))
        for session, outputs in sorted(by_session.items(), key=str)
    ]


Stored = dict[str, tuple[object, ...]]


@cache
def _store() -> Store:
    """One for all tests, because opening one takes longer than such a test; each writes under a prefix of its own."""
    store = Store.open(None)
    atexit.register(store.close)
    return store


_prefixes = count()


def stored_sessions(items: Iterable[Item], columns: str, now: datetime = NOW) -> Stored:
    """What a real store makes of the items: session id -> the columns, once all evidence is merged."""
    rows = _stored(
        items, "SELECT session_id, {columns} FROM sessions WHERE starts_with(session_id, $prefix)", columns, now
    )
    return {str(row[0]): row[1:] for row in rows}


def stored_calls(items: Iterable[Item], now: datetime = NOW) -> list[tuple[object, ...]]:
    """Session, output tokens and the number of calls, of what is stored."""
    asked = """
        SELECT session_id, {columns} FROM requests WHERE starts_with(session_id, $prefix)
        GROUP BY session_id ORDER BY session_id"""
    return _stored(items, asked, "sum(output_tokens)::BIGINT, count(*)", now)


def _stored(items: Iterable[Item], asked: str, columns: str, now: datetime) -> list[tuple[object, ...]]:
    prefix = f"{next(_prefixes)}|"
    run_load(_store(), "openclaw", prefix, [_prefixed(item, prefix) for item in items], now=now)
    rows = _store().read(asked.format(columns=columns), {"prefix": prefix}).rows
    return [tuple(v.removeprefix(prefix) if isinstance(v, str) else v for v in row) for row in rows]


def _prefixed(item: Item, prefix: str) -> Item:
    if not isinstance(item, Parsed):
        return item
    ids = ("session_id", "parent_session_id", "request_key")
    return replace(
        item,
        records=tuple(
            replace(record, **{name: prefix + value for name in ids if (value := getattr(record, name, None))})
            for record in item.records
        ),
    )
