"""51,451 real agent runs: the publisher's numbers come out, by the command line and over HTTP, digit for digit."""

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import orjson
import pytest

from loaders import Task
from loaders.job import run_load
from loaders.kinds import LOADERS
from semantic import Catalog, MetricQuery, Result, load_catalog, parse_filter
from server.answer import ask
from server.app import create_app
from server.cli.output import as_json
from server.graphql import build_schema
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Engine, Operation
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


ROI = """
query Roi($where: FilterInput, $models: [String!], $reference: String) {
  roi(by: [MODEL], where: $where, models: $models, reference: $reference) {
    truncated
    rows {
      model resolved successes successRate successRateInterval { low high } effectiveN
      totalCost costPerSuccess roi roiInterval { low high } pricedShare status reasons decisionGrade
      notDistinguishableFrom notDistinguishableByRoi
      breakEven { status value lowest highest }
    }
  }
}"""


def roi(store: Store, catalog: Catalog, agent: str, **variables: Any) -> dict[str, dict[str, Any]]:
    """The rows of `roi` by model, for one agent on swe-bench."""
    where = {"taskClass": {"eq": "swe-bench"}, "agent": {"eq": agent}}
    engine = Engine(build_schema(catalog), catalog, store, lambda: NOW, AnswerLimits(1000, 1000))
    answer = engine.answer(Operation(ROI, {"where": where, **variables}), Deadline.after(60_000))
    body = json.loads(orjson.dumps(answer.body))
    assert "errors" not in body, body
    assert body["data"]["roi"]["truncated"] is False
    return {row["model"]: row for row in body["data"]["roi"]["rows"]}


def test_cost_per_success_comes_with_its_doubt(store: Store, catalog: Catalog, swe_bench: Result) -> None:
    rows = roi(store, catalog, "openhands")
    expected = {"claude-fable-5": "1.494672", "GPT-5.4": "0.835473", "GLM-5.1": "2.043665"}
    for model, cost in expected.items():
        row = rows[model]
        assert Decimal(row["costPerSuccess"]).quantize(Decimal("1e-6")) == Decimal(cost)
        assert row["roiInterval"]["low"] < row["roi"] < row["roiInterval"]["high"]
        assert row["roi"] == pytest.approx(1 / float(row["costPerSuccess"]), rel=1e-9)
        assert row["successRateInterval"]["low"] < row["successRate"] < row["successRateInterval"]["high"]
        assert row["effectiveN"] == row["resolved"]
    metrics = {str(r.keys["model"]): r for r in swe_bench.rows if r.keys["agent"] == "openhands"}
    assert set(rows) == set(metrics)
    for model, row in rows.items():
        assert row["roi"] == pytest.approx(metrics[model].values["roi"], rel=1e-12)


def test_models_that_cannot_be_told_apart_are_named(store: Store, catalog: Catalog) -> None:
    """Two rates are told apart where Newcombe's interval, computed here once more, leaves out 0."""
    rows = roi(store, catalog, "openhands")
    for name, row in rows.items():
        alike = {other for other in rows if other != name and holds_zero(row, rows[other])}
        assert set(row["notDistinguishableFrom"]) == alike
    assert "claude-fable-5" not in rows["GPT-5.4"]["notDistinguishableFrom"]
    assert any(row["notDistinguishableFrom"] for row in rows.values())
    assert "GPT-5.4" not in rows["claude-fable-5"]["notDistinguishableByRoi"]


def holds_zero(one: dict[str, Any], other: dict[str, Any]) -> bool:
    (p, a), (q, b) = ((row["successRate"], row["successRateInterval"]) for row in (one, other))
    low = p - q - math.sqrt((p - a["low"]) ** 2 + (b["high"] - q) ** 2)
    high = p - q + math.sqrt((a["high"] - p) ** 2 + (q - b["low"]) ** 2)
    return low <= 0 <= high


def test_the_better_model_is_worth_its_price_from_a_value_on(store: Store, catalog: Catalog) -> None:
    rows = roi(store, catalog, "openhands", models=["claude-fable-5", "GPT-5.4"], reference="GPT-5.4")
    found = rows["claude-fable-5"]["breakEven"]
    extra = Decimal(rows["claude-fable-5"]["totalCost"]) - Decimal(rows["GPT-5.4"]["totalCost"])
    assert rows["claude-fable-5"]["resolved"] == rows["GPT-5.4"]["resolved"] == 500
    assert Decimal(found["value"]) == pytest.approx(extra / (479 - 378), abs=Decimal("1e-11"))
    assert found["status"] == "OK"
    assert Decimal(found["lowest"]) < Decimal(found["value"]) < Decimal(found["highest"])
    assert rows["GPT-5.4"]["breakEven"]["status"] == "REFERENCE"


def test_what_nobody_priced_has_no_roi_and_says_why(store: Store, catalog: Catalog) -> None:
    rows = roi(store, catalog, "acp-codex")
    assert len(rows) == 2
    for row in rows.values():
        assert (row["roi"], row["totalCost"], row["costPerSuccess"]) == (None, None, None)
        assert (row["status"], row["pricedShare"], row["decisionGrade"]) == ("COST_UNKNOWN", 0.0, False)
        assert row["reasons"] == ["status COST_UNKNOWN"]
        assert row["successRate"] > 0.7


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
