"""Questions over a million requests: Clawback's whole way beside hand-written SQL over the same facts, in one run.

Read the ratios; the milliseconds belong to the machine. Nothing is asserted.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from semantic import Catalog, Grain, MetricQuery, compile_plan, load_catalog, parse_filter, plan_query
from server.answer import ask
from store import Store
from store.facts import refresh_facts

ROOT = Path(__file__).parents[1]
AS_OF = date(2026, 11, 1)
REQUESTS, SESSIONS, ROUNDS = 1_000_000, 60_000, 9

FILL = f"""
INSERT INTO sessions BY NAME
SELECT 's' || i AS session_id, 'bench' AS source, 'agent-' || (i % 12) AS agent,
    ['human', 'cron', 'subagent'][1 + i % 3] AS "trigger", 100 AS trigger_confidence,
    TIMESTAMP '2026-08-01' + INTERVAL (i * 120) SECOND AS started_at,
    TIMESTAMP '2026-08-01' + INTERVAL (i * 120 + 300) SECOND AS ended_at,
    'success' AS termination, 100 AS termination_confidence, 1 AS load_id
FROM range({SESSIONS}) AS t(i);
INSERT INTO requests BY NAME
SELECT 'r' || i AS request_key, 'bench' AS source, 'request' AS scope, 's' || (i % {SESSIONS}) AS session_id,
    'agent-' || ((i % {SESSIONS}) % 12) AS agent, 'anthropic' AS provider, 'model-' || (i % 7) AS model,
    TIMESTAMP '2026-08-01' + INTERVAL ((i % {SESSIONS}) * 120 + i % 200) SECOND AS started_at,
    1000 AS uncached_input_tokens, 0 AS cache_read_tokens, 0 AS cache_write_5m_tokens, 0 AS cache_write_1h_tokens,
    100 AS output_tokens, ((i % 97) / 1000.0)::DECIMAL(38,12) AS cost_usd, 'PRICED' AS cost_status,
    FALSE AS is_included, 'ok' AS status, 1 AS load_id, 1 AS first_load_id
FROM range({REQUESTS}) AS t(i);
"""

QUESTIONS: dict[str, tuple[MetricQuery, str]] = {
    "inference cost by model": (
        MetricQuery(metrics=("inference_cost",), by=("model",), as_of=AS_OF),
        "SELECT model, sum(cost_usd) FROM request_facts GROUP BY 1 ORDER BY 1",
    ),
    "inference cost by day, cron": (
        MetricQuery(metrics=("inference_cost",), grain=Grain.DAY, where=parse_filter("trigger = 'cron'"), as_of=AS_OF),
        """SELECT r.started_at::DATE, sum(r.cost_usd) FROM request_facts r JOIN session_facts s USING (session_id)
        WHERE s.trigger = 'cron' GROUP BY 1 ORDER BY 1""",
    ),
    "cost per session by agent": (
        MetricQuery(metrics=("cost_per_session",), by=("agent",), as_of=AS_OF),
        "SELECT agent, sum(cost_usd) / count(cost_usd) FROM session_facts GROUP BY 1 ORDER BY 1",
    ),
    "idle waste by agent and trigger": (
        MetricQuery(metrics=("idle_waste_rate", "sessions"), by=("agent", "trigger"), as_of=AS_OF),
        """SELECT agent, trigger, count(*) FILTER (class = 'idle') / count(*) FILTER (class <> 'pending'), count(*)
        FROM session_facts GROUP BY 1, 2 ORDER BY 1, 2""",
    ),
}


def median_ms(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def measure(store: Store, catalog: Catalog, question: MetricQuery, by_hand: str) -> tuple[float, float, float]:
    """Medians in ms of: compiling, the whole answer, the SQL by hand. Taken in turn, so that drift hits all."""
    compiling = median_ms(lambda: compile_plan(plan_query(catalog, question)))
    hand, whole = [], []
    for _ in range(ROUNDS):
        hand.append(median_once(lambda: store.read(by_hand)))
        whole.append(median_once(lambda: ask(catalog, store, question)))
    return compiling, statistics.median(whole), statistics.median(hand)


def median_once(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    catalog = load_catalog((ROOT / "metrics.yaml").read_text(), "metrics.yaml")
    with Store.open(None) as store:
        store._connection.execute(FILL)  # rows by the million, without a loader in the way
        start = time.perf_counter()
        refresh_facts(store._connection, {"requests", "sessions"})
        refreshing = time.perf_counter() - start
        print(f"{REQUESTS:,} requests, {SESSIONS:,} sessions, medians of {ROUNDS}, {datetime.now(UTC):%Y-%m-%d}")
        print(f"writing down the facts: {refreshing:.1f} s")
        print(f"{'question':34} {'compile ms':>10} {'answer ms':>10} {'by hand ms':>10} {'ratio':>6}")
        for name, (question, by_hand) in QUESTIONS.items():
            compiling, whole, hand = measure(store, catalog, question, by_hand)
            print(f"{name:34} {compiling:10.2f} {whole:10.1f} {hand:10.1f} {whole / hand:6.2f}")


if __name__ == "__main__":
    main()
