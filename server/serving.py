"""uvicorn as this server needs it: small messages, no compression, and streams that end before it waits for them.

It imports nothing of the rest, so that whoever only runs a server loads nothing else.
"""

import socket
from typing import Any, Protocol

import uvicorn

WEBSOCKETS: dict[str, Any] = {
    "ws": "wsproto",
    "ws_max_size": 65 * 1024,  # an operation as large as in a POST, and its envelope
    "ws_per_message_deflate": False,  # costs memory for each connection; a small message unpacks to a large one
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
}
"""Settings for `uvicorn.Config`. uvicorn itself pings, and closes the connection of a peer that has died."""

FAREWELL_S = 2.0


class Endless(Protocol):
    """What streams until it is told to end."""

    async def ended(self, within_s: float) -> None: ...


class StreamingServer(uvicorn.Server):
    """A stream has no end of its own, and uvicorn waits for the end of every response before it goes down."""

    def __init__(self, config: uvicorn.Config, streams: Endless | None) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._streams:
            await self._streams.ended(FAREWELL_S)
        await super().shutdown(sockets)
