"""Getting at the file of a store: who may open it, where loads are staged beside it, and what SQL may reach."""

import os
import re
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp

import duckdb
from duckdb import DuckDBPyConnection

from store.errors import StoreBusyError, StoreError

_STAGE_NAME = r"clawback-loads-[a-z0-9_]{8}"
"""What `mkdtemp` makes of our prefix."""


def make_stage_directory(path: Path | None) -> Path:
    """A new directory in `<store>.stage`, which may hold what is not ours: that is neither read nor removed.

    Whoever calls this owns the store, so the other directories of our name are what killed processes have left.
    """
    try:
        if path is None:
            return Path(mkdtemp(prefix="clawback-loads-", dir=mkdtemp(prefix="clawback-"))).resolve()
        file = path.resolve()
        parent = file.with_name(file.name + ".stage")
        parent.mkdir(mode=0o700, exist_ok=True)
        for left in parent.iterdir():
            if re.fullmatch(_STAGE_NAME, left.name) and not left.is_symlink():
                rmtree(left, ignore_errors=True)
        return Path(mkdtemp(prefix="clawback-loads-", dir=parent)).resolve()
    except OSError as error:
        place = f"{path}.stage" if path else "the directory for temporary files"
        raise StoreError(
            f"{place} must be a directory that can be written, because loads are staged there: {error.strerror}. "
            "Move away what has its name, make it writable, or give the store another name."
        ) from error


def connect(path: Path | None, config: dict[str, str | bool | int | float | list[str]]) -> DuckDBPyConnection:
    if path is None:
        return duckdb.connect(":memory:", config=config)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{path.parent} cannot be created for the store: {error.strerror}") from error
    _check_is_a_store(path)
    is_new = not path.exists()
    advice = "Ask the server that owns it, or stop that process; only one process can have a store open."
    try:
        connection = duckdb.connect(str(path.resolve()), config=config)
    except duckdb.ConnectionException as error:
        raise StoreBusyError(f"{path} is open already in this process (PID {os.getpid()}). {advice}") from error
    except duckdb.Error as error:
        holder = re.search(r"lock is held in (.+?) \(PID (\d+)\)", str(error))
        if holder is None:
            raise StoreError(f"{path} cannot be opened: {error}") from error
        raise StoreBusyError(f"{path} is open in process {holder[2]} ({holder[1]}). {advice}") from error
    if is_new:  # bills and balances are for whoever loads them, until he says otherwise
        with suppress(OSError):
            path.chmod(0o600)
    return connection


def _check_is_a_store(path: Path) -> None:
    """DuckDB opens a table of text as a database in memory: what is stored there would be gone with the process."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with path.open("rb") as file:
            beginning = file.read(12)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from error
    if beginning[8:] != b"DUCK":
        raise StoreError(f"{path} is not a store of Clawback; name another file, or one that is not there yet")


def shut_in(connection: DuckDBPyConnection, stage_directory: Path) -> None:
    """From here on no SQL, whoever wrote it, reaches a file but the store itself and what is staged for it."""
    for statement in (
        "LOAD icu",
        "LOAD json",
        "SET GLOBAL TimeZone = 'UTC'",
        f"SET GLOBAL allowed_directories = [{quoted(stage_directory)}]",
        "SET GLOBAL enable_external_access = false",
    ):
        connection.execute(statement)


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
