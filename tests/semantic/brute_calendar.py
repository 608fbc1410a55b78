"""Days, periods and lengths of time of a question, straight from zoneinfo."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from semantic import MetricQuery
from tests.semantic.worlds import Length, World

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
CLOCK = {"minute": 1, "hour": 60}
MONTHS = {"month": 1, "quarter": 3, "year": 12}
ONE_DAY = timedelta(days=1)
TOO_MANY = 100_000


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `since` to before `until`; by the clock, and without a grain, instants (None: open).

    With a grain and without days it is that of the rows that have no time.
    """

    grain: str | None
    since: date | datetime | None
    until: date | datetime | None
    is_shifted: bool = False
    is_missing: bool = False
    """A day that the earlier month does not have."""

    @property
    def is_clock(self) -> bool:
        return self.grain in CLOCK

    @property
    def is_undated(self) -> bool:
        return self.grain is not None and self.since is None

    @property
    def key(self) -> tuple[date | datetime | None, ...]:
        """What the answer shows under `time`, if it does; instants without a zone, as the database gives them."""
        if self.grain is None:
            return ()
        return (self.since.replace(tzinfo=None) if isinstance(self.since, datetime) else self.since,)

    @property
    def days(self) -> tuple[date, date]:
        assert self.since is not None
        assert self.until is not None
        return self.since, self.until

    @property
    def instants(self) -> tuple[datetime, datetime]:
        assert isinstance(self.since, datetime)
        assert isinstance(self.until, datetime)
        return self.since, self.until


