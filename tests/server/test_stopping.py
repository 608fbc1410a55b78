"""A real server that is asked to stop: what is stored is stored whole or not at all, and it ends in time with 0."""

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import QueryTimeout
from tests.server.processes import PATIENCE_S, Forking, forking, until, write_balances
from tests.stores import new_store

SESSIONS = "{ metrics { totals { sessions } } }"
ROWS = 5_000


@pytest.fixture(scope="module")
def servers() -> Iterator[Forking]:
    with forking() as process:
        yield process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_with_0_and_leaves_nothing_but_its_store(
    servers: Forking, tmp_path: Path, number: int
) -> None:
    with servers.serving(tmp_path) as server:
        assert server.ask("/health/ready")[0] == 200
        server.signal(number)
        assert server.await_end() == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {
        "log",
        "out",
        "store.duckdb",
        *(f"store.duckdb.{name}" for name in ("ledger", "tokens", "audit.jsonl")),
    }
    assert server.balances() == 0
    lines = [json.loads(line) for line in server.log.splitlines()]
    (warned,) = [line["message"] for line in lines if line["level"] != "info"]
    assert warned.startswith("This server is OPEN")


@pytest.mark.parametrize("stage", ["begun", "reading", "read", "stored"])
def test_a_load_in_flight_is_stored_whole_or_not_at_all(servers: Forking, tmp_path: Path, stage: str) -> None:
    path = write_balances(tmp_path, ROWS)
    with servers.serving(tmp_path) as server:
        wish = {"kind": "cash", "location": str(path)}
        number = server.ask("/loads", wish)[1]["number"]

        def has_come() -> bool:
            job = server.ask(f"/loads/{number}")[1]
            assert job["state"] != "failed", job
            read, total = int(str(job["read_bytes"])), int(str(job["total_bytes"] or 0))
            reached = {"begun": True, "reading": read > 0, "read": 0 < total <= read}
            return reached.get(stage, False) or job["state"] == "stored"

        until(has_come, stage)
        server.signal(signal.SIGTERM)
        assert server.await_end() == 0
    count = server.balances()
    assert count in ({0} if stage == "begun" else {ROWS} if stage == "stored" else {0, ROWS})
    assert not list(tmp_path.glob("*stage*/*"))


def test_while_it_drains_it_answers_and_says_that_it_is_not_ready(servers: Forking, tmp_path: Path) -> None:
    with servers.serving(tmp_path, CLAWBACK_DRAIN_S="3") as server:
        server.signal(signal.SIGTERM)
        until(lambda: server.ask("/health/ready")[0] == 503, "DRAINING")
        status, said = server.ask("/health/ready")
        assert (status, said["status"], said["reasons"]) == (503, "unavailable", ["DRAINING"])
        assert server.ask("/health/live") == (200, {"status": "live"})
        assert server.ask("/graphql", {"query": SESSIONS})[1]["data"] == {"metrics": {"totals": {"sessions": 0}}}
        assert server.ask("/loads", {"kind": "cash", "location": "x"})[0] == 409
        assert server.await_end() == 0


def test_a_client_that_does_not_go_on_holds_nobody_up(servers: Forking, tmp_path: Path) -> None:
    with servers.serving(tmp_path, CLAWBACK_SHUTDOWN_S="1") as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as slow:
            slow.sendall(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
            slow.sendall(b"Content-Length: 99\r\n\r\n{")
            server.signal(signal.SIGTERM)
            assert server.await_end() == 0


def test_the_second_signal_ends_it_at_once(servers: Forking, tmp_path: Path) -> None:
    with servers.serving(tmp_path, CLAWBACK_DRAIN_S="600") as server:
        server.signal(signal.SIGTERM)
        until(lambda: server.ask("/health/ready")[0] == 503, "DRAINING")
        server.signal(signal.SIGTERM)
        assert server.await_end() == 128 + signal.SIGTERM
    assert server.balances() == 0


def test_systemd_hears_that_it_is_ready_lives_and_stops(servers: Forking, tmp_path: Path) -> None:
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)

        def hear() -> None:
            while not heard or heard[-1] != b"STOPPING=1":
                heard.append(listening.recv(100))

        listener = threading.Thread(target=hear)
        listener.start()
        with servers.serving(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000") as server:
            until(lambda: heard.count(b"WATCHDOG=1") >= 3, "it lives")
            server.signal(signal.SIGTERM)
            assert server.await_end() == 0
        listener.join(PATIENCE_S)
    assert set(heard) == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}
    assert (heard.count(b"READY=1"), heard[-1]) == (1, b"STOPPING=1")


HUNG = """
import os, signal, time
from server import stopping
from server.lifecycle import Lifecycle
from server.systemd import Notifier
stopping.GRACE_S = 0.4
interrupted = []
def interrupt():
    interrupted.append(1)
    print(len(interrupted), flush=True)
stop = stopping.Stopper(Lifecycle(), Notifier(), 0, 0, lambda: None, interrupt)
with stop.at_work():
    os.kill(os.getpid(), signal.SIGTERM)
    while True:
        time.sleep(0.05)
"""


def test_a_server_that_hangs_is_interrupted_and_then_ended() -> None:
    ran = subprocess.run([sys.executable, "-c", HUNG], capture_output=True, timeout=PATIENCE_S)
    assert (ran.returncode, ran.stdout.split()) == (70, [b"1", b"2"])


def test_questions_of_snapshots_are_interrupted_and_later_ones_are_not() -> None:
    ended: list[str] = []
    with new_store() as store:

        def ask() -> None:
            with store.snapshot() as reader:
                began.set()
                try:
                    reader.read("SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range + b.range = 7")
                except QueryTimeout as error:
                    ended.append(str(error))

        began = threading.Event()
        asking = threading.Thread(target=ask)
        asking.start()
        began.wait(PATIENCE_S)
        while asking.is_alive():
            store.interrupt_readers()
            asking.join(0.05)
        assert ended == ["the query was interrupted: its time was over, or nobody waits for it"]
        with store.snapshot() as reader:
            assert reader.read("SELECT 1").rows == [(1,)]
