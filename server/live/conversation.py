"""One socket from its first message to its end: a task reads, one for each operation writes, all end together."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager, suppress

from starlette.websockets import WebSocket, WebSocketDisconnect

from server.access import DeniedError, Identify, Principal
from server.graphql.engine import Operation
from server.graphql.errors import told
from server.graphql.refusal import RefusalError
from server.live.live import Live, RefusedError
from server.live.places import FullError
from server.live.protocol import (
    FORBIDDEN,
    GOING_AWAY,
    INIT_TIMEOUT,
    TRY_LATER,
    UNAUTHORIZED,
    Close,
    Init,
    Overfull,
    Protocol,
    Say,
    Stop,
    Subscribe,
    closing,
    complete_message,
    error_message,
    next_message,
)
from server.live.visitor import Visitor

Reads = Callable[[object, Principal], Operation]
"""What somebody sent as JSON becomes an operation, as in the body of a POST; `RefusalError` where it is none."""


CLOSING_S = 1.0


class ClosingError(Exception):
    """The whole connection is to be closed."""

    def __init__(self, close: Close) -> None:
        self.close = close
        super().__init__(close.reason)


class GoneError(Exception):
    """Nobody is there any more, or nobody who reads."""


class Conversation:
    """On one socket, from its first message to its end."""

    def __init__(
        self,
        socket: WebSocket,
        live: Live,
        identify: Identify,
        reads: Reads,
        place: ExitStack,
        visitor: Visitor | None,
    ) -> None:
        self._socket = socket
        self._live = live
        self._identify = identify
        self._reads = reads
        self._place = place
        self._visitor = visitor
        self._protocol = Protocol(live.limits.subscriptions)
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._writing = asyncio.Lock()

    async def hold(self) -> None:
        ends: list[Close] = []
        try:
            async with asyncio.TaskGroup() as self._tasks:
                self._tasks.create_task(self._read())
                self._tasks.create_task(self._end_with_the_server())
        except* ClosingError as several:
            ends = [error.close for error in _leaves(several) if isinstance(error, ClosingError)]
        except* (GoneError, WebSocketDisconnect, OSError):
            pass  # whoever is gone needs no goodbye
        if ends:
            await self._close(ends[0])

    async def _read(self) -> None:
        try:
            async with asyncio.timeout(self._live.limits.init_s):
                while not isinstance(step := await self._next_step(), Init):
                    pass
        except TimeoutError:
            raise ClosingError(Close(INIT_TIMEOUT, "Connection initialisation timeout")) from None
        self._welcome(step)
        await self._say(self._protocol.acknowledge())
        self._tasks.create_task(self._stay_welcome())
        while True:
            await self._next_step()

    async def _next_step(self) -> Init | None:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise GoneError
        match self._protocol.received(message.get("text")):
            case Init() as init:
                return init
            case Close() as close:
                raise ClosingError(close)
            case Say(text):
                await self._say(text)
            case Subscribe(id_, fields):
                self._operations[id_] = self._tasks.create_task(self._operate(id_, fields))
            case Stop(id_):
                self._operations.pop(id_).cancel()
            case Overfull(id_):
                most = (
                    f"a connection has at most {self._protocol.most} operations at a time; complete one of them first"
                )
                await self._say(error_message(id_, [told(most, "TOO_LARGE")]))
        return None

    def _welcome(self, init: Init) -> None:
        token = token_of(init.payload)
        if self._visitor and token is None:
            return
        with self._closed_where_denied():
            self._visitor = Visitor.of(self._socket, self._identify, token)
        self._place.close()
        try:
            self._place.enter_context(self._live.places.of(self._visitor.principal.name))
        except FullError as full:
            raise ClosingError(closing(TRY_LATER, str(full))) from full

    async def _operate(self, id_: str, fields: dict[str, object]) -> None:
        assert self._visitor is not None
        last = complete_message(id_)
        try:
            operation = self._reads(fields, self._visitor.principal)
            with self._closed_where_denied():
                async with aclosing(self._live.pushes(self._visitor, operation)) as pushes:
                    async for content in pushes:
                        await self._say(next_message(id_, content))
        except RefusalError as refusal:
            last = error_message(id_, [told(str(refusal), refusal.code)])
        except RefusedError as refused:
            last = error_message(id_, refused.errors)
        if self._protocol.end(id_):
            self._operations.pop(id_)
            await self._say(last)

    async def _stay_welcome(self) -> None:
        """Also where nothing is pushed: whoever may not listen any more keeps no place."""
        assert self._visitor is not None
        while True:
            await asyncio.sleep(self._live.limits.keep_alive_s)
            with self._closed_where_denied():
                self._visitor.check()

    async def _end_with_the_server(self) -> None:
        await self._live.ending.wait()
        raise ClosingError(Close(GOING_AWAY, "the server goes down"))

    async def _say(self, text: str) -> None:
        """Waits until the reader has taken most of what was said before, so that nothing piles up for a slow one."""
        try:
            async with asyncio.timeout(self._live.limits.send_s), self._writing:
                await self._socket.send_text(text)
        except TimeoutError:
            raise GoneError from None

    async def _close(self, close: Close) -> None:
        with suppress(WebSocketDisconnect, OSError, RuntimeError):  # of these are a timeout, and that he has left
            async with asyncio.timeout(CLOSING_S):
                if close.code == GOING_AWAY:
                    for id_ in sorted(self._protocol.active):
                        await self._socket.send_text(complete_message(id_))
                await self._socket.close(close.code, close.reason)

    @contextmanager
    def _closed_where_denied(self) -> Iterator[None]:
        try:
            yield
        except DeniedError as denied:
            code = {401: UNAUTHORIZED, 429: TRY_LATER, 503: TRY_LATER}.get(denied.status, FORBIDDEN)
            raise ClosingError(closing(code, str(denied))) from denied


def token_of(payload: dict[str, object]) -> str | None:
    """`{"Authorization": "Bearer …"}`, in any case, or `{"token": "…"}`."""
    named = {name.lower(): value for name, value in payload.items()}
    header, token = named.get("authorization"), named.get("token")
    if isinstance(header, str) and header[:7].lower() == "bearer ":
        return header[7:].strip()
    return token if isinstance(token, str) else None


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
