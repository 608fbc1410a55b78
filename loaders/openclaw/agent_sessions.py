"""The session tables of an agent's database -> store entries, the same that sessions.json gives.

Schema 14 on has a node for each session key and a window for each session that ever lived there; schema 4 to 13 has an
entry for each key. Where both lie in one database (a migration was cut off), a node wins over the entry of its key. A
session that was deleted has neither, but its archive still names its key.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from loaders.item import Ignored, Location, Rejected
from loaders.openclaw.keys import UNKNOWN
from loaders.openclaw.rows import Database, json_bytes, rows
from loaders.openclaw.sessions import StoreEntry, read_entry
from loaders.openclaw.values import FieldError, Object, instant_if_sound, parse, text

_FIELDS = {
    "current_session_id": "sessionId",
    "session_id": "sessionId",
    "updated_at": "updatedAt",
    "status": "status",
    "parent_session_key": "parentSessionKey",
    "spawned_by": "spawnedBy",
    "created_via": "createdVia",
    "created_actor_type": "createdActorType",
    "hook_external_content_source": "hookExternalContentSource",
    "chat_type": "chatType",
    "model": "model",
    "agent_harness_id": "agentHarnessId",
}
_NODE = ("session_key", *_FIELDS, "entry_json", "entry_valid", "created_at", "fork_source_session_id")
_WINDOW = ("session_key", *_FIELDS, "created_at", "started_at", "ended_at", "reason")
_COPIES_HISTORY = ("fork", "rewind")


@dataclass(slots=True)
class AgentSessions:
    """What the session tables of one database say."""

    entries: list[StoreEntry] = field(default_factory=list)
    """One for each key: who lives there now."""
    windows: list[StoreEntry] = field(default_factory=list)
    """One for each session that was ever started."""
    left: list[Ignored | Rejected] = field(default_factory=list)
    born: dict[str, datetime] = field(default_factory=dict)
    """When a session began that copied the history of another: what is older in its transcript is a copy."""

    @property
    def over(self) -> frozenset[str]:
        """The sessions whose key has another one now, or is gone."""
        return frozenset(window.session_id for window in self.windows if window.standing == "superseded")


def read_agent_sessions(database: Database, agent: str, now: datetime) -> AgentSessions:
    found = AgentSessions()
    nodes = _entries_of(database, "session_nodes", agent, now, found)
    keys = {str(entry.key) for entry in nodes}
    found.entries += nodes
    for entry in _entries_of(database, "session_entries", agent, now, found):
        if str(entry.key) in keys:
            found.left.append(Ignored(entry.location, "session entry: session_nodes has this key"))
        else:
            found.entries.append(entry)
    windows = _windows_of(database, "session_windows", "session window", agent, now, found)
    if windows and database.has("sessions"):
        found.left.append(Ignored(database.place("sessions"), "sessions: session_windows has them"))
    else:
        windows += _windows_of(database, "sessions", "session row", agent, now, found)
    windows += _windows_of(database, "session_transcript_archives", "transcript archive", agent, now, found)
    found.windows = _placed(windows, found.entries)
    return found


_Row = tuple[Location, Object]


def _entries_of(database: Database, table: str, agent: str, now: datetime, found: AgentSessions) -> list[StoreEntry]:
    read = (_entry(row, agent, now, found) for row in _rows_of(database, table, _NODE, found))
    return [entry for entry in read if entry is not None]


def _windows_of(
    database: Database, table: str, named: str, agent: str, now: datetime, found: AgentSessions
) -> list[StoreEntry]:
    # What an archive says beside its key is about the archive.
    wanted = ("session_key", "session_id") if table == "session_transcript_archives" else _WINDOW
    read = (_window(row, agent, now, found) for row in _rows_of(database, table, wanted, found))
    return [replace(window, named=named) for window in read if window is not None]


def _entry(row: _Row, agent: str, now: datetime, found: AgentSessions) -> StoreEntry | None:
    """The columns are what the database itself goes by; the rest of the entry is only in its JSON."""
    location, values = row
    try:
        key = text(values, "session_key")
        if key is None:
            raise FieldError("session_key is missing")
        written = json_bytes(values, "entry_json") if values.get("entry_valid") != 0 else None
        entry = read_entry(location, key, (parse(written) if written else {}) | _named(values), agent, now)
        if text(values, "fork_source_session_id") is not None:
            _note_birth(entry.session_id, values, now, found)
    except FieldError as error:
        found.left.append(Rejected(location, str(error)))
        return None
    return entry


def _window(row: _Row, agent: str, now: datetime, found: AgentSessions) -> StoreEntry | None:
    location, values = row
    try:
        key = text(values, "session_key")
        if key is None:
            found.left.append(Ignored(location, "session without a key"))
            return None
        times = [at for name in ("created_at", "started_at") if (at := instant_if_sound(values, name, now))]
        said = _named(values) | {"endedAt": values.get("ended_at")}
        window = read_entry(location, key, said, agent, now)
        if text(values, "reason") in _COPIES_HISTORY:
            _note_birth(window.session_id, values, now, found)
    except FieldError as error:
        found.left.append(Rejected(location, str(error)))
        return None
    return replace(window, session_started_at=min(times, default=None))


def _placed(windows: list[StoreEntry], entries: list[StoreEntry]) -> list[StoreEntry]:
    """A key keeps its cause over resets, and only the node knows who created it."""
    causes = {str(entry.key): entry.cause for entry in entries}
    current = {entry.session_id for entry in entries}
    return [
        replace(
            window,
            cause=max(window.cause, causes.get(str(window.key), UNKNOWN), key=lambda cause: cause.confidence),
            standing="current" if window.session_id in current else "superseded",
        )
        for window in windows
    ]


def _note_birth(session_id: str, values: Object, now: datetime, found: AgentSessions) -> None:
    if (born_at := instant_if_sound(values, "created_at", now)) is not None:
        found.born[session_id] = born_at


def _named(values: Object) -> Object:
    return {_FIELDS[name]: value for name, value in values.items() if name in _FIELDS}


def _rows_of(database: Database, table: str, wanted: tuple[str, ...], found: AgentSessions) -> Iterator[_Row]:
    for row in rows(database, table, wanted):
        if isinstance(row, Rejected):
            found.left.append(row)
        else:
            yield row
