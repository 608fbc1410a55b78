"""How a stage becomes rows: set-based SQL in one transaction, with the counts and the cursor of the load.

Nothing of a load can be seen before its COMMIT, so a load that was killed is simply repeated.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from store.errors import StoreError
from store.facts import refresh_facts
from store.merge import is_total, keep_conflicts, known_prices, merged_rows, same
from store.stage import MAX_RAW, Recost, RejectedRow, Stage, storable
from store.stored import last_cursor
from store.tables import BUDGETS, CHARGES, COST, PRICES, REQUESTS, TABLES, Table, sql_type

COPY_RULE = "another copy of a request of the same load"
FULLER_COPY = "a fuller copy of the request"
CORRECTED_TOTAL = "a later statement of the total of the session"

_NOTES: Mapping[str, type] = {"recosts": Recost, "rejected_rows": RejectedRow}
"""What is staged beside the records."""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What came of one load. read = stored + unchanged + ignored + rejected."""

    load_id: int
    source: str
    location: str
    read: int
    stored: int
    """Lines that gave a row that is new or has changed."""
    unchanged: int
    ignored: int
    rejected: int
    removed: int
    """Rows that the source no longer has, of parts that it stated as a whole."""
    conflicts: int
    """Records of a request that cannot be true beside the one that counts."""
    data_version: int
    rejections: tuple[tuple[str, str], ...]
    """Location and reason of the first 20."""
    ignored_by_rule: tuple[tuple[str, int], ...]


_UNREAD = "SELECT session_id, source FROM unread_sessions ORDER BY ALL"
_COUNTS = ("read", "stored", "unchanged", "ignored", "rejected", "removed", "conflicts")
_REPORTED = ("load_id", "source", "location", *_COUNTS, "data_version")
"""What the row of a load has of its report."""


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
    return _integer(
        cursor, "UPDATE data_version SET version = version + 1, changed_at = $now RETURNING version", {"now": now}
    )


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
        if "recosts" in staged:
            _recost(cursor, load_id, now)
        for table in tables:
            _store(cursor, table, load_id, now)
        removed = _remove_the_rest(cursor, stage, staged)
        changed = _changed_tables(cursor, staged, tables) | ({CHARGES.name} if removed else set())
        report = _report(cursor, stage, tables, load_id, raise_version(cursor, now), removed)
        unread = cursor.execute(_UNREAD).fetchall()
        _record_load(cursor, stage, report, now, started_at)
        if cursor.execute(_UNREAD).fetchall() != unread:
            changed.add("rejected_rows")
        refresh_facts(cursor, changed)
    return report


def record_failure(cursor: DuckDBPyConnection, source: str, location: str, error: str, now: datetime) -> None:
    """A load of which nothing was stored, so that whoever asks after its source learns why."""
    with transaction(cursor):
        values = {
            "load_id": next_load_id(cursor),
            "source": source,
            "location": storable(location),
            "cursor_before": last_cursor(cursor, source, storable(location)),
            "cursor": last_cursor(cursor, source, storable(location)),
            "started_at": now,
            "applied_at": now,
            "data_version": _integer(cursor, "SELECT version FROM data_version"),
            "error": storable(error[:MAX_RAW]),
        }
        columns = [f"${name} AS {name}" for name in values] + [f"0 AS {name}" for name in _COUNTS]
        cursor.execute(f"INSERT INTO loads BY NAME SELECT {', '.join(columns)}", values)


def next_load_id(cursor: DuckDBPyConnection) -> int:
    return _integer(cursor, "SELECT coalesce(max(load_id), 0) + 1 FROM loads")


def _remove_the_rest(cursor: DuckDBPyConnection, stage: Stage, staged: frozenset[str]) -> int:
    """Removes what is stored of the parts that the load states as a whole and that it does not state."""
    if not stage.whole_parts:
        return 0
    removed = 0
    for table in (CHARGES, BUDGETS):
        (key,) = table.key
        kept = f"{key} NOT IN (SELECT {key} FROM staged_{table.name})" if table.name in staged else "TRUE"
        rows = cursor.execute(
            f"DELETE FROM {table.name}"
            f" WHERE source = $source AND part IN (SELECT unnest($parts)) AND {kept} RETURNING {key}",
            {"source": stage.source, "parts": sorted(stage.whole_parts)},
        ).fetchall()
        removed += len(rows)
    return removed


