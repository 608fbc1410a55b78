"""ClickHouse: much the same words, many other meanings. The settings that every statement needs go with it."""

from collections.abc import Mapping

from sqlglot import exp

from semantic.dialects.doubles import one_type
from semantic.dialects.passes import (
    INTEGERS,
    Pass,
    backslashes_are_plain,
    cast,
    filter_of,
    function,
    halves_round_away,
    local_time,
    on,
    quotients_are_doubles,
    series_in,
    unknown_wins,
)
from semantic.sql import tree

SETTINGS: Mapping[str, str | int] = {
    "join_use_nulls": 1,  # a row without a partner has nulls beside it, not '' and 0
    "aggregate_functions_null_for_empty": 1,  # a sum of nothing is unknown, not 0
    "group_by_use_nulls": 1,
    "cast_keep_nullable": 1,
    "transform_null_in": 0,
    "prefer_column_name_to_alias": 0,  # ORDER BY means the column of the answer
    "least_greatest_legacy_null_behavior": 0,
    "use_variant_as_common_type": 0,  # a double beside a decimal is an error, not a value of many types
    "count_distinct_implementation": "uniqExact",
    "union_default_mode": "DISTINCT",
    "session_timezone": "UTC",
}

_PARTS: Mapping[str, str] = {
    "YEAR": "toYear",
    "QUARTER": "toQuarter",
    "MONTH": "toMonth",
    "WEEK": "toISOWeek",
    "DAY": "toDayOfMonth",
    "DOY": "toDayOfYear",
    "DAYOFYEAR": "toDayOfYear",
    "ISODOW": "toDayOfWeek",
    "HOUR": "toHour",
    "MINUTE": "toMinute",
}


@on(exp.Sub)
def offsets_of_zones(node: exp.Sub) -> exp.Expression:
    """`local time - instant` is an interval in DuckDB; here it would be a number."""
    found = local_time(node.this.unnest())
    if found and found[0] == node.expression.unnest():
        return function("toIntervalSecond", _offset(*found))
    return node


@on(exp.AtTimeZone)
def clocks_of_zones(node: exp.AtTimeZone) -> exp.Expression:
    """The time that clocks show, as if it were UTC: here a zone is only how an instant is printed."""
    found = local_time(node)
    return function("addSeconds", found[0], _offset(*found)) if found else node


def _offset(instant: exp.Expression, zone: exp.Expression) -> exp.Expression:
    return function("timezoneOffset", function("toTimeZone", instant.copy(), zone.copy()))


@on(exp.Select)
def series_of_numbers(node: exp.Select) -> exp.Expression:
    """Steps are counted from the first one, which has to be the start of a period, and added to it."""
    found = series_in(node)
    if found is None:
        return node
    name, series, step = found
    low, high = series.args["start"], series.args["end"]
    unit, size = exp.Var(this=step.text("unit").upper()), tree.number(step.this.name)
    apart = function("ifNull", exp.DateDiff(this=high.copy(), expression=low.copy(), unit=unit), exp.Neg(this=size))
    covered = function("greatest", exp.Add(this=apart, expression=size.copy()), tree.number(0))
    count = function("toUInt32", function("intDiv", covered, size.copy()))
    numbers = function("arrayJoin", function("range", count))
    moved = exp.DateAdd(this=low, expression=exp.Mul(this=numbers, expression=size.copy()), unit=unit.copy())
    return tree.select([tree.aliased(moved, name)])


@on(exp.DataType)
def wide_times(node: exp.DataType) -> exp.Expression:
    """A plain Date silently ends at 1970 and 2149; a plain DateTime has whole seconds and somebody's zone."""
    match node.this:
        case exp.DType.DATE:
            return exp.DataType(this=exp.DType.DATE32, nullable=True)
        case exp.DType.TIMESTAMP | exp.DType.TIMESTAMPNTZ:
            parts = [exp.DataTypeParam(this=p) for p in (tree.number(6), tree.text("UTC"))]
            return exp.DataType(this=exp.DType.DATETIME64, expressions=parts, nullable=True)
    return node


