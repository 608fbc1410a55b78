"""The state database and the task ledger, whose tables moved from one to the other: runs of every kind, never spend."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from loaders.item import Ignored, Item, Location, Rejected
from loaders.openclaw.audit import read_audit, read_state_events
from loaders.openclaw.cron import read_run_rows
from loaders.openclaw.jobs import Job, read_job_rows
from loaders.openclaw.keys import Directory
from loaders.openclaw.layout import Place
from loaders.openclaw.registry import read_registry_rows
from loaders.openclaw.rows import opened
from loaders.openclaw.tasks import read_tasks
from loaders.sqlite import SqliteError

_TABLES = ("cron_jobs", "cron_run_logs", "task_runs", "subagent_runs", "audit_events", "session_state_events")
_LEFT = {"cron_run_receipts": "receipts of scheduled runs: they name no session"}


def read_state_jobs(place: Place) -> Iterator[Job | Rejected]:
    """Names of jobs. A database that cannot be opened is reported by `read_state`."""
    try:
        with opened(place) as database:
            yield from read_job_rows(database)
    except SqliteError:
        return


def read_state(place: Place, directory: Directory, now: datetime, job_names: Mapping[str, str]) -> Iterator[Item]:
    """One item for each row that could say how a run began or ended; one for each table that does not."""
    try:
        with opened(place) as database:
            yield from read_run_rows(database, now, job_names)
            yield from read_tasks(database, directory, now, job_names)
            yield from read_registry_rows(database, directory, now)
            yield from read_audit(database, directory, now)
            yield from read_state_events(database, directory, now)
            for table, rule in _LEFT.items():
                if database.has(table):
                    yield Ignored(database.place(table), rule)
            if not any(database.has(table) for table in _TABLES):
                yield Ignored(Location(place.shown_as), "database without a table of runs")
    except SqliteError as error:
        yield Rejected(Location(place.shown_as), f"{error.reason}; the runs in it are not in this load")
