"""Log events -> calls: what the command line programs of Anthropic and OpenAI say of each call that they make.

Both write numbers as texts now and then. What they send as metrics and spans is the same once more.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from finance.pricing import rounded_usd
from loaders.claude_code.calls import AGENT as CLAUDE_CODE
from loaders.claude_code.calls import OWN_REQUESTS
from loaders.claude_code.calls import PROVIDER as ANTHROPIC
from loaders.codex.identity import AGENT as CODEX
from loaders.openclaw.calls import is_telling_alone
from loaders.openclaw.usage import NOTHING_SERVED, Buckets
from loaders.otlp import names
from loaders.otlp.batch import Attributes, EntryError, LogRecord
from loaders.otlp.fields import count, dollars, instant, stated_instant, text
from loaders.otlp.generations import REFUSED_STATUS
from loaders.otlp.senders import is_claude_code, is_codex
from loaders.otlp.totals import with_session
from loaders.responses.unpriced import unpriced_part
from store import Record, Request

SOURCE = "otlp-events"
"""Not that of spans: a program's event and a gateway's span are two witnesses of one call, who can be matched."""
OTHER_EVENT = "a log record that tells of no call to a model"
OF_CLAUDE_CODE = "an event of Claude Code that is no call to a model"
OF_CODEX = "an event of Codex that is no finished call to a model"
OF_A_SPAN = "an event of a call, which its span tells"
LINE_OF_OPENCLAW = "a line of OpenClaw's log"
_MICRO = Decimal("1e-6")
_LONGEST = 86_400_000
"""Milliseconds of a call."""
_OPENAI = "openai"
_MOST_DIGITS = 20
_TOKENS = ("input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens")
_TOKENS_OF_CODEX = ("input_token_count", "cached_token_count", "cache_write_token_count", "output_token_count")


def read_event(record: LogRecord, now: datetime) -> tuple[Record, ...] | str:
    """The records of a call, or the rule by which there are none. Raises `EntryError` or `RecordError`."""
    named = record.attributes.get("event.name")
    event = named if isinstance(named, str) and named else record.event
    if is_claude_code(record.resource, record.scope) or event.startswith("claude_code."):
        return _of_claude_code(record, event.removeprefix("claude_code."), now)
    if is_codex(record.resource) or event.startswith("codex."):
        return _of_codex(record, event, now)
    if record.scope == "openclaw":
        return LINE_OF_OPENCLAW
    return OF_A_SPAN if event.startswith("gen_ai.") else OTHER_EVENT


def _of_claude_code(record: LogRecord, event: str, now: datetime) -> tuple[Record, ...] | str:
    if event not in ("api_request", "api_error"):
        return OF_CLAUDE_CODE
    said = record.attributes
    call = _call(record, now, CLAUDE_CODE, ANTHROPIC)
    request_id = _telling_request(said)
    buckets = _disjoint(said) if event == "api_request" else _of_failure(said)
    request = replace(
        _with(call, buckets),
        estimated_usd=_estimate(said),
        unpriced_part=unpriced_part({}, {"speed": said["speed"]}, ANTHROPIC) if "speed" in said else None,
        status="ok" if event == "api_request" else "error",
    )
    if request_id is not None:
        request = replace(request, request_key=f"{SOURCE}:{request_id}", identities=(f"request-id:{request_id}",))
    return with_session(request)


def _of_codex(record: LogRecord, event: str, now: datetime) -> tuple[Record, ...] | str:
    said = record.attributes
    if event != "codex.sse_event" or said.get("event.kind") != "response.completed":
        return OF_CODEX
    return with_session(_with(_call(record, now, CODEX, _OPENAI), _within_the_whole(said)))


def _call(record: LogRecord, now: datetime, agent: str, provider: str) -> Request:
    """Its key is the best that an event without an id has: whose it is, when it was, its number and its tokens.

    Not every sender numbers its events, and of two calls at once the tokens differ.
    """
    said = record.attributes
    ended_at = stated_instant(said.get("event.timestamp"), "event.timestamp", now)
    if ended_at is None:
        ended_at = instant(record.at_ns, "timeUnixNano, without an event.timestamp,", now)
    lasted = timedelta(milliseconds=min(_number(said, "duration_ms") or 0, _LONGEST))
    session_id = text(said, *names.SESSION)
    told = ("event.sequence", *(_TOKENS_OF_CODEX if agent == CODEX else _TOKENS))
    told_apart = ".".join(str(said.get(name, ""))[:_MOST_DIGITS] for name in told)
    at = ended_at.isoformat(timespec="microseconds")
    return Request(
        request_key=f"{SOURCE}:{agent}:{session_id or 'unknown'}:{at}:{told_apart}",
        source=SOURCE,
        session_id=session_id,
        agent=agent,
        provider=provider,
        model=text(said, "model"),
        started_at=ended_at - lasted,
        ended_at=ended_at,
    )


def _telling_request(said: Attributes) -> str | None:
    """The provider's id of the request. What a gateway or a bug puts in its place may be the same for every call."""
    request_id = text(said, "request_id")
    is_own = request_id is not None and request_id.startswith(OWN_REQUESTS) and is_telling_alone(request_id)
    return request_id if is_own else None


def _with(call: Request, buckets: Buckets | None) -> Request:
    if buckets is None:
        return call
    return replace(
        call,
        uncached_input_tokens=buckets.uncached_input,
        cache_read_tokens=buckets.cache_read,
        cache_write_5m_tokens=buckets.cache_write_5m,
        cache_write_1h_tokens=buckets.cache_write_1h,
        output_tokens=buckets.output,
    )


def _disjoint(said: Attributes) -> Buckets | None:
    """Four counters that do not overlap; how long cache writes are kept is not said. Half a usage is none."""
    prompt, read, written, output = (count(said, name) for name in _TOKENS)
    if prompt is None or output is None or not any((prompt, read, written, output)):
        return None
    return Buckets(prompt, read or 0, written or 0, 0, output)


def _within_the_whole(said: Attributes) -> Buckets | None:
    """Codex' input contains what was cached. Raises `EntryError` where it cannot."""
    prompt, read, written, output = (count(said, name) for name in _TOKENS_OF_CODEX)
    if prompt is None or output is None or not prompt + output:
        return None
    cached = (read or 0) + (written or 0)
    if cached > prompt:
        raise EntryError(f"input_token_count is {prompt:,}, and contains what was cached, of which there is {cached:,}")
    return Buckets(prompt - cached, read or 0, written or 0, 0, output)


def _of_failure(said: Attributes) -> Buckets | None:
    return NOTHING_SERVED if _number(said, "status_code") in REFUSED_STATUS else None


def _number(said: Attributes, name: str) -> int | None:
    """For what is only a clue: None for a word such as 'undefined'."""
    try:
        return count(said, name)
    except EntryError:
        return None


def _estimate(said: Attributes) -> Decimal | None:
    """At Anthropic's list price, also under a subscription, where nothing is billed."""
    usd = dollars(said, "cost_usd")
    if usd is None:
        micros = count(said, "cost_usd_micros")
        usd = None if micros is None else micros * _MICRO
    return None if not usd else rounded_usd(usd)
