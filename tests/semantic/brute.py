"""Questions answered the slow way: lists of dictionaries, fractions and zoneinfo. Shares no code with the compiler.

Every value is computed for itself from the rows of its table: no grouping, no windows, no joins of results.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from semantic import Both, Comparison, Either, Filter, Grain, MetricQuery, Not
from tests.semantic.brute_conditions import OPERATORS, compared, dimension
from tests.semantic.brute_numbers import (
    ZERO,
    Known,
    Number,
    aggregate,
    divided,
    divisors,
    evaluated,
    inputs,
    multiplied,
)
from tests.semantic.worlds import Cell, Line, Meaning, Table, Term, Test, Total, World


@dataclass(frozen=True, slots=True)
class Cut:
    """What one metric is at one combination of keys."""

    value: Known
    n: int
    unknown: int
    causes: frozenset[tuple[int, str]]
    """What may be told of it: the status of a value that is known, or reasons with their rank, the lowest first."""

    @property
    def statuses(self) -> frozenset[str]:
        first = min(rank for rank, _ in self.causes)
        return frozenset(code for rank, code in self.causes if rank == first)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows by their keys, in no order."""

    keys: tuple[str, ...]
    rows: Mapping[tuple[Cell, ...], Mapping[str, Cut]]


class RefusedError(Exception):
    """The question cannot be answered; the message is the code."""


@dataclass(frozen=True, slots=True)
class Period:
    start: date | None
    ends_on: date
    known_on: date


def answer(world: World, query: MetricQuery) -> Answer:
    return _Asker(world, query).answer()


