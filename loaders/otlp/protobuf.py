"""OTLP's protobuf messages -> entries. The classes are those of opentelemetry-proto; only what counts is read."""

from collections.abc import Callable, Collection, Iterator
from decimal import Decimal
from typing import Any

from google.protobuf.message import DecodeError as ProtobufError
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord as LogMessage
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from loaders.otlp.batch import (
    MAX_DEPTH,
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
    Value,
    Wrong,
)
from loaders.otlp.checks import DELTA, OTHER_METRIC, amount, check_attributes, check_count, check_nested, check_total
from loaders.otlp.ids import SPAN_BYTES, TRACE_BYTES, from_bytes
from loaders.otlp.names import OF_LOGS, OF_RESOURCES, OF_SPANS, is_read

_REQUESTS: dict[Signal, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
_SHAPES = ("sum", "histogram", "exponential_histogram", "gauge", "summary")
_NUMBERS = {"as_int": "asInt", "as_double": "asDouble"}
"""As JSON names them, so that a sender is told the same in both encodings."""
_NOTHING_RECORDED = 1
"""The flag of a point without a value."""


def read_protobuf(signal: Signal, body: bytes) -> Iterator[Entry]:
    """Raises `DecodeError` where it is no such message or has too many entries."""
    request: Any = _REQUESTS[signal]()
    try:
        request.ParseFromString(body)
    except ProtobufError as error:
        raise DecodeError(
            f"the body is no protobuf message of OTLP {signal}: it is cut off, of another signal, compressed in a way "
            "that its headers do not say, or JSON that needs Content-Type: application/json"
        ) from error
    if signal == "traces":
        return _spans(request)
    return _records(request) if signal == "logs" else _points(request)


def _spans(request: ExportTraceServiceRequest) -> Iterator[Entry]:
    count = sum(len(scoped.spans) for part in request.resource_spans for scoped in part.scope_spans)
    check_count(count, "spans")
    for part in request.resource_spans:
        resource = _read_or_nothing(part.resource.attributes, OF_RESOURCES)
        for scoped in part.scope_spans:
            for span in scoped.spans:
                yield _entry(_span, span, resource, scoped.scope.name)


def _records(request: ExportLogsServiceRequest) -> Iterator[Entry]:
    count = sum(len(scoped.log_records) for part in request.resource_logs for scoped in part.scope_logs)
    check_count(count, "log records")
    for part in request.resource_logs:
        resource = _read_or_nothing(part.resource.attributes, OF_RESOURCES)
        for scoped in part.scope_logs:
            for record in scoped.log_records:
                yield _entry(_record, record, resource, scoped.scope.name)


def _points(request: ExportMetricsServiceRequest) -> Iterator[Entry]:
    metrics = [
        metric for part in request.resource_metrics for scoped in part.scope_metrics for metric in scoped.metrics
    ]
    check_count(sum(len(_data(metric)[1].data_points) for metric in metrics), "points")
    for part in request.resource_metrics:
        resource: Attributes | None = None
        for scoped in part.scope_metrics:
            for metric in scoped.metrics:
                shape, data = _data(metric)
                if not is_read(metric.name, scoped.scope.name):
                    yield from (Unread(OTHER_METRIC) for _ in data.data_points)
                    continue
                if resource is None:
                    resource = _read_or_nothing(part.resource.attributes, None)
                of = (metric.name, shape, data, resource, scoped.scope.name)
                for point in data.data_points:
                    yield _entry(_point, point, *of)


def _entry(read: Callable[..., Entry], message: Message, *around: object) -> Entry:
    try:
        return read(message, *around)
    except EntryError as error:
        return Wrong(str(error))


def _span(span: SpanMessage, resource: Attributes, scope: str) -> Entry:
    return Span(
        trace_id=from_bytes(span.trace_id, TRACE_BYTES, "traceId"),
        span_id=from_bytes(span.span_id, SPAN_BYTES, "spanId"),
        parent_id=from_bytes(span.parent_span_id, SPAN_BYTES, "parentSpanId") if span.parent_span_id else None,
        name=span.name[:MAX_TEXT],
        kind=span.kind,
        started_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        is_error=span.status.code == Status.STATUS_CODE_ERROR,
        attributes=_read(span.attributes, OF_SPANS),
        resource=resource,
        scope=scope[:MAX_TEXT],
    )


def _record(record: LogMessage, resource: Attributes, scope: str) -> Entry:
    attributes = _read(record.attributes, OF_LOGS)
    said = record.body.string_value if record.body.HasField("string_value") else ""
    return LogRecord(
        at_ns=record.time_unix_nano,
        event=record.event_name[:MAX_TEXT] or (said if len(said) <= MAX_TEXT else ""),
        attributes=attributes,
        resource=resource,
        scope=scope[:MAX_TEXT],
    )


def _point(point: Any, metric: str, shape: str, data: Any, resource: Attributes, scope: str) -> Entry:
    temporality = getattr(data, "aggregation_temporality", 0)
    check_total(metric, shape, getattr(data, "is_monotonic", True), temporality)
    return Point(
        metric=metric[:MAX_TEXT],
        is_delta=temporality == DELTA,
        started_ns=point.start_time_unix_nano,
        at_ns=point.time_unix_nano,
        value=None if point.flags & _NOTHING_RECORDED else _number(point, shape),
        attributes=_read(point.attributes, None),
        resource=resource,
        scope=scope[:MAX_TEXT],
    )


def _number(point: Any, shape: str) -> Decimal:
    if shape != "sum":
        if not point.HasField("sum"):
            raise EntryError("a histogram without its sum tells no tokens")
        return amount(point.sum, "sum")
    kind = point.WhichOneof("value")
    if kind is None:
        raise EntryError("a point must have asInt or asDouble")
    return amount(getattr(point, kind), _NUMBERS[kind])


def _data(metric: Metric) -> tuple[str, Any]:
    shape = metric.WhichOneof("data") or "sum"
    return shape, getattr(metric, shape)


def _read(pairs: Any, wanted: Collection[str] | None) -> dict[str, Value]:
    """Those that are wanted; all of them where None says so."""
    check_attributes(len(pairs))
    read: dict[str, Value] = {}
    for pair in pairs:
        key = pair.key
        if wanted is None or key in wanted:
            value = _value(pair.value, key)
            if value is not None:
                read[key] = value
    return read


def _read_or_nothing(pairs: Any, wanted: Collection[str] | None) -> dict[str, Value]:
    """A resource that cannot be read names nobody; its entries are still good."""
    try:
        return _read(pairs, wanted)
    except EntryError:
        return {}


def _value(given: Any, key: str, depth: int = MAX_DEPTH) -> Value | None:
    kind = given.WhichOneof("value")
    if kind in ("string_value", "int_value", "double_value", "bool_value"):
        value: Value = getattr(given, kind)
        return value
    if kind is None:
        return None
    if kind == "bytes_value":
        return bytes(given.bytes_value).hex()
    values = given.array_value.values if kind == "array_value" else given.kvlist_value.values
    check_nested(key, len(values), depth)
    if kind == "array_value":
        return tuple(_value(inner, key, depth - 1) or "" for inner in values)
    return tuple((pair.key, _value(pair.value, key, depth - 1) or "") for pair in values)
