"""Facts whose periods read other rows than their own: trailing windows, everything to date, earlier periods.

The rows are scanned once and reduced to days or periods; each reading then joins the table of periods to those. What
cannot be put together from parts (a median, a distinct count) joins the periods to the rows themselves.
"""

from sqlglot import exp

from semantic.measure import Aggregation, Measure, Rolling, ToDate
from semantic.plan import Fact, Plan, Scan, is_scaled, readings
from semantic.sql import dates, tree
from semantic.sql.averages import averaged
from semantic.sql.facts import (
    FIRST_DAY,
    ON_DAY,
    PERIOD,
    ROWS_SUFFIX,
    UNKNOWN_SUFFIX,
    Answer,
    FactTables,
    aggregates,
    dimension_keys,
    grain_of,
    grouped,
    history_name,
    history_tables,
    is_parts,
    key_columns,
    needs_rows,
    needs_unknown,
    reading_name,
)
from semantic.sql.rows import Rows
from semantic.sql.series import ENDS_ON, KNOWN_ON, TIME, UNTIL, Bound, Series
from semantic.sql.statement import Parameters
from semantic.timeframe import Reading, before_range

_NEXT = "next_time"


def reading_tables(plan: Plan, fact: Fact, parameters: Parameters, series: Series) -> FactTables:
    """The tables of a fact that is read by periods, whatever its scan."""
    if fact.scan is Scan.ROWS:
        return _rows_tables(plan, fact, parameters, series)
    rows = Rows(plan, fact, parameters)
    at, alias = (rows.day(), ON_DAY) if fact.scan is Scan.DAYS else (rows.period_start(grain_of(plan)), PERIOD)
    base = f"{fact.label}_each_{'day' if fact.scan is Scan.DAYS else plan.query.grain}"
    scan = grouped(plan, fact, rows, before_range(plan.period, tuple(readings(fact))), at, alias)
    sources: list[tuple[str, exp.Expression]] = [(base, scan)]
    sources += history_tables(plan, fact, parameters)
    answers = []
    for reading, names in readings(fact).items():
        reader = _Reader(plan, fact, series, reading, names, base)
        if fact.scan is Scan.DAYS:
            tables: list[tuple[str, exp.Expression]] = [(_name(fact, reading), reader.of_days())]
        else:
            tables = reader.of_periods()
        sources += tables[:-1]
        answers.append(Answer(*tables[-1], names, key_columns(fact)))
    day = tree.column(alias, base)
    return FactTables(tuple(sources), tuple(answers), (Bound(base, day, day, is_period=alias == PERIOD),))


def whole_range_tables(plan: Plan, fact: Fact, scan: FactTables, parameters: Parameters, series: Series) -> FactTables:
    """A window at the end of the range, per unit: the scanned sum beside the history that there is."""
    (source, _), named = scan.sources[0], history_name(fact)
    ends_on = series.column(ENDS_ON, False, fact.reading.shift)
    columns: list[exp.Expression] = [tree.column(k, source) for k in key_columns(fact)]
    for name in fact.measures:
        value = averaged(_rolling(fact), tree.column(name, source), ends_on.copy(), tree.column(FIRST_DAY, named))
        columns.append(tree.aliased(value, name))
        for suffix, needs in ((ROWS_SUFFIX, needs_rows), (UNKNOWN_SUFFIX, needs_unknown)):
            columns += [tree.column(name + suffix, source)] if needs(plan, fact, name) else []
    statement = tree.select(columns, tree.table(source))
    if is_scaled(_rolling(fact)):
        tree.join(statement, tree.table(named), None)
    tree.join(statement, tree.table(series.name(False, fact.reading.shift)), None)
    answer = Answer(f"{source}_per_unit", statement, tuple(fact.measures), key_columns(fact))
    return FactTables((*scan.sources, *history_tables(plan, fact, parameters)), (answer,))


def _rolling(fact: Fact) -> Rolling:
    assert isinstance(fact.reading.window, Rolling)
    return fact.reading.window


def _name(fact: Fact, reading: Reading) -> str:
    return f"{fact.label}_{reading_name(reading) or 'of_period'}"


def _rows_tables(plan: Plan, fact: Fact, parameters: Parameters, series: Series) -> FactTables:
    """Each reading joins the periods to the rows, so a row is in as many groups as windows hold it."""
    bounds = before_range(plan.period, tuple(readings(fact)))
    answers = []
    for reading, names in readings(fact).items():
        rows = Rows(plan, fact, parameters)
        keys = [*dimension_keys(fact, rows), tree.aliased(series.column(TIME, True, reading.shift), PERIOD)]
        columns = aggregates(plan, fact, rows, names)
        statement = rows.select([*keys, *columns], [*rows.within(bounds), *rows.asked()], group_by=len(keys))
        on = _row_is_read(plan, rows, series, reading)
        tree.join(statement, tree.table(series.name(True, reading.shift)), tree.conjunction(on), side="INNER")
        answers.append(Answer(_name(fact, reading), statement, names, key_columns(fact)))
    return FactTables(tuple(history_tables(plan, fact, parameters)), tuple(answers))


