"""One row of the spend logs -> a request: whose call it was, what it used, what LiteLLM takes it to cost.

LiteLLM writes a session id into every row: the caller's own, or the id of a trace, or one that it has made up for this
one call. What it makes up is a UUID of version 4, so such an id counts only where the proxy is known to make up none.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from loaders.cell import Cell, CellError
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import is_telling, names_of_answer
from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, count, object_in, parse
from loaders.responses.fields import sum_of
from loaders.responses.shapes import read_buckets
from loaders.responses.unpriced import unpriced_part
from loaders.service import Object
from loaders.web_json import shown
from store import RecordError, Request

SOURCE = "litellm"
AGENTS = ("agent_id", "end_user", "user", "key_alias")
"""Which field of a row names the agent; the first where nobody says."""
SESSIONS = ("telling", "given", "none")
"""Which session ids count: those that LiteLLM cannot have made up, all, or none."""
CACHED = "answered from the cache of LiteLLM: no model was called"
REFUSED = "refused before anything was served"
NO_MODEL = "called no model"

_SLACK = timedelta(days=1)
_MADE_UP = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_TRACE = re.compile(r"[0-9a-f]{32}", re.IGNORECASE)
_CACHE_HIT = re.compile(r"_cache_hit[\d.]+$")
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,6})?", re.ASCII)
_BATCH = re.compile(r"batch", re.IGNORECASE)
_REFUSALS = frozenset({"400", "401", "402", "403", "404", "413", "422", "429", "503", "529"})
_PLAIN_CALLS = ("file", "list", "batch", "mcp", "vector_store", "retrieve", "delete", "cancel")
"""Words of call types that, without tokens and spend, are about things and not to a model."""
_PRIVATE = frozenset({"api_key", "messages", "response", "proxy_server_request", "requester_ip_address", "metadata"})
"""What is not shown of a row that cannot be read."""
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_USAGE = (
    "cache_read_input_tokens",
    "cache_creation_input_tokens",
    "prompt_tokens_details",
    "completion_tokens_details",
    "service_tier",
)


@dataclass(frozen=True, slots=True)
class Lens:
    """What the reading of a row depends on."""

    root: str
    now: datetime
    agent: str = AGENTS[0]
    sessions: str = SESSIONS[0]


def item_of(row: object, location: Location, lens: Lens) -> Item:
    if not isinstance(row, dict):
        return Rejected(location, "must be a row like {'request_id': ..., 'startTime': ...}", shown(row))
    session_id = None
    try:
        session_id = _session(row, lens)
        rule = _rule(row)
        return Ignored(location, rule) if rule else Parsed(location, (_request(row, session_id, lens),))
    except (CellError, FieldError, RecordError) as error:
        told = {name: value for name, value in row.items() if name not in _PRIVATE}
        return Rejected(location, str(error), shown(told), session_id)


def _rule(row: Object) -> str | None:
    """Why a row is no call that anybody was asked to serve."""
    if _CACHE_HIT.search(_text(row, "request_id") or "") or str(row.get("cache_hit")).casefold() == "true":
        return CACHED
    error = _metadata(row, "error_information")
    if _is_failure(row) and str(error.get("error_code")) in _REFUSALS and not _spent(row):
        return REFUSED
    kind = (_text(row, "call_type") or "").casefold()
    is_empty = not _is_failure(row) and not _spent(row) and not any(row.get(name) for name in _COUNTS)
    return NO_MODEL if is_empty and any(word in kind for word in _PLAIN_CALLS) else None


def _request(row: Object, session_id: str | None, lens: Lens) -> Request:
    latest = lens.now + _SLACK
    provider = _text(row, "custom_llm_provider")
    usage = _usage(row)
    buckets = _buckets(usage, provider or SOURCE)
    key, identities = _names(row, provider)
    return Request(
        request_key=key,
        source=SOURCE,
        session_id=session_id,
        agent=_agent(row, lens),
        provider=provider,
        model=_model(row, provider),
        started_at=_utc(row, "startTime").instant(latest=latest),
        ended_at=_utc(row, "endTime").maybe(lambda cell: cell.instant(latest=latest)),
        uncached_input_tokens=buckets.uncached_input if buckets else None,
        cache_read_tokens=buckets.cache_read if buckets else None,
        cache_write_5m_tokens=buckets.cache_write_5m if buckets else None,
        cache_write_1h_tokens=buckets.cache_write_1h if buckets else None,
        output_tokens=buckets.output if buckets else None,
        estimated_usd=_spent(row) if buckets else None,
        # The caller's own sign-in to a plan was handed on, so his plan covers the call.
        is_included=_metadata_of(row).get("used_client_oauth_token") is True,
        unpriced_part=unpriced_part({}, usage, provider or SOURCE) if buckets else None,
        status="error" if _is_failure(row) else "ok",
        identities=identities,
    )


def _names(row: Object, provider: str | None) -> tuple[str, tuple[str, ...]]:
    """LiteLLM takes the answer's id for its row, or its own id of the call where the answer has none."""
    request_id = Cell("request_id", row.get("request_id")).text()
    call_id = _text(row, "litellm_call_id") or _text(_metadata_of(row), "litellm_call_id")
    identities = [] if call_id is None else [f"litellm:{call_id}"]
    # A cost that is settled later has a row of its own, under the same id with an ending; an error has no answer.
    is_answers = request_id != call_id and not _is_failure(row) and is_telling(request_id)
    if is_answers and not _BATCH.search(_text(row, "call_type") or ""):
        return f"{(provider or SOURCE).lower()}:{request_id}", (*names_of_answer(request_id), *identities)
    # Its own id of the call tells more than an answer's id that two calls may share.
    name = call_id if call_id is not None and not is_telling(request_id) else request_id
    return f"{SOURCE}:{name}", tuple(identities or [f"litellm:{name}"])


