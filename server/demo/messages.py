"""Messages of a transcript: what is asked and by whom, what the model answers and uses, what a tool says."""

from collections.abc import Mapping
from typing import NamedTuple

from server.demo.cast import Trigger
from server.demo.prices import MILLION, amount_usd
from server.demo.session import Call, PlannedSession

Json = Mapping[str, object]

FAILURES = {"error": "529 overloaded", "aborted": "Request was aborted."}
_SPREAD = 0x9E3779B1  # odd, so n * _SPREAD takes every value once in 32 bits: ids are unique inside a file
_ID_PREFIX = {"anthropic": "msg", "openai": "resp"}
_PROVENANCE: Mapping[Trigger, Json] = {
    "cron": {"kind": "internal_system", "sourceTool": "cron"},
    "heartbeat": {"kind": "internal_system", "sourceTool": "heartbeat"},
    "webhook": {"kind": "external_user", "sourceChannel": "webhook"},
}


class Entry(NamedTuple):
    at_ms: int
    type: str
    fields: Json
    after: int | None = None
    """Index of the entry that it follows, where that is not the one before."""


def entry_id(session: PlannedSession, n: int) -> str:
    return f"{(int(session.session_id[:8], 16) + n * _SPREAD) & 0xFFFFFFFF:08x}"


def run_id(session: PlannedSession) -> str:
    return f"run-{session.session_id[:13]}"


def response_id(session: PlannedSession, call: Call, n: int) -> str | None:
    if not (session.records_response_ids and call.model.gives_response_id) or call.stop == "error":
        return None
    return f"{_ID_PREFIX[call.model.provider]}_{session.session_id.replace('-', '')[:22]}{n:02d}"


def usage(call: Call) -> Json:
    """The tokens, and OpenClaw's own estimate: a binary double at its catalogue's price, as JavaScript writes it."""
    tokens, rates = call.tokens, call.model.catalogue
    cost = {
        "input": tokens.input * rates.input / MILLION,
        "output": tokens.output * rates.output / MILLION,
        "cacheRead": tokens.cache_read * rates.cache_read / MILLION,
        "cacheWrite": tokens.cache_write * rates.cache_write / MILLION,
        "total": amount_usd(tokens, rates),
    }
    return {
        "input": tokens.input,
        "output": tokens.output,
        "cacheRead": tokens.cache_read,
        "cacheWrite": tokens.cache_write,
        "totalTokens": sum(tokens),
        "cost": {name: float(usd) for name, usd in cost.items()},
    }


def user(session: PlannedSession, at_ms: int, turn: int, after: int | None) -> Entry:
    text = session.pick(session.work.asks, turn)
    if session.job:
        text = f"[cron:{session.job.id} {session.job.name}] {text}"
    content = [{"type": "text", "text": text}]
    message = {"role": "user", "content": content, "timestamp": at_ms - 5, "provenance": _provenance(session)}
    return Entry(at_ms, "message", {"message": message}, after)


def _provenance(session: PlannedSession) -> Json:
    if session.spawned_by:
        source = {"sourceSessionKey": session.spawned_by.key, "originSessionId": session.spawned_by.session_id}
        return {"kind": "inter_session", **source, "sourceTool": "sessions_spawn"}
    if session.trigger == "human":
        return {"kind": "external_user", "sourceChannel": session.channel.source if session.channel else "webchat"}
    return _PROVENANCE[session.trigger]


def assistant(session: PlannedSession, call: Call, n: int, turn: int) -> Entry:
    message: dict[str, object] = {
        "role": "assistant",
        "content": _content(session, call, n, turn),
        "api": call.model.api,
        "provider": call.model.provider,
        "model": call.model.name,
        "usage": usage(call),
        "stopReason": call.stop,
        "timestamp": call.started_ms,
    }
    if given := response_id(session, call, n):
        message["responseId"] = given
    if call.stop in FAILURES:
        message["errorMessage"] = FAILURES[call.stop]
    if call.stop == "aborted" and session.fate.ending == "aborted":
        message["openclawAbort"] = {"aborted": True, "origin": "rpc", "runId": run_id(session)}
    return Entry(call.ended_ms, "message", {"message": message})


def _content(session: PlannedSession, call: Call, n: int, turn: int) -> list[Json]:
    match call.stop:
        case "error":
            return []
        case "toolUse":
            wanted = {"name": session.work.tool, "arguments": {"command": f"step {n + 1}"}}
            return [{"type": "toolCall", "id": _tool_call_id(session, n), **wanted}]
        case "aborted":
            return [{"type": "text", "text": "Let me"}]
        case "stop":
            return [{"type": "text", "text": reply(session, turn)}]


def reply(session: PlannedSession, turn: int) -> str:
    is_idle = session.fate.outcome in {None, "IDLE_EXIT"}
    if is_idle and session.work.idle_reply:
        return session.work.idle_reply
    return session.pick(session.work.replies, turn - 1)


def _tool_call_id(session: PlannedSession, n: int) -> str:
    return f"call_{session.session_id[:8]}{n:02d}"


def tool_result(session: PlannedSession, call: Call, n: int) -> Entry:
    message = {
        "role": "toolResult",
        "toolCallId": _tool_call_id(session, n),
        "toolName": session.work.tool,
        "content": [{"type": "text", "text": "done"}],
        "isError": False,
        "timestamp": call.ended_ms + 290,
    }
    return Entry(call.ended_ms + 300, "message", {"message": message})


def mirror(session: PlannedSession, turn: int) -> Entry:
    """OpenClaw's copy of a text that went out by other means: it looks like a call and is none."""
    at_ms = session.calls[-1].ended_ms + 250
    nothing = {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "total": 0}
    message = {
        "role": "assistant",
        "content": [{"type": "text", "text": reply(session, turn)}],
        "api": "openai-responses",
        "provider": "openclaw",
        "model": "delivery-mirror",
        "usage": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0, "totalTokens": 0, "cost": nothing},
        "stopReason": "stop",
        "timestamp": at_ms,
    }
    return Entry(at_ms, "message", {"message": message})
