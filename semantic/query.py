"""The question as a value: which metrics, cut by what, over which time, filtered how. And the text form of a filter.

A filter is two-valued: a null neither equals a value nor differs from "not that value", so `ne` and `not_in` keep rows
whose dimension is null.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from sqlglot import exp

from semantic.errors import QueryError
from semantic.expression import ExpressionError, name_of, parse_predicate

MAX_DIGITS = 38
"""Of a number in a filter: what the widest decimal of a store holds."""

Scalar = str | int | Decimal | bool | date | datetime


class Op(StrEnum):
    EQ = "eq"
    NE = "ne"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    IS_NULL = "is_null"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"


@dataclass(frozen=True, slots=True)
class Comparison:
    """`values` holds one value, several for in and not_in, and True or False for is_null."""

    dimension: str
    op: Op
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Both:
    items: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Either:
    items: tuple["Filter", ...]


@dataclass(frozen=True, slots=True)
class Not:
    item: "Filter"


Filter = Comparison | Both | Either | Not


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Half-open instants in UTC: `start` is inside, `end` is not."""

    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """By a metric, a dimension or `time`; nulls are always last."""

    by: str
    direction: Literal["asc", "desc"] = "asc"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """One question. `as_of` is the local day on which it is asked: windows end with the day before it."""

    metrics: tuple[str, ...]
    as_of: date
    by: tuple[str, ...] = ()
    """Dimensions, and parts of the time such as `time.weekday`."""
    grain: str | None = None
    """The name of a grain: one of `Grain` or one that the catalog declares."""
    time: TimeRange = TimeRange()
    where: Filter | None = None
    filters: tuple[str, ...] = ()
    """Filters that the catalog names; each must hold."""
    having: Filter | None = None
    """A condition on the values of asked metrics; what it drops still counts in totals, shares and ranks."""
    order_by: tuple[Order, ...] = ()
    limit: int | None = None
    zone: str | None = None
    """The zone in which days are cut; the catalog's own where none is named."""
    evidence: bool = False
    """Whether to ask for what stands behind each value (counts of rows and of unknown members, inputs)."""


def comparisons(where: Filter | None) -> Iterator[Comparison]:
    """All comparisons of a filter, from left to right."""
    match where:
        case Comparison():
            yield where
        case Both(items) | Either(items):
            for item in items:
                yield from comparisons(item)
        case Not(item):
            yield from comparisons(item)


_OPS: dict[type[exp.Expression], Op] = {
    exp.EQ: Op.EQ, exp.NEQ: Op.NE, exp.GT: Op.GT, exp.GTE: Op.GTE, exp.LT: Op.LT, exp.LTE: Op.LTE,
}  # fmt: skip
_GRAMMAR = "write comparisons such as agent = 'main' and model in ('a', 'b'), joined by and, or, not"


def parse_filter(text: str) -> Filter:
    """A filter in words, as the command line takes it; `QueryError` says what is not understood.

    Example:
        >>> parse_filter("task_class = 'swe-bench'")
        Comparison(dimension='task_class', op=<Op.EQ: 'eq'>, values=('swe-bench',))
    """
    try:
        return _filter(parse_predicate(text))
    except ExpressionError as error:
        raise QueryError("BAD_FILTER", f"the filter has {error} at character {error.column}; {_GRAMMAR}") from error


def _filter(node: exp.Expression) -> Filter:
    if node.args.get("negate"):  # `not like` is one node; `not in` and `is not null` are two
        return Not(_filter(type(node)(**{**node.args, "negate": None})))
    match node:
        case exp.Paren():
            return _filter(node.this)
        case exp.And():
            return Both((_filter(node.this), _filter(node.expression)))
        case exp.Or():
            return Either((_filter(node.this), _filter(node.expression)))
        case exp.Not():
            return _negated(node.this)
        case exp.In():
            return Comparison(_name(node.this), Op.IN, tuple(_scalar(v) for v in node.expressions))
        case exp.Is() if isinstance(node.expression, exp.Null):
            return Comparison(_name(node.this), Op.IS_NULL, (True,))
        case exp.Between():
            low, high = _scalar(node.args["low"]), _scalar(node.args["high"])
            name = _name(node.this)
            return Both((Comparison(name, Op.GTE, (low,)), Comparison(name, Op.LTE, (high,))))
        case exp.Like():
            return _like(_name(node.this), _scalar(node.expression))
        case exp.Column():
            return Comparison(_name(node), Op.EQ, (True,))
    if op := _OPS.get(type(node)):
        return Comparison(_name(node.this), op, (_scalar(node.expression),))
    raise QueryError("BAD_FILTER", f"'{node.sql(dialect='duckdb')}' is not a comparison; {_GRAMMAR}")


def _negated(node: exp.Expression) -> Filter:
    inner = _filter(node)
    match inner:
        case Comparison(name, Op.IN, values):
            return Comparison(name, Op.NOT_IN, values)
        case Comparison(name, Op.IS_NULL, (is_null,)):
            return Comparison(name, Op.IS_NULL, (not is_null,))
    return Not(inner)


def _like(name: str, pattern: Scalar) -> Comparison:
    text = str(pattern)
    inner = text.strip("%")
    if "%" not in inner and "_" not in inner and text in (f"{inner}%", f"%{inner}%"):
        return Comparison(name, Op.CONTAINS if text.startswith("%") else Op.STARTS_WITH, (inner,))
    raise QueryError("BAD_FILTER", f"like takes 'text%' (starts with) or '%text%' (contains), not '{text}'")


def _name(node: exp.Expression) -> str:
    if not isinstance(node, exp.Column):
        raise QueryError("BAD_FILTER", f"'{node.sql(dialect='duckdb')}' is not a dimension; {_GRAMMAR}")
    return name_of(node)


def _scalar(node: exp.Expression) -> Scalar:
    match node:
        case exp.Literal() if node.is_string:
            return str(node.this)
        case exp.Literal():
            number = Decimal(node.this)
            if number.adjusted() >= MAX_DIGITS:  # before int() writes the zeros of 1e999999999 out
                raise QueryError("BAD_FILTER", f"a number has at most {MAX_DIGITS} digits, not '{node.this[:60]}'")
            return int(number) if number == number.to_integral_value() else number
        case exp.Neg():
            inner = _scalar(node.this)
            if isinstance(inner, int | Decimal):
                return -inner
        case exp.Boolean():
            return bool(node.this)
    raise QueryError("BAD_FILTER", f"'{node.sql(dialect='duckdb')}' is not a value; put text in single quotes")
