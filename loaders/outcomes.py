"""What sessions achieved: a YAML, CSV or JSONL file with one outcome a line."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from loaders.cell import Cell
from loaders.item import Item
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, open_table, read_entries
from store import Outcome

_REQUIRED = ("session_id", "kind")
_OPTIONAL = ("outcome_id", "is_success", "occurred_at", "undone_success_at")
_CLOCK_SLACK = timedelta(days=1)


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every line.

    Raises:
        LoadError: there is no such file, or its columns are not those of outcomes.
    """
    table = open_table(path, on_bytes=on_bytes)
    return read_entries(table.rows_of(_REQUIRED, _OPTIONAL), lambda row: _outcome(row, latest=now + _CLOCK_SLACK))


def _outcome(row: Row, latest: datetime) -> Entry:
    session_id, kind = row["session_id"].text(), row["kind"].text()
    outcome = Outcome(
        outcome_id=row["outcome_id"].maybe(Cell.text) or f"{session_id}:{kind}",
        source="outcomes",
        session_id=session_id,
        kind=kind,
        is_success=row["is_success"].maybe(Cell.flag),
        occurred_at=row["occurred_at"].maybe(lambda cell: cell.instant(latest=latest)),
        undone_success_at=row["undone_success_at"].maybe(lambda cell: cell.instant(latest=latest)),
    )
    return Entry(f"outcome {outcome.outcome_id!r}", (outcome,))


LOADER = of_files("outcomes", "what sessions achieved; YAML, CSV or JSONL", read)
