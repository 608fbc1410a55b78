"""Events of runs in the databases: when a run of an agent began, and how it ended. The audit log knows it best.

The end of a run does not end its session for good: the latest end counts, and a start after it makes the session run
again. Audit and state events are kept for 30 days.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE
from loaders.openclaw.endings import AUDIT, LOST_AFTER, MESSAGE_RUN, SILENT_END, STATE_EVENT, STORE, ending
from loaders.openclaw.keys import Directory, is_unique, parse_key, unique_id
from loaders.openclaw.rows import Database, rows
from loaders.openclaw.values import FieldError, Object, instant, text
from store import RecordError, Session
from store.records import Termination

_WHOSE = ("occurred_at", "agent_id", "session_key", "session_id", "run_id")
_STARTED = "audit: started"
_Read = Callable[[Location, Object], Parsed | Ignored]


def read_audit(database: Database, directory: Directory, now: datetime) -> Iterator[Item]:
    """One item for each event of a run; one for all events of tools and messages together."""
    table = "audit_events"
    if not database.has(table, "kind", "status", "occurred_at", "run_id"):
        return
    ended = _runs_that_ended(database)

    def read(location: Location, event: Object) -> Parsed | Ignored:
        status, at = text(event, "status"), _occurred_at(event, now)
        if status != "started":
            code = (text(event, "error_code") or "").lower()
            how = ending("timeout" if status == "failed" and "timeout" in code else status)
            return _run(location, event, directory, at, f"audit: {status}", how or "unknown", AUDIT)
        if event.get("run_id") in ended:
            return _run(location, event, directory, at, _STARTED, None, 0)
        is_lost = now - at > LOST_AFTER
        return _run(location, event, directory, at, _STARTED, "lost" if is_lost else None, STORE)

    yield from _items(database, table, (*_WHOSE, "status", "error_code"), read, "WHERE kind = 'agent_run'")
    (others,) = database.connection.execute(f"SELECT count(*) FROM {table} WHERE kind IS NOT 'agent_run'").fetchone()
    if others:
        yield Ignored(database.place(table), "audit events of tools and messages: they end no run")


def read_state_events(database: Database, directory: Directory, now: datetime) -> Iterator[Item]:
    """One item for each row of `session_state_events`; of its kinds two say how a run ended."""

    def read(location: Location, event: Object) -> Parsed | Ignored:
        kind = text(event, "kind")
        how = ending(kind) if kind in ("run_completed", "run_failed") else None
        if how is None:
            return Ignored(location, "state event: it ends no run")
        at = _occurred_at(event, now)
        return _run(location, event, directory, at, f"state event: {kind}", how, STATE_EVENT)

    yield from _items(database, "session_state_events", (*_WHOSE, "kind"), read)


def read_message_runs(database: Database, directory: Directory, now: datetime) -> Iterator[Item]:
    """One item for each row of `message_tool_run_outcomes`, of an agent's database."""

    def read(location: Location, outcome: Object) -> Parsed | Ignored:
        status = text(outcome, "run_status")
        how, at = ending(status), _occurred_at(outcome, now)
        if how is None:
            return Ignored(location, "message run without an end")
        return _run(location, outcome, directory, at, f"message run: {status}", how, MESSAGE_RUN)

    yield from _items(database, "message_tool_run_outcomes", (*_WHOSE, "run_status"), read)


def _items(database: Database, table: str, wanted: tuple[str, ...], read: _Read, where: str = "") -> Iterator[Item]:
    for row in rows(database, table, wanted, where):
        if isinstance(row, Rejected):
            yield row
            continue
        location, values = row
        try:
            yield read(location, values)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error))


def _run(
    location: Location,
    event: Object,
    directory: Directory,
    at: datetime,
    rule: str,
    how: Termination | None,
    confidence: int,
) -> Parsed | Ignored:
    key = text(event, "session_key")
    agent = (parse_key(key).agent if key else None) or text(event, "agent_id")
    named = text(event, "session_id")
    if named is not None and (agent is not None or is_unique(named)):
        session_id: str | None = unique_id(named, agent or "")
    else:
        session_id = directory.session_at(key, agent, at) if key else None
    if session_id is None:
        return Ignored(location, "run whose session is in no store")
    session = Session(
        session_id=session_id,
        source=SOURCE,
        observed_at=at,
        agent=agent,
        started_at=at if rule == _STARTED else None,
        ended_at=at if how and how != "lost" else None,
        termination=how,
        termination_rule=rule if how else None,
        termination_confidence=0 if how is None else SILENT_END if how == "unknown" else confidence,
        is_running=how is None,
    )
    return Parsed(location, (session,))


def _runs_that_ended(database: Database) -> frozenset[object]:
    asked = "SELECT DISTINCT run_id FROM audit_events WHERE kind = 'agent_run' AND status <> 'started'"
    named = (run_id for (run_id,) in database.connection.execute(asked))
    return frozenset(run.decode("utf-8", "replace") if isinstance(run, bytes) else run for run in named)


def _occurred_at(event: Object, now: datetime) -> datetime:
    at = instant(event, "occurred_at", now)
    if at is None:
        raise FieldError("occurred_at is missing")
    return at
