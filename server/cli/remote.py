"""A question asked of the server that owns the store, over GraphQL, with the answer as if it were one's own."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from semantic import (
    Both,
    Catalog,
    Comparison,
    Dimension,
    Either,
    Evidence,
    Filter,
    MetricQuery,
    Not,
    Op,
    QueryError,
    Result,
    Row,
    Value,
    ValueType,
)
from server.cli.exchange import exchange
from server.names import field_name, value_name
from store import StoreError

ODD = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What reading an answer of another shape comes to."""


def ask_server(url: str, catalog: Catalog, question: MetricQuery) -> Result:
    """`QueryError` with the server's own message where it refuses; `StoreError` where no answer can be had."""
    asked = {"query": document(question), "variables": variables(catalog, question)}
    answer = exchange(f"{url}/graphql", asked)
    try:
        read = _refusal(answer) or _result(catalog, question, answer["data"]["metrics"])
    except ODD as error:
        raise StoreError(f"the server at {url} owns the store and answers in another form: {error!r}") from error
    if isinstance(read, QueryError):
        raise read
    return read


def _refusal(answer: Any) -> QueryError | None:
    if not answer.get("errors"):
        return None
    first = answer["errors"][0]
    return QueryError(first.get("extensions", {}).get("code", "REFUSED"), str(first["message"]))


def _result(catalog: Catalog, question: MetricQuery, found: Any) -> Result:
    return Result(tuple(_row(catalog, question, row) for row in found["rows"]), bool(found["truncated"]))


def document(question: MetricQuery) -> str:
    """The GraphQL document of a question: its names are the catalog's, its values are variables."""
    for name in question.by:
        if "." in name:
            raise QueryError("UNKNOWN_DIMENSION", f"'{name}' names a path; the server takes plain names of dimensions")
    time = [f"time(grain: {question.grain.upper()})"] if question.grain else []
    evidence = [f"of_{m}: evidence(metric: {value_name(m)}) {{ status n unknown }}" for m in question.metrics]
    fields = " ".join([*(field_name(n) for n in (*question.by, *question.metrics)), *time, *evidence])
    return (
        "query Asked($time: TimeRangeInput, $where: FilterInput, $orderBy: [OrderInput!], $limit: Int, "
        "$zone: String, $asOf: Date) { metrics(time: $time, where: $where, orderBy: $orderBy, limit: $limit, "
        f"zone: $zone, asOf: $asOf) {{ rows {{ {fields} }} truncated }} }}"
    )


def variables(catalog: Catalog, question: MetricQuery) -> dict[str, Any]:
    start, end = question.time.start, question.time.end
    bounds = {name: at.isoformat() for name, at in (("start", start), ("end", end)) if at is not None}
    given: dict[str, Any] = {"limit": question.limit, "asOf": question.as_of.isoformat()}
    if bounds:
        given["time"] = bounds
    if question.where is not None:
        given["where"] = _filter(catalog.dimensions(), question.where)
    if question.zone is not None:
        given["zone"] = question.zone
    given["orderBy"] = [{"by": value_name(o.by), "direction": o.direction.upper()} for o in question.order_by]
    return given


def _filter(dimensions: Mapping[str, Dimension], where: Filter) -> dict[str, Any]:
    match where:
        case Both(items):
            return {"and": [_filter(dimensions, item) for item in items]}
        case Either(items):
            return {"or": [_filter(dimensions, item) for item in items]}
        case Not(item):
            return {"not": _filter(dimensions, item)}
        case Comparison(name, op, values):
            dimension = dimensions.get(name)
            written = [_written(dimension, v) for v in values]
            return {field_name(name): {field_name(op): written if op in (Op.IN, Op.NOT_IN) else written[0]}}


def _written(dimension: Dimension | None, value: Any) -> Any:
    if dimension is not None and dimension.type == "enum" and isinstance(value, str):
        return value_name(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _row(catalog: Catalog, question: MetricQuery, row: Mapping[str, Any]) -> Row:
    dimensions = catalog.dimensions()
    keys = {name: _key(dimensions[name], row[field_name(name)]) for name in question.by}
    if question.grain:
        keys["time"] = None if row["time"] is None else date.fromisoformat(row["time"])
    values = {m: _value(row[field_name(m)], catalog.metrics[m].type) for m in question.metrics}
    return Row(keys, values, {m: Evidence(**row[f"of_{m}"]) for m in question.metrics})


def _key(dimension: Dimension, value: Any) -> Value:
    if dimension.type == "enum" and value is not None:
        return next(v for v in dimension.values if value_name(v) == value)
    if dimension.type == "date" and value is not None:
        return date.fromisoformat(value)
    key: Value = value
    return key


def _value(value: Any, kind: ValueType) -> Value:
    if value is None:
        return None
    match kind:
        case "money":
            return Decimal(value)
        case "date":
            return date.fromisoformat(value)
        case "integer":
            return int(value)
    return float(value)
