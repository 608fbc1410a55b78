"""The `openclaw` loader: a state directory of the releases that keep sessions in files -> requests and sessions.

Stores are read first, because a parent is named by its session key and only the stores know which session that is.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from loaders.item import Item, Rejected
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.openclaw.calls import Owner
from loaders.openclaw.cron import read_run_log
from loaders.openclaw.keys import Directory, unique_id
from loaders.openclaw.layout import Layout, Place, survey
from loaders.openclaw.registry import read_registry
from loaders.openclaw.sessions import StoreEntry, evidence, read_store
from loaders.openclaw.transcript import read_transcript
from loaders.source import OnBytes, read_document, read_lines

__all__ = ["LOADER", "paths", "read"]


def read(home: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """Everything in a state directory, one item for each line, store entry or file that is left out.

    Raises `LoadError` at once where `home` is no such directory, or keeps its sessions in SQLite.
    """
    return _items(survey(home), now, on_bytes)


def paths(home: Path) -> list[Path]:
    """The files that `read` will read, in its order; their sizes add up to what `on_bytes` is told."""
    return [place.path for place in survey(home).places]


def _items(layout: Layout, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    yield from layout.left
    entries: list[StoreEntry] = []
    for place in _of_kind(layout, "store"):
        for entry in _store_entries(place, now, on_bytes):
            if isinstance(entry, Rejected):
                yield entry
            else:
                entries.append(entry)
    directory = Directory(entries)
    for entry in entries:
        yield evidence(entry, directory, now)
    for place in _of_kind(layout, "registry"):
        document = read_document(place.path, place.shown_as, on_bytes)
        if isinstance(document, Rejected):
            yield document
        else:
            yield from read_registry(document, place.shown_as, directory, now)
    for place in _of_kind(layout, "cron log"):
        yield from read_run_log(read_lines(place.path, place.shown_as, on_bytes), now)
    for place in _of_kind(layout, "transcript"):
        owner = Owner(unique_id(place.session, place.agent), place.agent, started_at=None)
        lines = read_lines(place.path, place.shown_as, on_bytes)
        yield from read_transcript(lines, owner, now, is_archive=place.is_archive)


def _of_kind(layout: Layout, kind: str) -> list[Place]:
    return [place for place in layout.places if place.kind == kind]


def _store_entries(place: Place, now: datetime, on_bytes: OnBytes | None) -> Iterator[StoreEntry | Rejected]:
    document = read_document(place.path, place.shown_as, on_bytes)
    if isinstance(document, Rejected):
        yield document
    else:
        yield from read_store(document, place.shown_as, place.agent, now)


LOADER = of_files(
    "openclaw",
    "a state directory, such as ~/.openclaw",
    read,
    paths,
    schedule=QUARTER_HOURLY,
    keeps=timedelta(hours=24),
)
"""Isolated sessions of scheduled jobs are deleted after a day."""
