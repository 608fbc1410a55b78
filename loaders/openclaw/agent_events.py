"""The transcripts in an agent's database -> the items that the same lines in files would have given.

`transcript_events` holds every line of every session, those of abandoned branches too, which were billed like the
others; the table of the active path would leave them out. The lines of a deleted session lie in an archive, as a file.
"""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from loaders.item import Ignored, Item, Location, Rejected
from loaders.openclaw.agent_sessions import AgentSessions
from loaders.openclaw.calls import Owner
from loaders.openclaw.harness import Bindings
from loaders.openclaw.keys import unique_id
from loaders.openclaw.rows import MOST_BYTES, Database, has_row_numbers, rows, schema_version
from loaders.openclaw.transcript import read_transcript
from loaders.openclaw.values import FieldError, Object, text
from loaders.source import OnBytes, excerpt, read_lines
from loaders.sqlite import reason_of

EVENTS, ARCHIVES = "transcript_events", "session_transcript_archives"
_SESSIONS_SINCE = 4
_ENCODINGS = ("identity", "zstd", "gzip")
_COPIES = {
    "session_transcript_active_events": "active path: a part of transcript_events",
    "trajectory_runtime_events": "trajectory: a debug copy",
    "heartbeat_outcomes": "heartbeats: turns of a session, whose transcript has them",
}
_CHUNK = 1 << 20


def keeps_sessions(database: Database) -> bool | str:
    """Whether this database has transcripts; a text says why it should have and cannot be read."""
    if database.has(EVENTS, "session_id", "seq", "event_json"):
        return True
    version = schema_version(database)
    if version < _SESSIONS_SINCE and not database.has(EVENTS):
        return False  # of a release that kept sessions in files, and memory only in here
    return (
        f"has schema version {version} and no table {EVENTS} with session_id, seq and event_json, which versions "
        f"from {_SESSIONS_SINCE} on have: its shape is not known here, and none of its sessions is read"
    )


def read_agent_events(
    database: Database,
    agent: str,
    sessions: AgentSessions,
    bindings: Bindings,
    now: datetime,
    on_bytes: OnBytes | None = None,
) -> Iterator[Item]:
    """One item for each event and each line of an archive."""
    for table, rule in _COPIES.items():
        if database.has(table):
            yield Ignored(database.place(table), rule)
    over, found, is_whole = sessions.over, 0, True
    for named, is_text in _session_ids(database):
        try:
            if not is_text:
                raise FieldError(f"session_id must be a text, got {named!r:.60}")
            owner = _owner(named, agent, sessions.born)
        except FieldError as error:
            yield Rejected(database.place(EVENTS), f"{error}; the events of this session are not read")
            is_whole = False
            continue
        lines = _events_of(database, named, on_bytes)
        is_over = owner.session_id in over
        for item in read_transcript(lines, owner, now, is_archive=is_over, is_owner_certain=True, bindings=bindings):
            found += 1
            yield item
    held = _count(database)
    if is_whole and found < held:
        reason = f"has {held:,} events, of which {found:,} can be found: its index is damaged; run `REINDEX` on it"
        yield Rejected(database.place(EVENTS), reason)
    yield from _read_archives(database, agent, sessions.born, bindings, now)


def _count(database: Database) -> int:
    """Of the rows themselves, where the sessions are found by an index."""
    (held,) = database.connection.execute(f"SELECT count(*) FROM {EVENTS} NOT INDEXED").fetchone()
    return int(held)


def _session_ids(database: Database) -> Iterator[tuple[str, bool]]:
    asked = f"SELECT DISTINCT session_id, typeof(session_id) = 'text' FROM {EVENTS}"
    for named, is_text in database.connection.execute(asked).fetchall():
        yield named.decode("utf-8", "surrogateescape") if isinstance(named, bytes) else str(named), bool(is_text)


def _owner(named: str, agent: str, born: Mapping[str, datetime]) -> Owner:
    name = text({"session_id": named}, "session_id")
    if name is None:
        raise FieldError("session_id is missing")
    session_id = unique_id(name.partition("-topic-")[0], agent)
    return Owner(session_id, agent, born.get(session_id))


