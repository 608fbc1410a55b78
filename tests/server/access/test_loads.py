"""Loads that are asked for with a token: of sources that the server's own file names, and nothing else."""

import json
from dataclasses import replace
from pathlib import Path
from socket import create_connection
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from loaders.sources import source_of
from server.access import DeniedError, Principal
from server.jobs import Jobs
from server.loads import load_routes
from store import Store
from tests.server.conftest import NOW
from tests.serving import running

PRINCIPALS = {
    "ingest": Principal("feed#1", frozenset({"ingest"})),
    "router": Principal("router#1", frozenset({"router"})),
    "admin": Principal("ann#1"),
    "anybody": Principal("anybody", is_anybody=True),
}


def identify(connection: HTTPConnection, token: str | None = None) -> Principal:
    shown = connection.headers.get("authorization", "Bearer ").split(" ")[1]
    if shown not in PRINCIPALS:
        raise DeniedError(401, "no")
    return PRINCIPALS[shown]


def asked(url: str, token: str, wish: Any) -> tuple[int, str]:
    request = Request(f"{url}/loads", json.dumps(wish).encode(), {"Authorization": f"Bearer {token}"})
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def url(store: Store, tmp_path_factory: pytest.TempPathFactory) -> Any:
    bank: Path = tmp_path_factory.mktemp("bank") / "cash.csv"
    bank.write_text("account,as_of_on,balance_usd\n")
    jobs = Jobs(store, lambda: NOW, 60, [replace(source_of("cash", str(bank), {}), name="bank")])
    jobs.end()  # what gets as far as a job is refused with 409
    with running(Starlette(routes=load_routes(jobs, "the-key", identify, body_timeout_s=0.3))) as served:
        yield served


@pytest.mark.parametrize(
    ("token", "wish", "status", "message"),
    [
        ("ingest", {"name": "bank"}, 409, "going down"),
        ("admin", {"name": "bank"}, 409, "going down"),
        ("the-key", {"kind": "cash", "location": "/tmp/other.csv"}, 409, "going down"),
        ("ingest", {"name": "other"}, 400, "names no 'other'"),
        ("ingest", {"kind": "cash", "location": "/etc/passwd"}, 400, 'send {\\"name\\"'),
        ("ingest", {"name": "bank", "kind": "cash", "location": "/etc/passwd"}, 400, 'send {\\"name\\"'),
        ("ingest", {"name": "bank", "options": {"mapping": "/etc/passwd"}}, 400, 'send {\\"name\\"'),
        ("router", {"name": "bank"}, 403, "loads need the role `ingest`"),
        ("anybody", {"name": "bank"}, 401, "for a token with `ingest`"),
        ("nobody", {"name": "bank"}, 401, "no"),
    ],
)
def test_a_token_may_ask_for_loads_of_named_sources(url: str, token: str, wish: Any, status: int, message: str) -> None:
    found, body = asked(url, token, wish)
    assert (found, message in body) == (status, True), body


def test_a_body_that_does_not_arrive_ends_the_wait_and_the_connection(url: str) -> None:
    head = b"POST /loads HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ingest\r\nContent-Length: 50\r\n\r\n"
    place = urlsplit(url)
    with create_connection((place.hostname or "", place.port or 0), timeout=20) as connection:
        connection.sendall(head + b'{"name"')
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert answer.endswith(b'{"error":"the body did not arrive within 0.3 s"}')
