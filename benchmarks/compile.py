"""What compiling costs: one question of each kind, 1 to 500 metrics by month, and loading a catalog with its schema.

Milliseconds of the processor, which other work on the machine disturbs less than the clock: `first` is the first time
that a freshly loaded catalog is asked, plan and compile are medians of warm rounds. Scans count how often a statement
mentions each source table. Read the ratios; nothing is asserted.
"""

import gc
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sqlglot import exp

from semantic import (
    Catalog,
    MetricQuery,
    Statement,
    TimeRange,
    compile_plan,
    load_catalog,
    parse_filter,
    plan_query,
)
from semantic.periods import Grain
from semantic.planner import Planner
from server.graphql.schema import build_schema

ROOT = Path(__file__).parents[1]
AS_OF = date(2026, 11, 1)
THIS_YEAR = TimeRange(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))
ROUNDS, FEW_ROUNDS = 60, 8
WIDTHS = (1, 10, 40, 100, 500)

MODELS = """
version: 1
models:
  sessions:
    source: sessions
    key: session_id
    time: started_at
    dimensions: {agent: string, trigger: string, session_model: string}
  requests:
    source: requests
    key: request_id
    time: started_at
    joins: {session: sessions}
    dimensions: {model: string, provider: string}
  outcomes:
    source: outcomes
    key: outcome_id
    time: happened_at
    joins: {session: sessions}
    dimensions: {outcome_kind: string}
  cash:
    source: cash
    key: [account, day]
    time: {column: day, grain: day}
    dimensions: {account: string}
metrics:
"""
# One metric a line, and one line for each kind and modifier that the grammar has.
KINDS = """
  requests_made: {count: requests}
  cost: {sum: requests.cost_usd, unit: USD, empty: zero}
  mean_cost: {avg: requests.cost_usd, unit: USD}
  least_cost: {min: requests.cost_usd, unit: USD}
  most_cost: {max: requests.cost_usd, unit: USD}
  users: {count_distinct: requests.session_id}
  users_estimated: {count_distinct: requests.session_id, approximate: true}
  median_latency: {median: requests.latency_ms}
  p95_latency: {percentile: requests.latency_ms, p: 0.95}
  p95_observed: {percentile: requests.latency_ms, p: 0.95, method: discrete}
  latency_deviation: {stddev: requests.latency_ms}
  first_cost: {first: requests.cost_usd}
  last_cost: {last: requests.cost_usd}
  computed: {sum: {model: requests, value: "input_tokens + 2 * output_tokens"}}
  filtered: {sum: requests.cost_usd, where: "provider = 'anthropic' and cost_usd > 0"}
  filtered_by_join: {sum: requests.cost_usd, where: "session.trigger = 'cron'"}
  variation: {metric: cost, where: provider = 'anthropic'}
  sessions_started: {count: sessions}
  successes: {sum: outcomes.is_success, empty: zero}
  results: {count: outcomes}
  cost_per_session: {expr: cost / sessions_started, unit: USD}
  success_rate: {expr: successes / results}
  roi: {expr: success_rate / cost_per_session}
  own_time: {count: sessions, time: ended_at}
  rolling_cost: {sum: requests.cost_usd, rolling: 7 days, unit: USD}
  rolling_median: {median: requests.latency_ms, rolling: 7 days}
  burn: {sum: requests.cost_usd, rolling: {window: 30 days, average: month}, unit: USD/month}
  cost_to_date: {metric: cost, to_date: year}
  cost_so_far: {metric: cost, cumulative: true}
  carried: {last: requests.cost_usd, empty: carry}
  cost_last_month: {metric: cost, shift: 1 month}
  roi_last_month: {metric: roi, shift: 1 month}
  cost_growth: {metric: cost, change: {from: 1 month, as: percent}}
  cost_share: {metric: cost, share: {within: all}}
  cost_of_all_agents: {metric: cost, grain: {drop: [agent]}}
  cost_rank: {metric: cost, rank: highest}
  cost_each_day: {metric: cost, each: {grain: day, take: avg}}
  balance: {sum: cash.balance_usd, snapshot: {take: last, per: account}, unit: USD}
  lowest_balance: {sum: cash.balance_usd, snapshot: {take: min, per: account}, unit: USD}
  runway: {expr: case when balance <= 0 then 0 when burn > 0 then balance / burn end}
  runs_out_on: {expr: "days_after(as_of, ceil(round(runway * 30.4375, 9)))", unit: date}
  conversion: {funnel: {start: sessions, by: session_id, steps: [{name: result, model: outcomes}], within: 7 days}}
"""
# Beside each kind by month: what a question can add to it.
MORE: Mapping[str, Mapping[str, Any]] = {
    "cost, no keys": {"metrics": ("cost",)},
    "cost by model": {"metrics": ("cost",), "by": ("model",)},
    "cost by agent, one join": {"metrics": ("cost",), "by": ("agent",)},
    "cost by day, cron, Berlin": {
        "metrics": ("cost",),
        "grain": Grain.DAY,
        "where": parse_filter("trigger = 'cron'"),
        "zone": "Europe/Berlin",
    },
    "cost_share by agent": {"metrics": ("cost_share",), "by": ("agent",)},
    "cost_of_all_agents by agent": {"metrics": ("cost_of_all_agents",), "by": ("agent",)},
    "cost_rank by agent": {"metrics": ("cost_rank",), "by": ("agent",)},
    "roi by agent": {"metrics": ("roi",), "by": ("agent",)},
    "roi by agent and month, evidence": {
        "metrics": ("roi",),
        "by": ("agent",),
        "grain": Grain.MONTH,
        "evidence": True,
    },
}


