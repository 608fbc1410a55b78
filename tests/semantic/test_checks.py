"""What a file promises about the data: which answers pass, how a failure is told, which keys are repeated."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import pytest

from semantic import Catalog, MetricQuery, QueryError, Result, TimeRange, load_catalog
from semantic.catalog import Check
from semantic.checks import failures, question_of, repeated, unique_columns
from semantic.errors import Mark
from semantic.evidence import Evidence, Value
from semantic.query import Comparison, Op
from semantic.shape import Row

MARK = Mark("metrics.yaml", 9, 3)


def row(value: Value, keys: Mapping[str, Value] | None = None, status: str = "OK") -> Row:
    return Row(keys or {}, {"cost": value}, {"cost": Evidence(status, 1, 0)})


def check(**expected: object) -> Check:
    return Check(("cost",), mark=MARK, **expected)  # type: ignore[arg-type]


def told(given: Check, rows: Sequence[Row], expected: Sequence[Sequence[object]] = ()) -> list[str]:
    mistakes = failures(given, Result(tuple(rows), False), expected)
    assert all(mistake.mark == MARK for mistake in mistakes)
    return [mistake.message for mistake in mistakes]


@pytest.mark.parametrize(
    ("expected", "value"),
    [
        ({"equals": "1.75"}, Decimal("1.75")),
        ({"equals": "1.750"}, Decimal("1.75")),
        ({"equals": "4"}, 4),
        ({"equals": "0.3333333333"}, 0.3333333333000001),
        ({"equals": "2026-03-08"}, date(2026, 3, 8)),
        ({"equals": "big"}, "big"),
        ({"between": ("1", "2")}, Decimal(1)),
        ({"between": ("1", "2")}, 2),
        ({"between": ("0.1", "0.2")}, 0.15),
        ({"between": ("2026-03-01", "2026-03-31")}, date(2026, 3, 31)),
        ({"not_null": True}, 0),
        ({"sums_to": "1.75"}, Decimal("1.75")),
    ],
)
def test_a_value_that_is_as_the_test_says_passes(expected: Mapping[str, object], value: Value) -> None:
    assert told(check(**expected), [row(value)]) == []


@pytest.mark.parametrize(
    ("expected", "value", "message"),
    [
        ({"equals": "1.75"}, Decimal("1.750000000001"), "cost: got 1.750000000001, expected 1.75"),
        ({"equals": "4"}, 5, "cost: got 5, expected 4"),
        ({"equals": "0.3333"}, 0.33330001, "cost: got 0.33330001, expected 0.3333"),
        ({"equals": "many"}, 5, "cost: got 5, expected many"),
        ({"equals": "big"}, "small", "cost: got small, expected big"),
        ({"equals": "0"}, None, "cost: got null (UNPRICED), expected 0"),
        ({"between": ("1", "2")}, Decimal("2.01"), "cost: got 2.01, expected 1 to 2"),
        ({"between": ("1", "2")}, None, "cost: got null (UNPRICED), expected 1 to 2"),
        ({"between": ("a few", "2")}, 1, "cost: got 1, expected a few to 2"),
        ({"between": ("2026-03", "2026-04")}, date(2026, 4, 1), "cost: got 2026-04-01, expected 2026-03 to 2026-04"),
        ({"not_null": True}, None, "cost: got null (UNPRICED), expected a value"),
        ({"sums_to": "2"}, Decimal("1.75"), "cost: the 1 rows sum to 1.75, expected 2"),
        ({"sums_to": "2"}, None, "cost: got null (UNPRICED), so the rows do not sum to 2"),
        ({"sums_to": "2"}, date(2026, 4, 1), "cost: got values that cannot be added, expected a sum of 2"),
    ],
)  # fmt: skip
def test_a_value_that_is_not_is_told_with_what_was_expected(
    expected: Mapping[str, object], value: Value, message: str
) -> None:
    assert told(check(**expected), [row(value, status="UNPRICED" if value is None else "OK")]) == [message]


def test_a_failure_names_the_row() -> None:
    rows = [row(1, {"agent": "main", "time": date(2026, 3, 1)}), row(2, {"agent": None, "time": date(2026, 3, 2)})]
    assert told(check(equals="1"), rows) == ["cost (agent null, time 2026-03-02): got 2, expected 1"]


def test_rows_are_added_exactly() -> None:
    rows = [row(Decimal("0.1"), {"day": n}) for n in range(3)]
    assert told(check(sums_to="0.3"), rows) == []
    assert told(check(sums_to="0.3"), [row(0.1, {"day": n}) for n in range(3)]) == []
    assert told(check(sums_to="0.4"), rows) == ["cost: the 3 rows sum to 0.3, expected 0.4"]


def test_of_many_failures_some_are_told_and_all_are_counted() -> None:
    messages = told(check(equals="0"), [row(n, {"n": n}) for n in range(1, 13)])
    assert len(messages) == 5
    assert messages[-1] == "cost (n 5): got 5, expected 0; and 7 more like it"


@pytest.mark.parametrize("expected", [{"equals": "0"}, {"not_null": True}, {"sums_to": "0"}, {"between": ("0", "1")}])
def test_an_answer_without_rows_passes_no_test(expected: Mapping[str, object]) -> None:
    assert told(check(**expected), []) == ["the answer has no rows, so there is nothing to test"]


BY_AGENT = check(matches_sql="select", by=("agent",))


def test_rows_of_sql_match_in_any_order_and_by_what_they_mean() -> None:
    rows = [row(Decimal("1.5"), {"agent": "a"}), row(None, {"agent": None}), row(0.5, {"agent": "b"})]
    assert told(BY_AGENT, rows, [("b", Decimal("0.5")), (None, None), ("a", Decimal("1.50"))]) == []
    by_day = check(matches_sql="select", grain="day")
    assert told(by_day, [row(3, {"time": date(2026, 3, 1)})], [(datetime(2026, 3, 1), 3)]) == []  # noqa: DTZ001  # as DuckDB gives it
    assert told(check(matches_sql="select"), [row(1 / 3)], [(0.33333333333333,)]) == []
    assert told(BY_AGENT, [], []) == []


def test_what_differs_from_the_sql_is_told_by_its_keys() -> None:
    rows = [row(Decimal("1.5"), {"agent": "a"}), row(2, {"agent": "c"})]
    assert told(BY_AGENT, rows, [("a", Decimal("1.51")), ("b", 4)]) == [
        "cost (agent a): got 1.5, expected 1.51",
        "got a row for agent c, which the SQL does not give",
        "got no row for agent b, which the SQL gives",
    ]
    assert told(BY_AGENT, [row(1, {"agent": "a"})], [("a", 1), ("a", 1)]) == [
        "the SQL gives two rows for agent a, expected one"
    ]
    assert told(BY_AGENT, [row(1, {"agent": "a"})], [(1,)]) == ["the SQL gives 1 columns, expected 2: agent, cost"]
    assert told(check(matches_sql="select"), [row(1)], []) == ["got a row for the whole, which the SQL does not give"]


@pytest.mark.parametrize(
    ("got", "wanted"), [(1, 2), (Decimal("0.1"), Decimal("0.1000000000001")), (1, None), (None, 0)]
)
def test_whole_numbers_and_decimals_match_exactly(got: Value, wanted: object) -> None:
    assert len(told(check(matches_sql="select"), [row(got)], [(wanted,)])) == 1


FILE = """
models:
  calls:
    source: calls
    key: [day, number]
    time: {column: day, grain: day}
    dimensions: {agent: string}
    joins: {by: {to: agents, columns: {agent: name}, kind: one_to_one}}
  agents:
    source: agents
    key: id
    dimensions: {team: string}
