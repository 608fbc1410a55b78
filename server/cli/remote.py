"""A question asked of the server that owns the store, over GraphQL, with the answer as if it were one's own.

A server that serves a file says so beside that file, so no other store can answer by mistake.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

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
from server.names import field_name, value_name
from store import StoreError

MAX_ANSWER_BYTES = 256_000_000


def _notice(store: Path) -> Path:
    return store.with_name(store.name + ".server")


@contextmanager
def announced(store: Path, url: str) -> Iterator[None]:
    """Says beside the store where it is served, for as long as that holds."""
    notice = _notice(store)
    notice.write_text(json.dumps({"url": url}))
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            notice.unlink()


def server_of(store: Path) -> str | None:
    """The address at which a store is served on this machine, where a server says so."""
    try:
        url = str(json.loads(_notice(store).read_text())["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1") else None


def ask_server(url: str, catalog: Catalog, question: MetricQuery) -> Result:
    """`QueryError` with the server's own message where it refuses; `StoreError` where nobody answers."""
    body = json.dumps({"query": document(question), "variables": variables(catalog, question)}).encode()
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    request = Request(f"{url}/graphql", body, headers)  # noqa: S310  # server_of gives addresses of this machine only
    try:
        with urlopen(request, timeout=60) as response:  # noqa: S310  # as above
            answer = json.loads(response.read(MAX_ANSWER_BYTES), parse_float=Decimal)
    except HTTPError as error:
        answer = json.loads(error.read(MAX_ANSWER_BYTES))
    except (URLError, TimeoutError) as error:
        raise StoreError(f"the server at {url} owns the store and does not answer: {error}") from error
    if answer.get("errors"):
        first = answer["errors"][0]
        raise QueryError(first.get("extensions", {}).get("code", "REFUSED"), first["message"])
    found = answer["data"]["metrics"]
    rows = tuple(_row(catalog, question, row) for row in found["rows"])
    return Result(rows, bool(found["truncated"]))


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
