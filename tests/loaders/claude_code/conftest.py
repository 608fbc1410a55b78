"""Transcripts of Claude Code that a test writes entry by entry."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loaders.claude_code import read
from loaders.item import Ignored, Item, Parsed, Rejected
from store import Request, Session

Json = dict[str, object]
Write = Callable[..., Path]

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
SESSION = "7b1f0d52-3c7e-4b51-9a44-0e2f5c9d1a10"
OTHER = "e0000000-0000-4000-8000-000000000002"
ASKED, ANSWERED = "2026-03-04T09:00:00Z", "2026-03-04T09:00:05Z"


def at(iso: str) -> datetime:
    return datetime.fromisoformat(iso)


def usage(output: int = 85) -> Json:
    """12 in, 9,000 read from the cache, 640 written to it: 600 for five minutes and 40 for an hour."""
    return {
        "input_tokens": 12,
        "cache_creation_input_tokens": 640,
        "cache_read_input_tokens": 9000,
        "cache_creation": {"ephemeral_5m_input_tokens": 600, "ephemeral_1h_input_tokens": 40},
        "output_tokens": output,
    }


def user(content: object = "list open tickets", timestamp: str = ASKED, **entry: object) -> Json:
    message = {"role": "user", "content": content}
    return {"type": "user", "uuid": "u1", "sessionId": SESSION, "timestamp": timestamp, "message": message, **entry}


def answer(output: int = 85, timestamp: str = ANSWERED, message: Json | None = None, **entry: object) -> Json:
    whole: Json = {"id": "msg_1", "role": "assistant", "model": "claude-demo-4", "usage": usage(output)}
    return {
        "type": "assistant",
        "uuid": "a1",
        "sessionId": SESSION,
        "requestId": "req_1",
        "timestamp": timestamp,
        "message": whole | (message or {}),
        **entry,
    }


def failure(timestamp: str = "2026-03-04T09:00:09Z") -> Json:
    message: Json = {"id": "2d3f", "model": "<synthetic>", "usage": {"input_tokens": 0, "output_tokens": 0}}
    return answer(timestamp=timestamp, message=message, isApiErrorMessage=True)


def progress(agent: str = "c0ffee1", nested: Json | None = None) -> Json:
    data = {"type": "agent_progress", "agentId": agent, "message": nested or answer(3)}
    return {"type": "progress", "uuid": "p1", "sessionId": SESSION, "timestamp": ANSWERED, "data": data}


@pytest.fixture
def projects(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / "projects"


@pytest.fixture
def write(projects: Path) -> Write:
    """Writes a transcript below `projects/-srv-claw`; gives its path."""

    def written(*entries: Json | str, name: str = f"{SESSION}.jsonl") -> Path:
        path = projects / "-srv-claw" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    return written


def items(home: Path, now: datetime = NOW) -> list[Item]:
    return list(read(home, now=now))


def requests(found: Iterable[Item]) -> list[Request]:
    return [record for record in _records(found) if isinstance(record, Request)]


def sessions(found: Iterable[Item]) -> list[Session]:
    return [record for record in _records(found) if isinstance(record, Session)]


def rules(found: Iterable[Item]) -> list[str]:
    return [item.rule for item in found if isinstance(item, Ignored)]


def reasons(found: Iterable[Item]) -> list[str]:
    return [item.reason for item in found if isinstance(item, Rejected)]


def _records(found: Iterable[Item]) -> list[object]:
    return [record for item in found if isinstance(item, Parsed) for record in item.records]
