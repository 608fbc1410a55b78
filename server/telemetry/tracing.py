"""Spans for OpenTelemetry, sent as OTLP over HTTP: one for a request, one below it for each phase, one for a load.

Imported only where an exporter is asked for. A span holds names and counts: no text of a question, no value of a
variable, no SQL and no message of an error, in which such a value may stand.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from threading import Thread
from typing import Any

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace import Tracer as OtelTracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from server.alerts.settings import SettingsError
from server.alerts.words import one_line
from server.telemetry.exchange import Exchange

_NAME = "clawback"
_PROPAGATOR = TraceContextTextMapPropagator()


def tracer_of(environ: Mapping[str, str]) -> "OtlpTracer":
    """As the variables of OpenTelemetry say, which its SDK reads. Raises `SettingsError` for what there is not here."""
    exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip().lower() or "otlp"
    if exporter != "otlp":
        raise SettingsError(f"OTEL_TRACES_EXPORTER is otlp or none, got {exporter!r}")
    for name in ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        protocol = environ.get(name, "").strip().lower() or "http/protobuf"
        if protocol != "http/protobuf":
            raise SettingsError(f"{name} must be http/protobuf, which is all that is spoken here, got {protocol!r}")
    return OtlpTracer(OTLPSpanExporter())


class OtlpTracer:
    """Spans wait in a bounded queue for a thread that sends them: a receiver that is slow or gone costs them alone."""

    def __init__(self, exporter: OTLPSpanExporter) -> None:
        resource = Resource.create({SERVICE_VERSION: version("clawback")})
        if str(resource.attributes.get(SERVICE_NAME, "unknown_service")).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: _NAME}))
        self._exporter = exporter
        self._sending = BatchSpanProcessor(exporter)
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._provider.add_span_processor(self._sending)
        self._tracer = self._provider.get_tracer(_NAME)

    def begin(self, exchange: Exchange, headers: Mapping[str, str]) -> "RequestSpan | None":
        """None where the sampler, or the caller's own decision, says that this request is not recorded."""
        caller = _PROPAGATOR.extract(dict(headers), Context())
        name = f"{exchange.method} {exchange.surface}".strip()
        span = self._tracer.start_span(name, caller, SpanKind.SERVER)
        return RequestSpan(self._tracer, span) if span.is_recording() else None

    @contextmanager
    def loading(self, kind: str) -> Iterator[None]:
        span = self._tracer.start_span(f"load {kind}", Context(), SpanKind.CONSUMER, {"clawback.source": kind})
        try:
            yield
        except BaseException as error:
            _mark(span, type(error).__name__)
            raise
        finally:
            span.end()

    def flush(self) -> None:
        """Sends what waits, and waits for that."""
        self._sending.force_flush()

    def close(self, within_s: float) -> None:
        ending = Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        ending.start()
        ending.join(within_s)
        if ending.is_alive():
            # Gives up what it tries again and again.
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # of the SDK


class RequestSpan:
    """The span of one request; its phases may run in another thread."""

    def __init__(self, tracer: OtelTracer, span: OtelSpan) -> None:
        self._tracer = tracer
        self._span = span
        self._below = set_span_in_context(span, Context())

    def phase(self, name: str) -> AbstractContextManager[object]:
        return _Phase(self._tracer.start_span(name, self._below))

    def end(self, exchange: Exchange) -> None:
        known: dict[str, Any] = {
            "http.request.method": exchange.method,
            "http.response.status_code": exchange.status or None,
            "http.response.body.size": exchange.sent_bytes,
            "graphql.operation.name": exchange.operation and one_line(exchange.operation),
            "clawback.surface": exchange.surface,
            "clawback.request_id": exchange.request_id,
            "clawback.principal": exchange.principal and one_line(exchange.principal),
            "clawback.code": exchange.code,
            "clawback.cost": exchange.cost,
            "clawback.rows": exchange.rows,
            "clawback.data_version": exchange.data_version,
        }
        self._span.set_attributes({name: value for name, value in known.items() if value not in (None, "")})
        if exchange.status >= 500 or exchange.code == "INTERNAL":
            _mark(self._span, exchange.code or str(exchange.status))
        self._span.end()


class _Phase(AbstractContextManager[None]):
    __slots__ = ("_span",)

    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if kind is not None:
            _mark(self._span, kind.__name__)
        self._span.end()


def _mark(span: OtelSpan, error: str) -> None:
    span.set_attribute("error.type", error)
    span.set_status(Status(StatusCode.ERROR))
