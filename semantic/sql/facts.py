"""One fact -> one grouped scan, and what every kind of fact shares: the columns of a measure and what they mean."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial

from sqlglot import exp

from semantic.measure import Aggregation, Measure, Rolling, ToDate, Window
from semantic.periods import Periods
from semantic.plan import Fact, Plan, Scan, key_name, windows_of
from semantic.sql import tree
from semantic.sql.aggregate import aggregate
from semantic.sql.rows import Rows
from semantic.sql.series import Bound
from semantic.sql.statement import Parameters
from semantic.timeframe import Bounds, Reading, stretch

PERIOD = "time"
ON_DAY = "on_day"
FIRST_DAY = "first_day"
LAST_DAY = "last_day"
ROWS_SUFFIX = "__rows"
UNKNOWN_SUFFIX = "__unknown"
WHOLE_SUFFIX = "__whole"
"""Whether the history reaches back to the start of a window that is null where it does not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A table with a row per key and measures as columns; `tree` is None where the fact's own scan is the answer."""

    name: str
    tree: exp.Expression | None
    measures: tuple[str, ...]
    keys: tuple[str, ...]
    """The columns that it is joined on."""


@dataclass(frozen=True, slots=True)
class FactTables:
    """The tables of one fact: what is scanned once, then what periods read from it."""

    sources: tuple[tuple[str, exp.Expression], ...]
    answers: tuple[Answer, ...]
    days: tuple[Bound, ...] = ()
    """What says when there are rows; nothing where that is not asked by time."""

    @property
    def names(self) -> tuple[str, ...]:
        return (*(name for name, _ in self.sources), *(a.name for a in self.answers if a.tree is not None))


def needs_rows(plan: Plan, fact: Fact, name: str) -> bool:
    """Evidence asks for the rows behind a value; so does a sum that is 0 only where there are no rows."""
    measure = fact.measures[name]
    if measure.is_its_rows:
        return False
    if plan.query.evidence or measure.carry or _is_summed_up(plan, name) or _is_composed(measure, fact):
        return True
    may_lack_rows = plan.joins_facts or fact.scan is not Scan.PLAIN
    return may_lack_rows and plan.metrics[name].empty == "zero" and not measure.is_count


def needs_unknown(plan: Plan, fact: Fact, name: str) -> bool:
    """Whether the rows that do not know their value are counted too."""
    measure = fact.measures[name]
    if measure.is_its_rows:
        return False
    return plan.query.evidence or _is_summed_up(plan, name) or _is_composed(measure, fact)


def _is_summed_up(plan: Plan, name: str) -> bool:
    """Whether a total adds the values up, which has to know a 0 that stands for no rows."""
    return plan.metrics[name].empty == "zero" and any(total.of == name for total in plan.totals.values())


def _is_composed(measure: Measure, fact: Fact) -> bool:
    """Whether the value is put together from a sum and a count."""
    return measure.aggregation is Aggregation.AVG and is_parts(fact, measure)


def is_parts(fact: Fact, measure: Measure) -> bool:
    """Whether a scan holds parts of the measure's value, which each period puts together."""
    return fact.scan is Scan.DAYS or (fact.scan is Scan.PERIODS and measure.window is not None)


def plain_tables(plan: Plan, fact: Fact, parameters: Parameters) -> FactTables:
    """A scan of one stretch of time, grouped by the keys."""
    rows = Rows(plan, fact, parameters)
    bounds = stretch(plan.period, fact.reading)
    if fact.by_time and plan.period.periods:
        scan = grouped(plan, fact, rows, bounds, rows.period_start(plan.period.periods), PERIOD)
    else:
        scan = grouped(plan, fact, rows, bounds)
    name = _name(plan, fact)
    answer = Answer(name, None, tuple(fact.measures), key_columns(fact))
    time = tree.column(PERIOD, name)
    days = (Bound(name, time, time, is_period=True),) if fact.by_time else ()
    return FactTables(((name, scan),), (answer,), days)


def grouped(
    plan: Plan, fact: Fact, rows: Rows, bounds: Bounds, at: exp.Expression | None = None, alias: str = ""
) -> exp.Select:
    """The rows within bounds that are asked for, aggregated by the fact's keys and, where it is given, `at`."""
    keys = dimension_keys(fact, rows)
    if at is not None:
        keys.append(tree.aliased(at, alias))
    columns = aggregates(plan, fact, rows, fact.measures)
    return rows.select([*keys, *columns], [*rows.within(bounds), *rows.asked()], group_by=len(keys))


def key_columns(fact: Fact) -> tuple[str, ...]:
    return (*(key_name(k) for k in fact.keys), *([PERIOD] if fact.by_time else []))


def dimension_keys(fact: Fact, rows: Rows) -> list[exp.Expression]:
    return [tree.aliased(rows.key(d), key_name(d)) for d in fact.keys]


