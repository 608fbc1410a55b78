"""A proxy put together from its settings, and the connections it takes."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.types import ASGIApp

from server.connections import bounded_http
from server.proxy.app import CLOSE, Proxy
from server.proxy.budget import Budgets
from server.proxy.delivery import Delivery, UndeliveredError
from server.proxy.forward import Forwarder
from server.proxy.meters import Meters
from server.proxy.payload_delivery import PayloadDelivery
from server.proxy.payload_spool import PayloadSpool
from server.proxy.payloads import Payloads
from server.proxy.reading import Allowance
from server.proxy.recorder import Recorder
from server.proxy.settings import ProxySettings
from server.proxy.spool import Spool
from server.proxy.tokens import read_tokens

_KEPT_CONNECTIONS, _KEPT_S = 200, 30.0
_LOG = logging.getLogger(__name__)
_DELIVERY_TIMEOUT_S, _LAST_DELIVERY_S = 60.0, 5.0


def make_app(settings: ProxySettings, spool: Spool, meters: Meters) -> ASGIApp:
    """Raises `TokensError`, and `OSError` where a file with a token cannot be read."""
    tokens, secret = read_tokens(settings.tokens), settings.token_for_server()
    limits = httpx2.Limits(
        max_connections=settings.max_connections,
        max_keepalive_connections=_KEPT_CONNECTIONS,
        keepalive_expiry=_KEPT_S,
    )
    transport = httpx2.AsyncHTTPTransport(limits=limits)
    forwarder = Forwarder(
        transport,
        Recorder(spool, meters),
        Allowance(settings.copies_mb * 2**20),
        settings.max_answer_mb * 2**20,
        settings.write_timeout_s,
    )
    delivering = _client(settings.server, secret, _DELIVERY_TIMEOUT_S)
    deadline_s = settings.budget_deadline_ms / 1000
    asking = _client(settings.server, secret, deadline_s) if settings.ask_budget else None
    budgets = None if asking is None else Budgets(asking, settings.budget_fails, meters, deadline_s)
    kept = PayloadSpool(settings.spool / "payloads", settings.payload_spool_mb * 2**20, settings.payload_days)
    kept.open()
    payloads = (
        Payloads(kept, meters, settings.payload_kb * 2**10, settings.payload_days) if settings.store_payloads else None
    )
    running = _Running(
        spool,
        Delivery(spool, delivering, meters),
        payloads,
        # Also where nothing is kept any more: what was kept before is delivered, or deleted when its days are over.
        PayloadDelivery(spool, kept, delivering, meters),
        budgets,
        (transport, delivering, asking),
    )
    return Proxy(settings, tokens, forwarder, budgets, payloads, meters, running.health, running.at_work())


def proxy_http(settings: ProxySettings) -> type[asyncio.Protocol]:
    """The `http` of uvicorn's configuration: with limits, without whole addresses, and with a way to cut an answer."""
    bounded: Any = bounded_http(settings)

    class ProxyHttp(bounded):  # type: ignore[misc]  # made at run time
        def on_url(self, url: bytes) -> None:
            super().on_url(url)
            if not self.url.startswith(b"/"):
                raise ValueError("a whole address")  # ends the parser, which answers 400

        def on_headers_complete(self) -> None:
            super().on_headers_complete()
            self.scope[CLOSE] = self.transport.close

    return ProxyHttp


@dataclass(slots=True)
class _Running:
    spool: Spool
    delivery: Delivery
    payloads: Payloads | None
    payload_delivery: PayloadDelivery
    budgets: Budgets | None
    closed_at_end: tuple[httpx2.AsyncHTTPTransport | httpx2.AsyncClient | None, ...]
    has_stumbled: bool = field(default=False, init=False)
    """A mistake of ours has ended what goes on in the background; what waits is delivered by the next start."""

    @contextlib.asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        tasks = [
            asyncio.create_task(self.spool.keep_sealing()),
            asyncio.create_task(self.delivery.keep_delivering()),
            asyncio.create_task(self.payload_delivery.keep_delivering()),
            *((asyncio.create_task(self.payloads.keep_writing()),) if self.payloads is not None else ()),
            *((asyncio.create_task(self.budgets.try_once()),) if self.budgets is not None else ()),
        ]
        for task in tasks:
            task.add_done_callback(self._ended)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.spool.seal()
            if self.payloads is not None:
                self.payloads.write()
            with contextlib.suppress(UndeliveredError, TimeoutError):  # what is left is delivered by the next start
                async with asyncio.timeout(_LAST_DELIVERY_S):
                    await self.delivery.deliver()
                    await self.payload_delivery.deliver()
            for each in self.closed_at_end:
                if each is not None:
                    await each.aclose()

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.has_stumbled = True
            _LOG.error("calls go through and are not delivered until the proxy is started anew", exc_info=error)

    def health(self) -> dict[str, object]:
        """Calls go through whatever this says."""
        problem = self.delivery.problem or self.payload_delivery.problem
        if self.has_stumbled:
            problem = "ended by a mistake; start the proxy anew"
        unasked = self.budgets.problem if self.budgets is not None else None
        is_well = problem is None and unasked is None and not self.spool.is_failing
        spool = "FAILING" if self.spool.is_failing else "OK"
        asked = {} if self.budgets is None else {"budgets": unasked or "OK"}
        return {"status": "OK" if is_well else "DEGRADED", "spool": spool, "delivery": problem or "OK", **asked}


def _client(server: str, secret: str | None, timeout_s: float) -> httpx2.AsyncClient:
    headers = {} if secret is None else {"Authorization": f"Bearer {secret}"}
    return httpx2.AsyncClient(
        base_url=server, headers=headers, timeout=timeout_s, follow_redirects=False, trust_env=False
    )
