"""Random questions of random worlds: what the compiler and DuckDB answer is what the slow way gives, row by row."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from semantic import (
    Both,
    Comparison,
    MetricQuery,
    Op,
    QueryError,
    Result,
    Row,
    Value,
    compile_plan,
    load_catalog,
    plan_query,
    shape_rows,
)
from tests.semantic.brute import Answer, Cut, answer
from tests.semantic.brute_numbers import FRAGILE, Number
from tests.semantic.brute_rows import RefusedError
from tests.semantic.draws import draws_from
from tests.semantic.shrink import Case, smallest
from tests.semantic.worlds import Cell, World, catalog_text, table_sql

WORLDS = int(os.environ.get("CLAWBACK_WORLDS", "190"))
QUESTIONS = 8


class Database:
    """A DuckDB that holds one world at a time."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(config={"threads": 1})

    def hold(self, world: World) -> None:
        self.catalog = load_catalog(catalog_text(world))
        self.connection.execute(table_sql(world))

    def ask(self, query: MetricQuery, *, with_values: bool = False) -> Result:
        """The answer to the statement, or to the text of the statement with its values written into it."""
        plan = plan_query(self.catalog, query)
        statement = compile_plan(plan)
        if with_values:
            rows = self.connection.execute(statement.with_values()).fetchall()
        else:
            rows = self.connection.execute(statement.sql, statement.params).fetchall()
        return shape_rows(plan, statement, rows)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    made = Database()
    yield made
    made.connection.close()


@settings(max_examples=WORLDS, deadline=None, print_blob=True)
@given(random=st.randoms(use_true_random=True))
def test_every_answer_is_the_one_that_counting_by_hand_gives(database: Database, random: Random) -> None:
    draws = draws_from(random)
    world = draws.world()
    database.hold(world)
    for _ in range(QUESTIONS):
        query = draws.question(world)
        try:
            _compare(database, world, query)
        except (AssertionError, duckdb.Error):
            _fail(database, smallest((world, query), lambda case: _fails(database, case)))


@settings(max_examples=WORLDS // 4, deadline=None, print_blob=True)
@given(random=st.randoms(use_true_random=True))
def test_a_row_of_a_cut_is_what_a_filter_for_it_gives(database: Database, random: Random) -> None:
    draws = draws_from(random)
    world = draws.world()
    database.hold(world)
    query = replace(draws.question(world), grain=None, order_by=(), limit=None, evidence=True)
    for name in query.by[:1]:
        try:
            rows = database.ask(replace(query, by=(name,)), with_values=True).rows
        except QueryError:
            return
        for row in rows[:3]:
            value = row.keys[name.replace(".", "_")]
            assert not isinstance(value, float)
            is_it = Comparison(name, Op.IS_NULL, (True,)) if value is None else Comparison(name, Op.EQ, (value,))
            where = Both((is_it, query.where)) if query.where else is_it
            (alone,) = database.ask(replace(query, by=(), where=where), with_values=True).rows
            assert (alone.values, alone.evidence) == (row.values, row.evidence), (name, value)


def _compare(database: Database, world: World, query: MetricQuery) -> None:
    try:
        expected = answer(world, query)
    except RefusedError as refusal:
        event(f"refused: {refusal}")
        with pytest.raises(QueryError) as caught:
            database.ask(query)
        assert caught.value.code in {"UNREACHABLE_DIMENSION", "AMBIGUOUS_DIMENSION", "NO_TIME"}
        return
    event("rows: " + ("none" if not expected.rows else "one" if len(expected.rows) == 1 else "several"))
    _check(world, query, expected, database.ask(query))


def _fails(database: Database, case: Case) -> bool:
    database.hold(case[0])
    try:
        _compare(database, *case)
    except (AssertionError, duckdb.Error):
        return True
    return False


def _fail(database: Database, case: Case) -> None:
    """Fails again, with all that is needed to see why."""
    world, query = case
    database.hold(world)
    try:
        _compare(database, world, query)
    except (AssertionError, duckdb.Error) as error:
        sql = compile_plan(plan_query(database.catalog, query)).with_values()
        error.add_note("\n".join((catalog_text(world), table_sql(world), str(query), sql)))
        raise


def _check(world: World, query: MetricQuery, expected: Answer, got: Result) -> None:
    keys: list[tuple[Any, ...]] = [tuple(row.keys.values()) for row in got.rows]
    assert len(set(keys)) == len(keys)
    assert set(keys) <= set(expected.rows), "a row that nothing stands behind"
    limit = query.limit or len(expected.rows)
    assert len(keys) == min(limit, len(expected.rows)), "a row is missing"
    assert got.truncated == (len(expected.rows) > limit)
    for key, row in zip(keys, got.rows, strict=True):
        _check_row(world, query, expected.rows[key], row)
    rest = [k for k in expected.rows if k not in set(keys)]
    for place, key in enumerate(keys):
        for later in (*keys[place + 1 : place + 2], *(rest if place == len(keys) - 1 else ())):
            assert _is_before(query, expected, key, later), "the order is another"


def _check_row(world: World, query: MetricQuery, expected: Mapping[str, Cut], row: Row) -> None:
    assert tuple(row.values) == query.metrics
    for name, value in row.values.items():
        cut = expected[name]
        if cut.value == FRAGILE:
            event("fragile")
            continue
        assert _is_same(value, cut, world.metrics[name].unit), f"{name}: {value!r}, by hand {cut}"
        if query.evidence:
            evidence = row.evidence[name]
            assert (evidence.n, evidence.unknown) == (cut.n, cut.unknown), name
            assert evidence.status in cut.statuses, f"{name}: {evidence}, by hand {cut}"
    assert (tuple(row.evidence) == query.metrics) == query.evidence


def _is_same(got: Value, cut: Cut, unit: str) -> bool:
    if not isinstance(cut.value, Number):
        return type(got) is type(cut.value) and got == cut.value
    known = cut.value
    if unit == "USD":
        assert isinstance(got, Decimal), got
        assert int(got.as_tuple().exponent) >= -12, got
        return abs(Fraction(got) - known.value) <= known.error + (Fraction(1, 10**12) if known.is_double else 0)
    assert isinstance(got, int | float), got
    assert not isinstance(got, bool)
    return abs(Fraction(got) - known.value) <= known.error + abs(known.value) / 2**52


def _is_before(query: MetricQuery, expected: Answer, first: tuple[Cell, ...], second: tuple[Cell, ...]) -> bool:
    """Whether the asked order, and after it that of the keys, puts `first` before `second` or leaves it open."""
    asked = [(o.by, o.direction == "desc") for o in query.order_by] or ([("time", False)] if query.grain else [])
    rest = [(k, False) for k in expected.keys if k not in {name for name, _ in asked}]
    for name, descends in (*asked, *rest):
        a, b = _sorted_by(expected, name, first), _sorted_by(expected, name, second)
        if FRAGILE in (a, b):
            return True
        if isinstance(a, Number) and isinstance(b, Number):
            if abs(a.value - b.value) > a.error + b.error:
                return (a.value > b.value) == descends
            if a.error or b.error:
                return True
        elif a is None or b is None:
            if a is not b:
                return b is None
        elif a != b:
            left: Any = a
            return bool(left > b) == descends
    return False


def _sorted_by(expected: Answer, name: str, key: tuple[Cell, ...]) -> Any:
    return key[expected.keys.index(name)] if name in expected.keys else expected.rows[key][name].value
