"""Ends the work of one operation from outside of its thread, and nothing that comes after it.

DuckDB's own limit of time is not looked at while it plans a statement, so whoever waits for an answer interrupts, too.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Protocol


class Interruptible(Protocol):
    def interrupt(self) -> None: ...


@dataclass(slots=True, eq=False)
class Stop:
    """One for each operation. What it reads with is told to it for as long as that is open."""

    is_asked: bool = False
    """Work that is between two statements looks here before the next."""
    _lock: Lock = field(default_factory=Lock)
    _reading: Interruptible | None = None

    def ask(self) -> None:
        """From any thread. A statement that begins at this very moment escapes it: ask until the work is over."""
        self.is_asked = True
        with self._lock:
            if self._reading is not None:
                self._reading.interrupt()

    @contextmanager
    def reaching(self, reader: Interruptible) -> Iterator[None]:
        """Within the block, `ask` interrupts the reader. After it, never: its cursor is closed and may be another's."""
        with self._lock:
            self._reading = reader
        try:
            yield
        finally:
            with self._lock:
                self._reading = None
