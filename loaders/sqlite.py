"""Somebody else's SQLite file, opened so that nothing of theirs changes and nothing in it can harm.

A plain read-only open is not enough. Rows that were not checkpointed are in the `-wal` file only, and SQLite would
create `-wal` and `-shm` beside a database at rest and leave them there, owned by whoever reads. So a database that is
in use is read through its own locks, one at rest as it is, and one whose `-wal` was left alone from a copy.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_MAGIC = b"SQLite format 3\x00"
_WAL_VERSION = 2
_STEPS_A_LOOK = 1_000_000
_TRIES = 3


@dataclass(frozen=True, slots=True)
class SqliteLimits:
    """How much is read before a database is taken for broken or hostile."""

    file_bytes: int = 64 * 2**30
    value_bytes: int = 256 * 2**20
    """Of one value or row; a larger one fails the statement that meets it."""
    steps: int = 20_000_000_000
    """Instructions of SQLite's own machine for one connection; reading a row takes about ten. Some minutes of work."""
    wait_seconds: float = 5.0
    """For a writer that holds it alone."""


DEFAULT_SQLITE_LIMITS = SqliteLimits()


class SqliteError(Exception):
    """The database cannot be opened, or not be read on. `reason` says why, without naming the file."""

    def __init__(self, shown_as: str, reason: str) -> None:
        super().__init__(f"{shown_as} {reason}")
        self.reason = reason


class SqliteChangedError(SqliteError):
    """It was written to by somebody who could not know that it is being read: no row that was read is certain."""


class _RefusedError(Exception):
    """Why a database is not read."""


class _ChangedError(Exception):
    pass


@contextmanager
def open_sqlite(
    path: Path, shown_as: str, limits: SqliteLimits = DEFAULT_SQLITE_LIMITS
) -> Iterator[sqlite3.Connection]:
    """A connection that sees one state of the database, with its `-wal`, and cannot write.

    Text that is no UTF-8 is read with U+FFFD in its place; a caller that wants the bytes sets `text_factory`.

    Raises:
        SqliteError: it is none, or cannot be read; also for any error of SQLite within the `with` block.
    """
    with _errors_of(shown_as):
        _check(path, limits)
        with _connected(path, limits) as connection:
            yield connection


def tables(connection: sqlite3.Connection) -> frozenset[str]:
    """The names of real tables, in lower case: what a view or a virtual table gives is made by code, not stored."""
    listed = connection.execute("SELECT name FROM pragma_table_list WHERE type = 'table' AND schema = 'main'")
    return frozenset(_text(name).lower() for (name,) in listed)


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """The names of a table's columns, in lower case; none where there is no such real table."""
    if table.lower() not in tables(connection):
        return frozenset()
    listed = connection.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (table,))
    return frozenset(_text(name).lower() for (name,) in listed)


def sidecars(path: Path) -> list[Path]:
    """The files beside a database that hold a part of its rows."""
    wal = path.with_name(f"{path.name}-wal")
    return [wal] if wal.is_file() else []


def reason_of(error: sqlite3.Error) -> str:
    """What an error of SQLite means for the person who asked for the load."""
    name = getattr(error, "sqlite_errorname", None) or ""
    if name.startswith("SQLITE_INTERRUPT"):
        return "took more steps to read than any honest database of its size: it may be damaged or made to do harm"
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "is locked by another process; load again when that is done"
    if name == "SQLITE_NOTADB":
        return "is no SQLite database, or an encrypted one"
    if name.startswith("SQLITE_CORRUPT"):
        return f"is damaged ({error}); run `PRAGMA integrity_check` on it, or restore it from a backup"
    if name == "SQLITE_READONLY_ROLLBACK":
        return "has a transaction that was cut off (its -journal): open it once with the program that it belongs to"
    if name == "SQLITE_TOOBIG":
        return "holds a value that is too large to be read"
    return f"cannot be read: {error}"


@contextmanager
def _errors_of(shown_as: str) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise SqliteError(shown_as, reason_of(error)) from error
    except UnicodeDecodeError as error:  # SQLite quotes what is in the file
        raise SqliteError(shown_as, "is damaged: names in it are no text; restore it from a backup") from error
    except _ChangedError as changed:
        raise SqliteChangedError(shown_as, "was written to while it was read; load again") from changed.__cause__
    except _RefusedError as refused:
        raise SqliteError(shown_as, str(refused)) from refused.__cause__
    except OSError as error:
        if error.filename is None:
            raise
        raise SqliteError(shown_as, f"cannot be read: {error.strerror or error}") from error


