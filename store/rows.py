"""Single answers of a cursor."""

from collections.abc import Mapping
from typing import Any

from duckdb import DuckDBPyConnection


def row(cursor: DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None) -> tuple[Any, ...]:
    found = cursor.execute(sql, dict(params or {})).fetchone()
    assert found is not None, sql
    return found


def integer(cursor: DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None) -> int:
    return int(row(cursor, sql, params)[0])
