"""Around every request: its id, its span, its line in the log, its place in the counters.

Plain ASGI: Starlette's `BaseHTTPMiddleware` costs half a millisecond for each request.
"""

import logging

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.telemetry.exchange import CURRENT, Exchange
from server.telemetry.request_id import request_id_of
from server.telemetry.telemetry import Telemetry

LEFT = 499
"""The status in log and counters where the client went before it had one."""
_NOT_TRACED = "intake"
"""A server whose spans are sent to itself would make new ones of them for ever."""
SURFACES = {
    "/": "index",
    "/graphql": "graphql",
    "/schema.graphql": "schema",
    "/metrics": "metrics",
    "/loads": "loads",
    "/budgets": "budgets",
    "/payloads": "payloads",
}
FOLDERS = {"/v1/": "intake", "/health/": "health", "/graphiql": "graphiql", "/loads/": "loads", "/budgets/": "budgets"}
_QUIET = ("health", "metrics")
"""Asked every few seconds by machines: in the log only where it fails, or at the level of debugging."""
_LOG = logging.getLogger("clawback.access")


def surface_of(path: str) -> str:
    """One of a fixed set of names.

    Example:
        >>> surface_of("/graphql"), surface_of("/health/live"), surface_of("/../etc/passwd")
        ('graphql', 'health', 'other')
    """
    if path in SURFACES:
        return SURFACES[path]
    return next((name for folder, name in FOLDERS.items() if path.startswith(folder)), "other")


class Watched:
    """An ASGI app around another. What that does not catch becomes a 500 that names the request, and nothing else."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        is_http = scope["type"] == "http"
        exchange = Exchange(
            request_id_of(scope["headers"]),
            surface_of(scope["path"]) if is_http else "websocket",
            scope.get("method", "WEBSOCKET"),
            scope["path"],
        )
        outgoing = _Outgoing(exchange, send)
        token = CURRENT.set(exchange)
        came_in_by = exchange.surface
        self._begin(exchange, scope)
        try:
            await self._app(scope, receive, outgoing)
        except Exception:
            # The outermost edge: whatever it is, the log has it under the request's id; the client has only the id.
            _LOG.exception("the request failed")
            exchange.code = "INTERNAL"
            if exchange.status or not is_http:
                raise
            await _tell_failure(exchange, outgoing)
        finally:
            exchange.status = exchange.status or (LEFT if is_http else 403)
            self._end(exchange, came_in_by, is_http=is_http)
            CURRENT.reset(token)

    def _begin(self, exchange: Exchange, scope: Scope) -> None:
        telemetry = self._telemetry
        if telemetry.tracer is not None and exchange.surface != _NOT_TRACED:
            exchange.span = telemetry.tracer.begin(exchange, _propagated(scope))
        telemetry.meters.doors.asked(exchange.surface)

    def _end(self, exchange: Exchange, came_in_by: str, *, is_http: bool) -> None:
        self._telemetry.meters.doors.left(came_in_by)
        self._telemetry.meters.doors.answered(exchange, is_timed=is_http)
        if exchange.span is not None:
            exchange.span.end(exchange)
        _write_line(exchange)


class _Outgoing:
    """Sends on, and notes what is sent."""

    __slots__ = ("_exchange", "_send")

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self._exchange = exchange
        self._send = send

    async def __call__(self, message: Message) -> None:
        exchange = self._exchange
        match message["type"]:
            case "http.response.start" | "websocket.http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", exchange.request_id.encode())]
            case "http.response.body" | "websocket.http.response.body":
                exchange.sent_bytes += len(message.get("body", b""))
            case "websocket.accept":
                exchange.status = 101
            case "websocket.send":
                exchange.sent_bytes += len(message.get("text") or message.get("bytes") or "")
        await self._send(message)


async def _tell_failure(exchange: Exchange, send: Send) -> None:
    extensions = {"code": "INTERNAL", "requestId": exchange.request_id}
    message = f"Internal error; the server's log has the reason under {exchange.request_id}"
    headers = [(b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    body = orjson.dumps({"errors": [{"message": message, "extensions": extensions}]})
    await send({"type": "http.response.body", "body": body})


def _propagated(scope: Scope) -> dict[str, str]:
    """The headers by which a caller hands his trace on."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in (b"traceparent", b"tracestate")
    }


def _write_line(exchange: Exchange) -> None:
    level = logging.DEBUG if exchange.surface in _QUIET and exchange.status < 400 else logging.INFO
    if not _LOG.isEnabledFor(level):
        return
    facts = {
        "surface": exchange.surface,
        "method": exchange.method,
        "path": exchange.path[:200],
        "status": exchange.status,
        "duration_ms": round(exchange.elapsed_s() * 1000, 3),
        "bytes": exchange.sent_bytes,
        "principal": exchange.principal,
        "operation": exchange.operation,
        "code": exchange.code,
        "cost": exchange.cost,
        "rows": exchange.rows,
        "data_version": exchange.data_version,
    }
    known = {name: value for name, value in facts.items() if value is not None}
    _LOG.log(level, "answered", extra={"facts": known})
