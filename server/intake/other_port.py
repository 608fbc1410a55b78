"""The second port, where collectors and agents expect OTLP: only what is sent is taken there.

It is another listener of the same server, so connections, headers and access have the same limits and rules as on the
main port.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from server.intake.payloads import PATH as PAYLOADS
from server.intake.routes import PATHS

_LOG = logging.getLogger(__name__)
_SENT = (*PATHS, PAYLOADS)
_TAKEN = frozenset({*_SENT, "/health/live", "/health/ready"})


class OtherPort:
    """An ASGI app around another."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_here = scope["type"] != "lifespan" and (scope.get("server") or ("", 0))[1] == self._port
        if not is_here or (scope["type"] == "http" and scope["path"] in _TAKEN):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            told = PlainTextResponse(f"this port takes {', '.join(_SENT)}; ask on the main one\n", 404)
            await told(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "ask on the main port"})


@contextmanager
def listening_too(host: str, port: int, main: int) -> Iterator[socket.socket | None]:
    """A listener on the second port; None where there is to be none, or where somebody else has it."""
    if port in (0, main):
        yield None
        return
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        _LOG.error(
            "OTLP is NOT taken on port %s: %s. Another collector may have it; end that, set CLAWBACK_OTLP_PORT to "
            "another port or to 0, or send to the main port.",
            port,
            error.strerror,
        )
        yield None
        return
    with listener:
        yield listener
