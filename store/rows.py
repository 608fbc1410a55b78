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
    """A query for the rows of a stored table that are in `named` by these columns.

    The columns are looked through first, and the others are read for what is found: a join would read all of them.
    """
    found = f"SELECT rowid FROM {table} SEMI JOIN {named} USING ({', '.join(columns)})"
    return f"SELECT * FROM {table} WHERE rowid IN ({found})"
