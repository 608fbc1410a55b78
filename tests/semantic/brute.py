"""Questions answered the slow way: lists of dictionaries, fractions and zoneinfo. Shares no code with the compiler.

Every value is computed for itself from the rows of its table: no grouping, no windows, no joins of results.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from semantic import MetricQuery
from tests.semantic.brute_calendar import Calendar, Period
from tests.semantic.brute_numbers import (
    ZERO,
    Known,
    Number,
    aggregate,
    divided,
    divisors,
    evaluated,
    inputs,
    is_double,
    is_zero,
    may_be_zero,
    multiplied,
)
from tests.semantic.brute_rows import RefusedError, cell, comparisons, dimension, holds, passes, path_to, ways
from tests.semantic.worlds import Cell, Line, Meaning, Table, Term, Total, World


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


def answer(world: World, query: MetricQuery) -> Answer:
    return _Asker(world, query).answer()


def totals_behind(world: World, name: str) -> dict[str, Total]:
    """The measures that a metric rests on."""
    definition = world.metrics[name].definition
    if isinstance(definition, Total):
        return {name: definition}
    return {n: t for following in inputs(definition) for n, t in totals_behind(world, following).items()}


def reached_from(world: World, table: Table) -> Iterator[str]:
    """Names of dimensions that a table can be asked for: its own, and those of joins plainly and by their roles."""
    yield from table.dimensions
    for path, target in ways(world, table):
        for name in target.dimensions:
            yield name
            yield ".".join((*path, name))


class _Asker:
    def __init__(self, world: World, query: MetricQuery) -> None:
        self.world, self.query = world, query
        self.calendar = Calendar(query, ZoneInfo(query.zone or world.zone))
        self.totals = {n: t for name in query.metrics for n, t in totals_behind(world, name).items()}
        self._refuse()
        self.doubles = {name for name in world.metrics if _is_double(world, name)}
        self.passing = {
            table.name: [r for r in table.rows if passes(world, table, r, query.where)]
            for table in {t.model: world.tables[t.model] for t in self.totals.values()}.values()
        }

    def _refuse(self) -> None:
        names = [*self.query.by, *(c.dimension for c in comparisons(self.query.where))]
        in_time = self.query.grain or self.query.time.start or self.query.time.end
        for total in self.totals.values():
            table = self.world.tables[total.model]
            for name in names:
                path_to(self.world, table, name)
            if in_time and not table.time:
                raise RefusedError("NO_TIME")

    def answer(self) -> Answer:
        only_dates = all(self.world.tables[t.model].time == "seen_on" for t in self.totals.values())
        periods = self.calendar.periods([d for t in self.totals.values() for d in self._seen(t)], only_dates=only_dates)
        found = {key: period for t in self.totals.values() for key, period in self._keys(t, periods)}
        if not self.query.by:
            found = found | {(p.start,): p for p in periods} if self.query.grain else {(): periods[0]}
        names = (*self.query.by, *(["time"] if self.query.grain else []))
        return Answer(names, {key: self._row(key, period) for key, period in found.items()})

    def _row(self, key: tuple[Cell, ...], period: Period | None) -> dict[str, Cut]:
        cuts = {name: self._cut(name, total, key, period) for name, total in self.totals.items()}
        for name in self.query.metrics:
            self._formula(name, cuts, period)
        return cuts

    # --- which rows and keys there are

    def _seen(self, total: Total) -> Iterator[date]:
        """The days of the rows that bound a series: of the range, or all that a window or a balance may read."""
        for row in self.passing[total.model]:
            day = self.calendar.day(row)
            reads_all = total.rolling or total.per
            if day is not None and (self.calendar.has_happened(row) if reads_all else self.calendar.in_range(row)):
                yield day

    def _keys(self, total: Total, periods: list[Period]) -> Iterator[tuple[tuple[Cell, ...], Period | None]]:
        """The combinations of keys that the rows of a total have."""
        by_start: dict[date | None, Period | None] = {p.start: p for p in periods}
        if not total.rolling and not total.per:
            by_start.setdefault(None, None)  # rows without a time
        for start, period in by_start.items():
            for row in self._rows(total, period):
                yield (*self._key(total, row), *([start] if self.query.grain else [])), period

    def _key(self, total: Total, row: Line) -> tuple[Cell, ...]:
        return tuple(cell(self.world, self.world.tables[total.model], row, name) for name in self.query.by)

    def _rows(self, total: Total, period: Period | None) -> list[Line]:
        """The rows of a total at a period (all of the range without a grain), whatever its own tests say."""
        if total.per:
            return self._in_force(total, period) if period else []
        rows = self.passing[total.model]
        if total.rolling:
            return [r for r in rows if period and self._is_inside(r, total.rolling, period)]
        rows = [r for r in rows if self.calendar.in_range(r)]
        if self.query.grain is None:
            return rows
        start = period.start if period else None
        return [r for r in rows if self.calendar.start_of(self.calendar.day(r)) == start]

    def _is_inside(self, row: Line, days: int, period: Period) -> bool:
        day = self.calendar.day(row)
        return day is not None and period.ends_on - timedelta(days=days) <= day < period.ends_on

    def _in_force(self, total: Total, period: Period) -> list[Line]:
        """Of each entity the last row that is known; only then is the filter asked."""
        table = self.world.tables[total.model]
        last: dict[tuple[Cell, ...], Line] = {}
        for row in sorted(table.rows, key=_moment):
            day = self.calendar.day(row)
            if day is not None and day <= period.known_on:
                last[tuple(dimension(table, row, name) for name in total.per)] = row
        return [r for r in last.values() if any(r is p for p in self.passing[total.model])]

    # --- what a metric is

    def _cut(self, name: str, total: Total, key: tuple[Cell, ...], period: Period | None) -> Cut:
        metric, table = self.world.metrics[name], self.world.tables[total.model]
        wanted = key[: len(self.query.by)]
        rows = [r for r in self._rows(total, period) if self._key(total, r) == wanted]
        rows = [r for r in rows if all(holds(self.world, table, r, t) is True for t in total.tests)]
        members = [dimension(table, r, total.column) if total.column else True for r in rows]
        known = [m for m in members if m is not None]
        value: Known = aggregate(total, known)
        if not rows and total.kind not in ("count", "count_distinct"):
            value = replace(ZERO, is_double=name in self.doubles) if metric.empty == "zero" else None
        if isinstance(value, Number) and total.per_month and period and rows:
            value = self._per_month(total, value, period)
        missing = len(rows) - len(known)
        return Cut(value, len(rows), missing, frozenset([_cause(metric, total, value, missing)]))

    def _per_month(self, total: Total, value: Number, period: Period) -> Known:
        """The daily mean of the window, or of the days since the model's first row where they are fewer, x 30.4375."""
        first = min(d for d in map(self.calendar.day, self.world.tables[total.model].rows) if d is not None)
        daily = divided(value, Number(Fraction(min(total.rolling, (period.ends_on - first).days))))
        assert isinstance(daily, Number), "a window with rows has days"
        return multiplied(daily, Number(Fraction("30.4375")))

    def _formula(self, name: str, cuts: dict[str, Cut], period: Period | None) -> None:
        metric = self.world.metrics[name]
        if isinstance(metric.definition, Total) or name in cuts:
            return
        for following in inputs(metric.definition):
            self._formula(following, cuts, period)
        values = {n: cut.value for n, cut in cuts.items()}
        value = evaluated(metric.definition, values, self.doubles, period.ends_on if period else None)
        behind = [cuts[n] for n in totals_behind(self.world, name)]
        missing = max(c.unknown for c in behind)
        causes = self._why_null(metric, cuts) if value is None else frozenset([(0, "PARTIAL" if missing else "OK")])
        cuts[name] = Cut(value, max(c.n for c in behind), missing, causes)

    def _why_null(self, metric: Meaning, cuts: Mapping[str, Cut]) -> frozenset[tuple[int, str]]:
        """The reasons of all inputs that are null, else of any divisor that is 0, else that it is undefined."""
        assert isinstance(metric.definition, Term)
        behind = [cuts[n].causes for n in inputs(metric.definition) if cuts[n].value is None]
        if behind:
            return frozenset().union(*behind)
        zero = [n for n in divisors(metric.definition) if may_be_zero(cuts[n].value)]
        codes = frozenset((2, self.world.metrics[n].codes.get("when_zero", "ZERO_DENOMINATOR")) for n in zero)
        if any(is_zero(cuts[n].value) for n in zero):
            return codes
        return codes | {(2, metric.codes.get("when_unknown", "UNDEFINED"))}


def _is_double(world: World, name: str) -> bool:
    definition = world.metrics[name].definition
    if isinstance(definition, Total):
        return definition.per_month or definition.kind in ("avg", "median", "percentile")
    return is_double(definition, {n for n in inputs(definition) if _is_double(world, n)})


def _cause(metric: Meaning, total: Total, value: Known, missing: int) -> tuple[int, str]:
    if value is None and missing:
        return 0, metric.codes.get("when_unknown", "UNKNOWN")
    if value is None:
        return 1, metric.codes.get("when_empty", "NO_DATA")
    bound = "LOWER_BOUND" if total.kind == "sum" else "PARTIAL"
    return 0, bound if missing else "OK"


def _moment(row: Line) -> tuple[bool, str, str]:
    """Rows by their time and, at the same time, by their key; without one last."""
    moment = row.get("seen_at") or row.get("seen_on")
    assert moment is None or isinstance(moment, date)
    return moment is None, moment.isoformat() if moment else "", str(row["id"])
