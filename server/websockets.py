"""How uvicorn speaks WebSocket here: small messages, no compression. It imports nothing, so that tests run it alone."""

from typing import Any

WEBSOCKETS: dict[str, Any] = {
    "ws": "wsproto",
    "ws_max_size": 65 * 1024,  # an operation as large as in a POST, and its envelope
    "ws_per_message_deflate": False,  # costs memory for each connection; a small message unpacks to a large one
    "ws_ping_interval": 20.0,
    "ws_ping_timeout": 20.0,
}
"""Settings for `uvicorn.Config`. uvicorn itself pings, and closes the connection of a peer that has died."""
