"""Which rows count: every operator of every type, and null as a value."""

from collections.abc import Iterator

import pytest

from semantic import load_catalog
from tests.server.conftest import RECORDS, Api, load_into
from tests.stores import new_store

CALLS = """
models:
  calls:
    source: requests
    key: request_key
    time: started_at
    dimensions:
      model: string
      cost_status: {type: enum, values: [PRICED, UNPRICED, BILLED]}
      cost: {type: decimal, sql: cost_usd}
      tokens: {type: integer, sql: output_tokens}
      is_included: boolean
      started: {type: timestamp, sql: started_at}
      day: {type: date, sql: "cast(started_at as date)"}
metrics:
  calls: {count: calls}
"""


@pytest.fixture(scope="module")
def calls() -> Iterator[Api]:
    """Four calls: two to big, one to small, one to ghost, whose cost is unknown."""
    with new_store() as store:
        load_into(store, RECORDS)
        yield Api(load_catalog(CALLS), store)


def test_dimensions_of_every_type_come_back_as_they_are_filtered(calls: Api) -> None:
    selection = "model costStatus cost tokens isIncluded started day calls"
    assert calls.rows(selection, 'where: {model: {eq: "small"}}') == [
        {
            "model": "small",
            "costStatus": "PRICED",
            "cost": "0.250000000000",
            "tokens": 5,
            "isIncluded": False,
            "started": "2026-03-01T10:02:00Z",
            "day": "2026-03-01",
            "calls": 1,
        }
    ]


def count(api: Api, where: str) -> object:
    (row,) = api.rows("calls", f"where: {where}")
    return row["calls"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('{model: {eq: "big"}}', 2),
        ('{model: {ne: "big"}}', 2),
        ('{model: {in: ["big", "small"]}}', 3),
        ('{model: {notIn: ["big", "small"]}}', 1),
        ('{model: {contains: "mal"}}', 1),
        ('{model: {startsWith: "gh"}}', 1),
        ("{model: {isNull: true}}", 0),
        ("{model: {isNull: false}}", 4),
        ("{costStatus: {eq: UNPRICED}}", 1),
        ("{costStatus: {ne: UNPRICED}}", 3),
        ("{costStatus: {in: [PRICED, BILLED]}}", 3),
        ("{costStatus: {notIn: [PRICED]}}", 1),
        ('{cost: {eq: "0.100000000002"}}', 1),
        ("{cost: {eq: 0.25}}", 1),
        ('{cost: {gt: "0.100000000002"}}', 2),
        ('{cost: {gte: "0.100000000002", lt: 1}}', 2),
        ("{cost: {lte: 2}}", 3),
        ("{tokens: {eq: 5}}", 4),
        ("{tokens: {gt: 5}}", 0),
        ("{isIncluded: {eq: false}}", 4),
        ("{isIncluded: {ne: false}}", 0),
        ('{day: {eq: "2026-03-01"}}', 2),
        ('{day: {in: ["2026-03-01", "2026-03-02"]}}', 4),
        ('{day: {lt: "2026-03-02"}}', 2),
        ('{started: {gte: "2026-03-02T23:30:00Z"}}', 1),
        ('{started: {gte: "2026-03-03T00:30:00+01:00"}}', 1),
        ('{started: {lt: "2026-03-02T23:30:00Z"}}', 3),
    ],
)
def test_operators(calls: Api, where: str, expected: int) -> None:
    assert count(calls, where) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("{cost: {eq: null}}", 1),
        ("{cost: {ne: null}}", 3),
        ("{cost: {ne: 0.25}}", 3),
        ("{not: {cost: {eq: 0.25}}}", 3),
    ],
)
def test_null_is_a_value_that_equals_nothing_but_null(calls: Api, where: str, expected: int) -> None:
    assert count(calls, where) == expected


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('{model: {startsWith: "b", contains: "g"}}', 2),
        ('{model: {eq: "big"}, day: {eq: "2026-03-01"}}', 1),
        ('{and: [{model: {eq: "big"}}, {day: {eq: "2026-03-01"}}]}', 1),
        ('{or: [{model: {eq: "ghost"}}, {day: {eq: "2026-03-01"}}]}', 3),
        ('{not: {model: {eq: "big"}}}', 2),
        ('{model: {eq: "big"}, or: [{day: {eq: "2026-03-01"}}, {day: {eq: "2026-03-02"}}]}', 2),
        ('{not: {or: [{model: {eq: "big"}}, {and: [{model: {eq: "small"}}, {costStatus: {eq: PRICED}}]}]}}', 1),
        ("{}", 4),
        ("{model: {}}", 4),
        ("{and: []}", 4),
        ("{or: []}", 0),
    ],
)
def test_conditions_join_as_in_logic(calls: Api, where: str, expected: int) -> None:
    assert count(calls, where) == expected


