"""What an answer costs in process: beside hand-written code, graphql-core and stock Strawberry, in one run.

First without a database: a resolver gives the same values to all, 8 rows of 4 fields and 500 rows of 6. Then over a
million requests in DuckDB, beside the SQL and the dictionaries that one would write by hand. CPU per request, taken in
turn; read the ratios. Nothing is asserted. `store_of_a_million` and `QUESTIONS` are for whoever measures over HTTP.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import strawberry
from answers import FILL

from semantic import Catalog, load_catalog
from server.graphql import build_schema
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Engine, Operation, Response
from server.graphql.metrics import Answered
from server.graphql.results import Results
from server.graphql.table import Table
from server.telemetry import Exchange
from server.telemetry.exchange import CURRENT
from store import Store
from store.facts import refresh_facts

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
LIMITS = AnswerLimits(rows=10_000, most_rows=10_000)
Ask = Callable[[], bytes]

SMALL = """query Q($where: FilterInput, $limit: Int) {
  metrics(where: $where, limit: $limit) { rows { agent trigger sessions costPerSession } } }"""
LARGE = """query Q($where: FilterInput, $limit: Int) {
  metrics(where: $where, limit: $limit) {
    rows { time(grain: DAY) agent trigger sessions costPerSession idleWasteRate } } }"""
VARIABLES: dict[str, Any] = {
    "where": {"or": [{"agent": {"startsWith": "a"}}, {"trigger": {"in": ["CRON"]}}]},
    "limit": 500,
}


@dataclass(frozen=True)
class Question:
    """In GraphQL; and by hand, the SQL and what it gives."""

    text: str
    sql: str
    built: Callable[[list[tuple[Any, ...]]], Any]
    variables: Mapping[str, Any]


def _series(rows: list[tuple[Any, ...]]) -> Any:
    return [
        {"time": f"{r[0].isoformat()}Z", "inferenceCost": None if r[1] is None else f"{r[1]:f}", "requests": r[2]}
        for r in rows
    ]


def _by_model(rows: list[tuple[Any, ...]]) -> Any:
    return [{"model": r[0], "costPerSession": None if r[1] is None else str(r[1]), "sessions": r[2]} for r in rows]


HOURS = {"start": "2026-08-01T00:00:00Z", "end": "2026-09-30T00:00:00Z"}
QUESTIONS = {
    "cost per session by model": Question(
        "{ metrics { rows { model costPerSession sessions } } }",
        "SELECT model, sum(cost_usd)::DOUBLE / count(cost_usd), count(*) FROM session_facts GROUP BY 1 ORDER BY 1",
        _by_model,
        {},
    ),
    "cost of calls by model": Question(
        "{ metrics { rows { model inferenceCost requests } } }",
        "SELECT model, sum(cost_usd), count(*) FROM request_facts GROUP BY 1 ORDER BY 1",
        lambda rows: [{"model": r[0], "inferenceCost": f"{r[1]:f}", "requests": r[2]} for r in rows],
        {},
    ),
    "1,440 hours of cost": Question(
        "query H($time: TimeRangeInput) { metrics(time: $time) { rows { time(grain: HOUR) inferenceCost requests } } }",
        "SELECT date_trunc('hour', started_at), sum(cost_usd), count(*) FROM request_facts"
        " WHERE started_at >= '2026-08-01' AND started_at < '2026-09-30' GROUP BY 1 ORDER BY 1",
        _series,
        {"time": HOURS},
    ),
}


def cpu_ms(asked: Mapping[str, Ask], rounds: int, calls: int) -> dict[str, float]:
    """Median CPU of one call of each, in milliseconds; they are called in turn, so that drift hits all."""
    taken: dict[str, list[float]] = {name: [] for name in asked}
    for _ in range(rounds):
        for name, ask in asked.items():
            began = time.process_time()
            for _ in range(calls):
                ask()
            taken[name].append((time.process_time() - began) / calls * 1000)
    return {name: statistics.median(found) for name, found in taken.items()}


def told(title: str, found: Mapping[str, float], beside: str) -> None:
    print(f"\n{title}")
    for name, ms in found.items():
        print(f"  {name:44} {ms:9.4f} ms {ms / found[beside]:8.2f} x")


def rows_of(length: int) -> list[tuple[Any, ...]]:
    """Day, agent, trigger, sessions, cost per session, idle waste rate."""
    triggers = ("human", "cron", "subagent")
    first = date(2026, 8, 1)
    return [
        (first + timedelta(days=n % 90), f"agent-{n % 12}", triggers[n % 3], n, Decimal(n * 37 % 9973) / 1000, n / 997)
        for n in range(length)
    ]


def table_of(rows: list[tuple[Any, ...]]) -> Answered:
    names = ("time", "agent", "trigger", "sessions", "cost_per_session", "idle_waste_rate")
    table = Table(len(rows), dict(zip(names, zip(*rows, strict=True), strict=True)), {})
    return Answered(table, None, False, NOW, 1, None)


def bare_small(rows: list[tuple[Any, ...]]) -> bytes:
    written = [{"agent": r[1], "trigger": r[2].upper(), "sessions": r[3], "costPerSession": str(r[4])} for r in rows]
    return orjson.dumps({"data": {"metrics": {"rows": written}}})


def bare_large(rows: list[tuple[Any, ...]]) -> bytes:
    written = [
        {"time": r[0].isoformat(), "agent": r[1], "trigger": r[2].upper(), "sessions": r[3],
         "costPerSession": str(r[4]), "idleWasteRate": r[5]}
        for r in rows
    ]  # fmt: skip
    return orjson.dumps({"data": {"metrics": {"rows": written}}})


def asker(engine: Engine, text: str, variables: Mapping[str, Any]) -> Ask:
    def ask() -> bytes:
        token = CURRENT.set(Exchange())  # as the server does around each request
        try:
            response: Response = engine.answer(Operation(text, dict(variables)), Deadline.after(60_000))
        finally:
            CURRENT.reset(token)
        return response.content

    return ask


def from_memory(catalog: Catalog, store: Store, length: int) -> None:
    """All ways on values that are resolved already."""
    schema = build_schema(catalog)
    rows = rows_of(length)
    found = table_of(rows)
    query = schema._schema.query_type
    assert query is not None
    query.fields["metrics"].resolve = lambda source, info, **arguments: found
    text, bare = (SMALL, bare_small) if length == 8 else (LARGE, bare_large)
    uncached = Engine(schema, catalog, store, lambda: NOW, LIMITS, results=Results(0, 0))
    cached = Engine(schema, catalog, store, lambda: NOW, LIMITS)
    plain = Engine(schema, catalog, store, lambda: NOW, LIMITS, is_plain=True)

    def stock() -> bytes:
        result = schema.execute_sync(text, variable_values=VARIABLES)
        assert result.errors is None, result.errors
        return orjson.dumps({"data": result.data})

    asked: dict[str, Ask] = {
        "by hand: dict + orjson": lambda: bare(rows),
        "fast path, the answer kept": asker(cached, text, VARIABLES),
        "fast path, values resolved": asker(uncached, text, VARIABLES),
        "plain path (document kept)": asker(plain, text, VARIABLES),
        "stock Strawberry": stock,
    }
    answers = {ask() for ask in asked.values()}
    assert len(answers) == 1, answers
    told(f"{length} rows from memory, CPU per request", cpu_ms(asked, 25, 200 if length == 8 else 8), next(iter(asked)))


def store_of_a_million() -> Store:
    """Requests by the million, without a loader in the way."""
    store = Store.open(None)
    store._connection.execute(FILL)
    refresh_facts(store._connection, {"requests", "sessions"})
    return store


def by_hand(store: Store, question: Question) -> Ask:
    """A cursor, the SQL, dictionaries, JSON: what one would write for this question alone."""

    def ask() -> bytes:
        cursor = store._connection.cursor()
        try:
            rows = cursor.execute(question.sql).fetchall()
        finally:
            cursor.close()
        return orjson.dumps({"data": {"metrics": {"rows": question.built(rows)}}})

    return ask


def from_duckdb(catalog: Catalog, store: Store) -> None:
    schema: strawberry.Schema = build_schema(catalog)
    uncached = Engine(schema, catalog, store, lambda: NOW, LIMITS, results=Results(0, 0))
    cached = Engine(schema, catalog, store, lambda: NOW, LIMITS)
    plain = Engine(schema, catalog, store, lambda: NOW, LIMITS, is_plain=True)
    for name, question in QUESTIONS.items():
        asked = {
            "by hand: SQL + dict + orjson": by_hand(store, question),
            "fast path": asker(uncached, question.text, question.variables),
            "fast path, the answer kept": asker(cached, question.text, question.variables),
            "plain path": asker(plain, question.text, question.variables),
        }
        rows = [len(orjson.loads(ask())["data"]["metrics"]["rows"]) for ask in asked.values()]
        found = cpu_ms(asked, 9, 3)
        told(f"{name}, {rows[1]:,} rows (by hand {rows[0]:,}), CPU per request", found, next(iter(asked)))


def new_texts(catalog: Catalog, store: Store) -> None:
    """A text that was never seen is parsed, validated and compiled: what clients pay who write values into it."""
    engine, number = Engine(build_schema(catalog), catalog, store, lambda: NOW, LIMITS), count()

    def ask() -> bytes:
        text = f"{{ catalog {{ timeZone k{next(number)}: timeZone }} }}"
        return engine.answer(Operation(text), Deadline.after(60_000)).content

    told("a text that was never seen", cpu_ms({"small text": ask}, 5, 40), "small text")


def main() -> None:
    catalog = load_catalog((ROOT / "metrics.yaml").read_text(), "metrics.yaml")
    with Store.open(None) as empty:
        for length in (8, 500):
            from_memory(catalog, empty, length)
        new_texts(catalog, empty)
    with store_of_a_million() as store:
        from_duckdb(catalog, store)


if __name__ == "__main__":
    main()
