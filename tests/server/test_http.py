"""GraphQL over HTTP beyond what the audits look at: odd bodies, odd headers, documents by id, and the cost."""

import gzip
import json
import socket
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest

from semantic import Catalog
from server.access.gate import Gate
from server.app import create_app
from server.graphql.persisted import ManifestError
from server.settings import Settings
from store import Store
from tests.server.conftest import NOW, Json
from tests.server.test_app import ANSWER, GRAPHQL_RESPONSE, POST, SESSIONS, Client
from tests.serving import running

TEXT = "query Sessions($n: Int) { metrics(limit: $n) { totals { sessions } } }"
ID = f"sha256:{sha256(TEXT.encode()).hexdigest()}"
MANIFEST = {ID: TEXT, "x-own:scores": 'mutation { setScore(sessionId: "s1", score: 1, scorer: "me") { score } }'}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("documents") / "persisted-documents.json"
    path.write_text(json.dumps(MANIFEST))
    return path


@pytest.fixture(scope="module")
def client(catalog: Catalog, store: Store, manifest: Path) -> Iterator[Client]:
    settings = Settings(documents=manifest, body_timeout_ms=300, max_cost=100_000)
    with running(create_app(store, catalog, settings, lambda: NOW)) as address:
        yield Client(address)


@pytest.fixture(scope="module")
def trusted(catalog: Catalog, store: Store, manifest: Path) -> Iterator[Client]:
    settings = Settings(documents=manifest, documents_only=True)
    with running(create_app(store, catalog, settings, lambda: NOW)) as address:
        yield Client(address)


def raw(client: Client, body: bytes, **headers: str) -> tuple[int, Json]:
    reply = client.send("POST", "/graphql", body, **{"content_type": "application/json", **headers})
    return reply.status, reply.json


BODY = json.dumps(SESSIONS).encode()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xef\xbb\xbf" + BODY, 400),  # JSON begins with no byte order mark
        (BODY + b"x", 400),
        (BODY + b"{}", 400),
        (b"\n" + BODY + b"\n ", 200),
        (b'{"query": "{ nothing }", ' + BODY[1:], 200),  # of two of a name the last one counts, as JSON readers do
        (BODY[:-1] + b', "variables": {"a": 1e400}}', 400),
        (BODY[:-1] + b', "variables": {"a": Infinity}}', 400),
        (BODY[:-1] + b', "variables": {"a": -NaN}}', 400),
        (BODY[:-1] + b', "variables": {"a": "\\ud800"}}', 400),
        (BODY[:-1] + b', "variables": {"a": "\\ud83d\\ude00"}}', 200),
        (BODY[:-1] + b', "variables": {"a": ' + b"9" * 400 + b"}}", 400),
        (BODY[:-1] + b', "unknown": [1, 2]}', 200),
        (BODY[:-1] + b', "operationName": ""}', 200),
        (
            b'{"query": "' + b"\\u0000" + b'{ __typename }"}',
            200,
        ),  # a document that is refused, as one that is not valid
        (b"[" * 20_000, 400),
        (b'{"a":' * 5_000, 400),
    ],
)
def test_bodies_that_are_nearly_json_are_read_strictly(client: Client, body: bytes, status: int) -> None:
    found, answer = raw(client, body)
    assert found == status
    assert "errors" in answer or answer == ANSWER


def test_a_number_of_any_size_is_data_and_not_a_fault(client: Client) -> None:
    text = "query($n: Int) { metrics(limit: $n) { dataVersion } }"
    for number in ("9007199254740993", "2147483648", "-1e308", "18446744073709551615", "true", '"1"', "[1]", "{}"):
        status, answer = raw(
            client, b'{"query": %b, "variables": {"n": %b}}' % (json.dumps(text).encode(), number.encode())
        )
        assert status == 200
        assert answer["errors"][0]["extensions"]["code"] == "INVALID_VARIABLES", number


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_packed_body_is_415_and_told_why(client: Client, encoding: str) -> None:
    status, answer = raw(client, gzip.compress(BODY), content_encoding=encoding)
    assert status == 415
    assert answer["errors"][0]["message"] == f"the body is sent as it is, not packed as '{encoding}'"
    assert raw(client, BODY, content_encoding="identity") == (200, ANSWER)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json; charset=utf-16le",
        "application/json; charset=",
        "application/json, text/plain",
        "application/json/x",
        "application/graphql-response+json",
        "text/json",
    ],
)
def test_a_content_type_that_is_nearly_json_is_415(client: Client, content_type: str) -> None:
    assert raw(client, BODY, content_type=content_type)[0] == 415


