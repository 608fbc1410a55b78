"""Which rows a measure reads at a period: row by row, for plain values, windows, balances and what is carried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from semantic import Comparison, MetricQuery
from tests.semantic.brute_calendar import Calendar, Period, before
from tests.semantic.brute_meaning import Total
from tests.semantic.brute_rows import Rows, compared, ordered, passes
from tests.semantic.worlds import Cell, Line, Table, Time

PARTS = {
    "hour": lambda at: at.hour,
    "weekday": lambda at: at.isoweekday(),
    "day": lambda at: at.day,
    "day_of_year": lambda at: at.timetuple().tm_yday,
    "week": lambda at: at.isocalendar().week,
    "month": lambda at: at.month,
    "quarter": lambda at: (at.month + 2) // 3,
    "year": lambda at: at.year,
}


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A row of a fact: when it is, its keys, whether the caller may see it and it passes the filters of the question.

    A balance ends with the next row of its entity, seen or not; nothing else is read of a row that is not seen.
    """

    line: Line
    moment: date | datetime | None
    day: date | None
    keys: tuple[Cell, ...]
    is_permitted: bool
    is_asked: bool


class Scans:
    """The rows of each fact."""

    def __init__(self, rows: Rows, query: MetricQuery, calendar: Calendar) -> None:
        self.rows, self.query, self.calendar = rows, query, calendar
        self._scanned: dict[tuple[object, ...], list[Seen]] = {}

    def table(self, total: Total) -> Table:
        return self.rows.world.tables[total.model]

    def time(self, total: Total) -> Time | None:
        return total.time or self.table(total).time

    def of(self, total: Total, names: tuple[str, ...]) -> list[Seen]:
        time = self.time(total)
        known = (total.model, time, names)
        if known not in self._scanned:
            table = self.table(total)
            self._scanned[known] = [self._seen(table, line, time, names) for line in table.rows]
        return self._scanned[known]

    def asked(self, total: Total, names: tuple[str, ...]) -> list[Seen]:
        return [r for r in self.of(total, names) if r.is_asked]

    def _seen(self, table: Table, line: Line, time: Time | None, names: tuple[str, ...]) -> Seen:
        moment = line.get(time.column) if time else None
        assert moment is None or isinstance(moment, date)
        day = self.calendar.day(moment) if isinstance(moment, datetime) else moment

        def cell(name: str) -> Cell:
            if name.startswith("time."):
                at = self.calendar.local(moment) if isinstance(moment, datetime) else moment
                return None if at is None else PARTS[name.removeprefix("time.")](at)
            return self.rows.dimension((table, line), name)

        def holds(comparison: Comparison) -> bool:
            return compared(cell(comparison.dimension), comparison.op, comparison.values)

        may_see = self.rows.may_see((table, line))
        is_asked = passes(self.query.where, holds) and all(self._is_in(table, line, f) for f in self.query.filters)
        return Seen(line, moment, day, tuple(_shown(cell(n)) for n in names), may_see, may_see and is_asked)

    def _is_in(self, table: Table, line: Line, name: str) -> bool:
        """Whether a row passes a named filter, along the one way to its model."""
        condition = self.rows.world.filters[name]
        paths = (
            [()]
            if condition.model == table.name
            else [path for path, target in self.rows.ways(table) if target.name == condition.model]
        )
        (path,) = paths
        return self.rows.is_true(self.rows.along((table, line), path), condition.where)


def _shown(cell: Cell) -> Cell:
    """As an answer shows it: instants without a zone."""
    return cell.replace(tzinfo=None) if isinstance(cell, datetime) else cell


