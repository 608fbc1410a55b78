"""One owner of one file: opening, writing and reading it.

What one may do with a store is a method here, which takes the lock and the transaction that it needs, and nowhere else;
that makes the module a long one.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from shutil import copytree, rmtree
from tempfile import TemporaryDirectory
from threading import Lock
from types import TracebackType
from typing import Self, get_args
from uuid import uuid4

import duckdb
from duckdb import DuckDBPyConnection

from store.accounts import LoadReport, record_failure
from store.checks import MAX_USD
from store.errors import StoreError
from store.facts import refresh_facts
from store.migrate import migrate
from store.opening import connect, make_stage_directory, quoted, shut_in
from store.outcomes import OutcomeRule, is_due, pass_time, replace_rules
from store.payloads import TABLE as PAYLOADS
from store.payloads import Payload, delete_payloads, insert_payloads, select_payloads
from store.priced import PricedRequest
from store.read import Around, Reader, Rows, Statements
from store.records import AllocationPolicy, Price
from store.stage import Stage
from store.stored import (
    Load,
    SourceState,
    last_cursor,
    select_attempts,
    select_loads,
    select_newest_stored,
    select_pauses,
    select_prices,
    select_rejections,
    select_requests,
    select_sources,
)
from store.transaction import raise_version, transaction
from store.write import apply_stage

STORAGE_VERSION = "v1.4.0"
"""Of the file: older versions of DuckDB can still read it, so there is a way back."""

PATIENCE_S = 30.0
"""How long a store that is closed waits for those who read it."""


class Store:
    """Safe to read from many threads at once: every read has a cursor of its own. Writes wait for one another."""

    def __init__(self, connection: DuckDBPyConnection, stage_directory: Path) -> None:
        self.stage_directory = stage_directory
        """Where loads are staged, made for this opening: all that the database may read besides its file."""
        self._connection = connection
        self.applying = Lock()
        """Held by whoever compares what is stored with what he means to store, and then stores it."""
        self._writer = Lock()
        self._cursors = Lock()
        """A connection that is asked for a cursor cannot be closed in that moment."""
        self._data_version = int(connection.execute("SELECT version FROM data_version").fetchall()[0][0])
        (self._begin,) = connection.extract_statements("BEGIN TRANSACTION READ ONLY")
        self._statements = Statements()
        self._is_open = True
        self._is_written = False
        self.around_reads: Around = nullcontext
        """Entered for the time of each question that is read."""
        self._readers: set[Reader] = set()
        """Snapshots that are being read."""

    @classmethod
    def open(cls, path: Path | None, *, memory_limit: str | None = None, threads: int | None = None) -> Self:
        """Creates the file where there is none and brings it to this version's schema. None: a store in memory."""
        config: dict[str, str | bool | int | float | list[str]] = {
            "storage_compatibility_version": STORAGE_VERSION,
            "preserve_insertion_order": "false",  # with it DuckDB 2.0.0 loses rows, see decision 0030
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            # Another name for every opening: DuckDB then refuses a second owner within this process, too.
            "custom_user_agent": f"clawback {uuid4()}",
        }
        config |= {"memory_limit": memory_limit} if memory_limit else {}
        config |= {"threads": str(threads)} if threads else {}
        connection = connect(path, config)
        try:
            stage_directory = make_stage_directory(path)
            if path is None:
                connection.execute(f"SET GLOBAL temp_directory = {quoted(stage_directory / 'spill')}")
            shut_in(connection, stage_directory)
            migrate(connection)
        except duckdb.Error as error:
            connection.close()
            raise StoreError(f"{path or 'the store'} cannot be opened: {error}") from error
        except StoreError as error:
            connection.close()
            raise StoreError(f"{path or 'the store'}: {error}") from error
        return cls(connection, stage_directory)

    def close(self) -> None:
        with self._writer, self._cursors:
            self._is_open = False
            self._close_connection()
            rmtree(self.stage_directory, ignore_errors=True)
            with suppress(OSError):  # somebody else keeps something there, too
                self.stage_directory.parent.rmdir()

    def _close_connection(self) -> None:
        """Waits for questions that are being answered: DuckDB refuses to close what is busy."""
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._connection.close()
            except duckdb.ResourceInUseException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.01)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def apply(self, stage: Stage, *, now: datetime, started_at: datetime | None = None) -> LoadReport:
        """Stores all of a load or, where anything fails, nothing of it. Closes the stage.

        `now` is when it becomes known, `started_at` when the source began to be read: what happened there since then
        is for the next load.
        """
        stage.close()
        began = _without_zone(started_at or now)
        with self._writing(f"the load of {stage.location}") as cursor, self._within_reach(stage) as directory:
            report = apply_stage(cursor, stage, directory, _without_zone(now), began)
            self._data_version = report.data_version
        return report

    def note_failure(
        self, source: str, location: str, error: str, *, now: datetime, began_at: datetime | None = None
    ) -> None:
        """Keeps that a load came to nothing, and why. The data and its version stay as they are."""
        with self._writing("the note of a failed load") as cursor:
            record_failure(cursor, source, location, error, _without_zone(now), _without_zone(began_at or now))

    def set_allocation(self, slots: int, policy: AllocationPolicy = "capacity") -> None:
        """How infrastructure is laid on sessions: how many the machines can run at once, and by which policy."""
        if slots < 1:
            raise StoreError(f"the capacity must be at least one session at a time, got {slots}")
        if policy not in get_args(AllocationPolicy):
            raise StoreError(
                f"'{policy}' is no policy of allocation; there are {', '.join(get_args(AllocationPolicy))}"
            )
        if self.read("SELECT capacity_slots, policy FROM allocation").rows == [(slots, policy)]:
            return
        with self._writing("the allocation") as cursor:
            with transaction(cursor):
                values = {"slots": slots, "policy": policy}
                cursor.execute("UPDATE allocation SET capacity_slots = $slots, policy = $policy", values)
                refresh_facts(cursor, {"allocation"})
                version = raise_version(cursor, _without_zone(datetime.now(UTC)))
            self._data_version = version

    def set_outcome_rules(self, rules: Iterable[OutcomeRule]) -> None:
        """What the kinds of outcomes mean, all of them; the facts follow where they change."""
        rules = tuple(rules)
        with self._writing("the rules for outcomes") as cursor:
            with transaction(cursor):
                if not replace_rules(cursor, rules):
                    return
                refresh_facts(cursor, {"outcome_rules"})
                version = raise_version(cursor, _without_zone(datetime.now(UTC)))
            self._data_version = version

    def advance(self, now: datetime) -> None:
        """Brings the facts up to `now`: windows that have closed since they were written decide their tasks.

        Where none has, nothing is written. The data version grows only where a result has changed.
        """
        instant = _without_zone(now)
        with self._reading() as cursor:
            if not is_due(cursor, instant):
                return
        with self._writing("what has come of tasks") as cursor:
            with transaction(cursor):
                has_changed = pass_time(cursor, instant)
                version = raise_version(cursor, instant) if has_changed else self._data_version
            self._data_version = version

    def set_tolerance(self, absolute_usd: Decimal, share: Decimal) -> None:
        """How far a computed cost may be from the bill and still match: an amount, or a share of the bill (0 to 1)."""
        is_number = absolute_usd.is_finite() and share.is_finite()
        if not (is_number and 0 <= absolute_usd <= MAX_USD and 0 <= share <= 1):
            raise StoreError(
                f"a tolerance is an amount from 0 on and a share from 0 to 1, got {absolute_usd} USD and {share}"
            )
        if self.read("SELECT absolute_usd, share FROM tolerance").rows == [(absolute_usd, share)]:
            return
        with self._writing("the tolerance") as cursor:
            with transaction(cursor):
                cursor.execute(
                    "UPDATE tolerance SET absolute_usd = $absolute_usd, share = $share",
                    {"absolute_usd": absolute_usd, "share": share},
                )
                refresh_facts(cursor, {"tolerance"})
                version = raise_version(cursor, _without_zone(datetime.now(UTC)))
            self._data_version = version

    def data_version(self) -> int:
        """Grows with every write. Whoever reads it and then asks gets an answer of that version or a later one."""
        return self._data_version

    def _settled_version(self) -> int | None:
        """None while somebody writes, who may have stored already what is not told yet."""
        return None if self._is_written else self._data_version

    def read(self, sql: str, params: Mapping[str, object] | None = None, *, timeout_ms: int | None = None) -> Rows:
        """All rows of one SELECT with parameters like `$since`. Raises `QueryError`, or `QueryTimeout`."""
        with self._reading() as cursor:
            reader = Reader(cursor, self.data_version, self._statements, self.around_reads)
            return reader.read(sql, params, timeout_ms=timeout_ms)

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        """Several reads of one and the same version of the data, that of the first, whatever is loaded meanwhile."""
        with self._reading() as cursor:
            reader = Reader(cursor, self._settled_version, self._statements, self.around_reads)
            self._readers.add(reader)
            try:
                yield reader
            finally:
                self._readers.discard(reader)

    def interrupt_readers(self) -> None:
        """Stops every question that a snapshot is asking now; each raises `QueryError` where it was asked."""
        for reader in self._readers.copy():
            reader.interrupt()

    def prices(self, known_at: datetime | None = None) -> list[Price]:
        """The price book: of every line the newest version, or the one that was the newest at an instant."""
        with self._reading() as cursor:
            return select_prices(cursor, _without_zone(known_at) if known_at else None)

    def requests_of(self, models: set[tuple[str, str]] | None) -> Iterator[PricedRequest]:
        """The stored requests of some (provider, model), or all: to price them anew when prices change."""
        with self._reading() as cursor:
            yield from select_requests(cursor, models)

    def records_of(self, models: set[tuple[str, str]] | None) -> Iterator[PricedRequest]:
        """Like `requests_of`, with a call that several sources tell of as what each says: all that can be priced."""
        with self._reading() as cursor:
            yield from select_requests(cursor, models, apart=True)

    def last_cursor(self, source: str, location: str) -> str | None:
        """Where the next load of a source goes on; None where it begins at the start."""
        with self._reading() as cursor:
            return last_cursor(cursor, source, location)

    def last_attempts(self) -> dict[tuple[str, str], tuple[datetime, bool]]:
        """(source, location) -> when its newest load began, and whether it failed."""
        with self._reading() as cursor:
            return select_attempts(cursor)

    def sources(self) -> list[SourceState]:
        """What the loads of each source have come to."""
        with self._reading() as cursor:
            return select_sources(cursor)

    def newest_stored(self, source: str, location: str) -> Load | None:
        """The newest load of a source that was stored."""
        with self._reading() as cursor:
            return select_newest_stored(cursor, source, location)

    def pauses(self, source: str, location: str, longer_than: timedelta, most: int) -> list[tuple[datetime, datetime]]:
        """The newest pauses between two stored loads of a source, oldest first: when both began."""
        with self._reading() as cursor:
            return select_pauses(cursor, source, location, longer_than, most)

    def rejections(self, load_id: int, most: int) -> list[tuple[str, str]]:
        """Location and reason of the first rows that a load rejected."""
        with self._reading() as cursor:
            return select_rejections(cursor, load_id, most)

    def loads(self) -> list[Load]:
        """Newest first."""
        with self._reading() as cursor:
            return select_loads(cursor)

    def keep_payloads(self, payloads: Sequence[Payload], *, now: datetime, days: int) -> None:
        """What was in some calls, once for each; what is older than `days` goes. The version of the data stays."""
        with self._writing("payloads") as cursor, transaction(cursor):
            insert_payloads(cursor, self.stage_directory, payloads, _without_zone(now), days)
            delete_payloads(cursor, _without_zone(now), days)

    def forget_payloads(self, *, now: datetime, days: int) -> int:
        """Deletes what was in calls that are older than `days`; gives of how many."""
        with self._writing("payloads") as cursor, transaction(cursor):
            return delete_payloads(cursor, _without_zone(now), days)

    def payloads_of(self, key: str, *, now: datetime, days: int) -> list[Payload]:
        """What was in a call, by any name that it has, where it is not older than `days`."""
        with self._reading() as cursor:
            return select_payloads(cursor, key, _without_zone(now), days)

    def columns(self, source: str) -> dict[str, str]:
        """Column -> SQL type of a table or view that may be read for figures; nothing where there is no such table."""
        if source.lower() == PAYLOADS:
            return {}
        found = self.read(
            "SELECT column_name, data_type FROM duckdb_columns()"
            " WHERE table_name = $source AND NOT internal ORDER BY column_index",
            {"source": source},
        )
        return {str(name): str(kind) for name, kind in found.rows}

    @contextmanager
    def _reading(self) -> Iterator[DuckDBPyConnection]:
        cursor = self._cursor()
        try:
            cursor.execute(self._begin)
            yield cursor
        except duckdb.Error as error:
            raise StoreError(f"the store cannot be read: {error}") from error
        finally:
            cursor.close()  # ends the transaction

    @contextmanager
    def _writing(self, what: str) -> Iterator[DuckDBPyConnection]:
        with self._writer:
            cursor = self._cursor()
            self._is_written = True
            try:
                yield cursor
            except duckdb.Error as error:
                raise StoreError(f"{what} could not be stored, and nothing of it was: {error}") from error
            finally:
                self._is_written = False
                cursor.close()

    def _cursor(self) -> DuckDBPyConnection:
        with self._cursors:
            if not self._is_open:
                raise StoreError("the store is closed")
            return self._connection.cursor()

    @contextmanager
    def _within_reach(self, stage: Stage) -> Iterator[Path]:
        """The files of a stage where the database may read them: a stage that lies elsewhere is copied."""
        directory = stage.directory.resolve()
        if directory.is_relative_to(self.stage_directory):
            yield directory
            return
        with TemporaryDirectory(prefix="load-", dir=self.stage_directory) as copy:
            copytree(directory, copy, dirs_exist_ok=True)
            yield Path(copy)


def _without_zone(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise StoreError(f"{instant.isoformat()} says no zone; give an instant in UTC")
    return instant.astimezone(UTC).replace(tzinfo=None)
