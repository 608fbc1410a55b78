"""Role x surface x name: what a role may not see is on no surface, whichever way it is asked for.

Made from the shipped catalog, so a metric that is added is asked for here by itself. `docs/roles.md` is the table.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import chain, islice

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_introspection_query,
)

from semantic import Caller, Catalog, Comparison, MetricQuery, Op, QueryError, load_catalog, visible
from semantic.measure import Measure
from semantic.planner import Planner
from semantic.reads import reads_of
from server.answer import compiled
from server.graphql.engine import Operation, Response
from server.graphql.schema import FIELDS
from server.names import enum_type_name, field_name, value_name
from server.withheld import hidden_names
from store import Store
from tests.server.conftest import NOW, REPOSITORY, Api, Run
from tests.stores import new_store

ROLES = ("finance", "router", "dashboard", "ingest")
CATALOG = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))
HIDDEN = {role: hidden_names(CATALOG, Caller(frozenset({role}))) for role in ROLES}
CASES = [(role, name) for role in ROLES for name in sorted(HIDDEN[role])]


def forms(name: str) -> frozenset[str]:
    """A name as the file, a field, a value of an enum and a type write it."""
    return frozenset({name, field_name(name), value_name(name), enum_type_name(name)})


def told(text: str, role: str, asked: str = "") -> set[str]:
    """The hidden names that a text tells, other than the one that was asked for.

    A name of one word, such as cash, is also a word of prose; where it counts, names are looked at and not text.
    """
    words = set(re.findall(r"\w+", text))
    return {name for name in HIDDEN[role] if "_" in name and name != asked and words & (forms(name) - {asked})}


@pytest.fixture(scope="module")
def apis(store: Store) -> dict[str, Api]:
    return {role: Api(CATALOG, store, caller=Caller(frozenset({role}))) for role in ROLES}


def refused(api: Api, text: str, role: str, asked: str) -> None:
    body = api.ask(text)
    assert body.get("data") is None
    assert {error["extensions"]["code"] for error in body["errors"]} <= {"INVALID_QUERY"}
    for error in body["errors"]:
        assert told(error["message"], role, asked) == set()


def questions(name: str, role: str) -> Iterator[str]:
    field, value = field_name(name), value_name(name)
    yield f"{{ metrics {{ rows {{ {field} }} }} }}"
    if role == "ingest":  # he has no field `metrics`
        return
    yield f"{{ metrics {{ totals {{ {field} }} }} }}"
    yield f"{{ metrics(orderBy: [{{by: {value}}}]) {{ rows {{ sessions }} }} }}"
    yield f"{{ metrics(having: {{{field}: {{gt: 0}}}}) {{ rows {{ sessions }} }} }}"
    yield f"{{ metrics(where: {{{field}: {{isNull: true}}}}) {{ rows {{ sessions }} }} }}"
    yield f"{{ metrics {{ rows {{ sessions evidence(metric: {value}) {{ n }} }} }} }}"


@pytest.mark.parametrize(("role", "name"), CASES)
def test_what_a_role_may_not_see_cannot_be_asked_for(apis: dict[str, Api], role: str, name: str) -> None:
    for question in questions(name, role):
        refused(apis[role], question, role, name)


@pytest.mark.parametrize("role", ROLES)
def test_none_of_it_can_be_subscribed_to(apis: dict[str, Api], role: str) -> None:
    for name in HIDDEN[role]:
        for question in islice(questions(name, role), 0, None, 3):
            refusal = apis[role].engine.pushed(Operation(f"subscription {question}"))
            assert isinstance(refusal, Response), question
            assert {error["extensions"]["code"] for error in refusal.body["errors"]} == {"INVALID_QUERY"}
            assert told(refusal.content.decode(), role, name) == set()


@pytest.mark.parametrize(("role", "name"), CASES)
def test_no_error_suggests_it(apis: dict[str, Api], role: str, name: str) -> None:
    for question in islice(questions(f"{name}x", role), 0, 5, 2):
        for error in apis[role].ask(question)["errors"]:
            assert told(error["message"], role) == set()
            assert not forms(name) & set(re.findall(r"'(\w+)'", error["message"]))


@pytest.mark.parametrize(("role", "name"), CASES)
def test_no_question_of_the_command_line_is_answered_or_told_of_it(role: str, name: str) -> None:
    caller, planner = Caller(frozenset({role})), planner_of()
    day = NOW.date()
    is_null = Comparison(name, Op.IS_NULL, (True,))
    for query in (
        MetricQuery(metrics=(name,), as_of=day),
        MetricQuery(metrics=("sessions",), by=(name,), as_of=day),
        MetricQuery(metrics=("sessions",), where=is_null, as_of=day),
        MetricQuery(metrics=("sessions",), having=is_null, as_of=day),
    ):
        with pytest.raises(QueryError) as caught:
            compiled(planner, query, caller)
        assert told(str(caught.value), role, name) == set()


@cache
def planner_of() -> Planner:
    return Planner(CATALOG)


def names_in_schema(api: Api) -> set[str]:
    found: set[str] = set()
    for name, kind in api.engine._schema.type_map.items():
        if name.startswith("__"):
            continue
        found.add(name)
        match kind:
            case GraphQLEnumType() if name not in OWN_WORDS:
                found |= set(kind.values)
            case GraphQLObjectType() | GraphQLInterfaceType() | GraphQLInputObjectType() if name in OF_CATALOG:
                found |= set(kind.fields)
    return found


OF_CATALOG = {"MetricsRow", "MetricsTotals", "FilterInput", "HavingInput", "Query", "Mutation", "Subscription"}
OWN_WORDS = {"RunwayBasis", "AsKnownCall"}


@pytest.mark.parametrize("role", ROLES)
def test_the_schema_names_nothing_hidden(apis: dict[str, Api], role: str) -> None:
    names = names_in_schema(apis[role])
    of_fields = {field.name for field in FIELDS} | {"runway", "plans", "credits"}
    assert {name for name in HIDDEN[role] if forms(name) & names} - of_fields == set()
    arguments = {"session_id"} if role == "ingest" else set()  # what setScore takes, and shows nothing of
    assert told(apis[role].engine.sdl, role) == arguments
    body = apis[role].ask(get_introspection_query())
    assert told(str(body["data"]), role) == arguments


@pytest.mark.parametrize("role", [role for role in ROLES if role != "ingest"])
def test_the_catalog_and_explanations_name_nothing_hidden(apis: dict[str, Api], role: str) -> None:
    api, seen = apis[role], visible(CATALOG, Caller(frozenset({role})))
    listed = api.data("{ catalog { metrics { name definition } dimensions { name values } } }")["catalog"]
    assert {m["name"] for m in listed["metrics"]} == set(seen.metrics)
    assert {d["name"] for d in listed["dimensions"]} & HIDDEN[role] == set()
    assert told(str(listed), role) == set()
    everything = " ".join(field_name(name) for name in seen.metrics)
    parts = "explain { sql lineage { metric definition inputs reads { column } } facts { model conditions } }"
    answer = api.data(f"{{ metrics {{ totals {{ {everything} }} {parts} }} }}")["metrics"]
    lineage = {entry["metric"] for entry in answer["explain"]["lineage"]}
    assert lineage & HIDDEN[role] == set()
    assert told(str(answer["explain"]), role) == set()
    if role != "finance":  # the balance of the test's store
        assert not re.search(r"(?<![.\d])1000000\b", str(answer["totals"]))


@pytest.mark.parametrize("role", ROLES)
def test_no_metric_that_a_role_sees_rests_on_one_that_it_does_not(role: str) -> None:
    """Else it would tell the hidden one: plan leverage and list price give the fee of a plan."""
    seen = visible(CATALOG, Caller(frozenset({role})))
    for name in seen.metrics:
        waiting = [name]
        while waiting:
            inputs = [i for i in CATALOG.metric(waiting.pop()).inputs if i in CATALOG.metrics]
            assert set(inputs) <= set(seen.metrics), name
            waiting += inputs


def test_a_router_reads_no_table_of_money_that_is_not_calls() -> None:
    seen = visible(CATALOG, Caller(frozenset({"router"})))
    measures: chain[Measure] = chain.from_iterable(CATALOG.measures_of(name).values() for name in seen.metrics)
    assert {read.source for measure in measures for read in reads_of(CATALOG, measure)} == {
        "request_facts",
        "session_facts",
    }


FINANCE_ONLY = {
    "runway",
    "plans",
    "credits",
    "reconciliation",
    "spendAsKnown",
    "restatements",
    "callProvenance",
    "priceBook",
}


def roots(api: Api) -> set[str]:
    schema = api.engine._schema
    kinds = [kind for kind in (schema.query_type, schema.mutation_type) if kind is not None]
    return {name for kind in kinds for name in kind.fields}


def test_fields_are_offered_by_role(apis: dict[str, Api]) -> None:
    by_role = {role: roots(api) for role, api in apis.items()}
    assert by_role["finance"] >= FINANCE_ONLY
    spending = {"mayISpend", "reserve", "settle", "release"}
    for role in ("router", "dashboard"):
        assert by_role[role] & FINANCE_ONLY == set()
        assert by_role[role] >= {"metrics", "catalog", "sources", "roi", "routing", "budgets"}
    assert by_role["router"] >= spending | {"setScore"}
    assert (by_role["finance"] | by_role["dashboard"]) & (spending | {"setScore"}) == set()
    assert by_role["ingest"] == {"sources", "dataVersion", "setScore"}


def test_who_brings_data_can_score_and_is_told_of_no_session() -> None:
    scored = 'mutation { setScore(sessionId: "s1", score: "0.5", scorer: "test") { score isKnownSession } }'
    with new_store() as store:
        api = Api(CATALOG, store, caller=Caller(frozenset({"ingest"})))
        assert api.data(scored) == {"setScore": {"score": "0.5", "isKnownSession": None}}


GUARDED = """
defaults: {access: [team, lead]}
models:
  sessions:
    source: session_facts
    key: session_id
    time: started_at
    dimensions: {agent: string, model: {type: string, access: [lead]}}
