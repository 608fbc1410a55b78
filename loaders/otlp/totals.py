"""What a span adds up of several calls. It is compared with the calls and never added to them.

Whether the calls of an agent have spans of their own, in another batch, of another program or through the proxy, cannot
be known when its total arrives. As a count of a meter it is right either way. Totals lie in each other, as an agent in
a workflow, so a trace has one: the largest.
"""

from datetime import datetime, timedelta

from loaders.openclaw.usage import Buckets
from loaders.otlp import names
from loaders.otlp.batch import EntryError, Span
from loaders.otlp.fields import instant, text
from loaders.otlp.generations import SOURCE, provider_of
from loaders.otlp.senders import service_of
from loaders.otlp.tokens import read_tokens
from store import Record, ReportedUsage, Request, Session

_MOMENT = timedelta(microseconds=1)


def total_of_agent(span: Span, now: datetime) -> ReportedUsage:
    """Raises `EntryError` where it cannot be read."""
    tokens = read_tokens(span.attributes)
    if tokens is None:
        raise EntryError("a total must have tokens")
    return counted(span, f"{SOURCE}:total:{span.trace_id}", "totals of agents", tokens, now)


def counted(span: Span, usage_id: str, what: str, buckets: Buckets, now: datetime) -> ReportedUsage:
    """`what` was counted, in words. Raises `EntryError` for a time that cannot be."""
    said = span.attributes
    started_at = instant(span.started_ns, "the start of the span", now)
    ended_at = instant(span.ended_ns or span.started_ns, "the end of the span", now)
    member = [f"{what} of {service_of(span.resource) or span.scope or 'unknown'}"]
    for word, named in (("agent", (*names.AGENT, "openclaw.agent")), ("session", ("openclaw.sessionId",))):
        if (name := text(said, *named)) is not None:
            member.append(f"{word} {name}")
    return ReportedUsage(
        usage_id=usage_id,
        source=SOURCE,
        reporter="meter",
        provider=provider_of(said) or text(said, "openclaw.provider") or "unknown",
        starts_at=started_at,
        ends_at=max(ended_at, started_at + _MOMENT),
        model=text(said, *names.RESPONSE_MODEL, *names.REQUEST_MODEL, "openclaw.model"),
        member=", ".join(member),
        uncached_input_tokens=buckets.uncached_input,
        cache_read_tokens=buckets.cache_read,
        cache_write_5m_tokens=buckets.cache_write_5m,
        cache_write_1h_tokens=buckets.cache_write_1h,
        output_tokens=buckets.output,
        is_lower_bound=True,
    )


def with_session(request: Request) -> tuple[Record, ...]:
    """The call, and its session where the sender says whose it is."""
    if request.session_id is None or request.agent is None:
        return (request,)
    session = Session(
        session_id=request.session_id,
        source=request.source,
        observed_at=request.started_at,
        agent=request.agent,
        started_at=request.started_at,
    )
    return request, session
