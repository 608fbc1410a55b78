"""The compiled builder: what it writes, when it gives up, and that graphql-core then takes over at the same place."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from graphql import GraphQLSchema, get_introspection_query

from semantic import Catalog
from server.graphql import build_schema
from server.graphql.context import Deadline
from server.graphql.documents import Documents, key_of
from server.graphql.engine import Engine, Operation
from server.graphql.metrics import Answered
from server.graphql.operations import Question, RootCall
from server.graphql.scalars import write_decimal, write_instant
from server.graphql.table import NO_ROWS, Table
from server.graphql.writers import instant, plain
from store import Store
from tests.server.conftest import LIMITS, NOW, Json

HOUR = datetime.fromisoformat("2026-03-01T05:00:00")
"""As the store gives it: UTC, and without a zone."""
ROWS = "{ metrics { rows { %s } } }"


class Resolved:
    """Both paths, with `metrics` resolved to whatever a test says."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        schema = build_schema(catalog)
        self.value: Any = None
        self.calls = 0
        query = schema._schema.query_type
        assert query is not None
        query.fields["metrics"].resolve = self._resolve
        self.schema: GraphQLSchema = schema._schema
        self.documents = Documents(schema)
        self.fast = Engine(schema, catalog, store, lambda: NOW, LIMITS)
        self.plain = Engine(schema, catalog, store, lambda: NOW, LIMITS, is_plain=True)

    def _resolve(self, source: object, info: object, **arguments: object) -> Any:
        self.calls += 1
        if isinstance(self.value, Exception):
            raise self.value
        return self.value

    def by_both(self, text: str) -> Json:
        """The answer; both paths give the same bytes, and resolve once each."""
        self.calls = 0
        self.fast._results.kept = type(self.fast._results.kept)(8, 1_000_000)
        fast, plainly = (e.answer(Operation(text), Deadline.after(10_000)) for e in (self.fast, self.plain))
        assert fast.content == plainly.content
        assert self.calls == 2
        body: Json = orjson.loads(fast.content)
        return body


@pytest.fixture(scope="module")
def resolved(catalog: Catalog, store: Store) -> Resolved:
    return Resolved(catalog, store)


def answered(rows: Any, **fields: Any) -> Answered:
    return Answered(
        **{"rows": rows, "totals": None, "truncated": False, "as_of": NOW, "data_version": 1, "explain": None, **fields}
    )


def table(**columns: list[Any]) -> Table:
    return Table(len(next(iter(columns.values()))), columns, {})


def test_rows_are_written_from_columns(resolved: Resolved) -> None:
    resolved.value = answered(
        table(
            agent=["main", None],
            trigger=["cron", None],
            sessions=[2, 0],
            cost_per_session=[Decimal("1E+1"), None],
            idle_waste_rate=[0.5, None],
            time=[date(2026, 3, 1), HOUR],
        )
    )
    text = ROWS % "agent trigger sessions costPerSession idleWasteRate time(grain: HOUR) __typename"
    assert resolved.by_both(text)["data"]["metrics"]["rows"] == [
        {"agent": "main", "trigger": "CRON", "sessions": 2, "costPerSession": "10", "idleWasteRate": 0.5,
         "time": "2026-03-01", "__typename": "MetricsRow"},
        {"agent": None, "trigger": None, "sessions": 0, "costPerSession": None, "idleWasteRate": None,
         "time": "2026-03-01T05:00:00Z", "__typename": "MetricsRow"},
    ]  # fmt: skip


def test_rows_of_which_nothing_is_asked_are_still_rows(resolved: Resolved) -> None:
    resolved.value = answered(table(agent=["a", "b"]))
    assert resolved.by_both(ROWS % "agent @skip(if: true)")["data"] == {"metrics": {"rows": [{}, {}]}}
    assert resolved.by_both(ROWS % "t: __typename")["data"] == {"metrics": {"rows": [{"t": "MetricsRow"}] * 2}}


@pytest.mark.parametrize(
    ("field", "column", "values"),
    [
        ("trigger", "trigger", ["cron", "no such trigger"]),
        ("idleWasteRate", "idle_waste_rate", [float("nan")]),
        ("idleWasteRate", "idle_waste_rate", [float("inf"), 1]),
        ("sessions", "sessions", [2**63]),
        ("sessions", "sessions", [True]),
        ("sessions", "sessions", ["4"]),
        ("agent", "agent", [b"bytes"]),
        ("agent", "agent", [ValueError("a value that is an error")]),
        ("costPerSession", "cost_per_session", ["no number"]),
    ],
)
def test_what_cannot_be_written_is_told_as_graphql_core_tells_it(
    resolved: Resolved, field: str, column: str, values: list[Any]
) -> None:
    resolved.value = answered(table(**{column: values}))
    body = orjson.loads(resolved.plain.answer(Operation(ROWS % field), Deadline.after(10_000)).content)
    assert body["errors"][0]["path"][:2] == ["metrics", "rows"]
    if body["errors"][0]["extensions"]["code"] != "INTERNAL":  # whose id is another each time
        assert resolved.by_both(ROWS % field) == body


