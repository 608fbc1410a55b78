"""Plan -> Statement. Each fact becomes a table of its own; they are joined on the asked keys; formulas come last."""

from collections.abc import Callable

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
    plain_tables,
)
from semantic.formula import formula_tree
from semantic.model import Formula, Grain
from semantic.plan import Fact, Plan, Shape, key_name
from semantic.statement import Columns, Parameters, Statement
from semantic.windows import rolling_tables, snapshot_tables

KEYS = "keys"
_TABLES: dict[Shape, Callable[[Plan, Fact, Parameters], FactTables]] = {
    Shape.PLAIN: plain_tables,
    Shape.ROLLING: rolling_tables,
    Shape.SNAPSHOT: snapshot_tables,
}


def compile_plan(plan: Plan) -> Statement:
    """The one statement that answers a plan."""
    parameters = Parameters()
    facts = [_TABLES[fact.shape](plan, fact, parameters) for fact in plan.facts]
    keys = [*(key_name(d) for d in plan.query.by), *([PERIOD] if plan.query.grain else [])]
    tables = _tables(plan, facts, keys, parameters)
    columns = Columns(tuple(keys), plan.query.metrics, _hidden(plan))
    statement = _joined(plan, facts, keys, columns, parameters)
    _order(statement, plan, keys)
    if plan.query.limit is not None:
        statement.set("limit", exp.Limit(expression=tree.number(plan.query.limit + 1)))
    tree.with_tables(statement, tables)
    sql = statement.sql(dialect="duckdb", pretty=True)
    return Statement(sql, parameters.values, columns, statement, plan.query.limit)


def _tables(
    plan: Plan, facts: list[FactTables], keys: list[str], parameters: Parameters
) -> list[tuple[str, exp.Expression]]:
    plain = [table for fact, made in zip(plan.facts, facts, strict=True) for table in made.tables if _is_plain(fact)]
    windows = [
        table for fact, made in zip(plan.facts, facts, strict=True) for table in made.tables if not _is_plain(fact)
    ]
    first = [t for t in windows if not _reads_periods(t[1])]
    tables = [*plain, *first]
    if _needs_periods(plan):
        tables.append((PERIODS, _periods(plan, facts, parameters)))
    tables += [t for t in windows if _reads_periods(t[1])]
    if plan.joins_facts:
        tables.append((KEYS, _keys(plan, facts, keys)))
    return tables


def _is_plain(fact: Fact) -> bool:
    return fact.shape is Shape.PLAIN


def _reads_periods(table: exp.Expression) -> bool:
    return any(t.name == PERIODS for t in table.find_all(exp.Table))


def _needs_periods(plan: Plan) -> bool:
    return plan.fills_gaps or not all(_is_plain(f) for f in plan.facts) or _uses_as_of(plan)


def _uses_as_of(plan: Plan) -> bool:
    trees = [m.definition.tree for m in plan.metrics.values() if isinstance(m.definition, Formula)]
    return any(c.name == "as_of" for t in trees for c in t.find_all(exp.Column))


def _periods(plan: Plan, facts: list[FactTables], parameters: Parameters) -> exp.Expression:
    period = plan.period
    ends_on, known_on = (tree.cast(parameters.bind(day), "DATE") for day in (period.ends_on, period.known_on))
    if period.grain is None:
        return tree.select([tree.aliased(ends_on, ENDS_ON), tree.aliased(known_on, KNOWN_ON)])
    starts = tree.select([tree.aliased(_series(plan, facts, period.grain, parameters), PERIOD)])
    following = tree.cast(
        exp.Add(this=tree.column(PERIOD), expression=_step(period.grain)),
        "DATE",
    )
    last_day = tree.days_after(following.copy(), tree.number(-1))
    return tree.select(
        [
            tree.aliased(tree.cast(tree.column(PERIOD), "DATE"), PERIOD),
            tree.aliased(exp.Least(this=following, expressions=[ends_on], ignore_nulls=True), ENDS_ON),
            tree.aliased(exp.Least(this=last_day, expressions=[known_on], ignore_nulls=True), KNOWN_ON),
        ],
        exp.Subquery(this=starts, alias=exp.TableAlias(this=tree.name("starts"))),
    )


def _step(grain: Grain) -> exp.Expression:
    return exp.Interval(this=tree.text("1"), unit=exp.Var(this=grain.upper()))


def _series(plan: Plan, facts: list[FactTables], grain: Grain, parameters: Parameters) -> exp.Expression:
    """The first days of all periods from the asked start, or the first with data, to the asked end, or the last."""
    first, after = plan.period.series_from, plan.period.last_day_after
    low = _truncated(parameters.bind(first), grain) if first else _data_bound(plan, facts, grain, exp.Min)
    if after:
        high: exp.Expression = tree.days_after(tree.cast(parameters.bind(after), "DATE"), tree.number(-1))
    else:
        high = _data_bound(plan, facts, grain, exp.Max)
    return exp.Explode(this=exp.GenerateSeries(start=low, end=high, step=_step(grain)))


def _truncated(day: exp.Expression, grain: Grain) -> exp.Expression:
    return tree.cast(exp.TimestampTrunc(this=tree.cast(day, "DATE"), unit=exp.Var(this=grain.upper())), "DATE")


