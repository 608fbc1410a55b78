"""51,451 real agent runs: the publisher's numbers come out, by the command line and over HTTP, digit for digit."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import Catalog, MetricQuery, Result, load_catalog, parse_filter
from server.answer import ask
from server.app import create_app
from server.cli.output import as_json
from server.settings import Settings
from store import LoadReport, Store
from tests.serving import running
from tests.stores import new_store

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 7, 1, tzinfo=UTC)
METRICS = (
    "sessions",
    "successful_tasks",
    "session_cost",
    "task_success_rate",
    "cost_per_session",
    "roi",
    "cost_per_success",
)
RUNS = ROOT.parent / "shared/real-data/openhands-index/runs.jsonl.gz"


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog((ROOT / "metrics.yaml").read_text(), "metrics.yaml")


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with new_store() as opened:
        if RUNS.exists():
            assert load(opened).stored == 51_451
        yield opened


@pytest.fixture(autouse=True)
def here(shared: Callable[[str], Path]) -> None:
    shared("real-data/openhands-index/runs.jsonl.gz")


def load(store: Store) -> LoadReport:
    mapping = ROOT / "examples/mappings/openhands.yaml"
    return run_load(
        store, "runs", str(RUNS), LOADERS["runs"].read(Task(str(RUNS), NOW, {"mapping": str(mapping)})), now=NOW
    )


@pytest.fixture(scope="module")
def swe_bench(store: Store, catalog: Catalog) -> Result:
    question = MetricQuery(
        metrics=METRICS,
        by=("agent", "model"),
        where=parse_filter("task_class = 'swe-bench'"),
        as_of=NOW.date(),
        evidence=True,
        limit=1000,
    )
    return ask(catalog, store, question).result


def by_pair(result: Result) -> dict[tuple[str, str], Any]:
    return {(str(row.keys["agent"]), str(row.keys["model"])): row for row in result.rows}


def test_loading_twice_changes_nothing(store: Store) -> None:
    again = load(store)
    assert (again.read, again.stored, again.unchanged, again.rejected) == (51_451, 0, 51_451, 0)
    assert store.read("SELECT count(*) FROM sessions").rows == [(51_451,)]


def test_the_known_groups_come_out(swe_bench: Result) -> None:
    rows = by_pair(swe_bench)
    opus = rows["openhands", "claude-opus-4-6"].values
    assert (opus["successful_tasks"], opus["sessions"]) == (384, 500)
    assert opus["session_cost"].quantize(Decimal("1e-6")) == Decimal("385.974965")
    assert opus["cost_per_session"].quantize(Decimal("1e-6")) == Decimal("0.771950")
    per_success = {
        ("openhands", "GPT-5.4"): "0.835473",
        ("openhands", "claude-fable-5"): "1.494672",
        ("openhands", "GLM-5.1"): "2.043665",
    }
    for pair, expected in per_success.items():
        assert rows[pair].values["cost_per_success"].quantize(Decimal("1e-6")) == Decimal(expected)


def test_every_group_agrees_with_sums_computed_elsewhere(swe_bench: Result, shared: Callable[[str], Path]) -> None:
    stated = json.loads(shared("real-data/EXPECTED.json").read_text())["openhands-index/runs.jsonl.gz"]
    rows = by_pair(swe_bench)
    assert len(stated["swe_bench_by_agent_model"]) == len(rows) == 43
    for group in stated["swe_bench_by_agent_model"]:
        row = rows[group["agent"], group["model"]]
        assert (row.values["sessions"], row.values["successful_tasks"]) == (group["runs"], group["resolved"])
        if group["agent"] == "acp-codex":
            continue
        assert abs(row.values["session_cost"] - Decimal(group["cost"])) < Decimal("1e-9")
        assert row.evidence["session_cost"].unknown == group["runs"] - group["priced"]


def test_what_nobody_priced_is_null_with_the_reason(swe_bench: Result) -> None:
    codex = [row for row in swe_bench.rows if row.keys["agent"] == "acp-codex"]
    assert len(codex) == 2
    for row in codex:
        for metric in ("session_cost", "cost_per_session", "roi", "cost_per_success"):
            assert row.values[metric] is None
            assert row.evidence[metric].status == "UNPRICED"
        assert row.values["task_success_rate"] > 0.7


def test_the_same_decimals_come_over_http(store: Store, catalog: Catalog, swe_bench: Result) -> None:
    query = """
    query Runs($where: FilterInput) {
      metrics(where: $where, limit: 1000) {
        rows {
          agent model sessions successfulTasks sessionCost taskSuccessRate costPerSession roi costPerSuccess
          evidence(metric: COST_PER_SESSION) { status }
        }
        truncated
      }
    }"""
    body = {"query": query, "variables": {"where": {"taskClass": {"eq": "swe-bench"}}}}
    with running(create_app(store, catalog, Settings(), lambda: NOW)) as url:
        request = HttpRequest(  # loopback
            f"{url}/graphql", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urlopen(request) as response:  # loopback
            answered = json.loads(response.read())
    assert answered["data"]["metrics"]["truncated"] is False
    printed = json.loads(as_json(swe_bench))["rows"]
    over_http = answered["data"]["metrics"]["rows"]
    assert len(over_http) == len(printed) == 43
    fields = {"agent": "agent", "model": "model", **{m: _camel(m) for m in METRICS}}
    for row, told in zip(printed, over_http, strict=True):
        assert {name: row[name] for name in fields} == {name: told[field] for name, field in fields.items()}
        assert told["evidence"]["status"] == row["status"].get("cost_per_session", "OK")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
