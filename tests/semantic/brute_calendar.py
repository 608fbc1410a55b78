"""Days and periods of a question, straight from zoneinfo."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from semantic import Grain, MetricQuery
from tests.semantic.worlds import Line


@dataclass(frozen=True, slots=True)
class Period:
    """`start` is None without a grain. Windows end before `ends_on`; balances count until `known_on`."""

    start: date | None
    ends_on: date
    known_on: date


@dataclass(frozen=True, slots=True)
class Calendar:
    query: MetricQuery
    zone: ZoneInfo

    def day(self, row: Line) -> date | None:
        """The local day of a row."""
        moment, day = row.get("seen_at"), row.get("seen_on")
        if isinstance(moment, datetime):
            return moment.astimezone(self.zone).date()
        assert day is None or isinstance(day, date)
        return day

    def in_range(self, row: Line) -> bool:
        """Dates count as the instants at which their local days begin."""
        start, end = self.query.time.start, self.query.time.end
        moment, day = row.get("seen_at"), row.get("seen_on")
        if isinstance(day, date):
            moment = self._midnight(day)
        if start is None and end is None:
            return self.has_happened(row)
        if end is None and not self.has_happened(row):
            return False
        return isinstance(moment, datetime) and (not start or moment >= start) and (not end or moment < end)

    def has_happened(self, row: Line) -> bool:
        """Dates after the day of the question have not; instants are taken as they come."""
        day = row.get("seen_on")
        return not isinstance(day, date) or day <= self.query.as_of

    def start_of(self, day: date | None) -> date | None:
        """The first day of a day's period."""
        if day is None or self.query.grain is Grain.DAY:
            return day
        return day.replace(day=1) if self.query.grain is Grain.MONTH else day - timedelta(days=day.weekday())

    def periods(self, seen: list[date], *, only_dates: bool) -> list[Period]:
        """Those of the asked range; where it is open, from or to the first or last day that is seen."""
        start, end, as_of = self.query.time.start, self.query.time.end, self.query.as_of
        is_past = end is not None and end <= self._midnight(as_of)
        ends_on = end.astimezone(self.zone).date() if end and is_past else as_of
        known_on = ends_on - timedelta(days=1) if is_past else as_of
        if self.query.grain is None:
            return [Period(None, ends_on, known_on)]
        first: date | None = min(seen, default=None)
        last: date | None = max(seen, default=None)
        if start:
            first = self._first_whole(start) if only_dates else start.astimezone(self.zone).date()
        if end:
            last = self._first_whole(end) - timedelta(days=1)
        if first is None or last is None:
            return []
        return [
            Period(at, min(after, ends_on), min(after - timedelta(days=1), known_on))
            for at, after in self._steps(first, last)
        ]

    def _steps(self, first: date, last: date) -> Iterator[tuple[date, date]]:
        at = self.start_of(first)
        while at is not None and at <= last:
            after = self._next(at)
            yield at, after
            at = after

    def _next(self, start: date) -> date:
        if self.query.grain is Grain.MONTH:
            return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
        return start + timedelta(days=1 if self.query.grain is Grain.DAY else 7)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def _first_whole(self, instant: datetime) -> date:
        day = instant.astimezone(self.zone).date()
        return day if self._midnight(day) >= instant else day + timedelta(days=1)
