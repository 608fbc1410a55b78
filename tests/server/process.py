"""`clawback serve` in a process of its own over a small store, for tests that look at the whole server from outside."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from store import Store
from tests.server.conftest import RECORDS, REPOSITORY, load_into


@dataclass(frozen=True)
class Server:
    url: str
    pid: int

    def cpu_s(self) -> float:
        """Of all threads that there are, in nanoseconds as Linux counts them."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


@contextmanager
def serving(**settings: str) -> Iterator[Server]:
    """Settings by their names, such as `max_cost="5"`. The server is ended with the block."""
    with TemporaryDirectory(prefix="served-") as directory:
        path = Path(directory) / "store.duckdb"
        with Store.open(path) as store:
            load_into(store, RECORDS)
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("CLAWBACK_")},
            "CLAWBACK_STORE": str(path),
            "CLAWBACK_METRICS": str(REPOSITORY / "metrics.yaml"),
            "CLAWBACK_OTLP_PORT": "0",
            **{f"CLAWBACK_{name.upper()}": value for name, value in settings.items()},
        }
        process = subprocess.Popen(
            [sys.executable, "-c", "from server.cli import main; main()", "serve", "--port", "0"],
            cwd=directory,
            env={**environment, "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            url, *_ = re.findall(r"http://[\d.]+:\d+", process.stdout.readline())
            yield Server(url, process.pid)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            if process.stdout is not None:
                process.stdout.close()
