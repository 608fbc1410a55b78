"""What stands behind a value: how many rows, how many of them do not know, and why a value is null or partial."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlglot import exp

from semantic.measure import Aggregation, Each, Formula, Measure, Rank
from semantic.metric import Metric
from semantic.plan import Plan
from semantic.sql.facts import ROWS_SUFFIX, UNKNOWN_SUFFIX, WHOLE_SUFFIX

Value = str | int | float | bool | Decimal | date | None
Column = Sequence[Value]

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


def evidence_column(
    plan: Plan, name: str, known: Mapping[str, Column], named: Mapping[str, Sequence[object]]
) -> Sequence[Evidence]:
    """Of one metric. `known` are the typed values of all that was asked, `named` all columns of the statement."""
    definition = plan.metrics[name].definition
    is_sum = isinstance(definition, Measure) and definition.aggregation is Aggregation.SUM
    of_some = LOWER_BOUND if is_sum else PARTIAL
    counted = _counted(plan, name)

    def evidence(at: int, value: Value) -> Evidence:
        row = {column: cells[at] for column, cells in named.items()}
        counts = [_counts(n, m, row) for n, m in counted.items()]
        n = max((rows for rows, _ in counts), default=0)
        unknown = max((missing for _, missing in counts), default=0)
        if value is not None:
            return Evidence(of_some if unknown else OK, n, unknown)
        reason = _reason(plan, name, {metric: cells[at] for metric, cells in known.items()}, row)
        return Evidence(reason, n, unknown)

    return [evidence(at, value) for at, value in enumerate(known[name])]


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
