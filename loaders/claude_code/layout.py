"""The transcripts below a folder, `<session>.jsonl` and `<session>/subagents/agent-<id>.jsonl`; the rest is left.

An `agent-<id>.jsonl` may also lie beside the sessions: its lines name the session, so the place does not matter.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from loaders.item import Ignored, LoadError, Location, Rejected
from loaders.source import refusal

_TRANSCRIPT = re.compile(r"(?P<stem>.+)\.jsonl(?:\.(?:zst|gz))?")
_AGENT = re.compile(r"agent-(.+)")
_SUBAGENTS = "subagents"
_RIGHT = "give ~/.claude/projects, the folder of one project in it, or one <session>.jsonl"


@dataclass(frozen=True, slots=True)
class Place:
    """One file that is read; `session` is the id that its name gives, for lines that name none."""

    path: Path
    shown_as: str
    session: str

    @property
    def agent(self) -> str | None:
        """The id of the sub-agent whose transcript this is."""
        match = _AGENT.fullmatch(self.session.rpartition("/")[2])
        return match[1] if match else None


@dataclass(frozen=True, slots=True)
class Layout:
    places: tuple[Place, ...]
    left: tuple[Ignored | Rejected, ...]


def survey(home: Path) -> Layout:
    """Raises `LoadError` where no transcript is found."""
    root = home / "projects" if (home / "projects").is_dir() else home
    if root.is_dir():
        found = list(_below(root, root))
    elif root.is_file() and (only := _transcript(root, root.parent)):
        found = [only]
    else:
        raise LoadError(f"{home} is no folder and no .jsonl file; {_RIGHT}")
    places = [item for item in found if isinstance(item, Place)]
    left = [item for item in found if not isinstance(item, Place)]
    if not places:
        broken = next((f": {item.location} {item.reason}" for item in left if isinstance(item, Rejected)), "")
        raise LoadError(f"{home} holds no transcript of Claude Code{broken}; {_RIGHT}")
    return Layout(tuple(places), tuple(left))


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
            yield _transcript(path, root) or Ignored(Location(_shown(path)), "not a transcript")


def _transcript(path: Path, root: Path) -> Place | None:
    match = _TRANSCRIPT.fullmatch(path.name)
    if match is None:
        return None
    folders = path.relative_to(root).parts[:-1]
    stem = _shown(Path(match["stem"]))
    if _SUBAGENTS in folders:
        within = folders.index(_SUBAGENTS)
        session = _shown(Path(folders[within - 1] if within else root.name))
        return Place(path, _shown(path), f"{session}/{stem}") if _AGENT.fullmatch(stem) else None
    is_deep = len(folders) > 1  # beyond projects/<project>/ lie results of tools, which may be of any form
    return None if is_deep else Place(path, _shown(path), stem)


def _shown(path: Path) -> str:
    """A file name may hold bytes that are no text; what is stored and printed must be."""
    return os.fsencode(path).decode("utf-8", "replace")
