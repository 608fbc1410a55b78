"""Bodies that lie in files: one a file, as the intake spools them, or one a line, as the Collector's file exporter
writes them.

The name of a file says what is in it: `<name>.<signal>.pb` or `<name>.<signal>.json`, packed or not (`.gz`, `.zst`);
`.jsonl` has an export request of any signal in each line.
"""

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import cast

from loaders.item import Ignored, Item, LoadError, Location, Note, Rejected
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.otlp.around import Around
from loaders.otlp.batch import MAX_BYTES, DecodeError, Encoding, Signal
from loaders.otlp.decode import decode
from loaders.otlp.read import read_batch
from loaders.source import Limits, OnBytes, read_document, read_lines, refusal

_BODY = re.compile(r"\.(traces|metrics|logs)\.(pb|json)(\.gz|\.zst)?$")
_LINES = re.compile(r"\.jsonl(\.gz|\.zst)?$")
_ENCODINGS: dict[str, Encoding] = {"pb": "protobuf", "json": "json"}
_SIGNAL_OF: dict[bytes, Signal] = {b"resourceSpans": "traces", b"resourceMetrics": "metrics", b"resourceLogs": "logs"}
_FIRST_KEY = re.compile(rb'\s*\{\s*"(resourceSpans|resourceMetrics|resourceLogs)"')
_OTHER_FILE = "a file that is no body of OTLP by its name"
_LIMITS = Limits(line_bytes=MAX_BYTES, document_bytes=MAX_BYTES)


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item | Note]:
    """The items of every body below a folder, or of one file, in the order of their names.

    Raises `LoadError` where there is nothing of that name.
    """
    if not path.exists():
        raise LoadError(f"{_shown(path)}: there is no such file or folder")
    return _items(path, now, on_bytes)


def paths(path: Path) -> list[Path]:
    """Hidden ones are somebody's that still writes."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if not file.name.startswith(".") and not file.is_dir())


def _items(path: Path, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item | Note]:
    around = Around()
    for file in paths(path):
        shown_as = _shown(file)
        reason = refusal(file, path) if path.is_dir() else None
        if reason is not None:
            yield Rejected(Location(shown_as), reason)
        elif found := _BODY.search(file.name):
            signal, encoding = cast(Signal, found[1]), _ENCODINGS[found[2]]
            yield from _of_file(file, shown_as, signal, encoding, now, on_bytes, around)
        elif _LINES.search(file.name):
            yield from _of_lines(file, shown_as, now, on_bytes, around)
        else:
            yield Ignored(Location(shown_as), _OTHER_FILE)


def _of_file(
    file: Path,
    shown_as: str,
    signal: Signal,
    encoding: Encoding,
    now: datetime,
    on_bytes: OnBytes | None,
    around: Around,
) -> Iterator[Item | Note]:
    body = read_document(file, shown_as, on_bytes, _LIMITS)
    if isinstance(body, Rejected):
        yield body
    else:
        yield from _of_body(body, Location(shown_as), signal, encoding, now, around)


def _of_lines(
    file: Path, shown_as: str, now: datetime, on_bytes: OnBytes | None, around: Around
) -> Iterator[Item | Note]:
    for line in read_lines(file, shown_as, on_bytes, _LIMITS):
        if isinstance(line, Rejected):
            yield line
            continue
        location, body = line
        first = _FIRST_KEY.match(body)
        if first is None:
            reason = "must be an export request that begins with resourceSpans, resourceMetrics or resourceLogs"
            yield Rejected(location, reason)  # without its text, which may be of prompts
        else:
            yield from _of_body(body, location, _SIGNAL_OF[first[1]], "json", now, around)


def _of_body(
    body: bytes, location: Location, signal: Signal, encoding: Encoding, now: datetime, around: Around
) -> Iterator[Item | Note]:
    try:
        batch = decode(signal, encoding, body)
    except DecodeError as error:
        yield Rejected(location, str(error))
    else:
        yield from read_batch(batch, now, where=str(location), around=around)


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


LOADER = of_files(
    "otlp",
    "bodies of OTLP: *.traces.pb, *.logs.json, ..., or *.jsonl of a Collector",
    read,
    paths,
    schedule=QUARTER_HOURLY,
)
