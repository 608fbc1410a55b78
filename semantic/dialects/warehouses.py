"""Snowflake, BigQuery and Trino: nobody has run these. What is known to differ silently is rewritten, or refused."""

from sqlglot import exp

from semantic.dialects.passes import (
    TIMESTAMPS,
    Pass,
    boundaries_are_counted,
    cast,
    filter_of,
    function,
    known_wins,
    local_time,
    on,
    quotients_are_doubles,
    series_in,
    sorted_by,
    times_without_zone,
)
from semantic.errors import QueryError
from semantic.sql import tree


@on(exp.PercentileCont, exp.PercentileDisc)
def no_percentiles(node: exp.Expression) -> exp.Expression:
    raise QueryError(
        "NOT_IN_DIALECT",
        "this engine aggregates no exact percentile, and an approximate one would be another number; "
        "ask without medians and percentiles, or of another engine",
    )


@on(exp.ArgMin, exp.ArgMax)
def no_first_of_several(node: exp.Expression) -> exp.Expression:
    raise QueryError("NOT_IN_DIALECT", "this engine has no value of the earliest or latest row by more than one column")


# --- Snowflake


@on(exp.AtTimeZone)
def snowflake_clocks(node: exp.AtTimeZone) -> exp.Expression:
    found = local_time(node)
    return function("CONVERT_TIMEZONE", tree.text("UTC"), found[1], found[0]) if found else node


@on(exp.Sub)
def snowflake_offsets(node: exp.Sub) -> exp.Expression:
    """`x - (local time - instant)`: a difference of instants is no interval there."""
    away = node.expression.unnest()
    found = local_time(away.this.unnest()) if isinstance(away, exp.Sub) else None
    if not found or found[0] != away.expression.unnest():
        return node
    second = exp.Var(this="SECOND")
    seconds = exp.DateDiff(this=away.expression.copy(), expression=away.this.copy(), unit=second)
    return exp.DateAdd(this=node.this, expression=seconds, unit=second.copy())


@on(exp.TimestampTrunc)
def snowflake_weeks(node: exp.TimestampTrunc) -> exp.Expression:
    """When a week starts is a parameter of the session there."""
    if node.text("unit").upper() != "WEEK":
        return node
    back = exp.Sub(this=tree.number(1), expression=function("DAYOFWEEKISO", node.this.copy()))
    return exp.DateAdd(this=cast(node.this, "DATE"), expression=back, unit=exp.Var(this="DAY"))


@on(exp.Extract)
def snowflake_parts(node: exp.Extract) -> exp.Expression:
    name = {"ISODOW": "DAYOFWEEKISO", "WEEK": "WEEKISO"}.get(node.name.upper())
    return function(name, node.expression) if name else node


@on(exp.Select)
def snowflake_series(node: exp.Select) -> exp.Expression:
    found = series_in(node)
    if found is None:
        return node
    name, series, step = found
    low, unit, size = series.args["start"], exp.Var(this=step.text("unit")), tree.number(step.this.name)
    apart = exp.DateDiff(this=series.args["end"], expression=low.copy(), unit=unit)
    count = exp.Add(this=function("FLOOR", exp.Div(this=apart, expression=size)), expression=tree.number(1))
    numbers = function("FLATTEN", function("ARRAY_GENERATE_RANGE", tree.number(0), cast(count, "INTEGER")))
    moved = exp.Mul(this=cast(exp.column("value", "numbers"), "INTEGER"), expression=size.copy())
    shown = tree.aliased(exp.DateAdd(this=low, expression=moved, unit=unit.copy()), name)
    table = exp.Table(this=function("TABLE", numbers), alias=exp.TableAlias(this=tree.name("numbers")))
    return tree.select([shown], table)


SNOWFLAKE: tuple[Pass, ...] = (
    no_first_of_several,
    times_without_zone,
    snowflake_offsets,
    snowflake_clocks,
    snowflake_weeks,
    snowflake_parts,
    snowflake_series,
    quotients_are_doubles,
)


# --- BigQuery


@on(exp.AtTimeZone)
def bigquery_clocks(node: exp.AtTimeZone) -> exp.Expression:
    found = local_time(node)
    return function("DATETIME", function("TIMESTAMP", found[0], tree.text("UTC")), found[1]) if found else node


@on(exp.TimestampTrunc)
def bigquery_weeks(node: exp.TimestampTrunc) -> exp.Expression:
    """A plain week starts on a Sunday there."""
    unit = node.text("unit").upper()
    return function("DATE_TRUNC", node.this, exp.Var(this="ISOWEEK" if unit == "WEEK" else unit))


@on(exp.Extract)
def bigquery_parts(node: exp.Extract) -> exp.Expression:
    if node.name.upper() == "ISODOW":
        return exp.DayOfWeekIso(this=node.expression)
    node.set("this", exp.Var(this={"WEEK": "ISOWEEK", "DOY": "DAYOFYEAR"}.get(node.name.upper(), node.name)))
    return node


