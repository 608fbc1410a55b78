"""What came of the items of a load: each was stored, is as before, was ignored or was rejected."""

from collections import Counter
from collections.abc import Iterable

from duckdb import DuckDBPyConnection

from store.accounts import LoadReport
from store.errors import StoreError
from store.rows import integer, row
from store.stage import Stage
from store.tables import REQUESTS, Table

COPY_RULE = "another copy of a request of the same load"


def report_of(
    cursor: DuckDBPyConnection,
    stage: Stage,
    tables: Iterable[Table],
    load_id: int,
    data_version: int,
    removed: int,
    left_behind: int,
) -> LoadReport:
    """An item is stored if one of its records was; one that only has copies of requests of other items is ignored."""
    verdicts = " UNION ALL ".join(_verdicts(table) for table in tables) or "SELECT 0 AS item, NULL AS is_stored LIMIT 0"
    stored, unchanged, copies = row(
        cursor,
        f"""
        SELECT
            count(*) FILTER (WHERE is_stored),
            count(*) FILTER (WHERE NOT is_stored),
            count(*) FILTER (WHERE is_stored IS NULL)
        FROM (
            SELECT item, bool_or(is_stored) AS is_stored FROM ({verdicts}) WHERE item IS NOT NULL GROUP BY item
        )""",
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
        left_behind=left_behind,
        conflicts=integer(cursor, "SELECT count(*) FROM conflicts WHERE load_id = $load_id", {"load_id": load_id}),
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
    if table is REQUESTS:
        return """
            SELECT min(item) AS item, bool_or(news.request_key IS NOT NULL) AS is_stored
            FROM staged_requests LEFT JOIN news USING (request_key)
            GROUP BY request_key
            UNION ALL
            SELECT item, NULL FROM staged_requests"""
    staged = f"staged_{table.name} LEFT JOIN changed_{table.name} AS changed USING ({', '.join(table.key)})"
    return f"SELECT item, changed.source IS NOT NULL AS is_stored FROM {staged}"
