"""Connections before there is a request: how many, how slow and how long their headers may be.

Uvicorn bounds none of the three where httptools parses, and a limit on concurrency of its own would let idle
connections shut everybody out. Here an idle one is closed, so that there is always room again.
"""

import asyncio
from http import HTTPStatus
from typing import Any, ClassVar, Protocol

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class ConnectionLimits(Protocol):
    @property
    def max_connections(self) -> int: ...
    @property
    def max_header_bytes(self) -> int: ...
    @property
    def header_timeout_ms(self) -> int: ...


def bounded_http(settings: ConnectionLimits) -> type[asyncio.Protocol]:
    """The `http` of uvicorn's configuration."""
    return type("BoundedHttp", (_BoundedHttp,), {"settings": settings})


class _HeadersTooLongError(Exception):
    """Goes through the parser, which ends at it."""


class _BoundedHttp(HttpToolsProtocol):
    settings: ClassVar[ConnectionLimits]

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._timer: asyncio.TimerHandle | None = None
        self._is_in_headers = True
        self._read = 0
        """Bytes since the last request, or since the connection was made."""
        self._kept = 0
        """Bytes of the address and the headers that are whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        super().connection_made(transport)
        if len(self.connections) > self.settings.max_connections:
            self._refuse(503, f"{self.settings.max_connections:,} connections are open; try again later", "BUSY")
            return
        self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        self._read += len(data)
        super().data_received(data)
        if self._is_in_headers and self._read > self.settings.max_header_bytes and not self.transport.is_closing():
            self._refuse_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_headers, self._kept = True, 0
        self._begin_waiting()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_headers = False
        self._end_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._read = 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        if self._kept > self.settings.max_header_bytes:
            self._refuse_headers()
        else:
            self._refuse(400, "this is not HTTP/1.1", "BAD_REQUEST")

    def _count(self, more: int) -> None:
        self._kept += more
        if self._kept > self.settings.max_header_bytes:
            raise _HeadersTooLongError

    def _begin_waiting(self) -> None:
        self._end_waiting()
        self._timer = self.loop.call_later(self.settings.header_timeout_ms / 1000, self._too_slow)

    def _end_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._refuse(408, f"no headers arrived within {self.settings.header_timeout_ms:,} ms", "TIMEOUT")

    def _refuse_headers(self) -> None:
        self._refuse(431, f"address and headers have more than {self.settings.max_header_bytes:,} bytes", "TOO_LARGE")

    def _refuse(self, status: int, message: str, code: str) -> None:
        """The last thing that is said on this connection."""
        self._end_waiting()
        body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
        lines = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}",
            "Content-Type: application/json; charset=utf-8",
            f"Content-Length: {len(body)}",
            "Connection: close",
            *(("Retry-After: 1",) if status == 503 else ()),
        )
        self.transport.write("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)
        self.transport.close()
