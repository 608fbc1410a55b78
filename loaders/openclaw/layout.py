"""The files of a state directory: which are read, and for every other one the rule by which it is left.

Reading too much is as wrong as reading too little: checkpoints are copies of transcripts and would double the spend,
while `.reset` and `.deleted` archives hold spend that is nowhere else.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from loaders.item import Ignored, LoadError, Location, Rejected
from loaders.openclaw.keys import uuid_in
from loaders.source import refusal

Kind = Literal["store", "registry", "cron log", "transcript"]

AGENT_DATABASE = "openclaw-agent.sqlite"
_IMPORT_ARCHIVE = "session-sqlite-import-archive"

_ARCHIVED_AT = r"(?:\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}(?:\.\d{3})?Z|\d{9,14})"
_TRANSCRIPT = re.compile(
    r"(?P<stem>.+?)\.jsonl"
    rf"(?P<archived>\.(?:reset|deleted)\.{_ARCHIVED_AT}(?:\.[0-9A-Za-z]+)?)?"
    r"(?:\.imported-\d+(?:\.\d+)?)?"
    r"(?:\.(?:zst|gz))?"
)
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
_NOT_READ = {
    "tasks/runs.sqlite": "task ledger: transcripts and run logs are read instead",
    "state/openclaw.sqlite": "control-plane database: transcripts and run logs are read instead",
    "cron/jobs.json": "schedule: says what will run, not what ran",
    "cron/jobs-state.json": "schedule: says what will run, not what ran",
}


@dataclass(frozen=True, slots=True)
class Place:
    """One file that is read."""

    path: Path
    shown_as: str
    kind: Kind
    agent: str = ""
    session: str = ""
    """The session id that a transcript's name gives."""
    is_archive: bool = False
    """A transcript of a session that was reset or deleted, so that certainly ended."""


@dataclass(frozen=True, slots=True)
class Layout:
    places: tuple[Place, ...]
    left: tuple[Ignored | Rejected, ...]


def survey(home: Path) -> Layout:
    """Raises `LoadError` where the directory is none of OpenClaw's, or one whose sessions are not in files."""
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
    databases = [str(f / "agent" / AGENT_DATABASE) for f in folders if os.path.lexists(f / "agent" / AGENT_DATABASE)]
    if databases:
        raise LoadError(
            f"the sessions of this home are in SQLite ({', '.join(databases)}), and this loader reads transcripts from "
            "files only: what is left of the files is stale. Load a home that OpenClaw wrote before release 2026.8, "
            "or a copy of it from before the migration"
        )
    found = [*_shared_files(home)]
    for folder in folders:
        found += _agent_files(folder, home)
    places = [place for place in found if isinstance(place, Place)]
    order: tuple[Kind, ...] = ("store", "registry", "cron log", "transcript")
    return Layout(
        places=tuple(sorted(places, key=lambda place: (order.index(place.kind), place.shown_as))),
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
    registry = home / "subagents" / "runs.json"
    if os.path.lexists(registry):
        yield _checked(Place(registry, shown(registry), "registry"), home)
    logs = _listed(home / "cron" / "runs", home) if os.path.lexists(home / "cron" / "runs") else []
    if isinstance(logs, Rejected):
        yield logs
        return
    for path in logs:
        # After a move to the state database the logs stay, renamed; nothing else that is read holds these runs.
        if path.name.endswith((".jsonl", ".jsonl.migrated")):
            yield _checked(Place(path, shown(path), "cron log"), home)
        else:
            yield Ignored(Location(shown(path)), "not a cron run log")


def _agent_files(folder: Path, home: Path) -> Iterator[Place | Ignored | Rejected]:
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


def _session_file(path: Path, agent: str, home: Path) -> Place | Ignored | Rejected:
    if rule := next((rule for pattern, rule in _LEFT if pattern.search(path.name)), None):
        return Ignored(Location(shown(path)), rule)
    if path.name == "sessions.json":
        return _checked(Place(path, shown(path), "store", agent), home)
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
