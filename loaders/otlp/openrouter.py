"""OpenRouter's Broadcast: one generation is three spans or more, of which the root has what was used and charged."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import orjson

from finance.pricing import rounded_usd
from loaders.openclaw.calls import names_of_answer
from loaders.otlp import names
from loaders.otlp.batch import Attributes, Span
from loaders.otlp.fields import dollars, text
from loaders.otlp.generations import read_generation
from loaders.otlp.senders import is_openrouter
from loaders.otlp.tokens import read_tokens
from loaders.otlp.totals import with_session
from store import Record, Request

PROVIDER = "openrouter"
ROOT_NAME, ROOT_TYPE = "LLM Generation", "generation"
TEST = "a connection test or a sample of OpenRouter"
PART = "a part of a generation of OpenRouter, whose root has the usage"
_TEST_NAMES = frozenset({"openrouter-connection-test", "Test Trace - OpenRouter Observability"})
_PART_OF = ":"
"""Within the id of a part: gen-...:attempt-0."""
_MOST_CHARACTERS = 100_000


def is_from(span: Span) -> bool:
    return is_openrouter(span.resource) or span.name in _TEST_NAMES


def read(span: Span, now: datetime) -> tuple[Record, ...] | str:
    """What it took in credits is billed. With a key of one's own that is a fee and not the spend, so not the bill."""
    said = span.attributes
    if not _TEST_NAMES.isdisjoint((span.name, said.get("trace.name"))):
        return TEST
    generation_id = text(said, *names.RESPONSE_ID) or text(span.resource, "openrouter.trace.id")
    is_root = said.get("span.type") == ROOT_TYPE or ("span.type" not in said and span.name == ROOT_NAME)
    if not is_root or generation_id is None or _PART_OF in generation_id:
        return PART
    call = read_generation(span, now)
    request = replace(
        call if read_tokens(said) else _without_usage(call),
        request_key=f"{PROVIDER}:{generation_id}",
        provider=PROVIDER,
        agent=text(said, *names.AGENT, "trace.metadata.agent"),
        billed_usd=None if _is_own_key(said) else _charged(said),
        estimated_usd=None,
        status="error" if said.get("span.level") == "ERROR" else call.status,
        identities=(*names_of_answer(generation_id), f"span:{span.trace_id}/{span.span_id}"),
    )
    return with_session(request)


def _without_usage(call: Request) -> Request:
    """A stream that was cancelled may still be charged, so a generation that failed is not taken for free."""
    return replace(
        call,
        uncached_input_tokens=None,
        cache_read_tokens=None,
        cache_write_5m_tokens=None,
        cache_write_1h_tokens=None,
        output_tokens=None,
    )


def _charged(said: Attributes) -> Decimal | None:
    usd = dollars(said, "gen_ai.usage.total_cost")
    return None if usd is None else rounded_usd(usd)


def _is_own_key(said: Attributes) -> bool:
    """Whether one of the providers was paid directly."""
    told = said.get("trace.metadata.provider_responses")
    if not isinstance(told, str) or len(told) > _MOST_CHARACTERS:
        return False
    try:
        responses = orjson.loads(told)
    except orjson.JSONDecodeError:
        return False
    listed = responses if isinstance(responses, list) else [responses]
    return any(isinstance(response, dict) and response.get("is_byok") is True for response in listed)
