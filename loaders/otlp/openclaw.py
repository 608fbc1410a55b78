"""OpenClaw's diagnostics-otel: each call has a span, and so has each turn, with the same tokens once more.

Old exporters have turns alone, and say whose session they are: such a turn is a line that totals calls of a session,
which the store counts only where it has no single calls of that session. New ones have calls, and no session ids: there
the turns are passed over.
"""

from dataclasses import replace
from datetime import datetime

from loaders.openclaw.usage import Buckets
from loaders.otlp.batch import Span
from loaders.otlp.fields import count, first, instant, text
from loaders.otlp.generations import INFERENCE, SOURCE, operation_of, read_generation
from loaders.otlp.names import INPUT, OUTPUT, REQUEST_MODEL, RESPONSE_MODEL
from loaders.otlp.totals import read_total, with_session
from store import Record, Request

TURN = "a turn of OpenClaw, whose calls have spans of their own"
TURN_OF_NOBODY = "a turn of OpenClaw without the session that it is of"
EMPTY_TURN = "a turn of OpenClaw without tokens"
OTHER = "a span of OpenClaw that is no call to a model"
_TURN_NAME, _CALL_NAME = "openclaw.model.usage", "openclaw.model.call"
_BUCKETS = ("input", "cache_read", "cache_write", "output")


def is_from(span: Span) -> bool:
    return span.scope == "openclaw" or span.name.startswith("openclaw.")


def read(span: Span, now: datetime) -> tuple[Record, ...] | str:
    if span.name == _TURN_NAME:
        return _turn(span, now)
    if span.name != _CALL_NAME and operation_of(span.attributes) not in INFERENCE:
        return OTHER
    if span.attributes.get("openclaw.model_call.observation_unit") == "turn":
        has_tokens = first(span.attributes, INPUT) is not None or first(span.attributes, OUTPUT) is not None
        return (read_total(span, now),) if has_tokens else EMPTY_TURN
    return with_session(_call(span, now))


def _call(span: Span, now: datetime) -> Request:
    call, said = read_generation(span, now), span.attributes
    failed = call.status == "error" or text(said, "openclaw.errorCategory") is not None
    return replace(
        call,
        agent=text(said, "openclaw.agent") or call.agent,
        provider=text(said, "openclaw.provider") or call.provider,
        model=text(said, *RESPONSE_MODEL, "openclaw.model", *REQUEST_MODEL),
        status="error" if failed else "ok",
    )


def _turn(span: Span, now: datetime) -> tuple[Record, ...] | str:
    """Raises `EntryError` where a count is none."""
    said = span.attributes
    if any(name.startswith("gen_ai.") for name in said):
        return TURN
    session_id = text(said, "openclaw.sessionId")
    if session_id is None:
        return TURN_OF_NOBODY
    uncached, read, written, output = (count(said, f"openclaw.tokens.{bucket}") or 0 for bucket in _BUCKETS)
    buckets = Buckets(uncached, read, written, 0, output)
    if not any((uncached, read, written, output)):
        return EMPTY_TURN
    started_at = instant(span.started_ns, "the start of the span", now)
    ended_at = instant(span.ended_ns or span.started_ns, "the end of the span", now)
    return (
        Request(
            request_key=f"{SOURCE}:{span.trace_id}/{span.span_id}",
            source=SOURCE,
            scope="session",
            session_id=session_id,
            agent=text(said, "openclaw.agent"),
            provider=text(said, "openclaw.provider"),
            model=text(said, "openclaw.model"),
            started_at=started_at,
            ended_at=max(started_at, ended_at),
            uncached_input_tokens=buckets.uncached_input,
            cache_read_tokens=buckets.cache_read,
            cache_write_5m_tokens=buckets.cache_write_5m,
            cache_write_1h_tokens=buckets.cache_write_1h,
            output_tokens=buckets.output,
            status="error" if span.is_error else "ok",
            identities=(f"span:{span.trace_id}/{span.span_id}",),
        ),
    )
