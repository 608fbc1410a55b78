"""How a body of each kind is read: by the loader of its kind, which alone knows what is in it."""

from collections.abc import Iterator
from datetime import datetime

from loaders import calls
from loaders.item import Ignored, Item, Note, Parsed, Rejected
from loaders.otlp import decode, read_batch
from server.intake.spool import Body


def read_body(body: Body, now: datetime) -> Iterator[Item]:
    """An item for every span, record, point or line. Notes are left out: who sends a part never states a whole.

    Raises `LoadError` or `ValueError` where nothing of it can be read, and `OSError`.
    """
    read: Iterator[Item | Note]
    if body.signal == "calls":
        read = calls.read(body.path, now=now)
    else:
        content = body.path.read_bytes()
        read = read_batch(decode(body.signal, body.encoding, content), now, where=body.path.name.partition(".")[0])
    for item in read:
        if isinstance(item, Parsed | Ignored | Rejected):
            yield item
