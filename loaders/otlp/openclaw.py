"""OpenClaw's diagnostics-otel: each call has a span, and so has each turn, with the same tokens once more.

New exporters have both, so their turns are passed over. Old ones have turns alone: what is added up of several calls is
a count to compare calls with, since the calls themselves are in the transcripts, or came through the proxy.
"""

from dataclasses import replace
from datetime import datetime

from loaders.openclaw.usage import Buckets
from loaders.otlp.batch import Span
from loaders.otlp.fields import count, first, text
from loaders.otlp.generations import INFERENCE, SOURCE, operation_of, read_generation
from loaders.otlp.names import INPUT, OUTPUT, REQUEST_MODEL, RESPONSE_MODEL
from loaders.otlp.totals import counted, total_of_agent, with_session
from store import Record, Request

TURN = "a turn of OpenClaw, whose calls have spans of their own"
EMPTY_TURN = "a turn of OpenClaw without tokens"
OTHER = "a span of OpenClaw that is no call to a model"
_TURN_NAME, _CALL_NAME = "openclaw.model.usage", "openclaw.model.call"
_BUCKETS = ("input", "cache_read", "cache_write", "output")


def is_from(span: Span) -> bool:
    return span.scope == "openclaw" or span.name.startswith("openclaw.")


def read(span: Span, now: datetime) -> tuple[Record, ...] | str:
    """Raises `EntryError` or `RecordError` where a call or a turn cannot be read."""
    if span.name == _TURN_NAME:
        return _turn(span, now)
    if span.name != _CALL_NAME and operation_of(span.attributes) not in INFERENCE:
        return OTHER
    if span.attributes.get("openclaw.model_call.observation_unit") == "turn":
        has_tokens = first(span.attributes, INPUT) is not None or first(span.attributes, OUTPUT) is not None
        return (total_of_agent(span, now),) if has_tokens else EMPTY_TURN
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
    """The total beside the kinds is that of the last call alone, so it is not asked."""
    if any(name.startswith("gen_ai.") for name in span.attributes):
        return TURN
    uncached, read, written, output = (count(span.attributes, f"openclaw.tokens.{name}") or 0 for name in _BUCKETS)
    if not any((uncached, read, written, output)):
        return EMPTY_TURN
    usage_id = f"{SOURCE}:turn:{span.trace_id}/{span.span_id}"
    return (counted(span, usage_id, "turns", Buckets(uncached, read, written, 0, output), now),)
