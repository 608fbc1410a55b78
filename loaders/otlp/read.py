"""The entries of a batch -> items: what gives a record, what is passed over by which rule, what cannot be read."""

from collections.abc import Iterator
from datetime import datetime

from loaders.item import Ignored, Item, Location, Note, Parsed, Rejected
from loaders.otlp.around import Around
from loaders.otlp.batch import Batch, EntryError, LogRecord, Point, Span, Unread, Wrong
from loaders.otlp.events import read_event
from loaders.otlp.meters import read_point
from loaders.otlp.spans import Read, Traces, read_span
from store import RecordError


def read_batch(
    batch: Batch, now: datetime, *, where: str | None = None, around: Around | None = None
) -> Iterator[Item | Note]:
    """One item for each span, record or point, in the order of the body; its location is `where`:number.

    `around` is what bodies before this one have left to know, and takes what this one leaves.
    """
    path = where or f"OTLP {batch.signal}"
    traces = Traces((entry for entry in batch.entries if isinstance(entry, Span)), around or Around())
    for number, entry in enumerate(batch.entries, start=1):
        location = Location(path, number)
        match entry:
            case Wrong(reason):
                yield Rejected(location, reason)
            case Unread(rule):
                yield Ignored(location, rule)
            case _:
                try:
                    read = _read(entry, traces, now)
                except (EntryError, RecordError) as error:
                    yield Rejected(location, str(error))
                    continue
                yield Ignored(location, read) if isinstance(read, str) else Parsed(location, read)


def _read(entry: Span | LogRecord | Point, traces: Traces, now: datetime) -> Read:
    match entry:
        case Span():
            return read_span(entry, traces, now)
        case LogRecord():
            return read_event(entry, now)
        case Point():
            return read_point(entry, now)
