"""Questions answered the slow way: lists of dictionaries, fractions and zoneinfo. Shares no code with the compiler.

Every value is computed for itself from the rows of its table: no grouping, no windows, no joins of results. It is read
as the definition of what a metrics file means.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction

from semantic import Comparison, Op
from tests.semantic.brute_calendar import CLOCK, Calendar, Period
from tests.semantic.brute_formula import divisors, evaluated
from tests.semantic.brute_meaning import Eached, Formula, Meaning, Ranked, Total, meaning
from tests.semantic.brute_measure import Measures, Outcome
from tests.semantic.brute_numbers import FRAGILE, Known, Number, as_known, before, is_zero, may_be_zero, of_numbers
from tests.semantic.brute_reading import Reader, Scans
from tests.semantic.brute_refusals import inner_names, is_cut, leaves_of, refusals, totals_of
from tests.semantic.brute_rows import Rows, passes
from tests.semantic.worlds import Case, Cell

Key = tuple[Cell, ...]
Place = tuple[Key, Period]


class RefusedError(Exception):
    """The question cannot be answered, for any of the reasons whose codes are given."""

    def __init__(self, codes: frozenset[str]) -> None:
        self.codes = codes
        super().__init__(", ".join(sorted(codes)))


class FragileError(Exception):
    """Rounding decides which rows the answer has."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows by their keys, in no order."""

    keys: tuple[str, ...]
    rows: Mapping[Key, Mapping[str, Outcome]]


def answer(case: Case) -> Answer:
    return _Asker(case).answer()


