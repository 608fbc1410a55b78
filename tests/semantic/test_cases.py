"""Telling questions: the SQL that each compiles to is kept in a file, and gives the rows of SQL written by hand."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.semantic.case import PATHS, TABLES, compiled_text, read_case, statement_of

Rows = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute(TABLES)
    yield connection
    connection.close()


def test_there_are_cases() -> None:
    assert len(PATHS) >= 70


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_question_compiles_to_the_sql_in_its_file(path: Path) -> None:
    case = read_case(path)
    assert compiled_text(statement_of(case)) == case.compiled, "see python -m tests.semantic.rewrite"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_question_gives_the_rows_of_the_sql_written_by_hand(database: duckdb.DuckDBPyConnection, path: Path) -> None:
    case = read_case(path)
    statement = statement_of(case)
    compiled = database.execute(statement.sql, statement.params).fetchall()
    assert _plain(database.execute(statement.with_values()).fetchall()) == _plain(compiled)
    by_hand = database.execute(case.by_hand).fetchall()
    assert by_hand, "a case that has no rows shows nothing"
    assert _plain(compiled) == _plain(by_hand)


def _plain(rows: Rows) -> Rows:
    """Numbers by value, whatever type the database gave them; doubles to twelve digits."""
    return [tuple(_number(cell) for cell in row) for row in rows]


def _number(cell: object) -> object:
    if isinstance(cell, float | Decimal) or (isinstance(cell, int) and not isinstance(cell, bool)):
        return Decimal(f"{cell:.12g}" if isinstance(cell, float) else cell)
    return cell
