"""Facts that read before the asked range: trailing windows of days, and balances that are carried forward.

Both join a table of periods to rows that were reduced first (to days, to the span of each balance), so that the raw
rows are scanned once.
"""

from sqlglot import exp

from semantic import tree
from semantic.facts import (
    ENDS_ON,
    KNOWN_ON,
    ON_DAY,
    PERIOD,
    PERIODS,
    ROWS_SUFFIX,
    UNKNOWN_SUFFIX,
    FactTables,
    aggregates,
    counts_rows,
    dimension_keys,
    has_happened,
)
from semantic.model import DAYS_PER_MONTH, Measure, Rolling
from semantic.plan import Fact, Plan, key_name
from semantic.query import Filter
from semantic.rows import Rows
from semantic.statement import Parameters

APPLIES_SUFFIX = "__applies"


def rolling_tables(plan: Plan, fact: Fact, parameters: Parameters) -> FactTables:
    """Sums of the N days before the end of each period; a day without rows adds nothing to its window."""
    model = fact.model
    rows = Rows(fact, plan.models, plan.period.zone, parameters)
    by_day, history = f"{model.name}_each_day", f"{model.name}_history"
    keys = dimension_keys(plan, rows)
    days = rows.select(
        [*keys, tree.aliased(rows.day(), ON_DAY), *aggregates(plan, fact, rows)],
        [*has_happened(plan.period, fact, rows), *rows.matching(plan.query.where)],
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
    per = next(m.snapshot.per for m in fact.measures.values() if m.snapshot)
    suffix = f"per_{'_and_'.join(per)}"
    spans, carried = f"{fact.model.name}_spans_{suffix}", f"{fact.model.name}_carried_{suffix}"
    following = exp.Window(
        this=exp.Lead(this=rows.day()),
        partition_by=[rows.own(name) for name in per],
        order=exp.Order(expressions=[exp.Ordered(this=column) for column in rows.in_order(per)]),
    )
    columns = [
        *dimension_keys(plan, rows),
        tree.aliased(rows.day(), "from_day"),
        tree.aliased(following, "until_day"),
        *(c for name, measure in fact.measures.items() for c in _balances(rows, name, measure)),
    ]
    table = _asked(rows, columns, has_happened(plan.period, fact, rows), plan.query.where)
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
    sums = [c for name, measure in fact.measures.items() for c in _balance(plan, fact, name, measure, spans)]
    tables = ((spans, table), (carried, _by_period(plan, spans, sums, in_force)))
    return FactTables(tables, tuple(fact.measures), counts_rows(plan, fact))


def _balances(rows: Rows, name: str, measure: Measure) -> list[exp.Expression]:
    """A measure's value on each row and, where the measure has a filter, whether the row passes it."""
    condition = rows.measure_condition(measure)
    applies = [] if condition is None else [tree.aliased(condition, name + APPLIES_SUFFIX)]
    return [tree.aliased(rows.value(measure), name), *applies]


def _asked(
    rows: Rows, columns: list[exp.Expression], conditions: list[exp.Expression], where: Filter | None
) -> exp.Select:
    """The spans that the question asks for. A row that it does not ask for still ends the one before it."""
    asked = [tree.aliased(condition, "is_asked") for condition in rows.matching(where)]
    every = rows.select([*columns, *asked], conditions)
    if not asked:
        return every
    names = [tree.column(c.alias) for c in columns]
    source = exp.Subquery(this=every, alias=exp.TableAlias(this=tree.name("every_span")))
    return tree.select(names, source, tree.column("is_asked"))


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
    day = tree.column(ON_DAY, source)
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
    if measure.is_count:
        value = exp.Coalesce(this=value, expressions=[tree.number(0)])
    elif plan.metrics[name].empty == "zero":
        any_rows = exp.Coalesce(this=total(name + ROWS_SUFFIX), expressions=[tree.number(0)])
        value = tree.zero_if_none(any_rows, value)
    columns = [tree.aliased(value, name)]
    if counts_rows(plan, fact) and not measure.is_its_rows:
        rows = total(name if measure.is_count else name + ROWS_SUFFIX)
        unknown = tree.number(0) if measure.is_count else total(name + UNKNOWN_SUFFIX)
        columns.append(tree.aliased(tree.cast(rows, "BIGINT"), name + ROWS_SUFFIX))
        columns.append(tree.aliased(tree.cast(unknown, "BIGINT"), name + UNKNOWN_SUFFIX))
    return columns


def _per_month(total: exp.Expression, rolling: Rolling, history: str) -> exp.Expression:
    """The mean of the days that the history has, at most the window, times the days of an average month."""
    ends_on = exp.Min(this=tree.column(ENDS_ON, PERIODS))
    first_day = exp.Min(this=tree.column("first_day", history))
    known = exp.DateDiff(this=ends_on, expression=first_day, unit=exp.Var(this="DAY"))
    days = exp.Least(this=tree.number(rolling.days), expressions=[known], ignore_nulls=True)
    return exp.Mul(this=tree.ratio(total, days), expression=tree.number(DAYS_PER_MONTH))


def _balance(plan: Plan, fact: Fact, name: str, measure: Measure, spans: str) -> list[exp.Expression]:
    value = tree.column(name, spans)
    applies = tree.column(name + APPLIES_SUFFIX, spans) if measure.where else None
    rows = tree.filtered(exp.Count(this=tree.column("from_day", spans)), applies)
    total = tree.filtered(exp.Sum(this=value), applies)
    if plan.metrics[name].empty == "zero":
        total = tree.zero_if_none(rows.copy(), total)
    columns = [tree.aliased(total, name)]
    if counts_rows(plan, fact):
        known = tree.filtered(exp.Count(this=value.copy()), applies)
        columns.append(tree.aliased(rows, name + ROWS_SUFFIX))
        columns.append(tree.aliased(exp.Sub(this=rows.copy(), expression=known), name + UNKNOWN_SUFFIX))
    return columns
