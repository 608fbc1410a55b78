"""What a metrics file promises about the data: its `tests:`, and which columns name one row each.

The questions and the SQL are made here and answered elsewhere; the answers come back here to be judged.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from math import fsum, isclose

from sqlglot import exp

from semantic.catalog import Catalog, Check
from semantic.errors import Mark, Mistake
from semantic.evidence import Value
from semantic.model import Model
from semantic.query import MetricQuery, TimeRange, parse_filter
from semantic.ranges import parse_range
from semantic.shape import Result, Row
from semantic.sql import tree

CLOSE_ENOUGH = 1e-9
"""How far two doubles may lie apart, relative to the larger one. Decimals and whole numbers agree exactly."""
SHOWN = 5
"""Rows of one test that are told; the rest are counted."""


def question_of(check: Check, catalog: Catalog, as_of: date) -> MetricQuery:
    """What a test asks; `QueryError` where its filter or its range cannot be read."""
    zone, words = catalog.time_zone, check.range
    return MetricQuery(
        metrics=check.metrics,
        as_of=as_of,
        by=check.by,
        grain=check.grain,
        time=parse_range(words, as_of, zone, catalog.calendar) if words else TimeRange(),
        where=parse_filter(check.where) if check.where else None,
        filters=check.filters,
        evidence=True,
    )


def failures(check: Check, result: Result, expected: Sequence[Sequence[object]] = ()) -> tuple[Mistake, ...]:
    """Where an answer is not what the test says; `expected` are the rows of its SQL, keys first, then metrics.

    An answer without rows fails every test but that of the SQL: it would have looked at nothing.
    """
    if check.matches_sql is not None:
        told = list(_differences(check, result, expected))
    elif not result.rows:
        told = ["the answer has no rows, so there is nothing to test"]
    elif check.sums_to is not None:
        told = [text for metric in check.metrics for text in _of_sum(metric, result, check.sums_to)]
    else:
        told = [text for row in result.rows for metric in check.metrics for text in _of_value(check, row, metric)]
    if len(told) > SHOWN:
        told = [*told[: SHOWN - 1], f"{told[SHOWN - 1]}; and {len(told) - SHOWN:,} more like it"]
    return tuple(Mistake(place_of(check), text) for text in told)


def place_of(check: Check) -> Mark:
    return check.mark or Mark("", 1, 1)


def _of_value(check: Check, row: Row, metric: str) -> Iterator[str]:
    value = row.values[metric]
    if check.equals is not None:
        holds, wanted = _is_written(value, check.equals), check.equals
    elif check.between is not None:
        low, high = check.between
        holds, wanted = _lies_between(value, low, high), f"{low} to {high}"
    else:
        holds, wanted = value is not None, "a value"
    if not holds:
        yield f"{metric}{_place(row)}: got {_got(row, metric)}, expected {wanted}"


def _of_sum(metric: str, result: Result, wanted: str) -> Iterator[str]:
    """A row without a value has no part in a sum that is known, so it fails the test by itself."""
    unknown = [row for row in result.rows if row.values[metric] is None]
    for row in unknown:
        yield f"{metric}{_place(row)}: got {_got(row, metric)}, so the rows do not sum to {wanted}"
    values = [value for row in result.rows if (value := row.values[metric]) is not None]
    numbers = [value for value in values if isinstance(value, int | float | Decimal)]
    if len(numbers) < len(values):
        yield f"{metric}: got values that cannot be added, expected a sum of {wanted}"
    elif not unknown:
        is_rough = any(isinstance(number, float) for number in numbers)
        total: Value = fsum(numbers) if is_rough else sum(map(Decimal, numbers), Decimal(0))
        if not _is_written(total, wanted):
            yield f"{metric}: the {len(numbers):,} rows sum to {_written(total)}, expected {wanted}"


def _differences(check: Check, result: Result, expected: Sequence[Sequence[object]]) -> Iterator[str]:
    """Rows are told apart by their keys, in whatever order they come."""
    keys = tuple(result.rows[0].keys) if result.rows else (*check.by, *(["time"] if check.grain else []))
    columns = (*keys, *check.metrics)
    if any(len(row) != len(columns) for row in expected):
        yield f"the SQL gives {len(expected[0])} columns, expected {len(columns)}: {', '.join(columns)}"
        return
    wanted: dict[tuple[object, ...], Sequence[object]] = {}
    for values in expected:
        key = tuple(map(_comparable, values[: len(keys)]))
        if key in wanted:
            yield f"the SQL gives two rows for {_shown_key(keys, values)}, expected one"
        wanted[key] = values
    for row in result.rows:
        values = wanted.pop(tuple(map(_comparable, row.keys.values())), ())
        if not values:
            yield f"got a row for {_shown_key(keys, tuple(row.keys.values()))}, which the SQL does not give"
            continue
        for metric, value in zip(check.metrics, values[len(keys) :], strict=True):
            if not _agree(row.values[metric], value):
                yield f"{metric}{_place(row)}: got {_got(row, metric)}, expected {_written(value)}"
    for values in wanted.values():
        yield f"got no row for {_shown_key(keys, values)}, which the SQL gives"


def _is_written(value: Value, text: str) -> bool:
    """Whether a value is the one that a text of the file says."""
    if isinstance(value, int | float | Decimal):
        return (number := _number(text)) is not None and _agree(value, number)
    return value is not None and _written(value) == text


def _lies_between(value: Value, low: str, high: str) -> bool:
    if isinstance(value, int | float | Decimal):
        least, most = _number(low), _number(high)
        return least is not None and most is not None and least <= value <= most
    return value is not None and low <= _written(value) <= high


def _agree(got: object, wanted: object) -> bool:
    if isinstance(got, int | float | Decimal) and isinstance(wanted, int | float | Decimal):
        if isinstance(got, float) or isinstance(wanted, float):
            return isclose(got, wanted, rel_tol=CLOSE_ENOUGH)
        return got == wanted
    return _comparable(got) == _comparable(wanted)


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _comparable(value: object) -> object:
    """Equal for what means the same: a day and the instant at which it starts, an instant with and without its zone."""
    if isinstance(value, datetime):
        instant = value if value.tzinfo is None else value.astimezone(UTC).replace(tzinfo=None)
        return instant.date() if instant.time() == time() else instant
    if isinstance(value, float):
        return Decimal(repr(value))
    return value if isinstance(value, str | int | Decimal | date | None) else repr(value)


def _got(row: Row, metric: str) -> str:
    value = row.values[metric]
    if value is not None:
        return _written(value)
    return f"null ({row.evidence[metric].status})" if metric in row.evidence else "null"


def _written(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):
        return value.isoformat()
    return "null" if value is None else str(value)


def _place(row: Row) -> str:
    return f" ({_shown_key(tuple(row.keys), tuple(row.keys.values()))})" if row.keys else ""


def _shown_key(keys: Sequence[str], values: Sequence[object]) -> str:
    pairs = [f"{name} {_written(value)}" for name, value in zip(keys, values, strict=False)]
    return ", ".join(pairs) or "the whole"


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """Columns of which the file says that no two rows have the same values."""

    source: str
    columns: tuple[str, ...]
    mark: Mark
    said_by: str
    skips_null: bool = False
    """Of a join: a null finds nothing, so it may be repeated."""


def unique_columns(catalog: Catalog) -> tuple[tuple[str, tuple[Uniqueness, ...]], ...]:
    """One SQL a model and what it answers for: the model's key, and the columns that one-to-one joins find it by."""
    claims = {name: [_of_key(model)] for name, model in catalog.models.items()}
    for model in catalog.models.values():
        for join in model.joins.values():
            if join.is_one_to_one:
                since = (join.versions.since,) if join.versions else ()
                columns = (*(theirs for _, theirs in join.columns), *since)
                said_by = f"the join '{join.role}' of '{model.name}'"
                source, mark = catalog.models[join.target].source, join.mark or _mark(model)
                claims[join.target].append(Uniqueness(source, columns, mark, said_by, skips_null=True))
    return tuple((_sql(of_one), tuple(of_one)) for of_one in claims.values())