class Reader:
    """What one question reads of rows, all of one fact and mostly of one key."""

    def __init__(self, calendar: Calendar, scans: Scans) -> None:
        self.calendar, self.scans = calendar, scans

    def read(self, total: Total, period: Period, rows: Sequence[Seen]) -> list[Seen]:
        """The rows of a measure at a period."""
        is_date = self._is_date(total)
        if period.is_undated:
            return [r for r in rows if r.moment is None and self.is_plain(total)]
        period = self.moved(total, period)
        if period.is_missing:
            return []
        if total.empty == "carry" and period.grain is not None:
            return self._latest(period, rows, is_date)
        return [r for r in rows if self._holds(total, period, r, is_date)]

    def is_plain(self, total: Total) -> bool:
        """Whether a measure reads a period's own rows; only then rows without a time are read, beside no range."""
        is_open = self.calendar.start is None and self.calendar.end is None
        return is_open and not (total.window or total.shift or total.snapshot or total.empty == "carry")

    def moved(self, total: Total, period: Period) -> Period:
        return self.calendar.earlier(period, total.shift) if total.shift else period

    def _is_date(self, total: Total) -> bool:
        time = self.scans.time(total)
        return time is not None and time.is_date

    def _holds(self, total: Total, period: Period, row: Seen, is_date: bool) -> bool:
        if total.window is None:
            return self._is_plain(period, row, is_date)
        if row.moment is None or row.day is None or not self._is_before_end(row, is_date):
            return False
        match total.window.kind:
            case "rolling":
                return self._is_rolling(total, period, row)
            case "to_date":
                assert total.window.grain
                start = self._start(period, total.window.grain, is_date=is_date)
                return self._is_before(period, row, is_date) and row.day >= start
        return self._is_before(period, row, is_date)

    def _is_plain(self, period: Period, row: Seen, is_date: bool) -> bool:
        if period.grain is None:
            return self.in_range(row, period.since, period.until, is_date)
        if row.moment is None or not self._is_in(period, row):
            return False
        if period.is_shifted:
            return self._is_before_end(row, is_date)
        return self.in_range(row, self.calendar.start, self.calendar.end, is_date)

    def _is_in(self, period: Period, row: Seen) -> bool:
        if period.is_clock:
            assert period.grain
            assert isinstance(row.moment, datetime)
            return self.calendar.clock_period_of(row.moment, period.grain).since == period.since
        start, until = period.days
        return row.day is not None and start <= row.day < until

    def in_range(self, row: Seen, start: date | None, end: date | None, is_date: bool) -> bool:
        """Instants as they are; days that lie whole in the range, and none that has not happened where it is open."""
        if row.moment is None or row.day is None:
            return start is None and end is None
        if is_date:
            start_day = self.calendar.first_whole_day(start) if isinstance(start, datetime) else None
            after = self.calendar.first_whole_day(end) if isinstance(end, datetime) else None
            is_early = row.day < after if after else row.day <= self.calendar.as_of
            return is_early and (start_day is None or row.day >= start_day)
        return (start is None or row.moment >= start) and (end is None or row.moment < end)

    def _is_before_end(self, row: Seen, is_date: bool) -> bool:
        return row.moment is not None and self.in_range(row, None, self.calendar.end, is_date)

    def _is_before(self, period: Period, row: Seen, is_date: bool) -> bool:
        """Before the end of a period."""
        assert row.moment
        assert row.day
        if period.grain is None:
            return self.in_range(row, None, period.until, is_date)
        if period.is_clock:
            return row.moment < period.instants[1]
        return row.day < period.days[1]

    def _is_rolling(self, total: Total, period: Period, row: Seen) -> bool:
        assert total.window
        assert total.window.length
        assert row.day
        if period.is_clock:
            _, until = period.instants
            assert isinstance(row.moment, datetime)
            return until - timedelta(minutes=total.window.length.minutes) <= row.moment < until
        ends_on = self.calendar.ends_on(period)
        return before(ends_on, total.window.length) <= row.day < ends_on

    def _start(self, period: Period, grain: str, *, is_date: bool) -> date:
        """The day that `to_date` counts from."""
        if period.is_clock:
            return self.calendar.start_of(self.calendar.day(period.instants[0]), grain)
        return self.calendar.start_of(self.calendar.at_day(period, is_date=is_date), grain)

    def _latest(self, period: Period, rows: Sequence[Seen], is_date: bool) -> list[Seen]:
        """The rows of the period, or of the latest before it that has some."""
        assert period.grain
        starts = {
            r: self.period_of(r, period.grain).since for r in rows if r.moment and self._is_before_end(r, is_date)
        }
        assert period.since
        last = max((s for s in starts.values() if s and s <= period.since), default=None)
        return [r for r, start in starts.items() if start == last]

    def period_of(self, row: Seen, grain: str) -> Period:
        assert row.day
        if isinstance(row.moment, datetime) and grain in ("minute", "hour"):
            return self.calendar.clock_period_of(row.moment, grain)
        return self.calendar.period_of(row.day, grain)

    # --- balances

    def balances(self, total: Total, period: Period, rows: Sequence[Seen]) -> Iterator[list[Seen]]:
        """Of each entity the rows whose value is its balance: one, or for min, max and avg those of the period."""
        assert total.snapshot
        if period.is_undated:
            return
        period = self.moved(total, period)
        if period.is_missing:
            return
        is_date, known_on = self._is_date(total), self.calendar.known_on(period)
        entities: dict[tuple[Cell, ...], list[Seen]] = {}
        for row in sorted(rows, key=lambda r: self._order(total, r)):
            if row.day is not None and row.day <= known_on and self._is_before_end(row, is_date):
                entities.setdefault(self._entity(total, row), []).append(row)
        for known in entities.values():
            inside = [r for r in known if self._is_since(period, r, is_date)]
            if not inside and total.snapshot.carry:
                inside = known[-1:]
            match total.snapshot.take:
                case "last":
                    yield inside[-1:]
                case "first":
                    yield inside[:1]
                case _:
                    yield inside

    def _is_since(self, period: Period, row: Seen, is_date: bool) -> bool:
        """Not before the start of a period (of the range, without a grain)."""
        if period.grain is None:
            return period.since is None or self.in_range(row, period.since, self.calendar.end, is_date)
        assert row.day
        return row.day >= period.days[0]

    def _entity(self, total: Total, row: Seen) -> tuple[Cell, ...]:
        assert total.snapshot
        table = self.scans.table(total)
        return tuple(self.scans.rows.member((table, row.line), name) for name in total.snapshot.per)

    def _order(self, total: Total, row: Seen) -> tuple[object, ...]:
        """By time, then by the model's key."""
        key = [ordered(row.line[column]) for column in self.scans.table(total).key]
        return row.moment is None, ordered(row.moment) if row.moment else None, key

    def in_order(self, total: Total, rows: Sequence[Seen]) -> list[Seen]:
        return sorted(rows, key=lambda r: self._order(total, r))
