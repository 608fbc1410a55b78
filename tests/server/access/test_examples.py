"""Examples name what there is to ask, so each role is offered those alone that it may ask."""

import re
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route
from starlette.testclient import TestClient

from semantic import Caller, load_catalog
from server.access import OPERATOR, DeniedError, Principal
from server.assets import graphiql_config, load_examples
from server.examples import ExamplesFor
from server.graphql.context import AnswerLimits
from server.graphql.engine import Engine
from server.graphql.engines import Engines
from server.graphql.schema import build_schema
from server.names import field_name
from server.withheld import hidden_names
from store import Store
from tests.server.conftest import NOW, REPOSITORY

CATALOG = load_catalog((REPOSITORY / "metrics.yaml").read_text(encoding="utf-8"))
EXAMPLES = [
    example for part in ("queries", "subscriptions") for example in load_examples(REPOSITORY / "examples" / part)
]
ROLES = ("finance", "router", "dashboard", "ingest")
PRINCIPALS = {role: Principal(role, frozenset({role})) for role in ROLES} | {"operator": OPERATOR}


def identify(connection: HTTPConnection, token: str | None = None) -> Principal:
    shown = connection.headers.get("authorization", "").removeprefix("Bearer ")
    if shown == "nothing":
        return Principal("nobody's", frozenset())
    if shown not in PRINCIPALS:
        raise DeniedError(401, "send a token")
    return PRINCIPALS[shown]


@pytest.fixture(scope="module")
def engines(store: Store) -> Engines:
    def make(caller: Caller | None) -> Engine:
        return Engine(build_schema(CATALOG, caller), CATALOG, store, lambda: NOW, AnswerLimits(10, 100), caller)

    return Engines(make)


@pytest.fixture(scope="module")
def client(engines: Engines) -> Iterator[TestClient]:
    route = Route("/config.json", graphiql_config(ExamplesFor(EXAMPLES, engines, identify), "/graphql"))
    with TestClient(Starlette(routes=[route])) as client:
        yield client


def offered(client: TestClient, token: str) -> list[str]:
    answer = client.get("/config.json", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return [example["name"] for example in answer.json()["examples"]]


@pytest.mark.parametrize("role", ROLES)
def test_no_example_that_a_role_is_offered_names_what_it_may_not_see(client: TestClient, role: str) -> None:
    hidden = {field_name(name) for name in hidden_names(CATALOG, Caller(frozenset({role}))) if "_" in name}
    shown = set(offered(client, role))
    for example in EXAMPLES:
        asked = set(re.findall(r"\w+", re.sub("#.*", "", example.query)))
        assert example.name not in shown or not asked & hidden, example.name


def test_a_router_is_told_of_no_cash_and_the_operator_of_everything(client: TestClient) -> None:
    assert offered(client, "operator") == [example.name for example in EXAMPLES]
    hidden = set(offered(client, "finance")) - set(offered(client, "router"))
    assert {"Burn and runway", "Runway and scenarios", "Does it match the invoice"} <= hidden
    assert offered(client, "ingest") == ["Sources", "Loads, live"]


@pytest.mark.parametrize("token", ["nobody-knows-this", "nothing"])
def test_whoever_is_not_known_or_may_see_nothing_is_offered_nothing_and_has_the_page(
    client: TestClient, token: str
) -> None:
    assert offered(client, token) == []
    assert client.get("/config.json").json() == {"endpoint": "/graphql", "examples": []}
