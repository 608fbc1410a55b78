"""uvicorn as subscriptions need it: small messages, no compression, and streams that end before it waits for them."""

import socket
from typing import Any

import uvicorn

from server.graphql.limits import MAX_BODY_BYTES
from server.live.live import Live

WEBSOCKETS: dict[str, Any] = {
    "ws": "wsproto",
    "ws_max_size": MAX_BODY_BYTES + 1_024,  # an operation as large as in a POST, and its envelope
    "ws_per_message_deflate": False,  # costs memory for each connection; a small message unpacks to a large one
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
}
"""Settings for `uvicorn.Config`. uvicorn itself pings, and closes the connection of a peer that has died."""

FAREWELL_S = 2.0


class LiveServer(uvicorn.Server):
    """A stream has no end of its own, and uvicorn waits for the end of every response before it goes down."""

    def __init__(self, config: uvicorn.Config, live: Live | None) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._live:
            await self._live.ended(FAREWELL_S)
        await super().shutdown(sockets)
