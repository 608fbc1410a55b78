"""What a stranger may try: each is answered with a clear error, for little of the server's CPU.

The server runs in a process of its own, so that its CPU is its own. A time is the least of three, each with a text that
the server has not seen.
"""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from semantic import load_catalog
from server.app import create_app
from server.settings import Settings
from tests.server.conftest import NOW, Json
from tests.server.process import Server, serving
from tests.server.test_app import GRAPHQL_RESPONSE, POST, SESSIONS, Client
from tests.serving import running
from tests.stores import new_store

MOST_CPU_S = 0.1
MOST_CONNECTIONS = 100
TYPENAME = "{ __typename }"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    settings = {"header_timeout_ms": "400", "body_timeout_ms": "400", "max_connections": str(MOST_CONNECTIONS)}
    with serving(**settings) as served:
        Client(served.url).post(SESSIONS)
        yield served


@pytest.fixture(scope="module")
def client(server: Server) -> Client:
    return Client(server.url)


def cheapest(server: Server, attack: Callable[[int], None]) -> float:
    """CPU seconds of the server, all of its threads."""
    spent = []
    for trial in range(3):
        before = server.cpu_s()
        attack(trial)
        spent.append(server.cpu_s() - before)
    return min(spent)


def bomb(levels: int) -> str:
    spread = [f"fragment f{n} on Query {{ ...f{n + 1} ...f{n + 1} }}" for n in range(levels)]
    return " ".join(["{ ...f0 }", *spread, f"fragment f{levels} on Query {{ __typename }}"])


def circular(levels: int) -> str:
    return "{ __schema { types " + "{ fields { type " * levels + "{ name }" + " } }" * levels + " } }"


def aliased(field: str, times: int) -> str:
    return "{ catalog {" + " ".join(f"a{n}: {field}" for n in range(times)) + "} }"


RING = "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }"
DOCUMENTS = [
    ("a fragment bomb", bomb(30), "TOO_LARGE", "an operation has at most 1,000 fields, this has 1,073,741,824"),
    ("a ring of fragments", RING, "INVALID_QUERY", "Cannot spread fragment"),
    ("many aliases", aliased("timeZone", 101), "TOO_LARGE", "100 aliases"),
    ("aliases at the top", "{" + "__typename " * 300 + "}", "TOO_LARGE", "5 fields at the top"),
    ("a field again and again", "{ catalog {" + "timeZone " * 980 + "} }", "TOO_LARGE", "980 times"),
    (
        "fields again below fields again",
        "{ metrics {" + ("rows {" + "agent " * 7 + "}") * 60 + "} }",
        "TOO_LARGE",
        "a field is asked for at most 20 times at one place, at or below 'metrics' it is 420 times",
    ),
    (
        "wrong names beside a large type",
        "{ metrics { rows { " + "costPerSesion{n} ".replace("{n}", "s") * 19 + "costsPerSession " * 19 + "} } }",
        "INVALID_QUERY",
        "Did you mean",
    ),
    ("directives on directives", "{ a " + "@include(if: true) " * 10 + "}", "TOO_LARGE", "at most 4"),
    ("unknown directives", "{ __typename " + "@aa" * 300 + "}", "TOO_LARGE", "at most 4 directives"),
    ("deep fields", "{ a" * 180 + " }" * 180, "TOO_LARGE", "more than 100 times"),
    ("deep lists", "{ a(b: " + "[" * 400 + "]" * 400 + ") }", "SYNTAX_ERROR", "nested too deeply"),
    (
        "a deep filter",
        "{ metrics(where: " + "{not: " * 60 + "{}" + "}" * 60 + ") { dataVersion } }",
        "TOO_LARGE",
        "lists and objects are nested more than 24 times",
    ),
    ("a long number", "{ metrics(limit: " + "9" * 60_000 + ") { dataVersion } }", "TOO_LARGE", "100 digits"),
    ("a long text", '{ metrics(zone: "' + "z" * 60_000 + '") { dataVersion } }', "TOO_LARGE", "4,000 characters"),
    ("circular introspection", circular(20), "INVALID_QUERY", "Maximum introspection depth exceeded"),
    ("many variables", "query(" + "$a%d: Int " * 60 % tuple(range(60)) + ") " + TYPENAME, "TOO_LARGE", "50 variables"),
    ("comments", "#\n" * 1_000 + TYPENAME, "SYNTAX_ERROR", "200 comments"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "code", "message"), [d[1:] for d in DOCUMENTS], ids=[d[0] for d in DOCUMENTS])
