"""A body as it came -> a `Batch`, in either encoding, whichever signal's path it came by.

Some exporters have one endpoint for everything: where it ends in `/v1/traces`, metrics and logs arrive there, too
(OpenClaw 2026.4). The three messages are alike from the outside, so what makes no sense as one is tried as another.
"""

from typing import get_args

from loaders.otlp.batch import (
    MAX_BYTES,
    Batch,
    DecodeError,
    Encoding,
    Entry,
    LogRecord,
    Point,
    Signal,
    Span,
    Unread,
    Wrong,
)
from loaders.otlp.json_body import read_json
from loaders.otlp.protobuf import read_protobuf

_READERS = {"protobuf": read_protobuf, "json": read_json}


def decode(signal: Signal, encoding: Encoding, body: bytes) -> Batch:
    """What an export request says; one without anything is empty, not wrong. The batch says of which signal it is.

    Raises `DecodeError` where the body as a whole cannot be taken. An entry that is wrong by itself is a `Wrong` in its
    place.
    """
    if len(body) > MAX_BYTES:
        raise DecodeError(f"the body is {len(body):,} bytes; one may have {MAX_BYTES:,}: export smaller batches")
    try:
        batch = _decoded(signal, encoding, body)
    except DecodeError:
        meant = _of_another_signal(signal, encoding, body)
        if meant is None:
            raise
        return meant
    if not body or any(map(_makes_sense, batch.entries)):
        return batch
    return _of_another_signal(signal, encoding, body) or batch


def _decoded(signal: Signal, encoding: Encoding, body: bytes) -> Batch:
    return Batch(signal, tuple(_READERS[encoding](signal, body)))


def _of_another_signal(signal: Signal, encoding: Encoding, body: bytes) -> Batch | None:
    for other in get_args(Signal):
        if other != signal:
            try:
                batch = _decoded(other, encoding, body)
            except DecodeError:
                continue
            if any(map(_makes_sense, batch.entries)):
                return batch
    return None


def _makes_sense(entry: Entry) -> bool:
    """A message of another signal has no ids of a span, no points, and neither a time nor an attribute of a record."""
    match entry:
        case Span() | Point() | Unread():
            return True
        case LogRecord():
            return bool(entry.at_ns or entry.attributes)
        case Wrong():
            return False
