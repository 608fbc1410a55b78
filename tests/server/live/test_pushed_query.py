"""The query that answers the pushes of a subscription: the same text, letter for letter in its place."""

import pytest
from graphql import parse

from server.graphql.subscriptions import Pushed, pushed, without
from server.live.feed import fingerprint

TWO = """query Q { dataVersion }
subscription S($n: Int) { ...R }
subscription T { dataVersion }
fragment R on Subscription { ... on Subscription { m: metrics(limit: $n) { now: asOf rows { ...E } } } }
fragment E on MetricsRow { sessions }
"""


def of(text: str, name: str | None = None) -> Pushed:
    return pushed(parse(text), text, name)


def test_the_word_becomes_query_and_every_place_stays() -> None:
    assert of("subscription { dataVersion }") == Pushed("query        { dataVersion }", "dataVersion", ())


def test_other_operations_are_blanked_and_fragments_are_of_the_query() -> None:
    assert of(TWO, "S").text.splitlines() == [
        " " * 23,
        "query        S($n: Int) { ...R }",
        " " * 30,
        "fragment R on Query        { ... on Query        { m: metrics(limit: $n) { now: asOf rows { ...E } } } }",
        "fragment E on MetricsRow { sessions }",
    ]


def test_a_fragment_that_only_another_operation_spreads_is_blanked_too() -> None:
    assert of(TWO, "T").text.split() == ["query", "T", "{", "dataVersion", "}"]


def test_a_word_in_a_string_or_a_comment_is_left_alone() -> None:
    text = '# subscription\nsubscription { routing(taskClass: "subscription Subscription") { stale } }'
    assert of(text).text == '# subscription\nquery        { routing(taskClass: "subscription Subscription") { stale } }'


def test_a_query_is_asked_once_as_it_is() -> None:
    assert of("{ dataVersion }") == Pushed("{ dataVersion }", None, ())


def test_what_moves_with_the_clock_is_found_under_its_alias_and_through_fragments() -> None:
    assert of(TWO, "S").ticking == (("data", "m", "now"),)
    text = "subscription { sources { name asOf: name ageSeconds } }"
    assert of(text).ticking == (("data", "sources", "ageSeconds"),)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        ({"data": {"m": {"now": 1, "rows": [2]}}}, {"data": {"m": {"rows": [2]}}}),
        ({"data": {"m": [{"now": 1}, {"now": 2, "a": 3}, None]}}, {"data": {"m": [{}, {"a": 3}, None]}}),
        ({"data": None}, {"data": None}),
        ({"data": {"m": None}}, {"data": {"m": None}}),
    ],
)
def test_values_are_taken_out_of_lists_and_missing_ones_are_none(body: object, left: object) -> None:
    assert without(body, [("data", "m", "now")]) == left


def test_only_the_clock_makes_no_difference() -> None:
    ticking = (("data", "m", "now"),)
    first, later, other = (
        b'{"data":{"m":{"now":1,"n":5}}}',
        b'{"data":{"m":{"now":2,"n":5}}}',
        b'{"data":{"m":{"now":2,"n":6}}}',
    )
    assert fingerprint(first, ticking) == fingerprint(later, ticking) != fingerprint(other, ticking)
    assert fingerprint(first, ()) != fingerprint(later, ())
