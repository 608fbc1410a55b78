"""A catalog as an Ossie document: its structure, the numbers of its expressions, and what it does not say."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from semantic import load_catalog
from semantic.formats.ossie import export
from semantic.formats.report import Kind
from tests.semantic.conftest import World

ROOT = Path(__file__).parents[3]
FILE = """
name: agents
defaults: {time_zone: Europe/Berlin, week_start: sunday}
calendar: {grains: {sprint: {every: 2 weeks, from: 2026-01-05}}}
models:
  runs:
    source: main.runs
    key: run_id
    time: started_at
    description: One run
    across_rows: [depth]
    joins:
      agent: agents
      reviewer: {to: agents, column: reviewer_id}
      plan: {to: plans, column: agent_id, as_of: {from: since, until: until}}
      seat: {to: seats, columns: {agent_id: holder}, kind: one_to_one}
    dimensions:
      outcome: {type: enum, values: [good, bad], sql: lower(result), label: Outcome, description: How it ended}
      age: {type: integer, sql: "datediff('day', born, started_at)", access: [ops]}
  agents: {source: agents, key: agent_id, dimensions: {team: string, busy: {type: integer, metric: notes}}}
  plans: {source: plans, key: [agent_id, since], dimensions: {plan: string}}
  seats: {source: seats, key: seat_id, dimensions: {floor: integer}}
  notes: {source: notes, key: note_id, joins: {agent: agents}}
  days: {source: days, key: [account, day], time: {column: day, grain: day}, dimensions: {account: string}}
metrics:
  runs: {count: runs}
  good_runs: {count: runs, where: outcome = 'good'}
  usd: {sum: runs.usd, unit: USD, better: lower, empty: zero, when_zero: NO_USD, description: What runs cost}
  double: {avg: {model: runs, value: usd * 2}}
  low: {min: runs.usd}
  high: {max: runs.usd}
  spread: {stddev: runs.usd}
  kinds: {count_distinct: runs.result}
  about: {count_distinct: runs.result, approximate: true}
  middle: {median: runs.usd}
  most: {percentile: runs.usd, p: 0.75}
  some: {percentile: runs.usd, p: 0.75, method: discrete}
  first_usd: {first: runs.usd}
  seated: {count: runs, where: seat.floor = 1}
  reviewed: {count: runs, where: reviewer.team = 'a'}
  planned: {count: runs, where: plan.plan = 'pro'}
  share_good: {expr: good_runs / runs, access: [ops]}
  careful: {expr: "coalesce(usd, 0) - (usd - usd / good_runs)"}
  notes: {count: notes}
  busy_notes: {count: notes, where: agent.busy > 1}
  ended: {count: runs, time: ended_at}
  month: {metric: usd, rolling: 30 days}
  before: {metric: usd, shift: 1 month}
  growth: {metric: usd, change: {from: 1 month, as: percent}}
  part: {metric: usd, share: {of: [outcome]}}
  place: {metric: usd, rank: highest}
  daily: {metric: usd, each: {grain: day, take: avg}}
  cash: {sum: days.usd, snapshot: {take: last, per: account}}
  rate: {funnel: {start: runs, by: agent_id, steps: [{name: again, model: runs}], within: 7 days}}
  in_days: {expr: "days_after(as_of, runs)", unit: date}
filters: {good: {model: runs, where: outcome = 'good'}}
policies: {own: {model: runs, rows: "agent_id in :caller.agents"}}
tests: [{metric: runs, not_null: true}]
"""
TABLES = """
create table runs (run_id int, agent_id varchar, reviewer_id varchar, started_at timestamp, ended_at timestamp,
                   born timestamp, result varchar, usd int);
insert into runs values (1, 'x', 'y', '2026-01-05', null, '2026-01-01', 'GOOD', 5),
  (2, 'x', 'y', '2026-01-06', null, '2026-01-01', 'bad', 2),
  (3, 'y', 'x', '2026-01-07', null, '2026-01-01', 'good', null),
  (4, 'y', 'x', '2026-01-08', null, '2026-01-01', null, 9);
