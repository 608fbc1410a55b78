"""What is sent is safe when it is acknowledged, and in an answer soon after; sent twice it counts once."""

import re
import time
from collections.abc import Iterator
from decimal import Decimal
from urllib.request import urlopen

import orjson
import pytest
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from semantic import Catalog
from tests.server.conftest import REPOSITORY
from tests.server.intake.sending import Here, as_protobuf, call_line, here, span, traces, until

COST = '{ metrics(where: {agent: {eq: "%s"}}) { totals { requests inferenceCost } } sources { source rejected } }'
PROTOBUF = "application/x-protobuf"
NDJSON = "application/x-ndjson"


@pytest.fixture(scope="module")
def server(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Here]:
    with here(catalog, tmp_path_factory.mktemp("sending")) as found:
        yield found


def calls_of(server: Here, agent: str) -> tuple[int, Decimal | None]:
    totals = server.ask(COST % agent)["metrics"]["totals"]
    cost = totals["inferenceCost"]
    return int(totals["requests"] or 0), None if cost is None else Decimal(cost)


def test_a_span_of_the_real_sdk_is_in_a_graphql_answer_with_its_cost(server: Here) -> None:
    exporter = OTLPSpanExporter(f"{server.url}/v1/traces", compression=Compression.Gzip)
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with provider.get_tracer("an agent").start_as_current_span("chat claude-haiku-4-5") as current:
        attributes: dict[str, str | int] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.response.model": "claude-haiku-4-5",
            "gen_ai.response.id": "msg_01OfTheRealSdk000001",
            "gen_ai.agent.name": "sdk",
            "gen_ai.usage.input_tokens": 12_500,
            "gen_ai.usage.cache_read.input_tokens": 12_000,
            "gen_ai.usage.output_tokens": 500,
        }
        current.set_attributes(attributes)
    provider.shutdown()
    began = time.monotonic()
    until(lambda: calls_of(server, "sdk")[0], "the span is in an answer")
    # 500 uncached tokens at 1 USD a million, 12,000 from the cache at 0.10, 500 out at 5.
    assert calls_of(server, "sdk") == (1, Decimal("0.0042"))
    assert time.monotonic() - began < 30


def test_json_and_protobuf_packed_or_not_are_the_same(server: Here) -> None:
    body = traces([span(1, agent="four"), span(2, agent="four")])
    assert server.send("/v1/traces", body).body == b"{}"
    assert server.packed("/v1/traces", body).json == {}
    for answer in (
        server.send("/v1/traces", as_protobuf(body), PROTOBUF),
        server.packed("/v1/traces", as_protobuf(body), PROTOBUF),
    ):
        assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"", PROTOBUF)
    server.await_stored()
    assert calls_of(server, "four") == (2, Decimal("0.003003"))


def test_what_is_sent_again_after_it_was_not_acknowledged_counts_once(server: Here) -> None:
    body = as_protobuf(traces([span(n, agent="again") for n in range(10, 15)]))
    assert [server.send("/v1/traces", body, PROTOBUF).status for _ in range(2)] == [200, 200]
    server.await_stored()
    assert server.send("/v1/traces", body, PROTOBUF).status == 200
    server.await_stored()
    assert calls_of(server, "again")[0] == 5


def test_a_request_without_anything_succeeds_and_stores_nothing(server: Here) -> None:
    loads = server.count("SELECT count(*) FROM loads")
    for path in ("/v1/traces", "/v1/metrics", "/v1/logs"):
        assert server.send(path, b"{}").body == b"{}"
        assert server.send(path, b"", PROTOBUF).status == 200
    assert server.send("/v1/traces", b'{"resourceSpans":[]}').status == 200
    assert server.send("/v1/calls", b"", NDJSON).json == {"accepted": 0, "rejected": []}
    server.await_stored()
    assert server.count("SELECT count(*) FROM loads") == loads


