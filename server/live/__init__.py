"""Subscriptions: answers that are pushed when they change, over WebSockets and as streams of events."""

from server.live.live import Live, LiveLimits
from server.live.moves import marks_of
from server.live.protocol import SUBPROTOCOL
from server.live.sse import EventStreams
from server.live.websocket import Sockets

__all__ = [
    "SUBPROTOCOL",
    "EventStreams",
    "Live",
    "LiveLimits",
    "Sockets",
    "marks_of",
]
