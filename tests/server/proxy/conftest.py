"""A proxy that really listens, a provider behind it and the intake of a server, all in this process."""

import asyncio
import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
import uvicorn

from server.listening import address_of, listening
from server.proxy.meters import Meters
from server.proxy.serving import make_app, proxy_http
from server.proxy.settings import ProxySettings
from server.proxy.spool import Spool
from tests.server.proxy.stub import Asked, Pieces, Stub, document, looping, served


@dataclass
class Intake:
    """The server's side of /v1/calls: keeps what it takes."""

    lines: list[dict[str, object]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    """What it says to the next deliveries, before it takes one."""
    rejects: str | None = None
    """The session whose lines it does not take."""
    budget: bytes | None = None
    """What it says to a question of budgets; None: an error."""

    async def answer(self, asked: Asked) -> Pieces:
        if asked.target == "/graphql":
            async for piece in document(self.budget or b"{}", status=200 if self.budget else 500):
                yield piece
            return
        assert asked.target == "/v1/calls"
        assert asked.header("content-type") == "application/x-ndjson"
        if self.statuses:
            async for piece in document(b"{}", status=self.statuses.pop(0), headers=[("Retry-After", "0")]):
                yield piece
            return
        body = gzip.decompress(asked.body) if asked.header("content-encoding") == "gzip" else asked.body
        lines = [json.loads(line) for line in body.splitlines()]
        bad = [n for n, line in enumerate(lines, start=1) if self.rejects and line.get("session_id") == self.rejects]
        self.lines += [line for n, line in enumerate(lines, start=1) if n not in bad]
        said = {"accepted": len(lines) - len(bad), "rejected": [{"line": n, "reason": "no such day"} for n in bad]}
        async for piece in document(json.dumps(said).encode()):
            yield piece


@dataclass
class Running:
    url: str
    spool: Path
    meters: Meters
    server: uvicorn.Server

    def counted(self, name: str, **labels: str) -> float:
        return self.meters.registry.get_sample_value(f"clawback_proxy_{name}", labels) or 0.0


@contextmanager
def proxied(settings: ProxySettings) -> Iterator[Running]:
    meters = Meters()
    with (
        Spool(settings.spool, meters, settings.spool_mb * 2**20, seal_s=0.02) as spool,
        listening("127.0.0.1", 0) as listener,
    ):
        app = make_app(settings, spool, meters)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                http=proxy_http(settings),
                ws="none",
                log_config=None,
                access_log=False,
                lifespan="on",
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=5,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        until(lambda: server.started)
        try:
            yield Running(address_of(listener), settings.spool, meters, server)
        finally:
            server.should_exit = True
            thread.join(15)
            assert not thread.is_alive()


def until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


@dataclass
class Setting:
    """Everything around a proxy."""

    provider: Stub
    intake: Intake
    server: Stub
    proxy: Running

    def http(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.proxy.url, trust_env=False, timeout=20)

    def line(self, call_id: str | None) -> dict[str, object]:
        """What the server was told of a call."""
        assert call_id is not None

        def found() -> list[dict[str, object]]:
            return [line for line in self.intake.lines if line["call"] == call_id]

        until(found)
        return found()[0]


@contextmanager
def whole_setting(folder: Path, loop: asyncio.AbstractEventLoop, **settings: object) -> Iterator[Setting]:
    intake = Intake()
    provider, server = Stub(lambda asked: document(b"{}")), Stub(intake.answer)
    with served(provider, loop), served(server, loop):
        names = ("anthropic", "openai", "openrouter", "xai", "google")
        given = {"upstreams": dict.fromkeys(names, provider.url), "server": server.url, "spool": folder / "spool"}
        with proxied(ProxySettings(**{**given, **settings})) as proxy:  # type: ignore[arg-type]  # as from outside
            yield Setting(provider, intake, server, proxy)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    with looping() as running:
        yield running


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> Iterator[Setting]:
    with whole_setting(tmp_path_factory.mktemp("proxy"), loop) as made:
        yield made
