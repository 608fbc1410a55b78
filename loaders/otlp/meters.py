"""Points of metrics -> counts to compare calls with. They are never added to calls: they are the same once more.

A meter that was not everywhere has missed some, so each is a lower bound. A delta stands for its own time. A counter
that runs says at each reading how much it was since it started: of every UTC day the last reading is kept, and the view
`reported_periods` takes one from the next. Both can come again, late or in another order, and change nothing.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from finance.pricing import rounded_usd
from loaders.otlp import names
from loaders.otlp.batch import Attributes, EntryError, Point
from loaders.otlp.checks import OTHER_METRIC
from loaders.otlp.fields import instant, text
from loaders.otlp.generations import INFERENCE, SOURCE, provider_of
from loaders.otlp.senders import service_of
from store import Record, ReportedUsage

GEN_AI = "gen_ai.client.token.usage"
OVERLAPPING = "a kind of tokens that other kinds of the metric contain"
TWICE = "tokens that OpenClaw counts in a metric of its own, too"
TOTAL = "tokens of an operation that is no call to a model"
NOTHING = "a point without a value"
FIRST_READING = "the first reading of a counter, which stands for no time"
_COST = "usd"
_OF_GEN_AI = {
    "input": "input_tokens",
    "prompt": "input_tokens",
    "output": "output_tokens",
    "completion": "output_tokens",
}
_OF_CLAUDE_CODE = {
    "input": "uncached_input_tokens",
    "cacheRead": "cache_read_tokens",
    "cacheCreation": "cache_write_5m_tokens",
    "output": "output_tokens",
}
_OF_OPENCLAW = {
    "input": "uncached_input_tokens",
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_5m_tokens",
    "output": "output_tokens",
}


@dataclass(frozen=True, slots=True)
class _Meter:
    """One family of metrics: what it counts, and by which attributes."""

    name: str
    kind: str
    """The attribute with the kind of tokens."""
    buckets: Mapping[str, str]
    """Kind -> the field of `ReportedUsage`."""
    provider: str | None = None
    """Where it is always the same."""


_METERS = {
    "gen_ai": _Meter("gen_ai metrics", "gen_ai.token.type", _OF_GEN_AI),
    "claude_code": _Meter("metrics", "type", _OF_CLAUDE_CODE, "anthropic"),
    "openclaw": _Meter("metrics", "openclaw.token", _OF_OPENCLAW),
}


def read_point(point: Point, now: datetime) -> tuple[Record, ...] | str:
    """The count, or the rule by which there is none. Raises `EntryError` or `RecordError`."""
    if point.value is None:
        return NOTHING
    meter = _METERS["gen_ai" if point.metric == GEN_AI else "claude_code" if _is_claude_code(point) else "openclaw"]
    field = _field(point, meter)
    if field is None:
        return _why_not(point, meter)
    if not point.started_ns:
        raise EntryError(
            "startTimeUnixNano is missing; without it nobody knows since when it counts, or whether it started again"
        )
    started_at = instant(point.started_ns, "startTimeUnixNano", now)
    at = instant(point.at_ns, "timeUnixNano", now)
    if at < started_at:
        raise EntryError("timeUnixNano is before startTimeUnixNano")
    return FIRST_READING if at == started_at else (_usage(point, meter, field, started_at, at),)


def _is_claude_code(point: Point) -> bool:
    return point.metric.startswith("claude_code.")


def _field(point: Point, meter: _Meter) -> str | None:
    """What of `ReportedUsage` it counts; None where it counts nothing that is not counted elsewhere."""
    if point.metric.endswith(("cost.usage", "cost.usd")):
        return _COST
    if meter is _METERS["gen_ai"] and not _is_of_calls(point):
        return None
    kind = text(point.attributes, meter.kind)
    return None if kind is None else meter.buckets.get(kind)


def _is_of_calls(point: Point) -> bool:
    operation = text(point.attributes, *names.OPERATION)
    return point.scope != "openclaw" and (operation is None or operation in INFERENCE)


def _why_not(point: Point, meter: _Meter) -> str:
    if meter is _METERS["gen_ai"] and not _is_of_calls(point):
        return TWICE if point.scope == "openclaw" else TOTAL
    return OTHER_METRIC if meter.kind not in point.attributes else OVERLAPPING


def _usage(point: Point, meter: _Meter, field: str, started_at: datetime, at: datetime) -> ReportedUsage:
    assert point.value is not None
    said = point.attributes
    series = _series(point, meter)
    counter = None if point.is_delta else f"{series}:{point.started_ns}"
    of_time = f"{point.started_ns}:{point.at_ns}" if point.is_delta else f"{point.started_ns}:{at:%Y-%m-%d}"
    agent = text(said, "openclaw.agent", *names.AGENT)
    service = service_of(point.resource) or point.scope or "unknown"
    return ReportedUsage(
        usage_id=f"{SOURCE}:{series}:{of_time}",
        source=SOURCE,
        reporter="meter",
        provider=meter.provider or provider_of(said) or text(said, "openclaw.provider") or "unknown",
        starts_at=started_at,
        ends_at=at,
        model=text(said, "model", "openclaw.model", *names.RESPONSE_MODEL, *names.REQUEST_MODEL),
        member=f"{meter.name} of {service}" + (f", agent {agent}" if agent else ""),
        is_lower_bound=True,
        counter=counter,
        **_counted(field, point.value),
    )


def _counted(field: str, value: Decimal) -> dict[str, Any]:
    if field == _COST:
        return {field: rounded_usd(value)}
    if value != value.to_integral_value():
        raise EntryError(f"tokens must be whole, got {value}")
    return {field: int(value)}


def _series(point: Point, meter: _Meter) -> str:
    """What tells this row from others: all that is said beside the kind of tokens, so that kinds share a row."""
    apart = {name: value for name, value in point.attributes.items() if name != meter.kind}
    said = [meter.name, meter.kind, point.scope, point.is_delta, _plain(point.resource), _plain(apart)]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()[:32]


def _plain(attributes: Attributes) -> list[tuple[str, object]]:
    return sorted(attributes.items())
