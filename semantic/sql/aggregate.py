"""A measure's aggregate function as SQL. Rows whose value is null are in none of them but a count of rows."""

from collections.abc import Callable

from sqlglot import exp

from semantic.measure import Aggregation, Measure
from semantic.sql import tree

_UNARY: dict[Aggregation, type[exp.Expression]] = {
    Aggregation.SUM: exp.Sum,
    Aggregation.AVG: exp.Avg,
    Aggregation.MIN: exp.Min,
    Aggregation.MAX: exp.Max,
    Aggregation.STDDEV: exp.StddevSamp,
    Aggregation.APPROXIMATE_DISTINCT: exp.ApproxDistinct,
}


def aggregate(
    measure: Measure,
    value: exp.Expression,
    condition: exp.Expression | None,
    in_order: Callable[[], list[exp.Expression]],
    *,
    as_parts: bool = False,
) -> exp.Expression:
    """The aggregate over rows that pass `condition`; `in_order` puts rows one after the other, their time first.

    `as_parts`: what a mean is put together from later, its sum.
    """
    match measure.aggregation:
        case Aggregation.COUNT_DISTINCT:
            return tree.filtered(exp.Count(this=exp.Distinct(expressions=[value])), condition)
        case Aggregation.MEDIAN | Aggregation.PERCENTILE:
            function: exp.Expression = exp.PercentileCont(this=value, expression=_fraction(measure))
        case Aggregation.DISCRETE_PERCENTILE:
            function = exp.PercentileDisc(this=value, expression=_fraction(measure))
        case Aggregation.FIRST | Aggregation.LAST:
            return _outermost(measure, value, condition, in_order())
        case Aggregation.AVG if as_parts:
            function = exp.Sum(this=value)
        case _:
            function = _UNARY[measure.aggregation](this=value)
    return tree.filtered(function, condition)


def _fraction(measure: Measure) -> exp.Expression:
    return tree.number(measure.fraction or "0.5")


def _outermost(
    measure: Measure, value: exp.Expression, condition: exp.Expression | None, order: list[exp.Expression]
) -> exp.Expression:
    """The value of the first or last row among those that know their value and their time."""
    kind = exp.ArgMin if measure.aggregation is Aggregation.FIRST else exp.ArgMax
    known = [tree.is_known(value.copy()), tree.is_known(order[0].copy())]
    found = kind(this=value, expression=exp.Tuple(expressions=order))
    return tree.filtered(found, tree.conjunction([*tree.parts(condition), *known]))
