"""One generation -> a request: which call it was, whose, and what it used."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from loaders.cell import Cell, CellError
from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.langfuse.usage import read_usage
from loaders.openclaw.calls import is_telling, names_of_answer
from loaders.openclaw.values import FieldError, object_in
from loaders.service import Object
from loaders.web_json import shown
from store import RecordError, Request

SOURCE = "langfuse"
AGENTS = ("userId", "name", "traceName")
"""Which field of a generation may name the agent."""
_SLACK = timedelta(days=1)
_SPAN, _TRACE = re.compile(r"[0-9a-f]{16}"), re.compile(r"[0-9a-f]{32}")
_FROM_LITELLM = re.compile(r"time-\d\d-\d\d-\d\d-\d{6}_(\S+)", re.ASCII)
"""LiteLLM names the generations that it tells Langfuse of by when the call began and the id of its answer."""
_PROVIDERS = ("gen_ai.provider.name", "gen_ai.system", "ls_provider")
_ANSWERS = ("gen_ai.response.id",)


@dataclass(frozen=True, slots=True)
class Lens:
    """What the reading of a generation depends on."""

    root: str
    now: datetime
    agent: str | None = None
    provider: str | None = None
    """Of generations that do not say theirs."""


def item_of(entry: object, location: Location, lens: Lens) -> Item:
    if not isinstance(entry, dict):
        return Rejected(location, "must be an observation like {'id': ..., 'type': 'GENERATION'}", shown(entry))
    if entry.get("type") != "GENERATION":
        return Ignored(location, "an observation that is no generation")
    session_id = None
    try:
        session_id = _text(entry, "sessionId")
        return Parsed(location, (_request(entry, session_id, lens),))
    except (CellError, FieldError, RecordError) as error:
        return Rejected(location, str(error), shown(_without_content(entry)), session_id)


def _request(entry: Object, session_id: str | None, lens: Lens) -> Request:
    latest = lens.now + _SLACK
    usage = read_usage(object_in(entry, "usageDetails") or {})
    provider = _stated(entry, _PROVIDERS) or lens.provider
    key, identities = _names(entry, provider)
    buckets = usage.buckets
    return Request(
        request_key=key,
        source=SOURCE,
        session_id=session_id,
        agent=None if lens.agent is None else _text(entry, lens.agent),
        provider=provider,
        model=_text(entry, "model") or _text(entry, "providedModelName"),
        started_at=Cell("startTime", entry.get("startTime")).instant(latest=latest),
        ended_at=Cell("endTime", entry.get("endTime")).maybe(lambda cell: cell.instant(latest=latest)),
        uncached_input_tokens=buckets.uncached_input if buckets else None,
        cache_read_tokens=buckets.cache_read if buckets else None,
        cache_write_5m_tokens=buckets.cache_write_5m if buckets else None,
        cache_write_1h_tokens=buckets.cache_write_1h if buckets else None,
        output_tokens=buckets.output if buckets else None,
        estimated_usd=_estimate(entry),
        unpriced_part=usage.unpriced_part,
        status="error" if entry.get("level") == "ERROR" else "ok",
        identities=identities,
    )


def _names(entry: Object, provider: str | None) -> tuple[str, tuple[str, ...]]:
    """Langfuse's own id, and behind it those of the span or the answer that it was made of."""
    name, trace = Cell("id", entry.get("id")).text(), _text(entry, "traceId") or ""
    identities = [f"langfuse:{name}"]
    if _SPAN.fullmatch(name.lower()) and _TRACE.fullmatch(trace.lower()):
        identities.append(f"span:{trace.lower()}/{name.lower()}")
    from_litellm = _FROM_LITELLM.fullmatch(name)
    answer = _stated(entry, _ANSWERS) or (from_litellm[1] if from_litellm else None)
    if answer is None or not is_telling(answer):
        return f"{SOURCE}:{name}", tuple(identities)
    identities += names_of_answer(answer)
    return (f"{provider.lower()}:{answer}" if provider else f"{SOURCE}:{name}"), tuple(identities)


def _stated(entry: Object, names: tuple[str, ...]) -> str | None:
    """What the metadata says under one of the names, at its top or among the attributes of the span."""
    metadata = entry.get("metadata")
    if not isinstance(metadata, dict):
        return None
    attributes = metadata.get("attributes")
    for holder in (metadata, attributes if isinstance(attributes, dict) else {}):
        for name in names:
            if isinstance(said := holder.get(name), str) and said.strip():
                return _text(holder, name)
    return None


def _estimate(entry: Object) -> Decimal | None:
    """Without a price Langfuse says 0, which is then no estimate."""
    return Cell("totalCost", entry.get("totalCost")).maybe(Cell.price) or None


def _without_content(entry: Object) -> Object:
    """What may be shown of an entry that cannot be read: metadata is the caller's own, and may be anything."""
    return {name: value for name, value in entry.items() if name not in ("input", "output", "metadata")}


def _text(holder: Object, field: str) -> str | None:
    return Cell(field, holder.get(field)).maybe(Cell.text)
