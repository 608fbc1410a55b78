"""A thousand calls of the real clients through the proxy, while the server is killed and comes back.

    python -m tests.proxied [--calls 1000] [--pairs 200]

The clients of `openai` and `anthropic` ask a provider that is a stub, 16 at a time, half of them as streams, through
`clawback proxy` in a process of its own. `clawback serve` is killed with signal 9 in the middle and started again. At
the end every call is in GraphQL, once, with its session, its agent, its tokens and its cost to the last digit. Then the
same calls, direct and through the proxy in turn, say what the proxy adds to them; and the proxy is killed, too.
"""

import argparse
import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2

from loaders import calls
from loaders.item import Parsed
from tests.server.proxy.numbered import Clients, Expected, provider
from tests.server.proxy.stub import Stub

ROOT = Path(__file__).parents[1]
AT_ONCE = 16
KILLED_AFTER = 40
PATIENCE_S = 120.0
_QUERY = """query ($limit: Int!) { metrics(limit: $limit) { truncated rows {
  requestKey sessionId agent model requests inputTokens cacheReadTokens cacheWriteTokens outputTokens inferenceCost
} } }"""


@dataclass
class Processes:
    """The server and the proxy, which are told the same ports each time."""

    folder: Path
    provider_url: str
    server_port: int
    proxy_port: int

    @property
    def server_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self.proxy_port}"

    def begin(self, *command: str) -> "subprocess.Popen[bytes]":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CLAWBACK_")}
        environment |= {
            "PYTHONPATH": str(ROOT),
            "CLAWBACK_STORE": str(self.folder / "store.duckdb"),
            "CLAWBACK_METRICS": str(ROOT / "metrics.yaml"),
            "CLAWBACK_OTLP_PORT": "0",
            "CLAWBACK_LOG_LEVEL": "error",
            "CLAWBACK_PROXY_LOG_LEVEL": "error",
            "CLAWBACK_PROXY_SERVER": self.server_url,
            "CLAWBACK_PROXY_SPOOL": str(self.folder / "spool"),
            "CLAWBACK_PROXY_UPSTREAMS": json.dumps(dict.fromkeys(("openai", "anthropic"), self.provider_url)),
        }
        call = [sys.executable, "-c", "from server.cli import main; main()", *command]
        return subprocess.Popen(call, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL)

    def serve(self) -> "subprocess.Popen[bytes]":
        return self.begin("serve", "--port", str(self.server_port))

    def proxy(self) -> "subprocess.Popen[bytes]":
        return self.begin("proxy", "--port", str(self.proxy_port))


async def all_calls(
    clients: Clients, processes: Processes, server: "subprocess.Popen[bytes]", count: int
) -> "subprocess.Popen[bytes]":
    """Every call once; the server is killed when 4 of 10 are made, and is there again when 7 are. Gives the server."""
    waiting, done, running = iter(range(count)), 0, [server]

    async def work() -> None:
        nonlocal done
        for number in waiting:
            await clients.ask(Expected(number))
            done += 1
            if done == count * 4 // 10:
                running[0].send_signal(signal.SIGKILL)
                running[0].wait()
            elif done == count * 7 // 10:
                running[0] = processes.serve()

    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return running[0]


async def rows(url: str, count: int) -> dict[int, tuple[object, ...]]:
    """What the server says of every call, once it has as many as were made, by its uncached tokens: all differ."""
    deadline = time.monotonic() + PATIENCE_S
    found: list[dict[str, object]] = []
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found):,} of {count:,} calls came to the server"
            await asyncio.sleep(0.2)
            asked = {"query": _QUERY, "variables": {"limit": min(count + 100, 10_000)}}
            said = (await client.post(f"{url}/graphql", json=asked)).json()
            assert "errors" not in said, said
            found = said["data"]["metrics"]["rows"]
    assert len(found) == count
    assert len({row.pop("requestKey") for row in found}) == count
    typed = [_typed(row) for row in found]
    return {int(str(row[4])): row for row in typed}


def _typed(row: dict[str, object]) -> tuple[object, ...]:
    *counts, cost = list(row.values())[3:]
    return (row["sessionId"], row["agent"], row["model"], *(int(float(str(n))) for n in counts), Decimal(str(cost)))


