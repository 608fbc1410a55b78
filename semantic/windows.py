"""Facts that read before the asked range: trailing windows of days, and balances that are carried forward.

Both join a table of periods to rows that were reduced first (to days, to the span of each balance), so that the raw
rows are scanned once.
"""

from sqlglot import exp

from semantic import tree
from semantic.facts import (
    ENDS_ON,
    KNOWN_ON,
    PERIOD,
    PERIODS,
    ROWS_SUFFIX,
    UNKNOWN_SUFFIX,
    FactTables,
    aggregates,
    counts_rows,
    dimension_keys,
    key_name,
)
from semantic.model import DAYS_PER_MONTH, Measure, Rolling
from semantic.plan import Fact, Plan
from semantic.rows import Rows
from semantic.statement import Parameters


def rolling_tables(plan: Plan, fact: Fact, parameters: Parameters) -> FactTables:
    """Sums of the N days before the end of each period; a day without rows adds nothing to its window."""
    model = fact.model
    rows = Rows(fact, plan.models, plan.period.zone, parameters)
    by_day, history = f"{model.name}_by_day", f"{model.name}_history"
    keys = dimension_keys(plan, rows)
    days = rows.select(
        [*keys, tree.aliased(rows.day(), "day"), *aggregates(plan, fact, rows)],
        rows.matching(plan.query.where),
        group_by=len(keys) + 1,
    )
    whole = Rows(fact, plan.models, plan.period.zone, parameters)
    start = whole.select([tree.aliased(exp.Min(this=whole.day()), "first_day")], [])
    columns = [c for name, measure in fact.measures.items() for c in _window(plan, fact, name, measure, by_day)]
    longest = max(m.rolling.days for m in fact.measures.values() if m.rolling)
    statement = _by_period(plan, by_day, columns, _days_before_end(by_day, longest))
    tree.join(statement, tree.table(history), None)
    tables = ((by_day, days), (history, start), (f"{model.name}_rolling", statement))
    return FactTables(tables, tuple(fact.measures), counts_rows(plan, fact))


def snapshot_tables(plan: Plan, fact: Fact, parameters: Parameters) -> FactTables:
    """The sum over entities of the balance in force on the last known day of each period."""
    rows = Rows(fact, plan.models, plan.period.zone, parameters)
    spans = f"{fact.model.name}_spans"
    per = next(m.snapshot.per for m in fact.measures.values() if m.snapshot)
    following = exp.Window(
        this=exp.Lead(this=rows.day()),
        partition_by=[rows.own(name) for name in per],
        order=exp.Order(expressions=[exp.Ordered(this=rows.day())]),
    )
    columns = [
        *dimension_keys(plan, rows),
        tree.aliased(rows.day(), "from_day"),
        tree.aliased(following, "until_day"),
        *(tree.aliased(rows.value(measure), name) for name, measure in fact.measures.items()),
    ]
    table = rows.select(columns, rows.matching(plan.query.where))
    in_force = [
        exp.LTE(this=tree.column("from_day", spans), expression=tree.column(KNOWN_ON, PERIODS)),
        exp.Paren(
            this=exp.or_(
                exp.Is(this=tree.column("until_day", spans), expression=exp.null()),
                exp.GT(this=tree.column("until_day", spans), expression=tree.column(KNOWN_ON, PERIODS)),
                copy=False,
            )
        ),
    ]
    sums = [c for name in fact.measures for c in _balance(plan, fact, name, spans)]
    tables = ((spans, table), (f"{fact.model.name}_carried", _by_period(plan, spans, sums, in_force)))
    return FactTables(tables, tuple(fact.measures), counts_rows(plan, fact))


def _by_period(plan: Plan, source: str, columns: list[exp.Expression], on: list[exp.Expression]) -> exp.Select:
    """`source` joined to the periods; without other keys each period has a row, whether or not it has data."""
    names = [key_name(d) for d in plan.query.by]
    keys: list[exp.Expression] = [tree.aliased(tree.column(n, source), n) for n in names]
    if plan.query.grain:
        keys.append(tree.aliased(tree.column(PERIOD, PERIODS), PERIOD))
    statement = tree.select([*keys, *columns], tree.table(PERIODS), None, group_by=len(keys))
    tree.join(statement, tree.table(source), tree.conjunction(on), side="INNER" if names else "LEFT")
    return statement


def _days_before_end(source: str, days: int) -> list[exp.Expression]:
    ends_on = tree.column(ENDS_ON, PERIODS)
    first = tree.days_after(ends_on, tree.number(-days))
    day = tree.column("day", source)
    return [exp.GTE(this=day, expression=first), exp.LT(this=day.copy(), expression=ends_on.copy())]


def _window(plan: Plan, fact: Fact, name: str, measure: Measure, by_day: str) -> list[exp.Expression]:
    rolling = measure.rolling
    assert rolling is not None
    longest = max(m.rolling.days for m in fact.measures.values() if m.rolling)
    own = None if rolling.days == longest else _days_before_end(by_day, rolling.days)[0]

    def total(column: str) -> exp.Expression:
        return tree.filtered(exp.Sum(this=tree.column(column, by_day)), own)

    value = total(name)
    if rolling.per_month:
        value = _per_month(value, rolling, f"{fact.model.name}_history")
    if plan.metrics[name].empty == "zero":
        rows = exp.Coalesce(this=total(name + ROWS_SUFFIX), expressions=[tree.number(0)])
        value = tree.zero_if_none(rows, value)
    columns = [tree.aliased(value, name)]
    if counts_rows(plan, fact):
        counts = (name + ROWS_SUFFIX, name + UNKNOWN_SUFFIX)
        columns += [tree.aliased(tree.cast(total(count), "BIGINT"), count) for count in counts]
    return columns


def _per_month(total: exp.Expression, rolling: Rolling, history: str) -> exp.Expression:
    """The mean of the days that the history has, at most the window, times the days of an average month."""
    ends_on = exp.Min(this=tree.column(ENDS_ON, PERIODS))
    first_day = exp.Min(this=tree.column("first_day", history))
    known = exp.DateDiff(this=ends_on, expression=first_day, unit=exp.Var(this="DAY"))
    days = exp.Least(this=tree.number(rolling.days), expressions=[known], ignore_nulls=True)
    return exp.Mul(this=tree.ratio(total, days), expression=tree.number(DAYS_PER_MONTH))


def _balance(plan: Plan, fact: Fact, name: str, spans: str) -> list[exp.Expression]:
    value = tree.column(name, spans)
    rows = exp.Count(this=tree.column("from_day", spans))
    total: exp.Expression = exp.Sum(this=value)
    if plan.metrics[name].empty == "zero":
        total = tree.zero_if_none(rows.copy(), total)
    columns = [tree.aliased(total, name)]
    if counts_rows(plan, fact):
        known = exp.Count(this=value.copy())
        columns.append(tree.aliased(rows, name + ROWS_SUFFIX))
        columns.append(tree.aliased(exp.Sub(this=rows.copy(), expression=known), name + UNKNOWN_SUFFIX))
    return columns
