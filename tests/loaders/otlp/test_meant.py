"""Which signal a body is of is told by the body, where it does not fit the address."""

import time

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from loaders.otlp.batch import Encoding, Signal
from loaders.otlp.meant import signal_meant
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
def test_a_body_is_what_it_says(encoding: Encoding, body: bytes, found: Signal) -> None:
    assert signal_meant("traces", encoding, body) == found
    assert signal_meant("logs", encoding, body) == found


@pytest.mark.parametrize("body", [b"", b"\xff", b"\x0a\x05", b"hello"])
def test_a_body_that_says_nothing_is_what_it_was_sent_as(body: bytes) -> None:
    assert signal_meant("metrics", "protobuf", body) == "metrics"
    assert signal_meant("metrics", "json", body) == "metrics"


def test_an_entry_of_nothing_but_fields_is_told_without_reading_all_of_them() -> None:
    def of(number: int, content: bytes) -> bytes:
        return bytes([number << 3 | 2]) + varint(len(content)) + content

    flags = b"\x50\x00" * 2**23  # 16 MiB; to look at each of them took a minute, and gigabytes
    began = time.process_time()
    assert signal_meant("logs", "protobuf", of(1, of(2, of(2, of(1, b"1" * 16) + of(2, b"2" * 8) + flags)))) == "traces"
    assert time.process_time() - began < 5


def varint(number: int) -> bytes:
    low, rest = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])