async def reached(url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    async with httpx2.AsyncClient(trust_env=False) as client:
        while True:
            try:
                await client.get(f"{url}/health")
                return
            except httpx2.TransportError:
                assert time.monotonic() < deadline, f"{url} did not come up"
                await asyncio.sleep(0.05)


async def latencies(direct: Clients, through: Clients, pairs: int, at_once: int) -> list[tuple[float, float]]:
    """Milliseconds of the same call, direct and through the proxy, one after the other, in turns."""
    waiting, found = iter(range(pairs)), []

    async def work() -> None:
        for number in waiting:
            expected = Expected(1_000_000 + number)
            first, second = (direct, through) if number % 8 < 4 else (through, direct)
            taken = {id(each): await _timed(each.ask(expected)) for each in (first, second)}
            found.append((taken[id(direct)], taken[id(through)]))

    await asyncio.gather(*(work() for _ in range(at_once)))
    return found


async def _timed(call: Awaitable[None]) -> float:
    began = time.perf_counter()
    await call
    return (time.perf_counter() - began) * 1_000


def table(title: str, found: Sequence[tuple[float, float]]) -> str:
    """Medians and 99th percentiles, and what the second way adds."""

    def line(name: str, pick: Callable[[list[float]], float]) -> str:
        direct, through = (pick([pair[way] for pair in found]) for way in (0, 1))
        return f"{title:<16}{name:<8}{direct:>10.2f}{through:>10.2f}{through - direct:>10.2f}"

    return "\n".join((line("median", statistics.median), line("p99", lambda ms: statistics.quantiles(ms, n=100)[98])))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def prove(folder: Path, count: int, pairs: int) -> None:
    stub = Stub(provider)
    behind = await asyncio.start_server(stub.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{behind.sockets[0].getsockname()[1]}"
    processes = Processes(folder, url, free_port(), free_port())
    server, proxy = processes.serve(), processes.proxy()
    through = Clients.of(f"{processes.proxy_url}/openai/v1", f"{processes.proxy_url}/anthropic")
    direct = Clients.of(f"{url}/v1", url)
    try:
        await asyncio.gather(reached(processes.server_url), reached(processes.proxy_url))
        began = time.perf_counter()
        server = await all_calls(through, processes, server, count)
        seconds = time.perf_counter() - began
        await reached(processes.server_url)
        expected = {each.tokens[0]: each.row() for each in map(Expected, range(count))}
        found = await rows(processes.server_url, count)
        wrong = {tokens: (found.get(tokens), row) for tokens, row in expected.items() if found.get(tokens) != row}
        assert not wrong, next(iter(wrong.items()))
        told(summed(found, count, seconds))
        told(f"{'ms of a call':<16}{'':<8}{'direct':>10}{'proxied':>10}{'added':>10}")
        for title, at_once in (("one at a time", 1), (f"{AT_ONCE} at a time", AT_ONCE)):
            told(table(title, await latencies(direct, through, pairs, at_once)))
        proxy.send_signal(signal.SIGTERM)
        assert proxy.wait(30) == 0
        assert not list((folder / "spool").glob("*.jsonl")), "the spool is empty after a stop"
        server.kill()
        proxy = processes.proxy()
        await reached(processes.proxy_url)
        await asyncio.gather(*(through.ask(Expected(2_000_000 + number)) for number in range(KILLED_AFTER)))
        proxy.send_signal(signal.SIGKILL)
        told(kept(folder / "spool"))
    finally:
        for process in (server, proxy):
            process.kill()
            process.wait()
        behind.close()


def summed(found: dict[int, tuple[object, ...]], count: int, seconds: float) -> str:
    """The sums of 1,000 calls are written out: nobody has to trust the program's own arithmetic."""
    sums = [sum(Decimal(str(row[place])) for row in found.values()) for place in range(4, 9)]
    if count == 1_000:
        assert sums == [Decimal(n) for n in ("1499500", "12000000", "200000", "12997", "11.071220")], sums
    return (
        f"{count:,} calls, {AT_ONCE} at a time, {seconds:.1f} s, the server killed in the middle: each is there, once; "
        f"{sums[0]:,} + {sums[1]:,} + {sums[2]:,} + {sums[3]:,} tokens, {sums[4]:f} USD"
    )


def kept(spool: Path) -> str:
    """What a proxy that was killed at this instant has on disk: every call that a client saw end."""
    items = list(calls.read(spool, now=datetime.now(UTC)))
    found = sorted(r.uncached_input_tokens for item in items if isinstance(item, Parsed) for r in item.records)  # type: ignore[union-attr,type-var]  # requests, with usage
    assert found == sorted(Expected(2_000_000 + number).tokens[0] for number in range(KILLED_AFTER)), found
    return f"The proxy killed right after {KILLED_AFTER} calls, without a server: all of them are in its spool"


def told(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    parser.add_argument("--pairs", type=int, default=200)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="proxied-") as folder:
        asyncio.run(prove(Path(folder), given.calls, given.pairs))


if __name__ == "__main__":
    main()
