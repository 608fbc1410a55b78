"""G04: sessions without requests, requests without a session, members without a price. Unknown is not zero."""

from dataclasses import replace
from types import ModuleType

import pytest

from semantic import Catalog, parse_filter
from store import Request, Store
from tests.golden.conftest import Golden, answer, load_records, one, requests_of, sessions_of

pytestmark = pytest.mark.golden
CASE = "G04_join_gaps"


@pytest.fixture
def loaded(store: Store, golden: Golden) -> Store:
    inputs = golden(CASE)["inputs"]
    load_records(store, [*sessions_of(inputs["sessions.csv"]), *requests_of(inputs["requests.csv"])])
    return store


def test_each_session_says_what_it_knows(loaded: Store, golden: Golden, golden_module: ModuleType) -> None:
    rows = loaded.read(
        "SELECT session_id, requests, unpriced_requests, cost_usd, known_cost_usd, cost_completeness FROM session_facts"
    ).rows
    names = ("requests", "unpricedRequests", "costUsd", "knownCostUsd", "status")
    actual = {session: dict(zip(names, values, strict=True)) for session, *values in rows}
    assert golden_module.differences(actual, golden(CASE)["expected"]["perSession"]) == []


def test_spend_is_a_lower_bound_and_its_parts_add_up(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]["spend"]
    row = one(loaded, catalog, "inference_cost", "attributed_cost", "unattributed_cost", "attributed_share")
    assert golden_module.differences(row.values["inference_cost"], expected["knownTotalUsd"]) == []
    assert golden_module.differences(row.values["attributed_cost"], expected["attributedUsd"]) == []
    assert golden_module.differences(row.values["unattributed_cost"], expected["unattributed"]["total"]) == []
    assert golden_module.differences(row.values["attributed_share"], expected["attributedShare"]) == []
    assert (row.evidence["inference_cost"].status == "LOWER_BOUND") is expected["isLowerBound"]
    assert row.evidence["inference_cost"].unknown == expected["unpricedRequests"]


def test_unattributed_spend_has_lines_of_its_own(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    rows = answer(loaded, catalog, "unattributed_cost", by=("attribution",)).rows
    actual = {
        r.keys["attribution"]: r.values["unattributed_cost"] for r in rows if r.keys["attribution"] != "ATTRIBUTED"
    }
    expected = golden(CASE)["expected"]["spend"]["unattributed"]
    assert golden_module.differences(actual, {k: v for k, v in expected.items() if k != "total"}) == []


def test_cost_per_session_is_over_the_sessions_that_know_theirs(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    expected = golden(CASE)["expected"]["costPerSession"]
    row = one(loaded, catalog, "cost_per_session", "costed_sessions", "cost_per_session_at_least", "sessions")
    assert golden_module.differences(row.values["cost_per_session"], expected["overSessionsWithCompleteCost"]) == []
    assert row.values["costed_sessions"] == expected["sessionsWithCompleteCost"]
    assert row.values["sessions"] == expected["sessions"]
    lower = row.values["cost_per_session_at_least"]
    assert golden_module.differences(lower, expected["lowerBoundOverAllSessions"]) == []
    assert row.evidence["cost_per_session"].status == "PARTIAL"
    calling = one(loaded, catalog, "cost_per_session_with_calls", "sessions_without_calls").values
    assert golden_module.differences(calling["cost_per_session_with_calls"], expected["overSessionsWithRequests"]) == []
    assert calling["sessions_without_calls"] == expected["sessionsWithoutRequests"]
    wrong = golden(CASE)["expected"]["mustNotEqual"]["costPerSessionIfUnattributedSpread"]
    assert not golden_module.forbidden(row.values["cost_per_session"], wrong)


def test_a_session_whose_only_call_has_no_price_has_no_cost_and_says_why(loaded: Store, catalog: Catalog) -> None:
    row = one(loaded, catalog, "session_cost", "cost_per_session", "roi", where=parse_filter("session_id = 's3'"))
    assert (row.values["session_cost"], row.values["cost_per_session"]) == (None, None)
    assert row.evidence["session_cost"].status == "UNPRICED"
    assert row.evidence["cost_per_session"].status == "UNPRICED"


def test_a_tag_that_comes_late_moves_the_cost_to_its_session(
    loaded: Store, catalog: Catalog, golden: Golden, golden_module: ModuleType
) -> None:
    case = golden(CASE)
    (untagged,) = (r for r in requests_of(case["inputs"]["requests.csv"]) if getattr(r, "request_key", "") == "q3")
    assert isinstance(untagged, Request)
    report = load_records(loaded, [replace(untagged, session_id="s2")])
    assert report.stored == 1
    expected = case["expected"]["lateTag"]
    tagged = one(loaded, catalog, "session_cost", where=parse_filter("session_id = 's2'"))
    assert golden_module.differences(tagged.values["session_cost"], expected["thenS2CostUsd"]) == []
    share = one(loaded, catalog, "attributed_share").values["attributed_share"]
    assert golden_module.differences(share, expected["thenAttributedShare"]) == []
