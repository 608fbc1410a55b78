"""Cron runs: which session a job ran in, when, and how it ended. An index to transcripts, never spend: what is logged
leaves out cache tokens, and its total is a snapshot of the last prompt.

The same object is a line of a log file, the JSON of a row of `cron_run_logs`, or a task of the ledger.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE
from loaders.openclaw.endings import CRON_LOG, SILENT_END, ending
from loaders.openclaw.keys import BY_KEY, SessionKey, cause_by_key, is_unique, parse_key, unique_id
from loaders.openclaw.rows import Database, json_bytes, rows
from loaders.openclaw.sessions import NO_NAMES
from loaders.openclaw.values import FieldError, Object, count, instant, parse, prose, text
from loaders.source import excerpt
from store import RecordError, Session
from store.records import Termination

_COLUMNS = {
    "job_id": "jobId",
    "ts": "ts",
    "status": "status",
    "error": "error",
    "session_id": "sessionId",
    "session_key": "sessionKey",
    "run_at_ms": "runAtMs",
    "duration_ms": "durationMs",
    "model": "model",
}
LONGEST_RUN_MS = 366 * 24 * 3_600_000


def read_run_log(
    lines: Iterable[tuple[Location, bytes] | Rejected], now: datetime, job_names: Mapping[str, str] = NO_NAMES
) -> Iterator[Item]:
    for line in lines:
        if isinstance(line, Rejected):
            yield line
            continue
        location, content = line
        try:
            yield read_run(location, parse(content), now, job_names)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error), excerpt(content))


def read_run_rows(database: Database, now: datetime, job_names: Mapping[str, str]) -> Iterator[Item]:
    """One item for each row of `cron_run_logs`; its columns say what its JSON leaves out."""
    for row in rows(database, "cron_run_logs", (*_COLUMNS, "entry_json")):
        if isinstance(row, Rejected):
            yield row
            continue
        location, values = row
        try:
            written = json_bytes(values, "entry_json")
            named = {_COLUMNS[name]: value for name, value in values.items() if name in _COLUMNS}
            run = {"action": "finished"} | named | (parse(written) if written else {})
            yield read_run(location, run, now, job_names)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error))


def read_run(
    location: Location, run: Object, now: datetime, job_names: Mapping[str, str], named: str = "cron run log"
) -> Parsed | Ignored:
    """Raises `FieldError` or `RecordError` where the run is none."""
    if text(run, "action") != "finished":
        return Ignored(location, "cron: not the end of a run")
    status = text(run, "status")
    if status == "skipped":
        return Ignored(location, "cron: skipped run")
    key = parse_key(text(run, "sessionKey") or "")
    if cause_by_key(key).trigger not in ("cron", "unknown"):
        return Ignored(location, "cron: ran inside a session that something else started")
    session_id = _session_id(run, key)
    if session_id is None:
        return Ignored(location, "cron: run without a session of its own")
    logged_at, started_at = instant(run, "ts", now), instant(run, "runAtMs", now)
    ended_at = _ended_at(run, started_at, logged_at)
    how = _termination(run, status)
    session = Session(
        session_id=session_id,
        source=SOURCE,
        observed_at=logged_at or ended_at,
        agent=key.agent,
        trigger="cron",
        trigger_rule=named,
        trigger_confidence=BY_KEY,
        task_class=job_names.get((text(run, "jobId") or "").lower()),
        model=text(run, "model"),
        started_at=started_at,
        ended_at=ended_at,
        termination=how,
        termination_rule=f"{named}: {status or 'no status'}",
        termination_confidence=SILENT_END if how == "unknown" else CRON_LOG,
    )
    return Parsed(location, (session,))


def _session_id(run: Object, key: SessionKey) -> str | None:
    """From the field, else from the end of the key, `cron:<job>:run:<session>`."""
    named = text(run, "sessionId") or key.rest.partition(":run:")[2]
    if not named:
        return None
    if key.agent is None and not is_unique(named):
        raise FieldError(f"sessionId {named} is no UUID, so it needs a sessionKey that names its agent")
    return unique_id(named, key.agent or "")


def _ended_at(run: Object, started_at: datetime | None, logged_at: datetime | None) -> datetime | None:
    lasted = count(run.get("durationMs"), "durationMs")
    if lasted is not None and lasted > LONGEST_RUN_MS:
        raise FieldError(f"durationMs is {lasted:,}, which is over a year")
    if started_at is not None and lasted is not None:
        return started_at + timedelta(milliseconds=lasted)
    if started_at is not None and logged_at is not None and logged_at < started_at:
        return started_at
    return logged_at


def _termination(run: Object, status: str | None) -> Termination:
    """`completionStatus` and `errorReason` are of newer releases; before them a timeout is told by the error's text."""
    if text(run, "completionStatus") == "failed" or (status is None and prose(run, "error")):
        status = "error"
    if status == "error" and text(run, "errorReason") == "timeout":
        return "timeout"
    return ending(status, prose(run, "error")) or "unknown"
