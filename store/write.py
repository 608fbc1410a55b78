"""How a stage becomes rows: set-based SQL in one transaction, with the counts and the cursor of the load.

Nothing of a load can be seen before its COMMIT, so a load that was killed is simply repeated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path

from duckdb import DuckDBPyConnection

from store.accounts import LoadReport, next_load_id, record_load
from store.conflicts import keep_conflicts
from store.errors import StoreError
from store.facts import ACCRUAL, FACTS, accrue_until, refresh_facts
from store.join import JOINED_COPY, keep_former, keep_marks, keep_sightings, make_calls, match_alike, set_apart
from store.merge import known_prices, merged_rows
from store.outcomes import find_due, note_instant
from store.report import report_of
from store.restate import find_rows_before, recost, restate
from store.rows import few_of, integer, row
from store.stage import Recost, RejectedRow, Stage
from store.tables import (
    BUDGETS,
    CASH_FLOWS,
    CHARGES,
    PRICES,
    REPORTED_USAGE,
    REQUESTS,
    TABLES,
    Table,
    sql_type,
)
from store.touched import refresh_touched
from store.transaction import raise_version, transaction
from store.winners import is_total, same

FULLER_COPY = "a fuller copy of the request"
CORRECTED_TOTAL = "a later statement of the total of the session"

_NOTES: Mapping[str, type] = {"recosts": Recost, "rejected_rows": RejectedRow}
"""What is staged beside the records."""

_PARTED = (CHARGES, CASH_FLOWS, BUDGETS, REPORTED_USAGE)
"""Whose rows have a `part`, which their source states as a whole."""
_UNREAD = "SELECT session_id, source FROM unread_sessions ORDER BY ALL"


def apply_stage(
    cursor: DuckDBPyConnection, stage: Stage, directory: Path, now: datetime, started_at: datetime
) -> LoadReport:
    """Stores a closed stage. `directory` has its files where the database may read them; instants are UTC, zoneless.

    The files are read before the transaction, into temporary tables of this cursor.
    """
    staged = stage.tables
    tables = [table for table in TABLES if table.name in staged]
    for table in tables:
        _read_staged(cursor, directory, table.name, table.record, table.staged)
    for name, record in _NOTES.items():
        if name in staged:
            _read_staged(cursor, directory, name, record, {f.name: f"record.{f.name}" for f in fields(record)})
    with transaction(cursor):
        load_id = next_load_id(cursor)
        is_recosted = "recosts" in staged and recost(cursor, load_id, now)
        if is_recosted and _tell_again(cursor, is_staged=REQUESTS in tables) and REQUESTS not in tables:
            tables.append(REQUESTS)
            staged |= {REQUESTS.name}
        for table in tables:
            _store(cursor, table, load_id, now, is_recosted=is_recosted)
        removed = _remove_the_rest(cursor, stage, staged)
        left = _left_behind(cursor, stage, staged)
        changed = _changed_tables(cursor, tables, is_recosted=is_recosted) | (
            {table.name for table in _PARTED} if removed else set()
        )
        if accrue_until(cursor, now):
            changed.add(ACCRUAL)
        report = report_of(cursor, stage, tables, load_id, raise_version(cursor, now), removed, left)
        unread = cursor.execute(_UNREAD).fetchall()
        record_load(cursor, stage, report, now, started_at)
        read_anew = {*unread} ^ {*cursor.execute(_UNREAD).fetchall()}
        if read_anew:
            changed.add("rejected_rows")
        if changed & FACTS["session_facts"]:
            find_due(cursor, now)
            note_instant(cursor, now)
            done = refresh_touched(cursor, load_id, changed, staged, {session_id for session_id, _ in read_anew})
            refresh_facts(cursor, changed, done)
        else:
            refresh_facts(cursor, changed)
    return report


def _remove_the_rest(cursor: DuckDBPyConnection, stage: Stage, staged: frozenset[str]) -> int:
    """Removes what is stored of the parts that the load states as a whole and that it does not state."""
    removed = 0
    for table in _PARTED if stage.whole_parts else ():
        (key,) = table.key
        kept = f"{key} NOT IN (SELECT {key} FROM staged_{table.name})" if table.name in staged else "TRUE"
        rows = cursor.execute(
            f"DELETE FROM {table.name}"
            f" WHERE source = $source AND part IN (SELECT unnest($parts)) AND {kept} RETURNING {key}",
            {"source": stage.source, "parts": sorted(stage.whole_parts)},
        ).fetchall()
        removed += len(rows)
    return removed


def _left_behind(cursor: DuckDBPyConnection, stage: Stage, staged: frozenset[str]) -> int:
    """Stored charges of the parts that the load is about, which it does not have."""
    if CHARGES.name not in staged:
        return 0
    return integer(
        cursor,
        "SELECT count(*) FROM charges ANTI JOIN staged_charges USING (charge_id)"
        " WHERE source = $source AND part IN (SELECT part FROM staged_charges)",
        {"source": stage.source},
    )


def _changed_tables(cursor: DuckDBPyConnection, tables: Iterable[Table], *, is_recosted: bool) -> set[str]:
    """The tables of which this load changed a row."""
    changed = {table.name for table in tables if integer(cursor, f"SELECT count(*) FROM changed_{table.name}")}
    return changed | ({REQUESTS.name} if is_recosted else set())


def _read_staged(
    cursor: DuckDBPyConnection, directory: Path, name: str, record: type, columns: Mapping[str, str]
) -> None:
    path = str(directory / f"{name}.ndjson").replace("'", "''")
    selected = ", ".join(f"{expression} AS {column}" for column, expression in columns.items())
    cursor.execute(f"""
        CREATE TEMP TABLE staged_{name} AS
        SELECT seq, item, {selected}
        FROM read_json(
            '{path}', format = 'newline_delimited',
            columns = {{seq: 'BIGINT', item: 'BIGINT', record: '{sql_type(record)}'}}
        )""")


def _tell_again(cursor: DuckDBPyConnection, *, is_staged: bool) -> bool:
    """Adds `retold`, which is of no item, to what the load says of requests; whether there is any."""
    if not integer(cursor, "SELECT count(*) FROM retold"):
        return False
    columns = ", ".join(REQUESTS.columns)
    if not is_staged:
        cursor.execute(f"""
            CREATE TEMP TABLE staged_requests AS
            SELECT 0::BIGINT AS seq, NULL::BIGINT AS item, {columns} FROM requests LIMIT 0""")
    cursor.execute(f"INSERT INTO staged_requests BY NAME SELECT 0 AS seq, {columns} FROM retold")
    return True


def _store(cursor: DuckDBPyConnection, table: Table, load_id: int, now: datetime, *, is_recosted: bool) -> None:
    if table is PRICES:
        cursor.execute(known_prices(), {"now": now})
    stored = few_of(table.name, f"staged_{table.name}", *table.key)
    cursor.execute(f"CREATE TEMP TABLE before_{table.name} AS {stored}")
    if table is REQUESTS:
        _store_requests(cursor, load_id, now, is_recosted=is_recosted)
    else:
        _find_changed(cursor, table, f"staged_{table.name}")
        _write(cursor, table, load_id)


def _find_changed(cursor: DuckDBPyConnection, table: Table, staged: str) -> bool:
    """Makes `changed_<table>`; whether each row is of a key of its own that is not stored."""
    if _is_all_new(cursor, table, staged):
        cursor.execute(f"CREATE TEMP TABLE changed_{table.name} AS SELECT {', '.join(table.columns)} FROM {staged}")
        return True
    cursor.execute(f"""
        CREATE TEMP TABLE changed_{table.name} AS
        SELECT merged.* FROM ({merged_rows(table, staged)}) AS merged
        ANTI JOIN before_{table.name} AS stored ON {same("merged", "stored", table.columns)}""")
    return False


def _is_all_new(cursor: DuckDBPyConnection, table: Table, staged: str) -> bool:
    """No key twice, and none of them stored: there is nothing to merge, and to plan a merge is dear."""
    keys = ", ".join(table.key)
    if integer(cursor, f"SELECT count(*) FROM before_{table.name}"):
        return False
    return cursor.execute(f"SELECT 1 FROM {staged} GROUP BY {keys} HAVING count(*) > 1 LIMIT 1").fetchone() is None


def _store_requests(cursor: DuckDBPyConnection, load_id: int, now: datetime, *, is_recosted: bool) -> None:
    """Copies of one key from one source are merged as they come; what several sources tell is joined."""
    cursor.execute("CREATE OR REPLACE TEMP TABLE gone (request_key VARCHAR)")
    has_parts, is_all_new = set_apart(cursor), False
    if has_parts:
        cursor.execute("CREATE TEMP TABLE staged_alone AS FROM staged_requests ANTI JOIN apart USING (request_key)")
    if has_parts and not integer(cursor, "SELECT count(*) FROM staged_alone"):  # spares the plan of a dear query
        cursor.execute(
            f"CREATE TEMP TABLE changed_requests AS SELECT {', '.join(REQUESTS.columns)} FROM requests LIMIT 0"
        )
    else:
        is_all_new = _find_changed(cursor, REQUESTS, "staged_alone" if has_parts else "staged_requests")
    has_parts = match_alike(cursor, has_parts=has_parts)
    if has_parts:
        cursor.execute("""
            CREATE TEMP TABLE news AS
            SELECT request_key FROM changed_requests UNION SELECT request_key FROM parts WHERE load_id IS NULL""")
        make_calls(cursor)
    else:
        cursor.execute("CREATE TEMP VIEW news AS SELECT request_key FROM changed_requests")
    has_old = has_parts or not is_all_new
    if has_old:
        _keep_old(cursor, load_id, now, has_parts=has_parts, is_recosted=is_recosted)
    _write(cursor, REQUESTS, load_id, is_all_new=not has_old)
    keep_marks(cursor, was_stored=has_old)
    _assert_kept(cursor, has_parts=has_parts)


def _keep_old(cursor: DuckDBPyConnection, load_id: int, now: datetime, *, has_parts: bool, is_recosted: bool) -> None:
    """What is about to be replaced, and what records of one call say against another."""
    if is_recosted:
        find_rows_before(cursor, load_id)
    before = "rows_before" if is_recosted else "requests"
    if has_parts:
        keep_former(cursor, load_id, now, before)
    cursor.execute(keep_conflicts(has_parts=has_parts), {"load_id": load_id})
    reason = f"CASE WHEN {is_total('new.')} THEN '{CORRECTED_TOTAL}' ELSE '{FULLER_COPY}' END"
    if has_parts:
        several = "SELECT call_key FROM parts GROUP BY call_key HAVING count(*) > 1"
        reason = f"CASE WHEN new.request_key IN ({several}) THEN '{JOINED_COPY}' ELSE {reason} END"
    restate(cursor, "changed_requests", reason, load_id, now, before)
    if has_parts:
        keep_sightings(cursor, load_id)


def _write(cursor: DuckDBPyConnection, table: Table, load_id: int, *, is_all_new: bool = False) -> None:
    loads = {"load_id": "$load_id"} | ({"first_load_id": "$load_id"} if table is REQUESTS else {})
    if is_all_new:
        cursor.execute(
            f"INSERT INTO {table.name} BY NAME"
            f" SELECT *, {', '.join(f'{value} AS {load}' for load, value in loads.items())} FROM changed_{table.name}",
            {"load_id": load_id},
        )
        return
    cursor.execute(
        f"""
        MERGE INTO {table.name} AS stored USING changed_{table.name} AS changed USING ({", ".join(table.key)})
        WHEN MATCHED THEN UPDATE SET
            {", ".join(f"{column} = changed.{column}" for column in table.columns)}, load_id = $load_id
        WHEN NOT MATCHED THEN INSERT ({", ".join((*table.columns, *loads))})
            VALUES ({", ".join((*(f"changed.{column}" for column in table.columns), *loads.values()))})""",
        {"load_id": load_id},
    )
    _assert_unique(cursor, table)


def _assert_unique(cursor: DuckDBPyConnection, table: Table) -> None:
    keys = ", ".join(table.key)
    double = cursor.execute(f"""
        SELECT {keys} FROM {table.name} SEMI JOIN changed_{table.name} USING ({keys})
        GROUP BY {keys} HAVING count(*) > 1 LIMIT 1""").fetchone()
    if double:
        raise StoreError(f"{table.name} would hold {double} more than once; nothing was stored, please report this")


def _assert_kept(cursor: DuckDBPyConnection, *, has_parts: bool) -> None:
    """What the load says, and what it took away, is counted, and once: by its own row or by that of another key."""
    (lost,) = row(
        cursor,
        """
        WITH touched AS (SELECT request_key FROM staged_requests UNION FROM gone),
        kept AS (
            SELECT request_key FROM requests SEMI JOIN touched USING (request_key)
            UNION ALL
            SELECT request_key FROM sightings SEMI JOIN touched USING (request_key)
        )
        SELECT min(request_key) FROM touched ANTI JOIN kept USING (request_key)""",  # with LIMIT, DuckDB 2.0.0 hangs
    )
    if lost is not None:
        raise StoreError(f"the call {lost} would be lost; nothing was stored, please report this")
    if has_parts:
        _assert_joined(cursor)


def _assert_joined(cursor: DuckDBPyConnection) -> None:
    """The row of each joined call is there, the rows of its other keys are not, and every part is kept once."""
    wrong = cursor.execute("""
        WITH several AS (SELECT call_key FROM parts GROUP BY call_key HAVING count(*) > 1),
        kept AS (
            SELECT request_key, source, count(*) AS times FROM sightings
            WHERE call_key IN (SELECT call_key FROM parts) GROUP BY request_key, source
        )
        SELECT call_key FROM parts ANTI JOIN requests ON requests.request_key = parts.call_key
        UNION ALL
        SELECT call_key FROM parts SEMI JOIN requests USING (request_key) WHERE request_key <> call_key
        UNION ALL
        SELECT call_key FROM parts SEMI JOIN several USING (call_key) LEFT JOIN kept USING (request_key, source)
        WHERE times IS DISTINCT FROM 1
        LIMIT 1""").fetchone()
    if wrong:
        raise StoreError(f"the call {wrong[0]} would not be counted once; nothing was stored, please report this")
