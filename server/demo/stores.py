"""OpenClaw's `sessions.json` and its registry of subagents: who is who, with counters as wrong as the real ones."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from server.demo.cast import CONTEXT_WINDOW, Ending
from server.demo.messages import Json, run_id
from server.demo.prices import amount_usd
from server.demo.session import DAY, MINUTE, Call, PlannedSession

INFLATION = 9
"""`estimatedCostUsd` adds a run's estimate again with every store update; no spend may be read from it."""
STATUS: dict[Ending, str] = {
    "success": "done",
    "error": "failed",
    "timeout": "timeout",
    "aborted": "killed",
    "lost": "running",
    "running": "running",
}
_OUTCOME: dict[Ending, tuple[str, str]] = {
    "success": ("ok", "subagent-complete"),
    "error": ("error", "subagent-error"),
    "timeout": ("timeout", "subagent-error"),
    "aborted": ("killed", "subagent-killed"),
}


def session_store(sessions: Iterable[PlannedSession], now_ms: int) -> dict[str, Json]:
    """One agent's store: a key holds its latest session only; keys of cron runs are gone a day after the run."""
    latest: dict[str, PlannedSession] = {}
    family: defaultdict[str, list[str]] = defaultdict(list)
    for session in sessions:
        latest[session.key] = session
        if session.job is None:
            family[session.key].append(session.session_id)
        elif reaped_ms(session) > now_ms:
            latest[f"{session.key}:run:{session.session_id}"] = session
    return {key: _entry(session, key, family[key][:-1]) for key, session in latest.items()}


def reaped_ms(session: PlannedSession) -> int:
    """When OpenClaw archives the transcript of a cron run and forgets its key."""
    return session.ended_ms + DAY + 7 * MINUTE


def checkpoint_id(session: PlannedSession) -> str:
    return str(UUID(int=UUID(session.session_id).int ^ 0xC0FFEE, version=4))


def subagent_registry(sessions: Iterable[PlannedSession], now_ms: int) -> Json:
    """Entries are swept two days after the run."""
    recent = (s for s in sessions if s.spawned_by and s.ended_ms + 2 * DAY > now_ms)
    return {"version": 2, "runs": {run_id(session): _subagent_run(session, session.spawned_by) for session in recent}}


def _entry(session: PlannedSession, key: str, earlier_ids: list[str]) -> Json:
    model, is_open = session.work.model, session.fate.ending in {"lost", "running"}
    run = _last_run(session)
    started_ms = run[0].started_ms if run else session.started_ms
    entry: dict[str, object] = {
        "sessionId": session.session_id,
        "updatedAt": session.ended_ms,
        "status": STATUS[session.fate.ending],
        "startedAt": started_ms,
        "abortedLastRun": session.fate.ending == "aborted",
        "modelProvider": model.provider,
        "model": model.name,
        "contextTokens": CONTEXT_WINDOW,
        **_counters(session, run),
    }
    if not is_open:
        entry |= {"endedAt": session.ended_ms, "runtimeMs": session.ended_ms - started_ms}
    if earlier_ids:
        entry |= {"usageFamilyKey": key, "usageFamilySessionIds": [*earlier_ids, session.session_id]}
    return entry | _relations(session)


def _last_run(session: PlannedSession) -> tuple[Call, ...]:
    """The store speaks of the last turn alone: the calls since the answer before."""
    answered = [n for n, call in enumerate(session.calls[:-1], start=1) if call.stop == "stop"]
    return session.calls[answered[-1] if answered else 0 :]


def _counters(session: PlannedSession, run: tuple[Call, ...]) -> Json:
    if not run:
        return {"totalTokensFresh": False}
    estimate = sum((amount_usd(call.tokens, call.model.catalogue) for call in session.calls), Decimal(0))
    return {
        "inputTokens": sum(call.tokens.input for call in run),
        "outputTokens": sum(call.tokens.output for call in run),
        "cacheRead": run[-1].tokens.cache_read,
        "cacheWrite": run[-1].tokens.cache_write,
        "totalTokens": run[-1].tokens.prompt,
        "totalTokensFresh": session.fate.ending == "success",
        "estimatedCostUsd": float(INFLATION * estimate),
    }


def _relations(session: PlannedSession) -> dict[str, object]:
    relations: dict[str, object] = {}
    if session.job:
        relations["label"] = f"Cron: {session.job.name}"
    if session.trigger == "heartbeat":
        relations["heartbeatIsolatedBaseSessionKey"] = session.key.removesuffix(":heartbeat")
    if channel := session.channel:
        relations |= {"chatType": channel.chat_type, "channel": channel.source, "lastChannel": channel.source}
    if parent := session.forked_from:
        relations |= {"parentSessionKey": parent.key, "forkedFromParent": True}
    if parent := session.spawned_by:
        relations |= {"spawnedBy": parent.key, "spawnDepth": 1, "subagentRole": "leaf", "label": "look-up"}
    if session.twist == "compacted":
        named = {"checkpointId": checkpoint_id(session), "sessionKey": session.key, "sessionId": session.session_id}
        relations |= {"compactionCount": 1, "compactionCheckpoints": [named | {"reason": "auto-threshold"}]}
    return relations


def _subagent_run(session: PlannedSession, parent: PlannedSession | None) -> Json:
    status, reason = _OUTCOME[session.fate.ending]
    return {
        "runId": run_id(session),
        "childSessionKey": session.key,
        "requesterSessionKey": parent.key if parent else None,
        "requesterDisplayKey": parent.agent if parent else None,
        "task": session.pick(session.work.asks),
        "cleanup": "keep",
        "label": "look-up",
        "model": f"{session.work.model.provider}/{session.work.model.name}",
        "spawnMode": "run",
        "createdAt": session.started_ms - 20,
        "startedAt": session.started_ms,
        "endedAt": session.ended_ms,
        "outcome": {"status": status},
        "endedReason": reason,
    }
