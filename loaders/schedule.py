"""When a source is loaded again, and what was lost where it was not loaded in time: arithmetic with instants."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from loaders.item import LoadError

RETRY_AFTER = timedelta(minutes=10)
_FIELDS = 5


def check_schedule(schedule: str) -> None:
    """Raises `LoadError` where it is nothing that cron would take, or a day that never comes."""
    if len(schedule.split()) != _FIELDS:
        raise LoadError(f"{schedule!r} is no schedule such as '*/15 * * * *': it has {_FIELDS} fields, from minutes on")
    try:
        next(CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise LoadError(f"{schedule!r} is no schedule such as '*/15 * * * *' or '0 6 * * MON': {error}") from error
    except StopIteration:
        raise LoadError(f"{schedule!r} names a day that never comes") from None


def next_due(
    schedule: str, zone: ZoneInfo, last_began_at: datetime | None, now: datetime, *, has_failed: bool = False
) -> datetime:
    """When the source is to be loaded next, in UTC: `now` where it never was. May lie in the past.

    Clock changes of the zone follow cron: an hour that is skipped runs at its end, one that repeats runs once. A load
    that has failed is tried again sooner than the schedule says.
    """
    if last_began_at is None:
        return now
    following = next(CronSim(schedule, last_began_at.astimezone(zone))).astimezone(UTC)
    return min(following, last_began_at + RETRY_AFTER) if has_failed else following


def is_due(
    schedule: str, zone: ZoneInfo, last_began_at: datetime | None, now: datetime, *, has_failed: bool = False
) -> bool:
    """One load makes up for all that were missed: a load reads what is there, not what was there then."""
    return next_due(schedule, zone, last_began_at, now, has_failed=has_failed) <= now


@dataclass(frozen=True, slots=True)
class Gap:
    """A time whose events a source may have deleted before they were read."""

    since: datetime
    until: datetime


def gap(before: datetime, after: datetime, keeps: timedelta) -> Gap | None:
    """Between two loads that are further apart than the source keeps what happens."""
    return Gap(before, after - keeps) if after - before > keeps else None