def _data_bound(plan: Plan, facts: list[FactTables], grain: Grain, bound: type[exp.Min | exp.Max]) -> exp.Expression:
    """The first or last period that any fact has rows in."""
    parts = []
    for fact, made in zip(plan.facts, facts, strict=True):
        source = made.tables[0][0]
        column = {Shape.PLAIN: PERIOD, Shape.ROLLING: ON_DAY, Shape.SNAPSHOT: "from_day"}[fact.shape]
        day = tree.column(column, source)
        start = day if _is_plain(fact) else _truncated(day, grain)
        parts.append(tree.select([tree.aliased(bound(this=start), "day")], tree.table(source)))
    inner = exp.Subquery(this=tree.union(parts), alias=exp.TableAlias(this=tree.name("bounds")))
    return exp.Subquery(this=tree.select([bound(this=tree.column("day"))], inner))


def _keys(plan: Plan, facts: list[FactTables], keys: list[str]) -> exp.Expression:
    """Every combination of keys that some fact has."""
    sources = [PERIODS] if plan.fills_gaps else []
    sources += [made.name for made in facts]
    return tree.union([tree.select([tree.column(k) for k in keys], tree.table(source)) for source in sources])


def _joined(
    plan: Plan, facts: list[FactTables], keys: list[str], columns: Columns, parameters: Parameters
) -> exp.Select:
    if plan.joins_facts:
        statement = tree.select(_outputs(plan, facts, KEYS, columns, parameters), tree.table(KEYS))
        for made in facts:
            on = [tree.same(tree.column(k, KEYS), tree.column(k, made.name)) for k in keys]
            tree.join(statement, tree.table(made.name), tree.conjunction(on))
    else:
        first, *others = [made.name for made in facts]
        statement = tree.select(_outputs(plan, facts, first, columns, parameters), tree.table(first))
        for other in others:
            tree.join(statement, tree.table(other), None)
    if _uses_as_of(plan):
        owner = KEYS if plan.joins_facts else facts[0].name
        on_period = tree.same(tree.column(PERIOD, owner), tree.column(PERIOD, PERIODS)) if plan.query.grain else None
        tree.join(statement, tree.table(PERIODS), on_period)
    return statement


def _outputs(
    plan: Plan, facts: list[FactTables], keys_from: str, columns: Columns, parameters: Parameters
) -> list[exp.Expression]:
    known = _measure_columns(plan, facts, is_joined=keys_from == KEYS)
    known["as_of"] = tree.column(ENDS_ON, PERIODS)
    values: dict[str, exp.Expression] = {}
    for name, metric in plan.metrics.items():
        definition = metric.definition
        values[name] = (
            formula_tree(definition.tree, {**known, **values}) if isinstance(definition, Formula) else known[name]
        )
    outputs: list[exp.Expression] = [tree.aliased(tree.column(k, keys_from), k) for k in columns.keys]
    found = {**known, **values}
    return [*outputs, *(tree.aliased(found[name].copy(), name) for name in (*columns.metrics, *columns.hidden))]


def _measure_columns(plan: Plan, facts: list[FactTables], *, is_joined: bool) -> dict[str, exp.Expression]:
    """Each measure as the final SELECT sees it: 0 where its fact has no row for a key and no rows mean 0."""
    found: dict[str, exp.Expression] = {}
    for fact, made in zip(plan.facts, facts, strict=True):
        for name, measure in fact.measures.items():
            value: exp.Expression = tree.column(name, made.name)
            if is_joined and plan.metrics[name].empty == "zero" and measure.column is not None:
                absent = exp.Is(this=tree.column(name + ROWS_SUFFIX, made.name), expression=exp.null())
                value = exp.Case(ifs=[exp.If(this=absent, true=tree.number(0))], default=value)
            elif is_joined and measure.is_count:
                value = exp.Coalesce(this=value, expressions=[tree.number(0)])
            found[name] = value
            if made.has_rows and not measure.is_its_rows:
                for suffix in (ROWS_SUFFIX, UNKNOWN_SUFFIX):
                    count = tree.column(name + suffix, made.name)
                    found[name + suffix] = exp.Coalesce(this=count, expressions=[tree.number(0)])
    return found


def _hidden(plan: Plan) -> tuple[str, ...]:
    """What evidence needs beside the asked metrics: their inputs, and the counts behind each measure."""
    if not plan.query.evidence:
        return ()
    inputs = [name for name in plan.metrics if name not in plan.query.metrics]
    counted = [n for f in plan.facts for n, m in f.measures.items() if not m.is_its_rows]
    return (*inputs, *(n + suffix for n in counted for suffix in (ROWS_SUFFIX, UNKNOWN_SUFFIX)))


def _order(statement: exp.Select, plan: Plan, keys: list[str]) -> None:
    """The asked order, then the keys, so that equal values and cut answers come out the same each time."""
    asked = [(key_name(o.by), o.direction == "desc") for o in plan.query.order_by]
    if not asked and plan.query.grain:
        asked = [(PERIOD, False)]
    rest = [(k, False) for k in keys if k not in {name for name, _ in asked}]
    ordered = [exp.Ordered(this=tree.column(n), desc=desc, nulls_first=False) for n, desc in (*asked, *rest)]
    if ordered:
        statement.set("order", exp.Order(expressions=ordered))
