"""The schema that a catalog gives: names, types, descriptions, and what happens when metrics.yaml changes."""

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema
from graphql import build_schema as parsed

from semantic import Catalog, CatalogError, load_catalog
from server.graphql import build_schema
from server.names import FIXED_TYPES, enum_type_name, field_name, value_name
from tests.server.conftest import REPOSITORY

SMALL = """
models:
  runs:
    source: sessions
    key: session_id
    time: started_at
    dimensions: {agent: string}
metrics:
  runs: {count: runs}
"""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """As a client gets it: read back from its text."""
    catalog = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))
    return parsed(build_schema(catalog).as_str())


def sdl(text: str) -> str:
    return build_schema(load_catalog(text)).as_str()


def field_type(schema: GraphQLSchema, type_name: str, field: str) -> str:
    found = schema.type_map[type_name]
    assert isinstance(found, GraphQLObjectType)
    return str(found.fields[field].type)


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        ("agent", "String"),
        ("trigger", "Trigger"),
        ("taskResult", "TaskResult"),
        ("isRoot", "Boolean"),
        ("time", "Date"),
        ("costPerSession", "Decimal"),
        ("burnRate", "Decimal"),
        ("sessions", "BigInt"),
        ("inputTokens", "BigInt"),
        ("roi", "Float"),
        ("depletionDate", "Date"),
        ("evidence", "Evidence!"),
    ],
)
def test_a_field_has_the_type_of_its_unit(schema: GraphQLSchema, field: str, kind: str) -> None:
    assert field_type(schema, "MetricsRow", field) == kind


def test_every_metric_and_dimension_is_a_field_and_totals_have_no_dimensions(
    schema: GraphQLSchema, catalog: Catalog
) -> None:
    row, totals = schema.type_map["MetricsRow"], schema.type_map["MetricsTotals"]
    assert isinstance(row, GraphQLObjectType)
    assert isinstance(totals, GraphQLObjectType)
    metrics = {field_name(name) for name in catalog.metrics}
    dimensions = {field_name(name) for name in catalog.dimensions()}
    assert set(row.fields) == metrics | dimensions | {"time", "evidence"}
    assert set(totals.fields) == metrics | {"evidence"}


def test_a_field_tells_its_definition_and_unit(schema: GraphQLSchema) -> None:
    row = schema.type_map["MetricsRow"]
    assert isinstance(row, GraphQLObjectType)
    assert row.fields["idleWasteRate"].description == "Idle / finished sessions. Unit: ratio."
    assert row.fields["trigger"].description == "What started the session"


def test_a_closed_set_of_values_is_an_enum(schema: GraphQLSchema) -> None:
    trigger = schema.type_map["Trigger"]
    assert isinstance(trigger, GraphQLEnumType)
    assert list(trigger.values) == ["HUMAN", "CRON", "SUBAGENT", "HEARTBEAT", "WEBHOOK", "API", "UNKNOWN"]


def test_no_argument_has_null_as_its_default(schema: GraphQLSchema) -> None:
    assert schema.query_type is not None
    arguments = schema.query_type.fields["metrics"].args
    assert list(arguments) == ["time", "where", "orderBy", "limit", "zone", "asOf"]
    assert "= null" not in build_schema(load_catalog(SMALL)).as_str()


def test_a_metric_that_is_added_to_the_file_appears_without_code() -> None:
    before = sdl(SMALL)
    after = sdl(SMALL + "  agents_seen: {count_distinct: runs.agent, description: Agents that ran}\n")
    assert "agentsSeen" not in before
    assert '"""Agents that ran."""\n  agentsSeen: BigInt' in after
    assert "AGENTS_SEEN" in after


def test_a_dimension_may_have_a_name_that_python_or_the_schema_keeps_for_itself() -> None:
    text = sdl(
        SMALL.replace(
            "{agent: string}",
            "{class: string, self: string, in: string, source: {type: enum, values: [a, 5m, pr-merged]}}",
        )
    )
    for field in ("class: String", "self: String", "in: String", "source: SourceDimension"):
        assert f"  {field}\n" in text
    assert "enum SourceDimension {\n  A\n  _5M\n  PR_MERGED\n}" in text


def test_the_schemas_own_types_are_all_kept_from_dimensions() -> None:
    types = parsed(sdl(SMALL)).type_map
    assert {t.removesuffix("Filter") for t in types if not t.startswith("__")} <= FIXED_TYPES


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ("{p_50: string, p50: string}", "metrics.yaml:7:18: 'p_50' and 'p50' are both p50 in GraphQL"),
        ("{not: string}", "metrics.yaml:7:18: 'not' joins conditions in a filter and cannot name a dimension"),
    ],
)
def test_names_that_graphql_cannot_tell_apart_are_refused_with_their_place(dimensions: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        sdl(SMALL.replace("{agent: string}", dimensions))
    assert str(caught.value) == message


def test_names_in_graphql() -> None:
    assert [field_name(n) for n in ("roi", "cost_per_session", "p95_session_cost", "a__b_")] == [
        "roi",
        "costPerSession",
        "p95SessionCost",
        "aB",
    ]
    assert [enum_type_name(n) for n in ("task_result", "grain")] == ["TaskResult", "GrainDimension"]
    assert [value_name(v) for v in ("human", "NO_SESSION_ID", "pr-merged", "5m", "")] == [
        "HUMAN",
        "NO_SESSION_ID",
        "PR_MERGED",
        "_5M",
        "_",
    ]
