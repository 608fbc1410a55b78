"""A server that says what a test needs, in the place of Clawback's."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass(frozen=True)
class Said:
    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    """A header comes letter by letter, and no end of it."""


class Stub(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, say: Callable[[Any], Said]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.say = say
        self.seen: list[Any] = []
        """The bodies of the requests."""
        self.ending = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/graphql"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asks may go away."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        stub = cast(Stub, self.server)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        stub.seen.append(asked)
        said = stub.say(asked)
        body = said.body.encode()
        self.send_response(said.status)
        for name, value in {"Content-Length": str(len(body)), **said.headers}.items():
            self.send_header(name, value)
        while said.drips:
            self.wfile.write(b"X")
            if stub.ending.wait(0.02):
                return
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def stub(say: Callable[[Any], Said]) -> Iterator[Stub]:
    with Stub(say) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.ending.set()
            server.shutdown()
            thread.join()


def routing(models: list[str], **change: Any) -> Said:
    """An answer in which the first model is the cheapest."""
    rows = [
        {
            "model": model,
            "basis": "CELL",
            "resolved": 50,
            "posterior": {"alpha": 41.0, "beta": 11.0, "low": 0.7, "high": 0.9},
            "costPerSession": f"0.{place}",
            "costPerSessionInterval": {"low": f"0.{place}", "high": f"0.{place}"},
            "decisionGrade": True,
            "notDistinguishableByRoi": [],
        }
        for place, model in enumerate(models, 1)
    ]
    found = {"snapshotId": 7, "ageSeconds": 1.0, "status": "FRESH", "models": rows, **change}
    return Said(body=json.dumps({"data": {"routing": found}}))
