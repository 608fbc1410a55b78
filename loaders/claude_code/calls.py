"""One line of an assistant's message -> one `Request`.

A message is written once for each of its blocks, while it streams: all its lines have one key, and only the last has
the final count of output tokens. The store keeps the copy with the most.
"""

from datetime import datetime

from loaders.claude_code.usage import read_buckets
from loaders.openclaw.values import FieldError, Object, object_in, text
from loaders.responses.unpriced import unpriced_part
from store import Request

SOURCE = "claude-code"
AGENT = "claude-code"
PROVIDER = "anthropic"
OWN_IDS = "msg_"
OWN_REQUESTS = "req_"
"""How the provider's ids begin; what a proxy makes up may repeat, so the id of the request is added to it."""


def read_call(entry: Object, message: Object, session_id: str, at: datetime, session_started_at: datetime) -> Request:
    """Raises `FieldError` or `RecordError` where the message is none."""
    usage = object_in(message, "usage")
    buckets = read_buckets(usage)
    return Request(
        request_key=_request_key(entry, message),
        source=SOURCE,
        session_id=session_id,
        agent=AGENT,
        provider=PROVIDER,
        model=text(message, "model"),
        started_at=at,
        ended_at=at,
        uncached_input_tokens=buckets.uncached_input if buckets else None,
        cache_read_tokens=buckets.cache_read if buckets else None,
        cache_write_5m_tokens=buckets.cache_write_5m if buckets else None,
        cache_write_1h_tokens=buckets.cache_write_1h if buckets else None,
        output_tokens=buckets.output if buckets else None,
        unpriced_part=unpriced_part(message, usage or {}, PROVIDER),
        status="error" if is_failure(entry) else "ok",
        owner_started_at=session_started_at,
        identities=_identities(entry, message),
    )


def is_failure(entry: Object) -> bool:
    """Whether Claude Code wrote this in the place of an answer that it did not get."""
    return entry.get("isApiErrorMessage") is True


def _identities(entry: Object, message: Object) -> tuple[str, ...]:
    """Only what the provider gave: what a proxy makes up may repeat."""
    message_id, request_id = text(message, "id"), text(entry, "requestId")
    named = [f"response:{message_id}"] if message_id is not None and message_id.startswith(OWN_IDS) else []
    named += [f"request-id:{request_id}"] if request_id is not None and request_id.startswith(OWN_REQUESTS) else []
    return tuple(named)


def _request_key(entry: Object, message: Object) -> str:
    """The provider's own id of the answer, as every other record of the call has it; a retry has an id of its own."""
    message_id, request_id = text(message, "id"), text(entry, "requestId")
    if message_id is None:
        line_id = text(entry, "uuid")
        if line_id is None:
            raise FieldError("message.id is missing, and so is uuid; a call needs one of them to be told from others")
        return f"{SOURCE}:{line_id}"
    if message_id.startswith(OWN_IDS) or request_id is None:
        return f"{PROVIDER}:{message_id}"
    return f"{PROVIDER}:{message_id}:{request_id}"
