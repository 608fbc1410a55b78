"""The table of periods: a row for each period of an answer, and for each of what it reads when that is an earlier one.

It is generated, so no calendar has to be kept. Without a grain the whole range is the one period.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlglot import exp

from semantic.calendar import start_of
from semantic.measure import Rolling
from semantic.periods import Duration, Periods
from semantic.plan import Plan
from semantic.sql import dates, tree
from semantic.sql.statement import Parameters

PERIODS = "periods"
WHOLE = "whole_range"
TIME = "time"
THEN = "then_time"
UNTIL = "until_time"
ENDS_ON = "ends_on"
KNOWN_ON = "known_on"
QUARTER_HOUR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Bound:
    """A table and what says in it when its first and its last row are: a day, or the start of an asked period."""

    table: str
    first: exp.Expression
    last: exp.Expression
    is_period: bool = False


@dataclass
class Series:
    """The tables of periods of one statement; remembers which of them, and which columns, are read."""

    plan: Plan
    parameters: Parameters
    read: dict[tuple[bool, Duration | None], set[str]] = field(default_factory=dict)

    def name(self, by_time: bool, shift: Duration | None = None) -> str:
        self.read.setdefault((by_time, shift), set())
        if shift is not None and by_time:
            self.read.setdefault((True, None), set())
        earlier = f"__{shift}_earlier".replace(" ", "_") if shift else ""
        return (PERIODS if by_time else WHOLE) + earlier

    def column(self, column: str, by_time: bool, shift: Duration | None = None) -> exp.Expression:
        name = self.name(by_time, shift)
        self.read[by_time, shift].add(column)
        return tree.column(column, name)

    def start(self, shift: Duration | None = None) -> exp.Expression:
        """When the period begins that is read."""
        return self.column(THEN if shift else TIME, True, shift)

    def window_end(self, time: exp.Expression | None, shift: Duration | None) -> exp.Expression:
        """The day after the window that ends with a period, or with the range where there is none."""
        periods, period = self.plan.period.periods, self.plan.period
        if time is None or periods is None:
            return self._bound((period.shifted(shift) if shift else period).range.ends_on)
        start = dates.moved(time, shift, -1) if shift else time
        return tree.least(dates.following(start, periods), self._bound(period.range.ends_on))

    def window_start(self, time: exp.Expression | None, window: Rolling, shift: Duration | None) -> exp.Expression:
        """The first day of that window."""
        periods = self.plan.period.periods
        if time is None or periods is None or periods.length.minutes is None:
            return dates.moved(self.window_end(time, shift), window.length, -1)
        back = (window.length.minutes or 0) + ((shift.minutes or 0) if shift else 0) - periods.length.minutes
        first = exp.Sub(this=time, expression=tree.minutes(back))
        return tree.cast(dates.local_time(exp.Paren(this=first), self.plan.period.zone), "DATE")

    def tables(self, bounds: Sequence[Bound]) -> list[tuple[str, exp.Expression]]:
        """The tables that are read, in the order in which they use each other."""
        ordered = sorted(self.read, key=lambda k: (k[1] is not None, str(k[1])))
        return [(self.name(*key), self._table(*key, bounds)) for key in ordered]

    def _table(self, by_time: bool, shift: Duration | None, bounds: Sequence[Bound]) -> exp.Expression:
        columns = self.read[by_time, shift]
        if not by_time:
            return self._whole(shift, columns)
        periods = self.plan.period.periods
        assert periods is not None
        if shift is None:
            return self._periods(periods, columns, bounds)
        return self._earlier(periods, shift, columns)

    def _whole(self, shift: Duration | None, columns: set[str]) -> exp.Expression:
        period = self.plan.period.shifted(shift) if shift else self.plan.period
        days = {ENDS_ON: period.range.ends_on, KNOWN_ON: period.range.known_on}
        bound = [tree.aliased(self._bound(days[c]), c) for c in sorted(columns)]
        return tree.select(bound or [tree.aliased(tree.number(1), "one")])

    def _bound(self, day: object) -> exp.Expression:
        return tree.cast(exp.null() if day is None else self.parameters.bind(day), "DATE")  # type: ignore[arg-type]

    def _periods(self, periods: Periods, columns: set[str], bounds: Sequence[Bound]) -> exp.Expression:
        starts = self._clock_starts(periods) if periods.length.unit.is_clock else self._starts(periods, bounds)
        source = tree.derived(starts, "starts")
        time: exp.Expression = tree.column(TIME)
        if not periods.length.unit.is_clock:
            time = tree.cast(time, "DATE")
        derived = self._derived(periods, tree.column(TIME), columns - {TIME})
        return tree.select([tree.aliased(time, TIME), *derived], source)

    def _earlier(self, periods: Periods, shift: Duration, columns: set[str]) -> exp.Expression:
        time = tree.column(TIME, PERIODS)
        if periods.length.unit.is_clock:
            then: exp.Expression = exp.Sub(this=time.copy(), expression=tree.minutes(shift.minutes or 0))
        else:
            then = dates.moved(time.copy(), shift, -1)
        derived = self._derived(periods, then, columns - {THEN})
        where = dates.has_counterpart(time.copy(), shift) if shift.months and periods.length.days == 1 else None
        shown = [tree.aliased(time, TIME), tree.aliased(then.copy(), THEN), *derived]
        return tree.select(shown, tree.table(PERIODS), where)

    def _derived(self, periods: Periods, start: exp.Expression, columns: set[str]) -> list[exp.Expression]:
        """When a period ends: for its rows, for its windows and for its balances."""
        if periods.length.unit.is_clock:
            until: exp.Expression = exp.Add(this=start.copy(), expression=tree.minutes(periods.length.minutes or 0))
        else:
            until = dates.following(start.copy(), periods)
        found = {UNTIL: until}
        if ENDS_ON in columns:
            found[ENDS_ON] = tree.least(until.copy(), self._bound(self.plan.period.range.ends_on))
        if KNOWN_ON in columns:
            last_day = tree.days_after(until.copy(), tree.number(-1))
            found[KNOWN_ON] = tree.least(last_day, self._bound(self.plan.period.range.known_on))
        return [tree.aliased(found[c], c) for c in (UNTIL, ENDS_ON, KNOWN_ON) if c in columns]

    def _starts(self, periods: Periods, bounds: Sequence[Bound]) -> exp.Expression:
        """The first days of all periods from the asked start, or the first with data, to the asked end, or the last."""
        first, after = self.plan.period.range.series_from, self.plan.period.range.last_day_after
        low = self._bound(start_of(first, periods)) if first else _data(bounds, periods, exp.Min)
        high = self._bound(after - timedelta(days=1)) if after else _data(bounds, periods, exp.Max)
        length = periods.length
        count, unit = (length.months, "MONTH") if length.months else (length.days, "DAY")
        step = exp.Interval(this=tree.text(str(count)), unit=exp.Var(this=unit))
        series = exp.Explode(this=exp.GenerateSeries(start=low, end=high, step=step))
        return tree.select([tree.aliased(series, TIME)])

    def _clock_starts(self, periods: Periods) -> exp.Expression:
        """Each minute, or each hour of the zone: a local hour begins on a quarter of an hour of UTC."""
        period = self.plan.period
        assert period.range.start is not None
        assert period.range.end is not None
        step = min(periods.length.minutes or 1, QUARTER_HOUR // timedelta(minutes=1))
        low = _floor(period.range.start, timedelta(minutes=step))
        high = period.range.end - timedelta(microseconds=1)
        start, end = (tree.cast(self.parameters.bind(i), "TIMESTAMP") for i in (low, high))
        series = exp.Explode(this=exp.GenerateSeries(start=start, end=end, step=tree.minutes(step)))
        instants = tree.select([tree.aliased(series, "instant")])
        source = tree.derived(instants, "instants")

        def local() -> exp.Expression:
            return dates.local_time(tree.column("instant"), period.zone)

        began = dates.clock_start(tree.column("instant"), local, periods, period.zone)
        return tree.select([tree.aliased(began, TIME)], source, group_by=1)


def _floor(instant: datetime, step: timedelta) -> datetime:
    return instant - (instant - datetime.min.replace(tzinfo=UTC)) % step


def _data(bounds: Sequence[Bound], periods: Periods, bound: type[exp.Min | exp.Max]) -> exp.Expression:
    """The first or last period that any fact has rows in."""
    parts = []
    for each in bounds:
        day = bound(this=(each.first if bound is exp.Min else each.last).copy())
        start = tree.cast(day, "DATE") if each.is_period else dates.start_of(day, periods)
        parts.append(tree.select([start if len(bounds) == 1 else tree.aliased(start, "day")], tree.table(each.table)))
    if len(parts) == 1:
        return exp.Subquery(this=parts[0])
    inner = tree.derived(tree.union(parts), "bounds")
    return exp.Subquery(this=tree.select([bound(this=tree.column("day"))], inner))
