"""The files and databases of a state directory: which are read, and for every other one the rule by which it is left.

Reading too much is as wrong as reading too little: checkpoints are copies of transcripts and would double the spend,
while `.reset` and `.deleted` archives hold spend that is nowhere else.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from loaders.item import Ignored, LoadError, Location, Rejected
from loaders.openclaw.keys import uuid_in
from loaders.openclaw.values import FieldError, text
from loaders.source import refusal
from loaders.sqlite import SqliteError, columns, open_sqlite

Kind = Literal[
    "jobs",
    "store",
    "codex binding",
    "agent database",
    "registry",
    "cron log",
    "state database",
    "transcript",
    "usage check",
]

AGENT_DATABASE = "openclaw-agent.sqlite"
_IMPORT_ARCHIVE = "session-sqlite-import-archive"

_MOST_AGENTS = 10_000

_ARCHIVED_AT = r"(?:\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d{3})?Z|\d{9,14})"
_TRANSCRIPT = re.compile(
    r"(?P<stem>.+?)\.jsonl"
    rf"(?P<archived>\.(?:reset|deleted)\.{_ARCHIVED_AT}(?:\.[0-9A-Za-z]+)?)?"
    r"(?:\.imported-\d+(?:\.\d+)?)?"
    r"(?:\.(?:zst|gz))?"
)
_CODEX_BINDING = re.compile(r"(?P<stem>.+?)\.jsonl\.codex-app-server\.json(?:\.migrated)?")
_LEFT = (
    (re.compile(r"\.checkpoint\..+\.jsonl"), "checkpoint: a copy of a transcript"),
    (re.compile(r"\.trajectory(\.jsonl|-path\.json)"), "trajectory: a debug copy"),
    (re.compile(r"\.jsonl\.bak"), "backup of a transcript"),
    (re.compile(r"^sessions\.json\."), "backup of sessions.json"),
    (re.compile(r"^\.usage-cost-cache"), "usage cache of OpenClaw"),
    (re.compile(r"\.(lock|tmp)$"), "lock or temporary file"),
)
_TRANSCRIPT_NAMES = (
    "<sessionId>.jsonl, <sessionId>-topic-<topic>.jsonl, or one of these with .reset.<time> or .deleted.<time>, "
    "plain or compressed (.zst, .gz)"
)
STATE_DATABASE = "state/openclaw.sqlite"
_SHARED: tuple[tuple[str, Kind], ...] = (
    ("cron/jobs.json", "jobs"),
    ("cron/jobs.json.migrated", "jobs"),
    ("subagents/runs.json", "registry"),
    ("subagents/runs.json.migrated", "registry"),
    ("tasks/runs.sqlite", "state database"),
    (STATE_DATABASE, "state database"),
)
_NOT_READ = {
    "cron/jobs-state.json": "schedule: says what will run, not what ran",
    "cron/jobs-quarantine.json": "schedule: says what will run, not what ran",
    "session-sqlite-migration-runs": "reports of a migration",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One file that is read."""

    path: Path
    shown_as: str
    kind: Kind
    agent: str = ""
    session: str = ""
    """The session id that the name of a transcript, or of a file beside it, gives."""
    is_archive: bool = False
    """A transcript of a session that was reset or deleted, so that certainly ended."""


@dataclass(frozen=True, slots=True)
class Layout:
    places: tuple[Place, ...]
    left: tuple[Ignored | Rejected, ...]


def survey(home: Path) -> Layout:
    """Raises `LoadError` where the directory is none of OpenClaw's."""
    agents = home / "agents"
    if not home.is_dir():
        raise LoadError(f"{home} is not a directory; give the state directory of OpenClaw, usually ~/.openclaw")
    if not agents.is_dir():
        inside = home / ".openclaw"
        hint = f"did you mean {inside}?" if (inside / "agents").is_dir() else "usually it is ~/.openclaw"
        raise LoadError(f"{home} is not a state directory of OpenClaw: it has no agents/ folder; {hint}")
    folders = _listed(agents, home)
    if isinstance(folders, Rejected):
        raise LoadError(f"{agents} {folders.reason}; give the directory that really holds agents/")
    found = [*_shared_files(home)]
    for folder in folders:
        found += _agent_files(folder, home)
    found += _listed_databases(found, home)
    places = [place for place in found if isinstance(place, Place)]
    return Layout(
        places=tuple(sorted(places, key=lambda place: (get_args(Kind).index(place.kind), place.shown_as))),
        left=tuple(item for item in found if not isinstance(item, Place)),
    )


def shown(path: Path) -> str:
    """A file name may hold bytes that are no text; what is stored and printed must be."""
    return os.fsencode(path).decode("utf-8", "replace")


