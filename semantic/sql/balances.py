"""Balances: each row holds for its entity until the next one. A period has one value of each entity; they are added.

A row that the question does not ask for still ends the one before it: an account that moved to another bank is no
longer with the old one.
"""

from sqlglot import exp

from semantic.measure import Measure, Snapshot
from semantic.plan import Fact, Plan, key_name, readings
from semantic.sql import tree
from semantic.sql.facts import (
    PERIOD,
    ROWS_SUFFIX,
    UNKNOWN_SUFFIX,
    Answer,
    FactTables,
    dimension_keys,
    key_columns,
    needs_rows,
    needs_unknown,
    reading_name,
)
from semantic.sql.rows import Rows
from semantic.sql.series import KNOWN_ON, TIME, Bound, Series
from semantic.sql.statement import Parameters
from semantic.timeframe import Bounds, Reading

FROM_DAY = "from_day"
UNTIL_DAY = "until_day"
BEFORE_DAY = "before_day"
FROM_TIME = "from_time"
_APPLIES = "__applies"
_ENTITY = "entity_"
_EACH: dict[str, type[exp.Expression]] = {"min": exp.Min, "max": exp.Max, "avg": exp.Avg}


def balance_tables(plan: Plan, fact: Fact, parameters: Parameters, series: Series) -> FactTables:
    """The spans of all balances, scanned once; then the sum of those in force, or seen, in each period."""
    snapshot = fact.snapshot
    assert snapshot is not None
    suffix = f"per_{'_and_'.join(snapshot.per)}" if snapshot.per else "in_all"
    spans = f"{fact.label}_spans_{suffix}"
    table = _spans(plan, fact, Rows(plan, fact, parameters), snapshot)
    answers = []
    for reading, names in readings(fact).items():
        name = f"{fact.label}_{snapshot.take}_{suffix}"
        name = f"{name}_{reading_name(reading)}" if reading != Reading() else name
        statement = _by_period(plan, fact, parameters, series, reading, names, spans)
        answers.append(Answer(name, statement, names, key_columns(fact)))
    day = tree.column(FROM_DAY, spans)
    return FactTables(((spans, table),), tuple(answers), (Bound(spans, day, day),) if fact.by_time else ())


def _spans(plan: Plan, fact: Fact, rows: Rows, snapshot: Snapshot) -> exp.Select:
    """Each row with the days from which and until which it is the last of its entity."""
    entity = [rows.own(name) for name in snapshot.per]
    columns = [
        *dimension_keys(fact, rows),
        *(
            tree.aliased(e.copy(), _ENTITY + name)
            for e, name in zip(entity, snapshot.per, strict=True)
            if _sees_rows(snapshot)
        ),
        tree.aliased(rows.day(), FROM_DAY),
        tree.aliased(_beside(exp.Lead, rows, entity, snapshot, rows.day()), UNTIL_DAY),
    ]
    if snapshot.take == "first":
        columns.append(tree.aliased(_beside(exp.Lag, rows, entity, snapshot, _begins(fact, rows)), BEFORE_DAY))
    if not fact.by_time:
        columns.append(tree.aliased(rows.time(), FROM_TIME))
    columns += [c for name, measure in fact.measures.items() for c in _values(rows, name, measure)]
    asked = [tree.aliased(condition, f"is_asked_{i}") for i, condition in enumerate(rows.asked())]
    every = rows.select(
        [*columns, *asked], rows.within(Bounds(end=plan.period.range.end, day_after=plan.period.range.last_day_after))
    )
    if not asked:
        return every
    source = tree.derived(every, "every_span")
    where = tree.conjunction(tree.column(c.alias) for c in asked)
    return tree.select([tree.column(c.alias) for c in columns], source, where)


def _sees_rows(snapshot: Snapshot) -> bool:
    return snapshot.take in _EACH


def _begins(fact: Fact, rows: Rows) -> exp.Expression:
    """What is compared with the start of a period: the day, or the moment where the range itself is the period."""
    return rows.day() if fact.by_time else rows.time()


def _beside(
    kind: type[exp.Expression], rows: Rows, entity: list[exp.Expression], snapshot: Snapshot, what: exp.Expression
) -> exp.Expression:
    """When the entity's next or previous row begins."""
    return exp.Window(
        this=kind(this=what),
        partition_by=[e.copy() for e in entity],
        order=exp.Order(expressions=[tree.ascending(column) for column in rows.in_order(snapshot.per)]),
    )


def _values(rows: Rows, name: str, measure: Measure) -> list[exp.Expression]:
    """A measure's value on each row and, where the measure has a filter, whether the row passes it."""
    condition = rows.measure_condition(measure)
    applies = [] if condition is None else [tree.aliased(condition, name + _APPLIES)]
    return [tree.aliased(rows.value(measure), name), *applies]


