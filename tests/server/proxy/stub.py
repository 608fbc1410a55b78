"""A provider that says exactly the bytes it is told to, and keeps exactly those it was sent.

It speaks HTTP/1.1 by hand, so that a test can cut an answer where it likes and see what a library would hide.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Asked:
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    """Names as they came."""
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for each, value in self.headers if each.lower() == name), None)


class CutError(Exception):
    """Raised by an answer: the connection ends here."""


Pieces = AsyncIterator[bytes]
Handler = Callable[[Asked], Pieces]


def head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def document(
    body: bytes, *, status: int = 200, kind: str = "application/json", headers: Sequence[tuple[str, str]] = ()
) -> Pieces:
    yield head(status, [("Content-Type", kind), ("Content-Length", str(len(body))), *headers]) + body


async def stream(
    pieces: Sequence[bytes],
    *,
    headers: Sequence[tuple[str, str]] = (),
    wait: Callable[[], Awaitable[None]] | None = None,
) -> Pieces:
    """Chunked; `wait` is awaited before each piece."""
    yield head(200, [("Content-Type", "text/event-stream; charset=utf-8"), ("Transfer-Encoding", "chunked"), *headers])
    for piece in pieces:
        if wait is not None:
            await wait()
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


@dataclass
class Stub:
    """`answer` is what it says to the next requests; `asked` is what it was asked."""

    answer: Handler
    asked: list[Asked] = field(default_factory=list)
    left: int = 0
    """Connections that ended while it was still answering."""
    url: str = ""
    written: int = 0
    """Bytes that the other side has room for."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                try:
                    asked = await _read(reader)
                except (asyncio.IncompleteReadError, ConnectionError):
                    return
                self.asked.append(asked)
                leaving = asyncio.create_task(reader.read(1))
                telling = asyncio.create_task(self._tell(asked, writer))
                await asyncio.wait((leaving, telling), return_when=asyncio.FIRST_COMPLETED)
                if not telling.done():
                    self.left += 1
                    telling.cancel()
                    return
                telling.result()
                if leaving.done():
                    return
                leaving.cancel()
                with suppress(asyncio.CancelledError):
                    await leaving
        except (CutError, ConnectionError, asyncio.CancelledError):
            pass  # a test that ends may end its stub
        finally:
            writer.close()

    async def _tell(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        async for piece in self.answer(asked):
            writer.write(piece)
            await writer.drain()
            self.written += len(piece)


async def _read(reader: asyncio.StreamReader) -> Asked:
    raw = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = raw.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines))
    named = {name.lower(): value for name, value in headers}
    body = b""
    if "content-length" in named:
        body = await reader.readexactly(int(named["content-length"]))
    elif named.get("transfer-encoding") == "chunked":
        while size := int((await reader.readline()).strip(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    return Asked(method, target, headers, body)


@contextmanager
def looping() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def served(stub: Stub, loop: asyncio.AbstractEventLoop) -> Iterator[Stub]:
    async def begin() -> asyncio.Server:
        return await asyncio.start_server(stub.serve, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    stub.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:

        async def end() -> None:
            server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), loop).result(10)
