"""Rows of a statement -> a Result: typed values, whether the answer was cut, and why a value is null or partial.

Money and dates keep their exactness (a quotient of money is rounded once, half to even, to 12 places); a value that is
not known is None with a reason, never 0.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import isfinite
from types import NoneType
from typing import cast

from semantic.errors import QueryError
from semantic.evidence import Column, Evidence, Value, evidence_column
from semantic.metric import ValueType
from semantic.plan import Plan
from semantic.sql.statement import Statement

_AS_THEY_ARE = {str, int, bool, Decimal, date, datetime, NoneType}
"""Types of keys that a reader gets as the store gives them: all but floats."""
_EXACT = Context(prec=330, rounding=ROUND_HALF_EVEN)
_TWELVE_PLACES = Decimal(1).scaleb(-12)


@dataclass(frozen=True, slots=True)
class Row:
    keys: Mapping[str, Value]
    values: Mapping[str, Value]
    evidence: Mapping[str, Evidence]
    """By metric; empty where the question did not ask for evidence."""


@dataclass(frozen=True, slots=True)
class Result:
    rows: tuple[Row, ...]
    truncated: bool
    """Whether there are more rows than the limit let through."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A result by column: for whoever writes values out, and needs no row of its own for each."""

    length: int
    keys: Mapping[str, Column]
    values: Mapping[str, Column]
    evidence: Mapping[str, Sequence[Evidence]]
    """By metric; empty where the question did not ask for evidence."""
    truncated: bool

    def result(self) -> Result:
        """The same by row."""
        return Result(tuple(self._row(at) for at in range(self.length)), self.truncated)

    def _row(self, at: int) -> Row:
        return Row(
            {name: column[at] for name, column in self.keys.items()},
            {name: column[at] for name, column in self.values.items()},
            {name: column[at] for name, column in self.evidence.items()},
        )


def shape_rows(plan: Plan, statement: Statement, rows: Sequence[Sequence[object]]) -> Result:
    """The result that `rows`, the answer to `statement`, stand for."""
    return shape_columns(plan, statement, rows).result()


def shape_columns(plan: Plan, statement: Statement, rows: Sequence[Sequence[object]]) -> Shaped:
    """As `shape_rows`, by column. `QueryError` where the store gave a value that is none of its metric's type."""
    columns, limit = statement.columns, statement.limit
    kept = rows if limit is None else rows[:limit]
    names = (*columns.keys, *columns.metrics, *columns.hidden)
    found: Sequence[Sequence[object]] = list(zip(*kept, strict=True)) if kept else [()] * len(names)
    named = dict(zip(names, found, strict=True))
    known = {n: _typed_column(named[n], m.type) for n, m in plan.metrics.items() if n in named}
    asked = columns.metrics if plan.query.evidence else ()
    return Shaped(
        length=len(kept),
        keys={name: _key_column(named[name]) for name in columns.keys},
        values={name: known[name] for name in columns.metrics},
        evidence={name: evidence_column(plan, name, known, named) for name in asked},
        truncated=limit is not None and len(rows) > limit,
    )


def _key_column(column: Sequence[object]) -> Column:
    kinds = set(map(type, column))
    return cast(Column, column) if kinds <= _AS_THEY_ARE else [_key(value) for value in column]


def _typed_column(column: Sequence[object], kind: ValueType) -> Column:
    """Each value as `_typed_value` gives it. A column of one type, as a store gives it, is read by a shorter way."""
    kinds = set(map(type, column)) - {NoneType}
    match kind:
        case "money" if kinds == {Decimal}:
            return [None if value is None else _money_of_decimal(cast(Decimal, value)) for value in column]
        case "integer" if kinds == {int}:
            return cast(Column, column)
        case "number" if kinds == {float}:
            return [value if value is not None and isfinite(value) else None for value in cast(Sequence[float], column)]
        case "number" if kinds == {int}:
            return [None if value is None else float(value) for value in cast(Sequence[int], column)]
        case "text" if kinds == {str}:
            return cast(Column, column)
        case "date" if kinds == {date}:
            return cast(Column, column)
    return [_typed_value(value, kind) for value in column]


def _key(value: object) -> Value:
    assert value is None or isinstance(value, str | int | float | bool | Decimal | date), value
    return Decimal(repr(value)) if isinstance(value, float) else value


def _typed_value(value: object, kind: ValueType) -> Value:
    """A number of the store as the reader gets it; a quotient that is not finite is no number."""
    match value, kind:
        case None, _:
            return None
        case float(), _ if not isfinite(value):
            return None
        case Decimal() | int() | float(), "money":
            return _money(value)
        case Decimal() | int() | float(), "integer":
            return int(value)
        case Decimal() | int() | float(), "number":
            return float(value)
        case date(), "date":
            return value
        case str(), "text":
            return value
    hint = "give the metric unit: text, or unit: date" if isinstance(value, str | date) else "look at its unit"
    raise QueryError("BAD_VALUE", f"a {kind} cannot be {value!r}; {hint}")


def _money(value: Decimal | int | float) -> Decimal:
    """At most 12 places, without trailing zeros, never in exponent form and never -0."""
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    rounded = exact.quantize(_TWELVE_PLACES, context=_EXACT).normalize(_EXACT)
    if not rounded:
        return Decimal(0)
    # Only a multiple of ten that was normalized is written with a positive exponent.
    return rounded.quantize(Decimal(1), context=_EXACT) if "E+" in str(rounded) else rounded


def _money_of_decimal(value: Decimal) -> Decimal:
    """As `_money`, for what has no more than 12 places already: nothing is to be rounded then."""
    short = value.normalize(_EXACT)
    text = str(short)
    _, _, places = text.partition(".")
    return short if "E" not in text and len(places) <= 12 and text not in ("0", "-0") else _money(value)