def _changed_tables(cursor: DuckDBPyConnection, staged: frozenset[str], tables: Iterable[Table]) -> set[str]:
    """The tables of which this load changed a row."""
    changed = {table.name for table in tables if _integer(cursor, f"SELECT count(*) FROM changed_{table.name}")}
    if "recosts" in staged and _integer(cursor, "SELECT count(*) FROM recosted"):
        changed.add(REQUESTS.name)
    return changed


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


def _recost(cursor: DuckDBPyConnection, load_id: int, now: datetime) -> None:
    cursor.execute(f"""
        CREATE TEMP TABLE recosted AS
        SELECT staged.* FROM staged_recosts AS staged
        ANTI JOIN requests AS stored ON {same("staged", "stored", ("request_key", *COST))}
        WHERE staged.seq IN (SELECT max(seq) FROM staged_recosts GROUP BY request_key)""")
    unknown = cursor.execute(
        "SELECT request_key FROM recosted ANTI JOIN requests USING (request_key) LIMIT 1"
    ).fetchone()
    if unknown:
        raise StoreError(f"request {unknown[0]} cannot be given another cost: it is not stored")
    _restate(cursor, "recosted", "new.reason", load_id, now)
    cursor.execute(
        f"""
        UPDATE requests SET {", ".join(f"{column} = new.{column}" for column in COST)}, load_id = $load_id
        FROM recosted AS new WHERE new.request_key = requests.request_key""",
        {"load_id": load_id},
    )


def _store(cursor: DuckDBPyConnection, table: Table, load_id: int, now: datetime) -> None:
    if table is PRICES:
        cursor.execute(known_prices(), {"now": now})
    keys = ", ".join(table.key)
    cursor.execute(f"""
        CREATE TEMP TABLE before_{table.name} AS
        SELECT * FROM {table.name} SEMI JOIN staged_{table.name} USING ({keys})""")
    cursor.execute(f"""
        CREATE TEMP TABLE changed_{table.name} AS
        SELECT merged.* FROM ({merged_rows(table)}) AS merged
        ANTI JOIN before_{table.name} AS stored ON {same("merged", "stored", table.columns)}""")
    if table is REQUESTS:
        cursor.execute(keep_conflicts(), {"load_id": load_id})
        reason = f"CASE WHEN {is_total('new.')} THEN '{CORRECTED_TOTAL}' ELSE '{FULLER_COPY}' END"
        _restate(cursor, f"changed_{table.name}", reason, load_id, now)
    loads = {"load_id": "$load_id"} | ({"first_load_id": "$load_id"} if table is REQUESTS else {})
    cursor.execute(
        f"""
        MERGE INTO {table.name} AS stored USING changed_{table.name} AS changed USING ({keys})
        WHEN MATCHED THEN UPDATE SET
            {", ".join(f"{column} = changed.{column}" for column in table.columns)}, load_id = $load_id
        WHEN NOT MATCHED THEN INSERT ({", ".join((*table.columns, *loads))})
            VALUES ({", ".join((*(f"changed.{column}" for column in table.columns), *loads.values()))})""",
        {"load_id": load_id},
    )
    _assert_unique(cursor, table)


def _restate(cursor: DuckDBPyConnection, changed: str, reason: str, load_id: int, now: datetime) -> None:
    """Keeps the costs that are about to be replaced, where they were known."""
    cursor.execute(
        f"""
        INSERT INTO restatements BY NAME
        SELECT
            request_key,
            $now AS restated_at,
            $load_id AS load_id,
            {", ".join(f"old.{column} AS old_{column}, new.{column} AS new_{column}" for column in COST)},
            {reason} AS reason
        FROM {changed} AS new
        JOIN requests AS old USING (request_key)
        WHERE old.cost_usd IS NOT NULL AND NOT ({same("old", "new", COST)})""",
        {"now": now, "load_id": load_id},
    )


