"""Questions to the store: SQL with named parameters, inside a transaction that cannot write."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from threading import Lock

import duckdb
from duckdb import DuckDBPyConnection, Statement, StatementType

from store.errors import QueryError, QueryTimeout

MOST_STATEMENTS = 512
MOST_CHARACTERS = 4_000_000
TOLERANCE_MS = 50
"""By how much a later query of one snapshot may run longer than it was given: to change a limit is a statement, too."""

_READING = (StatementType.SELECT, StatementType.EXPLAIN)
Around = Callable[[], AbstractContextManager[object]]
"""What is entered for the time of one question, by whoever wants to know how long it takes."""


Settled = Callable[[], int | None]
"""The version of the data; None while somebody writes."""
VERSION = "SELECT version FROM data_version"


@dataclass(frozen=True, slots=True)
class Rows:
    """A whole answer. Money is Decimal; an instant is UTC and has no zone attached, as TIMESTAMP has none."""

    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


class Statements:
    """Statements that were parsed, by their text. One may be executed by several cursors at once.

    Parsing is about a fifth of what a small question costs. A statement knows no table: executing it binds it.
    """

    def __init__(self, most: int = MOST_STATEMENTS, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._most_characters = most_characters
        self._kept: OrderedDict[str, Statement] = OrderedDict()
        self._characters = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def of(self, sql: str, cursor: DuckDBPyConnection) -> Statement:
        """The one statement of a text; `QueryError` where it is not one that only reads."""
        with self._lock:
            found = self._kept.get(sql)
            if found is not None:
                self._kept.move_to_end(sql)
                return found
        statements = cursor.extract_statements(sql)
        if [statement.type in _READING for statement in statements] != [True]:
            raise QueryError("only a single SELECT can be read", "begin with SELECT or WITH; no ; in between")
        self._keep(sql, statements[0])
        return statements[0]

    def _keep(self, sql: str, statement: Statement) -> None:
        with self._lock:
            if sql in self._kept or len(sql) > self._most_characters:
                return
            self._kept[sql] = statement
            self._characters += len(sql)
            while len(self._kept) > self._most or self._characters > self._most_characters:
                oldest, _ = self._kept.popitem(last=False)
                self._characters -= len(oldest)


class Reader:
    """Questions to one version of the data. It lives in the `with` block of `Store.snapshot` and in one thread."""

    def __init__(
        self,
        cursor: DuckDBPyConnection,
        settled: Settled,
        statements: Statements | None = None,
        around: Around = nullcontext,
    ) -> None:
        self.version_seen: int | None = None
        """None before the first answer."""
        self._settled = settled
        self._settled_before = settled()
        self._statements = Statements() if statements is None else statements
        self._around = around
        self._cursor = cursor
        self._timeout_ms = 0
        self._has_failed = False

    def read(self, sql: str, params: Mapping[str, object] | None = None, *, timeout_ms: int | None = None) -> Rows:
        """All rows of one SELECT with parameters like `$since`. Raises `QueryError`, or `QueryTimeout`.

        A failed query ends the transaction, and with it the version of the data that the reader has seen. The first
        one decides which version that is.
        """
        if self._has_failed:
            raise QueryError("an earlier query of this snapshot has failed, which ended it", "take another snapshot")
        self._has_failed = True
        with self._around():
            rows = self._answer(sql, params, timeout_ms)
        self._has_failed = False
        if self.version_seen is None:
            self.version_seen = self._version_of_first()
        return rows

    @property
    def data_version(self) -> int:
        """Of everything that the reader sees. Raises `QueryError` where a query has failed before one was answered."""
        if self.version_seen is None:
            self.read(VERSION)
        assert self.version_seen is not None
        return self.version_seen

    def _version_of_first(self) -> int:
        """The database sees one version from the first query on. Where nobody has written since the reader was made,
        that is the one that everybody knows, and the query for it, dearer than many questions, is spared.
        """
        if self._settled_before is not None and self._settled_before == self._settled():
            return self._settled_before
        ((version,),) = self._answer(VERSION, None, None).rows
        assert isinstance(version, int)
        return version

    def interrupt(self) -> None:
        """Stops the running query from another thread: there it raises `QueryTimeout`. One that is over stays so."""
        with suppress(duckdb.Error):
            self._cursor.interrupt()

    def _answer(self, sql: str, params: Mapping[str, object] | None, timeout_ms: int | None) -> Rows:
        try:
            statement = self._statements.of(sql, self._cursor)
            self._limit(0 if timeout_ms is None else max(timeout_ms, 1))
            self._cursor.execute(statement, dict(params or {}))
            columns = tuple(str(column[0]) for column in self._cursor.description or ())
            # The answer is streamed: an error in a late row shows only when it is read to the end.
            return Rows(columns, self._cursor.fetchall())
        except duckdb.InterruptException as error:
            if "maximum execution time" in str(error):
                raise QueryTimeout(f"the query took longer than {timeout_ms:,} ms and was stopped") from error
            raise QueryTimeout("the query was interrupted: its time was over, or nobody waits for it") from error
        except duckdb.Error as error:
            raise _query_error(error) from error

    def _limit(self, timeout_ms: int) -> None:
        """Sets the limit, unless the one that holds is as good: none is none, and a few milliseconds are no matter."""
        is_as_good = 0 < timeout_ms <= self._timeout_ms <= timeout_ms + TOLERANCE_MS
        if timeout_ms != self._timeout_ms and not is_as_good:
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
