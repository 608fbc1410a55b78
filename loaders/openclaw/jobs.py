"""Scheduled jobs -> their names, which are the task classes of the sessions that they start.

A job that runs again and again is a kind of work. One that runs once, a reminder, is not: its name says what to
remember, and no two runs share it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from loaders.item import Ignored, Location, Rejected
from loaders.openclaw.rows import Database, json_bytes, rows
from loaders.openclaw.values import FieldError, Object, as_json, as_object, object_in, parse, text
from loaders.source import excerpt

_RULE = "scheduled job: only its name is used"


@dataclass(frozen=True, slots=True)
class Job:
    """A job's entry. It is not about usage, so it is counted as ignored."""

    item: Ignored
    job_id: str
    name: str | None


def read_jobs(document: bytes, shown_as: str) -> Iterator[Job | Rejected]:
    """One item a job, located by its position; one for the file where it is no list of jobs."""
    try:
        jobs = parse(document).get("jobs")
        if not isinstance(jobs, list):
            raise FieldError("jobs must be a list of scheduled jobs")
    except FieldError as error:
        yield Rejected(Location(shown_as), str(error), excerpt(document))
        return
    for position, job in enumerate(jobs, start=1):
        location = Location(shown_as, position)
        try:
            yield _job(location, as_object(job))
        except FieldError as error:
            yield Rejected(location, str(error), excerpt(as_json(job)))


def read_job_rows(database: Database) -> Iterator[Job | Rejected]:
    for row in rows(database, "cron_jobs", ("job_id", "job_json")):
        if isinstance(row, Rejected):
            yield row
            continue
        location, values = row
        try:
            written = json_bytes(values, "job_json")
            yield _job(location, {"id": text(values, "job_id")} | (parse(written) if written else {}))
        except FieldError as error:
            yield Rejected(location, str(error))


def _job(location: Location, job: Object) -> Job:
    job_id, schedule = text(job, "id"), object_in(job, "schedule")
    if job_id is None:
        raise FieldError("id is missing")
    is_once = schedule is not None and schedule.get("kind") == "at"
    return Job(Ignored(location, _RULE), job_id.lower(), None if is_once else text(job, "name"))
