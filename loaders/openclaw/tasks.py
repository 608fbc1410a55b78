"""The task ledger: runs of scheduled jobs, sub-agents, external harnesses and the command line, with how each ended.

Ordinary turns of a chat and heartbeats have no task. Rows are pruned after a week, so a load has to come by daily.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE
from loaders.openclaw.cron import read_run
from loaders.openclaw.endings import LOST_AFTER, SILENT_END, STORE, TASK, ending
from loaders.openclaw.keys import BY_CREATOR, BY_PARENT, BY_PLACE, Cause, Directory, cause_by_key, parse_key, unique_id
from loaders.openclaw.rows import Database, json_bytes, rows
from loaders.openclaw.values import FieldError, Object, as_object, instant, parse, prose, text
from store import RecordError, Session
from store.records import Termination, Trigger

_COLUMNS = (
    *("task_id", "runtime", "source_id", "requester_session_key", "child_session_key", "agent_id", "status", "error"),
    *("created_at", "started_at", "ended_at", "last_event_at", "detail_json"),
)
_STATUSES = {
    "succeeded": "ok",
    "failed": "error",
    "timed_out": "error",
    "cancelled": "cancelled",
    "lost": "lost",
}
"""The words of the ledger in those of a cron run."""
_TRIGGERS: dict[str, Trigger] = {"subagent": "subagent", "acp": "subagent", "cli": "api", "cron": "cron"}


def read_tasks(database: Database, directory: Directory, now: datetime, job_names: Mapping[str, str]) -> Iterator[Item]:
    """One item for each row of `task_runs`."""
    for row in rows(database, "task_runs", _COLUMNS):
        if isinstance(row, Rejected):
            yield row
            continue
        location, task = row
        try:
            if text(task, "runtime") == "cron" and text(task, "status") in _STATUSES:
                yield read_run(location, _as_cron_run(task), now, job_names, named="task ledger")
            else:
                yield _item(location, task, directory, now)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error))


def _as_cron_run(task: Object) -> Object:
    """The status of the row is the last word; the detail was written when the run ended."""
    written = json_bytes(task, "detail_json")
    detail = as_object(parse(written)) if written else {}
    logged_at = next((at for name in ("ended_at", "last_event_at", "created_at") if (at := task.get(name))), None)
    run: Object = {
        "action": "finished",
        "jobId": task.get("source_id"),
        "ts": logged_at,
        "sessionKey": task.get("child_session_key"),
        "runAtMs": task.get("started_at"),
        "error": task.get("error"),
        **{name: value for name, value in detail.items() if value is not None},
    }
    status = text(task, "status")
    if run.get("status") != "skipped":
        run["status"] = _STATUSES[status or ""]
    return run | ({"errorReason": "timeout"} if status == "timed_out" else {})


def _item(location: Location, task: Object, directory: Directory, now: datetime) -> Parsed | Ignored:
    status, runtime, key = text(task, "status"), text(task, "runtime"), text(task, "child_session_key")
    if status is None or runtime is None:
        raise FieldError("runtime and status are needed, got none of one of them")
    if status == "queued":
        return Ignored(location, "task that has not begun")
    if key is None:
        return Ignored(location, "task without a session of its own")
    created_at, started_at = instant(task, "created_at", now), instant(task, "started_at", now)
    ended_at, seen_at = instant(task, "ended_at", now), instant(task, "last_event_at", now)
    agent = parse_key(key).agent or text(task, "agent_id")
    begun_at = started_at or created_at
    session_id = _session_of(key, agent, directory, begun_at)
    if session_id is None:
        return Ignored(location, "task whose session is in no store")
    observed_at = ended_at or seen_at or begun_at
    how, confidence = _termination(task, status, observed_at, now)
    cause = _cause(key, runtime)
    requester = text(task, "requester_session_key")
    parent = directory.session_at(requester, agent, begun_at) if requester and cause.trigger == "subagent" else None
    return Parsed(
        location,
        (
            Session(
                session_id=session_id,
                source=SOURCE,
                observed_at=observed_at,
                agent=agent,
                parent_session_id=parent if parent != session_id else None,
                trigger=cause.trigger,
                trigger_rule=cause.rule,
                trigger_confidence=cause.confidence,
                started_at=begun_at,
                ended_at=max(ended_at, begun_at or ended_at) if ended_at else None,
                termination=how,
                termination_rule=f"task ledger: {status}" if how else None,
                termination_confidence=confidence,
                is_running=status == "running" and how is None,
            ),
        ),
    )


def _session_of(key: str, agent: str | None, directory: Directory, at: datetime | None) -> str | None:
    """A key of a cron run names its session; any other has to be looked up."""
    named = parse_key(key).rest.partition(":run:")[2]
    return unique_id(named, agent) if named and agent else directory.session_at(key, agent, at)


def _termination(
    task: Object, status: str, observed_at: datetime | None, now: datetime
) -> tuple[Termination | None, int]:
    if status == "running":
        is_stale = observed_at is not None and now - observed_at > LOST_AFTER
        return ("lost", STORE) if is_stale else (None, 0)
    how = ending(status, prose(task, "error"))
    return (how, TASK) if how else ("unknown", SILENT_END)


def _cause(key: str, runtime: str) -> Cause:
    """A task that runs inside of a chat did not start the chat."""
    by_key, trigger = cause_by_key(parse_key(key)), _TRIGGERS.get(runtime)
    if by_key.confidence >= BY_PLACE or trigger is None:
        return by_key
    return Cause(trigger, f"task ledger: {runtime}", BY_CREATOR if trigger == "api" else BY_PARENT)
