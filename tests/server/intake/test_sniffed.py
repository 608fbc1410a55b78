"""Which signal a body is of is told by the body, where it does not fit the address."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from server.intake.sniffed import Otlp, sniffed
from server.intake.spool import Encoding
from tests.server.intake.sending import as_protobuf, span, traces


def metrics() -> bytes:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="openclaw.tokens_", unit="{token}")
    metric.sum.data_points.add(as_int=5)
    assert len(metric.name) == 16  # as long as the id of a trace
    return request.SerializeToString()


def logs(**stated: int) -> bytes:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(severity_text="INFO", **stated)
    return request.SerializeToString()


@pytest.mark.parametrize(
    ("encoding", "body", "found"),
    [
        ("protobuf", as_protobuf(traces([span(1)])), "traces"),
        ("protobuf", metrics(), "metrics"),
        ("protobuf", logs(time_unix_nano=1), "logs"),
        ("protobuf", logs(observed_time_unix_nano=1), "logs"),
        ("json", traces([span(1)]), "traces"),
        ("json", b'{"resourceMetrics":[]}', "metrics"),
        ("json", b'{"resourceLogs":[]}', "logs"),
    ],
    ids=["spans", "points", "records", "observed records", "json spans", "json points", "json records"],
)
def test_a_body_is_what_it_says(encoding: Encoding, body: bytes, found: Otlp) -> None:
    assert sniffed("traces", encoding, body) == found
    assert sniffed("logs", encoding, body) == found


@pytest.mark.parametrize("body", [b"", b"\xff", b"\x0a\x05", b"hello"])
def test_a_body_that_says_nothing_is_what_it_was_sent_as(body: bytes) -> None:
    assert sniffed("metrics", "protobuf", body) == "metrics"
    assert sniffed("metrics", "json", body) == "metrics"
