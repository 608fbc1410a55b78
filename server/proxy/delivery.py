"""Takes the spool to the server: one sealed file at a time, in order, until the server says that it has it.

What is delivered twice is stored once, because a call has its keys. So a file is removed only after the answer.
"""

import asyncio
import gzip
import logging
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

import httpx2
import orjson

from server.proxy.meters import Meters
from server.proxy.spool import Spool

FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_PAUSE_S = 0.5, 60.0, 600.0
_PATH = "/v1/calls"
DIVIDED = frozenset({400, 413, 422})
"""Answers that a part of the lines may be the cause of."""
_LOG = logging.getLogger(__name__)
_CHANCE = SystemRandom()


class UndeliveredError(Exception):
    """Not now; the message says why."""

    def __init__(self, reason: str, at_least_s: float = 0.0) -> None:
        super().__init__(reason)
        self.at_least_s = at_least_s


@dataclass(slots=True)
class Delivery:
    spool: Spool
    client: httpx2.AsyncClient
    """Its root is the server's; it follows no redirect."""
    meters: Meters
    first_pause_s: float = FIRST_PAUSE_S
    problem: str | None = field(default=None, init=False)
    """Why the last try failed; None where it did not."""

    async def keep_delivering(self) -> None:
        """Until it is cancelled."""
        failures = 0
        while True:
            await self.spool.sealed.wait()
            try:
                await self.deliver()
                failures = 0
            except UndeliveredError as error:
                failures += 1
                self._told(str(error))
                await asyncio.sleep(backoff_s(self.first_pause_s, failures, error.at_least_s))

    async def deliver(self) -> None:
        """Everything that is sealed. Raises `UndeliveredError`."""
        self.spool.sealed.clear()
        for segment in self.spool.segments():
            try:
                await self._deliver(segment)
            except UndeliveredError:
                self.spool.sealed.set()
                raise
            except OSError as error:
                self.spool.sealed.set()
                raise UndeliveredError(f"{segment}: {error.strerror or error}") from error
        if self.problem is not None:
            _LOG.warning("calls are delivered again")
        self.problem = None

    async def _deliver(self, segment: Path) -> None:
        await self._post([line for line in segment.read_bytes().split(b"\n") if line])
        self.spool.remove(segment)

    async def _post(self, lines: list[bytes]) -> None:
        packed = await asyncio.to_thread(gzip.compress, b"\n".join(lines) + b"\n", 5)
        answer = await posted(self.client, _PATH, packed)
        if answer.status_code in DIVIDED:
            if len(lines) == 1:
                self._put_aside(lines[0], f"the server answered {answer.status_code}")
                return
            middle = len(lines) // 2
            await self._post(lines[:middle])
            await self._post(lines[middle:])
            return
        if answer.status_code != 200:
            raise UndeliveredError(f"the server answered {answer.status_code} to {_PATH}", pause_of(answer))
        rejected = rejected_in(answer, _PATH)
        for number, reason in rejected.items():
            if 1 <= number <= len(lines):
                self._put_aside(lines[number - 1], reason)
        self.meters.delivered.inc(len(lines) - len(rejected))

    def _put_aside(self, line: bytes, reason: str) -> None:
        self.meters.rejected.inc()
        _LOG.error("the server does not take a call: %s", reason[:500])
        self.spool.put_aside(orjson.dumps({"reason": reason, "line": line.decode("utf-8", "replace")}) + b"\n")

    def _told(self, problem: str) -> None:
        self.meters.delivery_failures.inc()
        if problem != self.problem:
            _LOG.warning("calls wait in %s: %s", self.spool.directory, problem)
        self.problem = problem


async def posted(client: httpx2.AsyncClient, path: str, packed: bytes) -> httpx2.Response:
    """The server's answer to lines that are packed with gzip. Raises `UndeliveredError` where there is none."""
    headers = {"Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"}
    try:
        return await client.post(path, content=packed, headers=headers)
    except httpx2.HTTPError as error:
        problem = type(error).__name__
    # Outside of the handler: the error holds the request, and with it the token.
    raise UndeliveredError(f"the server cannot be reached ({problem})")


def backoff_s(first_s: float, failures: int, at_least_s: float) -> float:
    """How long to wait after so many failures in a row; a server that says how long is heeded, up to a limit."""
    backoff = min(LONGEST_PAUSE_S, first_s * 2.0 ** min(failures - 1, 20))
    return max(min(at_least_s, MOST_PAUSE_S), backoff * (0.5 + _CHANCE.random() / 2))


def pause_of(answer: httpx2.Response) -> float:
    said = answer.headers.get("retry-after", "").strip()
    return float(said) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0


def rejected_in(answer: httpx2.Response, path: str) -> dict[int, str]:
    """Line -> reason. Raises `UndeliveredError` where it is not the answer of an intake: then nothing is removed."""
    try:
        said = orjson.loads(answer.content)
        return {int(each["line"]): str(each["reason"]) for each in said["rejected"]}
    except (ValueError, TypeError, KeyError):
        raise UndeliveredError(f"the server's answer to {path} is not that of an intake") from None
