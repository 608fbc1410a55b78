"""One fact -> one grouped scan: rows aggregated alone at the asked keys. Also what every kind of fact shares."""

from dataclasses import dataclass

from sqlglot import exp

from semantic import tree
from semantic.model import Aggregation, Measure
from semantic.plan import Fact, Period, Plan, Shape, key_name
from semantic.rows import Rows
from semantic.statement import Parameters

PERIODS = "periods"
PERIOD = "time"
ENDS_ON = "ends_on"
KNOWN_ON = "known_on"
ON_DAY = "on_day"
ROWS_SUFFIX = "__rows"
UNKNOWN_SUFFIX = "__unknown"

_UNARY: dict[Aggregation, type[exp.Expression]] = {
    Aggregation.SUM: exp.Sum,
    Aggregation.AVG: exp.Avg,
    Aggregation.MIN: exp.Min,
    Aggregation.MAX: exp.Max,
}


@dataclass(frozen=True, slots=True)
class FactTables:
    """The tables of one fact, in order; the last holds a row per key and the measures as columns."""

    tables: tuple[tuple[str, exp.Expression], ...]
    measures: tuple[str, ...]
    has_rows: bool
    """Whether each measure also has `__rows` and `__unknown`."""

    @property
    def name(self) -> str:
        return self.tables[-1][0]


def counts_rows(plan: Plan, fact: Fact) -> bool:
    """Evidence asks for the rows behind a value; so does a sum that is 0 only where there are no rows."""
    if plan.query.evidence:
        return True
    may_lack_rows = plan.joins_facts or fact.shape is not Shape.PLAIN
    return may_lack_rows and any(
        plan.metrics[name].empty == "zero" and measure.column is not None for name, measure in fact.measures.items()
    )


def plain_tables(plan: Plan, fact: Fact, parameters: Parameters) -> FactTables:
    """A scan of the range, grouped by the keys."""
    rows = Rows(fact, plan.models, plan.period.zone, parameters)
    keys = dimension_keys(plan, rows)
    if plan.query.grain:
        keys.append(tree.aliased(rows.period_start(plan.query.grain), PERIOD))
    columns = aggregates(plan, fact, rows)
    period = plan.period
    conditions = [*_in_range(period, fact, rows), *rows.matching(plan.query.where)]
    scan = rows.select([*keys, *columns], conditions, group_by=len(keys))
    return FactTables(((_name(plan, fact), scan),), tuple(fact.measures), counts_rows(plan, fact))


def _in_range(period: Period, fact: Fact, rows: Rows) -> list[exp.Expression]:
    """The asked range; a fact of days ends with the day of the question where the range leaves its end open."""
    if not fact.model.time_is_date:
        return rows.in_range(period.start, period.end)
    if period.last_day_after is not None:
        return rows.in_range(period.first_day, period.last_day_after)
    return [*rows.in_range(period.first_day, None), *has_happened(period, fact, rows)]


def has_happened(period: Period, fact: Fact, rows: Rows) -> list[exp.Expression]:
    """For a fact of days: not later than the question. A row without a day is kept; a start drops it anyway."""
    if not fact.model.time_is_date:
        return []
    return [rows.or_undated(bound) for bound in rows.in_range(None, period.day_after_question)]


def _name(plan: Plan, fact: Fact) -> str:
    keys = [key_name(d) for d in plan.query.by] + ([plan.query.grain] if plan.query.grain else [])
    return f"{fact.model.name}_by_{'_and_'.join(keys)}"[:60] if keys else f"{fact.model.name}_in_all"


def dimension_keys(plan: Plan, rows: Rows) -> list[exp.Expression]:
    return [tree.aliased(rows.key(d), key_name(d)) for d in plan.query.by]


def aggregates(plan: Plan, fact: Fact, rows: Rows) -> list[exp.Expression]:
    """The columns of all measures of a fact."""
    return [c for name, measure in fact.measures.items() for c in _columns(plan, fact, rows, name, measure)]


def _columns(plan: Plan, fact: Fact, rows: Rows, name: str, measure: Measure) -> list[exp.Expression]:
    """The measure as a column and, where they are wanted, its rows and how many of them do not know the value."""
    condition = rows.measure_condition(measure)
    everything = tree.filtered(exp.Count(this=exp.Star()), condition)
    if measure.column is None:
        return [tree.aliased(everything, name)]
    value = rows.value(measure)
    aggregate = tree.filtered(_aggregate(measure, value), condition)
    if plan.metrics[name].type == "integer":
        aggregate = tree.cast(aggregate, "BIGINT")
    always_has_rows = condition is None and (plan.query.by or plan.query.grain)
    # The days of a window are added first: a day without rows must not turn a window of unknown values into 0.
    if plan.metrics[name].empty == "zero" and not always_has_rows and fact.shape is Shape.PLAIN:
        aggregate = tree.zero_if_none(everything.copy(), aggregate)
    columns = [tree.aliased(aggregate, name)]
    if counts_rows(plan, fact):
        is_unknown = exp.Is(this=tree.operand(value.copy()), expression=exp.null())
        unknown = tree.conjunction([c for c in (condition, is_unknown) if c is not None])
        columns.append(tree.aliased(everything.copy(), name + ROWS_SUFFIX))
        columns.append(tree.aliased(tree.filtered(exp.Count(this=exp.Star()), unknown), name + UNKNOWN_SUFFIX))
    return columns


def _aggregate(measure: Measure, value: exp.Expression) -> exp.Expression:
    match measure.aggregation:
        case Aggregation.COUNT_DISTINCT:
            return exp.Count(this=exp.Distinct(expressions=[value]))
        case Aggregation.MEDIAN | Aggregation.PERCENTILE:
            assert measure.fraction is not None
            return exp.PercentileCont(this=value, expression=tree.number(measure.fraction))
    return _UNARY[measure.aggregation](this=value)
