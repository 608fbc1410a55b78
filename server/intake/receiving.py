"""A body on its way from the network into a file of the spool: in pieces, unpacked, within the limits.

What arrives is handed to a thread some hundred kilobytes at a time, so the event loop neither unpacks nor waits for the
disk, and a body of any size takes no more memory than that.
"""

import asyncio
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from server.intake.spool import Arriving, Body, Encoding, Signal, Spool, SpoolFullError

PIECE = 256 * 1024
THREADS = 4
RETRY = {"Retry-After": "5"}
CLOSE = {"Connection": "close"}
_GZIP = 16 + zlib.MAX_WBITS
T = TypeVar("T")


class RefusedError(Exception):
    """The body is not taken. `status` is that of HTTP."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        super().__init__(message)


@dataclass
class Receiving:
    """How much may arrive, and how much at a time."""

    spool: Spool
    most_bytes: int
    timeout_s: float
    at_once: int
    now_arriving: int = 0
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS, thread_name_prefix="spool"))

    async def receive(self, request: Request, signal: Signal, encoding: Encoding, rights: str) -> Body:
        """The body in the spool, safe on the disk. Raises `RefusedError`."""
        packed = is_packed(request)
        self._check_length(request)
        if self.now_arriving >= self.at_once:
            raise RefusedError(503, f"{self.at_once} bodies are arriving; send it again", {"Retry-After": "1"})
        self.now_arriving += 1
        arriving: Arriving | None = None
        try:
            arriving = await self._in_thread(self.spool.begin)
            into = _Unpacking(arriving, self.most_bytes) if packed else _Plain(arriving, self.most_bytes)
            await self._arrive(request, into)
            body = await self._in_thread(lambda: into.keep(signal, encoding, rights))
            arriving = None
            return body
        except SpoolFullError as error:
            raise RefusedError(503, str(error), RETRY | CLOSE) from error
        except OSError as error:
            raise RefusedError(503, f"the spool cannot be written: {error.strerror}", RETRY | CLOSE) from error
        except ClientDisconnect as error:
            raise RefusedError(400, "the sender left in the middle of the body", CLOSE) from error
        finally:
            self.now_arriving -= 1
            if arriving is not None:
                arriving.drop()

    async def _arrive(self, request: Request, into: "_Plain | _Unpacking") -> None:
        pieces = bytearray()
        try:
            async with asyncio.timeout(self.timeout_s):
                async for chunk in request.stream():
                    pieces += chunk
                    if len(pieces) >= PIECE:
                        await self._feed(into, pieces)
        except TimeoutError as error:
            message = f"the body did not arrive within {self.timeout_s:g} s"
            raise RefusedError(503, message, {"Retry-After": "1"} | CLOSE) from error
        if pieces:
            await self._feed(into, pieces)

    async def _feed(self, into: "_Plain | _Unpacking", pieces: bytearray) -> None:
        content = bytes(pieces)
        pieces.clear()
        await self._in_thread(lambda: into.feed(content))

    async def _in_thread(self, act: Callable[[], T]) -> T:
        """To its end, also where the sender has left: nobody takes a file away from a thread that writes to it."""
        done = asyncio.get_running_loop().run_in_executor(self.pool, act)
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait({done})
            raise

    def _check_length(self, request: Request) -> None:
        stated = request.headers.get("content-length", "")
        if stated.isdecimal() and int(stated) > self.most_bytes:
            raise _too_large(self.most_bytes)


@dataclass
class _Plain:
    """Writes what arrives as it is."""

    arriving: Arriving
    most_bytes: int

    def feed(self, content: bytes) -> None:
        if self.arriving.size + len(content) > self.most_bytes:
            raise _too_large(self.most_bytes)
        self.arriving.write(content)

    def keep(self, signal: Signal, encoding: Encoding, rights: str) -> Body:
        return self.arriving.keep(signal, encoding, rights)


@dataclass
class _Unpacking(_Plain):
    """Unpacks gzip, never more than a piece at a time: a bomb is found out at the limit, whatever it would become."""

    _unpacker: "zlib._Decompress | None" = None
    _packed: int = 0

    def feed(self, content: bytes) -> None:
        self._packed += len(content)
        if self._packed > self.most_bytes:
            raise _too_large(self.most_bytes)
        try:
            self._unpack(content)
        except zlib.error as error:
            raise RefusedError(400, f"the body says that it is gzip and is not: {error}", CLOSE) from error

    def _unpack(self, content: bytes) -> None:
        while True:
            if self._unpacker is None or self._unpacker.eof:  # one file of gzip may follow another
                self._unpacker = zlib.decompressobj(_GZIP)
            piece = self._unpacker.decompress(content, PIECE)
            super().feed(piece)
            content = self._unpacker.unused_data if self._unpacker.eof else self._unpacker.unconsumed_tail
            if not content and (self._unpacker.eof or len(piece) < PIECE):
                return

    def keep(self, signal: Signal, encoding: Encoding, rights: str) -> Body:
        if self._unpacker is not None and not self._unpacker.eof:
            raise RefusedError(400, "the body ends in the middle of its gzip")
        return super().keep(signal, encoding, rights)


def _too_large(most_bytes: int) -> RefusedError:
    return RefusedError(413, f"the body has more than {most_bytes:,} bytes, unpacked; send smaller batches", CLOSE)


def is_packed(request: Request) -> bool:
    """Raises `RefusedError` for a packing that is not gzip."""
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        message = f"the body is packed as '{encoding[:100]}'; send it as it is, or with gzip"
        raise RefusedError(415, message, {"Accept-Encoding": "gzip, identity"})
    return encoding.endswith("gzip")
