"""What OpenTelemetry's own Python SDK makes of a call, in both encodings."""

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from loaders.item import Item, Note, Parsed
from loaders.job import run_load
from loaders.otlp import Signal, decode, read_batch
from store import ReportedUsage, Request, Store
from tests.loaders.otlp.bodies import tokens
from tests.stores import new_store

RESOURCE = Resource({"service.name": "shop", "service.instance.id": "1"})
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.conversation.id": "s-1",
    "gen_ai.agent.name": "xavier",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 600,
    "gen_ai.response.finish_reasons": ["stop"],
    "gen_ai.input.messages": "a secret",
}
ENCODINGS = ["protobuf", "json"]


def body(message: Message, encoding: str) -> bytes:
    """As the protocol has it in JSON: enums as numbers, ids in hex."""
    if encoding == "protobuf":
        return message.SerializeToString()
    document = MessageToDict(message, use_integers_for_enums=True)
    return orjson.dumps(_with_hex_ids(document))


def _with_hex_ids(node: Any) -> Any:
    if isinstance(node, list):
        return [_with_hex_ids(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    ids = ("traceId", "spanId", "parentSpanId")
    return {
        key: base64.b64decode(inner).hex() if key in ids and isinstance(inner, str) else _with_hex_ids(inner)
        for key, inner in node.items()
    }


def items(signal: Signal, message: Message, encoding: Any) -> list[Item | Note]:
    return list(read_batch(decode(signal, encoding, body(message, encoding)), datetime.now(UTC)))


@pytest.fixture(scope="module")
def exported() -> Iterator[Message]:
    """A run of an agent with two calls, of which the second fails."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider(resource=RESOURCE)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("an.instrumentation")
    run = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 1000}
    with tracer.start_as_current_span("invoke_agent xavier", attributes=run):
        with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as span:
            span.set_attributes(CHAT | {"gen_ai.response.id": "chatcmpl-AbCdEf"})
        with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as span:
            span.set_attributes({"gen_ai.operation.name": "chat", "error.type": "timeout"})
            span.set_status(Status(StatusCode.ERROR, "timed out"))
    yield encode_spans(exporter.get_finished_spans())
    provider.shutdown()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_its_spans_are_calls(exported: Message, encoding: str) -> None:
    found = [one for item in items("traces", exported, encoding) if isinstance(item, Parsed) for one in item.records]
    calls = [one for one in found if isinstance(one, Request)]
    assert [(call.status, tokens(call)) for call in calls] == [("ok", (400, 600, 0, 0, 50)), ("error", (None,) * 5)]
    assert calls[0].request_key == "openai:chatcmpl-AbCdEf"
    assert "a secret" not in repr(found)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_its_events_are_calls(encoding: str) -> None:
    exporter = InMemoryLogRecordExporter()
    provider = LoggerProvider(resource=Resource({"service.name": "claude-code"}))
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    said: dict[str, Any] = {"session.id": "s-1", "model": "claude-haiku-4-5", "input_tokens": 100, "output_tokens": 5}
    provider.get_logger("com.anthropic.claude_code.events").emit(
        LogRecord(
            timestamp=1_795_046_500_120_000_000 - 86_400_000_000_000 * 200,
            severity_number=SeverityNumber.INFO,
            body="claude_code.api_request",
            attributes=said | {"event.name": "api_request", "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy"},
        )
    )
    (item,) = items("logs", encode_logs(exporter.get_finished_logs()), encoding)
    provider.shutdown()
    assert isinstance(item, Parsed)
    (call, _) = item.records
    assert isinstance(call, Request)
    assert (call.request_key, tokens(call)) == ("otlp-events:req_011CSHoEeqs5C35K2UUqR7Fy", (100, 0, 0, 0, 5))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("temporality", [AggregationTemporality.DELTA, AggregationTemporality.CUMULATIVE])
def test_its_meters_are_read_twice_and_counted_once(encoding: str, temporality: AggregationTemporality) -> None:
    reader = InMemoryMetricReader(preferred_temporality={Histogram: temporality, Counter: temporality})
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    histogram = provider.get_meter("an.instrumentation").create_histogram("gen_ai.client.token.usage", "{token}")
    said = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    with new_store() as store:
        for count in (50, 20):
            histogram.record(count, said | {"gen_ai.token.type": "output"})
            data = reader.get_metrics_data()
            assert data is not None
            message = encode_metrics(data)
            for _ in range(2):
                load(store, items("metrics", message, encoding))
        rows = store.read("SELECT sum(output_tokens), count(DISTINCT meter) FROM reported_periods").rows
    provider.shutdown()
    assert rows == [(70, 1)]


def load(store: Store, read: list[Item | Note]) -> None:
    assert all(isinstance(item, Parsed) and isinstance(item.records[0], ReportedUsage) for item in read)
    run_load(store, "otlp", "here", read, now=datetime.now(UTC))