@on(exp.Cast)
def casts_round(node: exp.Cast) -> exp.Expression:
    """A cast that drops digits rounds in DuckDB; here it cuts them off."""
    if isinstance(node.this, exp.Count) or (isinstance(node.this, exp.Literal) and node.this.is_string):
        return node
    if node.to.this in INTEGERS:
        node.set("this", exp.Round(this=node.this))
    elif node.to.this == exp.DType.DECIMAL and node.to.expressions[1:]:
        node.set("this", exp.Round(this=node.this, decimals=node.to.expressions[1].this.copy()))
    return node


@on(exp.In)
def lists_are_comparisons(node: exp.In) -> exp.Expression:
    """A list is read as values of the column's type: 0.5 is then no integer, and 0.1 no exact decimal."""
    if not any("." in value.name for value in node.expressions if isinstance(value, exp.Literal) and value.is_number):
        return node
    equal = [exp.EQ(this=tree.operand(node.this.copy()), expression=value) for value in node.expressions]
    return exp.Paren(this=exp.or_(*equal, copy=False))


@on(exp.Literal)
def exact_literals(node: exp.Literal) -> exp.Expression:
    """0.1 is a decimal in DuckDB; here it would make doubles of the amounts beside it."""
    if node.is_string or not node.name.replace(".", "", 1).isdigit():
        return node
    whole, point, part = node.name.partition(".")
    return cast(tree.text(node.name), f"DECIMAL({len(whole) + len(part)}, {len(part)})") if point else node


@on(exp.Extract)
def parts_by_name(node: exp.Extract) -> exp.Expression:
    return cast(function(_PARTS[node.name.upper()], node.expression), "INTEGER")


@on(exp.PercentileCont)
def exact_percentiles(node: exp.PercentileCont) -> exp.Expression:
    """`median` and `quantile` look at a sample, and the exact one interpolates doubles only."""
    fraction = exp.Var(this=node.expression.name)
    return exp.ParameterizedAgg(
        this="quantileExactInclusive", expressions=[fraction], params=[cast(node.this, "DOUBLE")]
    )


@on(exp.Filter, exp.PercentileDisc)
def discrete_percentiles(node: exp.Expression) -> exp.Expression:
    """The value at a place of the sorted ones: the exact quantiles of ClickHouse count places in another way."""
    aggregate, again = filter_of(node)
    if not isinstance(aggregate, exp.PercentileDisc) or isinstance(node.parent, exp.Filter):
        return node
    values = function("arraySort", again(function("groupArray", aggregate.this)))
    place = exp.Mul(this=aggregate.expression, expression=again(exp.Count(this=aggregate.this.copy())))
    at = function("greatest", function("toUInt32", exp.Ceil(this=place)), tree.number(1))
    return function("arrayElementOrNull", values, at)


@on(exp.Filter, exp.StddevSamp, exp.Stddev)
def deviations_of_one(node: exp.Expression) -> exp.Expression:
    """The deviation of a single value is unknown, not NaN."""
    aggregate, again = filter_of(node)
    if not isinstance(aggregate, exp.StddevSamp | exp.Stddev) or isinstance(node.parent, exp.Filter):
        return node
    several = exp.GT(this=again(exp.Count(this=aggregate.this.copy())), expression=tree.number(1))
    value = again(function("stddevSampStable", aggregate.this))
    return exp.Case(ifs=[exp.If(this=several, true=value)])


@on(exp.Alias)
def counts_are_signed(node: exp.Alias) -> exp.Expression:
    """No integer holds both a count, which has no sign here, and a sum, which has one."""
    if isinstance(filter_of(node.this)[0], exp.Count):
        node.set("this", function("toInt64", node.this))
    return node