def _name(plan: Plan, fact: Fact) -> str:
    keys = [key_name(d) for d in fact.keys] + ([str(plan.query.grain)] if fact.by_time else [])
    name = f"{fact.label}_by_{'_and_'.join(keys)}" if keys else f"{fact.label}_in_all"
    return f"{name}_{reading_name(fact.reading)}" if fact.reading != Reading() else name


def reading_name(reading: Reading) -> str:
    """Words for what a reading reads, as part of a table's name."""
    words = [reading.carried and f"{reading.carried}_carried"]
    if reading.window is not None:
        words.append(_window_name(reading.window))
    if reading.shift:
        words.append(f"{reading.shift}_earlier".replace(" ", "_"))
    return "_".join(w for w in words if w)


def _window_name(window: Window) -> str:
    match window:
        case Rolling(length=length, average=average, partial=partial):
            per = f"_per_{average}" if average else ""
            usual = "scale" if average else "keep"
            return f"rolling_{length}{per}{'' if partial == usual else '_' + partial}".replace(" ", "_")
        case ToDate(grain=grain):
            return f"{grain}_to_date"
    return "so_far"


def aggregates(plan: Plan, fact: Fact, rows: Rows, names: Iterable[str]) -> list[exp.Expression]:
    """The columns of the named measures of a fact."""
    return [c for name in names for c in _columns(plan, fact, rows, name, fact.measures[name])]


def _columns(plan: Plan, fact: Fact, rows: Rows, name: str, measure: Measure) -> list[exp.Expression]:
    """The measure as a column and, where they are wanted, its rows and how many of them do not know the value."""
    condition = rows.measure_condition(measure)
    everything = tree.filtered(exp.Count(this=exp.Star()), condition)
    if measure.is_its_rows or (measure.value is None and measure.is_converted is not False):
        columns = [tree.aliased(everything, name)]
        return columns if measure.is_its_rows else columns + _counts(plan, fact, name, everything, tree.number(0))
    value = rows.value(measure)
    in_order = partial(rows.in_order, ())
    found = aggregate(measure, value, condition, in_order, as_parts=is_parts(fact, measure))
    if plan.metrics[name].type == "integer":
        found = tree.cast(found, "BIGINT")
    always_has_rows = condition is None and (fact.keys or fact.by_time)
    # What periods put together is added first: a day without rows must not turn a window of unknown values into 0.
    if plan.metrics[name].empty == "zero" and not always_has_rows and fact.scan in (Scan.PLAIN, Scan.ROWS):
        found = tree.zero_if_none(everything.copy(), found)
    unknown = tree.filtered(
        exp.Count(this=exp.Star()), tree.conjunction([*tree.parts(condition), tree.is_null(value.copy())])
    )
    return [tree.aliased(found, name), *_counts(plan, fact, name, everything, unknown)]


def _counts(
    plan: Plan, fact: Fact, name: str, everything: exp.Expression, unknown: exp.Expression
) -> list[exp.Expression]:
    columns = []
    if needs_rows(plan, fact, name):
        columns.append(tree.aliased(everything.copy(), name + ROWS_SUFFIX))
    if needs_unknown(plan, fact, name):
        columns.append(tree.aliased(unknown, name + UNKNOWN_SUFFIX))
    return columns


def seen_days(plan: Plan, fact: Fact, parameters: Parameters, name: str) -> tuple[tuple[str, exp.Expression], Bound]:
    """A table with the first and the last day on which a fact has rows that are asked for."""
    rows = Rows(plan, replace(fact, funnel=None), parameters)
    asked = plan.period.range
    bounds = Bounds(end=asked.end, day_after=asked.last_day_after)
    if fact.scan is Scan.PLAIN:  # others read before the range
        bounds = replace(bounds, start=asked.start, first_day=asked.first_day)
    seen = rows.select(
        [tree.aliased(rows.outermost_day(exp.Min), FIRST_DAY), tree.aliased(rows.outermost_day(exp.Max), LAST_DAY)],
        [*rows.within(bounds), *rows.asked()],
    )
    return (name, seen), Bound(name, tree.column(FIRST_DAY, name), tree.column(LAST_DAY, name))


def history_tables(plan: Plan, fact: Fact, parameters: Parameters) -> list[tuple[str, exp.Expression]]:
    """The first day on which the fact's model has any row that the caller may see, where a window has to know it."""
    if not windows_of(fact):
        return []
    rows = Rows(plan, replace(fact, funnel=None), parameters)
    return [(history_name(fact), rows.select([tree.aliased(rows.outermost_day(exp.Min), FIRST_DAY)], rows.seen()))]


def history_name(fact: Fact) -> str:
    return f"{fact.label}_history"


def grain_of(plan: Plan) -> Periods:
    assert plan.period.periods is not None
    return plan.period.periods