def test_a_filter_may_be_a_variable_and_what_it_leaves_out_says_nothing(calls: Api) -> None:
    where = {"or": [{"model": {"in": ["big"]}}, {"costStatus": {"eq": "UNPRICED"}}]}
    assert calls.rows("calls", "where: $where", {"where": where}) == [{"calls": 3}]
    query = "query($model: String) { metrics(where: {model: {eq: $model}}) { totals { calls } } }"
    assert calls.data(query) == {"metrics": {"totals": {"calls": 4}}}
    assert calls.data(query, {"model": "big"}) == {"metrics": {"totals": {"calls": 2}}}
    assert calls.data(query, {"model": None}) == {"metrics": {"totals": {"calls": 0}}}


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("{model: null}", "null is no condition for 'model'; leave it out or say what holds"),
        ("{or: null}", "null is no condition for 'or'; leave it out or say what holds"),
        ("{model: {contains: null}}", "'model' cannot be compared by contains with null"),
        ("{cost: {gte: null}}", "'cost' cannot be compared by gte with null"),
        ("{costStatus: {notIn: null}}", "'costStatus' cannot be compared by notIn with null"),
        ("{model: {isNull: null}}", "'model' cannot be compared by isNull with null"),
        ("{model: {in: []}}", "the filter on 'model' compares with nothing"),
    ],
)
def test_a_condition_that_says_nothing_is_refused_and_not_dropped(calls: Api, where: str, message: str) -> None:
    query = f"{{ metrics(where: {where}) {{ rows {{ calls }} }} }}"
    assert calls.codes(query) == ["BAD_FILTER"]
    assert calls.message(query) == message


@pytest.mark.parametrize(
    "where",
    [
        "{model: {eq: 1}}",
        '{model: {gt: "a"}}',
        "{model: {in: [null]}}",
        "{costStatus: {eq: FREE}}",
        '{costStatus: {contains: "PRICED"}}',
        '{cost: {eq: "much"}}',
        '{cost: {eq: "NaN"}}',
        '{cost: {eq: "1e30"}}',
        "{cost: {eq: true}}",
        "{tokens: {eq: 1.5}}",
        "{tokens: {eq: 9223372036854775808}}",
        "{isIncluded: {gt: true}}",
        '{day: {eq: "yesterday"}}',
        '{day: {eq: "2026-02-30"}}',
        '{started: {gte: "2026-03-02T23:30:00"}}',
        '{started: {gte: "2026-03-02"}}',
        '{started: {gte: "0001-01-01T00:00:00+14:00"}}',
        '{vendor: {eq: "x"}}',
    ],
)
def test_a_condition_of_the_wrong_type_fails_before_anything_runs(calls: Api, where: str) -> None:
    body = calls.ask(f"{{ metrics(where: {where}) {{ rows {{ calls }} }} }}")
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INVALID_QUERY"]
    assert body["errors"][0]["locations"][0]["line"] == 1


@pytest.mark.parametrize("value", [1.5, True, "5", 2**63])
def test_a_variable_of_the_wrong_type_fails_before_anything_runs(calls: Api, value: object) -> None:
    query = "query($n: BigInt) { metrics(where: {tokens: {eq: $n}}) { rows { calls } } }"
    body = calls.ask(query, {"n": value})
    assert "data" not in body
    assert [error["extensions"]["code"] for error in body["errors"]] == ["INVALID_VARIABLES"]


def test_values_are_bound_and_never_part_of_the_statement(calls: Api) -> None:
    nasty = "x'; drop table requests; --\u0000"
    selection = "rows { calls } explain { sql parameters { name value } }"
    query = f"query($model: String) {{ metrics(where: {{model: {{eq: $model}}}}) {{ {selection} }} }}"
    answer = calls.data(query, {"model": nasty})["metrics"]
    assert answer["rows"] == [{"calls": 0}]
    assert nasty not in answer["explain"]["sql"]
    assert answer["explain"]["parameters"] == [{"name": "p1", "value": nasty}]
