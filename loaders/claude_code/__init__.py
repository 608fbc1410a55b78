"""The `claude-code` loader: transcripts that Claude Code leaves in `~/.claude/projects` -> requests and sessions."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from loaders.claude_code.layout import Layout, survey
from loaders.claude_code.transcript import read_transcript
from loaders.item import Item
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.source import OnBytes, read_lines

__all__ = ["LOADER", "paths", "read"]


def read(home: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """Every line of every transcript, and every file that is left out. `home` is `~/.claude`, its `projects`, the
    folder of one project or one transcript.

    Raises `LoadError` at once where there is none.
    """
    return _items(survey(home), now, on_bytes)


def paths(home: Path) -> list[Path]:
    """The files that `read` will read, in its order; their sizes add up to what `on_bytes` is told."""
    return [place.path for place in survey(home).places]


def _items(layout: Layout, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    yield from layout.left
    agents = frozenset(place.agent for place in layout.places if place.agent is not None)
    for place in layout.places:
        lines = read_lines(place.path, place.shown_as, on_bytes)
        yield from read_transcript(lines, place.session, agents, now)


LOADER = of_files(
    "claude-code",
    "~/.claude/projects, one project, or one transcript",
    read,
    paths,
    schedule=QUARTER_HOURLY,
    keeps=timedelta(days=30),
)
"""Claude Code deletes transcripts that are older than its setting `cleanupPeriodDays`, 30 by default."""
