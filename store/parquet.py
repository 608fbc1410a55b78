"""Rows of a Parquet file as dictionaries.

Here because only the store imports duckdb. The file is read through a private in-memory connection, so that reading
somebody's file never touches, waits for, or shares settings with the database of the product.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import duckdb

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "memory_limit": "512MB",
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}
_SCAN = "read_parquet(?, hive_partitioning = false)"


class ParquetError(Exception):
    """The file cannot be read as Parquet; the message names it and says why."""


def read_parquet(path: Path, batch: int = 1000) -> Iterator[dict[str, object]]:
    """Rows in file order: decimals as `Decimal`, floats as `float`, instants with a zone as aware UTC datetimes.

    A timestamp that was written without a zone stays naive. Rows are fetched `batch` at a time and never held together.

    Raises:
        ParquetError: on the first row asked for, or where a damaged part is reached.
    """
    try:
        with duckdb.connect(":memory:", config=_SETTINGS) as connection:
            yield from _rows(connection, path, batch)
    except duckdb.Error as error:
        raise ParquetError(f"{path}: cannot be read as Parquet: {error}") from error


def _rows(connection: duckdb.DuckDBPyConnection, path: Path, batch: int) -> Iterator[dict[str, object]]:
    bound = [_literal_glob(path)]
    described = connection.execute(f"DESCRIBE SELECT * FROM {_SCAN}", bound).fetchall()
    names = [str(name) for name, *_ in described]
    zoned = {str(name) for name, kind, *_ in described if kind == "TIMESTAMP WITH TIME ZONE"}
    # DuckDB needs pytz to hand over a timestamp with a zone; its microseconds since 1970 need nothing.
    columns = ", ".join(
        f"make_timestamp(epoch_us({_quoted(name)})) AS {_quoted(name)}" if name in zoned else _quoted(name)
        for name in names
    )
    result = connection.execute(f"SELECT {columns} FROM {_SCAN}", bound)
    while rows := result.fetchmany(batch):
        for row in rows:
            yield {name: _in_utc(value) if name in zoned else value for name, value in zip(names, row, strict=True)}


def _in_utc(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal_glob(path: Path) -> str:
    """The path as a pattern that matches only itself: DuckDB reads `*`, `?` and `[` in a file name as wildcards."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path.absolute()))
