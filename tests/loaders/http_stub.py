"""A real HTTP server on loopback for loaders that ask one, and a clock with which nothing waits."""

import gzip
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    """Half of the body, and then the connection ends."""


class Time:
    """A clock that stands still but for the waiting, which takes no time."""

    def __init__(self) -> None:
        self.at = NOW
        self.pauses: list[float] = []

    def now(self) -> datetime:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.at += timedelta(seconds=seconds)


@contextmanager
def served(answer: Callable[[Asked], Reply]) -> Iterator[str]:
    """The address of a server that answers so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one packet an answer; two would wait for each other

        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            question = self.rfile.read(int(headers.get("content-length", "0")))
            reply = answer(Asked(self.command, self.path, headers, question))
            body = reply.body
            self.send_response_only(reply.status)
            for name, value in {"Date": f"{NOW:%a, %d %b %Y %H:%M:%S} GMT", **reply.headers}.items():
                self.send_header(name, value)
            packs = reply.status == 200 and "gzip" in self.headers.get("Accept-Encoding", "")
            if packs and "Content-Encoding" not in reply.headers:
                body = gzip.compress(body)
                self.send_header("Content-Encoding", "gzip")
            if reply.status != 304:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if reply.cut else body)
            self.close_connection = reply.cut

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that has heard enough may hang up; anything else is a mistake of the stub."""
            if not isinstance(sys.exc_info()[1], ConnectionError):
                super().handle_error(request, client_address)

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
