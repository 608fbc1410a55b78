"""`metrics` fields about one slice are one statement, and each gets what it would have got alone."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from random import Random
from typing import cast

import pytest

from semantic import Caller, Catalog, MetricQuery, Order, QueryError, TimeRange, compile_plan, plan_query, shape_columns
from semantic.periods import Grain
from semantic.together import can_share, joined_query, part_of
from store import Reader, Rows, Store
from tests.server.conftest import NOW, Api, at

BY_AGENT = "metrics(orderBy: [{by: AGENT}]) { rows { agent %s } }"


class CountingReader(Reader):
    def __init__(self, reader: Reader, asked: list[str], refused: str) -> None:
        super().__init__(reader._cursor, reader._settled, reader._statements)
        self._asked = asked
        self._refused = refused

    def read(self, sql: str, params: Mapping[str, object] | None = None, *, timeout_ms: int | None = None) -> Rows:
        self._asked.append(sql)
        if self._refused and all(word in sql for word in self._refused.split()):
            return super().read("SELECT error('out of memory, say')", {}, timeout_ms=timeout_ms)
        return super().read(sql, params, timeout_ms=timeout_ms)


class CountingStore:
    """A store that notes what is asked of it, and refuses statements in which all of some words are."""

    def __init__(self, store: Store, refused: str = "") -> None:
        self.asked: list[str] = []
        self.snapshots = 0
        self._store = store
        self._refused = refused

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        self.snapshots += 1
        with self._store.snapshot() as reader:
            yield CountingReader(reader, self.asked, self._refused)

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


def api_over(catalog: Catalog, store: Store, refused: str = "") -> tuple[Api, CountingStore]:
    counting = CountingStore(store, refused)
    return Api(catalog, cast(Store, counting)), counting


def test_fields_about_one_slice_are_one_statement(catalog: Catalog, store: Store) -> None:
    api, counting = api_over(catalog, store)
    answer = api.data(f"{{ a: {BY_AGENT % 'sessions'} b: {BY_AGENT % 'costPerSession'} c: {BY_AGENT % 'sessions'} }}")
    assert len(counting.asked) == 1
    assert answer == {
        "a": {
            "rows": [
                {"agent": "main", "sessions": 2},
                {"agent": "scout", "sessions": 1},
                {"agent": None, "sessions": 1},
            ]
        },
        "b": {
            "rows": [
                {"agent": "main", "costPerSession": "0.925000000001"},
                {"agent": "scout", "costPerSession": None},
                {"agent": None, "costPerSession": "0"},
            ]
        },
        "c": {
            "rows": [
                {"agent": "main", "sessions": 2},
                {"agent": "scout", "sessions": 1},
                {"agent": None, "sessions": 1},
            ]
        },
    }


def test_totals_are_one_statement_whatever_they_rest_on(catalog: Catalog, store: Store) -> None:
    api, counting = api_over(catalog, store)
    answer = api.data(
        "{ a: metrics { totals { cash } } b: metrics { totals { inferenceCost } } c: metrics { totals { sessions } } }"
    )
    assert len(counting.asked) == 1
    assert answer == {
        "a": {"totals": {"cash": "1000000"}},
        "b": {"totals": {"inferenceCost": "1.850000000002"}},
        "c": {"totals": {"sessions": 4}},
    }


@pytest.mark.parametrize(
    "other",
    [
        'metrics(where: {agent: {ne: "main"}}) { rows { agent costPerSession } }',
        "metrics(limit: 1, orderBy: [{by: AGENT}]) { rows { agent costPerSession } }",
        "metrics(orderBy: [{by: AGENT}]) { rows { trigger agent costPerSession } }",
        "metrics(orderBy: [{by: AGENT}]) { rows { agent costPerSession } explain { sql } }",
        "metrics(orderBy: [{by: AGENT}]) { rows { agent inferenceCost } }",  # its rows are calls
    ],
)
def test_what_is_another_slice_is_another_statement(catalog: Catalog, store: Store, other: str) -> None:
    api, counting = api_over(catalog, store)
    api.data(f"{{ a: {BY_AGENT % 'sessions'} b: {other} }}")
    assert len(counting.asked) == 2


def test_a_statement_that_fails_for_all_is_asked_for_each(catalog: Catalog, store: Store) -> None:
    api, counting = api_over(catalog, store, refused="cash sessions")
    answer = api.data("{ a: metrics { totals { cash } } b: metrics { totals { sessions } } }")
    assert answer == {"a": {"totals": {"cash": "1000000"}}, "b": {"totals": {"sessions": 4}}}
    assert (len(counting.asked), counting.snapshots) == (3, 2)


def test_a_statement_that_fails_for_all_is_asked_for_each_also_for_a_caller_with_roles(
    catalog: Catalog, store: Store
) -> None:
    """He is not told what the store says, so the failure comes to him as another kind of error."""
    counting = CountingStore(store, "cash sessions")
    api = Api(catalog, cast(Store, counting), caller=Caller(frozenset({"finance"})))
    answer = api.data("{ a: metrics { totals { cash } } b: metrics { totals { sessions } } }")
    assert answer == {"a": {"totals": {"cash": "1000000"}}, "b": {"totals": {"sessions": 4}}}


def test_what_was_found_before_a_statement_failed_is_asked_again_in_the_new_snapshot(
    catalog: Catalog, store: Store
) -> None:
    """A load may have come between the two: one operation tells of one version of the data."""
    api, counting = api_over(catalog, store, refused="list_usd sessions")
    by_hand = f"a: {BY_AGENT % 'sessions'} b: {BY_AGENT % 'costPerSession'}"
    answer = api.data(f"{{ {by_hand} c: metrics {{ totals {{ listCost }} }} d: metrics {{ totals {{ sessions }} }} }}")
    assert [row["sessions"] for row in answer["a"]["rows"]] == [2, 1, 1]
    assert answer["d"] == {"totals": {"sessions": 4}}
    # two together, the second of which fails; then each of the four by itself
    assert (len(counting.asked), counting.snapshots) == (6, 2)


def test_a_field_that_is_refused_takes_no_other_with_it(catalog: Catalog, store: Store) -> None:
    api, counting = api_over(catalog, store)
    body = api.ask(f"{{ a: {BY_AGENT % 'sessions'} b: metrics(limit: 0) {{ rows {{ agent sessions }} }} }}")
    assert body["data"]["a"]["rows"][0] == {"agent": "main", "sessions": 2}
    assert [(error["path"], error["extensions"]["code"]) for error in body["errors"]] == [(["b"], "BAD_LIMIT")]
    assert len(counting.asked) == 1


def questions(catalog: Catalog, random: Random) -> list[MetricQuery]:
    """Three that differ in their metrics alone."""
    by = tuple(random.sample(("agent", "model", "trigger", "time.weekday"), random.choice((0, 1, 1, 2))))
    time = random.choice(
        (TimeRange(), TimeRange(at("2026-03-01"), at("2026-03-09")), TimeRange(start=at("2026-03-02")))
    )
    grain = random.choice((None, None, Grain.DAY, Grain.WEEK))
    about = MetricQuery(
        metrics=(),
        as_of=NOW.date(),
        by=by,
        grain=grain,
        time=time,
        evidence=random.random() < 0.3,
        order_by=(Order(by[0], "desc"),) if by and random.random() < 0.4 else (),
        limit=random.choice((None, 1, 2, 100)),
    )
    names = tuple(catalog.metrics)
    groups = [tuple(random.sample(names, random.choice((1, 1, 2)))) for _ in range(3)]
    return [MetricQuery(**{**{f: getattr(about, f) for f in about.__slots__}, "metrics": group}) for group in groups]


def test_who_shares_a_statement_gets_what_he_gets_alone(catalog: Catalog, store: Store) -> None:
    """Of random questions over all metrics: every pair that may share a statement, beside each of it alone."""
    random, shared = Random(5), 0
    for _ in range(100):
        plans = []
        for query in questions(catalog, random):
            try:
                plans.append(plan_query(catalog, query))
            except QueryError:
                continue
        for first, second in pairwise(plans):
            if not can_share(first, second):
                continue
            shared += 1
            whole = plan_query(catalog, joined_query([first.query, second.query]))
            statement = compile_plan(whole)
            together = shape_columns(whole, statement, store.read(statement.sql, statement.params).rows)
            for plan in (first, second):
                alone = compile_plan(plan)
                expected = shape_columns(plan, alone, store.read(alone.sql, alone.params).rows)
                assert part_of(together, plan.query).result() == expected.result(), plan.query
    assert shared > 15