@pytest.mark.parametrize(
    "content_type", ["application/json;", "application/json; charset=utf8; x=y", " application/json "]
)
def test_parameters_that_say_nothing_else_are_taken(client: Client, content_type: str) -> None:
    assert raw(client, BODY, content_type=content_type) == (200, ANSWER)


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("application/graphql-response+json;q=0.1, application/json;q=0.2", "application/json"),
        ("application/graphql-response+json;q=0.5, application/json;q=0.5", GRAPHQL_RESPONSE),
        ("application/graphql-response+json;q=2, application/json;q=0.5", GRAPHQL_RESPONSE),
        ("application/graphql-response+json;q=x, */*;q=0.1", GRAPHQL_RESPONSE),
        ("*/*;q=0.1, application/graphql-response+json;q=0", "application/json"),
        (",,application/json,,", "application/json"),
        ("", "application/json"),
    ],
)
def test_weights_decide_between_the_two_media_types(client: Client, accept: str, media_type: str) -> None:
    reply = client.post(SESSIONS, accept=accept)
    assert (reply.status, reply.headers["content-type"]) == (200, f"{media_type}; charset=utf-8")


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_405(client: Client, method: str) -> None:
    reply = client.send(method, "/graphql?query={__typename}")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")


def test_a_get_has_a_query_once_and_no_body(client: Client) -> None:
    for query_string in ("query=", "query=%20", "query={__typename}&query={a:__typename}", "operationName=A"):
        assert client.send("GET", f"/graphql?{query_string}").status in (200, 400)
        assert "errors" in client.send("GET", f"/graphql?{query_string}").json
    reply = client.send("GET", f"/graphql?query={quote(SESSIONS['query'])}", b'{"query": "{ nothing }"}')
    assert reply.json == ANSWER, "the body of a GET says nothing"


def test_which_operation_is_meant_is_never_guessed(client: Client) -> None:
    two = {"query": "query A { __typename } mutation B { __typename }"}
    for name, message in (
        (None, "the document has several operations; name one of them in operationName"),
        ("C", "there is no operation 'C'; name one of them in operationName"),
    ):
        reply = client.post({**two, "operationName": name}, accept=GRAPHQL_RESPONSE)
        assert (reply.status, reply.json["errors"][0]["message"]) == (400, message)
    assert client.get(query=two["query"], operationName="B").status == 405
    assert client.get(query=two["query"], operationName="A").json == {"data": {"__typename": "Query"}}


def test_a_body_that_dribbles_is_408_and_its_connection_ends(client: Client) -> None:
    with socket.create_connection(client.place, timeout=20) as connection:
        connection.sendall(POST + b"Content-Length: 99\r\n\r\n{")
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"the body did not arrive within 0.3 s" in answer


def test_variables_beyond_the_limits_are_413_before_they_are_coerced(client: Client) -> None:
    where: Json = {}
    for _ in range(30):
        where = {"not": where}
    text = "query($where: FilterInput) { metrics(where: $where) { dataVersion } }"
    for variables, message in (
        ({"where": where}, "lists and objects are nested more than 24 times in a value"),
        ({"where": {"agent": {"eq": "x" * 4_001}}}, "a text has at most 4,000 characters, this has 4,001"),
        ({"where": {"agent": {"in": ["x"] * 2_001}}}, "variables hold at most 2,000 values together"),
        ({f"v{i}": 1 for i in range(51)}, "at most 50 variables are sent, these are 51"),
    ):
        reply = client.post({"query": text, "variables": variables})
        assert (reply.status, reply.code, reply.json["errors"][0]["message"]) == (413, "TOO_LARGE", message)


def test_a_document_is_asked_for_by_its_id(client: Client) -> None:
    reply = client.post({"documentId": ID, "variables": {"n": 5}})
    assert (reply.status, reply.json) == (200, ANSWER)
    assert client.get(documentId=ID).json == ANSWER


@pytest.mark.parametrize("document_id", ["sha256:" + "0" * 64, "nothing", "<script>", "x" * 200])
def test_an_unknown_document_is_one_error_and_no_data(client: Client, document_id: str) -> None:
    strict, plain = (
        client.post({"documentId": document_id}, accept=GRAPHQL_RESPONSE),
        client.get(documentId=document_id),
    )
    assert (strict.status, strict.code, len(strict.json["errors"])) == (400, "DOCUMENT_NOT_FOUND", 1)
    assert (plain.status, plain.code) == (200, "DOCUMENT_NOT_FOUND")
    assert "data" not in strict.json
    assert "<" not in strict.json["errors"][0]["message"]