class _Asker:
    def __init__(self, case: Case) -> None:
        if codes := refusals(case):
            raise RefusedError(codes)
        self.world, self.query = case.world, case.query
        self.calendar = Calendar(case.world, case.query)
        self.scans = Scans(Rows(case.world, case.caller), case.query, self.calendar)
        self.reader = Reader(self.calendar, self.scans)
        self.measures = Measures(self.calendar, self.scans, self.reader)
        self.meanings = {name: meaning(case.world, name) for name in case.query.metrics}
        self._inner: dict[tuple[object, ...], list[Place]] = {}
        self._outcomes: dict[tuple[object, ...], Outcome] = {}

    def answer(self) -> Answer:
        names, grain = self.query.by, self.query.grain
        found = self._places(list(self.meanings.values()), names, grain)
        values = {cell: {n: self._outcome(m, *cell, names) for n, m in self.meanings.items()} for cell in found}
        for name, made in self.meanings.items():
            if isinstance(made, Ranked):
                self._rank(name, made, values)
        shown = {(*key, *period.key): row for (key, period), row in values.items() if self._has(row)}
        return Answer((*names, *(["time"] if grain else [])), shown)

    # --- which rows there are

    def _series(self, grain: str | None, totals: Sequence[Total]) -> list[Period]:
        """The periods of the range; where it is open, those from the first to the last row of the measures."""
        if grain is None:
            return [self.calendar.whole()]
        days = [d for t in totals for d in self._days(t)]
        times = [self.scans.time(t) for t in totals]
        return self.calendar.series(grain, days, only_dates=all(t is not None and t.is_date for t in times))

    def _days(self, total: Total) -> Iterator[date]:
        """The days that bound a series: of the rows in the range, or of all that may be read beside a period's own."""
        time = self.scans.time(total)
        reads_all = total.window or total.snapshot or total.shift or total.empty == "carry"
        for row in self.scans.asked(total, ()):
            start = None if reads_all else self.calendar.start
            if row.day and time and self.reader.in_range(row, start, self.calendar.end, time.is_date):
                yield row.day

    def _places(self, made: Sequence[Meaning], names: tuple[str, ...], grain: str | None) -> list[Place]:
        """The rows of a question: keys that some measure has, and without other keys each period."""
        series = self._series(grain, [t for m in made for t in totals_of(m)])
        undated = [Period(grain, None, None)] if grain else []
        found = dict.fromkeys(self._cells(made, names, [*series, *undated]))
        if not names:
            found |= dict.fromkeys(((), p) for p in series)
        return list(found)

    def _cells(self, made: Sequence[Meaning], names: tuple[str, ...], periods: Sequence[Period]) -> Iterator[Place]:
        """The keys and periods of which a metric has rows; measures that leave keys out do not count beside others."""
        grain = periods[0].grain if periods else None
        for one in made:
            leaves = list(leaves_of(one))
            giving = [leaf for leaf in leaves if isinstance(leaf, Eached) or not is_cut(leaf, names, grain)]
            for leaf in giving or [replace(t, cuts=()) for t in leaves if isinstance(t, Total)]:
                if isinstance(leaf, Eached):
                    inside = self._inner_places(leaf, names, grain)
                    yield from ((key[: len(names)], self._around(period, grain)) for key, period in inside)
                else:
                    yield from ((key, p) for p in periods for key in self.measures.keys(leaf, p, names))

    def _inner_places(self, made: Eached, names: tuple[str, ...], grain: str | None) -> list[Place]:
        """What `each` evaluates: with a grain each of its periods for all keys that occur, else what rows there are."""
        known = (made, names, grain)
        if known not in self._inner:
            inner = inner_names(made, names)
            found = self._places([made.of], inner, made.each.grain or grain)
            if made.each.grain:
                keys = dict.fromkeys(key for key, _ in found)
                series = self._series(made.each.grain, list(totals_of(made.of)))
                found = [(key, period) for key in keys for period in series]
            self._inner[known] = found
        return self._inner[known]

    def _around(self, period: Period, grain: str | None) -> Period:
        """The asked period that a shorter one is in."""
        if grain is None:
            return self.calendar.whole()
        if period.since is None or period.grain == grain:
            return period
        if isinstance(period.since, datetime):
            if grain in CLOCK:
                return self.calendar.clock_period_of(period.since, grain)
            return self.calendar.period_of(self.calendar.day(period.since), grain)
        return self.calendar.period_of(period.since, grain)

    # --- what a metric is

    def _outcome(self, made: Meaning, key: Key, period: Period, names: tuple[str, ...]) -> Outcome:
        known = (made, key, period, names)
        if known not in self._outcomes:
            self._outcomes[known] = self._made(made, key, period, names)
        return self._outcomes[known]

    def _made(self, made: Meaning, key: Key, period: Period, names: tuple[str, ...]) -> Outcome:
        match made:
            case Total():
                return self._total(made, key, period, names)
            case Formula():
                return self._formula(made, key, period, names)
            case Eached():
                return self._each(made, key, period, names)
            case Ranked():
                return self._outcome(made.of, key, period, names)

    def _total(self, total: Total, key: Key, period: Period, names: tuple[str, ...]) -> Outcome:
        """Without the keys that it leaves out."""
        if total.cuts:
            kept = [i for i, name in enumerate(names) if not total.leaves_out(name)]
            names, key = tuple(names[i] for i in kept), tuple(key[i] for i in kept)
            period = self.calendar.whole() if total.leaves_out("time") else period
        return self.measures.outcome(total, key, period, names)

    def _each(self, made: Eached, key: Key, period: Period, names: tuple[str, ...]) -> Outcome:
        inner = inner_names(made, names)
        values = [
            self._outcome(made.of, inner_key, within, inner).value
            for inner_key, within in self._inner_places(made, names, period.grain)
            if inner_key[: len(names)] == key and self._around(within, period.grain) == period
        ]
        if FRAGILE in values:
            return Outcome(FRAGILE)
        numbers = [v for v in values if isinstance(v, Number)]
        return Outcome(of_numbers(made.each.take, numbers) if numbers else None)

    def _formula(self, made: Formula, key: Key, period: Period, names: tuple[str, ...]) -> Outcome:
        inputs = {n: self._outcome(m, key, period, names) for n, m in made.inputs.items()}
        doubles = {n for n, m in made.inputs.items() if m.is_double}
        as_of = None if period.is_undated else FRAGILE if period.is_clock else self.calendar.ends_on(period)
        value = evaluated(made.term, {n: o.value for n, o in inputs.items()}, doubles, as_of)
        unknown = max(o.unknown for o in inputs.values())
        causes = self._why_null(made, inputs) if value is None else frozenset([(0, "PARTIAL" if unknown else "OK")])
        if any(not o.causes for o in inputs.values()):
            causes = frozenset()
        return Outcome(value, max(o.n for o in inputs.values()), unknown, causes)

    def _why_null(self, made: Formula, inputs: Mapping[str, Outcome]) -> frozenset[tuple[int, str]]:
        """The reasons of all inputs that are null, else of any divisor that is 0, else that it is undefined."""
        behind = [o.causes for o in inputs.values() if o.value is None]
        if behind:
            return frozenset().union(*behind)
        zero = [n for n in divisors(made.term) if may_be_zero(inputs[n].value)]
        codes = frozenset((2, made.inputs[n].codes.get("when_zero", "ZERO_DENOMINATOR")) for n in zero)
        if any(is_zero(inputs[n].value) for n in zero):
            return codes
        return codes | {(2, made.codes.get("when_unknown", "UNDEFINED"))}

    # --- over the rows of the answer

    def _rank(self, name: str, made: Ranked, values: Mapping[Place, dict[str, Outcome]]) -> None:
        """Places among the rows of a period with the same values of `within`: 1, 1, 3."""
        apart = [i for i, key in enumerate(self.query.by) if {key, key.rpartition(".")[2]} & set(made.rank.within)]
        known = {cell: row[name].value for cell, row in values.items() if row[name].value is not None}
        for (key, period), row in values.items():
            group = period, [key[i] for i in apart]
            rivals = [v for (k, p), v in known.items() if (p, [k[i] for i in apart]) == group]
            row[name] = Outcome(_place(row[name].value, rivals, is_lowest_first=made.rank.first == "lowest"))

    def _has(self, row: Mapping[str, Outcome]) -> bool:
        """Whether a row passes the condition on its values."""
        return passes(self.query.having, lambda c: _is(row[c.dimension].value, c))


def _place(value: Known, rivals: Sequence[Known], *, is_lowest_first: bool) -> Known:
    if value is None or value is FRAGILE:
        return value
    ahead = [before(r, value) if is_lowest_first else before(value, r) for r in rivals]
    return FRAGILE if FRAGILE in ahead else Number(Fraction(ahead.count(True) + 1))


def _is(value: Known, comparison: Comparison) -> bool:
    """Two-valued, as filters are; what rounding decides is not decided here."""
    asked, op = comparison.values, comparison.op
    if value is FRAGILE:
        raise FragileError
    if op is Op.IS_NULL or value is None:
        return (value is None) == asked[0] if op is Op.IS_NULL else op in (Op.NE, Op.NOT_IN)
    others = [as_known(a) for a in asked]
    less, more = [before(value, o) for o in others], [before(o, value) for o in others]
    if FRAGILE in (*less, *more):
        raise FragileError
    match op:
        case Op.LT | Op.GTE:
            return less[0] is (op is Op.LT)
        case Op.GT | Op.LTE:
            return more[0] is (op is Op.GT)
    is_one = any(not a and not b for a, b in zip(less, more, strict=True))
    return is_one == (op in (Op.EQ, Op.IN))