def test_null_where_none_may_be_makes_null_what_may_be(resolved: Resolved) -> None:
    resolved.value = answered(NO_ROWS, as_of=None)
    operation = Operation("{ metrics { truncated asOf } }")
    body = orjson.loads(resolved.fast.answer(operation, Deadline.after(10_000)).content)
    assert body["data"] == {"metrics": None}
    assert body["errors"][0]["path"] == ["metrics", "asOf"]


def test_values_of_other_types_are_coerced_as_ever(resolved: Resolved) -> None:
    resolved.value = answered(table(idle_waste_rate=[1, True, Decimal("0.5")]))
    rows = resolved.by_both(ROWS % "idleWasteRate")["data"]["metrics"]["rows"]
    assert [row["idleWasteRate"] for row in rows] == [1, 1, 0.5]


def test_the_executor_goes_on_where_the_builder_has_stopped(catalog: Catalog, store: Store) -> None:
    """`catalog` is built, `metrics` fails, `routing` follows: each is resolved once."""
    resolved = Resolved(catalog, store)
    resolved.value = answered(NO_ROWS, data_version="no number")
    text = "{ catalog { timeZone } metrics { truncated dataVersion } routing { status } }"
    fast = orjson.loads(resolved.fast.answer(Operation(text), Deadline.after(10_000)).content)
    assert list(fast["data"]) == ["catalog", "metrics", "routing"]
    assert fast["data"]["metrics"] is None
    assert resolved.calls == 1


@pytest.mark.parametrize(
    "value", [Decimal(text) for text in ("1.50", "1E+3", "1E-9", "-0", "NaN", "1E+30", "0E-12", "-0.000001")]
)
def test_a_decimal_is_written_as_the_scalar_writes_it(value: Decimal) -> None:
    assert plain(value) == write_decimal(value)


@pytest.mark.parametrize("value", [HOUR, HOUR.replace(microsecond=8), HOUR.replace(tzinfo=UTC), NOW])
def test_an_instant_is_written_as_the_scalar_writes_it(value: datetime) -> None:
    assert instant(value) == write_instant(value)


def question(resolved: Resolved, text: str, variables: Json | None = None) -> Question:
    found = resolved.documents.question(key_of(text, None, variables), variables)
    assert isinstance(found, Question), found
    return found


def test_the_same_text_and_variables_are_one_question(resolved: Resolved) -> None:
    text = "query Q($a: Boolean!) { metrics { truncated @include(if: $a) asOf } }"
    assert question(resolved, text, {"a": True}) is question(resolved, text, {"a": True})
    assert question(resolved, text, {"a": True}) is not question(resolved, text, {"a": False})


def test_values_that_decide_nothing_share_a_builder(resolved: Resolved) -> None:
    text = "query Q($n: Int, $a: Boolean!) { metrics(limit: $n) { truncated @include(if: $a) asOf } }"
    one, two, other = (
        question(resolved, text, variables) for variables in ({"n": 1, "a": True}, {"n": 2, "a": True}, {"a": False})
    )
    assert one.shape is two.shape
    assert one.shape is not other.shape


def test_a_field_below_that_reads_the_store_is_for_the_plain_path(resolved: Resolved) -> None:
    assert question(resolved, "{ sources { source } }").calls is not None
    assert question(resolved, "{ sources { source rejections { reason } } }").calls is None


def test_response_keys_are_literals_in_the_source_of_a_builder(resolved: Resolved) -> None:
    found = question(resolved, "{ metrics { __import__: truncated eval: asOf } }")
    assert found.calls is not None
    call = found.calls[0]
    assert isinstance(call, RootCall)
    assert "'__import__': " in call.field.builder.source
    assert "import__(" not in call.field.builder.source


def test_the_schema_is_told_from_memory(catalog: Catalog, store: Store) -> None:
    engine = Engine(build_schema(catalog), catalog, store, lambda: NOW, LIMITS)
    first, second = (engine.answer(Operation(get_introspection_query()), Deadline.after(30_000)) for _ in range(2))
    assert first is second
    assert b'"MetricsRow"' in first.content


def test_what_is_wrong_with_a_document_is_kept_too(resolved: Resolved) -> None:
    first, second = (
        resolved.documents.question(key_of("{ metrics { nonsense } }", None, None), None) for _ in range(2)
    )
    assert first is second
    assert not isinstance(first, Question)
