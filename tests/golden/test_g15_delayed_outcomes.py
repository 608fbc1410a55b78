"""G15: pull requests that are merged days later. Sessions and outcomes are loaded; the field `outcomes` is asked."""

from collections.abc import Iterator
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest

from semantic import Catalog
from server.outcome_rules import outcome_rules
from store import Outcome, Record, Request, Session, Store
from tests.golden.conftest import NOW, Case, Golden, instant, load_records
from tests.server.conftest import Api

CASE = "G15_delayed_outcomes"
QUERY = """
query ($asOf: DateTime!) {
  outcomes(asOf: $asOf) {
    counts { success failure pending running none }
    resolvedOnlyRate
    pendingShare
    bounds { ifAllPendingFail ifAllPendingSucceed }
    matureCohort { sessions successes rate costUsd roi status }
    kaplanMeier { successByWindowEnd windowDays steps { day atRisk successes cumulative } }
    sessions { sessionId result }
  }
}"""
pytestmark = pytest.mark.golden


def records_of(row: dict[str, str | None]) -> Iterator[Record]:
    """Every session of the case opened a pull request at its end, as a loader of pull requests would tell."""
    session_id, ended = str(row["session_id"]), instant(row["ended_at"])
    yield Session(
        session_id=session_id,
        source="case",
        model=row["model"],
        ended_at=ended,
        termination="success" if ended else None,
        termination_confidence=100 if ended else 0,
    )
    yield Request(
        request_key=f"{session_id}-call", source="case", session_id=session_id, model=row["model"], started_at=ended,
        billed_usd=Decimal(str(row["cost_usd"])),
    )  # fmt: skip
    told = [("PR_OPENED", None, ended)] if ended else []
    told += [("PR_MERGED", True, instant(row["pr_merged_at"]))] if row["pr_merged_at"] else []
    closed = row["pr_closed_unmerged_at"]
    told += [("PR_CLOSED", False, instant(closed))] if closed else []
    for kind, is_success, at in told:
        yield Outcome(
            outcome_id=f"{session_id}:{kind}", source="case", session_id=session_id, kind=kind,
            is_success=is_success, occurred_at=at,
        )  # fmt: skip


def asked(api: Api, as_of: str) -> dict[str, Any]:
    """The answer in the words of the case."""
    said = api.data(QUERY, {"asOf": as_of})["outcomes"]
    mature = said["matureCohort"]
    assert mature["status"] == "OK"
    counts = {result.upper(): number for result, number in said["counts"].items() if number}
    return {
        "status": {task["sessionId"]: task["result"] for task in said["sessions"]},
        "counts": counts,
        "resolvedOnlyRate": number(said["resolvedOnlyRate"]),
        "matureCohort": {
            "sessions": mature["sessions"],
            "successes": mature["successes"],
            "rate": number(mature["rate"]),
        },
        "pendingShare": number(said["pendingShare"]),
        "bounds": {name: number(value) for name, value in said["bounds"].items()},
        "kaplanMeierSuccessBy7d": number(said["kaplanMeier"]["successByWindowEnd"]),
        "kaplanMeierSteps": [
            {**step, "day": number(step["day"]), "cumulative": number(step["cumulative"])}
            for step in said["kaplanMeier"]["steps"]
        ],
        "costMatureUsd": number(mature["costUsd"]),
        "roiMature": number(mature["roi"]),
    }


def number(value: object) -> str:
    """A number without the zeros at its end, as the case writes it."""
    return format(Decimal(str(value)).normalize(), "f")


@pytest.fixture
def api(golden: Golden, catalog: Catalog, store: Store) -> Api:
    store.set_outcome_rules(outcome_rules(catalog))
    rows = golden(CASE)["inputs"]["sessions.csv"]
    report = load_records(store, [record for row in rows for record in records_of(row)])
    assert report.rejected == 0
    return Api(catalog, store, now=NOW)


def test_what_came_of_the_tasks_is_the_same_whenever_it_is_asked_for_an_instant(
    api: Api, golden: Golden, golden_module: ModuleType
) -> None:
    case: Case = golden(CASE)
    instants = case["inputs"]["params.json"]["asOf"]
    expected = {name: value for name, value in case["expected"].items() if name != "mustNotEqual"}
    assert sorted(expected) == sorted(instants)
    actual = {as_of: asked(api, as_of) for as_of in instants}
    assert golden_module.differences(actual, expected) == []


def test_the_window_is_that_of_the_case(api: Api, golden: Golden) -> None:
    params = golden(CASE)["inputs"]["params.json"]
    said = api.data(QUERY, {"asOf": params["asOf"][0]})["outcomes"]["kaplanMeier"]
    assert number(said["windowDays"]) == str(params["windowDays"])


def test_pending_tasks_are_not_counted_as_failed_and_a_late_merge_is_no_success(
    api: Api, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]
    wrong = expected["mustNotEqual"]
    (early, late) = golden(CASE)["inputs"]["params.json"]["asOf"]
    rate = asked(api, early)["resolvedOnlyRate"]
    assert not golden_module.forbidden(rate, wrong[f"rateCountingPendingAsFailure@{early[:10]}"])
    assert "FAILURE" in wrong["k4"]
    assert [asked(api, as_of)["status"]["k4"] for as_of in (early, late)] == ["FAILURE", "FAILURE"]
