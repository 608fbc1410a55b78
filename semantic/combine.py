"""Which modifiers and questions go together. A combination without one plain meaning is refused, never guessed."""

from collections.abc import Iterator

from sqlglot import exp

from semantic.calendar import month_number
from semantic.errors import QueryError
from semantic.measure import Aggregation, Measure, Rolling, Time, ToDate
from semantic.periods import Calendar, Duration, Periods
from semantic.timeframe import Period

_ADDITIVE = frozenset({Aggregation.SUM, Aggregation.COUNT})
_DECOMPOSABLE = frozenset({*_ADDITIVE, Aggregation.MIN, Aggregation.MAX, Aggregation.AVG})


def is_decomposable(measure: Measure) -> bool:
    """Whether the value of a stretch of time can be put together from those of its days."""
    return measure.aggregation in _DECOMPOSABLE


def adds_up(measure: Measure, *, keeps_time: bool) -> bool:
    """Whether the value over fewer keys is the sum of the values over all keys."""
    reads_own_rows = not (measure.window or measure.shift or measure.snapshot)
    if measure.snapshot and measure.snapshot.take in ("min", "max", "avg"):
        return False
    if measure.carry:  # the latest rows of all keys together are not the latest rows of each
        return False
    return measure.aggregation in _ADDITIVE and measure.average is None and (keeps_time or reads_own_rows)


def claims_in(tree: exp.Expression) -> Iterator[str]:
    """The claims of the caller that a policy compares with: `:caller.teams` is `teams`."""
    for node in tree.find_all(exp.Dot):
        if isinstance(node.this, exp.Placeholder):
            yield node.expression.name


def check_measure(name: str, measure: Measure, time: Time | None, period: Period, *, by_time: bool) -> None:
    """Raises `QueryError` where a measure cannot be read at the asked grain and range."""
    asks_time = by_time or period.range.start is not None or period.range.end is not None
    if asks_time and time is None:
        raise QueryError("NO_TIME", f"'{name}' has no time, so it cannot be cut or limited by time")
    by_clock = by_time and period.by_clock
    if by_clock and ((time and time.is_date) or measure.snapshot):
        assert period.periods is not None
        why = "a balance is known by day" if measure.snapshot else "its rows are days"
        raise QueryError(
            "NO_SUCH_GRAIN", f"'{name}' cannot be cut by {period.periods.name}: {why}; ask by day or longer"
        )
    _check_window(name, measure, period, by_clock=by_clock)
    if measure.shift:
        _check_shift(name, measure.shift, time, period, by_time=by_time)


def _check_window(name: str, measure: Measure, period: Period, *, by_clock: bool) -> None:
    window = measure.window
    if isinstance(window, Rolling) and (window.length.minutes is not None) != by_clock:
        grains = "minute or hour" if window.length.minutes is not None else "day or longer, or without a grain"
        raise QueryError("BAD_WINDOW", f"'{name}' rolls over {window.length}; ask for it by {grains}")
    if isinstance(window, ToDate):
        periods = period.calendar.periods(window.grain)
        if periods is None or periods.length.unit.is_clock:
            raise QueryError(
                "BAD_WINDOW", f"'{name}' counts to date within a {window.grain}; that takes days or longer"
            )


def _check_shift(name: str, by: Duration, time: Time | None, period: Period, *, by_time: bool) -> None:
    if by.minutes is not None and time is not None and time.is_date:
        raise QueryError("BAD_SHIFT", f"'{name}' is of days, so nothing of it is {by} earlier; shift it by days")
    if not by_time:
        period.shifted(by)
        return
    assert period.periods is not None
    if not _fits(by, period.periods):
        length = period.periods.length
        raise QueryError(
            "BAD_SHIFT",
            f"'{name}' is {by} earlier, which is not a whole number of periods of {length}; "
            f"ask by another grain, or shift by a multiple of {length}",
        )


def _fits(by: Duration, periods: Periods) -> bool:
    """Whether a period moved by `by` is a period again; a day is one in each month that has it."""
    length = periods.length
    if length.minutes is not None:
        return by.minutes is not None and by.minutes % length.minutes == 0
    if length.days is not None:
        return (by.days is not None and by.days % length.days == 0) or (by.months is not None and length.days == 1)
    assert length.months is not None
    return by.months is not None and by.months % length.months == 0


def check_nesting(calendar: Calendar, inner: str, outer: str) -> None:
    """Raises `QueryError` where the asked periods are not made of whole periods of the inner grain."""
    small, large = calendar.periods(inner), calendar.periods(outer)
    assert small is not None
    assert large is not None
    if not _is_made_of(large, small):
        raise QueryError(
            "BAD_GRAIN", f"a {outer} is not made of whole periods of {inner}; ask by another grain or by none"
        )


def _is_made_of(large: Periods, small: Periods) -> bool:
    big, part = large.length, small.length
    if part.minutes is not None:
        return big.minutes is None or big.minutes % part.minutes == 0
    if part.days == 1:
        return big.minutes is None
    apart = (large.origin - small.origin).days
    if part.days is not None:
        return big.days is not None and big.days % part.days == 0 and apart % part.days == 0
    assert part.months is not None
    months_apart = month_number(large.origin) - month_number(small.origin)
    return big.months is not None and big.months % part.months == 0 and months_apart % part.months == 0
