"""The sub-agent registry: which session spawned which, and how the child ended. Swept by OpenClaw soon after a run.

It is `subagents/runs.json`, then a wide table in the state database, then a narrow one with the same object in JSON.
"""

from collections.abc import Iterator
from datetime import datetime

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE
from loaders.openclaw.endings import REGISTRY, SILENT_END, ending
from loaders.openclaw.keys import BY_KEY, Directory, parse_key
from loaders.openclaw.rows import Database, json_bytes, rows
from loaders.openclaw.values import FieldError, Object, as_json, as_object, instant, object_in, parse, prose, text
from loaders.source import excerpt
from store import RecordError, Session
from store.records import Termination

_VERSIONS = (1, 2)
_COLUMNS = {
    "child_session_key": "childSessionKey",
    "requester_session_key": "requesterSessionKey",
    "model": "model",
    "created_at": "createdAt",
    "started_at": "startedAt",
    "session_started_at": "sessionStartedAt",
    "ended_at": "endedAt",
    "ended_reason": "endedReason",
    "outcome_status": "",
    "outcome_error": "",
}


def read_registry(document: bytes, shown_as: str, directory: Directory, now: datetime) -> Iterator[Item]:
    """One item a run, located by its position; one for the file where it is no registry."""
    try:
        registry = parse(document)
        runs = object_in(registry, "runs") or {}
        if registry.get("version") not in _VERSIONS:
            raise FieldError(f"version must be 1 or 2, got {registry.get('version')!r:.20}")
    except FieldError as error:
        yield Rejected(Location(shown_as), str(error), excerpt(document))
        return
    for position, (run_id, run) in enumerate(runs.items(), start=1):
        location = Location(shown_as, position)
        try:
            yield _item(location, as_object(run), directory, now)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error), excerpt(as_json({run_id: run})))


def read_registry_rows(database: Database, directory: Directory, now: datetime) -> Iterator[Item]:
    """One item for each row of `subagent_runs`, in either of its forms."""
    for row in rows(database, "subagent_runs", (*_COLUMNS, "payload_json", "outcome_json")):
        if isinstance(row, Rejected):
            yield row
            continue
        location, values = row
        try:
            yield _item(location, _run(values), directory, now)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error))


def _run(values: Object) -> Object:
    named = {_COLUMNS[name]: value for name, value in values.items() if _COLUMNS.get(name)}
    outcome = json_bytes(values, "outcome_json")
    if outcome is not None:
        named["outcome"] = parse(outcome)
    elif "outcome_status" in values:
        named["outcome"] = {"status": values["outcome_status"], "error": values.get("outcome_error")}
    payload = json_bytes(values, "payload_json")
    return named | (parse(payload) if payload is not None else {})


def _item(location: Location, run: Object, directory: Directory, now: datetime) -> Parsed | Ignored:
    child_key = text(run, "childSessionKey")
    if child_key is None:
        raise FieldError("childSessionKey is missing")
    started_at = (
        instant(run, "sessionStartedAt", now) or instant(run, "startedAt", now) or instant(run, "createdAt", now)
    )
    ended_at = instant(run, "endedAt", now)
    agent = parse_key(child_key).agent
    child = directory.session_at(child_key, agent)
    if child is None:
        return Ignored(location, "sub-agent run whose session is in no store")
    requester = text(run, "requesterSessionKey")
    parent = directory.session_at(requester, agent, started_at) if requester else None
    how = _termination(run) if ended_at else None
    session = Session(
        session_id=child,
        source=SOURCE,
        observed_at=ended_at or started_at,
        agent=agent,
        parent_session_id=parent if parent != child else None,
        trigger="subagent",
        trigger_rule="sub-agent registry",
        trigger_confidence=BY_KEY,
        model=text(run, "model"),
        started_at=started_at,
        ended_at=max(ended_at, started_at or ended_at) if ended_at else None,
        termination=how,
        termination_rule="sub-agent registry" if how else None,
        termination_confidence=0 if how is None else SILENT_END if how == "unknown" else REGISTRY,
    )
    return Parsed(location, (session,))


def _termination(run: Object) -> Termination:
    """A killed run also has an outcome, which calls it an error."""
    reason, outcome = text(run, "endedReason"), object_in(run, "outcome") or {}
    by_reason = ending(reason)
    if by_reason == "aborted":
        return by_reason
    return ending(text(outcome, "status"), prose(outcome, "error")) or by_reason or "unknown"
