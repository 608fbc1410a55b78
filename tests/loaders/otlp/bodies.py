"""Export requests, written as OTLP/JSON has them, and the same in protobuf."""

import base64
import copy
import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loaders.item import Ignored, Item, Note, Parsed, Rejected
from loaders.otlp import Around, Signal, decode, read_batch
from store import Record, ReportedUsage, Request, Session

Json = dict[str, Any]
NOW = datetime(2026, 11, 20, tzinfo=UTC)
START_NS = 1_795_046_500_120_000_000
"""2026-11-19T00:01:40.120Z"""
SECOND_NS = 1_000_000_000
TRACE = "0af7651916cd43dd8448eb211c80319c"
_WORDS = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
_IDS = ("traceId", "spanId", "parentSpanId")
_MESSAGES = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}


def value(given: object) -> Json:
    match given:
        case bool():
            return {"boolValue": given}
        case int():
            return {"intValue": str(given)}
        case float():
            return {"doubleValue": given if math.isfinite(given) else _WORDS[str(given)]}
        case list():
            return {"arrayValue": {"values": [value(inner) for inner in given]}}
        case dict():
            return {"kvlistValue": {"values": attributes(given)}}
    return {"stringValue": given}


def attributes(given: Json) -> list[Json]:
    return [{"key": key, "value": value(inner)} for key, inner in given.items()]


def span(number: int, said: Json, *, parent: int | None = None, trace: str = TRACE, **fields: object) -> Json:
    """A client's span of two seconds; its id is its number."""
    made = {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "name": "chat",
        "kind": 3,
        "startTimeUnixNano": str(START_NS),
        "endTimeUnixNano": str(START_NS + 2 * SECOND_NS),
        "attributes": attributes(said),
    }
    return made | ({} if parent is None else {"parentSpanId": f"{parent:016x}"}) | fields


def traces(*spans: Json, resource: Json | None = None, scope: str = "an.instrumentation") -> Json:
    return _request("resourceSpans", "scopeSpans", {"spans": list(spans)}, resource, scope)


def logs(*records: Json, resource: Json | None = None, scope: str = "") -> Json:
    return _request("resourceLogs", "scopeLogs", {"logRecords": list(records)}, resource, scope)


def metrics(*made: Json, resource: Json | None = None, scope: str = "") -> Json:
    return _request("resourceMetrics", "scopeMetrics", {"metrics": list(made)}, resource, scope)


def record(said: Json, *, at_ns: int = START_NS, **fields: object) -> Json:
    return {"timeUnixNano": str(at_ns), "attributes": attributes(said)} | fields


def counter(name: str, *points: Json, is_delta: bool = True) -> Json:
    temporality = 1 if is_delta else 2
    return {
        "name": name,
        "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": list(points)},
    }


def histogram(name: str, *points: Json, is_delta: bool = True) -> Json:
    return {"name": name, "histogram": {"aggregationTemporality": 1 if is_delta else 2, "dataPoints": list(points)}}


def point(said: Json, count: float, *, start_s: int = 0, at_s: int = 60, field: str = "asInt") -> Json:
    """Seconds are those after `START_NS`."""
    return {
        "attributes": attributes(said),
        "startTimeUnixNano": str(START_NS + start_s * SECOND_NS),
        "timeUnixNano": str(START_NS + at_s * SECOND_NS),
        field: str(count) if field == "asInt" else count,
    }


def as_protobuf(signal: Signal, document: Json) -> bytes:
    """The converter takes ids for base64, so that is what it is given."""
    return ParseDict(_with_base64_ids(copy.deepcopy(document)), _MESSAGES[signal]()).SerializeToString()


def as_json(document: Json) -> bytes:
    return json.dumps(document).encode()


def items(signal: Signal, document: Json, now: datetime = NOW) -> list[Parsed | Ignored | Rejected]:
    """What a request gives: the same in both encodings."""
    read = [*read_batch(decode(signal, "json", as_json(document)), now)]
    assert [*read_batch(decode(signal, "protobuf", as_protobuf(signal, document)), now)] == read
    return read  # type: ignore[return-value]  # it gives no notes


def one_after_the_other(around: Around, *documents: Json) -> list[list[str]]:
    """Of bodies of spans: the keys of calls and the rules by which entries are passed over, body by body."""
    told = []
    for document in documents:
        read = read_batch(decode("traces", "json", as_json(document)), NOW, around=around)
        told.append([one for item in read for one in _keys_or_rule(item)])
    return told


def _keys_or_rule(item: Item | Note) -> list[str]:
    if isinstance(item, Ignored):
        return [item.rule]
    assert isinstance(item, Parsed), item
    return [one.request_key for one in item.records if isinstance(one, Request)]


def records(signal: Signal, document: Json) -> list[Record]:
    return [one for item in items(signal, document) for one in _records_of(item)]


def requests(signal: Signal, document: Json) -> list[Request]:
    return [one for one in records(signal, document) if isinstance(one, Request)]


def request(signal: Signal, document: Json) -> Request:
    (found,) = requests(signal, document)
    return found


def sessions(signal: Signal, document: Json) -> list[Session]:
    return [one for one in records(signal, document) if isinstance(one, Session)]


def usages(signal: Signal, document: Json) -> list[ReportedUsage]:
    return [one for one in records(signal, document) if isinstance(one, ReportedUsage)]


def rules(signal: Signal, document: Json) -> list[str]:
    return [item.rule for item in items(signal, document) if isinstance(item, Ignored)]


def reasons(signal: Signal, document: Json) -> list[str]:
    return [item.reason for item in items(signal, document) if isinstance(item, Rejected)]


def tokens(of: Request) -> tuple[int | None, ...]:
    """Uncached, read, written for 5 minutes and for an hour, output."""
    return (
        of.uncached_input_tokens,
        of.cache_read_tokens,
        of.cache_write_5m_tokens,
        of.cache_write_1h_tokens,
        of.output_tokens,
    )


def example(page: Path, name: str) -> Json:
    """An example of the page about providers."""
    found = re.search(rf"<!-- ex: {name} -->\n```json\n(.*?)\n```", page.read_text(), re.DOTALL)
    assert found, name
    return dict(json.loads(found[1]))


def _records_of(item: Parsed | Ignored | Rejected) -> Iterator[Record]:
    assert not isinstance(item, Rejected), item
    if isinstance(item, Parsed):
        yield from item.records


def _request(of_resources: str, of_scopes: str, inner: Json, resource: Json | None, scope: str) -> Json:
    scoped = {"scope": {"name": scope}} | inner
    return {of_resources: [{"resource": {"attributes": attributes(resource or {})}, of_scopes: [scoped]}]}


def _with_base64_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_base64_ids(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    for key, inner in node.items():
        is_id = key in _IDS and isinstance(inner, str)
        node[key] = base64.b64encode(bytes.fromhex(inner)).decode() if is_id else _with_base64_ids(inner)
    return node
