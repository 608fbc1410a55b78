"""Compiled SQL beside the best SQL that we could write by hand, over a million and twenty million requests.

Both run in turn in one process on one connection. Where several texts by hand are given, the fastest counts. Each
answer is compared with the others' and a difference is said loudly. `cpu` is the ratio of processor time, which other
work on the machine disturbs less than the clock. Read the ratios; nothing is asserted.
"""

import argparse
import hashlib
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from semantic import Catalog, MetricQuery, Statement, TimeRange, compile_plan, load_catalog, parse_filter, plan_query
from semantic.periods import Grain

WORKLOAD = Path(__file__).parent / "workload"
AS_OF = date(2026, 11, 1)
LAST_30_DAYS = TimeRange(start=datetime(2026, 10, 2, tzinfo=UTC), end=datetime(2026, 11, 1, tzinfo=UTC))
Rows = Sequence[Sequence[Any]]
Times = tuple[float, float]
"""Milliseconds by the clock and of the processor."""


@dataclass(frozen=True, slots=True)
class Question:
    asked: Mapping[str, Any]
    by_hand: tuple[str, ...]


QUESTIONS = {
    "cost per session by model, 30 d": Question(
        {"metrics": ("cost_per_session_using",), "by": ("model",), "time": LAST_30_DAYS},
        (
            """SELECT model, sum(cost_usd)::DOUBLE / nullif(count(DISTINCT session_id), 0)
            FROM requests WHERE started_at >= '2026-10-02' AND started_at < '2026-11-01' GROUP BY 1""",
            """SELECT model, sum(cost)::DOUBLE / nullif(count(session_id), 0) FROM (
                SELECT model, session_id, sum(cost_usd) AS cost
                FROM requests WHERE started_at >= '2026-10-02' AND started_at < '2026-11-01' GROUP BY 1, 2
            ) GROUP BY 1""",
        ),
    ),
    "ROI by model": Question(
        {"metrics": ("roi_using",), "by": ("model",)},
        (
            """SELECT model, rate / nullif(cost, 0) FROM (
                SELECT model, sum(cost_usd)::DOUBLE / nullif(count(DISTINCT session_id), 0) AS cost
                FROM requests GROUP BY 1
            ) FULL JOIN (
                SELECT model, sum(success)::DOUBLE / count(*) AS rate FROM outcome_models GROUP BY 1
            ) USING (model)""",
            """SELECT model, rate / nullif(cost, 0) FROM (
                SELECT model, sum(cost)::DOUBLE / nullif(count(session_id), 0) AS cost
                FROM (SELECT model, session_id, sum(cost_usd) AS cost FROM requests GROUP BY 1, 2) GROUP BY 1
            ) FULL JOIN (
                SELECT model, sum(success)::DOUBLE / count(*) AS rate FROM outcome_models GROUP BY 1
            ) USING (model)""",
        ),
    ),
    "ROI by agent": Question(
        {"metrics": ("roi",), "by": ("agent",)},
        tuple(
            f"""SELECT agent, rate / nullif(cost::DOUBLE / sessions, 0)
            FROM (SELECT agent, sum(cost_usd) AS cost FROM {costs} LEFT JOIN sessions USING (session_id) GROUP BY 1)
            LEFT JOIN (SELECT agent, count(*) AS sessions FROM sessions GROUP BY 1) USING (agent)
            LEFT JOIN (
                SELECT agent, sum(success)::DOUBLE / count(*) AS rate
                FROM outcomes JOIN sessions USING (session_id) GROUP BY 1
            ) USING (agent)"""
            for costs in ("requests", "(SELECT session_id, sum(cost_usd) AS cost_usd FROM requests GROUP BY 1)")
        ),
    ),
    "daily cost by model, cron": Question(
        {"metrics": ("cost",), "by": ("model",), "grain": Grain.DAY, "where": parse_filter("trigger = 'cron'")},
        (
            """SELECT model, requests.started_at::DATE, sum(cost_usd) FROM requests JOIN sessions USING (session_id)
            WHERE trigger = 'cron' GROUP BY 1, 2 ORDER BY 2, 1""",
        ),
    ),
    "waste by agent and week": Question(
        {"metrics": ("waste",), "by": ("agent",), "grain": Grain.WEEK},
        (
            """SELECT agent, date_trunc('week', started_at)::DATE, 1 - count(productive.session_id) / count(*)
            FROM sessions
            LEFT JOIN (SELECT DISTINCT session_id FROM outcomes WHERE outcome_kind <> 'noop') AS productive
            USING (session_id) GROUP BY 1, 2 ORDER BY 2, 1""",
            """SELECT agent, date_trunc('week', started_at)::DATE, 1 - count(*) FILTER (
                session_id IN (SELECT session_id FROM outcomes WHERE outcome_kind <> 'noop')
            ) / count(*) FROM sessions GROUP BY 1, 2 ORDER BY 2, 1""",
        ),
    ),
    "waste written down by a load": Question(
        {"metrics": ("waste_written_down",), "by": ("agent",), "grain": Grain.WEEK},
        (
            """SELECT agent, date_trunc('week', started_at)::DATE, count(*) FILTER (NOT is_productive) / count(*)
            FROM session_facts GROUP BY 1, 2 ORDER BY 2, 1""",
        ),
    ),
    "7 days of cost by day": Question(
        {"metrics": ("weekly_cost",), "grain": Grain.DAY},
        (
            """WITH days AS (SELECT started_at::DATE AS day, sum(cost_usd) AS cost FROM requests GROUP BY 1),
            spine AS (SELECT unnest(range(min(day), max(day) + 1, INTERVAL 1 DAY))::DATE AS day FROM days)
            SELECT spine.day, sum(cost) FROM spine LEFT JOIN days ON days.day BETWEEN spine.day - 6 AND spine.day
            GROUP BY 1 ORDER BY 1""",
        ),
    ),
    "7 days of cost by day, 30 d": Question(
        {"metrics": ("weekly_cost",), "grain": Grain.DAY, "time": LAST_30_DAYS},
        (
            """WITH days AS (
                SELECT started_at::DATE AS day, sum(cost_usd) AS cost FROM requests
                WHERE started_at >= '2026-09-26' AND started_at < '2026-11-01' GROUP BY 1
            ), spine AS (SELECT unnest(range(DATE '2026-10-02', DATE '2026-11-01', INTERVAL 1 DAY))::DATE AS day)
            SELECT spine.day, sum(cost) FROM spine LEFT JOIN days ON days.day BETWEEN spine.day - 6 AND spine.day
            GROUP BY 1 ORDER BY 1""",
        ),
    ),
    "7 days of cost by day and model": Question(
        {"metrics": ("weekly_cost",), "grain": Grain.DAY, "by": ("model",)},
        (
            """WITH days AS (SELECT model, started_at::DATE AS day, sum(cost_usd) AS cost FROM requests GROUP BY 1, 2),
            spine AS (SELECT unnest(range(min(day), max(day) + 1, INTERVAL 1 DAY))::DATE AS day FROM days)
            SELECT model, spine.day, sum(cost) FROM spine JOIN days ON days.day BETWEEN spine.day - 6 AND spine.day
            GROUP BY 1, 2 ORDER BY 2, 1""",
        ),
    ),
    "cash over burn": Question(
        {"metrics": ("runway",)},
        (
            """SELECT (SELECT sum(balance_usd) FROM cash WHERE day = (SELECT max(day) FROM cash))::DOUBLE
            / (sum(cost_usd)::DOUBLE / 30 * 30.4375)
            FROM requests WHERE started_at >= '2026-10-02' AND started_at < '2026-11-01'""",
        ),
    ),
    "p95 latency by model": Question(
        {"metrics": ("p95_latency",), "by": ("model",)},
        ("SELECT model, quantile_cont(latency_ms, 0.95) FROM requests GROUP BY 1 ORDER BY 1",),
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[1_000_000, 20_000_000])
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "clawback-benchmarks")
    parser.add_argument("--only", default="", help="ask the questions with this in their name")
    parser.add_argument("--explain", action="store_true", help="print the statements and their plans instead")
    arguments = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, DuckDB {duckdb.__version__}, load {os.getloadavg()[0]:.1f}")
    for rows in arguments.rows:
        path = filled(arguments.cache, rows)
        with duckdb.connect(str(path), read_only=True) as connection:
            ask_all(connection, arguments.only, rounds=25 if rows <= 2_000_000 else 9, explain=arguments.explain)