@on(exp.Lead, exp.Lag)
def neighbours_may_lack(node: exp.Expression) -> exp.Expression:
    """Beyond the last row LEAD is 1970-01-01 or 0 here, where the column has no nulls."""
    node.set("this", function("toNullable", node.this))
    return node


@on(exp.Window)
def nulls_are_values(node: exp.Window) -> exp.Expression:
    """FIRST_VALUE passes over nulls here."""
    if isinstance(node.this, exp.FirstValue | exp.LastValue | exp.NthValue):
        node.set("this", exp.RespectNulls(this=node.this))
    return node


@on(exp.Lower, exp.Upper)
def letters_of_all_alphabets(node: exp.Expression) -> exp.Expression:
    return function("lowerUTF8" if isinstance(node, exp.Lower) else "upperUTF8", node.this)


@on(exp.Join)
def joins_with_keys(node: exp.Join) -> exp.Expression:
    """A left join needs an equality; `ignore` is 0 for every row, so it is one that always holds."""
    if node.side != "LEFT" or node.args.get("on") is None:
        return node
    on, mine = node.args["on"], node.alias_or_name
    parts = on.flatten() if isinstance(on, exp.And) else [on]
    if any(isinstance(part, exp.EQ | exp.NullSafeEQ) and _is_between(part, mine) for part in parts):
        return node
    columns = list(on.find_all(exp.Column))
    inner = next(c for c in columns if c.table == mine)
    outer = next(c for c in columns if c.table != mine)
    always = exp.EQ(this=function("ignore", outer.copy()), expression=function("ignore", inner.copy()))
    node.set("on", exp.And(this=always, expression=on))
    return node


def _is_between(comparison: exp.Expression, mine: str) -> bool:
    """Whether each side reads one of the joined tables."""
    sides = [{c.table for c in side.find_all(exp.Column)} for side in (comparison.this, comparison.expression)]
    return {mine} in sides and all(sides) and sum(mine in side for side in sides) == 1


@on(exp.Select)
def names_with_tables(node: exp.Select) -> exp.Expression:
    """In `SELECT upper(team) AS team FROM t` any other `team` is the upper one here; `t.team` never is.

    And `t.team` beside a join is called `t.team`, unless it is told its name.
    """
    named = [tree.aliased(e, e.name) if _is_column(e) else e for e in node.expressions]
    node.set("expressions", named)
    source = node.args["from_"].this if node.args.get("from_") and not node.args.get("joins") else None
    if source is None or not source.alias_or_name:
        return node
    table = source.args["alias"].this if source.alias else source.this
    for part in (*named, node.args.get("where")):
        for column in part.find_all(exp.Column) if part is not None else ():
            if _is_column(column) and not column.table and column.find_ancestor(exp.Select) is node:
                column.set("table", table.copy())
    return node


def _is_column(node: exp.Expression) -> bool:
    return isinstance(node, exp.Column) and not isinstance(node.this, exp.Star)


def with_settings(root: exp.Expression) -> exp.Expression:
    values = {k: tree.number(v) if isinstance(v, int) else tree.text(v) for k, v in SETTINGS.items()}
    root.set("settings", [exp.EQ(this=exp.Var(this=k), expression=v) for k, v in values.items()])
    return root


PASSES: tuple[Pass, ...] = (
    offsets_of_zones,
    clocks_of_zones,
    series_of_numbers,
    quotients_are_doubles,
    halves_round_away,
    casts_round,
    exact_percentiles,
    discrete_percentiles,
    deviations_of_one,
    unknown_wins,
    one_type,
    lists_are_comparisons,
    exact_literals,
    parts_by_name,
    counts_are_signed,
    neighbours_may_lack,
    nulls_are_values,
    letters_of_all_alphabets,
    backslashes_are_plain,
    joins_with_keys,
    names_with_tables,
    wide_times,
    with_settings,
)
