"""The schema of a metrics file: it accepts what the loader accepts, and knows each of the loader's keys."""

import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from semantic import CatalogError, load_catalog
from semantic.file.grammar import ALL_KINDS, MODIFIERS
from semantic.file.load import TOP_LEVEL
from semantic.file.meta import META
from semantic.formats.json_schema import metrics_schema, metrics_schema_text
from semantic.formats.schema_words import WORDS

NEEDED = "files are held against the schema where jsonschema is installed"
ROOT = Path(__file__).parents[3]
FILES = [
    ROOT / "metrics.yaml",
    Path(__file__).parent / "projects" / "older.metrics.yaml",
    Path(__file__).parent / "projects" / "newer.metrics.yaml",
]
EVERYTHING = """
version: 1
name: everything
defaults: {time_zone: Europe/Berlin, week_start: sunday, currency: USD}
calendar: {grains: {sprint: {every: 2 weeks, from: 2026-01-05}}}
models:
  runs:
    description: One run
    source: main.runs
    key: [run_id]
    time: {column: started_at, grain: instant}
    across_rows: [depth]
    joins:
      agent: agents
      plan: {to: plans, column: agent_id, as_of: {from: since, until: until, at: started_at}}
      seat: {to: seats, columns: {agent_id: holder}, kind: one_to_one}
    dimensions:
      team: string
      outcome: {type: enum, values: [good, bad], sql: result, label: Outcome, description: d, access: [ops]}
  agents: {source: agents, key: agent_id, dimensions: {busy: {type: integer, metric: runs}}}
  plans: {source: plans, key: [agent_id, since], dimensions: {plan: string}}
  seats: {source: seats, key: seat_id, dimensions: {floor: integer}}
  accounts: {source: accounts, key: [account, day], time: {column: day, grain: day}, dimensions: {account: string}}
metrics:
  runs: {count: runs, where: minutes > 0, label: Runs, owner: ops, format: "0", target: "10", deprecated: ask more}
  usd: {sum: runs.usd, empty: null, unit: USD, better: lower, access: ops, when_unknown: A, when_empty: B, when_zero: C}
  held: {sum: runs.usd, empty: carry, time: ended_at}
  mean: {avg: {model: runs, value: usd / 2}}
  low: {min: runs.usd}
  high: {max: runs.usd}
  agents: {count_distinct: runs.agent_id, approximate: true}
  middle: {median: runs.usd}
  most: {percentile: runs.usd, p: 0.95, method: discrete}
  spread: {stddev: runs.usd}
  newest: {last: runs.usd, description: The newest}
  oldest: {first: runs.usd}
  per_run: usd / runs
  again: {expr: usd * 2}
  rate:
    funnel:
      {start: runs, by: agent_id, steps: [{name: later, model: runs, by: agent_id, where: usd > 1}], within: 7 days,
       output: rate}
  month: {metric: usd, rolling: 30 days}
  burn: {metric: usd, rolling: {window: 3 months, average: month, partial: scale}}
  so_far: {metric: usd, to_date: sprint}
  ever: {metric: usd, cumulative: true}
  before: {metric: usd, shift: 1 month}
  growth: {metric: usd, change: {from: 1 month, as: percent}}
  part: {metric: usd, share: {of: [team]}}
  whole: {metric: usd, share: {within: all}}
  level: {metric: usd, grain: {drop: [team]}}
  flat: {metric: usd, grain: {keep: []}}
  place: {metric: usd, rank: {first: lowest, within: [team]}}
  top: {metric: usd, rank: highest}
  daily: {metric: usd, each: {by: [team], grain: day, take: avg}}
  cash: {sum: accounts.usd, snapshot: {take: last, per: account, carry: false}}
filters:
  good: {model: runs, where: outcome = 'good', description: d}
policies:
  own: {model: runs, rows: "team in :caller.teams", unless: [ops]}
tests:
  - {metric: usd, by: [team], grain: month, where: team = 'a', filters: [good], range: 2026-01, equals: 5}
  - {metrics: [usd, runs], between: [0, 1]}
  - {metric: part, sums_to: 1}
  - {metric: usd, not_null: true}
  - {metric: usd, matches_sql: select 1}
outcomes:
  OPENED: {awaits: [MERGED], window: 7 days}
  MERGED: {success: true, description: d}
  REVERTED: {reverses: [MERGED], within: 14 days}
  IDLE: {idle: true}
"""
NINE = """
models:
  sessions:
    source: agent.sessions
    key: session_id
    time: started_at
    dimensions: {team: string, outcome: {type: enum, values: [success, failed, abandoned]}}
  llm_calls:
    {source: agent.llm_calls, key: call_id, time: called_at, joins: {session: sessions}, dimensions: {model: string}}
  tasks: {source: agent.tasks, key: task_id, time: finished_at, joins: {session: sessions}}
  balances:
    source: finance.balances
    key: [account, as_of]
    time: {column: as_of, grain: day}
    dimensions: {account: string}
  expenses: {source: finance.expenses, key: expense_id, time: {column: spent_on, grain: day}}
metrics:
  sessions: {count: sessions}
  cost: {sum: llm_calls.cost_usd, unit: USD, better: lower, empty: zero}
  tasks: {count: tasks}
  tasks_succeeded: {count: tasks, where: status = 'success'}
  wasted_cost: {metric: cost, where: "session.outcome in ('failed', 'abandoned')"}
  cost_per_session: cost / sessions
  waste_rate: {expr: wasted_cost / cost, unit: ratio, better: lower}
  task_success_rate: tasks_succeeded / tasks
  roi: {expr: task_success_rate / cost_per_session, better: higher}
  model_mix: {metric: cost, share: {of: [model]}}
  latency_p95: {percentile: llm_calls.latency_ms, p: 0.95, unit: ms}
  spend: {sum: expenses.amount_usd, unit: USD, empty: zero}
  burn_rate: {metric: spend, rolling: {window: 3 months, average: month}, unit: USD/month}
  cash: {sum: balances.balance_usd, snapshot: {take: last, per: account}, unit: USD}
  runway: {expr: cash / burn_rate, unit: months}
  cost_mom: {metric: cost, change: {from: 1 month, as: percent}}
"""


