"""PostgreSQL: its words are nearly DuckDB's. What differs are series, truncated days, parts of a time and rounding."""

from hashlib import blake2s

from sqlglot import exp

from semantic.dialects.passes import (
    TIMESTAMPS,
    Pass,
    backslashes_are_plain,
    boundaries_are_counted,
    cast,
    filter_of,
    halves_round_away,
    on,
    quotients_are_doubles,
    series_in,
    sorted_by,
    unknown_wins,
)
from semantic.sql import tree

MAX_BYTES = 63
"""Of a name."""


@on(exp.Select)
def series_of_timestamps(node: exp.Select) -> exp.Expression:
    """A series is a set of rows by itself; one of dates would be counted in the zone of whoever asks."""
    found = series_in(node)
    if found is None:
        return node
    name, series, step = found
    low, high = (_as_timestamp(series.args[key]) for key in ("start", "end"))
    return tree.select([tree.aliased(exp.GenerateSeries(start=low, end=high, step=step), name)])


@on(exp.TimestampTrunc)
def truncated_without_zone(node: exp.TimestampTrunc) -> exp.Expression:
    """DATE_TRUNC of a date would give an instant in the zone of whoever asks."""
    node.set("this", _as_timestamp(node.this))
    return node


@on(exp.Extract)
def parts_are_integers(node: exp.Extract) -> exp.Expression:
    return cast(node, "INTEGER")


@on(exp.ApproxDistinct)
def distinct_is_counted(node: exp.ApproxDistinct) -> exp.Expression:
    """There is no approximate count; the exact one is as right."""
    return exp.Count(this=exp.Distinct(expressions=[node.this]))


@on(exp.Filter, exp.ArgMin, exp.ArgMax)
def first_of_sorted(node: exp.Expression) -> exp.Expression:
    """The value of the earliest or latest row: there is no such aggregate, but one that sorts."""
    aggregate, again = filter_of(node)
    if not isinstance(aggregate, exp.ArgMin | exp.ArgMax) or isinstance(node.parent, exp.Filter):
        return node
    values = again(exp.ArrayAgg(this=sorted_by(aggregate)))
    return exp.Bracket(this=exp.Paren(this=values), expressions=[tree.number(0)])  # sqlglot counts from 0, and writes 1


@on(exp.DataType)
def wide_integers(node: exp.DataType) -> exp.Expression:
    return exp.DataType.build("DECIMAL(38, 0)") if node.this == exp.DType.INT128 else node


@on(exp.Identifier)
def short_names(node: exp.Identifier) -> exp.Expression:
    """A name ends after 63 bytes, and two that begin alike would be one."""
    name = node.name
    if len(name.encode()) > MAX_BYTES:
        digest = blake2s(name.encode(), digest_size=6).hexdigest()
        node.set("this", f"{name.encode()[:50].decode(errors='ignore')}_{digest}")
    return node


def _as_timestamp(node: exp.Expression) -> exp.Expression:
    is_one = isinstance(node, exp.Cast) and node.to.this in TIMESTAMPS
    return node if is_one or isinstance(node, exp.AtTimeZone) else cast(node, "TIMESTAMP")


PASSES: tuple[Pass, ...] = (
    series_of_timestamps,
    truncated_without_zone,
    parts_are_integers,
    boundaries_are_counted,
    distinct_is_counted,
    first_of_sorted,
    wide_integers,
    quotients_are_doubles,
    halves_round_away,
    unknown_wins,
    backslashes_are_plain,
    short_names,
)
