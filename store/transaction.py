"""One change of the store: all of it or nothing, and the number of what can be read after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from duckdb import DuckDBPyConnection

from store.rows import integer


@contextmanager
def transaction(cursor: DuckDBPyConnection) -> Iterator[None]:
    cursor.execute("BEGIN TRANSACTION")
    try:
        yield
    except BaseException:  # whatever happened, Ctrl-C too: nothing of it stays, and then it goes on its way
        cursor.execute("ROLLBACK")
        raise
    cursor.execute("COMMIT")


def raise_version(cursor: DuckDBPyConnection, now: datetime) -> int:
    """The number of what can be read after the transaction; every write takes a new one."""
    return integer(
        cursor, "UPDATE data_version SET version = version + 1, changed_at = $now RETURNING version", {"now": now}
    )
