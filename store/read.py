"""Questions to the store: SQL with named parameters, inside a transaction that cannot write."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass

import duckdb
from duckdb import DuckDBPyConnection, StatementType

from store.errors import QueryError, QueryTimeout

_READING = (StatementType.SELECT, StatementType.EXPLAIN)
Around = Callable[[], AbstractContextManager[object]]
"""What is entered for the time of one question, by whoever wants to know how long it takes."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole answer. Money is Decimal; an instant is UTC and has no zone attached, as TIMESTAMP has none."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


class Reader:
    """Questions to one version of the data. It lives in the `with` block of `Store.snapshot` and in one thread."""

    def __init__(self, cursor: DuckDBPyConnection, data_version: int, around: Around = nullcontext) -> None:
        self.data_version = data_version
        self._around = around
        self._cursor = cursor
        self._timeout_ms = 0
        self._has_failed = False

    def read(self, sql: str, params: Mapping[str, object] | None = None, *, timeout_ms: int | None = None) -> Rows:
        """All rows of one SELECT with parameters like `$since`. Raises `QueryError`, or `QueryTimeout`.

        A failed query ends the transaction, and with it the version of the data that the reader has seen.
        """
        if self._has_failed:
            raise QueryError("an earlier query of this snapshot has failed, which ended it", "take another snapshot")
        self._has_failed = True
        with self._around():
            rows = self._answer(sql, params, timeout_ms)
        self._has_failed = False
        return rows

    def interrupt(self) -> None:
        """Stops the running query from another thread: there it raises `QueryError`. One that is over stays so."""
        with suppress(duckdb.Error):
            self._cursor.interrupt()

    def _answer(self, sql: str, params: Mapping[str, object] | None, timeout_ms: int | None) -> Rows:
        try:
            statements = self._cursor.extract_statements(sql)
            if [statement.type in _READING for statement in statements] != [True]:
                raise QueryError("only a single SELECT can be read", "begin with SELECT or WITH; no ; in between")
            self._limit(0 if timeout_ms is None else max(timeout_ms, 1))
            self._cursor.execute(statements[0], dict(params or {}))
            columns = tuple(str(column[0]) for column in self._cursor.description or ())
            # The answer is streamed: an error in a late row shows only when it is read to the end.
            return Rows(columns, self._cursor.fetchall())
        except duckdb.InterruptException as error:
            if "maximum execution time" in str(error):
                raise QueryTimeout(f"the query took longer than {timeout_ms:,} ms and was stopped") from error
            raise QueryError("the query was interrupted") from error
        except duckdb.Error as error:
            raise _query_error(error) from error

    def _limit(self, timeout_ms: int) -> None:
        if timeout_ms != self._timeout_ms:
            self._cursor.execute(f"SET max_execution_time = {timeout_ms:d}")
            self._timeout_ms = timeout_ms


def _query_error(error: duckdb.Error) -> QueryError:
    """DuckDB says what is wrong in its first line, and often what would be right after that."""
    text, _, _ = str(error).partition("\n\nLINE ")
    message, *suggestions = text.splitlines()
    hint = " ".join(line.strip() for line in suggestions if line.strip())
    if isinstance(error, duckdb.OutOfMemoryException):
        hint = "ask for a shorter time or for fewer dimensions, or give the store more memory"
    return QueryError(message, hint or None)