def test_a_span_that_is_wrong_is_told_with_its_number_and_the_others_are_stored(server: Here) -> None:
    wrong = span(21, agent="half") | {"spanId": "zz"}
    body = traces([span(20, agent="half"), wrong])
    partial = server.send("/v1/traces", body).json["partialSuccess"]
    assert partial["rejectedSpans"] == "1"
    assert re.match(r"1 of 2 spans were rejected: \S+-any:2: spanId must be 16 hex digits", partial["errorMessage"])
    server.await_stored()
    assert calls_of(server, "half")[0] == 1

    packed = server.send("/v1/traces", _with_short_id(as_protobuf(traces([span(20, agent="half")]))), PROTOBUF)
    told = ExportTraceServiceResponse.FromString(packed.body).partial_success
    assert told.rejected_spans == 1
    assert told.error_message.startswith("1 of 1 spans were rejected: ")


def _with_short_id(body: bytes) -> bytes:
    """With a trace id of 16 bytes whose span id has lost its bytes, which is no span."""
    return body.replace(b"\x12\x08" + (21).to_bytes(8), b"\x12\x08" + bytes(8))


def test_calls_of_the_proxy_are_stored_line_by_line(server: Here) -> None:
    body = call_line(30, agent="proxied") + b'{"provider": 1}\n' + call_line(31, agent="proxied")
    told = server.packed("/v1/calls", body, NDJSON).json
    assert told["accepted"] == 2
    assert [each["line"] for each in told["rejected"]] == [2]
    server.await_stored()
    assert calls_of(server, "proxied") == (2, Decimal("0.003061"))


def test_metrics_that_were_sent_to_the_address_of_traces_are_metrics(server: Here) -> None:
    point = {"asInt": "5", "startTimeUnixNano": "1", "timeUnixNano": str(time.time_ns()), "attributes": []}
    metric = {"name": "openclaw.tokens", "sum": {"aggregationTemporality": 1, "dataPoints": [point]}}
    body = orjson.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]})
    answer = server.send("/v1/traces", body)
    assert answer.status == 200
    assert "rejectedSpans" not in str(answer.json) or "metric" in str(answer.json)


def test_the_health_page_and_the_counters_tell_what_waits(server: Here) -> None:
    server.send("/v1/traces", traces([span(40, agent="counted")]))
    server.await_stored()
    page = page_of(server, "/metrics")
    told = {name: float(value) for name, value in re.findall(r"^(clawback_intake\S+) (\S+)$", page, re.MULTILINE)}
    assert told["clawback_intake_spool_bodies"] == 0
    assert told["clawback_intake_unreadable_bodies"] == 0
    assert told['clawback_intake_bodies_total{signal="traces",status="200"}'] > 0
    assert told['clawback_intake_items_total{outcome="accepted",signal="calls"}'] == 2
    assert time.time() - told["clawback_intake_visible_timestamp_seconds"] < 600
    assert orjson.loads(page_of(server, "/health/ready"))["spool"] == {"bodies": 0, "bytes": 0, "oldestSeconds": 0.0}
    kinds = dict(re.findall(r"^# TYPE (clawback_intake_\w+) (\w+)$", page, re.MULTILINE))
    table = (REPOSITORY / "docs/operations.md").read_text()
    listed = dict(re.findall(r"^\| `(clawback_intake_\w+)` \| (\w+) \|", table, re.MULTILINE))
    assert listed == kinds | {"clawback_intake_oldest_timestamp_seconds": "gauge"}  # absent where nothing waits


def test_the_python_of_the_page_on_the_intake_is_stored(server: Here) -> None:
    """Every example of docs/intake.md in Python, against this server."""
    (example,) = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs/intake.md").read_text(), re.DOTALL)
    exec(example.replace("http://127.0.0.1:4318", server.url).replace("msg_01...", "msg_01OfThePage00000001"), {})
    server.await_stored()
    calls = (
        "SELECT count(*) FROM requests WHERE request_key = 'anthropic:msg_01OfThePage00000001' AND cost_usd = 0.0042"
    )
    assert server.count(calls) == 1


def page_of(server: Here, path: str) -> str:
    with urlopen(f"{server.url}{path}") as response:
        text: str = response.read().decode()
    return text