def _events_of(
    database: Database, session: str, on_bytes: OnBytes | None
) -> Iterator[tuple[Location, bytes] | Rejected]:
    """In the order in which they were written."""
    place, seq = f"{EVENTS}/{session}", None
    asked = f"SELECT seq, event_json FROM {EVENTS} WHERE session_id = ? ORDER BY seq"
    try:
        for seq, event in database.connection.execute(asked, (session,)):
            if on_bytes is not None and isinstance(event, bytes):
                on_bytes(len(event))
            yield _line(database.place(place, _number(seq)), event)
    except sqlite3.Error:
        # The statement is lost, and with it the row before the one that cannot be read.
        yield from _one_by_one(database, session, seq)


def _one_by_one(database: Database, session: str, after: object) -> Iterator[tuple[Location, bytes] | Rejected]:
    place = f"{EVENTS}/{session}"
    asked = f"SELECT seq FROM {EVENTS} WHERE session_id = ?1 AND (?2 IS NULL OR seq > ?2) ORDER BY seq"
    try:
        left = database.connection.execute(asked, (session, after)).fetchall()
    except sqlite3.Error as error:
        reason = f"{reason_of(error)}; the events after this are not read"
        yield Rejected(database.place(place, _number(after)), reason)
        return
    asked = f"SELECT event_json FROM {EVENTS} WHERE session_id = ? AND seq = ?"
    for (seq,) in left:
        location = database.place(place, _number(seq))
        try:
            found = database.connection.execute(asked, (session, seq)).fetchall()
        except sqlite3.Error as error:
            yield Rejected(location, reason_of(error))
        else:
            yield from (_line(location, event) for (event,) in found)


def _number(seq: object) -> int | None:
    return seq if isinstance(seq, int) else None


def _line(location: Location, event: object) -> tuple[Location, bytes] | Rejected:
    if not isinstance(event, bytes):
        return Rejected(location, f"event_json must be JSON text, got {type(event).__name__}")
    if len(event) > MOST_BYTES:
        reason = f"event_json is {len(event):,} bytes long; an event may have {MOST_BYTES:,}"
        return Rejected(location, reason, excerpt(event))
    return location, event


def _read_archives(
    database: Database, agent: str, born: Mapping[str, datetime], bindings: Bindings, now: datetime
) -> Iterator[Item]:
    """The bytes are unpacked like a file's, with the same limits, so they become one."""
    if not database.has(ARCHIVES, "session_id", "archive_blob"):
        return
    for row in rows(database, ARCHIVES, ("session_id", "generation", "encoding")):
        if isinstance(row, Rejected):
            yield row
            continue
        location, values = row
        try:
            encoding, named = text(values, "encoding"), text(values, "session_id")
            if encoding is not None and encoding not in _ENCODINGS:
                raise FieldError(f"encoding must be one of {', '.join(_ENCODINGS)}, got {encoding!r:.40}")
            owner = _owner(named or "", agent, born)
            with tempfile.NamedTemporaryFile(prefix="clawback-") as file:
                for chunk in _blob(database, location, values):
                    file.write(chunk)
                file.flush()
                lines = read_lines(Path(file.name), database.place(f"{ARCHIVES}/{named}").path)
                yield from read_transcript(lines, owner, now, is_archive=True, is_owner_certain=True, bindings=bindings)
        except FieldError as error:
            yield Rejected(location, str(error))
        except sqlite3.Error as error:
            yield Rejected(location, f"archive_blob {reason_of(error)}")


def _blob(database: Database, location: Location, values: Object) -> Iterator[bytes]:
    """In pieces, which is possible where rows have numbers."""
    if has_row_numbers(database, ARCHIVES):
        with database.connection.blobopen(ARCHIVES, "archive_blob", location.line or 0, readonly=True) as blob:
            while chunk := blob.read(_CHUNK):
                yield chunk
        return
    asked = f"SELECT archive_blob FROM {ARCHIVES} WHERE session_id IS ? AND generation IS ?"
    for (whole,) in database.connection.execute(asked, (values["session_id"], values.get("generation"))):
        yield whole if isinstance(whole, bytes) else b""
