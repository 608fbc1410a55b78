"""Who asked what at which cost: one JSON line an operation, in a file that only its owner reads.

Whoever answers puts a value into a queue and goes on; a thread writes. Where the disk is too slow for a long time,
lines are dropped and counted rather than answers held up. Nothing secret is written: of a document its hash, of
variables their names and one keyed hash, of a token nothing.
"""

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import blake2b, sha256
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from queue import Empty, Full, Queue
from secrets import token_bytes
from threading import Thread
from typing import Any

import orjson
from graphql import FieldNode, GraphQLError, OperationDefinitionNode, parse

from server.access.principal import Principal
from server.graphql.limits import MAX_BODY_BYTES, MAX_COMMENTS, MAX_TOKENS

MOST_WAITING = 20_000
KEPT_FILES = 9
"""Beside the one that is written."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One operation and what came of it."""

    request_id: str
    principal: Principal
    peer: str
    surface: str
    """Such as graphql or subscription."""
    text: str
    operation: str | None = None
    variables: Mapping[str, Any] | None = None
    status: int = 200
    codes: tuple[str, ...] = ()
    rows: int | None = None
    cost: int | None = None
    duration_ms: float = 0.0


class Audit:
    """Safe to use from many threads and from the event loop; writes while `kept_going`, and the rest at its end."""

    def __init__(
        self, path: Path, clock: Callable[[], datetime] = lambda: datetime.now(UTC), most_mb: int = 20
    ) -> None:
        """`most_mb` is where a new file is begun; 0 for never."""
        self._clock = clock
        self._queue: Queue[tuple[datetime, str, Asked | Mapping[str, Any]] | None] = Queue(MOST_WAITING)
        self._dropped = 0
        self._salt = token_bytes(32)
        """Of this process, so that nobody finds a value by trying those that it may have."""
        self._file = _Rotated(path, maxBytes=most_mb * 1_000_000, backupCount=KEPT_FILES, encoding="utf-8", delay=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # one that cannot be written is told at the start

    def asked(self, asked: Asked) -> None:
        """Somebody asked something and was answered."""
        self._put("asked", asked)

    def denied(self, peer: str, status: int, message: str) -> None:
        """Somebody was not let in."""
        self._put("denied", {"peer": peer, "status": status, "reason": message})

    def happened(self, event: str, principal: str, **details: str | int | float | list[str] | None) -> None:
        """Anything else that whoever reads the audit wants to know, such as `load`."""
        self._put(event, {"principal": principal, **details})

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        thread = Thread(target=self._write_all, name="audit")
        thread.start()
        try:
            yield
        finally:
            self._queue.put(None)
            thread.join()
            self._file.close()

    def write_now(self) -> None:
        """Writes what waits, in this thread: for a command that ends at once."""
        while True:
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                self._file.close()
                return
            self._write(waiting)

    def _put(self, event: str, told: Asked | Mapping[str, Any]) -> None:
        try:
            self._queue.put_nowait((self._clock(), event, told))
        except Full:
            self._dropped += 1

    def _write_all(self) -> None:
        while (waiting := self._queue.get()) is not None:
            self._write(waiting)

    def _write(self, waiting: tuple[datetime, str, Asked | Mapping[str, Any]] | None) -> None:
        if waiting is None:
            return
        at, event, told = waiting
        dropped, self._dropped = self._dropped, 0
        line = {"at": at.isoformat(), "event": event, **(self._line(told) if isinstance(told, Asked) else told)}
        if dropped:
            line["dropped_before"] = dropped
        try:
            text = orjson.dumps(line, default=str).decode()
            self._file.emit(logging.LogRecord("audit", logging.INFO, "", 0, text, None, None))
        except (OSError, TypeError, ValueError):  # whatever one line meets, the next are written
            _LOG.exception("a line of the audit could not be written")

    def _line(self, asked: Asked) -> dict[str, Any]:
        who = asked.principal
        variables = asked.variables or {}
        line = asdict(asked)
        for name in ("principal", "text", "variables"):
            del line[name]
        return line | {
            "principal": who.name,
            "roles": ["admin"] if who.roles is None else sorted(who.roles),
            "document": sha256(asked.text.encode()).hexdigest(),
            "fields": list(root_fields(asked.text, asked.operation)),
            "variables": sorted(map(str, variables)),
            "values": blake2b(_canonical(variables), digest_size=16, key=self._salt).hexdigest() if variables else None,
        }


@lru_cache(512)
def root_fields(text: str, operation: str | None) -> tuple[str, ...]:
    """The fields at the top of an operation, without what fragments bring; none where it cannot be read."""
    try:
        document = parse(
            text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_BODY_BYTES
        )
    except (GraphQLError, RecursionError):
        return ()
    operations = [d for d in document.definitions if isinstance(d, OperationDefinitionNode)]
    meant = [d for d in operations if operation is None or (d.name and d.name.value == operation)]
    top = meant[0].selection_set.selections if meant else ()
    return tuple(sorted({node.name.value for node in top if isinstance(node, FieldNode)}))


def rows_in(body: Mapping[str, Any]) -> int | None:
    """How many rows the data of a response has in lists named `rows`; None where it has no data."""
    data = body.get("data")
    if not isinstance(data, dict):
        return None
    return sum(
        len(value["rows"]) for value in data.values() if isinstance(value, dict) and isinstance(value.get("rows"), list)
    )


def codes_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """The codes of a response's errors, each once."""
    errors = body.get("errors") or ()
    return tuple(dict.fromkeys(str(error.get("extensions", {}).get("code", "")) for error in errors))


class _Rotated(RotatingFileHandler):
    """Made for its owner alone, each time anew."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is the library's
        _LOG.exception("the audit could not be written")


def _canonical(variables: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS, default=str)
    except (TypeError, ValueError):
        return repr(variables).encode()
