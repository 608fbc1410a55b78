"""One agent run -> the total of what it used, and what it says about its session.

The run's session may have a transcript. Its calls are the parts of this total, so the total has the scope of a
session: it is counted only where the session has no calls of its own, and the totals of its runs add up.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from loaders.agent_json.clock import Span, first_object, span_of
from loaders.agent_json.runs import Run
from loaders.openclaw.harness import provider_behind
from loaders.openclaw.keys import UNKNOWN, Cause, cause_by_key, parse_key, unique_id
from loaders.openclaw.usage import Usage, read_usage
from loaders.openclaw.values import FieldError, Object, object_in, text
from store import Record, Request, Session
from store.records import Termination

SOURCE = "agent-json"
OF_ONE_RUN = 30
"""Confidence in how a session ended, from how one of its runs did: a transcript goes on to the end."""
_MAIN = "main"
_TOTALS = ("total", "totalTokens", "total_tokens")
_LEAST_USD, _MOST_USD = Decimal("1e-12"), Decimal("1e9")
_ENDINGS: dict[str, Termination] = {
    "ok": "success",
    "completed": "success",
    "error": "error",
    "failed": "error",
    "timeout": "timeout",
    "aborted": "aborted",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a run happened."""

    agent: str | None
    session_id: str | None
    own_session_id: str | None
    """OpenClaw's session, where another program's (Claude Code, Codex) made the calls."""
    cause: Cause


def read_run(run: Run, document: Object, now: datetime, *, is_alone: bool) -> tuple[Record, ...]:
    """`is_alone`: no other run in the document has its id. Raises `FieldError` or `RecordError`."""
    place, span, usage = _place_of(run), span_of(run, now), _usage_of(run.account)
    provider, model = text(run.account, "provider"), text(run.account, "model")
    buckets = usage.buckets
    total = Request(
        request_key=f"{SOURCE}:{_identity(run, document, span, usage, is_alone=is_alone)}",
        source=SOURCE,
        scope="session",
        session_id=place.session_id,
        agent=place.agent,
        provider=provider_behind(provider) if place.own_session_id is not None else provider,
        model=model,
        started_at=span.started_at,
        ended_at=span.ended_at,
        uncached_input_tokens=buckets.uncached_input if buckets else None,
        cache_read_tokens=buckets.cache_read if buckets else None,
        cache_write_5m_tokens=buckets.cache_write_5m if buckets else None,
        cache_write_1h_tokens=buckets.cache_write_1h if buckets else None,
        output_tokens=buckets.output if buckets else None,
        estimated_usd=_estimate(run.account) or usage.estimated_usd,
    )
    return (total,) if place.session_id is None else (_session(run, place, span, model), total)


def run_id(run: Run) -> str | None:
    return next((found for holder in run.around if (found := _text_if_any(holder, "runId"))), None)


def _place_of(run: Run) -> _Place:
    report = first_object(run.around, "systemPromptReport") or {}
    holders = (run.account, report, *run.around)
    written = next((found for holder in holders if (found := _text_if_any(holder, "sessionKey"))), None)
    key = parse_key(written) if written is not None else None
    agent = key.agent if key is not None else None
    agent = agent or next((found for holder in run.around if (found := _text_if_any(holder, "agentId"))), None)
    own = text(run.account, "sessionId") or _text_if_any(report, "sessionId")
    binding = object_in(run.account, "cliSessionBinding")
    bound = text(binding, "sessionId") if binding is not None else None
    own_id = unique_id(own, agent or _MAIN) if own is not None else None
    session_id = unique_id(bound, agent or _MAIN) if bound is not None else own_id
    cause = cause_by_key(key) if key is not None else UNKNOWN
    return _Place(agent, session_id, own_id if own_id != session_id else None, cause)


def _session(run: Run, place: _Place, span: Span, model: str | None) -> Session:
    assert place.session_id is not None
    how = _ending(run)
    is_known = place.cause.confidence > 0
    return Session(
        session_id=place.session_id,
        source=SOURCE,
        observed_at=span.ended_at,
        agent=place.agent,
        parent_session_id=place.own_session_id,
        trigger=place.cause.trigger if is_known else None,
        trigger_rule=place.cause.rule if is_known else None,
        trigger_confidence=place.cause.confidence,
        model=model,
        started_at=span.started_at,
        ended_at=span.ended_at,
        termination=how,
        termination_rule="run: what it printed",
        termination_confidence=OF_ONE_RUN,
    )


def _ending(run: Run) -> Termination:
    for holder in run.around:
        if holder.get("aborted") is True:
            return "aborted"
        if isinstance(error := holder.get("error"), dict):
            return "timeout" if error.get("kind") == "timeout" else "error"
        status = holder.get("status")
        if isinstance(status, str) and status in _ENDINGS:
            return _ENDINGS[status]
    return "success"


def _usage_of(account: Object) -> Usage:
    """Its `total` is that of the last call alone, and proves nothing where there were several."""
    provider = text(account, "provider") or ""
    written = object_in(account, "usage")
    if written is None:
        return read_usage(None, provider)
    usage = read_usage({name: value for name, value in written.items() if name not in _TOTALS}, provider)
    last = read_usage(object_in(account, "lastCallUsage"), provider)
    is_one_call = last.buckets is not None and [n or 0 for n in last.recorded] == [n or 0 for n in usage.recorded]
    return read_usage(written, provider) if is_one_call else usage


def _identity(run: Run, document: Object, span: Span, usage: Usage, *, is_alone: bool) -> str:
    """The id of the run. Without one: what two runs cannot have in common, so that a second capture is the same run."""
    given, session = run_id(run), text(run.account, "sessionId")
    if given is not None:
        return f"run:{given}" if is_alone else f"run:{given}:{_digest(run.account)}"
    if session is not None and span.duration_ms is not None:
        names = [text(run.account, "provider"), text(run.account, "model")]
        return _digest([session, span.duration_ms, *names, *usage.recorded])
    return _digest([run.account, span.started_at.isoformat() if span.started_at else document])


def _digest(content: object) -> str:
    written = json.dumps(content, default=str, sort_keys=True)
    return hashlib.sha256(written.encode()).hexdigest()


def _estimate(account: Object) -> Decimal | None:
    """OpenClaw's own estimate; 0 stands for a model without a price."""
    cost = account.get("costUsd")
    if isinstance(cost, bool) or not isinstance(cost, int | Decimal | str):
        return None
    try:
        amount = Decimal(cost)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and _LEAST_USD <= amount <= _MOST_USD else None


def _text_if_any(holder: Object, field: str) -> str | None:
    """A field of an object that is not OpenClaw's may hold anything."""
    try:
        return text(holder, field)
    except FieldError:
        return None
