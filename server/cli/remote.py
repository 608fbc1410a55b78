"""A question asked of the server that owns the store, over GraphQL, with the answer as if it were one's own."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from semantic import (
    Both,
    Caller,
    Catalog,
    Comparison,
    Either,
    Evidence,
    Filter,
    Metric,
    MetricQuery,
    Not,
    Op,
    QueryError,
    Result,
    Row,
    Scalar,
    Value,
    ValueType,
    plan_query,
)
from server.cli.exchange import exchange
from server.keys import Key, keys_of
from server.names import field_name, value_name
from store import StoreError

ODD = (ArithmeticError, AttributeError, LookupError, StopIteration, TypeError, ValueError)
"""What reading an answer of another shape comes to."""


PARAMETERS = {
    "time": "TimeRangeInput", "where": "FilterInput", "having": "HavingInput", "orderBy": "[OrderInput!]",
    "limit": "Int", "zone": "String", "asOf": "Date",
}  # fmt: skip


def ask_server(
    url: str, catalog: Catalog, question: MetricQuery, caller: Caller | None = None, key: str = ""
) -> Result:
    """Asks as whoever has the `key`, who is the `caller`.

    `QueryError` where the file or the server refuses, each in its own words; `StoreError` where nobody answers.
    """
    plan_query(catalog, question, caller)
    asked = {"query": document(question), "variables": variables(catalog, question)}
    answer = exchange(f"{url}/graphql", asked, key=key)
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
    keys = keys_of(catalog)
    asked = [keys[name] for name in question.by]
    return Result(tuple(_row(catalog, question, asked, row) for row in found["rows"]), bool(found["truncated"]))


def document(question: MetricQuery) -> str:
    """The GraphQL document of a question: its names are the catalog's, its values are variables."""
    for name in question.by:
        if "." in name and not name.startswith("time."):
            raise QueryError("UNKNOWN_DIMENSION", f"'{name}' names a path; the server takes plain names of dimensions")
    time = [f"time(grain: {value_name(question.grain)})"] if question.grain else []
    evidence = [f"of_{m}: evidence(metric: {value_name(m)}) {{ status n unknown }}" for m in question.metrics]
    fields = " ".join([*(field_name(n) for n in (*question.by, *question.metrics)), *time, *evidence])
    taken = {**PARAMETERS, **({"filters": "[NamedFilter!]"} if question.filters else {})}
    parameters = ", ".join(f"${name}: {kind}" for name, kind in taken.items())
    arguments = ", ".join(f"{name}: ${name}" for name in taken)
    return f"query Asked({parameters}) {{ metrics({arguments}) {{ rows {{ {fields} }} truncated }} }}"


def variables(catalog: Catalog, question: MetricQuery) -> dict[str, Any]:
    start, end = question.time.start, question.time.end
    bounds = {name: at.isoformat() for name, at in (("start", start), ("end", end)) if at is not None}
    given: dict[str, Any] = {"limit": question.limit, "asOf": question.as_of.isoformat()}
    if bounds:
        given["time"] = bounds
    if question.where is not None:
        keys = keys_of(catalog)
        given["where"] = _filter(question.where, lambda name, value: _key_value(keys[name], value))
    if question.having is not None:
        given["having"] = _filter(question.having, lambda name, value: _metric_value(catalog.metrics[name], value))
    if question.filters:
        given["filters"] = [value_name(name) for name in question.filters]
    if question.zone is not None:
        given["zone"] = question.zone
    given["orderBy"] = [{"by": value_name(o.by), "direction": o.direction.upper()} for o in question.order_by]
    return given


def _filter(given: Filter, written: Callable[[str, Scalar], Any]) -> dict[str, Any]:
    match given:
        case Both(items):
            return {"and": [_filter(item, written) for item in items]}
        case Either(items):
            return {"or": [_filter(item, written) for item in items]}
        case Not(item):
            return {"not": _filter(item, written)}
        case Comparison(name, op, values):
            several = [value if op is Op.IS_NULL else written(name, value) for value in values]
            return {field_name(name): {field_name(op): several if op in (Op.IN, Op.NOT_IN) else several[0]}}


def _key_value(key: Key, value: Scalar) -> Any:
    return value_name(value) if key.type == "enum" and isinstance(value, str) else _json(value)


def _metric_value(metric: Metric, value: Scalar) -> Any:
    return float(value) if metric.type == "number" and isinstance(value, Decimal) else _json(value)


def _json(value: Scalar) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _row(catalog: Catalog, question: MetricQuery, asked: Sequence[Key], row: Mapping[str, Any]) -> Row:
    keys = {key.column: _key(key, row[field_name(key.name)]) for key in asked}
    if question.grain:
        keys["time"] = None if row["time"] is None else _period_start(row["time"])
    values = {m: _value(row[field_name(m)], catalog.metrics[m].type) for m in question.metrics}
    return Row(keys, values, {m: Evidence(**row[f"of_{m}"]) for m in question.metrics})


def _period_start(text: str) -> date:
    return _instant(text) if "T" in text else date.fromisoformat(text)


def _instant(text: str) -> datetime:
    """As the store keeps it: in UTC, without a zone."""
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def _key(key: Key, value: Any) -> Value:
    match key.type, value:
        case "enum", str():
            return next(v for v in key.values if value_name(v) == value)
        case "date", str():
            return date.fromisoformat(value)
        case "timestamp", str():
            return _instant(value)
    found: Value = value
    return found


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
        case "text":
            return str(value)
    return float(value)