class _Asker:
    def __init__(self, world: World, query: MetricQuery) -> None:
        self.world, self.query = world, query
        self.zone = ZoneInfo(query.zone or world.zone)
        self.totals = {n: t for name in query.metrics for n, t in totals_behind(world, name).items()}
        self.fills = query.grain is not None and not query.by
        self._refuse()

    def answer(self) -> Answer:
        periods = self._periods()
        keys = {key: period for t in self.totals.values() for key, period in self._keys(t, periods)}
        if self.fills:
            keys |= {(p.start,): p for p in periods}
        if not self.query.by and self.query.grain is None:
            keys = {(): periods[0]}
        names = (*self.query.by, *(["time"] if self.query.grain else []))
        return Answer(names, {key: self._row(key, period) for key, period in keys.items()})

    def _row(self, key: tuple[Cell, ...], period: Period | None) -> dict[str, Cut]:
        cuts = {name: self._cut(name, total, key, period) for name, total in self.totals.items()}
        for name in self.query.metrics:
            self._formula(name, cuts, period)
        return cuts

    # --- which rows, keys and periods there are

    def _refuse(self) -> None:
        names = [*self.query.by, *(c.dimension for c in _comparisons(self.query.where))]
        in_time = self.query.grain or self.query.time.start or self.query.time.end
        for total in self.totals.values():
            table = self.world.tables[total.model]
            for name in names:
                self._path(table, name)
            if in_time and not table.time:
                raise RefusedError("NO_TIME")

    def _path(self, table: Table, name: str) -> tuple[str, ...]:
        """The roles that lead from a table to a dimension."""
        *roles, plain = name.split(".")
        if not roles and plain in table.dimensions:
            return ()
        found = [
            path
            for path, target in _ways(self.world, table)
            if plain in target.dimensions and (not roles or list(path) == roles)
        ]
        if not found:
            raise RefusedError("UNREACHABLE_DIMENSION")
        if len(found) > 1:
            raise RefusedError("AMBIGUOUS_DIMENSION")
        return found[0]

    def _cell(self, table: Table, row: Line, name: str) -> Cell:
        """A dimension of a row, through joins where it needs them."""
        for role in self._path(table, name):
            table, row = self._joined(table, row, role)
        return dimension(table, row, name.rpartition(".")[2])

    def _joined(self, table: Table, row: Line, role: str) -> tuple[Table, Line]:
        """The row that a role leads to; where there is none, one of which nothing is known."""
        target, wanted = self.world.tables[table.joins[role]], row.get(f"{role}_id")
        return target, next((r for r in target.rows if r["id"] == wanted), {})

    def _day(self, row: Line) -> date | None:
        moment = row.get("seen_at")
        if isinstance(moment, datetime):
            return moment.astimezone(self.zone).date()
        day = row.get("seen_on")
        assert day is None or isinstance(day, date)
        return day

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def _in_range(self, row: Line) -> bool:
        """Dates count as the instants at which their local days begin."""
        start, end = self.query.time.start, self.query.time.end
        moment, day = row.get("seen_at"), row.get("seen_on")
        if isinstance(day, date):
            moment = self._midnight(day)
        if start is None and end is None:
            return True
        return isinstance(moment, datetime) and (not start or moment >= start) and (not end or moment < end)

    def _key(self, table: Table, row: Line) -> tuple[Cell, ...]:
        return tuple(self._cell(table, row, name) for name in self.query.by)

    def _matching(self, table: Table) -> list[Line]:
        where = self.query.where
        return [r for r in table.rows if where is None or self._passes(table, r, where)]

    def _rows(self, total: Total, period: Period | None) -> list[Line]:
        """The rows of a total at a period (all of the range without a grain), whatever its own tests say."""
        table = self.world.tables[total.model]
        if total.per:
            return self._in_force(total, table, period) if period else []
        rows = self._matching(table)
        if total.rolling:
            return [r for r in rows if period and self._is_inside(r, total.rolling, period)]
        rows = [r for r in rows if self._in_range(r)]
        if self.query.grain is None:
            return rows
        return [r for r in rows if self._start(self._day(r)) == (period.start if period else None)]

    def _is_inside(self, row: Line, days: int, period: Period) -> bool:
        day = self._day(row)
        return day is not None and period.ends_on - timedelta(days=days) <= day < period.ends_on

    def _in_force(self, total: Total, table: Table, period: Period) -> list[Line]:
        """Of each entity the last row that is known; only then is the filter asked."""
        last: dict[tuple[Cell, ...], Line] = {}
        for row in sorted(table.rows, key=_moment):
            day = self._day(row)
            if day is not None and day <= period.known_on:
                last[tuple(dimension(table, row, name) for name in total.per)] = row
        passing = self._matching(table)
        return [r for r in last.values() if any(r is p for p in passing)]

    def _start(self, day: date | None) -> date | None:
        if day is None or self.query.grain is Grain.DAY:
            return day
        return day.replace(day=1) if self.query.grain is Grain.MONTH else day - timedelta(days=day.weekday())

    def _next(self, start: date) -> date:
        if self.query.grain is Grain.MONTH:
            return (start.replace(day=28) + timedelta(days=4)).replace(day=1)
        return start + timedelta(days=1 if self.query.grain is Grain.DAY else 7)

    def _first_whole(self, instant: datetime) -> date:
        day = instant.astimezone(self.zone).date()
        return day if self._midnight(day) >= instant else day + timedelta(days=1)

    def _periods(self) -> list[Period]:
        start, end, as_of = self.query.time.start, self.query.time.end, self.query.as_of
        is_past = end is not None and end <= self._midnight(as_of)
        ends_on = self._first_whole(end) if end and is_past else as_of
        known_on = ends_on - timedelta(days=1) if is_past else as_of
        if self.query.grain is None:
            return [Period(None, ends_on, known_on)]
        days = [d for t in self.totals.values() for d in self._seen(t)]
        only_dates = all(self.world.tables[t.model].time == "seen_on" for t in self.totals.values())
        first: date | None = min(days, default=None)
        last: date | None = max(days, default=None)
        if start:
            first = self._first_whole(start) if only_dates else start.astimezone(self.zone).date()
        if end:
            last = self._first_whole(end) - timedelta(days=1)
        found: list[Period] = []
        at = self._start(first)
        while at is not None and last is not None and at <= last:
            after = self._next(at)
            found.append(Period(at, min(after, ends_on), min(after - timedelta(days=1), known_on)))
            at = after
        return found

    def _seen(self, total: Total) -> Iterator[date]:
        """The days of the rows that bound a series: of the range, or all that a window or a balance may read."""
        table = self.world.tables[total.model]
        rows = self._matching(table)
        for row in rows:
            day = self._day(row)
            if day is not None and (total.rolling or total.per or self._in_range(row)):
                yield day

    def _keys(self, total: Total, periods: list[Period]) -> Iterator[tuple[tuple[Cell, ...], Period | None]]:
        """The combinations of keys that the rows of a total have."""
        table = self.world.tables[total.model]
        by_start: dict[date | None, Period | None] = {p.start: p for p in periods}
        if not total.rolling and not total.per:
            by_start.setdefault(None, None)
        for start, period in by_start.items():
            for row in self._rows(total, period):
                yield (*self._key(table, row), *([start] if self.query.grain else [])), period

    # --- what a metric is

    def _cut(self, name: str, total: Total, key: tuple[Cell, ...], period: Period | None) -> Cut:
        metric, table = self.world.metrics[name], self.world.tables[total.model]
        wanted = key[: len(self.query.by)]
        rows = [r for r in self._rows(total, period) if self._key(table, r) == wanted]
        rows = [r for r in rows if all(self._holds(table, r, t) is True for t in total.tests)]
        members = [dimension(table, r, total.column) if total.column else True for r in rows]
        known = [m for m in members if m is not None]
        value: Known = aggregate(total, known)
        if not rows and total.kind not in ("count", "count_distinct"):
            value = ZERO if metric.empty == "zero" else None
        if isinstance(value, Number) and total.per_month and period and rows:
            value = self._per_month(total, value, table, period)
        missing = len(rows) - len(known)
        unknown_code = metric.codes.get("when_unknown", "UNKNOWN")
        why_null = (0, unknown_code) if missing else (1, metric.codes.get("when_empty", "NO_DATA"))
        bound = "LOWER_BOUND" if total.kind == "sum" else "PARTIAL"
        cause = why_null if value is None else (0, bound if missing else "OK")
        return Cut(value, len(rows), missing, frozenset([cause]))

    def _per_month(self, total: Total, value: Number, table: Table, period: Period) -> Known:
        first = min(d for d in map(self._day, table.rows) if d is not None)
        days = Number(Fraction(min(total.rolling, (period.ends_on - first).days)))
        return multiplied(divided(value, days), Number(Fraction("30.4375")))

    def _formula(self, name: str, cuts: dict[str, Cut], period: Period | None) -> None:
        metric = self.world.metrics[name]
        if isinstance(metric.definition, Total) or name in cuts:
            return
        for following in inputs(metric.definition):
            self._formula(following, cuts, period)
        values = {n: cut.value for n, cut in cuts.items()}
        value = evaluated(metric.definition, values, period.ends_on if period else None)
        behind = [cuts[n] for n in totals_behind(self.world, name)]
        missing = max(c.unknown for c in behind)
        causes = self._why_null(metric, cuts) if value is None else frozenset([(0, "PARTIAL" if missing else "OK")])
        cuts[name] = Cut(value, min(c.n for c in behind), missing, causes)

    def _why_null(self, metric: Meaning, cuts: Mapping[str, Cut]) -> frozenset[tuple[int, str]]:
        """The reasons of all inputs that are null, else of any divisor that is 0, else that it is undefined."""
        assert isinstance(metric.definition, Term)
        behind = [cuts[n].causes for n in inputs(metric.definition) if cuts[n].value is None]
        if behind:
            return frozenset().union(*behind)
        zero = [n for n in divisors(metric.definition) if cuts[n].value == ZERO]
        if zero:
            return frozenset((2, self.world.metrics[n].codes.get("when_zero", "ZERO_DENOMINATOR")) for n in zero)
        return frozenset([(2, metric.codes.get("when_unknown", "UNDEFINED"))])

    # --- conditions

    def _passes(self, table: Table, row: Line, where: Filter) -> bool:
        """Two-valued: nothing that is asked of null is true, except that it is null or differs from a value."""
        match where:
            case Both(items):
                return all(self._passes(table, row, i) for i in items)
            case Either(items):
                return any(self._passes(table, row, i) for i in items)
            case Not(item):
                return not self._passes(table, row, item)
            case Comparison(name, op, values):
                return compared(self._cell(table, row, name), op, values)
        raise TypeError(where)

    def _holds(self, table: Table, row: Line, test: Test) -> bool | None:
        """Three-valued, as conditions of the file are."""
        parts = [self._holds(table, row, p) for p in test.parts]
        match test.op:
            case "and":
                return False if False in parts else None if None in parts else True
            case "or":
                return True if True in parts else None if None in parts else False
            case "not":
                return None if parts[0] is None else not parts[0]
        role, _, name = test.name.rpartition(".")
        owner, found = self._joined(table, row, role) if role else (table, row)
        cell = dimension(owner, found, name)
        if test.op in ("is null", "is not null"):
            return (cell is None) == (test.op == "is null")
        return None if cell is None else OPERATORS[test.op](cell, test.value)


