"""The rollouts of a Codex home: `sessions/YYYY/MM/DD/rollout-<time>-<id>.jsonl`, and those that were archived.

Rollouts that were not touched for a week are compressed in their place; the first releases wrote one `.json` a session.
Beside them a home holds credentials and settings, so nothing but the two folders is looked at.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loaders.codex.identity import AGENT
from loaders.item import Ignored, LoadError, Location, Rejected
from loaders.openclaw.keys import unique_id, uuid_in
from loaders.source import refusal

SESSIONS, ARCHIVE = "sessions", "archived_sessions"
_ROLLOUT = re.compile(r"(?P<stem>rollout-.+)\.(?P<form>jsonl|json)(?:\.(?:zst|gz))?")
_UUID_LENGTH = 36
_LONGEST_ID = 200
_RIGHT = "give ~/.codex, its folder sessions, or one rollout-<time>-<id>.jsonl"


@dataclass(frozen=True, slots=True)
class Place:
    """One file that is read; `session` is the id that its name gives, for files without one of their own."""

    path: Path
    shown_as: str
    session: str
    is_document: bool = False
    is_archived: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    places: tuple[Place, ...]
    left: tuple[Ignored | Rejected, ...]


def survey(home: Path) -> Layout:
    """Raises `LoadError` where no rollout is found."""
    if home.is_dir():
        folders = [home / name for name in (SESSIONS, ARCHIVE) if (home / name).is_dir()] or [home]
        found = [item for folder in folders for item in _below(folder, home)]
    elif home.is_file() and (only := _rollout(home)):
        found = [only]
    else:
        raise LoadError(f"{_shown(home)} is no folder and no rollout; {_RIGHT}")
    places = tuple(item for item in found if isinstance(item, Place))
    left = tuple(item for item in found if not isinstance(item, Place))
    if not places:
        broken = next((f": {item.location} {item.reason}" for item in left if isinstance(item, Rejected)), "")
        raise LoadError(f"{_shown(home)} holds no rollout of Codex{broken}; {_RIGHT}")
    return Layout(places, left)


def _below(folder: Path, root: Path) -> Iterator[Place | Ignored | Rejected]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield Rejected(Location(_shown(folder)), f"cannot be listed: {error.strerror}")
        return
    for path in entries:
        if reason := refusal(path, root):
            yield Rejected(Location(_shown(path)), reason)
        elif path.is_dir():
            if path.is_symlink():
                yield Ignored(Location(_shown(path)), "link to a folder that is read in its own place")
            else:
                yield from _below(path, root)
        else:
            yield _rollout(path) or Ignored(Location(_shown(path)), "not a rollout")


def _rollout(path: Path) -> Place | None:
    match = _ROLLOUT.fullmatch(path.name)
    if match is None:
        return None
    stem = _shown(Path(match["stem"]))
    session = uuid_in(f".{stem[-_UUID_LENGTH:]}")
    return Place(
        path,
        _shown(path),
        unique_id((session or stem)[:_LONGEST_ID], AGENT),
        is_document=match["form"] == "json",
        is_archived=ARCHIVE in path.parts,
    )


def _shown(path: Path) -> str:
    """A file name may hold bytes that are no text; what is stored and printed must be."""
    return os.fsencode(path).decode("utf-8", "replace")
