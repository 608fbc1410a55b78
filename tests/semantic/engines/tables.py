"""The tables of a DuckDB as values, to be held by another engine; and whether two engines answer the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import isclose
from typing import Protocol

import duckdb

from semantic import Result
from semantic.dialects import Dialect

Cells = tuple[object, ...]


class RefusedError(Exception):
    """An engine says that it cannot, rather than answer something else."""


@dataclass(frozen=True, slots=True)
class Held:
    """A table: its columns with their types in DuckDB, and its rows."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Cells, ...]


class Engine(Protocol):
    """Holds tables and runs statements in its own dialect."""

    dialect: Dialect

    def hold(self, tables: Sequence[Held]) -> None: ...

    def rows(self, sql: str) -> list[Cells]: ...


def tables_of(connection: duckdb.DuckDBPyConnection) -> list[Held]:
    """All tables."""
    held = []
    for (name,) in connection.execute("select table_name from duckdb_tables() order by 1").fetchall():
        columns = tuple((str(c[0]), str(c[1])) for c in connection.execute(f"describe {name}").fetchall())
        held.append(Held(name, columns, tuple(connection.execute(f"select * from {name}").fetchall())))
    return held


def differing(expected: Iterable[Cells], got: Iterable[Cells]) -> list[tuple[Cells | None, Cells | None]]:
    """The rows that are not the same, in pairs."""
    left, right = list(expected), list(got)
    missing = [(row, None) for row in left[len(right) :]] + [(None, row) for row in right[len(left) :]]
    pairs = zip(left, right, strict=False)
    return [*((a, b) for a, b in pairs if not all(map(is_same, a, b))), *missing]


def is_same(one: object, other: object) -> bool:
    """Doubles may differ in their last digits, as may a decimal that came from one; all else is equal."""
    if isinstance(one, int | float | Decimal) and isinstance(other, int | float | Decimal):
        if isinstance(one, float) or isinstance(other, float):
            return isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
        is_whole = one == int(one) and other == int(other)
        return one == other or (not is_whole and isclose(one, other, rel_tol=1e-12, abs_tol=2e-12))
    return one == other and isinstance(one, datetime) == isinstance(other, datetime)


def cells_of(result: Result) -> list[Cells]:
    """A result as rows: keys, values, and what stands behind them."""
    return [(*row.keys.values(), *row.values.values(), *row.evidence.values()) for row in result.rows]
