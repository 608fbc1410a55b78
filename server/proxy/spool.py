"""Calls on disk until the server has them: append-only files, each sealed when it is full or a moment old.

A line is with the kernel before the client has the end of its answer, so a proxy that is killed has lost no call that
its client saw end. `fsync` follows in groups, every `SEAL_S`: what a machine that loses power may lose. A disk that is
full keeps no call from going through; lines then wait in memory, as many as fit, and what does not is counted.
"""

import asyncio
import fcntl
import logging
import os
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import Self

from server.proxy.meters import Meters
from server.proxy.once import Once

SEAL_S = 0.5
SEGMENT_BYTES = 1_000_000
MOST_IN_MEMORY = 10_000
OPEN, SEALED = ".part", ".jsonl"
_LOG = logging.getLogger(__name__)


class SpoolError(Exception):
    """The spool cannot be used at all; the message says what would be right."""


@dataclass(slots=True)
class Spool:
    """For one event loop; only the syncing of a file leaves it."""

    directory: Path
    meters: Meters
    most_bytes: int
    segment_bytes: int = SEGMENT_BYTES
    seal_s: float = SEAL_S
    _lock: int = field(default=-1, init=False)
    _open: int = field(default=-1, init=False)
    _path: Path = field(init=False)
    _size: int = field(default=0, init=False)
    _total: int = field(default=0, init=False)
    _waiting: deque[bytes] = field(default_factory=deque, init=False)
    _is_failing: bool = field(default=False, init=False)
    _name: int = field(default=0, init=False)
    _full: list[tuple[Path, int]] = field(default_factory=list, init=False)
    """Files that are whole and not synced yet."""
    once: Once = field(init=False)
    """The names that calls of this spool were given."""
    sealed: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    """Set when there is something to deliver."""

    def __enter__(self) -> Self:
        """Raises `SpoolError` where another proxy has it. What one that was killed left open is sealed."""
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.once = Once(self.directory / "names")
            self.once.open()
        except BlockingIOError:
            os.close(self._lock)
            raise SpoolError(f"{self.directory} is the spool of a proxy that runs; set CLAWBACK_PROXY_SPOOL") from None
        except OSError as error:
            raise SpoolError(f"{self.directory} cannot be used as a spool: {error.strerror or error}") from error
        for left in sorted(self.directory.glob(f"*{OPEN}")):
            _salvage(left)
        self._total = sum(path.stat().st_size for path in self.directory.glob(f"*{SEALED}"))
        self.meters.waiting.set_function(lambda: self._total + self._size)
        if self.segments():
            self.sealed.set()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.seal()
        if self._waiting:
            self.meters.lost.inc(len(self._waiting))
            _LOG.error("%d calls could not be written to %s and are lost", len(self._waiting), self.directory)
        self.once.close()
        os.close(self._lock)

    @property
    def is_failing(self) -> bool:
        """Whether the last write failed."""
        return self._is_failing

    def append(self, line: bytes) -> None:
        """Never raises, and never waits for the disk itself."""
        self._waiting.append(line)
        self._write_waiting()
        while len(self._waiting) > MOST_IN_MEMORY:
            self._waiting.popleft()
            self.meters.lost.inc()
        if self._size >= self.segment_bytes:
            self._finish_segment()

    async def keep_sealing(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(self.seal_s)
            self._write_waiting()
            self._finish_segment()
            while self._full:
                await asyncio.to_thread(_sync, *self._full.pop(0))
                self.sealed.set()

    def seal(self) -> None:
        """At the end: everything that can be written is on disk, whole."""
        self._write_waiting()
        self._finish_segment()
        while self._full:
            _sync(*self._full.pop(0))
            self.sealed.set()

    def segments(self) -> list[Path]:
        """What can be delivered, oldest first."""
        return sorted(self.directory.glob(f"*{SEALED}"))

    def oldest(self) -> int | None:
        """When the oldest file was begun that the server does not have, in nanoseconds; None where it has all."""
        files = (*self.directory.glob(f"*{SEALED}"), *self.directory.glob(f"*{OPEN}"))
        return min((int(path.stem) for path in files if path.stem.isdigit()), default=None)

    def remove(self, segment: Path) -> None:
        size = segment.stat().st_size
        segment.unlink()
        self._total -= size

    def put_aside(self, lines: bytes) -> None:
        """What the server could not read, for somebody to look at. Raises `OSError`."""
        with (self.directory / "rejected.ndjson").open("ab") as aside:
            if aside.tell() + len(lines) > self.most_bytes:
                raise OSError(f"{aside.name} has all that it may have; look at it and move it away")
            aside.write(lines)

    def _write_waiting(self) -> None:
        while self._waiting:
            try:
                self._write(self._waiting[0])
            except OSError as error:
                self.meters.spool_failures.inc()
                if not self._is_failing:
                    _LOG.error("cannot write to %s: %s; calls go on and wait in memory", self.directory, error)
                self._is_failing = True
                return
            self._waiting.popleft()
            if self._is_failing:
                _LOG.warning("%s can be written to again", self.directory)
            self._is_failing = False

    def _write(self, line: bytes) -> None:
        if self._total + self._size + len(line) > self.most_bytes:
            raise OSError(f"{self.most_bytes:,} bytes wait already, the most that may (CLAWBACK_PROXY_SPOOL_MB)")
        if self._open < 0:
            # Names sort by time; one clock tick may see two of them.
            self._name = max(time_ns(), self._name + 1)
            self._path = self.directory / f"{self._name:020d}{OPEN}"
            self._open = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            self._size = 0
        written = os.write(self._open, line)
        if written < len(line):
            os.ftruncate(self._open, self._size)
            os.lseek(self._open, self._size, os.SEEK_SET)
            raise OSError("the disk is full")
        self._size += written

    def _finish_segment(self) -> None:
        if self._size:
            self._full.append((self._path, self._open))
            self._total += self._size
            self._open, self._size = -1, 0


def _sync(path: Path, descriptor: int) -> None:
    """Makes a file durable and gives it the name by which it is delivered. What fails here the next start mends."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        _LOG.error("cannot make %s durable: %s", path, error)
    finally:
        os.close(descriptor)
    try:
        path.rename(path.with_suffix(SEALED))
    except OSError as error:
        _LOG.error("cannot seal %s, which is delivered after the next start: %s", path, error)


def _salvage(left: Path) -> None:
    """Takes away a line that was being written when its proxy was killed; its client had not seen the end either."""
    content = left.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        _LOG.warning("%s ends in the middle of a line, which is left out", left)
        os.truncate(left, whole)
    if whole:
        left.rename(left.with_suffix(SEALED))
    else:
        left.unlink()
