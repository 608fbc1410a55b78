"""Takes payloads to the server, after the calls that they are of: a file is removed once the server has it.

What the server refuses for good is deleted and counted, not put aside: nobody would delete it when its days are over.
"""

import asyncio
import gzip
import logging
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from server.proxy.delivery import DIVIDED, FIRST_PAUSE_S, UndeliveredError, backoff_s, pause_of, posted, rejected_in
from server.proxy.meters import Meters
from server.proxy.payload_spool import PayloadSpool, written_at
from server.proxy.spool import Spool

LOOK_S = 0.5
_PATH = "/v1/payloads"
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class PayloadDelivery:
    calls: Spool
    spool: PayloadSpool
    client: httpx2.AsyncClient
    meters: Meters
    first_pause_s: float = FIRST_PAUSE_S
    problem: str | None = field(default=None, init=False)
    """Why the last try failed; None where it did not."""

    async def keep_delivering(self) -> None:
        """Until it is cancelled."""
        failures = 0
        while True:
            try:
                await self.deliver()
                failures = 0
                await asyncio.sleep(LOOK_S)
            except UndeliveredError as error:
                failures += 1
                self.meters.delivery_failures.inc()
                if str(error) != self.problem:
                    _LOG.warning("payloads wait in %s: %s", self.spool.directory, error)
                self.problem = str(error)
                await asyncio.sleep(backoff_s(self.first_pause_s, failures, error.at_least_s))

    async def deliver(self) -> None:
        """All whose calls the server has, or has refused. Raises `UndeliveredError`."""
        try:
            # In a thread, as after days without a server the directory is long: calls do not wait for it.
            if expired := await asyncio.to_thread(self.spool.expire):
                self.meters.payloads.labels("expired").inc(expired)
            oldest_call = self.calls.oldest()
            for file in await asyncio.to_thread(self.spool.files):
                if oldest_call is not None and oldest_call <= written_at(file):
                    return
                await self._deliver(file)
        except OSError as error:
            raise UndeliveredError(f"{self.spool.directory}: {error.strerror or error}") from error
        if self.problem is not None:
            _LOG.warning("payloads are delivered again")
        self.problem = None

    async def _deliver(self, file: Path) -> None:
        packed = await asyncio.to_thread(file.read_bytes)
        status = await self._post(packed)
        if status in DIVIDED:
            for line in await asyncio.to_thread(self._lines_of, packed):
                if await self._post(await asyncio.to_thread(gzip.compress, line)) in DIVIDED:
                    self._refused(f"the server answered {status}")
        self.spool.remove(file)

    def _lines_of(self, packed: bytes) -> list[bytes]:
        """None where a machine that lost power has left half a file: no later try can send it."""
        try:
            return gzip.decompress(packed).splitlines(keepends=True)
        except (OSError, EOFError, zlib.error):
            self._refused("the file was not written to its end")
            return []

    async def _post(self, packed: bytes) -> int:
        answer = await posted(self.client, _PATH, packed)
        if answer.status_code in DIVIDED:
            return answer.status_code
        if answer.status_code != 200:
            raise UndeliveredError(f"the server answered {answer.status_code} to {_PATH}", pause_of(answer))
        for reason in rejected_in(answer, _PATH).values():
            self._refused(reason)
        return answer.status_code

    def _refused(self, reason: str) -> None:
        self.meters.payloads.labels("refused").inc()
        _LOG.error("the server does not take a payload, which is deleted: %s", reason[:500])
