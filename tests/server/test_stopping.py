"""A real server that is asked to stop: what is stored is stored whole or not at all, and it ends in time with 0."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest

from store import Store

SLOW = "{ metrics { totals { sessions } } }"
PATIENCE_S = 90.0
ROWS = 200_000


class Process:
    """`clawback serve` in a process of its own, over a store in a directory."""

    def __init__(self, directory: Path, prefix: Sequence[str] = (), **more: str) -> None:
        self.directory = directory
        self.log = directory / "log"
        stated = {"CLAWBACK_STORE": str(self.store), "CLAWBACK_PORT": "0", "CLAWBACK_LOG": "json", **more}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [*prefix, sys.executable, "-c", MAIN, "serve"],
                cwd=directory,
                env={**os.environ, **stated},
                stdout=subprocess.PIPE,
                stderr=log,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline().decode()
        if not said.startswith("Clawback serves http://"):
            self.process.wait(PATIENCE_S)
            raise AssertionError(said + self.log.read_text())
        self.url = said.split()[2].rstrip("/")
        notice = self.store.with_name("store.duckdb.server")
        until(lambda: notice.exists() and bool(notice.read_text()), "it says where it listens")
        self.key = json.loads(notice.read_text())["key"]

    @property
    def store(self) -> Path:
        return self.directory / "store.duckdb"

    def ask(self, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = Request(self.url + path, None if body is None else json.dumps(body).encode(), headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE_S) as response:
                return response.status, json.loads(response.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def ends(self) -> int:
        return self.process.wait(PATIENCE_S)


MAIN = "import sys; sys.argv[0] = 'clawback'; from server.cli import main; main()"


@contextmanager
def serving(directory: Path, prefix: Sequence[str] = (), **more: str) -> Iterator[Process]:
    server = Process(directory, prefix, **more)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.process.wait()
        assert server.process.stdout is not None
        server.process.stdout.close()


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


def balances(directory: Path, rows: int = ROWS) -> Path:
    path = directory / "cash.csv"
    lines = (f"a{n},2026-03-01,1\n" for n in range(rows))
    path.write_text("account,as_of_on,balance_usd\n" + "".join(lines))
    return path


def stored(server: Process) -> int:
    """The balances in the store, which opens; the notice that it is served is gone."""
    with Store.open(server.store) as store:
        ((count,),) = store.read("SELECT count(*) FROM cash_balances").rows
    return int(str(count))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_server_ends_with_0_and_leaves_nothing_but_its_store(tmp_path: Path, number: int) -> None:
    with serving(tmp_path) as server:
        assert server.ask("/health/ready")[0] == 200
        server.process.send_signal(number)
        assert server.ends() == 0
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"log", "store.duckdb", "store.duckdb.ledger"}
    assert stored(server) == 0
    levels = {json.loads(line)["level"] for line in server.log.read_text().splitlines()}
    assert levels <= {"info"}


@pytest.mark.parametrize("stage", ["begun", "reading", "read", "stored"])
def test_a_load_in_flight_is_stored_whole_or_not_at_all(tmp_path: Path, stage: str) -> None:
    path = balances(tmp_path)
    with serving(tmp_path) as server:
        wish = {"kind": "cash", "location": str(path)}
        number = server.ask("/loads", wish)[1]["number"]

        def has_come() -> bool:
            job = server.ask(f"/loads/{number}")[1]
            assert job["state"] != "failed", job
            read, total = int(str(job["read_bytes"])), int(str(job["total_bytes"] or 0))
            reached = {"begun": True, "reading": read > 0, "read": 0 < total <= read}
            return reached.get(stage, False) or job["state"] == "stored"

        until(has_come, stage)
        server.process.send_signal(signal.SIGTERM)
        assert server.ends() == 0
    count = stored(server)
    assert count in ({0} if stage == "begun" else {ROWS} if stage == "stored" else {0, ROWS})
    assert not list(tmp_path.glob("*stage*/*"))


def test_while_it_drains_it_answers_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    with serving(tmp_path, CLAWBACK_DRAIN_S="3") as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("/health/ready")[0] == 503, "DRAINING")
        status, said = server.ask("/health/ready")
        assert (status, said["status"], said["reasons"]) == (503, "unavailable", ["DRAINING"])
        assert server.ask("/health/live") == (200, {"status": "live"})
        assert server.ask("/graphql", {"query": SLOW})[1]["data"] == {"metrics": {"totals": {"sessions": 0}}}
        assert server.ask("/loads", {"kind": "cash", "location": "x"})[0] == 409
        assert server.ends() == 0


def test_a_client_that_does_not_go_on_holds_nobody_up(tmp_path: Path) -> None:
    with serving(tmp_path, CLAWBACK_SHUTDOWN_S="1") as server:
        host, port = server.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as slow:
            slow.sendall(b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
            slow.sendall(b"Content-Length: 99\r\n\r\n{")
            server.process.send_signal(signal.SIGTERM)
            assert server.ends() == 0


def test_the_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, CLAWBACK_DRAIN_S="600") as server:
        server.process.send_signal(signal.SIGTERM)
        until(lambda: server.ask("/health/ready")[0] == 503, "DRAINING")
        server.process.send_signal(signal.SIGTERM)
        assert server.ends() == 128 + signal.SIGTERM
    assert stored(server) == 0


def test_systemd_hears_that_it_is_ready_lives_and_stops(tmp_path: Path) -> None:
    heard: list[bytes] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE_S)

        def hear() -> None:
            while not heard or heard[-1] != b"STOPPING=1":
                heard.append(listening.recv(100))

        listener = threading.Thread(target=hear)
        listener.start()
        with serving(tmp_path, NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000") as server:
            until(lambda: heard.count(b"WATCHDOG=1") >= 3, "it lives")
            server.process.send_signal(signal.SIGTERM)
            assert server.ends() == 0
        listener.join(PATIENCE_S)
    assert set(heard) == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}
    assert (heard.count(b"READY=1"), heard[-1]) == (1, b"STOPPING=1")
