"""A provider's answer -> what was used, by which model, and what the provider says that it charged.

One answer can stand for several calls: Anthropic lists calls that its totals leave out (a compaction, an adviser that
is another model). Each is billed, so each is a use of its own.
"""

from dataclasses import dataclass
from decimal import Decimal

from finance.pricing import rounded_usd
from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, Object, as_object, object_in, text
from loaders.responses.fields import UnknownShapeError, sum_of
from loaders.responses.shapes import anthropic, read_buckets
from loaders.responses.unpriced import unpriced_part

_PLACES = ("usage", "usageMetadata")
_PLACE_OF_EMBEDDINGS = "meta"
"""Of Cohere's; elsewhere it holds other things."""
_TIMED_OUT = frozenset({"408", "499", "504", "timeout", "timeout_error", "deadline_exceeded", "cancelled"})
_TICK = Decimal("1e-10")
_MOST_USD = Decimal("1e9")
_SUMMED_KINDS: tuple[frozenset[str], ...] = (
    frozenset({"message"}),
    frozenset({"fallback_message"}),
    frozenset({"message", "fallback_message"}),
)
"""Which of the listed iterations the totals may contain; the numbers say which it is."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one model did."""

    model: str | None
    buckets: Buckets


@dataclass(frozen=True, slots=True)
class Answer:
    response_id: str | None
    model: str | None
    """As the answer names it: what served, whatever was asked for."""
    uses: tuple[Use, ...]
    """The answer's own, then those that it lists beside; none where it says nothing of usage."""
    billed_usd: Decimal | None
    unpriced_part: str | None = None
    """What of it is sold at a price that no price line states."""


def read_answer(body: Object, provider: str) -> Answer:
    """Raises `FieldError` where the usage has a shape that is not known or contradicts itself."""
    usage = _usage(body)
    model = text(body, "model") or text(body, "modelVersion")
    model = None if model is None else model.removeprefix("models/")
    response_id = text(body, "id") or text(body, "responseId")
    if usage is None:
        return Answer(response_id, model, (), None)
    own = Use(model, read_buckets(usage, provider))
    uses = (own, *_left_out(usage, own))
    return Answer(response_id, model, uses, _billed(usage, provider), unpriced_part(body, usage, provider))


def is_error(body: Object) -> bool:
    """Whether an error stands in the place of an answer."""
    return bool(body.get("error")) and body.get("id") is None and not any(body.get(place) for place in _PLACES)


def may_be_charged(error_body: Object) -> bool:
    """A call that timed out may have been served, in part or whole; one that was refused was not."""
    error = error_body["error"]
    said = [error.get(name) for name in ("type", "code", "status")] if isinstance(error, dict) else [error]
    return any(str(word).casefold() in _TIMED_OUT for word in said)


def _usage(body: Object) -> Object | None:
    found = [usage for place in _PLACES if (usage := object_in(body, place))]
    if len(found) > 1:
        raise FieldError("response has both usage and usageMetadata; an answer has one of them")
    if found:
        return found[0]
    if any(place in body for place in _PLACES):
        return None
    meta = body.get(_PLACE_OF_EMBEDDINGS)
    if isinstance(meta, dict) and "billed_units" in meta:
        return meta
    fields = ", ".join(sorted(body)[:8]) or "nothing"
    raise UnknownShapeError(f"response has {fields}, but no usage and no usageMetadata; log the answer as it came")


def _left_out(usage: Object, own: Use) -> tuple[Use, ...]:
    """The iterations that the totals do not contain."""
    listed = usage.get("iterations")
    if not listed:
        return ()
    if not isinstance(listed, list):
        raise FieldError(f"usage.iterations must be a list, got {str(listed)[:60]!r}")
    iterations = [as_object(iteration) for iteration in listed]
    uses = [Use(text(each, "model") or own.model, anthropic(each)) for each in iterations]
    kinds = [text(each, "type") or "" for each in iterations]
    for summed in (frozenset(kinds), *_SUMMED_KINDS):
        inside = [use.buckets for use, kind in zip(uses, kinds, strict=True) if kind in summed]
        if inside and _added(inside) == own.buckets:
            return tuple(u for u, kind in zip(uses, kinds, strict=True) if kind not in summed and sum_of(u.buckets))
    raise FieldError(
        f"usage.iterations ({', '.join(kinds)}) do not add up to the totals beside them, neither all of them "
        "nor the messages alone; which of them were charged beside the totals cannot be told"
    )


def _added(parts: list[Buckets]) -> Buckets:
    return Buckets(
        sum(part.uncached_input for part in parts),
        sum(part.cache_read for part in parts),
        sum(part.cache_write_5m for part in parts),
        sum(part.cache_write_1h for part in parts),
        sum(part.output for part in parts),
    )


def _billed(usage: Object, provider: str) -> Decimal | None:
    """xAI states ticks; OpenRouter what it took, to which comes what the provider takes where the key is one's own."""
    ticks = _amount(usage, "cost_in_usd_ticks")
    if ticks is not None:
        return rounded_usd(ticks * _TICK)
    details = object_in(usage, "cost_details")
    if details is None and provider.casefold() != "openrouter":
        return None
    cost = _amount(usage, "cost")
    if cost is None or usage.get("is_byok") is not True:
        return cost if cost is None else rounded_usd(cost)
    upstream = _amount(details or {}, "upstream_inference_cost")
    return None if upstream is None else rounded_usd(cost + upstream)


def _amount(holder: Object, field: str) -> Decimal | None:
    value = holder.get(field)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 <= value <= _MOST_USD / _TICK:
        raise FieldError(f"usage.{field} must be an amount from 0 on, got {str(value)[:60]!r}")
    return Decimal(value)