def _assert_unique(cursor: DuckDBPyConnection, table: Table) -> None:
    keys = ", ".join(table.key)
    double = cursor.execute(f"""
        SELECT {keys} FROM {table.name} SEMI JOIN changed_{table.name} USING ({keys})
        GROUP BY {keys} HAVING count(*) > 1 LIMIT 1""").fetchone()
    if double:
        raise StoreError(f"{table.name} would hold {double} more than once; nothing was stored, please report this")


def _report(
    cursor: DuckDBPyConnection, stage: Stage, tables: Iterable[Table], load_id: int, data_version: int, removed: int
) -> LoadReport:
    """An item is stored if one of its records was; one that only has copies of requests of other items is ignored."""
    verdicts = " UNION ALL ".join(_verdicts(table) for table in tables) or "SELECT 0 AS item, NULL AS is_stored LIMIT 0"
    stored, unchanged, copies = _row(
        cursor,
        f"""
        SELECT
            count(*) FILTER (WHERE is_stored),
            count(*) FILTER (WHERE NOT is_stored),
            count(*) FILTER (WHERE is_stored IS NULL)
        FROM (SELECT item, bool_or(is_stored) AS is_stored FROM ({verdicts}) GROUP BY item)""",
    )
    ignored = stage.ignored + Counter({COPY_RULE: copies})
    report = LoadReport(
        load_id=load_id,
        source=stage.source,
        location=stage.location,
        read=stage.items + stage.ignored.total() + stage.rejected,
        stored=stored,
        unchanged=unchanged,
        ignored=ignored.total(),
        rejected=stage.rejected,
        removed=removed,
        conflicts=_integer(cursor, "SELECT count(*) FROM conflicts WHERE load_id = $load_id", {"load_id": load_id}),
        data_version=data_version,
        rejections=tuple(stage.rejections),
        ignored_by_rule=tuple(ignored.items()),
    )
    counted = report.stored + report.unchanged + report.ignored + report.rejected
    if report.read != counted:
        raise StoreError(f"the load read {report.read} items and can account for {counted}; nothing was stored")
    return report


def _verdicts(table: Table) -> str:
    """Item -> whether it changed a row. NULL where a request is told twice: the first item of its key speaks for it."""
    staged = f"staged_{table.name} LEFT JOIN changed_{table.name} AS changed USING ({', '.join(table.key)})"
    if table is REQUESTS:
        return f"""
            SELECT min(item) AS item, bool_or(changed.request_key IS NOT NULL) AS is_stored
            FROM {staged} GROUP BY request_key
            UNION ALL
            SELECT item, NULL FROM staged_requests"""
    return f"SELECT item, changed.source IS NOT NULL AS is_stored FROM {staged}"


def _record_load(
    cursor: DuckDBPyConnection, stage: Stage, report: LoadReport, now: datetime, started_at: datetime
) -> None:
    values = {name: getattr(report, name) for name in _REPORTED} | {
        "cursor_before": last_cursor(cursor, stage.source, stage.location),
        "cursor": stage.cursor,
        "started_at": started_at,
        "applied_at": now,
    }
    cursor.execute(f"INSERT INTO loads BY NAME SELECT {', '.join(f'${name} AS {name}' for name in values)}", values)
    rules = {"rules": [rule for rule, _ in report.ignored_by_rule], "counts": [n for _, n in report.ignored_by_rule]}
    if report.ignored_by_rule:
        cursor.execute(
            "INSERT INTO ignored_items SELECT $load_id, unnest($rules), unnest($counts)",
            {"load_id": report.load_id} | rules,
        )
    if "rejected_rows" in stage.tables:
        # A line that is read again and again is one row, of the newest load.
        cursor.execute(
            "DELETE FROM rejected_rows WHERE (location, reason, raw) IN"
            " (SELECT (location, reason, raw) FROM staged_rejected_rows)"
        )
        cursor.execute(
            "INSERT INTO rejected_rows BY NAME"
            " SELECT $load_id AS load_id, location, reason, raw, session_id FROM staged_rejected_rows ORDER BY seq",
            {"load_id": report.load_id},
        )


def _row(cursor: DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None) -> tuple[Any, ...]:
    row = cursor.execute(sql, dict(params or {})).fetchone()
    assert row is not None, sql
    return row


def _integer(cursor: DuckDBPyConnection, sql: str, params: Mapping[str, object] | None = None) -> int:
    return int(_row(cursor, sql, params)[0])
