"""Rows of OpenClaw's databases -> objects, whatever their schema version: only the columns that are there are read.

The version number says little (columns are added within one), so the shape is probed. A row names its place: the
database, the table, and its row number.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Self

from loaders.item import LoadError, Location, Rejected
from loaders.openclaw.layout import Place
from loaders.openclaw.values import FieldError, Object
from loaders.source import DEFAULT_LIMITS, OnBytes, excerpt, total_bytes
from loaders.sqlite import SqliteChangedError, SqliteLimits, columns, open_sqlite, reason_of, tables

LIMITS = SqliteLimits()
MOST_BYTES = DEFAULT_LIMITS.line_bytes
"""Of one value: as much as of one line."""


@dataclass(frozen=True, slots=True)
class Database:
    """An open database and its name for people. Text comes as bytes, so that JSON is decoded once, and strictly."""

    connection: sqlite3.Connection
    shown_as: str

    def has(self, table: str, *wanted: str) -> bool:
        """Whether it has this table, with these columns."""
        return frozenset(wanted) <= columns(self.connection, table) if wanted else table in tables(self.connection)

    def place(self, table: str, line: int | None = None) -> Location:
        return Location(f"{self.shown_as}#{table}", line)


@contextmanager
def opened(place: Place) -> Iterator[Database]:
    """Raises `SqliteError` where it cannot be read, and `LoadError` where it changed: then no row of it is certain."""
    try:
        with open_sqlite(place.path, place.shown_as, LIMITS) as connection:
            connection.text_factory = bytes
            yield Database(connection, place.shown_as)
    except SqliteChangedError as error:
        raise LoadError(str(error)) from error


class Meter:
    """Tells the progress of a database: the bytes of its values as they come, and its whole size at the end."""

    def __init__(self, size: int, on_bytes: OnBytes | None) -> None:
        self._left = size
        self._on_bytes = on_bytes

    @classmethod
    def of(cls, path: Path, on_bytes: OnBytes | None) -> Self:
        return cls(total_bytes([path]), on_bytes)

    def took(self, size: int) -> None:
        step = min(size, self._left)
        self._left -= step
        if self._on_bytes is not None and step:
            self._on_bytes(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.took(self._left)


def rows(
    database: Database, table: str, wanted: Sequence[str], where: str = ""
) -> Iterator[tuple[Location, Object] | Rejected]:
    """Every row of a table that is there, with those of the wanted columns that it has, null ones left out.

    Columns that end in `_json` stay bytes. What the table cannot give any more is one rejection at its end.
    """
    held = columns(database.connection, table)
    names = [name for name in wanted if name in held]
    if not names:
        return
    listed = ", ".join(f'"{name}"' for name in names)
    position = 0
    try:
        number_column = "rowid" if has_row_numbers(database, table) else "NULL"
        cursor = database.connection.execute(f'SELECT {number_column}, {listed} FROM "{table}" {where}')
        for position, (number, *values) in enumerate(cursor, start=1):
            location = database.place(table, number if isinstance(number, int) else position)
            try:
                yield location, _object(names, values)
            except FieldError as error:
                yield Rejected(location, str(error), excerpt(repr(values)[:2000].encode("utf-8", "replace")))
    except sqlite3.Error as error:
        # The statement is lost, and with it the row before the one that cannot be read.
        yield Rejected(database.place(table), f"{reason_of(error)}; rows from number {position + 1:,} on are not read")


def json_bytes(row: Object, column: str) -> bytes | None:
    """The JSON in a column; None where it is null or not there."""
    value = row.get(column)
    if value is None or isinstance(value, bytes):
        return value
    raise FieldError(f"{column} must be JSON text, got {type(value).__name__}")


def schema_version(database: Database) -> int:
    """The greater of the two places that name it; 0 where none does."""
    (version,) = database.connection.execute("PRAGMA user_version").fetchone()
    named = [version]
    if database.has("schema_meta", "schema_version"):
        found = database.connection.execute("SELECT schema_version FROM schema_meta LIMIT 100")
        named += [value for (value,) in found]
    return max(value for value in named if isinstance(value, int))


def has_row_numbers(database: Database, table: str) -> bool:
    """Tables without a row number of their own exist."""
    asked = "SELECT wr FROM pragma_table_list WHERE schema = 'main' AND lower(name) = ?"
    found = database.connection.execute(asked, (table,)).fetchone()
    return found is not None and not found[0]


def _object(names: Sequence[str], values: Sequence[object]) -> Object:
    return {name: _value(name, value) for name, value in zip(names, values, strict=True) if value is not None}


def _value(name: str, value: object) -> object:
    if isinstance(value, float):
        return Decimal(repr(value))
    if not isinstance(value, bytes):
        return value
    if len(value) > MOST_BYTES:
        raise FieldError(f"{name} is {len(value):,} bytes long; a value may have {MOST_BYTES:,}")
    if name.endswith("_json"):
        return value
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FieldError(f"{name} is not UTF-8 text: byte {error.start + 1} of it is wrong") from error
