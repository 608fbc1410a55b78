"""The whole service over HTTP, in one run: beside a static route of the same bytes, and beside routes that hold the SQL
by hand. Latency of one client, processor time of the server for each request, and answers a second for many clients.

A server over a million requests in DuckDB runs in a process of its own. `kept` is the service as it is; `computed` is
the same with a memory for answers that holds none. Clients speak HTTP over plain sockets, because a library would take
longer than the server. Nothing is asserted.

    cd benchmarks && PYTHONPATH=.. python service.py [--requests 300] [--seconds 4]
"""

import argparse
import asyncio
import multiprocessing
import os
import platform
import socket
import statistics
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from importlib.metadata import version
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
from endpoint import LIMITS, NOW, QUESTIONS, SMALL, VARIABLES, Question, by_hand, store_of_a_million
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import server.app
from semantic import load_catalog
from server.graphql.results import Results
from server.settings import Settings
from store import Store
from tests.serving import running

ROOT = Path(__file__).parents[1]
BY_MODEL, SERIES = "cost per session by model", "1,440 hours of cost"
CLIENTS = (16, 64)
TICKS_S = os.sysconf("SC_CLK_TCK")
Asked = dict[str, bytes]
"""Each way to ask -> the bytes of its request."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=4.0)
    given = parser.parse_args()
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,))
    process.start()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, duckdb {version('duckdb')}", end=", ")
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {LIMITS.most_rows:,} rows at most")
    ports: dict[str, int] = ours.recv()
    groups = asked(ports)
    assert process.pid is not None
    for title, ways in groups.items():
        latencies(title, ways, ports, process.pid, given.requests)
    throughput(groups["8 rows of 4 fields"] | {"computed by model": groups[BY_MODEL]["computed"]}, ports, given.seconds)
    ours.send("done")
    process.join()


def asked(ports: dict[str, int]) -> dict[str, Asked]:
    small = orjson.dumps({"query": SMALL, "variables": VARIABLES})
    groups = {"8 rows of 4 fields": {"static": _post("/small", b"{}"), "kept": _post("/graphql", small)}}
    for name in (BY_MODEL, SERIES):
        question = QUESTIONS[name]
        body = orjson.dumps({"query": question.text, "variables": dict(question.variables)})
        path = f"/{list(QUESTIONS).index(name)}"
        groups[name] = {
            "by hand": _post(path, b"{}"),
            "computed": _post("/graphql", body),
            "kept": _post("/graphql", body),
        }
    return groups


def port_of(way: str, ports: dict[str, int]) -> int:
    return ports[way.split()[0]]


def _post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def latencies(title: str, ways: Asked, ports: dict[str, int], pid: int, count: int) -> None:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    cpu = dict.fromkeys(ways, 0.0)
    with ExitStack() as open_:
        sockets = {
            way: open_.enter_context(socket.create_connection(("127.0.0.1", port_of(way, ports)))) for way in ways
        }
        for _ in range(10):
            for way, request in ways.items():
                exchange(sockets[way], request)
        rounds = 10
        for _ in range(rounds):
            for way, request in ways.items():
                spent = cpu_s(pid)
                for _ in range(max(count // rounds, 1)):
                    began = time.perf_counter()
                    exchange(sockets[way], request)
                    taken[way].append((time.perf_counter() - began) * 1000)
                cpu[way] += cpu_s(pid) - spent
    print(f"\n{title:28} {'median ms':>10} {'p99 ms':>9} {'CPU ms':>8} {'x median':>9} {'x CPU':>7}")
    first = next(iter(ways))
    for way, times in taken.items():
        median, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
        each = cpu[way] / len(times) * 1000
        beside = statistics.median(taken[first]), max(cpu[first] / len(taken[first]) * 1000, 1e-9)
        print(f"  {way:26} {median:10.3f} {p99:9.2f} {each:8.3f} {median / beside[0]:9.2f} {each / beside[1]:7.2f}")


def exchange(connection: socket.socket, request: bytes) -> bytes:
    connection.sendall(request)
    found = b""
    while b"\r\n\r\n" not in found:
        found += received(connection)
    head, _, body = found.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head + body[:500]
    while len(body) < length_of(head):
        body += received(connection)
    return body


def received(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 20)
    assert piece, "the server closed the connection, as it does with one that is idle for long: use fewer --requests"
    return piece


def length_of(head: bytes) -> int:
    return int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])


def cpu_s(pid: int) -> float:
    """Of all threads of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def throughput(ways: Asked, ports: dict[str, int], seconds: float) -> None:
    print(f"\n{'answers a second':28}" + "".join(f" {clients:>7} clients" for clients in CLIENTS))
    for way, request in ways.items():
        found = [asyncio.run(rate(port_of(way, ports), request, clients, seconds)) for clients in CLIENTS]
        print(f"  {way:26}" + "".join(f" {each:15,.0f}" for each in found))


async def rate(port: int, request: bytes, clients: int, seconds: float) -> float:
    ends = time.perf_counter() + seconds
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one_client(port, request, ends)) for _ in range(clients)]
    return sum(task.result() for task in tasks) / seconds


async def one_client(port: int, request: bytes, ends: float) -> int:
    answered = 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.perf_counter() < ends:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        await reader.readexactly(length_of(head))
        answered += 1
    writer.close()
    return answered


def serve(pipe: Connection) -> None:
    catalog = load_catalog((ROOT / "metrics.yaml").read_text(encoding="utf-8"))
    settings = Settings(rate_per_s=0, max_waiting=256)
    with store_of_a_million() as store, ExitStack() as open_:
        kept = server.app.create_app(store, catalog, settings, lambda: NOW)
        server.app.Results = lambda: Results(0, 0)  # type: ignore[assignment,misc]  # the same app, without a memory
        computed = server.app.create_app(store, catalog, settings, lambda: NOW)
        urls = {name: open_.enter_context(running(app)) for name, app in (("kept", kept), ("computed", computed))}
        with socket.create_connection(("127.0.0.1", port_in(urls["kept"]))) as connection:
            small = exchange(connection, _post("/graphql", orjson.dumps({"query": SMALL, "variables": VARIABLES})))
        by_hand_url = open_.enter_context(running(hand_written(store, small)))
        ports = {name: port_in(url) for name, url in urls.items()}
        pipe.send(ports | {"static": port_in(by_hand_url), "by": port_in(by_hand_url)})
        pipe.recv()


def port_in(url: str) -> int:
    return int(url.rpartition(":")[2])


def hand_written(store: Store, small: bytes) -> Starlette:
    """What one would write for these questions alone: static bytes, and routes with their SQL."""

    async def static(request: Request) -> Response:
        await request.body()
        return Response(small, media_type="application/json")

    def route(question: Question) -> Any:
        ask = by_hand(store, question)

        async def answer(request: Request) -> Response:
            await request.body()
            return Response(await run_in_threadpool(ask), media_type="application/json")

        return answer

    questions = [Route(f"/{n}", route(q), methods=["POST"]) for n, q in enumerate(QUESTIONS.values())]
    return Starlette(routes=[Route("/small", static, methods=["POST"]), *questions])


if __name__ == "__main__":
    main()
