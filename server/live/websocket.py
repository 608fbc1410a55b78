"""The door for sockets: who may open one is decided before it is one, so that a refusal is plain HTTP."""

from collections.abc import Collection
from contextlib import ExitStack

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from server.access import DeniedError, Identify
from server.live.conversation import Conversation, Reads
from server.live.live import Live
from server.live.origin import is_welcome
from server.live.places import FullError
from server.live.protocol import SUBPROTOCOL
from server.live.visitor import Visitor


class Sockets:
    """An ASGI app for the sockets of one path."""

    def __init__(self, live: Live, identify: Identify, reads: Reads, origins: Collection[str] = ()) -> None:
        self._live = live
        self._identify = identify
        self._reads = reads
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        with ExitStack() as place:
            try:
                visitor = self._let_in(socket, place)
            except _TurnedAwayError as turned_away:
                await socket.send_denial_response(turned_away.response)
                return
            await socket.accept(SUBPROTOCOL)
            await Conversation(socket, self._live, self._identify, self._reads, place, visitor).hold()

    def _let_in(self, socket: WebSocket, place: ExitStack) -> Visitor | None:
        """Who is there, None where that is still to be said; takes a place for him."""
        if not is_welcome(socket, self._origins):
            raise _TurnedAwayError(
                403, "a page of another origin may not connect; CLAWBACK_ORIGINS lists those that may"
            )
        if SUBPROTOCOL not in socket.scope["subprotocols"]:
            raise _TurnedAwayError(400, f"the subprotocol is {SUBPROTOCOL}; ask for it in Sec-WebSocket-Protocol")
        try:
            visitor = self._known(socket)
            places = self._live.places
            place.enter_context(places.of(visitor.principal.name) if visitor else places.of_nobody_yet())
        except DeniedError as denied:
            raise _TurnedAwayError(denied.status, str(denied), dict(denied.headers)) from denied
        except FullError as full:
            raise _TurnedAwayError(503, str(full), {"Retry-After": str(full.retry_after_s)}) from full
        return visitor

    def _known(self, socket: WebSocket) -> Visitor | None:
        """A browser cannot send headers: it says who it is in its first message, and has tried nothing until then."""
        return Visitor.of(socket, self._identify) if "authorization" in socket.headers else None


class _TurnedAwayError(Exception):
    """Before the socket is one; told in HTTP."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.response = PlainTextResponse(f"{message}\n", status, headers)
        super().__init__(message)
