"""How many may listen: connections in all and of one principal. Checked before anything is kept for them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

UNKNOWN = 200
"""Connections that have not said yet who they are; they have seconds to do so."""


class FullError(Exception):
    """There is no place for another one; `retry_after_s` is when it may be tried again."""

    retry_after_s = 30


class Places:
    """It lives in one event loop."""

    def __init__(self, most: int, most_each: int, most_unknown: int = UNKNOWN) -> None:
        self._most = most
        self._most_each = most_each
        self._most_unknown = most_unknown
        self._each: Counter[str] = Counter()
        self._unknown = 0
        self._is_closed = False

    @property
    def taken(self) -> int:
        return self._each.total()

    def close(self) -> None:
        """Whoever has a place keeps it; nobody gets one any more."""
        self._is_closed = True

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        """A place for a principal while the block runs. `FullError` where there is none."""
        self._check_open()
        if self.taken >= self._most:
            raise FullError(f"{self._most:,} connections are open, as many as this server takes; try again later")
        if self._each[name] >= self._most_each:
            raise FullError(f"{name} has {self._most_each:,} connections open, as many as one may have; close some")
        self._each[name] += 1
        try:
            yield
        finally:
            self._each[name] -= 1
            if not self._each[name]:
                del self._each[name]

    @contextmanager
    def of_nobody_yet(self) -> Iterator[None]:
        """A place for a connection that has not said who it is. `FullError` where there is none."""
        self._check_open()
        if self._unknown >= self._most_unknown:
            raise FullError("too many connections have not said who they are; try again later")
        self._unknown += 1
        try:
            yield
        finally:
            self._unknown -= 1

    def _check_open(self) -> None:
        if self._is_closed:
            raise FullError("the server goes down; try again later")
