"""The `codex` loader: rollouts that Codex leaves in `~/.codex/sessions` -> requests and sessions."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from loaders.codex.document import read_old_document
from loaders.codex.layout import Layout, survey
from loaders.codex.transcript import read_transcript
from loaders.item import Item, Rejected
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.source import OnBytes, read_document, read_lines

__all__ = ["LOADER", "paths", "read"]


def read(home: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """Every line of every rollout, and every file that is left out. `home` is `~/.codex`, a folder with rollouts or
    one rollout.

    Raises `LoadError` at once where there is none.
    """
    return _items(survey(home), now, on_bytes)


def paths(home: Path) -> list[Path]:
    """The files that `read` will read, in its order; their sizes add up to what `on_bytes` is told."""
    return [place.path for place in survey(home).places]


def _items(layout: Layout, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    yield from layout.left
    for place in layout.places:
        if place.is_document:
            document = read_document(place.path, place.shown_as, on_bytes)
            if isinstance(document, Rejected):
                yield document
            else:
                yield from read_old_document(document, place.shown_as, place.session, now)
        else:
            lines = read_lines(place.path, place.shown_as, on_bytes)
            yield from read_transcript(lines, place.session, now, is_archived=place.is_archived)


LOADER = of_files("codex", "~/.codex, its folder sessions, or one rollout", read, paths, schedule=QUARTER_HOURLY)
"""Codex deletes nothing by itself; it compresses rollouts after a week and moves archived ones."""
