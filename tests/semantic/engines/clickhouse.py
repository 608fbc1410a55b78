"""ClickHouse as a library in the test's own process, from the package chdb-core."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from chdb import ChdbError
from chdb.session import Session

from semantic.dialects import Dialect
from tests.semantic.engines.tables import Cells, Held, RefusedError

_TYPES = {
    "VARCHAR": "String",
    "INTEGER": "Int32",
    "BIGINT": "Int64",
    "HUGEINT": "Int128",
    "DOUBLE": "Float64",
    "BOOLEAN": "Bool",
    "DATE": "Date32",
    "TIMESTAMP": "DateTime64(6, 'UTC')",
}
_READ: dict[str, Callable[[Any], object]] = {
    "Date": date.fromisoformat,
    "Date32": date.fromisoformat,
    "DateTime": datetime.fromisoformat,
    "DateTime64": datetime.fromisoformat,
    "Decimal": Decimal,
    "Float64": float,
}


class ClickHouse:
    """One session, on one thread: its tables are small."""

    dialect = Dialect.CLICKHOUSE

    def __init__(self, session: Any) -> None:
        self.session = session
        self.session.query("set max_threads = 1, output_format_json_quote_denormals = 1")

    def hold(self, tables: Sequence[Held]) -> None:
        for table in tables:
            columns = ", ".join(f"`{name}` Nullable({_TYPES.get(kind, kind)})" for name, kind in table.columns)
            self.session.query(f"create or replace table {table.name} ({columns}) engine = Memory")
            if table.rows:
                lines = "\n".join(json.dumps([_written(cell) for cell in row]) for row in table.rows)
                self.session.query(f"insert into {table.name} format JSONCompactEachRow\n{lines}")

    def rows(self, sql: str) -> list[Cells]:
        try:
            text = str(self.session.query(sql, "JSONCompactEachRowWithNamesAndTypes"))
        except ChdbError as error:
            if "(NO_COMMON_TYPE)" in str(error):  # of a source's own double and a decimal
                raise RefusedError(str(error)) from error
            raise
        _, kinds, *lines = [json.loads(line, parse_float=str) for line in text.splitlines()]
        return [tuple(_read(cell, kind) for cell, kind in zip(line, kinds, strict=True)) for line in lines]


def _written(cell: object) -> object:
    return cell if isinstance(cell, int | None) else str(cell)


def _read(cell: Any, kind: str) -> object:
    name = kind.removeprefix("Nullable(").partition("(")[0].rstrip(")")
    return cell if cell is None or name not in _READ else _READ[name](cell)


@contextmanager
def opened() -> Iterator[ClickHouse]:
    session: Any = Session  # it has no types
    with session() as started:
        yield ClickHouse(started)
