"""Both encodings say the same, and what is hostile or wrong costs little and is told to who sent it."""

import base64
from contextlib import suppress
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loaders.otlp import Batch, DecodeError, Signal, decode
from loaders.otlp.batch import MAX_BYTES, LogRecord, Point, Span, Wrong
from loaders.otlp.names import OF_LOGS, OF_SPANS
from tests.loaders.otlp.bodies import (
    START_NS,
    TRACE,
    Json,
    as_json,
    as_protobuf,
    attributes,
    counter,
    histogram,
    logs,
    metrics,
    point,
    record,
    span,
    traces,
)

CALL: Json = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 7}
WHOLE = st.integers(-(2**63), 2**63 - 1)
PLAIN = st.one_of(st.text(max_size=20), WHOLE, st.floats(), st.booleans())
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)
NANOSECONDS = st.integers(0, 2**64 - 1)


def said(names: frozenset[str]) -> st.SearchStrategy[Json]:
    return st.dictionaries(st.sampled_from(sorted(names)) | st.text(max_size=10), VALUES, max_size=5)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Signal, Json]:
    """A request of any signal, with what every sender may put into it."""
    resource, scope = draw(said(frozenset({"service.name"}))), draw(st.sampled_from(["", "openclaw", "x"]))
    around = {"resource": resource, "scope": scope}
    match draw(st.sampled_from(["traces", "logs", "metrics"])):
        case "traces":
            return "traces", traces(*draw(st.lists(spans(), max_size=3)), **around)
        case "logs":
            made = [record(one, at_ns=draw(NANOSECONDS)) for one in draw(st.lists(said(OF_LOGS), max_size=3))]
            return "logs", logs(*made, **around)
    of = [point(one, draw(st.integers(-5, 2**63 - 1))) for one in draw(st.lists(said(frozenset({"type"})), max_size=3))]
    name = draw(st.sampled_from(["claude_code.token.usage", "openclaw.tokens", "another"]))
    return "metrics", metrics(counter(name, *of, is_delta=draw(st.booleans())), **around)


@st.composite
def spans(draw: st.DrawFn) -> Json:
    number, parent = draw(st.integers(1, 2**64 - 1)), draw(st.none() | st.integers(1, 2**64 - 1))
    of_trace = f"{draw(st.integers(1, 2**128 - 1)):032x}"
    times = {"startTimeUnixNano": str(draw(NANOSECONDS)), "endTimeUnixNano": str(draw(NANOSECONDS))}
    made = span(number, draw(said(OF_SPANS)), parent=parent, trace=of_trace, name=draw(st.text(max_size=9)), **times)
    return made | {"kind": draw(st.integers(0, 5)), "status": {"code": draw(st.integers(0, 2))}}


@given(requests())
@settings(max_examples=60, deadline=None)
def test_both_encodings_of_a_request_say_the_same(request: tuple[Signal, Json]) -> None:
    signal, document = request
    assert repr(decode(signal, "json", as_json(document))) == repr(  # not equal where NaN is in it
        decode(signal, "protobuf", as_protobuf(signal, document))
    )


