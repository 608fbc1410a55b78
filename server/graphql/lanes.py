"""Threads that operations run in, with a bounded queue before them, and how one is ended that takes too long or that
nobody waits for any more.

What is answered from memory has threads of its own: a router's question never waits behind a scan. Nor does anybody
wait behind all that another asks: threads are given to principals in turn, and nobody has all the places.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from math import ceil
from typing import Any, TypeVar

from starlette.types import Receive

from server.graphql.context import Deadline
from server.graphql.pool import QuestionPool
from server.graphql.refusal import RefusalError
from server.telemetry import current
from server.telemetry.meters import Meters

T = TypeVar("T")

GRACE_S = 0.05
"""After the deadline, for DuckDB to end by its own limit, which it does not look at while it plans."""
AGAIN_S = 0.02
"""Between two interrupts: a statement may begin just after one."""
RETRY_AFTER = {"Retry-After": "1"}
MOST_OF_ONE = 0.75
"""The share of a lane's places that one principal may have."""


class ClientGoneError(Exception):
    """Nobody waits for the answer any more."""


class Lane:
    """Belongs to one event loop. `threads` operations run at a time and `most_waiting` wait; more are refused."""

    def __init__(self, name: str, threads: int, most_waiting: int, meters: Meters | None = None) -> None:
        self.name = name
        self.pool = QuestionPool(threads, name, meters or Meters())
        self._most = threads + most_waiting
        self._most_of_one = ceil(self._most * MOST_OF_ONE)
        self._taken: Counter[str] = Counter()
        """Principal -> operations of his that run or wait."""

    @property
    def taken(self) -> int:
        """Operations that run or wait."""
        return self._taken.total()

    async def run(self, work: Callable[[], T], deadline: Deadline, receive: Receive | None = None) -> T:
        """What `work` gives. It is interrupted at its deadline and, with `receive`, when the client leaves.

        Raises `RefusalError` (BUSY) where there is no place, or the deadline passes before there is a thread, and
        `ClientGoneError`. Whatever is raised, the work is over.
        """
        principal = current().principal or ""
        self._check_place(principal)
        self._taken[principal] += 1
        job = self.pool.submit(lambda: _begun_in_time(work, deadline))
        try:
            return await (asyncio.wrap_future(job) if receive is None else _watched(job, deadline, receive))
        finally:
            if not job.done():  # whoever waited was cancelled, as the server ends
                deadline.stop.ask()
            loop = asyncio.get_running_loop()
            job.add_done_callback(lambda _: _from_thread(loop, lambda: self._give_back(principal)))

    def _check_place(self, principal: str) -> None:
        if self.taken >= self._most:
            problem = f"{self.taken:,} operations are at work or waiting"
        elif self._taken[principal] >= self._most_of_one:
            problem = f"{self._taken[principal]:,} operations of yours are at work or waiting"
        else:
            return
        raise RefusalError(503, f"{problem}; ask again later", "BUSY", RETRY_AFTER)

    def _give_back(self, principal: str) -> None:
        self._taken[principal] -= 1
        if not self._taken[principal]:
            del self._taken[principal]


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop has ended, and the lane with it
        loop.call_soon_threadsafe(call)


def _begun_in_time(work: Callable[[], T], deadline: Deadline) -> T:
    if deadline.left_s() <= 0:
        raise _waited_too_long(deadline)
    return work()


def _waited_too_long(deadline: Deadline) -> RefusalError:
    waited = f"no thread was free for {deadline.timeout_ms:,} ms, so the operation was never begun"
    return RefusalError(503, waited, "BUSY", RETRY_AFTER)


async def _watched(job: Future[T], deadline: Deadline, receive: Receive) -> T:
    done = asyncio.wrap_future(job)
    leaving = asyncio.ensure_future(_left(receive))
    either: set[asyncio.Future[Any]] = {done, leaving}
    try:
        await asyncio.wait(either, timeout=deadline.left_s() + GRACE_S, return_when=asyncio.FIRST_COMPLETED)
        while not done.done():
            if job.cancel():
                raise ClientGoneError if leaving.done() else _waited_too_long(deadline)
            deadline.stop.ask()
            await asyncio.wait({done}, timeout=AGAIN_S)
        if leaving.done() and deadline.stop.is_asked:
            with suppress(Exception):  # nobody is there to hear how it ended
                done.result()
            raise ClientGoneError
        return done.result()
    finally:
        leaving.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
