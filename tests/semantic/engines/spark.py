"""Spark's SQL, answered by Sail: a server in the test's own process, from the package pysail, asked over Flight SQL."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adbc_driver_flightsql import dbapi
from pysail.flight import FlightSqlServer  # type: ignore[import-untyped]

from semantic.dialects import Dialect
from tests.semantic.engines.tables import Cells, Held

_TYPES = {"VARCHAR": "string", "INTEGER": "int", "HUGEINT": "decimal(38, 0)", "TIMESTAMP": "timestamp_ntz"}


class Spark:
    """One session."""

    dialect = Dialect.SPARK

    def __init__(self, connection: Any) -> None:
        self.connection = connection

    def hold(self, tables: Sequence[Held]) -> None:
        for table in tables:
            names = [name for name, _ in table.columns]
            columns = ", ".join(
                f"cast(`{name}` as {_TYPES.get(kind, kind)}) as `{name}`" for name, kind in table.columns
            )
            rows = table.rows or ((None,) * len(names),)
            values = ", ".join(f"({', '.join(map(_written, row))})" for row in rows)
            source = f"values {values} as t({', '.join(f'`{name}`' for name in names)}) where {bool(table.rows)}"
            self.rows(f"create or replace temporary view {table.name} as select {columns} from {source}")

    def rows(self, sql: str) -> list[Cells]:
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            return [tuple(map(_read, row)) for row in cursor.fetchall()]


def _written(cell: object) -> str:
    """A value as text, which the view casts."""
    text = f"{cell:f}" if isinstance(cell, Decimal) else str(cell)
    return "null" if cell is None else "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _read(cell: object) -> object:
    return cell.astimezone(UTC).replace(tzinfo=None) if isinstance(cell, datetime) and cell.tzinfo else cell


@contextmanager
def opened() -> Iterator[Spark]:
    server = FlightSqlServer()
    server.start()
    address, port = server.listening_address
    try:
        with closing(dbapi.connect(f"grpc://{address}:{port}", autocommit=True)) as connection:
            yield Spark(connection)
    finally:
        server.stop()
