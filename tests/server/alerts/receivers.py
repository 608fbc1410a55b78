"""A homeserver and a webhook receiver on loopback, which keep what they were sent and can be told to misbehave."""

import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

TOKEN = "syt_secret_token_of_the_bot"
ROOM = "!ops:example.org"
ALIAS = "#ops:example.org"


@dataclass
class Answer:
    """What is answered instead of the usual, once for each in the list."""

    status: int
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    is_taken: bool = False
    """Whether the message is kept although the answer says otherwise."""


def refusal(status: int, errcode: str, **fields: Any) -> Answer:
    return Answer(status, json.dumps({"errcode": errcode, "error": "told so", **fields}).encode())


@dataclass
class Receiver:
    """What arrived, in its order."""

    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By transaction or webhook id: a repetition is the same message."""
    last_body: bytes = b""
    takes: int = 0
    """How often a message arrived, repetitions included."""

    def keep(self, key: str, body: dict[str, Any]) -> None:
        self.takes += 1
        self.messages.setdefault(key, body)


@contextmanager
def homeserver() -> Iterator[Receiver]:
    with _served(_Homeserver) as receiver:
        yield receiver


@contextmanager
def webhook() -> Iterator[Receiver]:
    with _served(_Webhook) as receiver:
        yield receiver


def is_signed(request: tuple[str, str, dict[str, str]], body: bytes, key: bytes) -> bool:
    """By the rule of Standard Webhooks, written anew here."""
    headers = request[2]
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    expected = base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()
    return headers["webhook-signature"] == f"v1,{expected}"


class _Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    body: bytes

    def log_message(self, *args: Any) -> None:
        pass

    def begin(self) -> Answer | None:
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.requests.append((self.command, self.path, headers))
        self.receiver.last_body = self.body
        return self.receiver.answers.pop(0) if self.receiver.answers else None

    def reply(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)


class _Homeserver(_Handler):
    def do_GET(self) -> None:
        is_known = unquote(self.path) == f"/_matrix/client/v3/directory/room/{ALIAS}"
        found = Answer(200, json.dumps({"room_id": ROOM}).encode()) if is_known else refusal(404, "M_NOT_FOUND")
        self.reply(self.begin() or found)

    def do_PUT(self) -> None:
        answer = self.begin()
        *path, transaction = self.path.split("/")
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
            answer = refusal(401, "M_UNKNOWN_TOKEN")
        elif unquote("/".join(path)) != f"/_matrix/client/v3/rooms/{ROOM}/send/m.room.message":
            answer = refusal(403, "M_FORBIDDEN")
        elif answer is None or answer.is_taken:
            self.receiver.keep(transaction, json.loads(self.body))
        self.reply(answer or Answer(200, json.dumps({"event_id": f"${transaction}"}).encode()))


class _Webhook(_Handler):
    def do_POST(self) -> None:
        answer = self.begin()
        if answer is None or answer.is_taken:
            self.receiver.keep(self.headers["webhook-id"], json.loads(self.body))
        self.reply(answer or Answer(204, b""))


@contextmanager
def _served(handler: type[_Handler]) -> Iterator[Receiver]:
    receiver = Receiver()
    bound = type("Bound", (handler,), {"receiver": receiver})
    server = ThreadingHTTPServer(("127.0.0.1", 0), bound)
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