def _row_is_read(plan: Plan, rows: Rows, series: Series, reading: Reading) -> list[exp.Expression]:
    window, shift = reading.window, reading.shift
    if not plan.period.by_clock:
        return _day_is_read(plan, series, reading, rows.day())
    until = series.column(UNTIL, True, shift)
    conditions: list[exp.Expression] = [exp.LT(this=rows.time(), expression=until)]
    match window:
        case Rolling(length=length):
            start = exp.Sub(this=until.copy(), expression=tree.minutes(length.minutes or 0))
            conditions.append(exp.GTE(this=rows.time(), expression=start))
        case ToDate(grain=grain):
            periods = plan.period.calendar.periods(grain)
            assert periods is not None
            local = tree.cast(dates.local_time(series.start(shift), plan.period.zone), "DATE")
            conditions.append(exp.GTE(this=rows.day(), expression=dates.start_of(local, periods)))
    return conditions


def _day_is_read(plan: Plan, series: Series, reading: Reading, day: exp.Expression) -> list[exp.Expression]:
    """Whether a period's window holds a day."""
    window, shift = reading.window, reading.shift
    if isinstance(window, Rolling):
        ends_on = series.column(ENDS_ON, True, shift)
        first = dates.moved(ends_on, window.length, -1)
        return [exp.GTE(this=day, expression=first), exp.LT(this=day.copy(), expression=ends_on.copy())]
    until = exp.LT(this=day, expression=series.column(UNTIL, True, shift))
    if window is None:
        return [exp.GTE(this=day.copy(), expression=series.start(shift)), until]
    if isinstance(window, ToDate):
        periods = plan.period.calendar.periods(window.grain)
        assert periods is not None
        at = tree.greatest(series.column(KNOWN_ON, True, shift), series.start(shift))
        return [exp.GTE(this=day.copy(), expression=dates.start_of(at, periods)), until]
    return [until]


