"""Rows of a statement -> a Result: typed values, whether the answer was cut, and why a value is null or partial.

Money and dates keep their exactness (a quotient of money is rounded once, half to even, to 12 places); a value that is
not known is None with a reason, never 0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from math import isfinite

from sqlglot import exp

from semantic.errors import QueryError
from semantic.measure import Aggregation, Each, Formula, Measure, Rank
from semantic.metric import Metric, ValueType
from semantic.plan import Plan
from semantic.sql.facts import ROWS_SUFFIX, UNKNOWN_SUFFIX, WHOLE_SUFFIX
from semantic.sql.statement import Statement

Value = str | int | float | bool | Decimal | date | None

_EXACT = Context(prec=330, rounding=ROUND_HALF_EVEN)
_TWELVE_PLACES = Decimal(1).scaleb(-12)

OK = "OK"
LOWER_BOUND = "LOWER_BOUND"
PARTIAL = "PARTIAL"
NO_DATA = "NO_DATA"
UNKNOWN = "UNKNOWN"
PARTIAL_WINDOW = "PARTIAL_WINDOW"
ZERO_DENOMINATOR = "ZERO_DENOMINATOR"
UNDEFINED = "UNDEFINED"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands behind one value.

    `status` is OK; LOWER_BOUND for a sum with members that do not know their value; PARTIAL for any other aggregate or
    formula with such members (it covers the rows that do know); or, where the value is null, the reason.
    """

    status: str
    n: int
    """Rows behind the value, those that do not know included: for a formula, of the input that has the most."""
    unknown: int
    """Rows whose value is not known: for a formula, of the input that has the most."""


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


def shape_rows(plan: Plan, statement: Statement, rows: Sequence[Sequence[object]]) -> Result:
    """The result that `rows`, the answer to `statement`, stand for."""
    limit = statement.limit
    kept = rows if limit is None else rows[:limit]
    return Result(tuple(_row(plan, statement, row) for row in kept), limit is not None and len(rows) > limit)


def _row(plan: Plan, statement: Statement, row: Sequence[object]) -> Row:
    columns = statement.columns
    named = dict(zip((*columns.keys, *columns.metrics, *columns.hidden), row, strict=True))
    keys = {name: _key(named[name]) for name in columns.keys}
    known = {n: _typed_value(named[n], m.type) for n, m in plan.metrics.items() if n in named}
    evidence = {n: _evidence(plan, n, known, named) for n in columns.metrics} if plan.query.evidence else {}
    return Row(keys, {name: known[name] for name in columns.metrics}, evidence)


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
    return rounded if int(rounded.as_tuple().exponent) <= 0 else rounded.quantize(Decimal(1), context=_EXACT)


def _evidence(plan: Plan, name: str, known: Mapping[str, Value], named: Mapping[str, object]) -> Evidence:
    counts = [_counts(n, m, named) for n, m in _counted(plan, name).items()]
    n = max((rows for rows, _ in counts), default=0)
    unknown = max((missing for _, missing in counts), default=0)
    if known[name] is None:
        return Evidence(_reason(plan, name, known, named), n, unknown)
    definition = plan.metrics[name].definition
    is_sum = isinstance(definition, Measure) and definition.aggregation is Aggregation.SUM
    return Evidence((LOWER_BOUND if is_sum else PARTIAL) if unknown else OK, n, unknown)


def _counts(name: str, definition: Measure | Each, named: Mapping[str, object]) -> tuple[int, int]:
    """Rows of a measure, or parts of a metric of a metric, and those that do not know their value."""
    is_its_rows = isinstance(definition, Measure) and definition.is_its_rows
    rows = named[name] if is_its_rows else named[name + ROWS_SUFFIX]
    missing = 0 if is_its_rows else named[name + UNKNOWN_SUFFIX]
    return int(str(rows or 0)), int(str(missing or 0))


def _counted(plan: Plan, name: str) -> dict[str, Measure | Each]:
    """What a metric rests on whose rows are counted."""
    match plan.metrics[name].definition:
        case Measure() | Each() as definition:
            return {name: definition}
        case Rank(of=of):
            return _counted(plan, of)
        case Formula(inputs=inputs):
            return {n: m for i in inputs for n, m in _counted(plan, i).items()}


def _reason(plan: Plan, name: str, known: Mapping[str, Value], named: Mapping[str, object]) -> str:
    """Why a value is null. Of several causes the one that hides most: unknown rows, then no rows, then a zero."""
    return min(_causes(plan, name, known, named))[1]


def _causes(
    plan: Plan, name: str, known: Mapping[str, Value], named: Mapping[str, object]
) -> Iterator[tuple[int, str]]:
    """Causes with their rank: a measure's own rows, a formula's null inputs, or a divisor that is 0."""
    metric = plan.metrics[name]
    match metric.definition:
        case Measure() | Each() as definition:
            is_whole = named.get(name + WHOLE_SUFFIX, True) is True
            yield _own_cause(metric, *_counts(name, definition, named), is_whole=is_whole)
        case Rank(of=of):
            yield from _causes(plan, of, known, named)
        case Formula(inputs=inputs):
            missing_inputs = [n for n in inputs if known[n] is None]
            for following in missing_inputs:
                yield from _causes(plan, following, known, named)
            if not missing_inputs:
                yield 2, _zero_divisor(metric, plan, known) or metric.reasons.unknown or UNDEFINED


def _own_cause(metric: Metric, rows: int, missing: int, *, is_whole: bool) -> tuple[int, str]:
    if not rows:
        return 1, metric.reasons.empty or NO_DATA
    if not is_whole:
        return 0, PARTIAL_WINDOW
    if missing:
        return 0, metric.reasons.unknown or UNKNOWN
    return 1, UNDEFINED  # such as the deviation of one value


def _zero_divisor(metric: Metric, plan: Plan, known: Mapping[str, Value]) -> str | None:
    assert isinstance(metric.definition, Formula)
    for quotient in metric.definition.tree.find_all(exp.Div):
        under = quotient.expression.unnest()
        if isinstance(under, exp.Column) and known.get(under.name) == 0:
            return plan.metrics[under.name].reasons.zero or ZERO_DENOMINATOR
    return None
