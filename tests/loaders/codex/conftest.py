"""Rollouts of Codex that a test writes entry by entry."""

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loaders.codex import read
from loaders.item import Ignored, Item, Parsed, Rejected
from loaders.job import run_load
from store import LoadReport, Request, Session, Store
from tests.stores import new_store

Json = dict[str, object]
Write = Callable[..., Path]

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


def at(iso: str) -> datetime:
    return datetime.fromisoformat(iso)


def uuid7(iso: str, number: int) -> str:
    """An id that was made at an instant."""
    milliseconds = f"{int(at(iso).timestamp() * 1000):012x}"
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7000-8000-{number:012x}"


BORN, ASKED, ANSWERED = "2026-03-04T09:00:00Z", "2026-03-04T09:00:03Z", "2026-03-04T09:00:09Z"
FORKED, LATER = "2026-03-05T10:00:00Z", "2026-03-05T10:00:20Z"
SESSION, FORK, SIBLING = uuid7(BORN, 1), uuid7(FORKED, 2), uuid7(FORKED, 3)
TURN, NEXT_TURN, FORK_TURN = uuid7(ASKED, 11), uuid7("2026-03-04T09:05:00Z", 12), uuid7("2026-03-05T10:00:05Z", 13)
PLUS: Json = {"plan_type": "plus", "primary": {"used_percent": 12.5, "window_minutes": 300}, "secondary": None}


def line(kind: str, payload: Json, timestamp: str = ASKED) -> Json:
    return {"timestamp": timestamp, "type": kind, "payload": payload}


def meta(session: str = SESSION, timestamp: str = BORN, written: str | None = None, **fields: object) -> Json:
    payload: Json = {"id": session, "timestamp": timestamp, "cwd": "/srv", "originator": "codex_cli_rs"}
    payload |= {"cli_version": "0.98.0", "source": "cli", "model_provider": "openai"} | fields
    return line("session_meta", payload, written or timestamp)


def context(turn: str | None = TURN, model: str | None = "gpt-demo", timestamp: str = ASKED) -> Json:
    return line("turn_context", {"turn_id": turn, "model": model, "cwd": "/srv"}, timestamp)


def event(kind: str, timestamp: str = ASKED, **fields: object) -> Json:
    return line("event_msg", {"type": kind, **fields}, timestamp)


def user(said: str = "list open tickets", timestamp: str = ASKED) -> Json:
    return event("user_message", timestamp, message=said)


def answer(timestamp: str = ANSWERED) -> Json:
    content = [{"type": "output_text", "text": "three"}]
    return line("response_item", {"type": "message", "role": "assistant", "content": content}, timestamp)


def tokens(used: int, cached: int = 0, output: int = 10, **fields: int) -> Json:
    return {"input_tokens": used, "cached_input_tokens": cached, "output_tokens": output, **fields}


def counted(total: Json | None, last: Json | None, timestamp: str = ANSWERED, limits: Json | None = None) -> Json:
    info = {"total_token_usage": total, "last_token_usage": last, "model_context_window": 272000}
    return event("token_count", timestamp, info=info, rate_limits=limits)


def record(used: Json, turn: str | None = TURN, timestamp: str = ANSWERED, **fields: object) -> Json:
    payload: Json = {"thread_id": SESSION, "turn_id": turn, "response_id": "resp_1", "usage": used}
    return line("token_usage_record", payload | fields, timestamp)


def conversation() -> list[Json]:
    """Two calls of 100 and 150 tokens of input in one turn."""
    return [
        meta(),
        event("task_started", turn_id=TURN),
        context(),
        user(),
        answer(),
        counted(tokens(100), tokens(100)),
        answer(),
        counted(tokens(250, 80, 30), tokens(150, 80, 20)),
        event("task_complete", ANSWERED, turn_id=TURN),
    ]


def again(entries: Iterable[Json], timestamp: str) -> list[Json]:
    """As a fork copies them: with the time of the copying."""
    return [entry | {"timestamp": timestamp} for entry in entries]


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".codex"


@pytest.fixture
def write(home: Path) -> Write:
    """Writes a rollout below `sessions`; gives its path."""

    def written(*entries: Json | str, session: str = SESSION, name: str | None = None) -> Path:
        path = home / (name or f"sessions/2026/03/04/rollout-2026-03-04T10-00-00-{session}.jsonl")
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
        path.write_text("".join(f"{entry}\n" for entry in lines))
        return path

    return written


def items(home: Path, now: datetime = NOW) -> list[Item]:
    return list(read(home, now=now))


def load(store: Store, home: Path, now: datetime = NOW) -> LoadReport:
    return run_load(store, "codex", str(home), read(home, now=now), now=now)


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
