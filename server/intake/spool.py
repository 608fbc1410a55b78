"""Bodies on the disk, from when they were acknowledged until their rows are stored.

A body is one file, whole and on the disk under its name, or it is not there. Its name says when it came, who may be
meant in it, and what it is: `<nanoseconds>-<number>-<rights>.traces.pb`. The order of the names is that of arrival.
"""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from itertools import count
from pathlib import Path
from threading import Lock
from time import time, time_ns
from typing import Literal, cast

Signal = Literal["traces", "metrics", "logs", "calls"]
Encoding = Literal["protobuf", "json"]

ANY_RIGHTS = "any"
"""In a name: whoever sent it may state any session."""
_SUFFIX = {"protobuf": "pb", "json": "json"}
_ENCODING: dict[str, Encoding] = {"pb": "protobuf", "json": "json", "jsonl": "json"}
_NAME = re.compile(r"(\d{20})-\d{6,}-(any|[0-9a-f]{16})\.(traces|metrics|logs|calls)\.(pb|json|jsonl)")


class SpoolFullError(Exception):
    """There is no room: the sender keeps it and comes again."""


@dataclass(frozen=True, slots=True)
class Body:
    """One that was acknowledged, or is about to be."""

    path: Path
    size: int
    received_at: datetime
    signal: Signal
    encoding: Encoding
    rights: str
    """The name of the rights of its sender, or `ANY_RIGHTS`."""

    @property
    def kind(self) -> str:
        """The loader that its rows are from."""
        return "calls" if self.signal == "calls" else "otlp"


