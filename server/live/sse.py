"""Streams of events: an operation a request, in the distinct connections mode of the npm package graphql-sse."""

import asyncio
from collections.abc import Collection
from contextlib import aclosing

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from server.access import DeniedError, Identify
from server.graphql.engine import Operation
from server.graphql.errors import told
from server.live.live import Live, RefusedError
from server.live.origin import is_welcome
from server.live.places import FullError
from server.live.visitor import Visitor

EVENT_STREAM = "text/event-stream"
HEADERS = {
    "Content-Type": f"{EVENT_STREAM}; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # a proxy that gathers the events into large pieces would hold them back
}
SIGN_OF_LIFE = b":\n\n"
"""A comment, which clients pass over."""
COMPLETE = b"event: complete\ndata:\n\n"
"""With data, though it has none: browsers leave out events without."""


class OverError(Exception):
    """The stream is complete."""


class GoneError(Exception):
    """Nobody reads any more."""


class EventStreams:
    """Makes the response to one request."""

    def __init__(self, live: Live, identify: Identify, origins: Collection[str] = ()) -> None:
        self._live = live
        self._identify = identify
        self._origins = origins

    def answer(self, request: Request, operation: Operation) -> "EventStream":
        """Raises `DeniedError`: who asks may not."""
        if not is_welcome(request, self._origins):
            raise DeniedError(403, "a page of another origin may not listen; CLAWBACK_ORIGINS lists those that may")
        return EventStream(self._live, Visitor.of(request, self._identify), operation)


class EventStream:
    """An ASGI app: `next` for each push, `complete` at the end, a sign of life where it is quiet."""

    def __init__(self, live: Live, visitor: Visitor, operation: Operation) -> None:
        self._live = live
        self._visitor = visitor
        self._operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._live.places.of(self._visitor.principal.name):
                await self._stream(receive, send)
        except FullError as full:
            headers = {"Content-Type": "application/json; charset=utf-8", "Retry-After": str(full.retry_after_s)}
            await send(_start(503, headers))
            body = orjson.dumps({"errors": [told(str(full), "BUSY")]})
            await send({"type": "http.response.body", "body": body})

    async def _stream(self, receive: Receive, send: Send) -> None:
        self._send, is_complete = send, False
        await send(_start(200, HEADERS))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._tell())
                tasks.create_task(self._keep_alive())
                tasks.create_task(_leave(receive))
                tasks.create_task(self._end_with_the_server())
        except* OverError:
            is_complete = True
        except* (GoneError, OSError):
            pass  # nobody is there to be told
        if is_complete:
            await send({"type": "http.response.body", "body": COMPLETE})

    async def _tell(self) -> None:
        try:
            async with aclosing(self._live.pushes(self._visitor, self._operation)) as pushes:
                async for content in pushes:
                    await self._say(next_event(content))
        except RefusedError as refused:
            await self._say(next_event(orjson.dumps({"errors": refused.errors})))
        except DeniedError as denied:
            await self._say(_denial(denied))
        raise OverError

    async def _keep_alive(self) -> None:
        """A quiet stream shows that it lives, and whoever may not listen any more keeps no place."""
        while True:
            await asyncio.sleep(self._live.limits.keep_alive_s)
            try:
                self._visitor.check()
            except DeniedError as denied:
                await self._say(_denial(denied))
                raise OverError from denied
            await self._say(SIGN_OF_LIFE)

    async def _end_with_the_server(self) -> None:
        await self._live.ending.wait()
        raise OverError

    async def _say(self, event: bytes) -> None:
        """Waits until the reader has taken most of what was said before, so that nothing piles up for a slow one."""
        try:
            async with asyncio.timeout(self._live.limits.send_s):
                await self._send({"type": "http.response.body", "body": event, "more_body": True})
        except TimeoutError:
            raise GoneError from None


async def _leave(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    raise GoneError


def next_event(content: bytes) -> bytes:
    """`content` is JSON on one line."""
    return b"event: next\ndata: %b\n\n" % content


def _denial(denied: DeniedError) -> bytes:
    return next_event(orjson.dumps({"errors": [told(str(denied), denied.code)]}))


def _start(status: int, headers: dict[str, str]) -> dict[str, object]:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http.response.start", "status": status, "headers": raw}