def _by_period(
    plan: Plan,
    fact: Fact,
    parameters: Parameters,
    series: Series,
    reading: Reading,
    names: tuple[str, ...],
    spans: str,
) -> exp.Select:
    snapshot = fact.snapshot
    assert snapshot is not None
    on = _is_read(plan, fact, parameters, series, reading, spans)
    keys = [key_name(k) for k in fact.keys]
    shown: list[exp.Expression] = [tree.aliased(tree.column(k, spans), k) for k in keys]
    if fact.by_time:
        shown.append(tree.aliased(series.column(TIME, True, reading.shift), PERIOD))
    source, table = tree.table(series.name(fact.by_time, reading.shift)), tree.table(spans)
    if not _sees_rows(snapshot):
        columns = [c for name in names for c in _sum(plan, fact, name, spans)]
        statement = tree.select([*shown, *columns], source, None, group_by=len(shown))
        tree.join(statement, table, on, side="INNER" if keys else "LEFT")
        return statement
    entity = [tree.aliased(tree.column(_ENTITY + n, spans), _ENTITY + n) for n in snapshot.per]
    each = [c for name in names for c in _of_entity(fact, name, spans, snapshot)]
    inner = tree.select([*shown, *entity, *each], source, None, group_by=len(shown) + len(entity))
    tree.join(inner, table, on, side="INNER" if keys else "LEFT")
    outer: list[exp.Expression] = [tree.column(k) for k in key_columns(fact)]
    columns = [c for name in names for c in _added(plan, fact, name)]
    return tree.select([*outer, *columns], tree.derived(inner, "entities"), None, group_by=len(outer))


def _is_read(
    plan: Plan, fact: Fact, parameters: Parameters, series: Series, reading: Reading, spans: str
) -> exp.Expression:
    """Whether a period takes a balance: the last of an entity, its first, or all of the period."""
    snapshot, shift = fact.snapshot, reading.shift
    assert snapshot is not None
    known_on = series.column(KNOWN_ON, fact.by_time, shift)
    from_day, until_day = tree.column(FROM_DAY, spans), tree.column(UNTIL_DAY, spans)
    has_begun = exp.LTE(this=from_day, expression=known_on)
    is_last = tree.unless_null(exp.GT(this=until_day, expression=known_on.copy()))
    in_force = exp.And(this=has_begun, expression=is_last)
    if snapshot.take == "last" and snapshot.carry:
        return in_force
    start = series.start(shift) if fact.by_time else _start(plan, fact, parameters, reading)
    begins = tree.column(FROM_DAY if fact.by_time else FROM_TIME, spans)
    is_inside = exp.true() if start is None else exp.GTE(this=begins, expression=start)
    if snapshot.take == "last":
        return exp.And(this=in_force, expression=is_inside)
    seen: exp.Expression = exp.And(this=is_inside, expression=has_begun.copy())
    if snapshot.take == "first":
        before = tree.column(BEFORE_DAY, spans)
        is_first = tree.is_null(before)
        if start is not None:
            is_first = tree.unless_null(exp.LT(this=before, expression=start.copy()))
        seen = exp.And(this=seen, expression=is_first)
    if not snapshot.carry or start is None:
        return seen
    is_older = exp.LT(this=begins.copy(), expression=start.copy())
    carried = exp.And(this=in_force.copy(), expression=is_older)
    return exp.Paren(this=exp.or_(seen, carried, copy=False))


def _start(plan: Plan, fact: Fact, parameters: Parameters, reading: Reading) -> exp.Expression | None:
    """Where the range begins, in the terms of the fact's time; None where it is open."""
    period = plan.period.shifted(reading.shift) if reading.shift else plan.period
    assert fact.time is not None
    start = period.range.first_day if fact.time.is_date else period.range.start
    if start is None:
        return None
    return tree.cast(parameters.bind(start), "DATE" if fact.time.is_date else "TIMESTAMP")


def _sum(plan: Plan, fact: Fact, name: str, spans: str) -> list[exp.Expression]:
    applies = tree.column(name + _APPLIES, spans) if fact.measures[name].where else None
    value = tree.column(name, spans)
    rows = tree.filtered(exp.Count(this=tree.column(FROM_DAY, spans)), applies)
    known = tree.filtered(exp.Count(this=value.copy()), applies)
    total = tree.filtered(exp.Sum(this=value), applies)
    return _shown(plan, fact, name, total, rows, exp.Sub(this=rows.copy(), expression=known))


def _of_entity(fact: Fact, name: str, spans: str, snapshot: Snapshot) -> list[exp.Expression]:
    """What an entity's rows in the period come to, and how many they are."""
    applies = tree.column(name + _APPLIES, spans) if fact.measures[name].where else None
    value = tree.column(name, spans)
    rows = tree.filtered(exp.Count(this=tree.column(FROM_DAY, spans)), applies)
    known = tree.filtered(exp.Count(this=value.copy()), applies)
    return [
        tree.aliased(tree.filtered(_EACH[snapshot.take](this=value.copy()), applies), name),
        tree.aliased(rows, name + ROWS_SUFFIX),
        tree.aliased(exp.Sub(this=rows.copy(), expression=known), name + UNKNOWN_SUFFIX),
    ]


def _added(plan: Plan, fact: Fact, name: str) -> list[exp.Expression]:
    value, rows, unknown = (exp.Sum(this=tree.column(name + s)) for s in ("", ROWS_SUFFIX, UNKNOWN_SUFFIX))
    return _shown(plan, fact, name, value, tree.coalesced(rows, tree.number(0)), unknown)


def _shown(
    plan: Plan, fact: Fact, name: str, total: exp.Expression, rows: exp.Expression, unknown: exp.Expression
) -> list[exp.Expression]:
    if plan.metrics[name].empty == "zero":
        total = tree.zero_if_none(rows.copy(), total)
    columns = [tree.aliased(total, name)]
    if needs_rows(plan, fact, name):
        columns.append(tree.aliased(rows, name + ROWS_SUFFIX))
    if needs_unknown(plan, fact, name):
        columns.append(tree.aliased(unknown, name + UNKNOWN_SUFFIX))
    return columns