class Calendar:
    """The time of one question."""

    def __init__(self, world: World, query: MetricQuery) -> None:
        self.zone = ZoneInfo(query.zone or world.zone)
        self.week_start = WEEKDAYS.index(world.week_start)
        self.grains = world.grains
        self.start, self.end, self.as_of = query.time.start, query.time.end, query.as_of

    def local(self, instant: datetime) -> datetime:
        return _local(instant, self.zone)

    def day(self, instant: datetime) -> date:
        return _local(instant, self.zone).date()

    def midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def first_whole_day(self, instant: datetime) -> date:
        day = self.day(instant)
        return day if self.midnight(day) >= instant else day + ONE_DAY

    # --- grains

    def length(self, grain: str) -> tuple[Length, date]:
        """The length of a grain's periods and a day on which one begins."""
        if grain in self.grains:
            return self.grains[grain]
        origin = date(1900, 1, 1)  # a Monday
        return Length(1, grain), origin + timedelta(days=self.week_start) if grain == "week" else origin

    def start_of(self, day: date, grain: str) -> date:
        """The first day of a day's period."""
        length, origin = self.length(grain)
        if length.days:
            return day - timedelta(days=(day - origin).days % length.days)
        months = (day.year - origin.year) * 12 + day.month - origin.month
        return plus_months(day.replace(day=1), -(months % length.months))

    def next_start(self, start: date, grain: str) -> date:
        length, _ = self.length(grain)
        return start + timedelta(days=length.days) if length.days else plus_months(start, length.months)

    def period_of(self, day: date, grain: str) -> Period:
        start = self.start_of(day, grain)
        return Period(grain, start, self.next_start(start, grain))

    def clock_period_of(self, instant: datetime, grain: str) -> Period:
        """The local minute or hour of an instant, its start written with the offset that the instant has."""
        local = self.local(instant)
        offset = local - instant.replace(tzinfo=None)
        begun = local.replace(second=0, microsecond=0, minute=0 if grain == "hour" else local.minute)
        start = (begun - offset).replace(tzinfo=UTC)
        return Period(grain, start, start + timedelta(minutes=CLOCK[grain]))

    # --- the periods of a question

    def whole(self) -> Period:
        return Period(None, self.start, self.end)

    def series(self, grain: str | None, seen: Iterable[date], *, only_dates: bool) -> list[Period]:
        """The periods of the asked range; where it is open, from or to the first or last day that is seen."""
        if grain is None:
            return [self.whole()]
        if grain in CLOCK:
            return self._clock_series(grain)
        days = list(seen)
        first, last = min(days, default=None), max(days, default=None)
        if self.start:
            first = self.first_whole_day(self.start) if only_dates else self.day(self.start)
        if self.end:
            last = self.first_whole_day(self.end) - ONE_DAY
        if first is None or last is None:
            return []
        return list(self._from_to(first, last, grain))

    def _from_to(self, first: date, last: date, grain: str) -> Iterator[Period]:
        period = self.period_of(first, grain)
        while period.days[0] <= last:
            yield period
            period = self.period_of(period.days[1], grain)

    def _clock_series(self, grain: str) -> list[Period]:
        """Found by looking at the clock every minute (every quarter of an hour, for hours)."""
        assert self.start
        assert self.end
        step = timedelta(minutes=1 if grain == "minute" else 15)
        found = {self.clock_period_of(self.start, grain): None}
        at = self.start.replace(minute=0, second=0, microsecond=0)
        while (at := at + step) < self.end:
            if at > self.start:
                found[self.clock_period_of(at, grain)] = None
        return list(found)

    # --- what is known when

    def _ended(self, end: date | datetime | None) -> date | None:
        """The local day on which a range ended, if that was before the question."""
        is_past = isinstance(end, datetime) and end <= self.midnight(self.as_of)
        return self.day(end) if isinstance(end, datetime) and is_past else None

    def ends_on(self, period: Period) -> date:
        """The day before which the windows of a period end."""
        if period.grain is None:
            return self._ended(period.until) or self.as_of
        return min(period.days[1], self._ended(self.end) or self.as_of)

    def known_on(self, period: Period) -> date:
        """The last day of a period of which anything is known."""
        ended = self._ended(self.end if period.grain else period.until)
        known = ended - ONE_DAY if ended else self.as_of
        return known if period.grain is None else min(period.days[1] - ONE_DAY, known)

    def at_day(self, period: Period, *, is_date: bool) -> date:
        """The day whose month (quarter, ...) `to_date` counts from the start of."""
        known = self.known_on(period)
        if period.grain is not None:
            return max(known, period.days[0])
        if not isinstance(period.since, datetime):
            return known
        return max(known, self.first_whole_day(period.since) if is_date else self.day(period.since))

    # --- moving in time

    def earlier(self, period: Period, length: Length) -> Period:
        """The period a length before."""
        if period.grain is None:
            start, end = period.instants
            return replace(period, since=self._moved(start, length), until=self._moved(end, length), is_shifted=True)
        if period.is_clock:
            back = timedelta(minutes=length.minutes)
            start, end = period.instants
            return replace(period, since=start - back, until=end - back, is_shifted=True)
        start_day, until_day = period.days
        if length.days:
            back = timedelta(days=length.days)
            return replace(period, since=start_day - back, until=until_day - back, is_shifted=True)
        moved = plus_months(start_day, -length.months)
        is_missing = moved.day != start_day.day
        return replace(
            period, since=moved, until=self.next_start(moved, period.grain), is_shifted=True, is_missing=is_missing
        )

    def _moved(self, instant: datetime, length: Length) -> datetime:
        """Back in local time; hours and minutes go by the clock."""
        if length.minutes:
            return instant - timedelta(minutes=length.minutes)
        local = self.local(instant)
        moved = datetime.combine(before(local.date(), length), local.time())
        return moved.replace(tzinfo=self.zone).astimezone(UTC)


def before(day: date, length: Length) -> date:
    """The day a length earlier, at most the last of its month."""
    return day - timedelta(days=length.days) if length.days else plus_months(day, -length.months)


def plus_months(day: date, months: int) -> date:
    """The same day of a later (earlier) month, or its last day."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - ONE_DAY
    return first.replace(day=min(day.day, last.day))


@cache
def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)