class _Reader:
    """One reading of a fact's base table: a row for each key and period that it finds something for."""

    def __init__(
        self, plan: Plan, fact: Fact, series: Series, reading: Reading, names: tuple[str, ...], base: str
    ) -> None:
        self.plan, self.fact, self.series, self.reading, self.names, self.base = (
            plan,
            fact,
            series,
            reading,
            names,
            base,
        )
        self.keys = [k for k in key_columns(fact) if k != PERIOD]

    def of_days(self) -> exp.Select:
        """Days added up over each period's window."""
        day = tree.column(ON_DAY, self.base)
        on = _day_is_read(self.plan, self.series, self.reading, day)
        first = self.plan.period.range.first_day
        if self.reading == Reading() and first is not None:
            on.append(exp.GTE(this=day.copy(), expression=tree.day(first)))
        columns = [c for name in self.names for c in self._put_together(name)]
        statement = self._by_period(self.base, columns, on, is_grouped=True)
        if isinstance(self.reading.window, Rolling) and is_scaled(self.reading.window):
            tree.join(statement, tree.table(history_name(self.fact)), None)
        return statement

    def of_periods(self) -> list[tuple[str, exp.Expression]]:
        """An earlier period, or the last one with rows: the value in force there."""
        name = _name(self.fact, self.reading)
        if self.reading == Reading():
            return [(name, self._own_periods())]
        start = self.series.start(self.reading.shift)
        if not self.reading.carry and not self.reading.window:
            on: list[exp.Expression] = [tree.same(tree.column(PERIOD, self.base), start)]
            columns = [c for n in self.names for c in self._as_is(n, self.base)]
            return [(name, self._by_period(self.base, columns, on, is_grouped=False))]
        spans = f"{name}_spans"
        from_time, until = tree.column(PERIOD, spans), tree.column(_NEXT, spans)
        on = [exp.LTE(this=from_time, expression=start), tree.unless_null(exp.GT(this=until, expression=start.copy()))]
        columns = [c for n in self.names for c in self._as_is(n, spans)]
        return [(spans, self._spans()), (name, self._by_period(spans, columns, on, is_grouped=False))]

    def _own_periods(self) -> exp.Select:
        """Each period's own rows, without the periods before the range that others read."""
        first = self.plan.period.range.series_from
        where = exp.GTE(this=tree.column(PERIOD, self.base), expression=tree.day(first)) if first else None
        keys = [tree.column(k, self.base) for k in (*self.keys, PERIOD)]
        columns = [c for name in self.names for c in self._as_is(name, self.base)]
        return tree.select([*keys, *columns], tree.table(self.base), where)

    def _spans(self) -> exp.Select:
        """From each period with rows to the next: what was last seen (carried), or all that was seen so far."""
        columns: list[exp.Expression] = [tree.column(k) for k in (*self.keys, PERIOD)]
        following = self._over(exp.Lead(this=tree.column(PERIOD)))
        where = [tree.is_known(tree.column(PERIOD))]
        if self.reading.carry:
            (name,) = self.names
            counted = name if self.fact.measures[name].is_its_rows else name + ROWS_SUFFIX
            where.append(exp.GT(this=tree.column(counted), expression=tree.number(0)))
            shown: list[exp.Expression] = [tree.column(c) for c in self._columns(name)]
        else:
            shown = [
                tree.aliased(self._over(self._step(name, c), is_running=True), c)
                for name in self.names
                for c in self._columns(name)
            ]
        source = tree.table(self.base)
        return tree.select([*columns, *shown, tree.aliased(following, _NEXT)], source, tree.conjunction(where))

    def _over(self, function: exp.Expression, *, is_running: bool = False) -> exp.Expression:
        spec = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
        return exp.Window(
            this=function,
            partition_by=[tree.column(k) for k in self.keys],
            order=exp.Order(expressions=[tree.ascending(tree.column(PERIOD))]),
            spec=spec if is_running else None,
        )

    def _columns(self, name: str) -> list[str]:
        rows = [name + ROWS_SUFFIX] if needs_rows(self.plan, self.fact, name) else []
        unknown = [name + UNKNOWN_SUFFIX] if needs_unknown(self.plan, self.fact, name) else []
        return [name, *rows, *unknown]

    def _step(self, name: str, column: str) -> exp.Expression:
        """How parts of a value become one: counts and sums are added."""
        kind: type[exp.Expression] = exp.Sum
        if column == name:
            kinds: dict[Aggregation, type[exp.Expression]] = {Aggregation.MIN: exp.Min, Aggregation.MAX: exp.Max}
            kind = kinds.get(self.fact.measures[name].aggregation, exp.Sum)
        return kind(this=tree.column(column))

    def _as_is(self, name: str, source: str) -> list[exp.Expression]:
        """The columns of a table that holds one row for each key and period."""
        values: dict[str, exp.Expression] = {c: tree.column(c, source) for c in self._columns(name)}
        return self._finished(name, values)

    def _put_together(self, name: str) -> list[exp.Expression]:
        """The columns of a measure over all days of a window."""
        values = {}
        for column in self._columns(name):
            step = self._step(name, column)
            step.this.set("table", tree.name(self.base))
            values[column] = step
        return self._finished(name, values)

    def _finished(self, name: str, values: dict[str, exp.Expression]) -> list[exp.Expression]:
        """The value as the reader gets it: a mean from its parts, 0 where there is nothing to count, and per unit."""
        measure, value = self.fact.measures[name], values[name]
        rows, unknown = values.get(name + ROWS_SUFFIX), values.get(name + UNKNOWN_SUFFIX)
        counts = [tree.coalesced(c, tree.number(0)) for c in (rows, unknown) if c is not None]
        if measure.aggregation is Aggregation.AVG and is_parts(self.fact, measure):
            assert rows is not None
            assert unknown is not None
            known = exp.Paren(this=exp.Sub(this=rows.copy(), expression=unknown.copy()))
            value = tree.ratio(value, known)
        if measure.is_count:
            value = tree.coalesced(value, tree.number(0))
        elif rows is not None and self.plan.metrics[name].empty == "zero":
            value = tree.zero_if_none(counts[0].copy(), value)
        value = self._per_unit(measure, value)
        if self.plan.metrics[name].type == "integer":
            value = tree.cast(value, "BIGINT")
        made = [tree.aliased(value, name)]
        for suffix, count in zip([s for s in (ROWS_SUFFIX, UNKNOWN_SUFFIX) if name + s in values], counts, strict=True):
            made.append(tree.aliased(tree.cast(count.copy(), "BIGINT"), name + suffix))
        return made

    def _per_unit(self, measure: Measure, value: exp.Expression) -> exp.Expression:
        window = measure.window
        if not isinstance(window, Rolling) or window.average is None:
            return value
        ends_on = exp.Min(this=self.series.column(ENDS_ON, True, self.reading.shift))
        first_day = exp.Min(this=tree.column(FIRST_DAY, history_name(self.fact)))
        return averaged(window, value, ends_on, first_day)

    def _by_period(
        self, source: str, columns: list[exp.Expression], on: list[exp.Expression], *, is_grouped: bool
    ) -> exp.Select:
        """`source` joined to the periods; without other keys each period has a row, whether or not it has data."""
        keys: list[exp.Expression] = [tree.aliased(tree.column(k, source), k) for k in self.keys]
        keys.append(tree.aliased(self.series.column(TIME, True, self.reading.shift), PERIOD))
        periods = tree.table(self.series.name(True, self.reading.shift))
        statement = tree.select([*keys, *columns], periods, None, group_by=len(keys) if is_grouped else 0)
        tree.join(statement, tree.table(source), tree.conjunction(on), side="INNER" if self.keys else "LEFT")
        return statement
