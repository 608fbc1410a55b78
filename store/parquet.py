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


_ROWS, _BATCH_BYTES = 1_000, 32 * 2**20
_CELL_BYTES = 10_000_000
"""As long as a line of text may be."""
_TEXTS = ("VARCHAR", "BLOB", "JSON")


class ParquetError(Exception):
    """The file cannot be read as Parquet; the message names it and says why."""


def read_parquet(path: Path) -> Iterator[dict[str, object]]:
    """Rows in file order: decimals as `Decimal`, floats as `float`, instants with a zone as aware UTC datetimes.

    A timestamp that was written without a zone stays naive. Rows are fetched some at a time and never held together.

    Raises:
        ParquetError: on the first row asked for, where a cell is too long, or where a damaged part is reached.
    """
    try:
        with duckdb.connect(":memory:", config=_SETTINGS) as connection:
            yield from _rows(connection, path)
    except duckdb.Error as error:
        raise ParquetError(f"{path}: cannot be read as Parquet: {error}") from error


def _rows(connection: duckdb.DuckDBPyConnection, path: Path) -> Iterator[dict[str, object]]:
    bound = [_literal_glob(path)]
    described = connection.execute(f"DESCRIBE SELECT * FROM {_SCAN}", bound).fetchall()
    names = [str(name) for name, *_ in described]
    batch = _rows_at_once(connection, path, {str(name): str(kind) for name, kind, *_ in described})
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


def _rows_at_once(connection: duckdb.DuckDBPyConnection, path: Path, kinds: dict[str, str]) -> int:
    """So many that they fit into memory: a text that a file holds once may stand in a million rows."""
    wide = [name for name, kind in kinds.items() if kind in _TEXTS or kind.endswith(("]", ")"))]
    wide = [name for name in wide if not kinds[name].startswith("DECIMAL")]
    if not wide:
        return _ROWS
    lengths = ", ".join(f"max(strlen({_quoted(name)}::VARCHAR))" for name in wide)
    (longest,) = connection.execute(f"SELECT {lengths} FROM {_SCAN}", [_literal_glob(path)]).fetchall()
    for name, length in zip(wide, longest, strict=True):
        if length is not None and length > _CELL_BYTES:
            raise ParquetError(
                f"{path}: column {name!r} has a cell of {length:,} bytes; a cell may have {_CELL_BYTES:,}"
            )
    return max(1, min(_ROWS, _BATCH_BYTES // max(1, sum(length or 0 for length in longest))))


def _in_utc(value: object) -> object:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal_glob(path: Path) -> str:
    """The path as a pattern that matches only itself: DuckDB reads `*`, `?` and `[` in a file name as wildcards."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in str(path.absolute()))