def accepts(text: str) -> bool:
    """Whether the schema has nothing to say about a file, read as an editor reads it."""
    jsonschema = pytest.importorskip("jsonschema", reason=NEEDED)
    data = json.loads(json.dumps(yaml.safe_load(text), default=date.isoformat))
    return bool(jsonschema.Draft202012Validator(metrics_schema()).is_valid(data))


def test_it_is_a_schema() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason=NEEDED)
    jsonschema.Draft202012Validator.check_schema(json.loads(metrics_schema_text()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_it_accepts_the_files_that_there_are(file: Path) -> None:
    assert accepts(file.read_text())


def test_it_accepts_the_nine_metrics_of_a_company_that_runs_agents() -> None:
    assert len(load_catalog(NINE).metrics) == 16
    assert accepts(NINE)


def test_it_accepts_a_file_with_everything_that_the_loader_takes() -> None:
    assert len(load_catalog(EVERYTHING).metrics) == 29
    assert accepts(EVERYTHING)


MISTAKES = [
    ("metrics:", "metrisc:"),
    ("source: main.runs", "sources: main.runs"),
    ("team: string", "team: text"),
    ("{type: enum, values: [good, bad],", "{type: enum,"),
    ("2 weeks", "2 fortnights"),
    ("week_start: sunday", "week_start: sun"),
    ("currency: USD", "currency: EUR"),
    ("kind: one_to_one", "kind: many_to_many"),
    ("{min: runs.usd}", "{minimum: runs.usd}"),
    ("{min: runs.usd}", "{min: runs.usd, max: runs.usd}"),
    ("{min: runs.usd}", "{min: runs}"),
    ("{min: runs.usd}", "{label: nothing}"),
    ("p: 0.95", "p: 95"),
    (", p: 0.95", ""),
    ("{median: runs.usd}", "{median: runs.usd, p: 0.5}"),
    ("empty: null", "empty: nothing"),
    ("better: lower", "better: less"),
    ("when_zero: C", "when_zero: no runs"),
    ("rolling: 30 days", "rolling: 30d"),
    ("rolling: 30 days", "rolling: 30 days, cumulative: true"),
    ("partial: scale", "partial: guess"),
    ("as: percent", "as: per cent"),
    ("share: {of: [team]}", "share: {of: [team], within: all}"),
    ("take: avg", "take: mode"),
    ("output: rate", "output: percent"),
    ("within: 7 days,", ""),
    ("{metric: usd, not_null: true}", "{metric: usd}"),
    ("{metric: usd, not_null: true}", "{not_null: true}"),
    ("between: [0, 1]", "between: [0]"),
    ('rows: "team in :caller.teams", ', ""),
]


@pytest.mark.parametrize(("right", "wrong"), MISTAKES)
def test_a_mistake_of_shape_is_seen_by_the_schema_and_by_the_loader(right: str, wrong: str) -> None:
    text = EVERYTHING.replace(right, wrong, 1)
    assert text != EVERYTHING
    assert not accepts(text)
    with pytest.raises(CatalogError):
        load_catalog(text)


PLACES = {
    "file": ("version: 1", "version: 1\nzzz: 1"),
    "defaults": ("{time_zone:", "{zzz: 1, time_zone:"),
    "calendar": ("{grains:", "{zzz: 1, grains:"),
    "grain": ("{every:", "{zzz: 1, every:"),
    "model": ("{source: seats,", "{zzz: 1, source: seats,"),
    "time": ("{column: started_at,", "{zzz: 1, column: started_at,"),
    "join": ("{to: seats,", "{zzz: 1, to: seats,"),
    "as_of": ("{from: since,", "{zzz: 1, from: since,"),
    "dimension": ("{type: enum,", "{zzz: 1, type: enum,"),
    "value": ("{model: runs, value:", "{zzz: 1, model: runs, value:"),
    "funnel": ("{start: runs,", "{zzz: 1, start: runs,"),
    "step": ("{name: later,", "{zzz: 1, name: later,"),
    "rolling": ("{window: 3 months,", "{zzz: 1, window: 3 months,"),
    "change": ("{from: 1 month, as", "{zzz: 1, from: 1 month, as"),
    "share": ("{within: all}", "{zzz: 1, within: all}"),
    "cut": ("{drop: [team]}", "{zzz: 1, drop: [team]}"),
    "rank": ("{first: lowest,", "{zzz: 1, first: lowest,"),
    "snapshot": ("{take: last,", "{zzz: 1, take: last,"),
    "each": ("{by: [team],", "{zzz: 1, by: [team],"),
    "filter": ("{model: runs, where: outcome", "{zzz: 1, model: runs, where: outcome"),
    "policy": ("{model: runs, rows:", "{zzz: 1, model: runs, rows:"),
    "test": ("{metric: part,", "{zzz: 1, metric: part,"),
    "outcome": ("{awaits: [MERGED],", "{zzz: 1, awaits: [MERGED],"),
}


@pytest.mark.parametrize("place", PLACES)
def test_each_key_that_the_loader_knows_is_in_the_schema_and_none_besides(place: str) -> None:
    with pytest.raises(CatalogError) as told:
        load_catalog(EVERYTHING.replace(*PLACES[place], 1))
    listed = re.search(r"unknown key 'zzz'; there are: (.*)", str(told.value))
    assert listed is not None
    assert set(listed[1].split(", ")) == set(WORDS[place])
    assert set(WORDS[place]) in [set(found) for found in properties(metrics_schema())]


def test_the_keys_of_a_metric_are_those_of_the_loader() -> None:
    assert set(WORDS["metric"]) == {*ALL_KINDS, *MODIFIERS, *META}
    assert set(WORDS["metric"]) in [set(found) for found in properties(metrics_schema())]
    assert set(WORDS) == {*PLACES, "metric"}
    assert set(metrics_schema()["properties"]) == TOP_LEVEL


def properties(schema: Any) -> list[dict[str, Any]]:
    """The keys of every mapping that a schema describes."""
    if isinstance(schema, list):
        return [found for part in schema for found in properties(part)]
    if not isinstance(schema, dict):
        return []
    own = [schema["properties"]] if "additionalProperties" in schema and "properties" in schema else []
    return own + [found for part in schema.values() for found in properties(part)]


def test_every_key_has_words_for_whoever_hovers_over_it() -> None:
    for found in properties(metrics_schema()):
        assert [key for key, schema in found.items() if not schema["description"].endswith((".", ":"))] == []
