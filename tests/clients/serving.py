"""`clawback` as a process of its own: a server that can be asked, and ended by its number."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLAWBACK = (sys.executable, "-c", "from server.cli import main; main()")
LAST_DAY = "2026-03-31"
PATIENCE_S = 90.0


@dataclass(frozen=True)
class Served:
    url: str
    """Such as http://127.0.0.1:49152"""
    process: subprocess.Popen[str]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def pause(self) -> None:
        """It listens, and answers nobody."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


def environment(store: Path) -> dict[str, str]:
    return {**os.environ, "CLAWBACK_STORE": str(store), "PYTHONPATH": str(ROOT)}


def write_demo(home: Path) -> Path:
    """The demo's company, loaded; gives the store."""
    subprocess.run(
        [*CLAWBACK, "demo", "--once", "--home", str(home), "--last-day", LAST_DAY],
        cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return home / "clawback.duckdb"


def run_query(store: Path, *arguments: str) -> str:
    """What `clawback query` prints as JSON."""
    command = [*CLAWBACK, "query", *arguments, "--format", "json"]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, env=environment(store)).stdout


@contextmanager
def served(store: Path, port: int = 0, **settings: str) -> Iterator[Served]:
    """`clawback serve` until the block ends, unless it was ended before."""
    process = subprocess.Popen(
        [*CLAWBACK, "serve", "--port", str(port)],
        cwd=ROOT, env={**environment(store), **settings}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    silent = threading.Timer(PATIENCE_S, process.kill)
    silent.start()
    try:
        assert process.stdout is not None
        found = re.search(r"serves (http://\S+?)/ ", process.stdout.readline())
        assert found, "the server said nothing of where it listens"
        silent.cancel()
        yield Served(found[1], process)
    finally:
        silent.cancel()
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()


def eventually(holds: object, within_s: float = 20.0) -> None:
    """Waits until a condition holds."""
    assert callable(holds)
    ends_at = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < ends_at, f"it did not come to that within {within_s} s"
        time.sleep(0.005)