metrics:
  sessions: {count: sessions}
  cost: {sum: sessions.known_cost_usd, unit: USD}
filters:
  big: {model: sessions, where: model = 'big'}
  of_main: {model: sessions, where: agent = 'main'}
policies:
  own: {model: sessions, rows: "agent in :caller.agents", unless: [lead]}
"""


@pytest.fixture(scope="module")
def guarded() -> Catalog:
    return load_catalog(GUARDED)


def test_callers_of_one_role_and_other_claims_never_see_each_others_rows(guarded: Catalog, store: Store) -> None:
    """They share an engine, so whatever it keeps must be kept by claims, too."""
    team = frozenset({"team"})
    first = Api(guarded, store, caller=Caller(team, {"agents": ("main",)}))
    engine, question = first.engine, "{ metrics { rows { agent sessions cost } } }"
    expected = {
        ("main",): [{"agent": "main", "sessions": 2, "cost": "1.850000000002"}],
        ("scout",): [{"agent": "scout", "sessions": 1, "cost": "0"}],
        (): [],
    }
    for agents in [*expected, *expected]:
        first.engine = engine.asked_by(Caller(team, {"agents": agents}))
        assert first.data(question)["metrics"]["rows"] == expected[agents]
    first.engine = engine.asked_by(Caller(team, {}))
    assert first.codes(question) == ["NO_CLAIM"]


def test_a_filter_by_what_is_hidden_is_hidden(guarded: Catalog, store: Store) -> None:
    team = Api(guarded, store, caller=Caller(frozenset({"team"}), {"agents": ("main",)}))
    assert team.data("{ catalog { filters { name } } }")["catalog"]["filters"] == [{"name": "of_main"}]
    assert team.data("{ metrics(filters: [OF_MAIN]) { totals { sessions } } }")["metrics"]["totals"] == {"sessions": 2}
    assert team.codes("{ metrics(filters: [BIG]) { totals { sessions } } }") == ["INVALID_QUERY"]
    assert not re.search(r"\bBIG\b", team.engine.sdl)
    lead = Api(guarded, store, caller=Caller(frozenset({"lead"})))
    assert lead.data("{ metrics(filters: [BIG]) { totals { sessions } } }")["metrics"]["totals"] == {"sessions": 2}


def test_routing_is_for_callers_who_see_all_sessions(store: Store) -> None:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    policy = "policies:\n  own: {model: sessions, rows: 'agent = :caller.agent', unless: [router]}\n"
    narrowed = load_catalog(f"{text}\n{policy}")
    asked = "{ routing { status } }"
    some = Api(narrowed, store, caller=Caller(frozenset({"dashboard"}), {"agent": "main"}))
    assert some.codes(asked) == ["FORBIDDEN"]
    assert some.message(asked).endswith("`roi` answers for those")
    everything = Api(narrowed, store, caller=Caller(frozenset({"router"})))
    assert everything.data(asked) == {"routing": {"status": "NOT_COMPUTED"}}


@pytest.fixture
def as_router(loaded: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    token = loaded("token", "create", "router", "--role", "router").out.strip()
    monkeypatch.setenv("CLAWBACK_TOKEN", token)
    return loaded


def test_the_command_line_asks_with_a_token(as_router: Run) -> None:
    assert as_router("query", "sessions", "--format", "csv").out == "sessions,sessions_status\n4,OK\n"
    for command in ("query", "sql", "explain"):
        shown = as_router(command, "cash")
        assert (shown.code, shown.out) == (1, "")
        assert shown.err == "error: there is no metric 'cash'; did you mean 'cash_cost'?\n"
        assert as_router(command, "sessions", "--by", "vendor").code == 1
    for arguments in (("schema",), ("schema", "--format", "markdown")):
        shown = as_router(*arguments)
        assert shown.code == 0
        assert told(shown.out, "router") == set()
    assert as_router("runway").code == 1
    exported = as_router("export", "ossie", "--allow-loss")
    assert (exported.code, exported.out, "it is the operator's" in exported.err) == (1, "", True)
    assert "leave out --role and --claim" in as_router("query", "sessions", "--role", "finance").err


def test_a_token_that_opens_nothing_asks_nothing(as_router: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAWBACK_TOKEN", "clawback_wrong")
    for command in ("query", "sql", "explain"):
        shown = as_router(command, "sessions")
        assert (shown.code, shown.out, "the token is not valid here" in shown.err) == (1, "", True)
        assert "clawback_wrong" not in shown.err
