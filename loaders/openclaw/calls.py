"""One assistant message -> one `Request`: its identity, its times, its model, its tokens.

Lines of a file and rows of a database hold the same object, so this is all that either needs.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from loaders.openclaw.usage import NOTHING_SERVED, Usage, read_usage
from loaders.openclaw.values import FieldError, Object, instant, instant_if_sound, object_in, text
from store import Request
from store.records import RequestStatus

SOURCE = "openclaw"
LONGEST_CALL = timedelta(days=1)
TELLING_LENGTH = 16
_AS_TEXT = json.JSONEncoder(default=str)
_DRAWN_FROM_A_THOUSAND = re.compile(r"(?:chat)?cmpl-\d{1,3}")
"""Ollama's response ids: two calls in a thousand share one, so they identify nothing."""
_REFUSAL = re.compile(r"\s*(?:HTTP |status )?(?:400|401|402|403|404|413|422|429|503|529)\b", re.IGNORECASE)
"""Answers of a provider that come before any token. A 408, a 499 or a 504 may have been served, and billed, in part."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The session in whose transcript an entry was found."""

    session_id: str
    agent: str
    started_at: datetime | None


def read_call(entry: Object, message: Object, owner: Owner, now: datetime) -> Request:
    """Raises `FieldError` or `RecordError` where the message is none."""
    provider, model = text(message, "provider"), text(message, "model")
    started_at, ended_at = _times(entry, message, now)
    spent = object_in(message, "usage") or object_in(entry, "usage")
    usage = read_usage(spent, text(message, "api") or provider or "")
    buckets = usage.buckets or (NOTHING_SERVED if _is_refused(message) else None)
    return Request(
        request_key=_request_key(entry, message, provider, model, usage),
        source=SOURCE,
        session_id=owner.session_id,
        agent=owner.agent,
        provider=provider,
        model=text(message, "responseModel") or model,  # the price follows the model that served
        started_at=started_at,
        ended_at=ended_at,
        uncached_input_tokens=buckets.uncached_input if buckets else None,
        cache_read_tokens=buckets.cache_read if buckets else None,
        cache_write_5m_tokens=buckets.cache_write_5m if buckets else None,
        cache_write_1h_tokens=buckets.cache_write_1h if buckets else None,
        output_tokens=buckets.output if buckets else None,
        estimated_usd=usage.estimated_usd,
        status=status_of(message),
        owner_started_at=owner.started_at or started_at,
        identities=names_of_answer(text(message, "responseId")),
    )


def _is_refused(message: Object) -> bool:
    """Whether the provider answered that it would not serve the call: then zero tokens are the truth, not a gap."""
    error = message.get("errorMessage")
    return status_of(message) == "error" and isinstance(error, str) and _REFUSAL.match(error) is not None


def is_telling(response_id: str) -> bool:
    """Whether a response id tells its call from all others."""
    return _DRAWN_FROM_A_THOUSAND.fullmatch(response_id) is None


def names_of_answer(response_id: str | None) -> tuple[str, ...]:
    """The identities that the answer's own id gives a call: without the provider, which tools name differently.

    A short id tells a call from others of its provider at best, so it is a name only with the provider, as the key is.
    """
    return () if response_id is None or not is_telling_alone(response_id) else (f"response:{response_id}",)


def is_telling_alone(given_id: str) -> bool:
    """Whether an id tells its call from those of all providers: those of providers are 20 random characters or more."""
    return len(given_id) >= TELLING_LENGTH and is_telling(given_id)


def status_of(message: Object) -> RequestStatus:
    stopped, abort = text(message, "stopReason"), object_in(message, "openclawAbort")
    if stopped == "aborted" or (abort is not None and abort.get("aborted") is True):
        return "aborted"
    return "error" if stopped == "error" else "ok"


def _request_key(entry: Object, message: Object, provider: str | None, model: str | None, usage: Usage) -> str:
    """The same for every copy of a call: forks keep an entry's id, its time and its numbers as they were written."""
    response = text(message, "responseId")
    if response is not None and is_telling(response):
        return f"{provider or 'unknown'}:{response}"
    identity = [entry.get("id"), entry.get("timestamp"), provider, model, *usage.recorded]
    return f"openclaw:{hashlib.sha256(_AS_TEXT.encode(identity).encode()).hexdigest()}"


def _times(entry: Object, message: Object, now: datetime) -> tuple[datetime, datetime]:
    """The entry is appended when the call ends. The message is made when it begins, by most providers."""
    ended_at = instant(entry, "timestamp", now) or instant(message, "timestamp", now)
    if ended_at is None:
        raise FieldError("timestamp is missing, on the entry and on its message")
    made_at = instant_if_sound(message, "timestamp", now)
    is_start = made_at is not None and ended_at - LONGEST_CALL <= made_at <= ended_at
    return (made_at if made_at is not None and is_start else ended_at), ended_at
