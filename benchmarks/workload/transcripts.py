"""A home with transcripts of Claude Code and of OpenClaw, of any size, and what it holds.

A session is turns: a prompt, then calls with tools. A call of Claude Code is three lines of one message (thinking,
text, tool call) that carry its usage while it streams, each result stands twice in its line, and every tenth session
was resumed: its file begins with a copy of the lines of another. OpenClaw writes one line a call, with its estimate of
the cost. Results of tools have 1 to 50 KB, mostly 2 to 8. The same seed writes the same bytes.
"""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

SEED = 7
STARTS = datetime(2026, 8, 1, tzinfo=UTC)
MODELS = ("claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5")
_WORDS = re.findall(
    r"\S+",
    "def return self import for in if not None the of and to value = ( ) [ ] { } : , . == -> str int list path error "
    "session request count tokens cost model agent transcript line store table index key status test assert raise "
    "with as from class function const let await async => error: warning: /srv/app/src/main.py",
)
_BETWEEN = (*(" " for _ in range(16)), ", ", "(", ")", "\n", "\n    ", "\n        ", '"', "'")
"""One character in thirty is escaped in JSON, as in source code."""
_BEYOND_ASCII = (" → ", " é", " ✓ ", " — ")
Json = dict[str, Any]


@dataclass(slots=True)
class Truth:
    """What a reader that counts every call once finds."""

    calls: int = 0
    output_tokens: int = 0
    lines: int = 0


@dataclass(slots=True)
class Writer:
    random: random.Random
    text: str
    truth: Truth = field(default_factory=Truth)

    def uuid(self) -> str:
        return str(UUID(int=self.random.getrandbits(128), version=4))

    def words(self, median: int, least: int, most: int) -> str:
        """A piece of the text, of a length with the long tail that results of tools have."""
        size = min(most, max(least, int(self.random.lognormvariate(math.log(median), 0.9))))
        start = self.random.randrange(len(self.text) - size)
        piece = self.text[start : start + size]
        return piece + self.random.choice(_BEYOND_ASCII) if self.random.random() < 0.15 else piece