class Spool:
    """A directory for its owner alone. Safe to use from many threads; one process has it at a time."""

    def __init__(self, directory: Path, most_bytes: int) -> None:
        self.directory = directory
        self.most_bytes = most_bytes
        self._arriving, self._incoming = directory / "arriving", directory / "incoming"
        self._unreadable, self._rights = directory / "unreadable", directory / "rights"
        for each in (directory, self._arriving, self._incoming, self._unreadable, self._rights):
            each.mkdir(mode=0o700, exist_ok=True, parents=True)
        self._lock = Lock()
        self._numbers = count()
        self._bodies: dict[Path, Body] = {}
        self._arriving_bytes, self._waiting_bytes = 0, 0
        for left in self._arriving.iterdir():  # nobody was told that it is safe
            left.unlink()
        for path in sorted(self._incoming.iterdir()):
            if (body := _body_of(path)) is not None:
                self._bodies[path] = body
                self._waiting_bytes += body.size
        self._forget_rights()
        self.unreadable_bodies, self._unreadable_bytes = 0, 0
        for path in self._unreadable.iterdir():
            self.unreadable_bodies += path.suffix != ".txt"
            self._unreadable_bytes += path.stat().st_size

    @property
    def size(self) -> int:
        """Bytes of all that is there, what arrives and what could not be read included."""
        return self._arriving_bytes + self._waiting_bytes + self._unreadable_bytes

    def __len__(self) -> int:
        """How many wait."""
        return len(self._bodies)

    def bodies(self) -> list[Body]:
        """Those whose rows are not stored yet, in the order of arrival."""
        waiting = list(self._bodies.values())
        return sorted(waiting, key=lambda body: body.path.name)

    @property
    def oldest_at(self) -> datetime | None:
        """When the oldest body came that is not stored yet; None where none waits."""
        with self._lock:
            return next((body.received_at for body in self._bodies.values()), None)

    def standing(self) -> dict[str, float]:
        """How much waits to be stored, and for how long."""
        since = self.oldest_at
        oldest_s = 0.0 if since is None else max(time() - since.timestamp(), 0.0)
        return {"bodies": len(self), "bytes": self.size, "oldestSeconds": round(oldest_s, 3)}

    def begin(self) -> "Arriving":
        """A body that begins to arrive. Raises `SpoolFullError` where there is no room for any."""
        self.take_room(0)
        return Arriving(self, self._arriving / f"{next(self._numbers)}")

    def take_room(self, more: int) -> None:
        with self._lock:
            if self.size + more >= self.most_bytes:
                raise SpoolFullError(
                    f"the spool has no room: {self.size:,} of {self.most_bytes:,} bytes wait to be stored"
                )
            self._arriving_bytes += more

    def give_room(self, less: int) -> None:
        with self._lock:
            self._arriving_bytes -= less

    def keep(self, path: Path, size: int, signal: Signal, encoding: Encoding, rights: str) -> Body:
        """Gives a whole file its name. It is on the disk when this returns."""
        suffix = "jsonl" if signal == "calls" else _SUFFIX[encoding]
        name = f"{time_ns():020d}-{next(self._numbers):06d}-{rights}.{signal}.{suffix}"
        target = self._incoming / name
        path.rename(target)
        sync_directory(self._incoming)
        body = cast(Body, _body_of(target, size))
        with self._lock:
            self._bodies[target] = body
            self._arriving_bytes -= size
            self._waiting_bytes += size
        return body

    def remove(self, bodies: list[Body]) -> None:
        """They are stored, or their sender was told that they are not taken."""
        for body in bodies:
            body.path.unlink(missing_ok=True)
            with self._lock:
                self._forget(body)

    def place_of_unreadable(self, body: Body) -> Path:
        """Where it goes once it was set aside."""
        return self._unreadable / body.path.name

    def set_aside(self, body: Body, reason: str) -> None:
        """Keeps a body that was acknowledged and cannot be read, with the reason beside it, for people."""
        place = self.place_of_unreadable(body)
        said = place.with_name(f"{place.name}.txt")
        said.write_text(f"{reason}\n", encoding="utf-8")
        said.chmod(0o600)
        with suppress(FileNotFoundError):
            body.path.rename(place)
        with self._lock:
            self._forget(body)
            self.unreadable_bodies += 1
            self._unreadable_bytes += body.size + said.stat().st_size

    def _forget(self, body: Body) -> None:
        if self._bodies.pop(body.path, None) is not None:
            self._waiting_bytes -= body.size

    def close(self) -> None:
        """An empty one leaves nothing behind; what came in the same moment, or is somebody else's, stays."""
        if self._bodies or self._unreadable_bytes:
            return
        with suppress(OSError):
            for left in (*self._arriving.iterdir(), *self._rights.iterdir()):
                left.unlink()
            for each in (self._incoming, self._unreadable, self._arriving, self._rights, self.directory):
                each.rmdir()

    def keep_rights(self, name: str, content: bytes) -> None:
        """Writes down what the bodies with this name of rights may state: before the first of them."""
        path = self._rights / f"{name}.json"
        if path.exists():
            return
        arriving = self._arriving / f"rights-{name}-{next(self._numbers)}"
        with _for_its_owner(arriving) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        arriving.rename(path)
        sync_directory(self._rights)

    def _forget_rights(self) -> None:
        """Those that no body has any more: a token for one session each leaves as many."""
        bodies = (*self._incoming.iterdir(), *self._unreadable.iterdir())
        needed = {found[2] for path in bodies if (found := _NAME.fullmatch(path.name))}
        for path in self._rights.iterdir():
            if path.stem not in needed:
                path.unlink()

    def rights(self, name: str) -> bytes | None:
        """None for `ANY_RIGHTS`. Raises `OSError` where they are gone."""
        return None if name == ANY_RIGHTS else (self._rights / f"{name}.json").read_bytes()


class Arriving:
    """A file that grows. Whoever began it keeps it or drops it."""

    def __init__(self, spool: Spool, path: Path) -> None:
        self._spool = spool
        self._path = path
        self._file = _for_its_owner(path)
        self.size = 0

    def write(self, content: bytes) -> None:
        """Raises `SpoolFullError`; `OSError` where the disk has no room."""
        self._spool.take_room(len(content))
        self.size += len(content)
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) or 0 :]

    def keep(self, signal: Signal, encoding: Encoding, rights: str) -> Body:
        """Ends it. When this returns it is not lost any more."""
        os.fsync(self._file.fileno())
        self._file.close()
        return self._spool.keep(self._path, self.size, signal, encoding, rights)

    def drop(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._spool.give_room(self.size)


def _for_its_owner(path: Path) -> FileIO:
    """A new file that nobody else reads."""
    return FileIO(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def sync_directory(path: Path) -> None:
    """What was named in it is on the disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _body_of(path: Path, size: int | None = None) -> Body | None:
    """None for what is not ours."""
    found = _NAME.fullmatch(path.name)
    if found is None:
        return None
    nanoseconds, rights, signal, suffix = found.groups()
    return Body(
        path,
        path.stat().st_size if size is None else size,
        datetime.fromtimestamp(int(nanoseconds) / 1e9, UTC),
        cast(Signal, signal),
        _ENCODING[suffix],
        rights,
    )
