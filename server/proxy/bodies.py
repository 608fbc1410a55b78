"""The client's body on its way to the upstream: chunk by chunk, with a bounded copy where somebody looks at it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx2
from starlette.types import Receive

from loaders.openclaw.values import FieldError, Object, parse
from server.proxy.reading import Allowance
from server.proxy.reduced import is_word

MOST_LOOKED_AT = 8 * 2**20
_LONGEST_WORD = 200
_ASKS_USAGE = b'"stream_options":{"include_usage":true},'


class ClientLeftError(Exception):
    """Nobody waits for the answer any more."""


class TooLargeError(Exception):
    """The body is over the limit."""


class RequestBody(httpx2.AsyncByteStream):
    """Read once, by the upstream's connection, as fast as that takes it; `close` gives back what its copy took."""

    def __init__(
        self,
        receive: Receive,
        most_bytes: int,
        patience_s: float,
        allowance: Allowance,
        told: Callable[[bytes], None] | None = None,
    ) -> None:
        """`told` is given each piece as the client sent it."""
        self._told = told
        self._receive, self._most, self._patience_s, self._allowance = receive, most_bytes, patience_s, allowance
        self._size = 0
        self._first: list[bytes] = []
        self._copy: bytearray | None = bytearray()
        self.whole = asyncio.Event()
        """All of it was read from the client."""
        self._is_read = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._first:
            yield chunk
        self._first = []
        while not self._is_read:
            if chunk := await self._next():
                yield chunk
        self.whole.set()

    async def looked_at(self) -> Object | None:
        """The JSON object that it is, before any of it goes on; None where it is none, or is too large for that."""
        while not self._is_read and self._copy is not None:
            if chunk := await self._next():
                self._first.append(chunk)
        return self.so_far()

    def so_far(self) -> Object | None:
        """The JSON object that was read; None where it is none, is not whole, or was too large to be kept."""
        if not self._is_read or not self._copy:
            return None
        try:
            return parse(bytes(self._copy))
        except FieldError:
            return None

    def ask_usage(self, looked_at: Object) -> int:
        """Adds the question for usage to a chat stream that `looked_at` has read; gives how many bytes came to it."""
        content = b"".join(self._first)
        opening = content.find(b"{") + 1
        if looked_at.get("stream") is not True or "stream_options" in looked_at or not opening:
            return 0
        self._first = [content[:opening], _ASKS_USAGE, content[opening:]]
        return len(_ASKS_USAGE)

    async def until_left(self) -> None:
        """Returns when the client has left. Only after the body was read: one at a time may listen."""
        await self.whole.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(self._patience_s):
                message = await self._receive()
        except TimeoutError:
            raise ClientLeftError from None
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        chunk: bytes = message.get("body", b"")
        self._is_read = not message.get("more_body", False)
        self._size += len(chunk)
        if self._size > self._most:
            raise TooLargeError
        if self._told is not None:
            self._told(chunk)
        if self._copy is not None and not self._keep(chunk):
            self.close()
        return chunk

    def _keep(self, chunk: bytes) -> bool:
        if self._copy is None or self._size > MOST_LOOKED_AT or not self._allowance.take(len(chunk)):
            return False
        self._copy += chunk
        return True

    def close(self) -> None:
        """Its copy is not needed any more."""
        self._allowance.taken -= len(self._copy or b"")
        self._copy = None


def word(body: Object | None, name: str) -> str | None:
    """A short text of the body; None where there is none."""
    value = (body or {}).get(name)
    return value if isinstance(value, str) and value and is_word(value, _LONGEST_WORD) else None
