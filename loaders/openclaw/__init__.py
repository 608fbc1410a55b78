"""The `openclaw` loader: a state directory, in files, in databases or half-way between -> requests and sessions."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from loaders.item import Item
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.openclaw.home import read_home
from loaders.openclaw.layout import survey
from loaders.source import OnBytes

__all__ = ["LOADER", "paths", "read"]


def read(home: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """Everything in a state directory, one item for each line, row, entry or file that is left out.

    Raises `LoadError` at once where `home` is no such directory, and while reading where no agent database is readable.
    """
    return read_home(survey(home), now, on_bytes)


def paths(home: Path) -> list[Path]:
    """The files that `read` will read, in its order; their sizes add up to what `on_bytes` is told."""
    return [place.path for place in survey(home).places]


LOADER = of_files(
    "openclaw",
    "a state directory, such as ~/.openclaw",
    read,
    paths,
    schedule=QUARTER_HOURLY,
    keeps=timedelta(hours=24),
)
"""Isolated sessions of scheduled jobs are deleted after a day."""
