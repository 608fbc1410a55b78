"""Aggregates in fractions. A `Number` knows how far the database's doubles may be from it.

Sums and differences of exact values are exact in both; quotients and products are doubles there. Where an error could
decide the answer (a divisor or a comparison that is 0 but for rounding), the value is FRAGILE and proves nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from math import ceil, floor, isqrt

from tests.semantic.worlds import Cell

STEP = Fraction(1, 2**48)
"""What one operation in doubles may add to an error, relative to its result; generous."""
TWELFTH_PLACE = Fraction(1, 10**12)


class Doubt(Enum):
    FRAGILE = "fragile"


FRAGILE = Doubt.FRAGILE


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction
    error: Fraction = Fraction(0)
    is_double: bool = False


Member = Cell | Fraction
"""The value of a row."""
Known = Number | date | str | bool | None | Doubt
"""A value: a number, a day, an instant, text, unknown, or FRAGILE."""
ZERO = Number(Fraction(0))


def aggregate(
    kind: str, known: Sequence[Member], *, p: str = "", is_discrete: bool = False, is_approximate: bool = False
) -> Known:
    """The aggregate of the members that know their value, given in the order of time; null for none, but for counts."""
    if kind == "count":
        return Number(Fraction(len(known)))
    if kind == "count_distinct":
        different = Fraction(len(set(known)))
        return Number(different, max(Fraction(2), different / 2) if is_approximate and different > 1 else Fraction(0))
    if not known:
        return None
    if kind in ("first", "last"):
        return as_known(known[0 if kind == "first" else -1])
    if isinstance(known[0], str | date):
        texts = sorted((k for k in known if isinstance(k, str | date)), key=str)
        return texts[0 if kind == "min" else -1]
    return of_numbers(kind, [number(k) for k in known], p=p, is_discrete=is_discrete)


def number(cell: Member) -> Number:
    assert isinstance(cell, int | float | Decimal | Fraction), cell
    return Number(Fraction(cell), is_double=isinstance(cell, float))


def as_known(cell: Member) -> Known:
    if cell is None or isinstance(cell, str | date):
        return cell
    return number(cell)


def of_numbers(kind: str, known: Sequence[Number], *, p: str = "", is_discrete: bool = False) -> Number | None:
    """Sum, mean and so on of at least one number."""
    ordered = sorted(known, key=lambda n: n.value)
    values = [n.value for n in ordered]
    error = max(n.error for n in known)
    is_double = any(n.is_double for n in known)
    total = sum(values, Fraction(0))
    match kind:
        case "sum":
            summed = len(known) * error
            wide = STEP * sum(map(abs, values), Fraction(0)) * len(known)
            return Number(total, summed + (wide if is_double else 0), is_double)
        case "min" | "max":
            return replace(ordered[0 if kind == "min" else -1], error=error, is_double=is_double)
        case "avg":
            return rounded(total / len(known), error + STEP * max(map(abs, values)) * len(known))
        case "stddev":
            return stddev(values, error)
    share = Fraction(p or "0.5")
    if is_discrete:
        found = ordered[max(ceil(share * len(values)) - 1, 0)]
        return replace(found, error=error, is_double=is_double)
    found = percentile(values, share, error)
    return replace(found, is_double=is_double or found.is_double)


def percentile(values: Sequence[Fraction], share: Fraction, error: Fraction = Fraction(0)) -> Number:
    """Linear between the two nearest ranks; the database may round it to the twelve places of a decimal."""
    place = share * (len(values) - 1)
    low, high = values[floor(place)], values[ceil(place)]
    if low == high:
        return Number(low, error)
    value = low + (high - low) * (place - floor(place))
    return rounded(value, error + TWELFTH_PLACE + 8 * STEP * max(abs(low), abs(high)))


def stddev(values: Sequence[Fraction], error: Fraction) -> Number | None:
    """Of a sample. The square root is found to 30 places; sums of squares lose half of a double's places."""
    if len(values) < 2:
        return None
    mean = sum(values, Fraction(0)) / len(values)
    variance = sum(((v - mean) ** 2 for v in values), Fraction(0)) / (len(values) - 1)
    if not variance and not error:
        return Number(Fraction(0), is_double=True)
    root = Fraction(isqrt(floor(variance * 10**60)), 10**30)
    widest = max(map(abs, values))
    return rounded(root, 2 * error + widest * Fraction(1, 2**40))


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


def before(a: Known, b: Known) -> bool | Doubt:
    """Whether one value is less than another of its kind; neither is null."""
    if FRAGILE in (a, b):
        return FRAGILE
    if isinstance(a, Number) and isinstance(b, Number):
        if (a.error or b.error) and abs(a.value - b.value) <= a.error + b.error:
            return FRAGILE
        return a.value < b.value
    assert isinstance(a, str | datetime | date)
    assert isinstance(b, str | datetime | date)
    return str(a) < str(b)
