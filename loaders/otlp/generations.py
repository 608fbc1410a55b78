"""An inference span by the GenAI conventions, old or new -> one `Request`.

The key is the answer's own id where there is one, as every other record of the call has it; else the span's ids, which
a retry of the exporter repeats.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from finance.pricing import rounded_usd
from loaders.openclaw.calls import is_telling, names_of_answer
from loaders.openclaw.usage import NOTHING_SERVED, Buckets
from loaders.otlp import names
from loaders.otlp.batch import Attributes, Span
from loaders.otlp.fields import count, dollars, first, instant, text
from loaders.otlp.tokens import is_whole, read_tokens
from loaders.responses.unpriced import unpriced_part
from store import Request

SOURCE = "otlp"
INFERENCE = frozenset(
    {"chat", "generate_content", "text_completion", "embeddings", "completion", "embedding", "llm", "rerank"}
)
"""Operations that are one call to a model; the last four are the words of older conventions."""
WITHOUT_OUTPUT = frozenset({"embeddings", "embedding", "rerank"})
"""Operations whose usage may be the input alone."""
REFUSED_STATUS = frozenset({400, 401, 402, 403, 404, 413, 422, 429, 503, 529})
_REFUSED = re.compile(
    r"(^|[^0-9])(400|401|402|403|404|413|422|429|503|529)([^0-9]|$)|RateLimit|Authentication|PermissionDenied|"
    r"BadRequest|NotFound|Overloaded|rate_limit|overloaded|invalid_request"
)
"""Answers that come before any token: then zero tokens are the truth, not a gap."""
_TIMED_OUT = re.compile(r"time[-_ ]?out|timed[-_ ]?out|deadline", re.IGNORECASE)
"""Whoever waited no longer does not know what was used, whatever number is beside it."""
_TICK = Decimal("1e-10")


def operation_of(attributes: Attributes) -> str | None:
    """In lower case; None where the span names none."""
    for name in names.OPERATION:
        said = attributes.get(name)
        if said is not None:
            return str(said).casefold()
    return None


def provider_of(attributes: Attributes) -> str | None:
    """As transcripts and price books call it."""
    said = text(attributes, *names.PROVIDER)
    return None if said is None else names.OUR_PROVIDERS.get(said.casefold(), said)


def read_generation(span: Span, now: datetime) -> Request:
    """Raises `EntryError` or `RecordError` where the span cannot be read."""
    said = span.attributes
    started_at = instant(span.started_ns, "the start of the span", now)
    ended_at = instant(span.ended_ns or span.started_ns, "the end of the span", now)
    provider, tier = provider_of(said), text(said, *names.TIER)
    buckets = buckets_of(span)
    return Request(
        request_key=request_key(span, provider),
        source=SOURCE,
        session_id=text(said, *names.SESSION),
        agent=text(said, *names.AGENT),
        provider=provider,
        model=text(said, *names.RESPONSE_MODEL, *names.REQUEST_MODEL),
        started_at=started_at,
        ended_at=max(started_at, ended_at),
        uncached_input_tokens=buckets.uncached_input if buckets else None,
        cache_read_tokens=buckets.cache_read if buckets else None,
        cache_write_5m_tokens=buckets.cache_write_5m if buckets else None,
        cache_write_1h_tokens=buckets.cache_write_1h if buckets else None,
        output_tokens=buckets.output if buckets else None,
        estimated_usd=estimate_of(said),
        unpriced_part=unpriced_part({"service_tier": tier}, {}, provider or "") if tier else None,
        status="error" if is_failed(span) else "ok",
        identities=tuple(identities_of(span)),
    )


def buckets_of(span: Span) -> Buckets | None:
    """None where not all is said, except of a call that was refused and says nothing: that has used nothing."""
    tokens = read_tokens(span.attributes)
    if tokens is None:
        return NOTHING_SERVED if is_failed(span) and is_refused(span.attributes) else None
    return tokens if has_whole_usage(span.attributes) else None


def has_whole_usage(attributes: Attributes) -> bool:
    return is_whole(attributes, has_output=operation_of(attributes) not in WITHOUT_OUTPUT)


def is_failed(span: Span) -> bool:
    return span.is_error or first(span.attributes, names.ERROR) is not None


def is_refused(attributes: Attributes) -> bool:
    """Before any token. Raises `EntryError` for a status that is no number."""
    if any(_TIMED_OUT.search(str(attributes.get(name, ""))) for name in names.FAILURE):
        return False
    status = first(attributes, names.HTTP_STATUS)
    if status is not None:
        return count(attributes, status[0]) in REFUSED_STATUS
    error = attributes.get(names.ERROR[0])
    return isinstance(error, str) and _REFUSED.search(error) is not None


def request_key(span: Span, provider: str | None) -> str:
    response_id = telling_id(span.attributes)
    if response_id is not None:
        return f"{(provider or 'unknown').lower()}:{response_id}"
    return f"{SOURCE}:{span.trace_id}/{span.span_id}"


def identities_of(span: Span) -> Iterator[str]:
    response_id = telling_id(span.attributes)
    yield from names_of_answer(response_id)
    yield f"span:{span.trace_id}/{span.span_id}"


def telling_id(attributes: Attributes) -> str | None:
    """The answer's own id, where it tells the call from all others."""
    response_id = text(attributes, *names.RESPONSE_ID)
    return response_id if response_id is not None and is_telling(response_id) else None


def estimate_of(attributes: Attributes) -> Decimal | None:
    """What the sender takes the call to cost. Senders write 0 for a model without a price: that says nothing.

    Raises `EntryError` where an amount is none.
    """
    ticks = count(attributes, *names.COST_TICKS)
    usd = dollars(attributes, *names.COST) if ticks is None else ticks * _TICK
    return None if not usd else rounded_usd(usd)
