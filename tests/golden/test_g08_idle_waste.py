"""G08: productive, idle and failed add to 1 over what has ended; a running session is in no rate. Through `runs`."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog, parse_filter
from store import Store
from tests.golden.conftest import Golden, answer, load, one, write_csv
from tests.server.conftest import Api

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


def test_what_failed_and_what_was_idle_is_a_share_of_what_was_paid(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    row = one(
        loaded, catalog, "failed_cost_share", "nonproductive_cost_share", "mean_cost_of_productive_session",
        "idle_waste_per_year",
    )  # fmt: skip
    actual = {
        "failedCostShare": row.values["failed_cost_share"],
        "nonProductiveCostShare": row.values["nonproductive_cost_share"],
        "meanCostOfProductiveSessionUsd": row.values["mean_cost_of_productive_session"],
        "idleWasteUsdAnnualised": row.values["idle_waste_per_year"],
    }
    assert golden_module.differences(actual, {k: expected[k] for k in actual}) == []


def broken_down(store: Store, catalog: Catalog, where: str) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The breakdown of the case's day over GraphQL: the whole, and its rows by class in the words of the case."""
    question = f"""{{ wasteBreakdown(range: "2026-02-20", where: {{{where}}}) {{
        days finishedSessions idleWasteRate status
        classes {{
            sessionClass sessions costUsd costShare rate rateLow rateHigh costPerYearUsd
            costStatus costShareStatus rateStatus
        }}
    }} }}"""
    found: dict[str, Any] = Api(catalog, store).data(question)["wasteBreakdown"]
    return found, {row["sessionClass"].upper(): row for row in found["classes"]}


def test_the_breakdown_says_how_sure_each_rate_is(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    whole, rows = broken_down(loaded, catalog, "")
    idle, failed, productive = rows["IDLE"], rows["FAILED"], rows["PRODUCTIVE"]
    actual = {
        "counts": {name: int(row["sessions"]) for name, row in rows.items()},
        "costUsd": {name: row["costUsd"] for name, row in rows.items()},
        "resolved": int(whole["finishedSessions"]),
        "utilizationRate": productive["rate"],
        "idleWasteRate": whole["idleWasteRate"],
        "failureRate": failed["rate"],
        "idleWasteRateWilson95": [idle["rateLow"], idle["rateHigh"]],
        "idleWasteCostShare": idle["costShare"],
        "failedCostShare": failed["costShare"],
        "nonProductiveCostShare": idle["costShare"] + failed["costShare"],
        "idleWasteUsd": idle["costUsd"],
        "idleWasteUsdAnnualised": idle["costPerYearUsd"],
    }
    assert golden_module.differences(actual, {k: expected[k] for k in actual}) == []
    assert idle["rate"] == whole["idleWasteRate"]
    assert (rows["PENDING"]["rate"], rows["PENDING"]["rateStatus"]) == (None, "NOT_FINISHED")
    for wrong in expected["mustNotEqual"].values():
        assert not golden_module.forbidden(idle["rate"], wrong)


def test_the_breakdown_of_each_trigger_and_of_roots(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    for trigger, answers in expected["byTrigger"].items():
        whole, rows = broken_down(loaded, catalog, f"trigger: {{eq: {trigger.upper()}}}")
        counts = {name: int(row["sessions"]) for name, row in rows.items()}
        actual = {"counts": counts, "idleWasteRate": whole["idleWasteRate"]}
        assert golden_module.differences(actual, answers) == [], trigger
    whole, rows = broken_down(loaded, catalog, "isRoot: {eq: true}")
    counts = {name: int(row["sessions"]) for name, row in rows.items()}
    actual = {"counts": counts, "idleWasteRate": whole["idleWasteRate"]}
    assert golden_module.differences(actual, expected["rootSessionsOnly"]) == []


def test_the_breakdown_of_no_sessions_has_no_rate_and_says_why(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    whole, rows = broken_down(loaded, catalog, 'agent: {eq: "nobody"}')
    said = {"NO_FINISHED_SESSIONS": "NO_RESOLVED_SESSIONS"}[whole["status"]]
    actual = {
        "resolved": int(whole["finishedSessions"]), "idleWasteRate": whole["idleWasteRate"], "status": said
    }  # fmt: skip
    assert golden_module.differences(actual, golden(CASE)["expected"]["noSessions"]) == []
    assert rows == {}


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
