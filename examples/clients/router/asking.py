"""One question to a server over HTTP, with a connection that is kept open in each thread.

Of the standard library alone: a router is copied into other programs, and must not fall over what they have installed.
"""

import http.client
import json
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from examples.clients.router.evidence import MalformedError
from examples.clients.router.ground import Failure

MOST_BYTES = 1_000_000


class AskError(Exception):
    """No answer, and why."""

    def __init__(self, failure: Failure, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.failure = failure
        self.retry_after_s = retry_after_s


class Asker:
    """Safe to use from many threads. `total_s` bounds a question once somebody calls `end_overdue` now and then."""

    def __init__(
        self, url: str, token: str | None = None, total_s: float = 2.0, documents: Mapping[str, str] | None = None
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not the address of a server, such as http://127.0.0.1:8321/graphql")
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._address, self._path = parts.netloc, parts.path or "/graphql"
        self._headers = {"Content-Type": "application/json", "Accept": "application/graphql-response+json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._total_s = total_s
        self._documents = documents
        self._mine = threading.local()
        self._all: list[http.client.HTTPConnection] = []
        self._busy: dict[socket.socket, float] = {}
        self._is_ended = False
        self._lock = threading.Lock()

    def ask(self, query: str, variables: dict[str, Any]) -> Any:
        """`data` of the response; `AskError` or `MalformedError` where there is none without errors.

        Nothing is sent twice: a mutation whose answer is lost may have been carried out.
        """
        connection, asked = self._connection(), json.dumps({**self._named(query), "variables": variables})
        try:
            with self._ending_when_overdue(connection):
                connection.request("POST", self._path, asked, self._headers)
                response = connection.getresponse()
                body = response.read(MOST_BYTES + 1)
        except TimeoutError as error:
            connection.close()
            raise AskError("TIMEOUT", f"no answer within {self._total_s} s") from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise AskError("UNREACHABLE", f"the connection failed: {error!r}") from error
        if len(body) > MOST_BYTES:
            connection.close()
            raise MalformedError(f"an answer of more than {MOST_BYTES:,} bytes")
        return _data(response.status, response.getheader("Retry-After"), body)

    def end_overdue(self) -> None:
        """Breaks connections whose answer comes byte by byte for longer than the total; their threads go on then."""
        self._end_begun_before(time.monotonic() - self._total_s)

    def end(self) -> None:
        """Breaks what goes on, and begins nothing more."""
        self._is_ended = True
        self._end_begun_before(float("inf"))

    def close(self) -> None:
        """Once no thread asks any more."""
        for connection in self._all:
            connection.close()

    def _end_begun_before(self, latest: float) -> None:
        with self._lock:
            for taken in [taken for taken, began_s in self._busy.items() if began_s < latest]:
                with suppress(OSError):
                    taken.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def _ending_when_overdue(self, connection: http.client.HTTPConnection) -> Iterator[None]:
        if self._is_ended:
            raise AskError("UNREACHABLE", "this program has closed its router")
        if connection.sock is None:
            connection.connect()
        taken = connection.sock
        with self._lock:
            self._busy[taken] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._busy[taken]

    def _named(self, query: str) -> dict[str, str]:
        return {"query": query} if self._documents is None else {"documentId": self._documents[_operation(query)]}

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's own; a new one where the server has closed it meanwhile."""
        connection: http.client.HTTPConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = self._kind(self._address, timeout=self._total_s)
            with self._lock:
                self._all.append(connection)
        elif connection.sock is not None and select.select([connection.sock], [], [], 0)[0]:
            connection.close()
        return connection


def documents_of(manifest: Path) -> dict[str, str]:
    """The id of each operation's persisted document, from persisted-documents.json.

    Its documents ask for all that the router's own texts ask for; tests hold that.
    """
    texts: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return {_operation(text): key for key, text in texts.items()}


def _operation(document: str) -> str:
    """The name of a document's operation: its second word, after what kind it is."""
    return str(re.findall(r"\w+", document)[1])


def _data(status: int, retry_after: str | None, body: bytes) -> Any:
    wait_s = float(retry_after) if retry_after is not None and retry_after.isdecimal() else None
    if status == 429:
        raise AskError("THROTTLED", "the server says: too many questions", wait_s or 1.0)
    if status == 503:
        raise AskError("BUSY", "the server says: not now", wait_s)
    try:
        answer = json.loads(body)
    except ValueError as error:
        raise MalformedError(f"status {status}, and not JSON") from error
    if not isinstance(answer, dict):
        raise MalformedError(f"status {status}, and not an object")
    if answer.get("errors") or status != 200:
        raise AskError("REFUSED", f"status {status}: {str(answer.get('errors'))[:500]}")
    if not isinstance(answer.get("data"), dict):
        raise MalformedError("an answer without data")
    return answer["data"]
