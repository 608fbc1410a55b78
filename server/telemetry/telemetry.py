"""What one server tells of itself: counters, spans where an exporter is set, and who listens to them."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Protocol

from server.telemetry.caches import CacheMeter
from server.telemetry.exchange import CURRENT, Exchange, Span, phase
from server.telemetry.meters import Meters


class Tracer(Protocol):
    """Spans, and where they go."""

    def begin(self, exchange: Exchange, headers: Mapping[str, str]) -> Span | None:
        """The span of a request; `headers` may name the caller's, which it then continues. None: not recorded."""

    def loading(self, kind: str) -> AbstractContextManager[object]: ...

    def close(self, within_s: float) -> None:
        """Sends what waits, as far as that time allows."""


@dataclass(slots=True)
class Telemetry:
    """Safe to use from many threads."""

    meters: Meters = field(default_factory=Meters)
    tracer: Tracer | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Telemetry":
        """With the exporter that the variables of OpenTelemetry name; `SettingsError` for one there is not."""
        if not wants_traces(environ):
            return cls()
        # Half a second of imports that only who traces pays for.
        tracer: Tracer = import_module("server.telemetry.tracing").tracer_of(environ)
        return cls(tracer=tracer)

    def cache(self, name: str, entries: Callable[[], int] | None = None) -> CacheMeter:
        """For one cache of that name: its look-ups and, where it can say so, how many entries it has."""
        if entries is not None:
            self.meters.watch(f"clawback_{name}_cache_entries", f"Entries of the {name} cache.", lambda: entries())
        return self.meters.caches.meter(name)

    @contextmanager
    def operation(self, surface: str, headers: Mapping[str, str] | None = None) -> Iterator[Exchange]:
        """Work of its own that no HTTP request stands for, such as one push of a subscription."""
        exchange = Exchange(surface=surface)
        token = CURRENT.set(exchange)
        if self.tracer is not None:
            exchange.span = self.tracer.begin(exchange, headers or {})
        try:
            yield exchange
        finally:
            CURRENT.reset(token)
            if exchange.span is not None:
                exchange.span.end(exchange)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Around one question to the store."""
        purpose = "background" if CURRENT.get() is None else "request"
        began = time.perf_counter()
        try:
            with phase("sql"):
                yield
        except BaseException:
            self.meters.failed_reads.labels(purpose).inc()
            raise
        finally:
            self.meters.reads.labels(purpose).observe(time.perf_counter() - began)

    @contextmanager
    def loading(self, kind: str) -> Iterator[None]:
        """Around one load: from the begin of reading to the end of storing."""
        began, outcome = time.perf_counter(), "failed"
        try:
            with nullcontext() if self.tracer is None else self.tracer.loading(kind):
                yield
            outcome = "stored"
        finally:
            self.meters.loads.labels(kind, outcome).inc()
            self.meters.load_seconds.labels(kind).observe(time.perf_counter() - began)

    def close(self, within_s: float) -> None:
        if self.tracer is not None:
            self.tracer.close(within_s)


def wants_traces(environ: Mapping[str, str]) -> bool:
    """Whether the variables of OpenTelemetry ask for spans."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip().lower()
    addresses = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return exporter != "none" and bool(exporter or any(environ.get(name, "").strip() for name in addresses))
