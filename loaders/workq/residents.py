"""Which session lived at a session key at an instant: WorkQ knows its claimers by their keys only.

A key is a place. The session there changes with every reset, so the answer is taken from an OpenClaw home and only
where it is certain: from the generations that its databases keep, or from when each session of a key began.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from loaders.item import Rejected
from loaders.openclaw.agent_sessions import AgentSessions, read_agent_sessions
from loaders.openclaw.keys import Directory, is_unique, parse_key, unique_id
from loaders.openclaw.layout import Layout, Place, survey
from loaders.openclaw.rows import opened
from loaders.openclaw.sessions import StoreEntry, read_store
from loaders.openclaw.values import FieldError, instant, parse
from loaders.source import read_document, read_lines
from loaders.sqlite import SqliteError

_ONE_SESSION = ("subagent", "acp", "hook")
"""Keys that are made for one session and never reset."""
_A_SECOND = timedelta(seconds=1)
"""WorkQ leaves out the fractions of its times."""


def session_in(key: str) -> str | None:
    """The session id that the key itself holds; only keys of single runs have one."""
    last = parse_key(key).rest.removeprefix("explicit:").split(":")
    is_run = len(last) == 1 or last[-2] == "run"
    return last[-1] if is_run and is_unique(last[-1]) else None


def residents_of(home: Path, keys: Iterable[str], now: datetime) -> Directory:
    """Who lived at the keys, and when. Raises `LoadError` where `home` is no home of OpenClaw.

    A store that cannot be read leaves its keys unknown; the `openclaw` loader is the one that tells of it.
    """
    layout = survey(home)
    wanted = {parse_key(key).rest for key in keys}
    entries, windows = _in_files(layout, now), []
    for place in _of_kind(layout, "agent database"):
        sessions = _in_database(place, now)
        entries += sessions.entries
        windows += sessions.windows
    entries = [entry for entry in entries if entry.key.rest in wanted]
    windows = [window for window in windows if window.key.rest in wanted]
    born = _births(layout, entries, windows, now)
    generations = [past for entry in entries for past in _generations(entry, born)]
    return Directory(filter(None, (_certain(entry, born) for entry in entries)), [*windows, *generations])


def lived_at(directory: Directory, key: str, agent: str, at: datetime) -> str | None:
    return directory.session_at(key, agent, at + _A_SECOND)


def _in_files(layout: Layout, now: datetime) -> list[StoreEntry]:
    found: list[StoreEntry] = []
    for place in _of_kind(layout, "store"):
        document = read_document(place.path, place.shown_as)
        if isinstance(document, bytes):
            store = read_store(document, place.shown_as, place.agent, now)
            found += [entry for entry in store if isinstance(entry, StoreEntry)]
    return found


def _in_database(place: Place, now: datetime) -> AgentSessions:
    try:
        with opened(place) as database:
            return read_agent_sessions(database, place.agent, now)
    except SqliteError:
        return AgentSessions()


def _births(
    layout: Layout, entries: Iterable[StoreEntry], windows: Iterable[StoreEntry], now: datetime
) -> dict[str, datetime]:
    """When sessions began: as their store says, else as their transcript says in its first line."""
    born = {w.session_id: w.session_started_at for w in (*entries, *windows) if w.session_started_at is not None}
    unknown = {named for entry in entries for named in (entry.session_id, *entry.earlier_session_ids)} - born.keys()
    for place in _of_kind(layout, "transcript"):
        session_id = unique_id(place.session, place.agent)
        if session_id in unknown and (at := _first_line(place, now)) is not None:
            born[session_id] = min(at, born.get(session_id, at))
    return born


def _first_line(place: Place, now: datetime) -> datetime | None:
    line = next(read_lines(place.path, place.shown_as), None)
    if line is None or isinstance(line, Rejected):
        return None
    with suppress(FieldError):
        header = parse(line[1])
        return instant(header, "timestamp", now) if header.get("type") == "session" else None
    return None


def _generations(entry: StoreEntry, born: Mapping[str, datetime]) -> Iterator[StoreEntry]:
    """All sessions that its key has had, where each one's beginning is known: one without it may have been the one."""
    ids = {entry.session_id, *entry.earlier_session_ids}
    if len(ids) > 1 and ids <= born.keys():
        for session_id in ids:
            yield replace(entry, session_id=session_id, session_started_at=born[session_id])


def _certain(entry: StoreEntry, born: Mapping[str, datetime]) -> StoreEntry | None:
    """None where the session may have begun after what is asked about: nobody knows when it did."""
    if entry.session_id in born:
        return replace(entry, session_started_at=born[entry.session_id])
    return entry if entry.key.rest.split(":")[0] in _ONE_SESSION else None


def _of_kind(layout: Layout, kind: str) -> list[Place]:
    return [place for place in layout.places if place.kind == kind]
