"""The web application over a real connection: every address, and GraphQL over HTTP to the letter."""

import json
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest

from semantic import Catalog
from server.app import create_app
from server.settings import Settings
from store import Store
from tests.server.conftest import NOW, Json
from tests.serving import running
from tests.stores import new_store

GRAPHQL_RESPONSE = "application/graphql-response+json"
POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SESSIONS = {"query": "{ metrics { totals { sessions } } }"}
ANSWER = {"data": {"metrics": {"totals": {"sessions": 4}}}}


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        return dict(json.loads(self.body))

    @property
    def code(self) -> str:
        return str(self.json["errors"][0]["extensions"]["code"])


class Client:
    def __init__(self, address: str) -> None:
        url = urlsplit(address)
        self.place = (str(url.hostname), int(url.port or 80))

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Reply:
        connection = HTTPConnection(*self.place, timeout=20)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response: HTTPResponse = connection.getresponse()
            lower = {name.lower(): value for name, value in response.getheaders()}
            return Reply(response.status, lower, response.read())
        finally:
            connection.close()

    def post(self, fields: object, **headers: str) -> Reply:
        return self.send(
            "POST", "/graphql", json.dumps(fields).encode(), **{"content_type": "application/json", **headers}
        )

    def get(self, **fields: str) -> Reply:
        return self.send("GET", f"/graphql?{urlencode(fields)}")


@pytest.fixture(scope="module")
def client(catalog: Catalog, store: Store) -> Iterator[Client]:
    settings = Settings(max_rows=2_000, default_rows=500)
    with running(create_app(store, catalog, settings, lambda: NOW)) as address:
        yield Client(address)


def test_a_question_is_posted_as_json(client: Client) -> None:
    reply = client.post(SESSIONS)
    assert (reply.status, reply.json) == (200, ANSWER)
    assert reply.headers["content-type"] == "application/json; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"


def test_a_question_may_be_in_the_address(client: Client) -> None:
    query = "query A($n: Int) { metrics(limit: $n) { totals { sessions } } } query B { __typename }"
    reply = client.get(query=query, variables='{"n": 5}', operationName="A")
    assert (reply.status, reply.json) == (200, ANSWER)


def test_variables_and_a_name_go_with_the_query(client: Client) -> None:
    query = "query A($a: String) { metrics(where: {agent: {eq: $a}}) { totals { sessions } } } query B { __typename }"
    reply = client.post({"query": query, "variables": {"a": "main"}, "operationName": "A", "extensions": {}})
    assert reply.json == {"data": {"metrics": {"totals": {"sessions": 2}}}}
    assert client.post({"query": query, "variables": None, "operationName": "B"}).json == {
        "data": {"__typename": "Query"}
    }


def test_the_limits_of_the_settings_hold(client: Client) -> None:
    reply = client.post({"query": "{ metrics(limit: 2001) { dataVersion rows { sessions } } }"})
    assert reply.json["errors"][0]["message"] == "a limit is from 1 to 2,000, this is 2,001"


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL_RESPONSE, GRAPHQL_RESPONSE),
        ("application/graphql-response+json; charset=utf-8, application/json; charset=utf-8", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json", GRAPHQL_RESPONSE),
        ("application/json, application/graphql-response+json;q=0.9", "application/json"),
        ("application/json;q=0, */*", GRAPHQL_RESPONSE),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("Application/JSON", "application/json"),
    ],
)
def test_the_client_chooses_the_media_type(client: Client, accept: str, media_type: str) -> None:
    reply = client.post(SESSIONS, accept=accept)
    assert (reply.status, reply.json) == (200, ANSWER)
    assert reply.headers["content-type"] == f"{media_type}; charset=utf-8"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "application/json;q=0", "image/*, text/*"])
def test_a_media_type_that_there_is_not_is_406(client: Client, accept: str) -> None:
    reply = client.post(SESSIONS, accept=accept)
    assert (reply.status, reply.code) == (406, "BAD_REQUEST")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "SYNTAX_ERROR"),
        ("{ nothing }", "INVALID_QUERY"),
        ("query($n: Int!) { metrics(limit: $n) { dataVersion } }", "INVALID_VARIABLES"),
        ("query A { __typename } query B { __typename }", "BAD_REQUEST"),
        ("{ a" * 20 + " }" * 20, "TOO_LARGE"),
        ("mutation { a }", "INVALID_QUERY"),
    ],
)
def test_a_document_that_is_refused_has_no_data_and_is_400_or_200_as_the_media_type_says(
    client: Client, query: str, code: str
) -> None:
    strict, plain = client.post({"query": query}, accept=GRAPHQL_RESPONSE), client.post({"query": query})
    assert (strict.status, strict.code) == (400, code)
    assert (plain.status, plain.code) == (200, code)
    assert "data" not in strict.json


