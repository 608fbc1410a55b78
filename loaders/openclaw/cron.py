"""Cron run logs: which session a job ran in, when, and how it ended. An index to transcripts, never spend: the log
leaves out cache tokens and its total is a snapshot of the last prompt.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from loaders.item import Ignored, Item, Location, Parsed, Rejected
from loaders.openclaw.calls import SOURCE
from loaders.openclaw.endings import CRON_LOG, SILENT_END, ending
from loaders.openclaw.keys import BY_KEY, SessionKey, cause_by_key, is_unique, parse_key, unique_id
from loaders.openclaw.values import FieldError, Object, count, instant, parse, prose, text
from loaders.source import excerpt
from store import RecordError, Session
from store.records import Termination

LONGEST_RUN_MS = 366 * 24 * 3_600_000


def read_run_log(lines: Iterable[tuple[Location, bytes] | Rejected], now: datetime) -> Iterator[Item]:
    for line in lines:
        if isinstance(line, Rejected):
            yield line
            continue
        location, content = line
        try:
            yield _item(location, parse(content), now)
        except (FieldError, RecordError) as error:
            yield Rejected(location, str(error), excerpt(content))


def _item(location: Location, run: Object, now: datetime) -> Parsed | Ignored:
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
        trigger_rule="cron run log",
        trigger_confidence=BY_KEY,
        model=text(run, "model"),
        started_at=started_at,
        ended_at=ended_at,
        termination=how,
        termination_rule=f"cron run log: {status or 'no status'}",
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