@given(st.binary(max_size=200), st.sampled_from(["traces", "logs", "metrics"]), st.sampled_from(["protobuf", "json"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_a_batch_or_refused(body: bytes, signal: Any, encoding: Any) -> None:
    with suppress(DecodeError):
        assert isinstance(decode(signal, encoding, body), Batch)


def only(body: object, signal: Signal = "traces") -> Any:
    (entry,) = decode(signal, "json", body if isinstance(body, bytes) else orjson.dumps(body)).entries
    return entry


def test_ids_may_have_any_case_and_integers_may_be_numbers() -> None:
    made = span(0xABCDEF, {}, trace=TRACE.upper(), startTimeUnixNano=START_NS, kind="3")
    made |= {"spanId": "0000000000ABCDEF", "attributes": [{"key": "input_tokens", "value": {"intValue": 7}}]}
    made["attributes"] = [{"key": "gen_ai.usage.input_tokens", "value": {"intValue": 7}}]
    found = only(traces(made))
    assert (found.trace_id, found.span_id, found.kind) == (TRACE, "0000000000abcdef", 3)
    assert (found.started_ns, found.attributes) == (START_NS, {"gen_ai.usage.input_tokens": 7})


def test_fields_that_nobody_knows_are_passed_over() -> None:
    document = traces(span(1, CALL, flags=257, links=[{}], futureField={"a": [1]})) | {"newField": 1}
    assert isinstance(only(document), Span)


def test_only_what_a_rule_asks_for_is_read() -> None:
    found = only(traces(span(1, CALL | {"gen_ai.prompt": "a secret", "span.input": "a secret"})))
    assert found.attributes == CALL


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (
            {"traceId": base64.b64encode(b"x" * 16).decode()},
            "traceId must be 32 hex digits, got 24 characters; it",
        ),
        ({"traceId": TRACE[:-1]}, "traceId must be 32 hex digits, got 31 characters"),
        ({"traceId": "g" * 32}, "traceId must be 32 hex digits, got 32 characters"),
        ({"traceId": "0" * 32}, "traceId is all zeros, which is no id"),
        ({"traceId": None}, "traceId must be 32 hex digits, got nothing"),
        ({"traceId": 7}, "traceId must be 32 hex digits, got no text"),
        ({"spanId": "0" * 16}, "spanId is all zeros"),
        ({"parentSpanId": "xyz"}, "parentSpanId must be 16 hex digits, got 3 characters"),
        ({"startTimeUnixNano": -1}, "startTimeUnixNano must be nanoseconds since 1970, got '-1'"),
        ({"startTimeUnixNano": 2**64}, "startTimeUnixNano must be nanoseconds since 1970"),
        ({"kind": [3]}, "kind must be a whole number of 64 bits"),
        ({"attributes": {"a": 1}}, "attributes must be a list"),
        ({"attributes": ["a"]}, "each attribute must be an object with a key"),
        ({"attributes": [{"key": "session.id", "value": "s"}]}, "session.id must have a value like"),
        ({"attributes": [{"key": "session.id", "value": {"textValue": "s"}}]}, "session.id must have a value like"),
        (
            {"attributes": [{"key": "session.id", "value": {"intValue": 2**63}}]},
            "session.id must be a whole number",
        ),
        (
            {"attributes": [{"key": "session.id", "value": {"intValue": 1e30}}]},
            "session.id must be a whole number",
        ),
        (
            {"attributes": [{"key": "session.id", "value": {"bytesValue": "!"}}]},
            "session.id must have its bytes in",
        ),
        (
            {"attributes": [{"key": "session.id", "value": {"arrayValue": {"values": 1}}}]},
            "session.id must have a",
        ),
    ],
)
def test_a_span_that_is_wrong_is_one_span(wrong: Json, reason: str) -> None:
    batch = decode("traces", "json", as_json(traces(span(1, CALL) | wrong, span(2, CALL))))
    first, second = batch.entries
    assert isinstance(first, Wrong)
    assert first.reason.startswith(reason)
    assert isinstance(second, Span)
    assert batch.wrong == (first,)


def test_the_rubbish_that_a_generic_converter_makes_of_hex_ids_is_told_as_such() -> None:
    rubbish = ParseDict(traces(span(1, CALL)), ExportTraceServiceRequest()).SerializeToString()
    (wrong,) = decode("traces", "protobuf", rubbish).wrong
    assert wrong.reason == "traceId must be 16 bytes, got 24; these look like its hex digits read as base64"


def test_hex_digits_in_protobuf_are_told_as_such() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=TRACE.encode(), span_id=b"12345678")
    (wrong,) = decode("traces", "protobuf", request.SerializeToString()).wrong
    assert (
        wrong.reason == "traceId must be 16 bytes, got 32; these are its hex digits as text, send the bytes themselves"
    )


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("json", b"", "the body is not JSON"),
        ("json", b'{"resourceSpans": [', "the body is not JSON"),
        ("json", b"[]", "the body must be a JSON object"),
        ("json", b'{"resourceSpans": {}}', "resourceSpans must be a list of objects"),
        ("json", b'{"resourceSpans": [{"scopeSpans": [7]}]}', "scopeSpans must be a list of objects"),
        ("protobuf", b'{"resourceSpans": []}', "the body is no protobuf message of OTLP traces: it is cut off, of"),
        ("protobuf", as_protobuf("traces", traces(span(1, CALL)))[:-5], "the body is no protobuf message"),
        ("protobuf", b"\x1f\x8b\x08\x00", "the body is no protobuf message"),
        ("json", b"[" * 100_000, "the body is not JSON"),
        ("protobuf", b"\x0a" * MAX_BYTES + b"\x0a", "the body is 67,108,865 bytes; one may have 67,108,864"),
    ],
)
def test_a_body_that_is_none_is_refused_with_what_would_be_right(encoding: Any, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode("traces", encoding, body)
    assert str(refused.value).startswith(reason)


def test_a_body_with_too_many_spans_is_refused() -> None:
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[' + b"{}," * 100_000 + b"{}]}]}]}"
    with pytest.raises(DecodeError, match="the body has 100,001 spans; one may have 100,000: export smaller batches"):
        decode("traces", "json", body)


def test_a_span_with_a_million_attributes_is_wrong_by_itself() -> None:
    attribute = _field(9, _field(1, b"a") + _field(2, _field(1, b"b")))
    made = _field(1, b"t" * 16) + _field(2, b"s" * 8) + attribute * 1_000_000
    (wrong,) = decode("traces", "protobuf", _field(1, _field(2, _field(2, made)))).wrong
    assert wrong.reason == "has 1,000,000 attributes; an entry may have 2,000"


def _field(number: int, content: bytes) -> bytes:
    """As protobuf writes a message or a text."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def nested(depth: int) -> bytes:
    lists = '{"arrayValue":{"values":[' * depth + '{"intValue":1}' + "]}}" * depth
    return as_json(traces(span(1, {"session.id": "@"}))).replace(b'{"stringValue": "@"}', lists.encode())


def test_lists_in_lists_are_read_to_a_depth() -> None:
    assert only(nested(50)).reason == "session.id is nested too deep"


def test_json_that_is_nested_without_an_end_is_refused() -> None:
    with pytest.raises(DecodeError, match="the body is not JSON"):
        decode("traces", "json", nested(100_000))


def test_an_attribute_that_nobody_asked_for_may_be_as_deep_as_it_likes() -> None:
    deep: object = 1
    for _ in range(40):
        deep = [deep]
    assert isinstance(only(traces(span(1, {"payload": deep}))), Span)


@pytest.mark.parametrize("path", ["traces", "metrics", "logs"])
@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_signal_that_came_by_the_path_of_another_is_known_by_its_content(path: Any, encoding: Any) -> None:
    made: dict[Signal, Json] = {
        "traces": traces(span(1, CALL)),
        "metrics": metrics(counter("openclaw.tokens", point({"openclaw.token": "input"}, 5)), scope="openclaw"),
        "logs": logs(record({"event.name": "api_request"})),
    }
    for signal, document in made.items():
        body = as_json(document) if encoding == "json" else as_protobuf(signal, document)
        batch = decode(path, encoding, body)
        assert batch.signal == signal
        assert isinstance(batch.entries[0], {"traces": Span, "metrics": Point, "logs": LogRecord}[signal])


def test_metrics_that_count_something_else_are_not_read_at_all() -> None:
    broken = histogram("http.server.duration", point({}, 5, field="sum") | {"attributes": attributes({"a": "b"})})
    broken["histogram"]["dataPoints"][0]["timeUnixNano"] = "no time"
    assert decode("metrics", "json", as_json(metrics(broken))).wrong == ()


def test_a_list_of_thousands_is_refused_where_somebody_would_read_it() -> None:
    found = only(traces(span(1, {"session.id": list(range(2_001))})))
    assert found.reason == "session.id lists 2,001 values; a list may have 2,000"


@pytest.mark.parametrize("encoding", ["protobuf", "json"])
def test_a_resource_that_cannot_be_read_names_nobody_and_costs_no_span(encoding: Any) -> None:
    document = traces(span(1, CALL), resource={"service.name": list(range(2_001))})
    body = as_json(document) if encoding == "json" else as_protobuf("traces", document)
    (found,) = decode("traces", encoding, body).entries
    assert isinstance(found, Span)
    assert found.resource == {}


def test_bytes_are_read_as_their_hex_digits_in_both_encodings() -> None:
    document = traces(span(1, CALL) | {"attributes": [{"key": "session.id", "value": {"bytesValue": "AQI="}}]})
    protobuf = decode("traces", "protobuf", as_protobuf("traces", document)).entries
    assert protobuf == decode("traces", "json", as_json(document)).entries
    assert only(document).attributes == {"session.id": "0102"}


def test_an_id_of_zeros_is_none_in_protobuf_either() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add(trace_id=bytes(16), span_id=b"12345678")
    (wrong,) = decode("traces", "protobuf", request.SerializeToString()).wrong
    assert wrong.reason == "traceId is all zeros, which is no id"


@pytest.mark.parametrize(
    ("encoding", "body", "reason"),
    [
        ("protobuf", b"\x0a\x00" * 2_000_000, "the body has 100,001 resources; one may have 100,000"),
        ("protobuf", _field(1, b"\x12\x00" * 2_000_000), "the body has 100,001 scopes; one may have 100,000"),
        (
            "protobuf",
            _field(1, _field(2, b"\x12\x00" * 2_000_000)),
            "the body has 100,001 spans; one may have 100,000",
        ),
        (
            "protobuf",
            _field(1, _field(2, _field(2, b"\x4a\x00" * 200_000))),
            "the body has attributes without a key by the hundred thousand",
        ),
        ("json", b'{"resourceSpans":[' + b"{}," * 3_000_001 + b"{}]}", "the body has 6,000,005 values; one may have"),
    ],
)
def test_millions_of_nothing_are_refused_before_they_take_memory(encoding: Any, body: bytes, reason: str) -> None:
    with pytest.raises(DecodeError) as refused:
        decode("traces", encoding, body)
    assert str(refused.value).startswith(reason)
