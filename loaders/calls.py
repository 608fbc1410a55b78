"""The `calls` loader: what `clawback proxy` saw, as its spool holds it and the intake gets it -> requests.

A line is one of a log of `responses` with the answer reduced to what it costs, and with the other names of the call:
the answer's, those of the HTTP request and of the span. So the same call in a transcript, over OTLP and in a provider's
own log is one row. Its key is the id that the proxy gave it, because each line is a call: gateways answer with one id
again and again.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from loaders.cell import CellError
from loaders.item import Ignored, Item, LoadError, Location, Parsed, Rejected
from loaders.loader import QUARTER_HOURLY, of_files
from loaders.openclaw.calls import names_of_answer
from loaders.openclaw.values import FieldError, Object, parse, text
from loaders.responses.line import names_beside, requests_in
from loaders.source import OnBytes, excerpt, read_lines
from store import RecordError, Request

__all__ = ["LOADER", "SOURCE", "item_of", "read"]

SOURCE = "proxy"
_NAMES = ("*.jsonl", "*.jsonl.gz", "*.part")
"""Of a spool; what the server refused has another name, because it would be refused again."""


def read(path: Path, *, now: datetime, on_bytes: OnBytes | None = None) -> Iterator[Item]:
    """An item for every line of a file, or of every file of a spool in their order.

    Raises `LoadError` at once where there is no such place.
    """
    if not path.exists():
        raise LoadError(f"{_shown(path)}: there is no such file or spool")
    return _items(path, now, on_bytes)


def item_of(location: Location, content: bytes, now: datetime) -> Item:
    """One line. A call that cannot be read makes the cost of its session unknown, so its session is told."""
    session_id = None
    try:
        line = parse(content)
        session_id = text(line, "session_id")
        requests = _requests(line, now)
    except (FieldError, CellError, RecordError) as error:
        return Rejected(location, str(error), excerpt(content), session_id)
    return Parsed(location, requests) if requests else Ignored(location, "the provider refused the call")


def _items(path: Path, now: datetime, on_bytes: OnBytes | None) -> Iterator[Item]:
    for file in _files(path):
        for line in read_lines(file, _shown(file), on_bytes):
            yield line if isinstance(line, Rejected) else item_of(*line, now)


def _files(path: Path) -> list[Path]:
    return sorted({file for name in _NAMES for file in path.glob(name)}) if path.is_dir() else [path]


def _shown(path: Path) -> str:
    return os.fsencode(path).decode("utf-8", "replace")


def _requests(line: Object, now: datetime) -> tuple[Request, ...]:
    """Its names belong to the call itself: what an answer lists beside it is a call of its own."""
    call = text(line, "call")
    if call is None:
        raise FieldError("call is missing; it is the id that the proxy gave to the call")
    requests = requests_in({**line, "request_id": call}, now)
    if not requests:
        return ()
    own, *beside = (replace(request, source=SOURCE) for request in requests)
    given = f"call:{call}"
    own = replace(own, request_key=f"{SOURCE}:{call}", identities=tuple(dict.fromkeys((given, *_identities(line)))))
    return own, *(_beside(own, each, given, number) for number, each in enumerate(beside, start=1))


def _beside(own: Request, beside: Request, given: str, number: int) -> Request:
    names = (f"{given}#{number}", *names_beside(own, number))
    return replace(beside, request_key=f"{own.request_key}#{number}", identities=names)


def _identities(line: Object) -> tuple[str, ...]:
    """As they are stated. Of a line that states none, the answer's own id."""
    stated = line.get("identities")
    if stated is None:
        body = line.get("response")
        return names_of_answer(text(body, "id") or text(body, "responseId")) if isinstance(body, dict) else ()
    if not isinstance(stated, list) or not all(isinstance(identity, str) for identity in stated):
        raise FieldError(f"identities must be a list of texts like request-id:req_1, got {str(stated)[:60]!r}")
    return tuple(stated)


LOADER = of_files("calls", "what clawback proxy recorded: JSONL, or its spool", read, _files, schedule=QUARTER_HOURLY)
