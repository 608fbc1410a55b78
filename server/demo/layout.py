"""Where OpenClaw keeps what, and under which names: the whole state directory as pairs of a path and its bytes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import orjson
from zstandard import ZstdCompressor

from server.demo.cast import CONTEXT_WINDOW, MODELS, Model
from server.demo.cron import jobs_file, run_log
from server.demo.messages import run_id, usage
from server.demo.session import DAY, MINUTE, PlannedSession, iso
from server.demo.stores import checkpoint_id, reaped_ms, session_store, subagent_registry
from server.demo.timetable import AGENTS, JOBS
from server.demo.transcripts import STATE, line, transcript, until_compaction

File = tuple[str, bytes]


def state_files(sessions: Sequence[PlannedSession], days: Sequence[date], now_ms: int) -> Iterator[File]:
    """Paths are relative to the state directory."""
    yield "openclaw.json", _json({"agents": {"list": [{"id": agent} for agent in AGENTS]}, "models": _catalogue()})
    for agent in AGENTS:
        own = [session for session in sessions if session.agent == agent]
        for name, content in _agent_files(own, now_ms):
            yield f"agents/{agent}/{name}", content
    logs = [(job, run_log(job, (s for s in sessions if s.job is job), days)) for job in JOBS]
    yield "cron/jobs.json", _json(jobs_file(logs, days))
    for job, log in logs:
        yield f"cron/runs/{job.id}.jsonl", b"".join(map(line, log))
    yield "subagents/runs.json", _json(subagent_registry(sessions, now_ms))


def _agent_files(sessions: Sequence[PlannedSession], now_ms: int) -> Iterator[File]:
    yield "agent/models.json", _json(_catalogue())
    yield "sessions/sessions.json", _json(session_store(sessions, now_ms))
    saved_ms = now_ms - 10 * DAY
    saved = [session for session in sessions if session.ended_ms < saved_ms]
    yield f"sessions/sessions.json.bak.{saved_ms}", _json(session_store(saved, saved_ms))
    yield "sessions/.usage-cost-cache.json", _json({"version": 1, "updatedAt": now_ms, "files": {}})
    next_start: dict[str, int] = {}
    for session in reversed(sessions):
        if session.fate.trace != "no transcript":
            for name, content in _session_files(session, next_start.get(session.key), now_ms):
                yield f"sessions/{name}", content
        next_start[session.key] = session.started_ms


def _session_files(session: PlannedSession, next_start_ms: int | None, now_ms: int) -> Iterator[File]:
    lines, name = transcript(session), _stem(session) + ".jsonl"
    content = b"".join(lines)
    archived = _archived_as(session, next_start_ms, now_ms)
    yield name + archived, ZstdCompressor().compress(content) if archived.endswith(".zst") else content
    match session.twist:
        case "backed up":
            yield f"{name}.bak.{_stamp(session.ended_ms + MINUTE)}", content
        case "compacted":
            yield f"{_stem(session)}.checkpoint.{checkpoint_id(session)}.jsonl", b"".join(until_compaction(lines))
        case "traced":
            path = f"{STATE}/agents/{session.agent}/sessions/{_stem(session)}.trajectory.jsonl"
            yield f"{_stem(session)}.trajectory-path.json", _json({"path": path})
            yield f"{_stem(session)}.trajectory.jsonl", b"".join(_trajectory(session))


def _stem(session: PlannedSession) -> str:
    topic = session.channel.topic if session.channel else None
    return f"{session.session_id}-topic-{topic}" if topic else session.session_id


def _archived_as(session: PlannedSession, next_start_ms: int | None, now_ms: int) -> str:
    """The suffix of an archive: a cron run is deleted after a day, a chat is reset by the next one in its channel."""
    if session.job and reaped_ms(session) <= now_ms:
        is_old = reaped_ms(session) < now_ms - 30 * DAY
        return f".deleted.{_stamp(reaped_ms(session))}{'.zst' if is_old else ''}"
    if session.channel and next_start_ms:
        return f".reset.{_stamp(next_start_ms)}"
    return ""


def _stamp(ms: int) -> str:
    return iso(ms).replace(":", "-")


def _trajectory(session: PlannedSession) -> Iterator[bytes]:
    """A debugging trace that tells the calls once more, with their usage."""
    envelope = {"traceSchema": "openclaw-trajectory", "schemaVersion": 1, "sessionId": session.session_id}
    for seq, call in enumerate(session.calls):
        data = {"provider": call.model.provider, "modelId": call.model.name, "usage": usage(call)}
        told = {"type": "model.completed", "ts": iso(call.ended_ms), "seq": seq, "runId": run_id(session), "data": data}
        yield line(envelope | told)


def _catalogue() -> dict[str, object]:
    """OpenClaw's own prices, in USD per million tokens."""
    providers = dict.fromkeys(model.provider for model in MODELS)
    return {"providers": {name: _provider([m for m in MODELS if m.provider == name]) for name in providers}}


def _provider(models: list[Model]) -> dict[str, object]:
    return {"api": models[0].api, "models": [_listed(model) for model in models]}


def _listed(model: Model) -> dict[str, object]:
    usd = model.catalogue
    cost = {"input": usd.input, "output": usd.output, "cacheRead": usd.cache_read, "cacheWrite": usd.cache_write}
    in_doubles = {name: float(rate) for name, rate in cost.items()}
    return {"id": model.name, "contextWindow": CONTEXT_WINDOW, "cost": in_doubles}


def _json(value: Mapping[str, object]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
