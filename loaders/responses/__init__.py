"""The `responses` loader: a log of providers' answers, as a gateway or a proxy keeps it -> requests.

Each line holds one answer as it came, with who was asked and when. What a token count contains differs by provider;
that is decided here and not by whoever wrote the log.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from loaders.cell import CellError
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.openclaw.values import FieldError, parse
from loaders.responses.line import requests_in
from loaders.source import OnBytes, excerpt, read_lines
from store import RecordError

__all__ = ["LOADER", "read"]


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every line.

    Raises `LoadError` at once where there is no such file.
    """
    shown_as = os.fsencode(path).decode("utf-8", "replace")
    if not path.is_file():
        raise LoadError(f"{shown_as}: there is no such file")
    return _items(path, shown_as, now, on_bytes)


def _items(path: Path, shown_as: str, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    for line in read_lines(path, shown_as, on_bytes):
        yield line if isinstance(line, Rejected) else _item(*line, now)


def _item(location: Location, content: bytes, now: datetime) -> Item:
    try:
        requests = requests_in(parse(content), now)
    except (FieldError, CellError, RecordError) as error:
        return Rejected(location, str(error), excerpt(content))
    return Parsed(location, requests) if requests else Ignored(location, "the provider refused the call")


LOADER = of_files("responses", "JSONL with one answer of a provider a line", read, schedule=QUARTER_HOURLY)
