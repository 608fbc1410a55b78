"""`/health/live` and `/health/ready`: whether the process answers at all, and whether questions can be answered now.

Both are for whoever reaches the server, so the answer is a word and the reasons are codes: what is behind them is in
the log.

DRAINING           a stop was asked for
STORE_SLOW         the store did not answer within a second
STORE_UNREADABLE   the store does not answer
COLUMNS_MISSING    the store lacks a table or column that metrics.yaml reads
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from semantic import Catalog, CatalogError
from server.columns import check_columns
from server.lifecycle import Lifecycle
from store import Store, StoreError

PATIENCE_S = 1.0
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LOG = logging.getLogger(__name__)


@dataclass
class Readiness:
    """Looks at the store in a thread of its own: a server that is busy with questions is still ready.

    However many ask, one look is on its way at a time, so that a store that hangs costs one thread.
    """

    store: Store
    catalog: Catalog
    lifecycle: Lifecycle
    patience_s: float = PATIENCE_S
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="ready"))
    _look: Future[int] | None = None
    _has_columns: bool = False
    _told: tuple[str, ...] = ()

    async def found(self) -> tuple[int | None, tuple[str, ...]]:
        """The version of the data, where it could be read, and why the server is not ready."""
        version, reasons = await self._looked()
        if self.lifecycle.is_stopping:
            reasons = ("DRAINING", *reasons)
        if reasons != self._told and reasons:
            _LOG.warning("not ready: %s", ", ".join(reasons))
        self._told = reasons
        return version, reasons

    async def _looked(self) -> tuple[int | None, tuple[str, ...]]:
        if self._look is None or self._look.done():
            self._look = self._pool.submit(self._version)
        try:
            look = asyncio.shield(asyncio.wrap_future(self._look))
            return await asyncio.wait_for(look, self.patience_s), ()
        except (TimeoutError, TooLate):
            return None, ("STORE_SLOW",)
        except CatalogError as error:
            _LOG.debug("%s", error)
            return None, ("COLUMNS_MISSING",)
        except StoreError as error:
            _LOG.debug("%s", error)
            return None, ("STORE_UNREADABLE",)

    def _version(self) -> int:
        with self.store.snapshot() as reader:
            version = reader.data_version
        if not self._has_columns:
            check_columns(self.catalog, self.store)
            # Only whoever owns the store changes its tables, and that is this process, when it opens it.
            self._has_columns = True
        return version

    def close(self) -> None:
        """A look that hangs is left behind."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def health_routes(
    readiness: Readiness, identity: str, spool: Callable[[], Mapping[str, float]] | None = None
) -> list[Route]:
    """`identity` tells this server from another that listens at its address; `spool` how much waits to be stored."""
    named = {"server": identity} if identity else {}

    async def ready(request: Request) -> Response:
        version, reasons = await readiness.found()
        waiting = {"spool": spool()} if spool is not None else {}
        if reasons:
            body = {"status": "unavailable", "reasons": list(reasons), **waiting, **named}
            return JSONResponse(body, 503, HEADERS)
        return JSONResponse({"status": "ready", "dataVersion": version, **waiting, **named}, headers=HEADERS)

    return [Route("/health/live", _live), Route("/health/ready", ready)]


async def _live(request: Request) -> Response:
    return JSONResponse({"status": "live"}, headers=HEADERS)
