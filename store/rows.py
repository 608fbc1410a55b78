"""Single answers of a cursor, and few rows of a large table."""

from collections.abc import Mapping
from typing import Any

from duckdb import DuckDBPyConnection


def row(cursor: DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None) -> tuple[Any, ...]:
    found = cursor.execute(sql, dict(params or {})).fetchone()
    assert found is not None, sql
    return found


def integer(cursor: DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None) -> int:
    return int(row(cursor, sql, params)[0])


def few_of(table: str, named: str, *columns: str) -> str:
    """A query for the rows of a table that are in `named` by these columns. Not by `rowid`, see decision 0031."""
    return f"SELECT {table}.* FROM {table} SEMI JOIN {named} USING ({', '.join(columns)})"
