"""G08: productive, idle and failed add to 1 over what has ended; a running session is in no rate. Through `runs`."""

from pathlib import Path
from types import ModuleType

import pytest

from semantic import Catalog, parse_filter
from store import Store
from tests.golden.conftest import Golden, answer, load, one, write_csv

pytestmark = pytest.mark.golden
CASE = "G08_idle_waste"
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
outcome: outcome
"""


@pytest.fixture
def loaded(store: Store, golden: Golden, tmp_path: Path) -> Store:
    sessions = golden(CASE)["inputs"]["sessions.csv"]
    log = write_csv(tmp_path / "sessions.csv", sessions)
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(MAPPING)
    report = load(store, "runs", log, mapping)
    assert (report.stored, report.rejected) == (len(sessions), 0)
    return store


def test_every_session_has_its_class(loaded: Store, golden: Golden) -> None:
    rows = loaded.read("SELECT session_id, upper(class) FROM session_facts").rows
    assert {str(session): kind for session, kind in rows} == golden(CASE)["expected"]["classOf"]


def test_rates_are_over_what_has_ended(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    row = one(
        loaded, catalog, "finished_sessions", "utilisation", "idle_waste_rate", "failure_rate",
        "idle_waste_cost", "idle_waste_cost_share", "cost_per_productive_session",
    )  # fmt: skip
    actual = {
        "resolved": row.values["finished_sessions"],
        "utilizationRate": row.values["utilisation"],
        "idleWasteRate": row.values["idle_waste_rate"],
        "failureRate": row.values["failure_rate"],
        "idleWasteUsd": row.values["idle_waste_cost"],
        "idleWasteCostShare": row.values["idle_waste_cost_share"],
        "costPerProductiveSessionUsd": row.values["cost_per_productive_session"],
    }
    assert golden_module.differences(actual, {k: expected[k] for k in actual}) == []
    for wrong in expected["mustNotEqual"].values():
        assert not golden_module.forbidden(row.values["idle_waste_rate"], wrong)
    rates = [row.values[name] for name in ("utilisation", "idle_waste_rate", "failure_rate")]
    assert sum(float(str(r)) for r in rates) == pytest.approx(1, abs=1e-15)


def test_cost_by_class(loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType) -> None:
    rows = answer(loaded, catalog, "sessions", "session_cost", by=("session_class",)).rows
    expected = golden(CASE)["expected"]
    counts = {str(row.keys["session_class"]).upper(): row.values["sessions"] for row in rows}
    costs = {str(row.keys["session_class"]).upper(): row.values["session_cost"] for row in rows}
    assert counts == expected["counts"]
    assert golden_module.differences(costs, expected["costUsd"]) == []


def test_waste_by_trigger(loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType) -> None:
    rows = answer(loaded, catalog, "idle_waste_rate", by=("trigger",)).rows
    expected = {k: v["idleWasteRate"] for k, v in golden(CASE)["expected"]["byTrigger"].items()}
    assert golden_module.differences({r.keys["trigger"]: r.values["idle_waste_rate"] for r in rows}, expected) == []


def test_waste_of_root_sessions_only(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    row = one(loaded, catalog, "idle_waste_rate", where=parse_filter("is_root"))
    expected = golden(CASE)["expected"]["rootSessionsOnly"]["idleWasteRate"]
    assert golden_module.differences(row.values["idle_waste_rate"], expected) == []


def test_without_sessions_a_rate_is_null_with_a_reason(loaded: Store, catalog: Catalog, golden: Golden) -> None:
    row = one(loaded, catalog, "idle_waste_rate", "finished_sessions", where=parse_filter("agent = 'nobody'"))
    assert (row.values["idle_waste_rate"], row.values["finished_sessions"]) == (None, 0)
    assert row.evidence["idle_waste_rate"].status == "NO_FINISHED_SESSIONS"
