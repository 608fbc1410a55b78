"""A real server that is killed: what it acknowledged is stored by the next one, once; and the second port."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import orjson
import pytest

from store import Store
from tests.server.intake.sending import as_protobuf, call_line, sent, span, traces, until
from tests.server.processes import Forking, Served, forking

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def servers() -> Iterator[Forking]:
    with forking() as process:
        yield process


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def waits(server: Served) -> int:
    ready = server.ask("/health/ready")[1]["spool"]
    assert isinstance(ready, dict)
    return int(ready["bodies"])


def test_nothing_that_a_killed_server_acknowledged_is_lost_or_stored_twice(servers: Forking, tmp_path: Path) -> None:
    first = as_protobuf(traces([span(n) for n in range(20)]))
    with servers.serving(tmp_path) as server:
        assert sent(f"{server.url}/v1/traces", first, PROTOBUF).status == 200
        until(lambda: waits(server) == 0, "what came first is stored")
        for number in range(20, 25):
            body = as_protobuf(traces([span(number)]))
            assert sent(f"{server.url}/v1/traces", body, PROTOBUF).status == 200
        server.signal(signal.SIGKILL)
        server.await_end()
    for said in ("out", "store.duckdb.server"):  # where the one that was killed served
        (tmp_path / said).unlink()
    with servers.serving(tmp_path) as server:
        # One of which the answer was lost comes again.
        assert sent(f"{server.url}/v1/traces", first, PROTOBUF).status == 200
        assert sent(f"{server.url}/v1/calls", call_line(0), {"Content-Type": "application/x-ndjson"}).status == 200
        until(lambda: waits(server) == 0, "all of it is stored")
        server.signal(signal.SIGTERM)
        assert server.await_end() == 0
    assert not (tmp_path / "store.duckdb.spool").exists()
    with Store.open(server.store) as store:
        assert store.read("SELECT count(*), count(DISTINCT request_key) FROM requests").rows == [(25, 25)]


def test_collectors_find_the_second_port_and_nothing_else_there(servers: Forking, tmp_path: Path) -> None:
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    with servers.serving(tmp_path, CLAWBACK_OTLP_PORT=str(port)) as server:
        assert sent(f"{here}/v1/traces", traces([span(1)]), JSON).status == 200
        with urlopen(f"{here}/health/live") as live:
            assert live.status == 200
        asked = sent(f"{here}/graphql", orjson.dumps({"query": "{ __typename }"}), JSON)
        assert asked.status == 404
        assert b"/v1/traces" in asked.body
        assert f"It takes OTLP on {here}/, too." in (tmp_path / "out").read_text()
        until(lambda: waits(server) == 0, "it is stored")


def test_a_second_port_that_another_program_has_is_told_loudly(servers: Forking, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with servers.serving(tmp_path, CLAWBACK_OTLP_PORT=str(port)) as server:
            assert server.ask("/health/ready")[0] == 200
            assert f"OTLP is NOT taken on port {port}: Address already in use" in server.log
            assert '"level":"error"' in server.log