def write_home(home: Path, size: int) -> dict[str, Truth]:
    """Writes `size` bytes, one half for each program; gives what each half holds."""
    chance = random.Random(SEED)
    text = "".join(f"{chance.choice(_WORDS)}{chance.choice(_BETWEEN)}" for _ in range(400_000))
    claude, openclaw = Writer(chance, text), Writer(chance, text)
    _write_claude(claude, home / ".claude" / "projects", size // 2)
    _write_openclaw(openclaw, home / ".openclaw" / "agents" / "main" / "sessions", size // 2)
    return {"claude": claude.truth, "openclaw": openclaw.truth}


def _write_claude(writer: Writer, projects: Path, size: int) -> None:
    written, number, history = 0, 0, b""
    while written < size:
        session, at = writer.uuid(), STARTS + timedelta(minutes=9 * number)
        folder = projects / f"-srv-project-{number % 12}"
        folder.mkdir(parents=True, exist_ok=True)
        lines = b"".join(orjson.dumps(line) + b"\n" for line in _claude_lines(writer, session, at))
        begun = history if number % 10 == 9 else b""
        (folder / f"{session}.jsonl").write_bytes(begun + lines)
        writer.truth.lines += begun.count(b"\n") + lines.count(b"\n")
        written += len(begun) + len(lines)
        history, number = lines[: lines.index(b"\n", len(lines) // 3) + 1], number + 1


def _claude_lines(writer: Writer, session: str, at: datetime) -> Iterator[Json]:
    chance, parent = writer.random, None
    model = chance.choice(MODELS)
    for _ in range(max(1, int(chance.lognormvariate(1.5, 0.7)))):
        for entry in _claude_turn(writer, model):
            at += timedelta(milliseconds=chance.randrange(200, 9_000))
            line = {
                "parentUuid": parent,
                "isSidechain": False,
                "userType": "external",
                "cwd": "/srv/project",
                "sessionId": session,
                "version": "2.1.39",
                "gitBranch": "main",
                **entry,
                "uuid": writer.uuid(),
                "timestamp": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            }
            parent = line["uuid"]
            yield line
    yield {"type": "summary", "summary": writer.words(60, 20, 200), "leafUuid": parent}


def _claude_turn(writer: Writer, model: str) -> Iterator[Json]:
    yield {"type": "user", "message": {"role": "user", "content": writer.words(200, 20, 4_000)}}
    for _ in range(max(1, int(writer.random.lognormvariate(1.6, 0.6)))):
        yield from _claude_call(writer, model)
        if writer.random.random() < 0.3:
            data = {"type": "hook_progress", "hookEvent": "PostToolUse", "hookName": "PostToolUse:Bash"}
            yield {"type": "progress", "data": data, "toolUseID": f"toolu_{writer.uuid()}"}


def _claude_call(writer: Writer, model: str) -> Iterator[Json]:
    chance, call, request = writer.random, writer.uuid().replace("-", ""), writer.uuid().replace("-", "")
    tool = f"toolu_{call[:24]}"
    written, output = chance.randrange(0, 4_000), chance.randrange(40, 3_000)
    blocks: tuple[Json, ...] = (
        {"type": "thinking", "thinking": writer.words(700, 50, 8_000), "signature": call * 12},
        {"type": "text", "text": writer.words(300, 20, 6_000)},
        {"type": "tool_use", "id": tool, "name": "Bash", "input": {"command": writer.words(300, 20, 20_000)}},
    )
    for block in blocks:
        is_last = block["type"] == "tool_use"
        usage = {
            "input_tokens": 3,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": 30_000 + written * 7,
            "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output if is_last else 8,
            "service_tier": "standard",
            "inference_geo": "global",
        }
        message = {"id": f"msg_01{call[:22]}", "type": "message", "role": "assistant", "model": model}
        message |= {"content": [block], "stop_reason": "tool_use" if is_last else None, "stop_sequence": None}
        yield {"type": "assistant", "requestId": f"req_01{request[:22]}", "message": message | {"usage": usage}}
    result = writer.words(3_500, 1_000, 50_000)
    content = [{"type": "tool_result", "tool_use_id": tool, "content": result, "is_error": False}]
    answer = {"stdout": result, "stderr": "", "interrupted": False, "isImage": False}
    yield {"type": "user", "message": {"role": "user", "content": content}, "toolUseResult": answer}
    writer.truth.calls += 1
    writer.truth.output_tokens += output


def _write_openclaw(writer: Writer, folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    written, number = 0, 0
    while written < size:
        session, at = writer.uuid(), STARTS + timedelta(minutes=9 * number)
        lines = b"".join(orjson.dumps(line) + b"\n" for line in _openclaw_lines(writer, session, at))
        (folder / f"{session}.jsonl").write_bytes(lines)
        writer.truth.lines += lines.count(b"\n")
        written, number = written + len(lines), number + 1


def _openclaw_lines(writer: Writer, session: str, at: datetime) -> Iterator[Json]:
    chance, model, parent = writer.random, writer.random.choice(MODELS), None
    stamp = f"{at:%Y-%m-%dT%H:%M:%S.000Z}"
    yield {"type": "session", "version": 3, "id": session, "timestamp": stamp, "cwd": "/srv/claw"}
    for _ in range(max(1, int(chance.lognormvariate(2.5, 0.9)))):
        for message in _openclaw_turn(writer, model):
            begun, at = at, at + timedelta(milliseconds=chance.randrange(200, 9_000))
            stamp = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"
            entry = f"{chance.getrandbits(32):08x}"
            made = {"timestamp": int(begun.timestamp() * 1_000)}
            yield {"type": "message", "id": entry, "parentId": parent, "timestamp": stamp, "message": message | made}
            parent = entry


def _openclaw_turn(writer: Writer, model: str) -> Iterator[Json]:
    chance = writer.random
    if chance.random() < 0.2:
        yield {"role": "user", "content": [{"type": "text", "text": writer.words(200, 20, 4_000)}]}
    tool, written, output = writer.uuid(), chance.randrange(0, 4_000), chance.randrange(40, 3_000)
    costs = {"input": 0.000009, "output": output * 0.000015, "cacheRead": 0.009, "cacheWrite": written * 0.00000375}
    tokens = {"input": 3, "output": output, "cacheRead": 30_000, "cacheWrite": written}
    yield {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": writer.words(700, 50, 8_000), "thinkingSignature": tool * 10},
            {"type": "text", "text": writer.words(300, 20, 6_000)},
            {"type": "toolCall", "id": tool, "name": "exec", "arguments": {"command": writer.words(300, 20, 20_000)}},
        ],
        "api": "anthropic-messages",
        "provider": "anthropic",
        "model": model,
        "usage": tokens
        | {"totalTokens": sum(tokens.values()), "cost": costs | {"total": round(sum(costs.values()), 8)}},
        "stopReason": "toolUse",
    }
    result = [{"type": "text", "text": writer.words(5_000, 1_000, 50_000)}]
    yield {"role": "toolResult", "toolCallId": tool, "toolName": "exec", "content": result, "isError": False}
    writer.truth.calls += 1
    writer.truth.output_tokens += output