metrics:
  calls: {count: calls}
filters:
  idle: {model: calls, where: agent = 'idle'}
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog(FILE)


def test_a_test_is_asked_as_any_other_question(catalog: Catalog) -> None:
    given = Check(("calls",), ("agent",), "day", "agent = 'a'", ("idle",), "last 2 days", equals="1", mark=MARK)
    assert question_of(given, catalog, date(2026, 3, 10)) == MetricQuery(
        metrics=("calls",),
        as_of=date(2026, 3, 10),
        by=("agent",),
        grain="day",
        time=TimeRange(datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 3, 10, tzinfo=UTC)),
        where=Comparison("agent", Op.EQ, ("a",)),
        filters=("idle",),
        evidence=True,
    )


def test_a_test_that_cannot_be_read_is_refused(catalog: Catalog) -> None:
    with pytest.raises(QueryError, match="is not a range of time"):
        question_of(check(equals="1", range="lately"), catalog, date(2026, 3, 10))


def repetitions(catalog: Catalog, calls: str, agents: str) -> list[str]:
    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE calls AS SELECT * FROM (VALUES {calls}) t(day, number, agent)")
        database.execute(f"CREATE TABLE agents AS SELECT * FROM (VALUES {agents}) t(id, name, team)")
        found = [(claims, database.execute(sql).fetchall()) for sql, claims in unique_columns(catalog)]
    return [str(mistake) for claims, rows in found for mistake in repeated(claims, rows)]


def test_keys_that_are_unique_are_not_told(catalog: Catalog) -> None:
    calls = "(DATE '2026-03-01', 1, 'a'), (DATE '2026-03-01', 2, 'a'), (NULL, 1, 'b')"
    assert repetitions(catalog, calls, "(1, 'a', 'x'), (2, NULL, 'x'), (3, NULL, 'y')") == []


def test_a_repeated_key_is_told_at_its_model_with_an_example(catalog: Catalog) -> None:
    calls = "(DATE '2026-03-01', 1, 'a'), (DATE '2026-03-01', 1, 'b'), (NULL, 7, 'a'), (NULL, 7, 'a')"
    assert repetitions(catalog, calls, "(1, 'a', 'x'), (2, 'a', 'x'), (NULL, 'b', 'x'), (NULL, 'c', 'y')") == [
        "metrics.yaml:3:3: the key of 'calls' says that day, number are unique in 'calls'; got 2 repeated, such as 2026-03-01, 1",  # noqa: E501  # one line as it is told
        "metrics.yaml:9:3: the key of 'agents' says that id is unique in 'agents'; got 1 repeated, such as null",
        "metrics.yaml:8:13: the join 'by' of 'calls' says that name is unique in 'agents'; got 1 repeated, such as a",
    ]


def test_there_is_one_statement_for_each_model(catalog: Catalog) -> None:
    assert [[claim.source for claim in claims] for _, claims in unique_columns(catalog)] == [
        ["calls"],
        ["agents", "agents"],
    ]
