"""OTLP into the store: spans per second, memory over time, and the age of the newest row that can be seen.

A real server in a process of its own; bodies of 200 GenAI spans in protobuf, packed with gzip, over kept connections.
The floor, in the same run, is a route under the same uvicorn that reads the body and writes it to the disk with fsync.
`flood` sends as fast as answers come; `steady` sends at a rate. Meanwhile somebody asks a question again and again:
`ask` is how long he waits. `age` is how long ago the newest body came whose rows can be seen, looked at while bodies
arrive.
The clock is the wall's; other work on the machine is in all of it. Nothing is asserted.

    ingest.py [--spans 60000] [--rate 1000] [--seconds 20] [--stored 0]
"""

import argparse
import gzip
import http.client
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from store import PricedRequest, Request, Stage, Store

REPOSITORY = Path(__file__).parents[1]
PER_BODY = 200
SENDERS = 4
HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
FLOOR = """
import os, sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def take(request):
    body = await request.body()
    file = os.open(f"{sys.argv[1]}/{os.urandom(8).hex()}", os.O_WRONLY | os.O_CREAT)
    os.write(file, body)
    os.fsync(file)
    os.close(file)
    return Response(b"")

app = Starlette(routes=[Route("/v1/traces", take, methods=["POST"])])
config = uvicorn.Config(app, port=0, log_level="info", access_log=False)
uvicorn.Server(config).run()
"""