def filled(cache: Path, rows: int) -> Path:
    """The file with about that many requests; made where it is missing or was made by another recipe."""
    recipe = (WORKLOAD / "fill.sql").read_text()
    path = cache / f"requests-{rows}-{hashlib.sha256(recipe.encode()).hexdigest()[:8]}.duckdb"
    if path.exists():
        return path
    cache.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with duckdb.connect(str(unfinished)) as connection:
        connection.execute(recipe.replace("$sessions", str(rows // 15)))
    unfinished.rename(path)
    print(f"made {path} in {time.perf_counter() - start:.0f} s")
    return path


def ask_all(connection: duckdb.DuckDBPyConnection, only: str, *, rounds: int, explain: bool) -> None:
    tables = ("requests", "sessions", "outcomes", "outcome_models")
    sizes = [f"{connection.execute(f'SELECT count(*) FROM {t}').fetchall()[0][0]:,} {t}" for t in tables]
    print(f"\n{', '.join(sizes)}; medians of {rounds}")
    heads = f"{'rows':>6} {'compile':>8} {'ours ms':>8} {'by hand':>8} {'ratio':>6} {'cpu':>5} {'more ms':>8}"
    print(f"{'question':32} {heads}")
    catalog = load_catalog((WORKLOAD / "metrics.yaml").read_text())
    for name, question in QUESTIONS.items():
        if only not in name:
            continue
        query = MetricQuery(as_of=AS_OF, **question.asked)
        compiling = statistics.median(elapsed(partial(compiled, catalog, query))[0] for _ in range(5))
        statement = compiled(catalog, query)
        if explain:
            print_plans(connection, statement, question)
            continue
        rows, (ours, our_cpu), (hand, hand_cpu) = measure(connection, statement, question, rounds)
        print(
            f"{name:32} {rows:6,} {compiling:8.1f} {ours:8.1f} {hand:8.1f} "
            f"{ours / hand:6.2f} {our_cpu / hand_cpu:5.2f} {ours - hand:8.1f}"
        )


def measure(
    connection: duckdb.DuckDBPyConnection, statement: Statement, question: Question, rounds: int
) -> tuple[int, Times, Times]:
    """How many rows there are, our medians and those of the fastest text by hand."""
    works: list[tuple[str, Mapping[str, Any]]] = [(statement.sql, statement.params)]
    works += [(text, {}) for text in question.by_hand]
    answers = [answered(connection, *work) for work in works]
    for (text, _), answer in zip(works[1:], answers[1:], strict=True):
        if difference := first_difference(answers[0], answer):
            print(f"!!! THE ANSWERS DIFFER: {difference}\n!!! {text}")
    taken: list[list[Times]] = [[] for _ in works]
    for turn in range(rounds):
        for i in range(len(works)):
            at = (turn + i) % len(works)
            taken[at].append(elapsed(partial(answered, connection, *works[at])))
    medians = [(statistics.median(t[0] for t in times), statistics.median(t[1] for t in times)) for times in taken]
    return len(answers[0]), medians[0], min(medians[1:])


def compiled(catalog: Catalog, query: MetricQuery) -> Statement:
    return compile_plan(plan_query(catalog, query))


def answered(connection: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, Any]) -> Rows:
    return connection.execute(sql, params).fetchall()


def elapsed(work: Callable[[], object]) -> Times:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000


def first_difference(ours: Rows, theirs: Rows) -> str:
    """What differs first between two answers in any order; nothing where they say the same to nine digits."""
    if len(ours) != len(theirs):
        return f"{len(ours)} rows beside {len(theirs)}"
    for mine, other in zip(sorted(ours, key=str), sorted(theirs, key=str), strict=True):
        if mine[:-1] != other[:-1] or not _same(mine[-1], other[-1]):
            return f"{mine} beside {other}"
    return ""


def _same(mine: Any, other: Any) -> bool:
    return mine is other if mine is None or other is None else math.isclose(mine, other, rel_tol=1e-9)


def print_plans(connection: duckdb.DuckDBPyConnection, statement: Statement, question: Question) -> None:
    for text, params in ((statement.sql, statement.params), *((text, {}) for text in question.by_hand)):
        print(text)
        print(connection.execute(f"EXPLAIN ANALYZE {text}", params).fetchall()[0][1])


if __name__ == "__main__":
    main()
