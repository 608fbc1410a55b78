"""`clawback serve` in a process of its own, for tests that end it.

Starting Python with all that a server imports takes seconds, so each server is forked from one process that has done
that and has no store open.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from store import Store

PATIENCE_S = 90.0
FORKING = """
import json, os, sys
import server.cli.serve
from server.cli import main
for line in sys.stdin:
    asked = json.loads(line)
    pid = os.fork()
    if pid == 0:
        os.chdir(asked["directory"])
        os.environ.update(asked["environment"])
        for number, name in ((0, os.devnull), (1, "out"), (2, "log")):
            file = os.open(name, os.O_RDWR | os.O_CREAT, 0o600)
            os.dup2(file, number)
            os.close(file)
        sys.argv = ["clawback", "serve"]
        main()
        sys.exit(0)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@dataclass
class Served:
    """A server that runs; `key` is that of its notice."""

    directory: Path
    pid: int
    await_end: Callable[[], int]
    url: str = ""
    key: str = ""

    @property
    def store(self) -> Path:
        return self.directory / "store.duckdb"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def await_start(self) -> None:
        out, notice = self.directory / "out", self.directory / "store.duckdb.server"
        until(lambda: out.exists() and "\n" in out.read_text(), "it says where it serves")
        until(lambda: notice.exists() and bool(notice.read_text()), "it says so beside the store")
        self.url = out.read_text().split()[2].rstrip("/")
        self.key = json.loads(notice.read_text())["key"]

    def ask(self, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        request = Request(self.url + path, None if body is None else json.dumps(body).encode(), headers)
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=PATIENCE_S) as response:
                return response.status, json.loads(response.read())
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def balances(self) -> int:
        """Those in the store, once the server has ended."""
        with Store.open(self.store) as store:
            ((count,),) = store.read("SELECT count(*) FROM cash_balances").rows
        return int(str(count))


class Forking:
    """The process that servers are forked from, one after another."""

    def __init__(self, prefix: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-c", FORKING], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    @contextmanager
    def serving(self, directory: Path, **environment: str) -> Iterator[Served]:
        stated = {"CLAWBACK_STORE": str(directory / "store.duckdb"), "CLAWBACK_PORT": "0", "CLAWBACK_LOG": "json"}
        asked = {"directory": str(directory), "environment": {**stated, **environment}}
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        ended: list[int] = []

        def await_end() -> int:
            if not ended:
                ended.append(self._number())
            return ended[0]

        server = Served(directory, self._number(), await_end)
        try:
            server.await_start()
            yield server
        finally:
            if not ended:
                server.signal(9)
                await_end()

    def _number(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        with self._process as process:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE_S)


@contextmanager
def forking(prefix: Sequence[str] = ()) -> Iterator[Forking]:
    process = Forking(prefix)
    try:
        yield process
    finally:
        process.close()


def write_balances(directory: Path, rows: int) -> Path:
    """A file for the loader `cash`."""
    path = directory / "cash.csv"
    path.write_text("account,as_of_on,balance_usd\n" + "".join(f"a{n},2026-03-01,1\n" for n in range(rows)))
    return path
