"""How good the work of sessions was: a YAML, CSV or JSONL file with one quality score a line."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from loaders.item import Item
from loaders.loader import of_files
from loaders.source import OnBytes
from loaders.table import Entry, Row, open_table, read_entries
from store import Score

_REQUIRED = ("session_id", "score", "scorer", "observed_at")
"""A score without its instant could not be told from an older one that is read again."""
_CLOCK_SLACK = timedelta(days=1)


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every line.

    Raises:
        LoadError: there is no such file, or its columns are not those of scores.
    """
    table = open_table(path, on_bytes=on_bytes)
    return read_entries(table.rows_of(_REQUIRED, ()), lambda row: _score(row, latest=now + _CLOCK_SLACK))


def _score(row: Row, latest: datetime) -> Entry:
    score = Score(
        session_id=row["session_id"].text(),
        scorer=row["scorer"].text(),
        score=row["score"].number("must be a number from 0 to 1, such as 0.85"),
        observed_at=row["observed_at"].instant(latest=latest),
        source="scores",
    )
    return Entry(f"score of {score.session_id!r} by {score.scorer!r}", (score,))


LOADER = of_files("scores", "how good the work of sessions was, 0 to 1; YAML, CSV or JSONL", read)