def _check(path: Path, limits: SqliteLimits) -> None:
    if not path.is_file():
        raise _RefusedError("is no regular file")
    for beside in (f"{path.name}-wal", f"{path.name}-shm", f"{path.name}-journal"):
        if path.with_name(beside).is_symlink():
            raise _RefusedError(f"has a link as its {beside}, where SQLite keeps a file of its own; it is not followed")
    size = path.stat().st_size
    if size > limits.file_bytes:
        raise _RefusedError(f"is {size:,} bytes, more than the {limits.file_bytes:,} that are read")
    head = _head(path)
    if not head:
        raise _RefusedError("is an empty file, not a SQLite database")
    if not head.startswith(_MAGIC):
        raise _RefusedError("is no SQLite database (or an encrypted one): it does not begin with 'SQLite format 3'")


@contextmanager
def _connected(path: Path, limits: SqliteLimits) -> Iterator[sqlite3.Connection]:
    if _head(path)[18:20] != bytes((_WAL_VERSION, _WAL_VERSION)):
        with closing(_begun(path, "mode=ro", limits)) as connection:
            yield connection
        return
    wal, shm = path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
    live = None
    if wal.is_file() and shm.is_file():
        with suppress(sqlite3.OperationalError):  # files of another user, a file system without shared memory
            live = _begun(path, "mode=ro", limits)
    if live is not None:
        with closing(live):
            yield live
    elif not wal.is_file() or not wal.stat().st_size:
        with _at_rest(path, limits) as connection:
            yield connection
    else:
        with tempfile.TemporaryDirectory(prefix="clawback-") as folder:
            copy = _copied(path, Path(folder))
            with closing(_begun(copy, "mode=rw", limits)) as connection:
                yield connection


@contextmanager
def _at_rest(path: Path, limits: SqliteLimits) -> Iterator[sqlite3.Connection]:
    """Without locks, so nothing is created beside it; what was read counts only if it did not change meanwhile."""
    before = _state([path])
    with closing(_begun(path, "mode=ro&immutable=1", limits)) as connection:
        try:
            yield connection
        except sqlite3.Error as error:
            if _state([path]) != before:
                raise _ChangedError from error
            raise
    if _state([path]) != before:
        raise _ChangedError


def _begun(path: Path, mode: str, limits: SqliteLimits) -> sqlite3.Connection:
    """One transaction holds from the first read on, so that all tables are seen as they were at one instant."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}",
        uri=True,
        timeout=limits.wait_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    try:
        connection.text_factory = _text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, limits.value_bytes)
        connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        connection.set_progress_handler(_budget(limits.steps), _STEPS_A_LOOK)
        for pragma in ("trusted_schema = OFF", "query_only = ON", "cell_size_check = ON", "mmap_size = 0"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except BaseException:  # nobody else has the connection yet, so it is closed whatever happened, Ctrl-C too
        connection.close()
        raise
    return connection


def _copied(path: Path, folder: Path) -> Path:
    """The database and its `-wal`, of one moment. A `-journal` stays: replaying one may delete the file it names."""
    copy = folder / "copy.sqlite"
    for _ in range(_TRIES):
        before = _state([path, *sidecars(path)])
        shutil.copyfile(path, copy)
        for wal in sidecars(path):
            shutil.copyfile(wal, folder / "copy.sqlite-wal")
        if _state([path, *sidecars(path)]) == before:
            return copy
    raise _RefusedError("is written to without a pause and cannot be opened beside its writer; load again later")


def _state(files: list[Path]) -> list[tuple[int, int]]:
    return [(stat.st_size, stat.st_mtime_ns) for stat in (file.stat() for file in files)]


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(100)


def _budget(steps: int) -> Callable[[], int]:
    left = max(1, steps // _STEPS_A_LOOK)

    def is_spent() -> int:
        nonlocal left
        left -= 1
        return int(left < 0)

    return is_spent


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")