@dataclass
class Seen:
    """What was looked at while bodies were sent."""

    asks_ms: list[float] = field(default_factory=list)
    ages_s: list[float] = field(default_factory=list)
    rss_mb: list[tuple[float, float]] = field(default_factory=list)
    """Of the server and of its reader, each second or so."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=60_000, help="of the flood")
    parser.add_argument("--rate", type=int, default=1_000, help="spans a second of the steady run")
    parser.add_argument("--seconds", type=int, default=20, help="of the steady run")
    parser.add_argument("--stored", type=int, default=0, help="calls that are in the store before")
    given = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {os.cpu_count()} cores, ", end="")
    print(f"load {os.getloadavg()[0]:.1f} before, {given.stored:,} calls in the store")
    flood = [body_of(number) for number in range(given.spans // PER_BODY)]
    steady = [body_of(10_000_000 + number) for number in range(given.rate * given.seconds // PER_BODY)]
    size = sum(map(len, flood)) / given.spans
    print(f"{PER_BODY} spans a body, {size:.0f} bytes a span packed; {SENDERS} connections\n")
    print(
        f"{'':8} {'acked spans/s':>13} {'stored spans/s':>14} {'ask ms p50':>10} {'p95':>6} {'age s p50':>9} {'p95':>6}"
    )
    with tempfile.TemporaryDirectory(prefix="floor-") as directory, floor(directory) as url:
        print(f"{'floor':8} {given.spans / sent(url, flood):13,.0f}")
    with (
        tempfile.TemporaryDirectory(prefix="ingest-") as directory,
        serving(Path(directory), given.stored) as (url, pid),
    ):
        first = body_of(99_000_000)
        sent(url, [first])
        await_stored(url)
        runs = {"flood": run(url, pid, flood, None), "steady": run(url, pid, steady, PER_BODY / given.rate)}
        for name, (acked_s, stored_s, seen) in runs.items():
            spans = len(flood if name == "flood" else steady) * PER_BODY
            asks, ages = (quantiles(values) for values in (seen.asks_ms, seen.ages_s))
            print(
                f"{name:8} {spans / acked_s:13,.0f} {spans / stored_s:14,.0f} {asks[0]:10.0f} {asks[1]:6.0f} "
                f"{ages[0]:9.2f} {ages[1]:6.2f}"
            )
        for name, (_, _, seen) in runs.items():
            every = max(len(seen.rss_mb) // 8, 1)
            over_time = "  ".join(f"{server:.0f}+{reader:.0f}" for server, reader in seen.rss_mb[::every])
            print(f"\nRSS of server+reader in MB, {name}: {over_time}")
    print(f"\nload {os.getloadavg()[0]:.1f} after")


def body_of(number: int) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    now = time.time_ns()
    for place in range(PER_BODY):
        unique = number * PER_BODY + place
        span = spans.add(
            trace_id=unique.to_bytes(16),
            span_id=(unique + 1).to_bytes(8),
            name="chat claude-haiku-4-5",
            kind=3,
            start_time_unix_nano=now - 2_000_000_000,
            end_time_unix_nano=now - 1_000_000_000,
        )
        texts = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "anthropic",
            "gen_ai.request.model": "claude-haiku-4-5",
            "gen_ai.response.id": f"msg_01Benchmark{unique:012d}",
            "gen_ai.conversation.id": f"session-{unique // 30}",
            "gen_ai.agent.name": f"agent-{unique % 7}",
        }
        for key, text in texts.items():
            span.attributes.add(key=key).value.string_value = text
        new, output = counts(unique)
        numbers = {"input_tokens": 12_000 + new, "cache_read.input_tokens": 12_000, "output_tokens": output}
        for key, count in numbers.items():
            span.attributes.add(key=f"gen_ai.usage.{key}").value.int_value = count
    return gzip.compress(request.SerializeToString(), 1)


def counts(number: int) -> tuple[int, int]:
    """Tokens of a call that were sent anew, and those of its answer: they look alike as seldom as calls do."""
    return 300 + number % 389, 100 + number % 1_999


def run(url: str, pid: int, bodies: Sequence[bytes], every_s: float | None) -> tuple[float, float, Seen]:
    """Seconds until all were acknowledged and until all can be seen, and what was seen meanwhile."""
    seen, ending = Seen(), Event()
    watchers = [Thread(target=ask, args=(url, seen, ending)), Thread(target=look, args=(url, pid, seen, ending))]
    for watcher in watchers:
        watcher.start()
    began = time.monotonic()
    acked_s = sent(url, bodies, every_s)
    ending.set()
    await_stored(url)
    stored_s = time.monotonic() - began
    for watcher in watchers:
        watcher.join()
    return acked_s, stored_s, seen


def sent(url: str, bodies: Sequence[bytes], every_s: float | None = None) -> float:
    """Seconds for all of them. One that is refused with 503 is sent again, as a collector does."""
    began, left = time.monotonic(), iter(enumerate(bodies))

    def send() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
        for place, body in left:
            if every_s is not None:
                time.sleep(max(began + place * every_s - time.monotonic(), 0))
            while post(connection, "/v1/traces", body, HEADERS)[0] == 503:
                time.sleep(1)
        connection.close()

    senders = [Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    return time.monotonic() - began


def ask(url: str, seen: Seen, ending: Event) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    body = json.dumps({"query": "{ metrics { rows { agent requests inferenceCost } } }"}).encode()
    while not ending.wait(0.1):
        began = time.perf_counter()
        post(connection, "/graphql", body, {"Content-Type": "application/json"})
        seen.asks_ms.append((time.perf_counter() - began) * 1000)


def look(url: str, pid: int, seen: Seen, ending: Event) -> None:
    while not ending.wait(0.5):
        if (visible := gauges(url).get("clawback_intake_visible_timestamp_seconds")) is not None:
            seen.ages_s.append(time.time() - visible)
        seen.rss_mb.append((rss_mb(pid), sum(map(rss_mb, children(pid)))))


def await_stored(url: str) -> None:
    while gauges(url)["clawback_intake_spool_bodies"]:
        time.sleep(0.05)


def gauges(url: str) -> dict[str, float]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=120)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    return {name: float(value) for name, value in re.findall(r"^(clawback_intake_\w+) (\S+)$", page, re.MULTILINE)}


def post(connection: http.client.HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    return response.status, response.read()


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    if len(values) < 2:
        return float("nan"), float("nan")
    return statistics.median(values), statistics.quantiles(values, n=20)[-1]


def rss_mb(pid: int) -> float:
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()] or [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def fill(path: Path, calls: int) -> None:
    now = datetime.now(UTC)
    with Store.open(path) as store, Stage(source="old", location="old", directory=store.stage_directory) as stage:
        for number in range(calls):
            at = now - timedelta(seconds=number % (60 * 86_400))
            new, output = counts(number)
            request = Request(
                request_key=f"old:{number}",
                source="old",
                session_id=f"old-{number // 30}",
                agent=f"agent-{number % 7}",
                provider="anthropic",
                model="claude-haiku-4-5",
                started_at=at,
                ended_at=at,
                uncached_input_tokens=new,
                cache_read_tokens=12_000,
                cache_write_5m_tokens=0,
                cache_write_1h_tokens=0,
                output_tokens=output,
            )
            stage.add(number, PricedRequest(request, Decimal("0.0042"), "PRICED"))
        store.apply(stage, now=now)


@contextmanager
def floor(directory: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, "-c", FLOOR, directory], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        yield next(found[0] for line in process.stderr if (found := re.findall(r"http://[\d.]+:\d+", line)))
        process.terminate()


@contextmanager
def serving(directory: Path, stored: int) -> Iterator[tuple[str, int]]:
    """A server over a store that has so many calls."""
    if stored:
        fill(directory / "store.duckdb", stored)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("CLAWBACK_")},
        "CLAWBACK_STORE": str(directory / "store.duckdb"),
        "CLAWBACK_METRICS": str(REPOSITORY / "metrics.yaml"),
        "CLAWBACK_OTLP_PORT": "0",
        "CLAWBACK_LOG_LEVEL": "error",
        "PYTHONPATH": str(REPOSITORY),
    }
    command = [sys.executable, "-c", "from server.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=directory, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield re.findall(r"http://[\d.]+:\d+", process.stdout.readline())[0], process.pid
        process.terminate()


if __name__ == "__main__":
    main()