def test_a_document_and_its_id_do_not_go_together(client: Client) -> None:
    for fields in ({"documentId": ID, "query": TEXT}, {"documentId": 1}, {"documentId": ""}, {"documentId": "x" * 201}):
        reply = client.post(fields)
        assert (reply.status, reply.code) == (400, "BAD_REQUEST")


def test_a_mutation_of_the_manifest_is_not_asked_by_get(client: Client, store: Store) -> None:
    before = store.data_version()
    assert client.get(documentId="x-own:scores").status == 405
    assert store.data_version() == before


def test_where_only_known_documents_are_answered_all_else_is_refused(trusted: Client) -> None:
    assert trusted.post({"documentId": ID}).json == ANSWER
    for query in (SESSIONS["query"], TEXT, "{ __schema { queryType { name } } }", "{"):
        reply = trusted.post({"query": query}, accept=GRAPHQL_RESPONSE)
        assert (reply.status, reply.code) == (400, "DOCUMENT_REQUIRED"), query
    assert trusted.get(query=TEXT).code == "DOCUMENT_REQUIRED"


def test_whoever_has_shown_to_be_the_operator_asks_what_he_likes(
    catalog: Catalog, store: Store, manifest: Path
) -> None:
    settings = Settings(documents=manifest, documents_only=True)
    gate = Gate(settings.anybody, "the key")
    with running(create_app(store, catalog, settings, lambda: NOW, gate=gate)) as address:
        asking, query = Client(address), {"query": "{ __typename }"}
        assert asking.post(query, authorization="Bearer the key").json == {"data": {"__typename": "Query"}}
        assert asking.post(query).code == "DOCUMENT_REQUIRED"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is not JSON"),
        ("[]", "is no manifest; that is one JSON object, id -> text of the document"),
        ('{"a": 1}', "is no manifest"),
        ('{"sha256:00": "{ __typename }"}', ": sha256:00: is not the hash of its text, which is sha256:"),
        ('{"md5:00": "{ __typename }"}', ": md5:00: the prefix 'md5:' is not known"),
        ('{"": "{ __typename }"}', "an id has 1 to 200 characters"),
        ('{"ok": "{ __typename }", "bad": "{ nothing }"}', ": bad: Cannot query field 'nothing' on type 'Query'."),
        ('{"deep": "{ a"}', ": deep: Syntax Error: Expected Name, found <EOF>."),
    ],
)
def test_a_manifest_that_cannot_be_served_keeps_the_server_from_starting(
    catalog: Catalog, store: Store, tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ManifestError) as refused:
        create_app(store, catalog, Settings(documents=path), lambda: NOW)
    assert str(refused.value).startswith(str(path))
    assert problem in str(refused.value)


def test_the_cost_is_told_in_a_header(client: Client) -> None:
    # two values a row, and at most 5,000 rows
    reply = client.post({"query": "{ metrics(limit: 5000) { rows { agent sessions } } }"})
    assert reply.headers["clawback-cost"] == "10000"


def test_what_is_too_expensive_is_refused_with_both_numbers(client: Client) -> None:
    query = {"query": "{ metrics(limit: 10000) { rows { " + " ".join(f"a{i}: sessions" for i in range(11)) + " } } }"}
    reply = client.post(query, accept=GRAPHQL_RESPONSE)
    assert (reply.status, reply.code) == (400, "TOO_EXPENSIVE")
    assert reply.json["errors"][0]["message"].startswith(
        "the operation may cost 110,000 values and the limit is 100,000; ask for fewer rows"
    )
    assert "data" not in reply.json
    assert client.post(query).status == 200


def test_a_principal_who_asks_too_fast_is_429_and_told_when(catalog: Catalog, store: Store) -> None:
    settings = Settings(rate_per_s=1, rate_burst=10)
    with running(create_app(store, catalog, settings, lambda: NOW)) as address:
        asking = Client(address)
        query = {"query": "{ metrics(limit: 5) { rows { agent sessions } } }"}
        assert asking.post(query).status == 200
        refused = asking.post(query)
        assert (refused.status, refused.code) == (429, "RATE_LIMITED")
        assert 1 <= int(refused.headers["retry-after"]) <= 10
        assert asking.send("GET", "/health/ready").status == 200
