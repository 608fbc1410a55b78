"""Formulas over metrics, in numbers that know their error."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor

from tests.semantic.brute_numbers import (
    FRAGILE,
    Doubt,
    Known,
    Number,
    added,
    divided,
    may_be_zero,
    multiplied,
    rounded,
)
from tests.semantic.worlds import Term

MAX_DAYS = 36_525


def evaluated(term: Term, values: Mapping[str, Known], doubles: Collection[str], as_of: date | Doubt | None) -> Known:
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
        return as_of if as_of is None or isinstance(as_of, Doubt) else _days_after(as_of, _number(parts[0]))
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
            has_double = any(p.is_double for p in parts)
            return rounded(choice.value, max(p.error for p in parts)) if has_double else choice
    raise ValueError(op)


def _if_positive(test: Number, then: Known) -> Known:
    if test.error and may_be_zero(test):
        return FRAGILE
    return then if test.value > 0 else None


def _days_after(as_of: date, days: Number) -> Known:
    millionths = days.value * 10**6
    to_half = abs(millionths - floor(millionths) - Fraction(1, 2))
    if to_half <= days.error * 10**6:
        return FRAGILE
    whole = ceil(Fraction(floor(millionths + Fraction(1, 2)), 10**6))
    return None if abs(whole) > MAX_DAYS else as_of + timedelta(days=whole)


def divisors(term: Term) -> Iterator[str]:
    """The metrics that a formula divides by."""
    if term.op == "/" and term.parts[1].op == "metric":
        yield term.parts[1].name
    for part in term.parts:
        yield from divisors(part)
