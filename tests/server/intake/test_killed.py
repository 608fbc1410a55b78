"""A real server that is killed: what it acknowledged is stored by the next one, once."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import Store
from tests.server.intake.sending import as_protobuf, call_line, sent, span, traces, until
from tests.server.processes import Forking, Served, forking

pytestmark = pytest.mark.whole
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@pytest.fixture(scope="module")
def servers() -> Iterator[Forking]:
    with forking() as process:
        yield process


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
