"""A metric of a metric: the inner question is answered for each part, then one value is taken of the parts."""

from sqlglot import exp

from semantic.measure import Each
from semantic.plan import Plan, key_name
from semantic.sql import dates, tree
from semantic.sql.facts import PERIOD, ROWS_SUFFIX, UNKNOWN_SUFFIX, Answer, FactTables

_TAKE: dict[str, type[exp.Expression]] = {
    "sum": exp.Sum,
    "avg": exp.Avg,
    "min": exp.Min,
    "max": exp.Max,
    "stddev": exp.StddevSamp,
}


def each_tables(plan: Plan, name: str, each: Each, answer: exp.Select, inner: Plan, label: str) -> FactTables:
    """The parts that `answer` gives, reduced to the asked keys. A part that has no value is left out, and counted."""
    keys = [key_name(k) for k in plan.query.by]
    table = f"{label}__parts"
    columns: list[exp.Expression] = [tree.column(k, table) for k in keys]
    if plan.query.grain is not None:
        columns.append(tree.aliased(_period(plan, inner, tree.column(PERIOD, table)), PERIOD))
    value = tree.column(each.of, table)
    rows, known = exp.Count(this=exp.Star()), exp.Count(this=value.copy())
    shown = [
        tree.aliased(_taken(each, value), name),
        tree.aliased(rows, name + ROWS_SUFFIX),
        tree.aliased(exp.Sub(this=rows.copy(), expression=known), name + UNKNOWN_SUFFIX),
    ]
    is_dated = tree.is_known(tree.column(PERIOD, table)) if each.grain else None
    reduced = tree.select([*columns, *shown], tree.table(table), is_dated, group_by=len(columns))
    keyed = (*keys, *([PERIOD] if plan.query.grain else []))
    made = f"{label}__each"
    return FactTables(((table, answer), (made, reduced)), (Answer(made, None, (name,), keyed),))


def _period(plan: Plan, inner: Plan, start: exp.Expression) -> exp.Expression:
    """The asked period that a part's own period is in."""
    assert plan.period.periods is not None
    if plan.period.periods == inner.period.periods:
        return start
    if not inner.period.by_clock:
        return dates.start_of(start, plan.period.periods)
    zone = plan.period.zone

    def local() -> exp.Expression:
        return dates.local_time(start.copy(), zone)

    if plan.period.by_clock:
        return dates.clock_start(start, local, plan.period.periods, zone)
    return dates.start_of(local(), plan.period.periods)


def _taken(each: Each, value: exp.Expression) -> exp.Expression:
    if each.take == "median":
        return exp.PercentileCont(this=value, expression=tree.number("0.5"))
    return _TAKE[each.take](this=value)
