"""The schema that a catalog gives: names, types, descriptions, and what happens when metrics.yaml changes."""

import pytest
from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema
from graphql import build_schema as parsed

from semantic import Catalog, CatalogError, load_catalog
from server.graphql import build_schema
from server.keys import keys_of
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
        ("time", "PeriodStart"),
        ("timeWeekday", "BigInt"),
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
    dimensions = {field_name(name) for name in keys_of(catalog)}
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
    assert list(arguments) == ["time", "where", "having", "orderBy", "limit", "zone", "asOf"]
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
    types = parsed(sdl(SMALL + "filters: {all: {model: runs, where: agent is not null}}\n")).type_map
    assert {t.removesuffix("Filter") for t in types if not t.startswith("__")} <= FIXED_TYPES


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        (
            "{p_50: string, p50: string}",
            "metrics.yaml:7:32: the dimension 'p50' has the same name in GraphQL as 'p_50' at metrics.yaml:7:18",
        ),
        ("{not: string}", "metrics.yaml:7:18: 'not' joins conditions in a filter and cannot name a dimension"),
        (
            "{time_weekday: string}",
            "metrics.yaml:7:18: 'time.weekday' and 'time_weekday' are both timeWeekday in GraphQL",
        ),
    ],
)
def test_names_that_graphql_cannot_tell_apart_are_refused_with_their_place(dimensions: str, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        sdl(SMALL.replace("{agent: string}", dimensions))
    assert str(caught.value) == message


def test_a_metric_cannot_be_called_like_what_joins_conditions() -> None:
    with pytest.raises(CatalogError, match="'or' joins conditions in a filter and cannot name a metric"):
        sdl(SMALL + "  or: {count: runs}\n")


def test_a_model_without_a_time_gives_no_parts_of_it() -> None:
    assert "timeWeekday: BigInt" in sdl(SMALL)
    assert "timeWeekday: BigInt" not in sdl(SMALL.replace("    time: started_at\n", ""))


def test_metrics_are_compared_by_the_type_of_their_values() -> None:
    text = sdl(
        SMALL
        + "  cost: {sum: runs.cost_usd, unit: USD}\n"
        + "  rate: {expr: cost / runs}\n"
        + "  day: {max: runs.day, unit: date}\n"
        + "  name: {last: runs.agent, unit: text}\n"
    )
    fields = ("runs: IntegerFilter", "cost: DecimalFilter", "rate: FloatFilter", "day: DateFilter", "name: TextFilter")
    assert [field for field in fields if f"  {field}\n" not in text] == []
    assert "  name: String\n" in text
    assert "input FloatFilter" in text


def test_filters_are_an_argument_where_the_file_names_some() -> None:
    assert "NamedFilter" not in sdl(SMALL)
    named = "filters: {mine: {model: runs, where: agent = 'me', description: Of mine}}\n"
    assert 'enum NamedFilter {\n  """Of mine"""\n  MINE\n}' in sdl(SMALL + named)
    assert "filters: [NamedFilter!]" in sdl(SMALL + named)


def test_a_deprecated_metric_says_what_to_ask_for_instead() -> None:
    text = sdl(SMALL + "  executions: {count: runs, deprecated: ask for runs}\n")
    assert 'executions: BigInt @deprecated(reason: "ask for runs")' in text
    assert 'EXECUTIONS @deprecated(reason: "ask for runs")' in text


def test_an_estimate_says_so() -> None:
    text = sdl(SMALL + "  agents: {count_distinct: runs.agent, approximate: true, description: Agents}\n")
    assert '"""Agents. An estimate."""\n  agents: BigInt' in text


def test_names_in_graphql() -> None:
    assert [field_name(n) for n in ("roi", "cost_per_session", "p95_session_cost", "a__b_")] == [
        "roi",
        "costPerSession",
        "p95SessionCost",
        "aB",
    ]
    assert (field_name("time.day_of_year"), value_name("time.day_of_year")) == ("timeDayOfYear", "TIME_DAY_OF_YEAR")
    assert [enum_type_name(n) for n in ("task_result", "grain")] == ["TaskResult", "GrainDimension"]
    assert [value_name(v) for v in ("human", "NO_SESSION_ID", "pr-merged", "5m", "")] == [
        "HUMAN",
        "NO_SESSION_ID",
        "PR_MERGED",
        "_5M",
        "_",
    ]
