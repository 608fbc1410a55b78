"""Aggregates and formulas in fractions. A `Number` knows how far the database's doubles may be from it.

Sums and differences of exact values are exact in both; quotients and products are doubles there. Where an error could
decide the answer (a divisor or a comparison that is 0 but for rounding), the value is `FRAGILE` and proves nothing.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from tests.semantic.worlds import Cell, Term, Total

STEP = Fraction(1, 2**48)
"""What one operation in doubles may add to an error, relative to its result; generous."""
TWELFTH_PLACE = Fraction(1, 10**12)
FRAGILE = "fragile"
MAX_DAYS = 36_525


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction
    error: Fraction = Fraction(0)
    is_double: bool = False


Known = Number | date | None | str
"""A value: a number, a day, unknown, or FRAGILE."""
ZERO = Number(Fraction(0))


def aggregate(total: Total, known: Sequence[Cell]) -> Number | None:
    """The aggregate of the members that know their value; None where none does, except for counts."""
    if total.kind == "count":
        return Number(Fraction(len(known)))
    if total.kind == "count_distinct":
        return Number(Fraction(len(set(known))))
    values = sorted(Fraction(v) for v in known if isinstance(v, int | Decimal))
    if not values:
        return None
    match total.kind:
        case "sum":
            return Number(sum(values, Fraction(0)))
        case "min":
            return Number(values[0])
        case "max":
            return Number(values[-1])
        case "avg":
            return rounded(sum(values, Fraction(0)) / len(values))
    return percentile(values, Fraction(total.p or "0.5"))


def percentile(values: Sequence[Fraction], p: Fraction) -> Number:
    """Linear between the two nearest ranks; the database rounds it to the twelve places of a decimal."""
    place = p * (len(values) - 1)
    low, high = values[floor(place)], values[ceil(place)]
    if low == high:
        return Number(low)
    value = low + (high - low) * (place - floor(place))
    return rounded(value, TWELFTH_PLACE + 8 * STEP * max(abs(low), abs(high)))


def rounded(value: Fraction, error: Fraction = Fraction(0)) -> Number:
    return Number(value, error + abs(value) * STEP, is_double=True)


def is_zero(known: Known) -> bool:
    return isinstance(known, Number) and not known.value and not known.error


def may_be_zero(known: Known) -> bool:
    return isinstance(known, Number) and abs(known.value) <= known.error


def added(a: Number, b: Number, sign: int) -> Number:
    value = a.value + sign * b.value
    if not a.is_double and not b.is_double:
        return Number(value, a.error + b.error)
    return rounded(value, a.error + b.error + STEP * (abs(a.value) + abs(b.value)))


def multiplied(a: Number, b: Number) -> Number:
    error = abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error
    return rounded(a.value * b.value, error)


def divided(a: Number, b: Number) -> Known:
    if is_zero(b):
        return None
    if may_be_zero(b):
        return FRAGILE
    value = a.value / b.value
    return rounded(value, (a.error + abs(value) * b.error) / (abs(b.value) - b.error))


def evaluated(term: Term, values: Mapping[str, Known], doubles: Collection[str], as_of: date | None) -> Known:
    """A formula over metrics, of which `doubles` are doubles; null wherever an input that it needs is null."""
    if term.op == "metric":
        return values[term.name]
    if term.op == "number":
        return Number(Fraction(term.name))
    parts = [evaluated(p, values, doubles, as_of) for p in term.parts]
    if FRAGILE in parts:
        return FRAGILE
    if term.op == "coalesce":
        known = next((p for p in parts if p is not None), None)
        return replace(known, is_double=is_double(term, doubles)) if isinstance(known, Number) else known
    if parts[0] is None or (None in parts and term.op != "if positive"):
        return None
    if term.op == "days_after":
        return _days_after(as_of, _number(parts[0]))
    if term.op == "if positive":
        return _if_positive(_number(parts[0]), parts[1])
    return _combined(term.op, [_number(p) for p in parts])


def is_double(term: Term, doubles: Collection[str]) -> bool:
    """Whether the database computes a formula in doubles, whatever its values turn out to be."""
    if term.op in ("*", "/"):
        return True
    return term.name in doubles or any(is_double(p, doubles) for p in term.parts)


def _number(known: Known) -> Number:
    assert isinstance(known, Number), known
    return known


def _combined(op: str, parts: Sequence[Number]) -> Known:
    match op:
        case "negative":
            return replace(parts[0], value=-parts[0].value)
        case "+" | "-":
            return added(parts[0], parts[1], 1 if op == "+" else -1)
        case "*":
            return multiplied(parts[0], parts[1])
        case "/":
            return divided(parts[0], parts[1])
        case "least" | "greatest":
            choice = (min if op == "least" else max)(parts, key=lambda p: p.value)
            is_double = any(p.is_double for p in parts)
            return rounded(choice.value, max(p.error for p in parts)) if is_double else choice
    raise ValueError(op)


def _if_positive(test: Number, then: Known) -> Known:
    if test.error and may_be_zero(test):
        return FRAGILE
    return then if test.value > 0 else None


def _days_after(as_of: date | None, days: Number) -> Known:
    millionths = days.value * 10**6
    to_half = abs(millionths - floor(millionths) - Fraction(1, 2))
    if to_half <= days.error * 10**6:
        return FRAGILE
    whole = ceil(Fraction(floor(millionths + Fraction(1, 2)), 10**6))
    return None if as_of is None or abs(whole) > MAX_DAYS else as_of + timedelta(days=whole)


def inputs(term: Term) -> tuple[str, ...]:
    """The metrics of a formula, from left to right."""
    own = [term.name] if term.op == "metric" else []
    return tuple(dict.fromkeys([*own, *(n for p in term.parts for n in inputs(p))]))


def divisors(term: Term) -> Iterator[str]:
    """The metrics that a formula divides by."""
    if term.op == "/" and term.parts[1].op == "metric":
        yield term.parts[1].name
    for part in term.parts:
        yield from divisors(part)