def test_a_refused_question_is_an_answer_with_an_error(client: Client) -> None:
    reply = client.post({"query": "{ metrics(limit: 0) { rows { sessions } } }"}, accept=GRAPHQL_RESPONSE)
    assert (reply.status, reply.code) == (200, "BAD_LIMIT")
    assert reply.json["data"] == {"metrics": None}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{}",
        b'{"query": ""}',
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": {"a": 1}}',
        b'{"query": "{ __typename }", "variables": []}',
        b'{"query": "{ __typename }", "variables": "{}"}',
        b'{"query": "{ __typename }", "variables": {"a": NaN}}',
        b'{"query": "{ __typename }", "operationName": 1}',
        b'{"query": "{ __typename }", "extensions": []}',
        b'{"query": "\xff"}',
        b'{"query": "\\ud800"}',
        b"query={__typename}",
    ],
)
def test_a_malformed_body_is_400_and_json(client: Client, body: bytes) -> None:
    reply = client.send("POST", "/graphql", body, content_type="application/json")
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")
    assert reply.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize(
    "query_string",
    ["", "query=", "query=%FF", "query={__typename}&variables={", "query={__typename}&variables=[]", "a=1&" * 20],
)
def test_a_malformed_address_is_400(client: Client, query_string: str) -> None:
    reply = client.send("GET", f"/graphql?{query_string}")
    assert (reply.status, reply.code) == (400, "BAD_REQUEST")


def test_a_mutation_in_an_address_is_405_and_changes_nothing(client: Client, store: Store) -> None:
    before = store.data_version()
    query = 'mutation { setScore(sessionId: "s1", score: 0.5, scorer: "me") { score } }'
    reply = client.get(query=query)
    assert (reply.status, reply.code, reply.headers["allow"]) == (405, "BAD_REQUEST", "POST")
    assert store.data_version() == before


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_405_and_says_which_are_allowed(client: Client, method: str) -> None:
    reply = client.send(method, "/graphql", b"{}", content_type="application/json")
    assert (reply.status, reply.code) == (405, "BAD_REQUEST")
    assert reply.headers["allow"] == "GET, POST"


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/graphql",
        "application/jsonfoo",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
    ],
)
def test_another_content_type_is_415(client: Client, content_type: str) -> None:
    reply = client.post(SESSIONS, content_type=content_type)
    assert (reply.status, reply.code) == (415, "BAD_REQUEST")


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"']
)
def test_json_in_utf8_is_taken_however_it_is_written(client: Client, content_type: str) -> None:
    assert client.post(SESSIONS, content_type=content_type).json == ANSWER


def test_a_body_of_more_than_64_kib_is_413_whether_or_not_it_says_so(client: Client) -> None:
    large = {"query": "#" + "x" * 65_536 + "\n{ __typename }"}
    assert client.post(large).status == 413
    body = json.dumps(large).encode()
    with socket.create_connection(client.place, timeout=20) as connection:
        connection.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body))
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_client_that_leaves_does_no_harm(client: Client) -> None:
    with socket.create_connection(client.place, timeout=20) as connection:
        connection.sendall(POST + b"Content-Length: 99\r\n\r\n{")
    assert client.post(SESSIONS).json == ANSWER


@pytest.mark.parametrize("host", ["localhost", "localhost:8321", "127.0.0.1", "[::1]:8321", "LOCALHOST"])
def test_it_answers_to_the_names_of_this_machine(client: Client, host: str) -> None:
    assert client.post(SESSIONS, host=host).json == ANSWER


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "10.0.0.1", "a b"]
)
def test_a_page_that_points_its_own_name_here_gets_nothing(client: Client, host: str) -> None:
    for path in ("/graphql?query={__typename}", "/", "/schema.graphql", "/health/live"):
        assert client.send("GET", path, host=host).status == 400


def test_the_first_page_links_to_the_others_and_loads_nothing(client: Client) -> None:
    page = client.send("GET", "/")
    assert page.status == 200
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    for link in (b'href="graphiql"', b'href="schema.graphql"', b'href="health/ready"'):
        assert link in page.body
    assert b"src=" not in page.body


def test_the_schema_can_be_fetched(client: Client) -> None:
    schema = client.send("GET", "/schema.graphql")
    assert schema.headers["content-type"] == "text/plain; charset=utf-8"
    assert b"type Query {" in schema.body
    assert b"costPerSession: Decimal" in schema.body


def test_graphiql_is_there_with_the_examples(client: Client) -> None:
    assert client.send("GET", "/graphiql").status == 200
    assert client.send("GET", "/graphiql/app.js").status == 200
    config = client.send("GET", "/graphiql/config.json").json
    assert config["endpoint"] == "/graphql"
    assert [example["name"] for example in config["examples"]][:2] == ["ROI by model", "Cost per session by agent"]


def test_health_tells_a_living_process_from_one_that_can_answer(catalog: Catalog) -> None:
    with new_store() as store, running(create_app(store, catalog, Settings(), lambda: NOW)) as address:
        client = Client(address)
        assert client.send("GET", "/health/ready").json == {"status": "ready", "dataVersion": 0}
        store.close()
        unready = client.send("GET", "/health/ready")
        assert (unready.status, unready.json) == (503, {"status": "unavailable", "reasons": ["STORE_UNREADABLE"]})
        assert client.send("GET", "/health/live").json == {"status": "live"}


def test_what_is_nowhere_is_404(client: Client) -> None:
    assert client.send("GET", "/nothing").status == 404