def repeated(claims: Sequence[Uniqueness], rows: Iterable[Sequence[object]]) -> tuple[Mistake, ...]:
    """The claims that do not hold, from the rows that their SQL gives."""
    mistakes = []
    for position, count, example in rows:
        if count:
            claim = claims[int(str(position))]
            named = ", ".join(claim.columns)
            message = (
                f"{claim.said_by} says that {named} {'is' if len(claim.columns) == 1 else 'are'} unique in "
                f"'{claim.source}'; got {count:,} repeated, such as {example}"
            )
            mistakes.append(Mistake(claim.mark, message))
    return tuple(mistakes)


def _of_key(model: Model) -> Uniqueness:
    return Uniqueness(model.source, model.key, _mark(model), f"the key of '{model.name}'")


def _mark(model: Model) -> Mark:
    return model.mark or Mark("", 1, 1)


def _sql(claims: Sequence[Uniqueness]) -> str:
    parts = [_repetitions(position, claim) for position, claim in enumerate(claims)]
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.Union(this=joined, expression=part, distinct=False)
    return joined.sql(dialect="duckdb")


def _repetitions(position: int, claim: Uniqueness) -> exp.Expression:
    """One row: the claim's position, how many values are repeated, and one of them as text."""
    columns = [tree.column(name) for name in claim.columns]
    known = [exp.Not(this=exp.Is(this=column.copy(), expression=exp.null())) for column in columns]
    where = tree.conjunction(known) if claim.skips_null else None
    inner = tree.select(columns, tree.table(claim.source), where, len(columns))
    several = exp.GT(this=exp.Count(this=exp.Star()), expression=tree.number(1))
    inner.set("having", exp.Having(this=several))
    texts = [exp.Coalesce(this=exp.cast(c.copy(), "TEXT"), expressions=[tree.text("null")]) for c in columns]
    example = exp.Min(this=exp.ConcatWs(expressions=[tree.text(", "), *texts]))
    return tree.select([tree.number(position), exp.Count(this=exp.Star()), example], inner.subquery("repeated"))
