"""Entries of a session store -> evidence about sessions: whose they are, what started them, how their last run ended.

An entry is a value of sessions.json, or the same object in a row of an agent's database. Never spend: its token fields
are snapshots of the last run, and its cumulative cost was wrong by up to 72 times.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from loaders.item import Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE
from loaders.openclaw.endings import LOST_AFTER, SILENT_END, STORE, ending
from loaders.openclaw.harness import Binding, read_binding
from loaders.openclaw.keys import (
    BY_KEY,
    BY_PARENT,
    BY_PLACE,
    Cause,
    Directory,
    SessionKey,
    cause_by_creation,
    cause_by_key,
    is_unique,
    job_of,
    parse_key,
    unique_id,
)
from loaders.openclaw.values import FieldError, Object, as_json, as_object, count, instant, parse, text
from loaders.source import excerpt
from store import Session
from store.records import Termination

Standing = Literal["current", "superseded", "stale"]
"""Superseded: its key has another session since. Stale: left by a migration, so it says how things were before."""
NO_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StoreEntry:
    """What is kept of one entry; most of an entry is snapshots of prompts and settings."""

    location: Location
    agent: str
    key: SessionKey
    session_id: str
    updated_at: datetime | None
    session_started_at: datetime | None
    run_started_at: datetime | None
    run_ended_at: datetime | None
    status: str | None
    model: str | None
    cause: Cause
    parent_key: str | None
    parent_session_id: str | None
    earlier_session_ids: tuple[str, ...]
    binding: Binding
    standing: Standing = "current"
    named: str = "session store"


def read_store(document: bytes, shown_as: str, agent: str, now: datetime) -> Iterator[StoreEntry | Rejected]:
    """One item an entry, located by its position; one for the file where it is no store at all."""
    try:
        store = parse(document)
    except FieldError as error:
        yield Rejected(Location(shown_as), str(error), excerpt(document))
        return
    for position, (key, value) in enumerate(store.items(), start=1):
        location = Location(shown_as, position)
        try:
            yield read_entry(location, key, as_object(value), agent, now)
        except FieldError as error:
            yield Rejected(location, str(error), excerpt(as_json({key: value})))


def evidence(entry: StoreEntry, directory: Directory, now: datetime, job_names: Mapping[str, str] = NO_NAMES) -> Parsed:
    """`job_names` are those of scheduled jobs by id; the runs of a job are one class of tasks."""
    how = _termination(entry, now)
    ended_at = entry.run_ended_at if how and how != "lost" else None
    started_at = entry.session_started_at or entry.run_started_at
    if started_at and ended_at and ended_at < started_at:
        ended_at = None  # the end of an earlier run, left behind by the start of this one
    session = Session(
        session_id=entry.session_id,
        source=SOURCE,
        observed_at=entry.updated_at,
        agent=entry.agent,
        parent_session_id=_parent(entry, directory),
        trigger=entry.cause.trigger,
        trigger_rule=entry.cause.rule,
        trigger_confidence=entry.cause.confidence,
        task_class=job_names.get(job_of(entry.key) or ""),
        model=entry.model,
        started_at=started_at,
        ended_at=ended_at,
        termination=how,
        termination_rule=f"{entry.named}: {entry.status or 'superseded'}" if how else None,
        termination_confidence=0 if how is None else SILENT_END if how == "unknown" else STORE,
        is_running=entry.status == "running" and how is None and entry.standing == "current",
    )
    return Parsed(entry.location, (session, *_earlier(entry)))


def read_entry(location: Location, key: str, entry: Object, agent: str, now: datetime) -> StoreEntry:
    """Raises `FieldError` where the entry is none."""
    session_id = text(entry, "sessionId")
    if session_id is None:
        raise FieldError("sessionId is missing")
    parsed = parse_key(key)
    parent_key = text(entry, "spawnedBy") or text(entry, "parentSessionKey")
    parent_id = text(entry, "parentSessionId")
    return StoreEntry(
        location=location,
        agent=agent,
        key=parsed,
        session_id=unique_id(session_id, agent),
        updated_at=instant(entry, "updatedAt", now),
        session_started_at=instant(entry, "sessionStartedAt", now),
        run_started_at=instant(entry, "startedAt", now),
        run_ended_at=instant(entry, "endedAt", now),
        status=text(entry, "status"),
        model=text(entry, "modelOverride") or text(entry, "model"),
        cause=_cause(parsed, entry),
        parent_key=parent_key,
        parent_session_id=parent_id.lower() if parent_id and is_unique(parent_id) else None,
        earlier_session_ids=_family(entry, agent),
        binding=read_binding(entry, agent),
    )


def _cause(key: SessionKey, entry: Object) -> Cause:
    is_heartbeat = text(entry, "heartbeatIsolatedBaseSessionKey") is not None
    by_key = cause_by_key(key, text(entry, "chatType"), is_isolated_heartbeat=is_heartbeat)
    if by_key.confidence == BY_KEY:
        return by_key
    if text(entry, "spawnedBy") is not None:
        return Cause("subagent", "spawnedBy", BY_PARENT)
    if (count(entry.get("spawnDepth"), "spawnDepth") or 0) > 0:
        return Cause("subagent", "spawnDepth", BY_PARENT)
    # A thread or a dashboard session has a parent too, and a person opened it.
    if text(entry, "parentSessionKey") is not None and by_key.confidence < BY_PLACE:
        return Cause("subagent", "parentSessionKey", BY_PARENT)
    if text(entry, "hookExternalContentSource") is not None:
        return Cause("webhook", "external content of a hook", BY_PARENT)
    by_creation = cause_by_creation(text(entry, "createdVia"), text(entry, "createdActorType"))
    return max(by_key, by_creation, key=lambda cause: cause.confidence)


def _termination(entry: StoreEntry, now: datetime) -> Termination | None:
    if entry.standing == "stale" and entry.status == "running":
        return None
    if entry.standing == "superseded":
        return ending(entry.status) or "unknown"
    if entry.status == "running":
        is_stale = entry.updated_at is not None and now - entry.updated_at > LOST_AFTER
        return "lost" if is_stale else None
    return ending(entry.status)


def _parent(entry: StoreEntry, directory: Directory) -> str | None:
    parent = entry.parent_session_id
    if parent is None and entry.parent_key is not None:
        born_at = entry.session_started_at or entry.run_started_at
        parent = directory.session_at(entry.parent_key, entry.agent, born_at)
    return parent if parent != entry.session_id else None


def _earlier(entry: StoreEntry) -> Iterator[Session]:
    """A key keeps its cause over resets; the sessions that lived there before have no entry of their own."""
    for session_id in entry.earlier_session_ids:
        if session_id != entry.session_id and entry.cause.confidence:
            yield Session(
                session_id=session_id,
                source=SOURCE,
                observed_at=entry.updated_at,
                agent=entry.agent,
                trigger=entry.cause.trigger,
                trigger_rule=entry.cause.rule,
                trigger_confidence=entry.cause.confidence,
            )


def _family(entry: Object, agent: str) -> tuple[str, ...]:
    ids = entry.get("usageFamilySessionIds")
    if not isinstance(ids, list):
        return ()
    named = (text({"id": found}, "id") for found in ids)
    return tuple(unique_id(found, agent) for found in named if found is not None)
