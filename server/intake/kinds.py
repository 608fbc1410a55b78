"""How a body of each kind is read: by the loader of its kind, which alone knows what is in it."""

from collections.abc import Iterator
from datetime import datetime

from loaders import calls
from loaders.item import Ignored, Item, Note, Parsed, Rejected
from loaders.otlp import Around, decode, read_batch
from server.intake.spool import Body


def read_body(body: Body, now: datetime, around: Around) -> Iterator[Item]:
    """An item for every span, record, point or line. Notes are left out: who sends a part never states a whole.

    `around` is what the bodies before it have left to know of the spans to come.

    Raises `LoadError` or `ValueError` where nothing of it can be read, and `OSError`.
    """
    read: Iterator[Item | Note]
    if body.signal == "calls":
        read = calls.read(body.path, now=now)
    else:
        content = body.path.read_bytes()
        where = body.path.name.partition(".")[0]
        batch = decode(body.signal, body.encoding, content)
        read = read_batch(batch, now, where=where, around=around.of(body.rights))
    for item in read:
        if isinstance(item, Parsed | Ignored | Rejected):
            yield item
