"""OTLP/JSON -> entries, read directly: its ids are hex, its enums numbers and its integers texts or numbers.

That is not the usual mapping of protobuf to JSON, so the usual converter would turn every id into rubbish without a
word. Fields that nobody knows are passed over, as the protocol asks.
"""

from collections.abc import Callable, Collection, Iterator
from decimal import Decimal

import orjson

from loaders.otlp.batch import (
    MAX_TEXT,
    Attributes,
    DecodeError,
    Entry,
    EntryError,
    LogRecord,
    Point,
    Signal,
    Span,
    Unread,
    Wrong,
)
from loaders.otlp.checks import (
    DELTA,
    OTHER_METRIC,
    amount,
    check_count,
    check_total,
)
from loaders.otlp.ids import SPAN_BYTES, TRACE_BYTES, from_text
from loaders.otlp.json_values import Object, double, nanoseconds, read_attributes, whole
from loaders.otlp.names import OF_LOGS, OF_RESOURCES, OF_SPANS, is_read

_SHAPES = {
    "sum": "sum",
    "histogram": "histogram",
    "exponentialHistogram": "exponential_histogram",
    "gauge": "gauge",
    "summary": "summary",
}
_ERROR = 2
_NOTHING_RECORDED = 1


def read_json(signal: Signal, body: bytes) -> Iterator[Entry]:
    """Raises `DecodeError` where it is no JSON of this signal or has too many entries."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DecodeError(f"the body is not JSON: {error.msg} at character {error.pos + 1}") from error
    if not isinstance(document, dict):
        raise DecodeError('the body must be a JSON object, such as {"resourceSpans": [...]}')
    if signal == "traces":
        return _spans(document)
    return _records(document) if signal == "logs" else _points(document)


def _spans(document: Object) -> Iterator[Entry]:
    found = list(_entries(document, "resourceSpans", "scopeSpans", "spans"))
    check_count(len(found), "spans")
    resources = _Resources(OF_RESOURCES)
    for span, scope, resource in found:
        yield _entry(_span, span, resources.read(resource), scope)


def _records(document: Object) -> Iterator[Entry]:
    found = list(_entries(document, "resourceLogs", "scopeLogs", "logRecords"))
    check_count(len(found), "log records")
    resources = _Resources(OF_RESOURCES)
    for record, scope, resource in found:
        yield _entry(_record, record, resources.read(resource), scope)


def _points(document: Object) -> Iterator[Entry]:
    metrics = list(_entries(document, "resourceMetrics", "scopeMetrics", "metrics"))
    found = [(metric, *_data(metric), scope, resource) for metric, scope, resource in metrics]
    check_count(sum(len(_objects(data, "dataPoints")) for _, _, data, _, _ in found), "points")
    resources = _Resources(None)
    for metric, shape, data, scope, resource in found:
        name = _name(metric, "name")
        for point in _objects(data, "dataPoints"):
            if is_read(name, scope):
                yield _entry(_point, point, name, shape, data, resources.read(resource), scope)
            else:
                yield Unread(OTHER_METRIC)


def _entries(document: Object, of_resources: str, of_scopes: str, entries: str) -> Iterator[tuple[Object, str, Object]]:
    """Each entry with the name of its scope and its resource."""
    for part in _objects(document, of_resources):
        resource = _object(part, "resource")
        for scoped in _objects(part, of_scopes):
            scope = _name(_object(scoped, "scope"), "name")
            for entry in _objects(scoped, entries):
                yield entry, scope, resource


def _entry(read: Callable[..., Entry], given: Object, *around: object) -> Entry:
    try:
        return read(given, *around)
    except EntryError as error:
        return Wrong(str(error))


def _span(span: Object, resource: Attributes, scope: str) -> Entry:
    parent = span.get("parentSpanId")
    return Span(
        trace_id=from_text(span.get("traceId"), TRACE_BYTES, "traceId"),
        span_id=from_text(span.get("spanId"), SPAN_BYTES, "spanId"),
        parent_id=from_text(parent, SPAN_BYTES, "parentSpanId") if parent else None,
        name=_name(span, "name"),
        kind=whole(span.get("kind", 0), "kind"),
        started_ns=nanoseconds(span, "startTimeUnixNano"),
        ended_ns=nanoseconds(span, "endTimeUnixNano"),
        is_error=_object(span, "status").get("code") == _ERROR,
        attributes=read_attributes(span, OF_SPANS),
        resource=resource,
        scope=scope,
    )


def _record(record: Object, resource: Attributes, scope: str) -> Entry:
    said = _object(record, "body").get("stringValue")
    return LogRecord(
        at_ns=nanoseconds(record, "timeUnixNano"),
        event=_name(record, "eventName") or (said if isinstance(said, str) and len(said) <= MAX_TEXT else ""),
        attributes=read_attributes(record, OF_LOGS),
        resource=resource,
        scope=scope,
    )


def _point(point: Object, metric: str, shape: str, data: Object, resource: Attributes, scope: str) -> Entry:
    temporality = data.get("aggregationTemporality", 0)
    check_total(metric, shape, data.get("isMonotonic", False), temporality)
    flags = whole(point.get("flags", 0), "flags")
    return Point(
        metric=metric,
        is_delta=temporality == DELTA,
        started_ns=nanoseconds(point, "startTimeUnixNano"),
        at_ns=nanoseconds(point, "timeUnixNano"),
        value=None if flags & _NOTHING_RECORDED else _number(point, shape),
        attributes=read_attributes(point, None),
        resource=resource,
        scope=scope,
    )


def _number(point: Object, shape: str) -> Decimal:
    if shape != "sum":
        if point.get("sum") is None:
            raise EntryError("a histogram without its sum tells no tokens")
        return amount(double(point["sum"], "sum"), "sum")
    if point.get("asInt") is not None:
        return amount(whole(point["asInt"], "asInt"), "asInt")
    if point.get("asDouble") is None:
        raise EntryError("a point must have asInt or asDouble")
    return amount(double(point["asDouble"], "asDouble"), "asDouble")


def _data(metric: Object) -> tuple[str, Object]:
    for field, shape in _SHAPES.items():
        if metric.get(field) is not None:
            return shape, _object(metric, field)
    return "sum", {}


class _Resources:
    """The attributes of resources, read once for all entries below one."""

    def __init__(self, wanted: Collection[str] | None) -> None:
        self._wanted = wanted
        self._read: dict[int, Attributes] = {}

    def read(self, resource: Object) -> Attributes:
        """A resource that cannot be read names nobody; its entries are still good."""
        known = self._read.get(id(resource))  # the document holds it for as long as this is asked
        if known is None:
            try:
                known = read_attributes(resource, self._wanted)
            except EntryError:
                known = {}
            self._read[id(resource)] = known
        return known


def _name(holder: Object, field: str) -> str:
    value = holder.get(field)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def _object(holder: Object, field: str) -> Object:
    value = holder.get(field)
    return value if isinstance(value, dict) else {}


def _objects(holder: Object, field: str) -> list[Object]:
    """Raises `DecodeError` where the body has something else there: then its shape is not that of OTLP."""
    values = holder.get(field)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise DecodeError(f"{field} must be a list of objects")
    return values
