"""What is kept of a load itself: its counts, its cursor, what it ignored and rejected, or why it failed."""

from dataclasses import dataclass
from datetime import datetime

from duckdb import DuckDBPyConnection

from store.rows import integer
from store.stage import MAX_RAW, Stage, storable
from store.stored import last_cursor
from store.transaction import transaction

_COUNTS = ("read", "stored", "unchanged", "ignored", "rejected", "removed", "conflicts")
_REPORTED = ("load_id", "source", "location", *_COUNTS, "data_version")
"""What the row of a load has of its report."""


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
    left_behind: int
    """Rows of the parts that the load is about, which it did not have and did not remove."""
    conflicts: int
    """Records of a request that cannot be true beside the one that counts."""
    data_version: int
    rejections: tuple[tuple[str, str], ...]
    """Location and reason of the first 20."""
    ignored_by_rule: tuple[tuple[str, int], ...]
    warnings: tuple[str, ...] = ()
    """What was stored and may not be meant, for people."""


def record_failure(
    cursor: DuckDBPyConnection, source: str, location: str, error: str, now: datetime, began_at: datetime
) -> None:
    """A load of which nothing was stored, so that whoever asks after its source learns why."""
    with transaction(cursor):
        values = {
            "load_id": next_load_id(cursor),
            "source": source,
            "location": storable(location),
            "cursor_before": last_cursor(cursor, source, storable(location)),
            "cursor": last_cursor(cursor, source, storable(location)),
            "started_at": began_at,
            "applied_at": now,
            "data_version": integer(cursor, "SELECT version FROM data_version"),
            "error": storable(error[:MAX_RAW]),
        }
        columns = [f"${name} AS {name}" for name in values] + [f"0 AS {name}" for name in _COUNTS]
        cursor.execute(f"INSERT INTO loads BY NAME SELECT {', '.join(columns)}", values)


def next_load_id(cursor: DuckDBPyConnection) -> int:
    return integer(cursor, "SELECT coalesce(max(load_id), 0) + 1 FROM loads")


def record_load(
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
        # A line that is read again and again is one row, of the newest load of its source.
        cursor.execute(
            "DELETE FROM rejected_rows"
            " WHERE (location, reason, raw) IN (SELECT (location, reason, raw) FROM staged_rejected_rows)"
            " AND load_id IN (SELECT load_id FROM loads WHERE source = $source AND location = $location)",
            {"source": stage.source, "location": stage.location},
        )
        cursor.execute(
            "INSERT INTO rejected_rows BY NAME"
            " SELECT $load_id AS load_id, location, reason, raw, session_id FROM staged_rejected_rows ORDER BY seq",
            {"load_id": report.load_id},
        )