create table agents (agent_id varchar, team varchar); create table notes (note_id int, agent_id varchar);
create table plans (agent_id varchar, since timestamp, until timestamp, plan varchar);
create table seats (seat_id int, holder varchar, floor int); create table days (account varchar, day date, usd int);
"""


def document(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def expressions(text: str) -> dict[str, str]:
    metrics = document(text)["semantic_model"][0]["metrics"]
    return {m["name"]: m["expression"]["dialects"][0]["expression"] for m in metrics}


def unread(holder: dict[str, Any]) -> dict[str, Any]:
    """What only the extension says of a thing."""
    (extension,) = holder["custom_extensions"]
    assert extension["vendor_name"] == "clawback"
    data: dict[str, Any] = json.loads(extension["data"])
    return data


NAMED = {"name": str, "description": str, "custom_extensions": list}
OBJECTS: dict[str, tuple[dict[str, type], set[str]]] = {
    "document": (
        {"version": str, "semantic_model": list, "dialects": list, "vendors": list},
        {"version", "semantic_model"},
    ),
    "semantic_model": ({**NAMED, "datasets": list, "relationships": list, "metrics": list}, {"name", "datasets"}),
    "datasets": (
        {**NAMED, "source": str, "primary_key": list, "unique_keys": list, "fields": list},
        {"name", "source"},
    ),
    "fields": (
        {**NAMED, "expression": dict, "dimension": dict, "label": str, "datatype": str},
        {"name", "expression"},
    ),
    "relationships": (
        {"name": str, "from": str, "to": str, "from_columns": list, "to_columns": list, "custom_extensions": list},
        {"name", "from", "to", "from_columns", "to_columns"},
    ),
    "metrics": ({**NAMED, "expression": dict, "datatype": str}, {"name", "expression"}),
    "expression": ({"dialects": list}, {"dialects"}),
    "dialects": ({"dialect": str, "expression": str}, {"dialect", "expression"}),
    "dimension": ({"is_time": bool}, set()),
    "custom_extensions": ({"vendor_name": str, "data": str}, {"vendor_name", "data"}),
}
DATATYPES = {"String", "Integer", "Decimal", "Float", "Boolean", "Date", "Time", "DateTime", "DateTimeTz", "Opaque"}


def check(kind: str, found: dict[str, Any]) -> None:
    """The essentials of Ossie 0.2: which keys an object has, which it needs, and of what kind they are."""
    keys, needed = OBJECTS[kind]
    assert set(found) <= set(keys), (kind, found)
    assert needed <= set(found), (kind, found)
    assert found.get("datatype", "String") in DATATYPES
    for key, value in found.items():
        assert isinstance(value, keys[key]), (kind, key, value)
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                check(key, part)


@pytest.mark.parametrize("text", [FILE, (ROOT / "metrics.yaml").read_text()], ids=["small", "own"])
def test_the_document_has_the_structure_of_ossie(text: str) -> None:
    found = document(export(load_catalog(text)).text)
    check("document", found)
    assert (found["version"], found["dialects"], found["vendors"]) == ("0.2.0.dev0", ["ANSI_SQL"], ["clawback"])


@pytest.mark.parametrize("text", [FILE, (ROOT / "metrics.yaml").read_text()], ids=["small", "own"])
def test_every_expression_reads_fields_that_are_declared(text: str) -> None:
    (model,) = document(export(load_catalog(text)).text)["semantic_model"]
    fields = {f"{d['name']}.{f['name']}" for d in model["datasets"] for f in d["fields"]}
    named = set()
    for expression in expressions(export(load_catalog(text)).text).values():
        named |= {str(column) for column in duckdb_columns(expression)}
    assert named
    assert named <= fields


def duckdb_columns(expression: str) -> list[str]:
    """The columns of an expression as DuckDB parses it."""
    tree = json.loads(duckdb.execute("select json_serialize_sql(?)", [f"select {expression}"]).fetchall()[0][0])
    found: list[str] = []
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            found += [".".join(node["column_names"])] if node.get("class") == "COLUMN_REF" else []
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return found


def test_metrics_are_aggregates_over_fields() -> None:
    found = expressions(export(load_catalog(FILE)).text)
    assert found == {
        "runs": "COUNT(runs.run_id)",
        "good_runs": "COUNT(CASE WHEN runs.outcome = 'good' THEN runs.run_id END)",
        "usd": "SUM(runs.usd)",
        "double": "AVG(runs.usd * 2)",
        "low": "MIN(runs.usd)",
        "high": "MAX(runs.usd)",
        "spread": "STDDEV(runs.usd)",
        "kinds": "COUNT(DISTINCT runs.result)",
        "about": "APPROX_COUNT_DISTINCT(runs.result)",
        "middle": "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY runs.usd)",
        "most": "PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY runs.usd)",
        "some": "PERCENTILE_DISC(0.75) WITHIN GROUP (ORDER BY runs.usd)",
        "seated": "COUNT(CASE WHEN seats.floor = 1 THEN runs.run_id END)",
        "share_good": "1.0 * (COUNT(CASE WHEN runs.outcome = 'good' THEN runs.run_id END)) / "
        "NULLIF((COUNT(runs.run_id)), 0)",
        "careful": "COALESCE((SUM(runs.usd)), 0) - ((SUM(runs.usd)) - 1.0 * (SUM(runs.usd)) / "
        "NULLIF((COUNT(CASE WHEN runs.outcome = 'good' THEN runs.run_id END)), 0))",
        "notes": "COUNT(notes.note_id)",
    }


@pytest.mark.parametrize(
    "metric",
    [
        "runs",
        "good_runs",
        "usd",
        "double",
        "low",
        "high",
        "spread",
        "kinds",
        "middle",
        "most",
        "some",
        "share_good",
        "careful",
    ],
)
def test_an_expression_has_the_number_of_its_metric(metric: str) -> None:
    world = World(FILE, TABLES)
    expression = expressions(export(world.catalog).text)[metric]
    fields = "select *, lower(result) as outcome from main.runs"
    theirs = world.connection.execute(f"select {expression} from ({fields}) as runs").fetchall()
    assert world.table(metric, as_of=date(2026, 6, 1)) == theirs


def test_fields_and_relationships_say_what_ossie_has_words_for() -> None:
    (model,) = document(export(load_catalog(FILE)).text)["semantic_model"]
    runs, agents = model["datasets"][0], model["datasets"][1]
    outcome, age = runs["fields"][0], runs["fields"][1]
    assert outcome["expression"]["dialects"] == [{"dialect": "ANSI_SQL", "expression": "LOWER(result)"}]
    assert (outcome["label"], outcome["datatype"], unread(outcome)) == (
        "Outcome",
        "String",
        {"values": ["good", "bad"]},
    )
    assert age["expression"]["dialects"][0]["expression"] == "DATEDIFF(DAY, born, started_at)"
    assert [f["name"] for f in runs["fields"] if f.get("dimension", {}).get("is_time")] == ["started_at"]
    assert [f["name"] for f in agents["fields"]] == ["team", "agent_id"]
    assert model["datasets"][3]["unique_keys"] == [["holder"]]
    assert [(r["name"], r["from_columns"], r["to_columns"]) for r in model["relationships"]] == [
        ("runs_agent", ["agent_id"], ["agent_id"]),
        ("runs_reviewer", ["reviewer_id"], ["agent_id"]),
        ("runs_seat", ["agent_id"], ["holder"]),
        ("notes_agent", ["agent_id"], ["agent_id"]),
    ]


def test_what_ossie_cannot_say_is_told_and_kept_for_ourselves() -> None:
    converted = export(load_catalog(FILE))
    told = [f"{finding.place}: {finding.construct}: {finding.what}" for finding in converted.losses]
    assert told == [
        "model 'runs', join 'plan': as_of: a relationship has no versions",
        "metric 'first_usd': first: an expression knows no order of rows",
        "metric 'reviewed': role reviewer: 'agents' is reached from 'runs' in several ways",
        "metric 'planned': join plan: a relationship has no versions",
        "metric 'share_good': access: whoever reads the document may see it",
        "metric 'busy_notes': dimension busy: a field is of one row",
        "metric 'ended': time: an expression does not say by which time its rows are dated",
        "metric 'month': window: an expression has no words for a window",
        "metric 'before': shift: an expression has no words for a shift",
        "metric 'growth': shift: an expression has no words for a shift",
        "metric 'part': cut: an expression has no words for keys that are left out",
        "metric 'place': rank: an expression does not see the other rows of an answer",
        "metric 'daily': each: an expression aggregates once",
        "metric 'cash': snapshot: an expression has no words for a balance",
        "metric 'rate': funnel: an expression has no words for a funnel",
        "metric 'in_days': as_of: an expression does not know the day of the question",
        "filter 'good': filter: there are no conditions with a name",
        "policy 'own': policy: everybody sees all rows there",
        "grain 'sprint': calendar: there are no periods of one's own",
        "model 'runs': across_rows: whoever reads the document may see what rows hold of other rows",
        "model 'runs', dimension 'age': access: whoever reads the document may see it",
        "model 'agents', dimension 'busy': metric: notes: a field is of one row",
    ]
    assert [f"{f.place}: {f.construct}" for f in converted.findings if f.kind is Kind.DIFFERS] == [
        "metric 'usd': empty: zero",
        "defaults: time_zone: Europe/Berlin",
        "defaults: week_start: sunday",
    ]
    (model,) = document(converted.text)["semantic_model"]
    kept = unread(model)
    assert kept["metrics"]["month"].pop("definition").endswith("rolling: 30 days")
    assert kept["metrics"]["month"] == {
        "unit": "USD",
        "label": "Month",
        "better": "lower",
        "empty": "zero",
        "reasons": {"zero": "NO_USD"},
    }
    assert kept["grains"] == {"sprint": {"every": "2 weeks", "from": "2026-01-05"}}
    assert kept["filters"] == {"good": {"model": "runs", "where": "outcome = 'good'"}}
    assert kept["dimensions"] == {"agents.busy": "notes"}
    assert (kept["time_zone"], kept["week_start"]) == ("Europe/Berlin", "sunday")
