"""What an operation costs, by hand; and how much of it a principal may ask for in a second."""

import pytest
from graphql import get_introspection_query, parse

from semantic import Catalog
from server.access import OPERATOR, Principal
from server.graphql import build_schema
from server.graphql.allowance import Allowance
from server.graphql.cost import SCAN, Cost, Weight, priced
from server.graphql.rate import MOST_BUCKETS, RateLimit
from server.graphql.refusal import RefusalError
from server.graphql.schema import weights
from server.graphql.serving import allowance_of
from server.settings import Settings

WEIGHTS = {
    "metrics": Weight(rows=1_000),
    "whatIf": Weight(per_value=20),
    "routing": Weight(rows=10, is_from_memory=True),
}
MOST_ROWS = 10_000


def cost(text: str, **variables: object) -> int:
    return priced(parse(text), None, WEIGHTS).cost(variables, MOST_ROWS).values


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("{ metrics(limit: 5000) { rows { a b } } }", 5_000 * 2),
        ("{ metrics(limit: 1) { rows { a } } }", SCAN),
        ("{ metrics { rows { a b } } }", 1_000 * 2),
        ("{ metrics(limit: 5000) { rows { a b } totals { c } dataVersion } }", 5_000 * 4),
        ("{ metrics(limit: 5000) { rows { evidence(metric: A) { n low high } } } }", 5_000 * 3),
        ("{ metrics(limit: 99999) { rows { a } } }", MOST_ROWS),  # it is refused later, and costs no more than the most
        ("{ metrics(limit: -1) { rows { a } } }", SCAN),
        ("{ whatIf { a b c } }", 20 * 100 * 3),
        ("{ routing { a b } }", 10 * 2),
        ("{ other { a } }", SCAN),
        ("{ __typename }", 1),
        ("{ x: metrics(limit: 5000) { a } y: metrics(limit: 6000) { a } }", 5_000 + 6_000),
        ("{ ...F ...F } fragment F on Query { metrics(limit: 5000) { ...G } } fragment G on M { a b }", 2 * 5_000 * 2),
        ("{ metrics(limit: 5000) @skip(if: true) { a } }", 1),
        ("{ metrics(limit: 5000) @include(if: false) { a } whatIf { a } }", 2_000),
        ("{ ... @include(if: true) { metrics(limit: 5000) { a } } }", 5_000),
    ],
)
def test_a_cost_is_rows_times_columns_times_weight(text: str, values: int) -> None:
    assert cost(text) == values


def test_introspection_costs_what_a_table_of_the_schema_would_and_is_within_the_limit() -> None:
    standard = priced(parse(get_introspection_query()), None, weights(1_000)).cost({}, MOST_ROWS)
    assert standard == Cost(2_000 * 149, is_from_memory=False)
    assert standard.values * 5 < Settings().max_cost
    five = "{" + " ".join(f"a{n}: __schema {{ types {{ name }} }}" for n in range(5)) + "}"
    assert priced(parse(five), None, weights(1_000)).cost({}, MOST_ROWS).values == 5 * 2_000


def test_variables_decide_about_rows_and_what_is_left_out() -> None:
    text = "query($n: Int = 7000, $with: Boolean = false) { metrics(limit: $n) {a b} whatIf @include(if: $with) { a } }"
    assert cost(text) == 7_000 * 2
    assert cost(text, n=3000) == 3_000 * 2
    assert cost(text, n=3000.0) == 3_000 * 2
    assert cost(text, n=None) == 1_000 * 2
    assert cost(text, n="five") == 1_000 * 2, "it is refused when it is coerced"
    assert cost(text, n=3000, **{"with": True}) == 3_000 * 2 + 2_000


def test_an_operation_is_from_memory_where_all_of_it_is() -> None:
    def is_from_memory(text: str) -> bool:
        return priced(parse(text), None, WEIGHTS).cost({}, MOST_ROWS).is_from_memory

    assert is_from_memory("{ routing { a } __typename }")
    assert not is_from_memory("{ routing { a } metrics { a } }")
    assert is_from_memory("{ routing { a } metrics @skip(if: true) { a } }")


def test_only_what_never_waits_is_answered_in_the_event_loop() -> None:
    of_all = weights(1_000)
    assert {name for name, weight in of_all.items() if weight.is_instant} == {"routing"}
    document = parse("{ routing { status } mayISpend { decision } }")
    assert not priced(document, None, of_all).cost({}, MOST_ROWS).is_instant


def test_each_operation_of_a_document_has_its_own_cost() -> None:
    document = parse("query A { metrics(limit: 5000) { a } } query B { metrics(limit: 6000) { a } }")
    assert [priced(document, name, WEIGHTS).cost({}, MOST_ROWS).values for name in ("A", "B")] == [5_000, 6_000]


def test_every_field_at_the_top_has_a_weight(catalog: Catalog) -> None:
    schema = build_schema(catalog)._schema
    assert schema.query_type is not None
    assert schema.mutation_type is not None
    assert {*schema.query_type.fields, *schema.mutation_type.fields} <= weights(1_000).keys()


class Clock:
    at = 0.0

    def __call__(self) -> float:
        return self.at


def test_a_bucket_fills_again_at_its_rate_and_never_above_its_burst() -> None:
    clock = Clock()
    rate = RateLimit(per_s=10, burst=30, clock=clock)
    assert [rate.take("a", 20), rate.take("a", 20)] == [0, 1.0]
    assert rate.take("b", 30) == 0, "each has a bucket of its own"
    clock.at = 1.0
    assert rate.take("a", 20) == 0
    clock.at = 1_000.0
    assert [rate.take("a", 30), rate.take("a", 1)] == [0, 0.1]


def test_more_than_a_burst_costs_a_whole_one_and_is_not_refused_for_ever() -> None:
    rate = RateLimit(per_s=10, burst=30, clock=Clock())
    assert [rate.take("a", 1_000), rate.take("a", 1_000)] == [0, 3.0]


def test_names_are_remembered_up_to_a_bound() -> None:
    rate = RateLimit(per_s=1, burst=1, clock=Clock())
    for name in range(MOST_BUCKETS + 1):
        rate.take(str(name), 1)
    assert rate.take(str(MOST_BUCKETS), 1) == 1.0
    assert rate.take("0", 1) == 0, "the one that was forgotten"


def admitted(allowance: Allowance, principal: Principal, times: int) -> int:
    for done in range(times):
        try:
            allowance.admit(principal, Cost(100, False))
        except RefusalError:
            return done
    return times


def test_the_operator_is_limited_only_where_a_rate_is_set() -> None:
    caller = Principal("bot", frozenset({"router"}))
    usual = allowance_of(Settings(rate_burst=300))
    assert (admitted(usual, OPERATOR, 10), admitted(usual, caller, 10)) == (10, 3)
    everybody = allowance_of(Settings(rate_per_s=1, rate_burst=300))
    assert (admitted(everybody, OPERATOR, 10), admitted(everybody, caller, 10)) == (3, 3)
    assert admitted(allowance_of(Settings(rate_per_s=0, rate_burst=300)), caller, 10) == 10