def _listed(folder: Path, home: Path) -> list[Path] | Rejected:
    if reason := refusal(folder, home):
        return Rejected(Location(shown(folder)), reason)
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        return Rejected(Location(shown(folder)), f"cannot be listed: {error.strerror}")


def _shared_files(home: Path) -> Iterator[Place | Ignored | Rejected]:
    for name, rule in _NOT_READ.items():
        if os.path.lexists(home / name):
            yield Ignored(Location(shown(home / name)), rule)
    for name, kind in _SHARED:
        if os.path.lexists(home / name):
            yield _checked(Place(home / name, shown(home / name), kind), home)
    yield from _folder_of(home / "usage-check", ".json", "usage check", home)
    # After a move to the state database the logs stay, renamed; its own rows are pruned after a week.
    yield from _folder_of(home / "cron" / "runs", (".jsonl", ".jsonl.migrated"), "cron log", home)


def _folder_of(
    folder: Path, endings: str | tuple[str, ...], kind: Kind, home: Path
) -> Iterator[Place | Ignored | Rejected]:
    files = _listed(folder, home) if os.path.lexists(folder) else []
    if isinstance(files, Rejected):
        yield files
        return
    for path in files:
        if path.name.endswith(endings):
            yield _checked(Place(path, shown(path), kind), home)
        else:
            yield Ignored(Location(shown(path)), f"not a {kind}")


def _agent_files(folder: Path, home: Path) -> Iterator[Place | Ignored | Rejected]:
    database = folder / "agent" / AGENT_DATABASE
    if os.path.lexists(database):
        yield _checked(Place(database, shown(database), "agent database", shown(Path(folder.name))), home)
    for part in (folder / "sessions", folder / _IMPORT_ARCHIVE, folder / "sessions" / _IMPORT_ARCHIVE):
        if not os.path.lexists(part):
            continue
        files = _listed(part, home)
        if isinstance(files, Rejected):
            yield files
            continue
        for path in files:
            if path.name != _IMPORT_ARCHIVE:
                yield _session_file(path, shown(Path(folder.name)), home)


def _listed_databases(found: list[Place | Ignored | Rejected], home: Path) -> Iterator[Place | Ignored | Rejected]:
    """Agent databases that only the state database knows of. What it cannot say is reported when it is read."""
    known = {os.path.realpath(place.path) for place in found if isinstance(place, Place)}
    state = home / STATE_DATABASE
    listed: list[tuple[object, object]] = []
    if os.path.realpath(state) in known:
        with suppress(SqliteError), open_sqlite(state, shown(state)) as connection:
            if {"agent_id", "path"} <= columns(connection, "agent_databases"):
                listed = connection.execute("SELECT agent_id, path FROM agent_databases").fetchmany(_MOST_AGENTS)
    for agent_id, named in listed:
        place = Location(f"{shown(state)}#agent_databases")
        try:
            agent, name = text({"agent_id": agent_id}, "agent_id"), text({"path": named}, "path")
        except FieldError as error:
            yield Rejected(place, str(error))
            continue
        path = home / (name or "")  # from schema 9 on relative to the home; an absolute one stays what it is
        if agent is None or name is None or os.path.realpath(path) in known:
            continue
        if not os.path.lexists(path):
            yield Ignored(Location(shown(path)), "agent database that is listed and gone")
        else:
            yield _checked(Place(path, shown(path), "agent database", agent), home)


def _session_file(path: Path, agent: str, home: Path) -> Place | Ignored | Rejected:
    if rule := next((rule for pattern, rule in _LEFT if pattern.search(path.name)), None):
        return Ignored(Location(shown(path)), rule)
    if path.name == "sessions.json":
        return _checked(Place(path, shown(path), "store", agent), home)
    if match := _CODEX_BINDING.fullmatch(path.name):
        session = _session_named(shown(Path(match["stem"])))
        return _checked(Place(path, shown(path), "codex binding", agent, session), home)
    if match := _TRANSCRIPT.fullmatch(path.name):
        session, is_archive = _session_named(shown(Path(match["stem"]))), match["archived"] is not None
        return _checked(Place(path, shown(path), "transcript", agent, session, is_archive), home)
    if ".jsonl" in path.name:
        return Rejected(Location(shown(path)), f"is named like no transcript of OpenClaw; read are {_TRANSCRIPT_NAMES}")
    return Ignored(Location(shown(path)), "not a transcript")


def _session_named(stem: str) -> str:
    """Topics share the session's id; a fork's file is named after its time and id, an imported one after its key."""
    before_topic = stem.partition("-topic-")[0]
    return uuid_in(before_topic) or before_topic


def _checked(place: Place, home: Path) -> Place | Rejected:
    if reason := refusal(place.path, home):
        return Rejected(Location(place.shown_as), reason)
    if not place.path.is_file():
        return Rejected(Location(place.shown_as), "is not a regular file")
    return place
