"""One measure at one combination of keys and one period: its value, and what stands behind it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from fractions import Fraction

from tests.semantic.brute_calendar import Calendar, Period, before, plus_months
from tests.semantic.brute_funnel import converted_at, seconds
from tests.semantic.brute_meaning import Total
from tests.semantic.brute_numbers import ZERO, Known, Member, Number, aggregate, divided, multiplied, of_numbers
from tests.semantic.brute_reading import Reader, Scans, Seen
from tests.semantic.worlds import Cell, Window

DAYS = {"day": "1", "week": "7", "month": "30.4375", "quarter": "91.3125", "year": "365.25"}
MONTHS = {"month": 1, "quarter": 3, "year": 12}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one metric is at one combination of keys."""

    value: Known
    n: int = 0
    unknown: int = 0
    causes: frozenset[tuple[int, str]] = frozenset()
    """What may be told of it: the status of a value that is known, or reasons with their rank, the lowest first.
    Nothing where the definition does not say."""

    @property
    def statuses(self) -> frozenset[str]:
        first = min(rank for rank, _ in self.causes)
        return frozenset(code for rank, code in self.causes if rank in (first, ANY_RANK))


ANY_RANK = 9
"""Of a reason that is not ordered among the others."""


class Measures:
    def __init__(self, calendar: Calendar, scans: Scans, reader: Reader) -> None:
        self.calendar, self.scans, self.reader = calendar, scans, reader
        self._by_key: dict[tuple[object, ...], dict[tuple[Cell, ...], list[Seen]]] = {}

    def keys(self, total: Total, period: Period, names: tuple[str, ...]) -> Iterator[tuple[Cell, ...]]:
        """The keys of which a measure reads a row; it need not pass its own conditions, but what is carried does."""
        if total.snapshot:
            every = self.reader.balances(total, period, self.scans.of(total, names))
            yield from (row.keys for rows in every for row in rows if row.is_asked)
            return
        is_carried = total.empty == "carry" and period.grain is not None
        for key, rows in self._rows(total, names).items():
            if self.reader.read(total, period, [r for r in rows if not is_carried or self._passes(total, r)]):
                yield key

    def _rows(self, total: Total, names: tuple[str, ...]) -> Mapping[tuple[Cell, ...], list[Seen]]:
        known = (total.model, self.scans.time(total), names)
        if known not in self._by_key:
            found = self._by_key[known] = {}
            for row in self.scans.asked(total, names):
                found.setdefault(row.keys, []).append(row)
        return self._by_key[known]

    def outcome(self, total: Total, key: tuple[Cell, ...], period: Period, names: tuple[str, ...]) -> Outcome:
        if total.shift and not period.is_undated and self.reader.moved(total, period).is_missing:
            return Outcome(None, causes=self._causes(total, None, 0, 0))
        if total.snapshot:
            return self._balance(total, key, period, names)
        rows = [r for r in self._rows(total, names).get(key, []) if self._passes(total, r)]
        rows = self.reader.read(total, period, rows)
        members = [self._member(total, r) for r in rows]
        if total.kind in ("first", "last"):
            dated = [r for r in self.reader.in_order(total, rows) if r.moment is not None]
            ordered = [self._member(total, r) for r in dated]
        else:
            ordered = members
        known = [m for m in ordered if m is not None]
        value = aggregate(
            total.kind, known, p=total.p, is_discrete=total.is_discrete, is_approximate=total.is_approximate
        )
        missing = members.count(None)
        if not rows and not total.is_count:
            value = self._nothing(total)
        if total.window and total.window.kind == "rolling":
            if self._is_partial(total, total.window, period):
                return self._partial(total, len(rows), missing)
            if total.window.average and isinstance(value, Number) and not period.is_undated:
                value = self._mean(total, total.window, value, period)
        return Outcome(value, len(rows), missing, self._causes(total, value, len(rows), missing))

    def _passes(self, total: Total, row: Seen) -> bool:
        table = self.scans.table(total)
        if not all(self.scans.rows.is_true((table, row.line), t) for t in total.tests):
            return False
        return total.output != "count" or self._converted(total, row) is not None

    def _member(self, total: Total, row: Seen) -> Member:
        """The value of a row; True where rows are counted."""
        if total.output == "time":
            at = self._converted(total, row)
            return None if at is None or row.moment is None else seconds(row.moment, at)
        return self.scans.rows.scalar((self.scans.table(total), row.line), total.value) if total.value else True

    def _converted(self, total: Total, row: Seen) -> datetime | None:
        assert total.funnel
        return converted_at(self.scans.rows, total.funnel, row.line, row.moment, self.calendar.as_of)

    def _balance(self, total: Total, key: tuple[Cell, ...], period: Period, names: tuple[str, ...]) -> Outcome:
        """The sum over entities."""
        assert total.snapshot
        values: list[Number] = []
        n = missing = 0
        for every in self.reader.balances(total, period, self.scans.of(total, names)):
            rows = [r for r in every if r.is_asked and r.keys == key and self._passes(total, r)]
            members = [self._member(total, r) for r in rows]
            n, missing = n + len(rows), missing + members.count(None)
            known = [m for m in members if m is not None]
            take = total.snapshot.take if total.snapshot.take in ("min", "max", "avg") else "last"
            if isinstance(found := aggregate(take, known), Number):
                values.append(found)
        value = of_numbers("sum", values) if values else None
        if not n:
            value = self._nothing(total)
        causes = self._causes(total, value, n, missing)
        return Outcome(value, n, missing, causes if take_is_one(total) else frozenset())

    def _nothing(self, total: Total) -> Number | None:
        """The value over no rows."""
        return replace(ZERO, is_double=total.is_double) if total.empty == "zero" else None

    def _causes(self, total: Total, value: Known, n: int, missing: int) -> frozenset[tuple[int, str]]:
        if total.output == "time" or total.is_approximate:
            return frozenset()
        if value is None and missing:
            return frozenset([(0, total.codes.get("when_unknown", "UNKNOWN"))])
        if value is None and total.window and total.window.partial == "null" and n:
            return frozenset((1, code) for code in ("UNDEFINED", "PARTIAL_WINDOW"))
        if value is None:
            return frozenset([(1, "UNDEFINED" if n else total.codes.get("when_empty", "NO_DATA"))])
        bound = "LOWER_BOUND" if total.kind == "sum" else "PARTIAL"
        return frozenset([(0, bound if missing else "OK")])

    # --- means and partial windows

    def _partial(self, total: Total, n: int, unknown: int) -> Outcome:
        """Null, for the window begins before the history; that there are no rows, or none that knows, is as true."""
        codes = {"PARTIAL_WINDOW"}
        codes |= {total.codes.get("when_empty", "NO_DATA")} if not n else set()
        codes |= {total.codes.get("when_unknown", "UNKNOWN")} if n and n == unknown else set()
        return Outcome(None, n, unknown, frozenset((ANY_RANK, code) for code in codes))

    def _history(self, total: Total) -> date | None:
        """The first day of any row of the model that the caller may see."""
        return min((r.day for r in self.scans.of(total, ()) if r.is_permitted and r.day is not None), default=None)

    def _is_partial(self, total: Total, window: Window, period: Period) -> bool:
        if window.partial != "null":
            return False
        assert window.length
        first = self._history(total)
        if first is None or period.is_undated:
            return True
        moved = self.reader.moved(total, period)
        return before(self.calendar.ends_on(moved), window.length) < first

    def _mean(self, total: Total, window: Window, value: Number, period: Period) -> Known:
        """Per unit: over the days, or the months, that the window has, or that history has in it."""
        assert window.length
        first = self._history(total)
        ends_on = self.calendar.ends_on(self.reader.moved(total, period))
        is_scaled = window.partial != "keep"
        if is_scaled and (first is None or ends_on <= first):  # then no row is in the window, and the sum is a 0
            return divided(value, Number(Fraction(1)))
        first = first or ends_on
        if window.length.days:
            days = min(window.length.days, (ends_on - first).days) if is_scaled else window.length.days
            factor, over = Fraction(DAYS[window.average]), days
        else:
            factor, over = Fraction(MONTHS[window.average]), window.length.months
            known = next(k for k in range(1, over + 1) if k == over or plus_months(ends_on, -k) <= first)
            over = known if is_scaled else over
        mean = divided(value, Number(Fraction(over)))
        assert isinstance(mean, Number)
        return multiplied(mean, Number(factor))


def take_is_one(total: Total) -> bool:
    """Whether the balance of an entity is that of one row."""
    return total.snapshot is not None and total.snapshot.take in ("last", "first")
