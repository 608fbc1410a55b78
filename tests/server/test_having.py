"""Conditions on values, and conditions that the file names."""

from collections.abc import Iterator

import pytest

from semantic import load_catalog
from tests.server.conftest import RECORDS, Api, load_into
from tests.stores import new_store

FILE = """
models:
  calls:
    source: request_facts
    key: request_key
    time: started_at
    joins: {session: sessions}
    dimensions: {model: string}
  sessions:
    source: session_facts
    key: session_id
    time: started_at
    dimensions: {agent: string}
filters:
  big: {model: calls, where: model = 'big', description: Calls to big}
  first_day: {model: calls, where: started_at < timestamp '2026-03-02'}
metrics:
  calls: {count: calls}
  cost: {sum: calls.cost_usd, unit: USD}
  mean_cost: {expr: cost / calls}
  last_model: {last: calls.model, unit: text}
  newest: {max: {model: calls, value: cast(started_at as date)}, unit: date}
"""


@pytest.fixture(scope="module")
def calls() -> Iterator[Api]:
    """big: two calls of 1.600000000002; small: one of 0.25; ghost: one of unknown cost."""
    with new_store() as store:
        load_into(store, RECORDS)
        yield Api(load_catalog(FILE), store)


@pytest.mark.parametrize(
    ("having", "models"),
    [
        ("{calls: {gt: 1}}", ["big"]),
        ("{calls: {gte: 1}}", ["big", "ghost", "small"]),
        ("{calls: {lt: 2}}", ["ghost", "small"]),
        ("{calls: {lte: 0}}", []),
        ("{calls: {eq: 2}}", ["big"]),
        ("{calls: {ne: 2}}", ["ghost", "small"]),
        ("{calls: {in: [2, 3]}}", ["big"]),
        ("{calls: {notIn: [2, 3]}}", ["ghost", "small"]),
        ('{cost: {eq: "1.600000000002"}}', ["big"]),
        ('{cost: {eq: "1.600000000001"}}', []),
        ("{cost: {lt: 1}}", ["small"]),
        ("{cost: {ne: 0.25}}", ["big", "ghost"]),
        ("{cost: {isNull: true}}", ["ghost"]),
        ("{cost: {eq: null}}", ["ghost"]),
        ("{cost: {isNull: false}}", ["big", "small"]),
        ("{meanCost: {gt: 0.5}}", ["big"]),
        ("{meanCost: {eq: 0.25}}", ["small"]),
        ("{not: {meanCost: {gt: 0.5}}}", ["ghost", "small"]),
        ('{lastModel: {eq: "small"}}', ["small"]),
        ('{newest: {gte: "2026-03-02"}}', ["big", "ghost"]),
        ("{cost: {gt: 0}, calls: {lt: 2}}", ["small"]),
        ("{or: [{calls: {gt: 1}}, {cost: {isNull: true}}]}", ["big", "ghost"]),
        ("{and: [{calls: {gt: 1}}, {cost: {isNull: true}}]}", []),
        ("{}", ["big", "ghost", "small"]),
    ],
)
def test_rows_are_shown_by_their_values(calls: Api, having: str, models: list[str]) -> None:
    rows = calls.rows("model calls cost meanCost lastModel newest", f"having: {having}")
    assert [row["model"] for row in rows] == models


def test_text_and_days_are_values_of_metrics(calls: Api) -> None:
    assert calls.rows("lastModel newest", 'where: {agent: {eq: "main"}}') == [
        {"lastModel": "big", "newest": "2026-03-02"}
    ]


def test_what_is_not_shown_still_counts_in_totals(calls: Api) -> None:
    answer = calls.data("{ metrics(having: {calls: {gt: 1}}) { rows { model calls } totals { calls } } }")
    assert answer == {"metrics": {"rows": [{"model": "big", "calls": 2}], "totals": {"calls": 4}}}


def test_a_limit_counts_what_is_shown(calls: Api) -> None:
    answer = calls.data("{ metrics(having: {calls: {lt: 2}}, limit: 2) { rows { model calls } truncated } }")
    assert answer["metrics"] == {
        "rows": [{"model": "ghost", "calls": 1}, {"model": "small", "calls": 1}],
        "truncated": False,
    }


def test_only_what_is_selected_can_be_compared(calls: Api) -> None:
    query = "{ metrics(having: {cost: {gt: 1}}) { rows { model calls } } }"
    assert calls.codes(query) == ["BAD_HAVING"]


@pytest.mark.parametrize(
    "having",
    [
        "{calls: {gt: 1.5}}",
        '{cost: {gt: "much"}}',
        "{model: {eq: 1}}",
        '{lastModel: {contains: "a"}}',
        "{newest: {lt: 1}}",
    ],
)
def test_a_condition_of_the_wrong_type_fails_before_anything_runs(calls: Api, having: str) -> None:
    body = calls.ask(f"{{ metrics(having: {having}) {{ rows {{ model calls }} }} }}")
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INVALID_QUERY"]


@pytest.mark.parametrize("having", ["{calls: null}", "{calls: {gt: null}}", "{meanCost: {gt: 1e999}}"])
def test_a_condition_that_says_nothing_is_refused(calls: Api, having: str) -> None:
    assert calls.codes(f"{{ metrics(having: {having}) {{ rows {{ calls meanCost }} }} }}") == ["BAD_FILTER"]


def test_filters_that_the_file_names_all_hold(calls: Api) -> None:
    assert calls.rows("calls", "filters: [BIG]") == [{"calls": 2}]
    assert calls.rows("calls", "filters: [BIG, FIRST_DAY]") == [{"calls": 1}]
    assert calls.rows("calls", 'filters: [BIG], where: {model: {eq: "small"}}') == [{"calls": 0}]
    assert calls.rows("calls", "filters: []") == [{"calls": 4}]
    assert calls.rows("calls", "filters: null") == [{"calls": 4}]


def test_named_filters_are_told(calls: Api) -> None:
    assert calls.data("{ catalog { filters { name graphqlName description } } }")["catalog"]["filters"] == [
        {"name": "big", "graphqlName": "BIG", "description": "Calls to big"},
        {"name": "first_day", "graphqlName": "FIRST_DAY", "description": ""},
    ]
    assert calls.codes("{ metrics(filters: [SMALL]) { totals { calls } } }") == ["INVALID_QUERY"]
