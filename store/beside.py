"""Small SQLite files beside the store, for what cannot wait for a load: opened by several processes at once.

WAL lets readers go on while somebody writes, and a commit is on the disk before it is told.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.errors import StoreBusyError, StoreError

BUSY_S = 5.0
"""How long a writer waits for the writer of another process."""


def connect(path: Path | None) -> sqlite3.Connection:
    """Makes the file where there is none, for its owner alone; None: in memory, gone with the process.

    Raises `OSError` or `sqlite3.Error`.
    """
    if path is not None:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path or ":memory:", timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def is_prepared(connection: sqlite3.Connection, schema: str, version: int) -> bool:
    """Whether the file is of this version; a new one is made so. `schema` has an empty line between statements."""
    with transaction(connection, "BEGIN IMMEDIATE"):
        (found,) = connection.execute("PRAGMA user_version").fetchone()
        if found == 0 and not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            for statement in schema.split("\n\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {version}")
            return True
        return bool(found == version)


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
    except BaseException:  # whatever happened, Ctrl-C too: nothing of it stays, and then it goes on its way
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


@contextmanager
def told(name: str, what: str) -> Iterator[None]:
    """Errors of SQLite as `StoreError`, or `StoreBusyError` where another process has been writing for too long."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreBusyError(f"{name}: another process has been writing for {BUSY_S:.0f} s") from error
        raise StoreError(f"{name} cannot {what}: {error}") from error
    except sqlite3.Error as error:
        raise StoreError(f"{name} cannot {what}: {error}") from error