def _usage(row: Object) -> Object:
    """In the shape of chat completions, whatever was called: LiteLLM puts every answer into it."""
    metadata = _metadata_of(row)
    beside = object_in(metadata, "additional_usage_values") or object_in(metadata, "usage_object") or {}
    counts = {name: row.get(name) for name in _COUNTS}
    # A count that is left out in one place and 0 in another is no contradiction.
    return counts | {name: beside[name] for name in _USAGE if beside.get(name)}


def _buckets(usage: Object, provider: str) -> Buckets | None:
    """None where the row says nothing: no call uses nothing at all.

    Anthropic's shape is not asked for here: LiteLLM counts what was cached within the prompt for every provider.
    """
    if not any(count(usage[name], name) for name in _COUNTS):
        return None
    buckets = read_buckets(usage, SOURCE if provider == "openrouter" else provider)
    return buckets if sum_of(buckets) else None


def _session(row: Object, lens: Lens) -> str | None:
    said = _text(row, "session_id")
    if said is None or lens.sessions == "none" or _BATCH.search(_text(row, "call_type") or ""):
        return None
    ours = (_text(row, "request_id"), _text(row, "litellm_call_id"))
    is_made_up = _MADE_UP.fullmatch(said) or _TRACE.fullmatch(said) or said in ours
    return None if is_made_up and lens.sessions != "given" else said


def _agent(row: Object, lens: Lens) -> str | None:
    if lens.agent == "key_alias":
        return _text(_metadata_of(row), "user_api_key_alias")
    return _text(row, lens.agent)


def _model(row: Object, provider: str | None) -> str | None:
    model = _text(row, "model")
    return model.removeprefix(f"{provider}/") if model and provider else model


def _is_failure(row: Object) -> bool:
    return "failure" in (row.get("status"), _metadata_of(row).get("status"))


def _spent(row: Object) -> Decimal | None:
    """What LiteLLM has computed; of a model without a price it computes 0, which is then no estimate."""
    return Cell("spend", row.get("spend")).maybe(Cell.price) or None


def _metadata(row: Object, field: str) -> Object:
    return object_in(_metadata_of(row), field) or {}


def _metadata_of(row: Object) -> Object:
    """An object, or the text of one, which is what some databases give."""
    metadata = row.get("metadata")
    if isinstance(metadata, str) and metadata.strip():
        return parse(metadata.encode("utf-8", "replace"))
    return metadata if isinstance(metadata, dict) else {}


def _utc(row: Object, field: str) -> Cell:
    """LiteLLM keeps its times in UTC, in a column without a zone, and some databases give them so."""
    said = row.get(field)
    return Cell(field, f"{said}Z" if isinstance(said, str) and _ZONELESS.fullmatch(said) else said)


def _text(holder: Object, field: str) -> str | None:
    return Cell(field, holder.get(field)).maybe(Cell.text)