def main() -> None:
    versions = ", ".join(f"{name} {_version(name)}" for name in ("sqlglot", "sqlglotc", "strawberry-graphql"))
    load = f"load {os.getloadavg()[0]:.1f}"
    print(f"{datetime.now(UTC):%Y-%m-%d}, {versions}, {load}, medians of {ROUNDS} ({FEW_ROUNDS} above 100 metrics)")
    print(f"{'question':34} {'first':>7} {'plan':>6} {'compile':>8} {'SQL':>7}  scans")
    catalog = load_catalog(MODELS + KINDS)
    questions: dict[str, Mapping[str, Any]] = {
        name: {"metrics": (name,), "grain": Grain.MONTH, "time": THIS_YEAR} for name in catalog.metrics
    }
    for name, asked in (questions | dict(MORE)).items():
        print_question(name, load_catalog(MODELS + KINDS), MetricQuery(as_of=AS_OF, **asked), ROUNDS)
    for width in WIDTHS:
        wide = load_catalog(wide_catalog(width))
        query = MetricQuery(metrics=tuple(wide.metrics), grain=Grain.MONTH, time=THIS_YEAR, as_of=AS_OF)
        print_question(f"{width} metrics by month", wide, query, ROUNDS if width <= 100 else FEW_ROUNDS)
    print_loading()


def wide_catalog(width: int) -> str:
    """That many metrics over one table: sums, filtered counts, means and ratios in turn."""
    kinds = (
        "{{sum: requests.c{0}, unit: USD, empty: zero}}",
        "{{count: requests, where: 'c{0} > 3'}}",
        "{{avg: requests.c{0}}}",
        "m{1} / m{2}",
    )
    lines = [f"  m{i}: {kinds[i % 4].format(i, max(i - 3, 0), max(i - 1, 0))}" for i in range(width)]
    return MODELS + "\n".join(lines)


def print_question(name: str, catalog: Catalog, query: MetricQuery, rounds: int) -> None:
    gc.collect()  # what is left of other catalogs is not this question's cost
    start = time.process_time()
    statement = compile_plan(plan_query(catalog, query))
    first = (time.process_time() - start) * 1000
    plan = plan_query(catalog, query)
    planning = median_ms(lambda: plan_query(catalog, query), rounds)
    compiling = median_ms(lambda: compile_plan(plan), rounds)
    print(
        f"{name:34} {first:7.2f} {planning:6.2f} {compiling:8.2f} {len(statement.sql):7,}  {scans(catalog, statement)}"
    )


def scans(catalog: Catalog, statement: Statement) -> str:
    sources = {model.source for model in catalog.models.values()}
    counts = Counter(table.name for table in statement.tree.find_all(exp.Table) if table.name in sources)
    return ", ".join(f"{source} {count}" for source, count in sorted(counts.items()))


def print_loading() -> None:
    text = (ROOT / "metrics.yaml").read_text()
    wide = wide_catalog(max(WIDTHS))
    catalog = load_catalog(wide)
    print(f"\n{'loading':34} {'ms':>7}")
    for name, work in {
        "metrics.yaml": lambda: load_catalog(text),
        f"{max(WIDTHS)} metrics": lambda: load_catalog(wide),
        f"GraphQL schema of {max(WIDTHS)} metrics": lambda: build_schema(catalog),
    }.items():
        print(f"{name:34} {median_ms(work, FEW_ROUNDS):7.0f}")
    planner = Planner(load_catalog(text))
    again = MetricQuery(metrics=("roi",), by=("model",), as_of=AS_OF)
    planner.statement(again)
    print(f"{'a question asked again':34} {median_ms(lambda: planner.statement(again), ROUNDS):7.3f}")


def median_ms(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append((time.process_time() - start) * 1000)
    return statistics.median(taken)


def _version(name: str) -> str:
    try:
        return version(name)
    except ModuleNotFoundError:
        return "absent"


if __name__ == "__main__":
    main()
