"""sessions.json beside a database: which of its entries still say something.

A migration leaves the file where it was, and nobody writes to it any more. Its entries are old news about the keys that
the database has, and the only news about sessions that were deleted since. A release that goes back to files writes to
it again: then it is newer than everything in the database.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

from loaders.item import Ignored
from loaders.openclaw.sessions import StoreEntry

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_RULE = "stale sessions.json: the database has this session, as new or newer"


def without_stale(entries: Iterable[StoreEntry], in_database: Iterable[StoreEntry]) -> Iterator[StoreEntry | Ignored]:
    """The entries of one agent's sessions.json; `in_database` are those of the same agent, none where it has no store.

    For one session the entry that was updated last wins, the database where both were at once. An older entry about a
    session that the database does not have keeps what began it and loses whether it runs.
    """
    held = list(in_database)
    newest: dict[str, datetime] = {}
    for entry in held:
        newest[entry.session_id] = max(entry.updated_at or _NEVER, newest.get(entry.session_id, _NEVER))
    latest = max(newest.values(), default=None)
    for entry in entries:
        updated_at = entry.updated_at or _NEVER
        if latest is None or _NEVER < latest < updated_at:
            yield entry
        elif entry.session_id in newest and updated_at <= newest[entry.session_id]:
            yield Ignored(entry.location, _RULE)
        else:
            yield replace(entry, standing="stale")
