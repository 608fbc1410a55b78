"""What WorkQ's times mean: digits without a zone, which a host that is not in UTC may have shifted.

WorkQ writes `datetime('now', 'utc')`. `now` is in UTC already, and older SQLite takes it for local time and converts it
again: a host five hours behind UTC writes times five hours ahead of the truth. Newer SQLite leaves `now` as it is.
Nothing in the database says which it was. The file itself does: its last row was written when the file was.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from loaders.item import LoadError
from loaders.table import nearest

_SLACK = timedelta(minutes=5)
"""How far the clocks of a database and of its file system may be apart."""
_HALF_HOUR = timedelta(minutes=30)
_WIDEST_OFFSET = timedelta(hours=14, minutes=1)
_AFTER_ITS_ROW = timedelta(seconds=5)
"""A file is written within seconds of the time in its last row."""


class WorkError(ValueError):
    """A value that cannot be read; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Reads the times of one database. Without a zone the digits are UTC."""

    zone: ZoneInfo | None = None

    def instant(self, column: str, value: object) -> datetime:
        advice = f"{column} must be a time like 2026-02-28 09:30:00, got {ascii(value)[:60]}"
        if not isinstance(value, str):
            raise WorkError(advice)
        try:
            written = datetime.fromisoformat(value.strip())
            if written.tzinfo is not None:
                return written.astimezone(UTC)
            shifted = written.replace(tzinfo=UTC)
            # The digits that the host's zone gives for the shifted instant are those that UTC had.
            return shifted if self.zone is None else shifted.astimezone(self.zone).replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise WorkError(advice) from None


def clock_of(zone: str | None, newest: object, written_at: datetime, shown_as: str) -> Clock:
    """The clock of a database whose last row says `newest` and whose file was last written at `written_at`.

    Raises:
        LoadError: there is no such zone, or the file contradicts the clock.
    """
    clock = Clock() if zone is None or zone == "UTC" else Clock(_zone(zone))
    try:
        ahead = clock.instant("created_at", newest) - written_at
    except WorkError:
        return clock  # the row is rejected where it is read
    if ahead > _SLACK:
        raise LoadError(
            f"{shown_as}: its last row says {newest}, which {_as_read(zone)} is {_hours(ahead)} after the file was "
            f"written ({written_at:%Y-%m-%d %H:%M:%S} UTC): "
            + (
                _WHAT_TO_DO
                if zone is None
                else "is the zone right, and was the file copied together with its times (cp -p)?"
            )
        )
    if zone is None and _looks_shifted(-ahead):
        raise LoadError(
            f"{shown_as}: its last row says {newest}, which as UTC is {_hours(-ahead)} before the file was written, "
            f"nearly to the second: {_WHAT_TO_DO}"
        )
    return clock


_WHAT_TO_DO = (
    "SQLite may have shifted its times. Give the option zone: the zone of the host that wrote it, such as "
    "zone=America/New_York, where it did, or zone=UTC where it did not"
)


def _looks_shifted(behind: timedelta) -> bool:
    if not _HALF_HOUR <= behind <= _WIDEST_OFFSET:
        return False
    over = behind % _HALF_HOUR
    return over <= _AFTER_ITS_ROW


def _zone(name: str) -> ZoneInfo:
    known = available_timezones() - {"localtime"}
    if name not in known:
        raise LoadError(
            f"zone must be the name of a time zone like America/New_York{nearest(name, known)}, got {name!r}"
        )
    return ZoneInfo(name)


def _as_read(zone: str | None) -> str:
    return f"in {zone}" if zone else "as UTC"


def _hours(span: timedelta) -> str:
    minutes = round(span / timedelta(minutes=1))
    return f"{minutes // 60}:{minutes % 60:02} h"
