"""The `agent-json` loader: what `openclaw agent --json` printed, and logs with such output in their lines -> totals of
runs.

For runs that left nothing else; where the transcripts of a session are loaded too, they count and not these totals.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from loaders.agent_json.account import read_run, run_id
from loaders.agent_json.documents import Document, read_documents
from loaders.agent_json.runs import runs_in
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.loader import of_files
from loaders.openclaw.values import FieldError
from loaders.source import OnBytes, excerpt, read_lines, refusal
from store import Record, RecordError

__all__ = ["LOADER", "paths", "read"]

NO_RUN = "JSON without agentMeta"
_CAPTURE = re.compile(r".+\.(?:jsonl?|ndjson|log|txt|out)(?:\.(?:gz|zst))?", re.IGNORECASE)
_RIGHT = "give a file with the output of openclaw agent --json, or a folder with such files"


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """One item for each document, and for each line outside of one. Raises `LoadError` at once where there is none."""
    return _items(path, paths(path), now, on_bytes)


def paths(path: Path) -> list[Path]:
    """The files that `read` will read, in its order."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise LoadError(f"{_shown(path)}: there is no such file; {_RIGHT}")
    found = [file for file in _files(path) if _CAPTURE.fullmatch(file.name) and refusal(file, path) is None]
    if not found:
        raise LoadError(f"{_shown(path)} holds no .json, .jsonl or .log file; {_RIGHT}")
    return found


def _items(root: Path, files: list[Path], now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    if root.is_dir():
        for left in sorted(set(_files(root)) - set(files)):
            reason = refusal(left, root)
            where = Location(_shown(left))
            yield Rejected(where, reason) if reason else Ignored(where, "not a capture")
    for file in files:
        for found in read_documents(read_lines(file, _shown(file), on_bytes)):
            yield _item(found, now) if isinstance(found, Document) else found


def _item(document: Document, now: datetime) -> Item:
    runs = list(runs_in(document.value))
    named = Counter(run_id(run) for run in runs)
    try:
        records: list[Record] = []
        for run in runs:
            records += read_run(run, document.value, now, is_alone=named[run_id(run)] == 1)
    except (FieldError, RecordError) as error:
        return Rejected(document.location, str(error), excerpt(document.content))
    return Parsed(document.location, tuple(records)) if records else Ignored(document.location, NO_RUN)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.is_dir())


def _shown(path: Path) -> str:
    """A file name may hold bytes that are no text; what is stored and printed must be."""
    return os.fsencode(path).decode("utf-8", "replace")


LOADER = of_files(
    "agent-json",
    "output of openclaw agent --json, or a log whose lines hold agentMeta; a file or a folder",
    read,
    paths,
)
