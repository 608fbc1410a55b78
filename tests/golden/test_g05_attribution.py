"""G05: own and subtree cost through subagents, an orphan and a cycle. Totals add own costs only. Through `runs`."""

from pathlib import Path
from types import ModuleType

import pytest

from semantic import Catalog, parse_filter
from store import Store
from tests.golden.conftest import Golden, answer, load, one, write_csv

pytestmark = pytest.mark.golden
CASE = "G05_subagent_rollup"
MAPPING = """
source: case
session_id: session_id
parent_session_id: parent_session_id
agent: agent_id
trigger: trigger
started_at: started_at
ended_at: ended_at
termination: termination
cost_usd: own_cost_usd
"""


@pytest.fixture
def loaded(store: Store, golden: Golden, tmp_path: Path) -> Store:
    log = write_csv(tmp_path / "sessions.csv", golden(CASE)["inputs"]["sessions.csv"])
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    report = load(store, "runs", log, mapping)
    assert (report.stored, report.rejected) == (8, 0)
    return store


def test_each_session_knows_its_root_and_what_is_below_it(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    keys = ("session_id", "root_session", "ancestry")
    rows = answer(loaded, catalog, "session_cost", "subtree_cost", "deepest_session", by=keys).rows
    actual = {
        str(row.keys["session_id"]): {
            "ownUsd": row.values["session_cost"],
            "subtreeUsd": row.values["subtree_cost"],
            "root": row.keys["root_session"],
            "depth": row.values["deepest_session"],
            "flag": row.keys["ancestry"],
        }
        for row in rows
    }
    assert golden_module.differences(actual, golden(CASE)["expected"]["perSession"]) == []


def test_what_roots_cost_is_what_all_sessions_cost(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    row = one(loaded, catalog, "session_cost", "root_session_cost", "subtree_cost")
    roots = answer(loaded, catalog, "root_sessions", by=("session_id",), where=parse_filter("is_root")).rows
    actual = {
        "sumOwnUsd": row.values["session_cost"],
        "sumSubtreeOverRootsUsd": row.values["root_session_cost"],
        "roots": sorted(str(root.keys["session_id"]) for root in roots),
    }
    assert golden_module.differences(actual, expected["totals"]) == []
    wrong = expected["mustNotEqual"]["sumOfSubtreeOverAllSessions"]
    for name in ("session_cost", "root_session_cost"):
        assert not golden_module.forbidden(row.values[name], wrong)


@pytest.mark.parametrize(("key", "answers"), [("root_trigger", "byRootTriggerUsd"), ("agent", "byAgentOwnUsd")])
def test_cost_by_what_started_the_root_and_by_who_ran(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType, key: str, answers: str
) -> None:
    rows = answer(loaded, catalog, "session_cost", by=(key,)).rows
    actual = {str(row.keys[key]): row.values["session_cost"] for row in rows}
    assert golden_module.differences(actual, golden(CASE)["expected"][answers]) == []


def test_a_task_costs_what_it_and_all_that_it_started_cost(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    row = one(loaded, catalog, "cost_per_root_session", "root_sessions", "cost_per_session")
    actual = {"overRootsInclSubagents": row.values["cost_per_root_session"], "tasks": row.values["root_sessions"]}
    assert golden_module.differences(actual, expected["costPerTaskUsd"]) == []
    assert golden_module.differences(row.values["cost_per_session"], expected["costPerSessionOwnUsd"]) == []
    task = one(loaded, catalog, "cost_per_root_session", where=parse_filter("root_session = 'A'"))
    assert not golden_module.forbidden(
        task.values["cost_per_root_session"], expected["mustNotEqual"]["costOfTaskAIfOwnOnly"]
    )
