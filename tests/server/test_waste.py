"""The breakdown of waste over GraphQL: which sessions and days it is of, and what it refuses."""

import pytest

from semantic import Caller, Catalog
from store import Store
from tests.server.conftest import Api


def test_the_days_end_with_the_day_of_the_question_and_begin_with_the_first_session(api: Api) -> None:
    found = api.data("{ wasteBreakdown { firstDay lastDay days finishedSessions status } }")["wasteBreakdown"]
    assert found == {
        "firstDay": "2026-03-01",
        "lastDay": "2026-03-10",
        "days": 10,
        "finishedSessions": 3,
        "status": "OK",
    }
    month = api.data('{ wasteBreakdown(range: "2026-03") { firstDay lastDay days } }')["wasteBreakdown"]
    assert month == {"firstDay": "2026-03-01", "lastDay": "2026-03-10", "days": 10}


def test_days_are_cut_in_the_zone_of_the_question(api: Api) -> None:
    found = api.data('{ wasteBreakdown(range: "2026-03-03", zone: "Asia/Tokyo") { finishedSessions days } }')
    assert found["wasteBreakdown"] == {"finishedSessions": 1, "days": 1}


def test_a_range_after_today_has_no_days_and_no_year(api: Api) -> None:
    found = api.data('{ wasteBreakdown(range: "2027") { days status idleWasteRate classes { sessions } } }')
    assert found["wasteBreakdown"] == {
        "days": None,
        "status": "NO_FINISHED_SESSIONS",
        "idleWasteRate": None,
        "classes": [],
    }


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("level: 1.0", "BAD_ARGUMENT"),
        ("level: 0.0", "BAD_ARGUMENT"),
        ('range: "whenever"', "BAD_RANGE"),
        ('zone: "Mars/Olympus"', "UNKNOWN_ZONE"),
    ],
)
def test_what_cannot_be_meant_is_refused(api: Api, arguments: str, code: str) -> None:
    assert api.codes(f"{{ wasteBreakdown({arguments}) {{ status }} }}") == [code]


def test_whoever_may_see_the_metrics_may_ask_for_the_breakdown(catalog: Catalog, store: Store) -> None:
    caller = Api(catalog, store, caller=Caller(frozenset({"dashboard"}), {}))
    assert caller.data("{ wasteBreakdown { status } }") == {"wasteBreakdown": {"status": "OK"}}
