"""The peers' questions in Clawback's terms: as a user asks them, without any cache of statements."""

import os
from datetime import date
from typing import Any

import timing

from semantic import MetricQuery, compile_plan, load_catalog, parse_filter, plan_query
from semantic.periods import Grain

MODELS = """
version: 1
models:
  sessions:
    source: sessions
    key: session_id
    time: started_at
    dimensions: {agent: string, trigger: string}
  requests:
    source: requests
    key: request_id
    time: started_at
    joins: {session: sessions}
    dimensions: {model: string}
  outcomes:
    source: outcomes
    key: outcome_id
    time: session_started_at
    joins: {session: sessions}
metrics:
  cost: {sum: requests.cost_usd}
  sessions_using: {count_distinct: requests.session_id}
  per_using: cost / sessions_using
  p95: {percentile: requests.latency_ms, p: 0.95}
  started: {count: sessions}
  successes: {sum: outcomes.success}
  results: {count: outcomes}
  success_rate: successes / results
  cost_per_session: cost / started
  roi: success_rate / cost_per_session
  week_of_cost: {sum: requests.cost_usd, rolling: 7 days}
"""
KINDS = (
    "{{sum: requests.c{0}}}",
    "{{count: requests, where: 'c{0} > 3'}}",
    "{{avg: requests.c{0}}}",
    "m{1} / m{2}",
)


def main() -> None:
    lines = [f"  m{i}: {KINDS[i % 4].format(i, i - 3, i - 1)}" for i in range(40)]
    catalog = load_catalog(MODELS + "\n".join(lines))

    def compiled(*metrics: str, **asked: Any) -> str:
        query = MetricQuery(metrics=metrics, as_of=date(2026, 11, 1), **asked)
        return compile_plan(plan_query(catalog, query)).sql

    wide = [f"m{i}" for i in range(40)]
    cron = parse_filter("trigger = 'cron'")
    timing.print_times(
        {
            "cost by month": lambda: compiled("cost", grain=Grain.MONTH),
            "10 metrics by month": lambda: compiled(*wide[:10], grain=Grain.MONTH),
            "40 metrics by month": lambda: compiled(*wide, grain=Grain.MONTH),
            "cost per session by model": lambda: compiled("per_using", by=("model",)),
            "ROI by agent": lambda: compiled("roi", by=("agent",)),
            "daily cost by model, cron": lambda: compiled("cost", by=("model",), grain=Grain.DAY, where=cron),
            "rolling 7 days by day": lambda: compiled("week_of_cost", grain=Grain.DAY),
            "p95 latency by model": lambda: compiled("p95", by=("model",)),
        }
    )
    if os.environ.get("SHOW"):
        print(compiled("roi", by=("agent",)))


if __name__ == "__main__":
    main()