def test_a_hostile_document_is_refused_for_little_cpu(
    client: Client, server: Server, text: str, code: str, message: str
) -> None:
    def attack(trial: int) -> None:
        reply = client.post({"query": text + " " * (trial + 1)}, accept=GRAPHQL_RESPONSE)
        assert (reply.status, reply.code) == (400, code)
        assert message in reply.json["errors"][0]["message"]

    assert cheapest(server, attack) < MOST_CPU_S


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"query": "{" + " ".join(f"a{n}: __typename" for n in range(10_000)) + "}"}).encode(),
        json.dumps({"query": "#" + "x" * 5_000_000 + "\n" + TYPENAME}).encode(),
        b"[" * 5_000_000,
    ],
    ids=["10,000 aliases", "a comment of 5 MB", "5 MB of brackets"],
)
def test_a_body_that_is_too_large_is_not_read_to_its_end(client: Client, server: Server, body: bytes) -> None:
    def attack(trial: int) -> None:
        with socket.create_connection(client.place, timeout=20) as connection:
            with suppress(ConnectionError):
                connection.sendall(POST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
            answer = b""
            with suppress(ConnectionError):
                answer = connection.recv(4096)
        assert answer[:12] in (b"HTTP/1.1 413", b""), "reset before it was read, where more was on its way"

    assert cheapest(server, attack) < MOST_CPU_S


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([SESSIONS] * 500).encode(),
        json.dumps({"query": TYPENAME, "variables": {"a": [[[1]] * 3_000]}}).encode(),
        b'{"query": "{ __typename }", "variables": ' + b'{"a":' * 900 + b"1" + b"}" * 901,
        b'{"query": "{ __typename }", "variables": {' + b",".join(b'"v%d": 1' % n for n in range(5_000)) + b"}}",
    ],
    ids=["a batch", "many values", "deep variables", "many variables"],
)
def test_a_hostile_body_is_refused_for_little_cpu(client: Client, server: Server, body: bytes) -> None:
    def attack(trial: int) -> None:
        reply = client.send("POST", "/graphql", body, content_type="application/json")
        assert (reply.status, reply.code) in ((400, "BAD_REQUEST"), (413, "TOO_LARGE"))

    assert cheapest(server, attack) < MOST_CPU_S


def exchanged(client: Client, sent: bytes) -> bytes:
    """What comes back until the server ends the connection."""
    with socket.create_connection(client.place, timeout=20) as connection:
        with suppress(ConnectionError):
            connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65_536), b""))


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % n for n in range(100_000)), b"431", b"TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nHost: " + b"a" * 100_000, b"431", b"TOO_LARGE"),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n", b"431", b"TOO_LARGE"),
        (b"GET / HTTP/1.1\r\nHost: ", b"408", b"TIMEOUT"),
        (b"", b"408", b"TIMEOUT"),
        (POST + b"Content-Length: 50\r\n\r\n{", b"408", b"TIMEOUT"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"400", b"BAD_REQUEST"),
    ],
    ids=["many headers", "a long header", "a long address", "half a header", "silence", "half a body", "no HTTP"],
)
def test_a_flood_or_a_trickle_ends_its_own_connection(
    client: Client, server: Server, sent: bytes, status: bytes, code: bytes
) -> None:
    def attack(trial: int) -> None:
        with suppress(ConnectionResetError):  # the rest of a flood was still on its way
            answer = exchanged(client, sent)
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert b'"code":"' + code in answer

    assert cheapest(server, attack) < MOST_CPU_S


def test_a_thousand_idle_connections_shut_nobody_out_for_long(client: Client, server: Server) -> None:
    with ExitStack() as idle:
        before = server.cpu_s()
        for _ in range(1_000):
            with suppress(OSError):
                idle.enter_context(socket.create_connection(client.place, timeout=20))
        until = time.monotonic() + 20
        while True:
            with suppress(OSError, ValueError):
                if client.post(SESSIONS).status == 200:
                    break
            assert time.monotonic() < until, "the idle connections kept everybody out"
        assert server.cpu_s() - before < 20 * MOST_CPU_S


ENDLESS = """
models:
  endless: {source: endless, key: id, dimensions: {kind: string}}
metrics:
  words: {count_distinct: endless.word}
"""
VIEW = """
CREATE VIEW endless AS
SELECT a.range AS id, 'k' || (a.range % 7) AS kind, md5((a.range + b.range)::VARCHAR) AS word
FROM range(1000000000) a, range(1000) b
"""


def test_a_query_that_scans_everything_ends_at_its_deadline_and_memory_is_answered_meanwhile() -> None:
    with new_store() as store:
        store._connection.execute(VIEW)
        app = create_app(store, load_catalog(ENDLESS), Settings(query_timeout_ms=1_000, threads=1), lambda: NOW)
        with running(app) as address, socket.create_connection(Client(address).place, timeout=60) as scanning:
            body = json.dumps({"query": "{ metrics { rows { kind words } } }"}).encode()
            scanning.sendall(POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                reply: Json = Client(address).post({"query": "{ catalog { timeZone } }"}).json
                assert reply == {"data": {"catalog": {"timeZone": "UTC"}}}
            answer = scanning.recv(65_536)
            assert b"HTTP/1.1 200" in answer
            assert b'"code":"TIMEOUT"' in answer


def test_clients_that_leave_free_their_threads_and_their_queries() -> None:
    with new_store() as store:
        store._connection.execute(VIEW)
        app = create_app(store, load_catalog(ENDLESS), Settings(query_timeout_ms=600_000, threads=1), lambda: NOW)
        with running(app) as address:
            client = Client(address)
            body = json.dumps({"query": "{ metrics { rows { kind words } } }"}).encode()
            for _ in range(3):
                with socket.create_connection(client.place, timeout=20) as leaving:
                    leaving.sendall(POST + b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
            # The only thread is free again, although each of the three would have kept it for ten minutes.
            assert client.post({"query": "{ sources { source } }"}).json == {"data": {"sources": []}}
