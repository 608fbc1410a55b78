"""When a source is loaded again, and what was lost where it was not loaded in time: arithmetic with instants."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from loaders.item import LoadError


def check_schedule(schedule: str) -> None:
    """Raises `LoadError` where it is nothing that cron would take, or a day that never comes."""
    try:
        next(CronSim(schedule, datetime(2026, 1, 1, tzinfo=UTC)))
    except CronSimError as error:
        raise LoadError(f"{schedule!r} is no schedule such as '*/15 * * * *' or '0 6 * * MON': {error}") from error
    except StopIteration:
        raise LoadError(f"{schedule!r} names a day that never comes") from None


def next_due(schedule: str, zone: ZoneInfo, last_began_at: datetime | None, now: datetime) -> datetime:
    """When the source is to be loaded next, in UTC: `now` where it never was. May lie in the past.

    Clock changes of the zone follow cron: an hour that is skipped runs at its end, one that repeats runs once.
    """
    if last_began_at is None:
        return now
    return next(CronSim(schedule, last_began_at.astimezone(zone))).astimezone(UTC)


def is_due(schedule: str, zone: ZoneInfo, last_began_at: datetime | None, now: datetime) -> bool:
    """One load makes up for all that were missed: a load reads what is there, not what was there then."""
    return next_due(schedule, zone, last_began_at, now) <= now


@dataclass(frozen=True, slots=True)
class Gap:
    """A time whose events a source may have deleted before they were read."""

    since: datetime
    until: datetime


def gaps(starts: Iterable[datetime], keeps: timedelta | None, now: datetime) -> Iterator[Gap]:
    """Between two loads, or since the last one, that are further apart than the source keeps what happens."""
    if keeps is None:
        return
    for before, after in pairwise([*starts, now]):
        if after - before > keeps:
            yield Gap(before, after - keeps)
