"""Spark and what speaks its SQL: of the same words, percentiles would be approximate and casts cut digits off."""

from sqlglot import exp

from semantic.dialects.doubles import is_double
from semantic.dialects.passes import (
    INTEGERS,
    Pass,
    backslashes_are_plain,
    filter_of,
    function,
    local_time,
    on,
    quotients_are_doubles,
    series_in,
    times_without_zone,
    unknown_wins,
)
from semantic.sql import tree


@on(exp.AtTimeZone)
def clocks_of_zones(node: exp.AtTimeZone) -> exp.Expression:
    found = local_time(node)
    if found is None:
        return node
    instant, zone = found
    return function("convert_timezone", exp.Literal.string("UTC"), zone, instant)


@on(exp.Select)
def series_that_may_be_empty(node: exp.Select) -> exp.Expression:
    """A sequence that ends before it starts is an error, not empty."""
    found = series_in(node)
    if found is not None:
        _, series, _ = found
        low, high = series.args["start"], series.args["end"]
        in_order = exp.LTE(this=low.copy(), expression=high.copy())
        node.expressions[0].this.set("this", exp.Case(ifs=[exp.If(this=in_order, true=series)]))
    return node


@on(exp.PercentileCont)
def exact_percentiles(node: exp.PercentileCont) -> exp.Expression:
    return function("percentile", node.this, node.expression)


@on(exp.Filter, exp.PercentileDisc)
def discrete_percentiles(node: exp.Expression) -> exp.Expression:
    """The value at a place of the sorted ones; not every Spark has the percentile."""
    aggregate, again = filter_of(node)
    if not isinstance(aggregate, exp.PercentileDisc) or isinstance(node.parent, exp.Filter):
        return node
    values = function("sort_array", again(function("collect_list", aggregate.this)))
    place = exp.Mul(this=aggregate.expression, expression=again(exp.Count(this=aggregate.this.copy())))
    at = function("greatest", exp.Ceil(this=place), tree.number(1))
    return function("try_element_at", values, exp.cast(at, "INT"))


@on(exp.Cast)
def casts_round(node: exp.Cast) -> exp.Expression:
    """A cast that drops digits rounds in DuckDB, doubles to the even neighbour; here it cuts them off."""
    if node.to.this in INTEGERS and not isinstance(node.this, exp.Count | exp.Literal):
        is_even = is_double(node.this, {})
        node.set("this", function("bround", node.this) if is_even else exp.Round(this=node.this))
    return node


@on(exp.Extract)
def weekdays_from_monday(node: exp.Extract) -> exp.Expression:
    if node.name.upper() != "ISODOW":
        return node
    from_sunday = exp.Add(this=function("dayofweek", node.expression), expression=tree.number(5))
    from_zero = exp.Mod(this=exp.Paren(this=from_sunday), expression=tree.number(7))
    return exp.Paren(this=exp.Add(this=from_zero, expression=tree.number(1)))


@on(exp.DateDiff)
def microseconds_by_number(node: exp.DateDiff) -> exp.Expression:
    if node.text("unit").upper() != "MICROSECOND":
        return node
    later, earlier = (function("unix_micros", exp.cast(side, "TIMESTAMPLTZ")) for side in (node.this, node.expression))
    return exp.Paren(this=exp.Sub(this=later, expression=earlier))


PASSES: tuple[Pass, ...] = (
    times_without_zone,
    clocks_of_zones,
    series_that_may_be_empty,
    casts_round,
    exact_percentiles,
    discrete_percentiles,
    weekdays_from_monday,
    microseconds_by_number,
    quotients_are_doubles,
    unknown_wins,
    backslashes_are_plain,
)
