"""The file of the ledger: opening it, and one transaction at a time over its books.

The store is written by whole loads, and one may take minutes. A reservation takes a millisecond and must be on the disk
before it is answered. So what is reserved, settled and told lives in a file of its own, in SQLite: a writer there waits
for other writers of any process and for nobody else, and what was committed survives a kill. docs/decisions/0017.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

from store.beside import connect, is_prepared, told, transaction
from store.errors import StoreError
from store.ledger.alerts import Alerts
from store.ledger.holds import Holds

_VERSION = 1
_SCHEMA = """
CREATE TABLE holds (
    hold_id TEXT PRIMARY KEY,
    reserved_at INTEGER NOT NULL, -- microseconds since 1970, UTC; the hold belongs to the windows with this instant
    expires_at INTEGER NOT NULL,
    agent TEXT, model TEXT, "trigger" TEXT NOT NULL, session TEXT,
    max_micro INTEGER, max_rest INTEGER, -- NULL: nobody could say; nothing is held then
    state TEXT NOT NULL, -- HELD, SETTLED or RELEASED; one that is HELD after expires_at has expired
    actual_micro INTEGER, actual_rest INTEGER,
    settled_at INTEGER,
    request_key TEXT,
    covered_version INTEGER -- the first version of the data that has this spend itself
) WITHOUT ROWID

CREATE INDEX held ON holds (reserved_at) WHERE state = 'HELD'

CREATE INDEX settled ON holds (covered_version, reserved_at) WHERE state = 'SETTLED'

CREATE UNIQUE INDEX settled_requests ON holds (request_key) WHERE state = 'SETTLED' AND request_key IS NOT NULL

CREATE INDEX aged ON holds (reserved_at)

CREATE TABLE watched (
    budget_id TEXT, starts_at INTEGER, ends_at INTEGER NOT NULL,
    limit_usd TEXT NOT NULL, -- when the window was looked at last while it ran
    PRIMARY KEY (budget_id, starts_at)
) WITHOUT ROWID

CREATE TABLE episodes (
    budget_id TEXT, member TEXT, starts_at INTEGER, -- member as JSON: null is everything
    limit_usd TEXT NOT NULL, is_open INTEGER NOT NULL, told TEXT NOT NULL, times TEXT NOT NULL,
    is_over INTEGER NOT NULL, -- the breaker does not wait to recover from this window
    PRIMARY KEY (budget_id, member, starts_at)
) WITHOUT ROWID

CREATE TABLE alerts (
    alert_id TEXT PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL,
    budget_id TEXT NOT NULL, member TEXT NOT NULL, starts_at INTEGER NOT NULL, threshold TEXT,
    standing TEXT NOT NULL -- JSON
) WITHOUT ROWID

CREATE INDEX alerts_of ON alerts (budget_id, starts_at)

CREATE INDEX alerts_at ON alerts (at)

CREATE TABLE deliveries (alert_id TEXT, channel TEXT, PRIMARY KEY (alert_id, channel)) WITHOUT ROWID
"""
"""Statements with an empty line between them."""


@dataclass(frozen=True, slots=True)
class Books:
    """All of the ledger within one transaction."""

    holds: Holds
    alerts: Alerts


class Ledger:
    """Safe to use from many threads and by several processes at once."""

    def __init__(self, writer: sqlite3.Connection, reader: sqlite3.Connection, name: str) -> None:
        self._writer, self._reader = writer, reader
        self._name = name
        self._writing = Lock()
        self._reading = self._writing if reader is writer else Lock()
        self._commits = 0

    @classmethod
    def beside(cls, store: Path | None) -> Self:
        """The ledger of the store in a file; None: one in memory, gone with the process."""
        return cls.open(None if store is None else store.with_name(f"{store.name}.ledger"))

    @classmethod
    def open(cls, path: Path | None) -> Self:
        """Makes the file where there is none, for its owner alone.

        Raises:
            StoreError: it cannot be opened or is no ledger of this version.
        """
        name = str(path or "the ledger in memory")
        try:
            if path is None:
                writer = reader = connect(None)
            else:
                writer, reader = connect(path), connect(path)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{name} cannot be opened: {error}. Reservations are kept there.") from error
        ledger = cls(writer, reader, name)
        try:
            ledger._prepare()
        except BaseException:  # nobody else has it yet, so it is closed whatever happened, Ctrl-C too
            ledger.close()
            raise
        return ledger

    def close(self) -> None:
        with self._writing:
            self._writer.close()
        if self._reader is not self._writer:
            with self._reading:
                self._reader.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def writing(self) -> Iterator[Books]:
        """One transaction before which no other writer is half-way: all of it or, where anything fails, nothing."""
        with self._writing, told(self._name, "be written"):
            with transaction(self._writer, "BEGIN IMMEDIATE"):
                yield _books(self._writer)
            self._commits += 1

    def commits(self) -> int:
        """How often this process has written. Whoever reads it and then the ledger sees that state or a later one."""
        return self._commits

    @contextmanager
    def reading(self) -> Iterator[Books]:
        """One state of the ledger; waits for no writer."""
        with self._reading, told(self._name, "be read"), transaction(self._reader, "BEGIN"):
            yield _books(self._reader)

    def _prepare(self) -> None:
        with self._writing, told(self._name, "be opened"):
            if not is_prepared(self._writer, _SCHEMA, _VERSION):
                raise StoreError(f"{self._name} is no ledger of this version of Clawback; move it away")


def _books(connection: sqlite3.Connection) -> Books:
    return Books(Holds(connection), Alerts(connection))