def _moment(row: Line) -> tuple[bool, str, str]:
    """Rows by their time and, at the same time, by their key; without one last."""
    moment = row.get("seen_at") or row.get("seen_on")
    assert moment is None or isinstance(moment, date)
    return moment is None, moment.isoformat() if moment else "", str(row["id"])


def totals_behind(world: World, name: str) -> dict[str, Total]:
    """The measures that a metric rests on."""
    definition = world.metrics[name].definition
    if isinstance(definition, Total):
        return {name: definition}
    return {n: t for following in inputs(definition) for n, t in totals_behind(world, following).items()}


def reached_from(world: World, table: Table) -> Iterator[str]:
    """Names of dimensions that a table can be asked for: its own, and those of joins plainly and by their roles."""
    yield from table.dimensions
    for path, target in _ways(world, table):
        for name in target.dimensions:
            yield name
            yield ".".join((*path, name))


def _ways(world: World, table: Table) -> Iterator[tuple[tuple[str, ...], Table]]:
    """All paths of joins from a table that meet no table twice."""

    def onward(path: tuple[str, ...], here: Table, met: set[str]) -> Iterator[tuple[tuple[str, ...], Table]]:
        for role, target in here.joins.items():
            if target not in met:
                yield (*path, role), world.tables[target]
                yield from onward((*path, role), world.tables[target], met | {target})

    return onward((), table, {table.name})


def _comparisons(where: Filter | None) -> Iterator[Comparison]:
    match where:
        case Comparison():
            yield where
        case Both(items) | Either(items):
            for item in items:
                yield from _comparisons(item)
        case Not(item):
            yield from _comparisons(item)
