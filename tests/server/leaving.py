"""A client leaves during a query without end: how long the database goes on working for nobody.

    python -m tests.server.leaving [--times 5]

The server is a process of its own, so that its processor time is what is looked at. It fails where more than a
twentieth of a second of that is spent in the second that begins 200 ms after the client has left.
"""

import argparse
import json
import multiprocessing
import socket
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from semantic import load_catalog
from server.app import create_app
from server.settings import Settings
from tests.server.conftest import NOW
from tests.server.test_app import POST, Client
from tests.server.test_attacks import ENDLESS, VIEW
from tests.serving import running
from tests.stores import new_store

GRACE_S, WATCHED_S, MOST_CPU_S = 0.2, 1.0, 0.05
BUSY_S = 0.5
"""Processor time that the query has taken before its client leaves."""
QUERY = json.dumps({"query": "{ metrics { rows { kind words } } }"}).encode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5)
    times = parser.parse_args().times
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    assert process.pid is not None
    client = Client(ours.recv())
    spent = [left(client, process.pid) for _ in range(times)]
    ours.send("done")
    process.join()
    for ms in spent:
        sys.stdout.write(f"{ms:6.1f} ms of processor time from 0.2 to 1.2 s after the client left\n")
    if max(spent) > MOST_CPU_S * 1000:
        raise SystemExit("the database went on working for a client that had left")


def left(client: Client, pid: int) -> float:
    """Milliseconds of processor time that were spent for nobody."""
    with socket.create_connection(client.place, timeout=20) as leaving:
        begun = cpu_s(pid)
        leaving.sendall(POST + b"Content-Length: %d\r\n\r\n%b" % (len(QUERY), QUERY))
        while cpu_s(pid) - begun < BUSY_S:
            time.sleep(0.01)
    time.sleep(GRACE_S)
    before = cpu_s(pid)
    time.sleep(WATCHED_S)
    return (cpu_s(pid) - before) * 1000


def cpu_s(pid: int) -> float:
    """Of all threads that there are."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def serve(pipe: Connection) -> None:
    with new_store() as store:
        store._connection.execute(VIEW)
        app = create_app(store, load_catalog(ENDLESS), Settings(query_timeout_ms=600_000), lambda: NOW)
        with running(app) as address:
            pipe.send(address)
            pipe.recv()


if __name__ == "__main__":
    main()