@on(exp.DateDiff)
def bigquery_microseconds(node: exp.DateDiff) -> exp.Expression:
    if node.text("unit").upper() != "MICROSECOND":
        return node
    return function("DATETIME_DIFF", node.this, node.expression, node.args["unit"])


@on(exp.Interval)
def bigquery_intervals(node: exp.Interval) -> exp.Expression:
    node.set("this", tree.number(node.this.name))
    return node


@on(exp.Filter, exp.ArgMin, exp.ArgMax)
def bigquery_first_of_sorted(node: exp.Expression) -> exp.Expression:
    """The value of the earliest or latest row that passes; without nulls, so that a row that fails is none."""
    aggregate, _ = filter_of(node)
    if not isinstance(aggregate, exp.ArgMin | exp.ArgMax) or isinstance(node.parent, exp.Filter):
        return node
    if isinstance(node, exp.Filter):
        aggregate.set("this", exp.If(this=node.expression.this, true=aggregate.this))
    first = exp.Limit(this=sorted_by(aggregate), expression=tree.number(1))
    return exp.Bracket(
        this=exp.ArrayAgg(this=exp.IgnoreNulls(this=first)), expressions=[tree.number(0)], safe=True, offset=0
    )


@on(exp.Window)
def bigquery_windows(node: exp.Window) -> exp.Expression:
    """A running sum takes no NULLS LAST there; the days that it runs over are known."""
    if isinstance(node.this, exp.AggFunc) and node.args.get("order"):
        for ordered in node.args["order"].expressions:
            ordered.set("nulls_first", not ordered.args.get("desc"))
    return node


@on(exp.Select)
def bigquery_series(node: exp.Select) -> exp.Expression:
    found = series_in(node)
    if found is None:
        return node
    name, series, step = found
    low, high = series.args["start"], series.args["end"]
    value: exp.Expression = exp.column(name)
    if step.text("unit").upper() in ("MINUTE", "HOUR"):
        instants = (function("TIMESTAMP", side, tree.text("UTC")) for side in (low, high))
        array = function("GENERATE_TIMESTAMP_ARRAY", *instants, step)
        value = function("DATETIME", value, tree.text("UTC"))
    else:
        array = function("GENERATE_DATE_ARRAY", low, high, step)
    return tree.select(
        [tree.aliased(value, name)], exp.Unnest(expressions=[array], alias=exp.TableAlias(columns=[tree.name(name)]))
    )


BIGQUERY: tuple[Pass, ...] = (
    no_percentiles,
    bigquery_clocks,
    bigquery_weeks,
    bigquery_parts,
    bigquery_microseconds,
    bigquery_intervals,
    bigquery_first_of_sorted,
    bigquery_windows,
    bigquery_series,
    quotients_are_doubles,
    known_wins,
)


# --- Trino


@on(exp.AtTimeZone)
def trino_clocks(node: exp.AtTimeZone) -> exp.Expression:
    found = local_time(node)
    if found is None:
        return node
    in_utc = function("WITH_TIMEZONE", found[0], tree.text("UTC"))
    return cast(exp.AtTimeZone(this=in_utc, zone=found[1]), "TIMESTAMP")


@on(exp.DataType)
def trino_microseconds(node: exp.DataType) -> exp.Expression:
    """A plain TIMESTAMP has milliseconds there."""
    if node.this not in TIMESTAMPS:
        return node
    return exp.DataType(this=exp.DType.TIMESTAMP, expressions=[exp.DataTypeParam(this=tree.number(6))])


@on(exp.Extract)
def trino_parts(node: exp.Extract) -> exp.Expression:
    return function("DAY_OF_WEEK", node.expression) if node.name.upper() == "ISODOW" else node


@on(exp.DateDiff)
def trino_differences(node: exp.DateDiff) -> exp.Expression:
    """DATE_DIFF counts no microseconds there."""
    if node.text("unit").upper() != "MICROSECOND":
        return node
    later, earlier = (function("TO_UNIXTIME", side) for side in (node.this, node.expression))
    apart = exp.Mul(this=exp.Paren(this=exp.Sub(this=later, expression=earlier)), expression=tree.number(1_000_000))
    return cast(exp.Round(this=apart), "BIGINT")


@on(exp.Select)
def trino_series(node: exp.Select) -> exp.Expression:
    """A sequence that ends before it starts is an error there, not empty."""
    found = series_in(node)
    if found is None:
        return node
    name, series, _ = found
    in_order = exp.LTE(this=series.args["start"].copy(), expression=series.args["end"].copy())
    array = exp.Case(ifs=[exp.If(this=in_order, true=series)])
    table = exp.TableAlias(this=tree.name("series"), columns=[tree.name(name)])
    return tree.select([exp.column(name)], exp.Unnest(expressions=[array], alias=table))


TRINO: tuple[Pass, ...] = (
    no_percentiles,
    trino_clocks,
    trino_microseconds,
    trino_parts,
    trino_differences,
    boundaries_are_counted,
    trino_series,
    quotients_are_doubles,
    known_wins,
)
