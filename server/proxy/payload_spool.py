"""Payloads on disk until the server has them: packed files beside the calls, within a limit, and never for too long.

They need not survive a machine that loses power, so nobody waits for the disk. What has no room is left out, and
counted: calls are never.
"""

import gzip
import logging
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from time import time_ns

_NAME = re.compile(r"(\d{20})-(\d{20})\.ndjson\.gz")
"""When the oldest call in it began, and when it was written: nanoseconds."""
_LEVEL = 5
_LOG = logging.getLogger(__name__)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class PayloadSpool:
    """Safe to use from two threads: one writes, the event loop does the rest."""

    directory: Path
    most_bytes: int
    days: int
    clock: Callable[[], datetime] = _now
    size: int = field(default=0, init=False)
    """Bytes of all files, packed."""
    _is_full: bool = field(default=False, init=False)
    _newest: int = field(default=0, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def open(self) -> None:
        """Takes over what another process has left. Raises `OSError`."""
        if self.directory.exists():
            for left in self.directory.glob("*.part"):
                left.unlink()
        self.size = sum(path.stat().st_size for path in self.files())

    def write(self, oldest: datetime, lines: bytes) -> bool:
        """Whether there was room. Raises `OSError`."""
        content = gzip.compress(lines, _LEVEL)
        with self._lock:
            return self._write(oldest, content)

    def _write(self, oldest: datetime, content: bytes) -> bool:
        if self.size + len(content) > self.most_bytes:
            self._tell_full(is_full=True)
            return False
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._newest = max(time_ns(), self._newest + 1)
        path = self.directory / f"{_nanoseconds(oldest):020d}-{self._newest:020d}.ndjson.gz"
        arriving = path.with_suffix(".part")
        try:
            with os.fdopen(os.open(arriving, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(content)
            arriving.rename(path)
        except OSError:
            arriving.unlink(missing_ok=True)
            raise
        self.size += len(content)
        self._tell_full(is_full=False)
        return True

    def files(self) -> list[Path]:
        """What can be delivered, oldest first."""
        return sorted(path for path in self.directory.glob("*.ndjson.gz") if _NAME.fullmatch(path.name))

    def remove(self, file: Path) -> None:
        with self._lock:
            size = file.stat().st_size
            file.unlink()
            self.size -= size

    def expire(self) -> int:
        """Removes what nobody took in all its days; gives of how many calls."""
        before = _nanoseconds(self.clock() - timedelta(days=self.days))
        old = [file for file in self.files() if _times(file)[0] <= before]
        calls = sum(map(_calls_in, old))
        for file in old:
            self.remove(file)
        if old:
            _LOG.error("payloads of %d calls were not taken in %d days and are deleted", calls, self.days)
        return calls

    def _tell_full(self, *, is_full: bool) -> None:
        if is_full and not self._is_full:
            _LOG.error(
                "%s has %d bytes; payloads are left out until the server takes some (CLAWBACK_PROXY_PAYLOAD_SPOOL_MB)",
                self.directory,
                self.size,
            )
        self._is_full = is_full


def written_at(file: Path) -> int:
    """Nanoseconds."""
    return _times(file)[1]


def _calls_in(file: Path) -> int:
    try:
        return gzip.decompress(file.read_bytes()).count(b"\n")
    except (OSError, EOFError, zlib.error):
        return 0


def _times(file: Path) -> tuple[int, int]:
    found = _NAME.fullmatch(file.name)
    assert found is not None, file
    return int(found[1]), int(found[2])


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e9)
