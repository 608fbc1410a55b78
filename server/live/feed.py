"""One answer that is kept up to date for all who asked for the same: computed once, however many wait for it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256

import orjson

from server.graphql.errors import told
from server.graphql.subscriptions import Path, Pushed, without
from server.live.moves import Moves

_LOG = logging.getLogger(__name__)

FAILED = orjson.dumps({"errors": [told("Internal error; the server's log has the reason", "INTERNAL")]})

Answers = Callable[[], Awaitable[bytes]]
"""Gives the response as it is now, as JSON; in a thread, within its deadline."""


@dataclass(frozen=True, slots=True)
class Push:
    number: int
    """Counts from 1."""
    content: bytes
    """A response as JSON: `data`, `errors` or both."""


class Feed:
    """Has a task of its own for as long as somebody listens. Whoever is slow gets the newest push, not all of them."""

    def __init__(self, pushed: Pushed, answers: Answers, moves: Moves, interval_s: float) -> None:
        self._pushed = pushed
        self._answers = answers
        self._moves = moves
        self._interval_s = interval_s
        self._newest: Push | None = None
        self._there_is_more = asyncio.Event()
        self._task: asyncio.Task[None]
        self.listeners = 0

    @property
    def is_endless(self) -> bool:
        """A query over a socket is a feed with one push."""
        return self._pushed.field is not None

    async def after(self, number: int) -> Push:
        """The newest push with a higher number, as soon as there is one."""
        while self._newest is None or self._newest.number <= number:
            await self._there_is_more.wait()
        return self._newest

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name="feed")

    def stop(self) -> None:
        self._task.cancel()

    async def _keep(self) -> None:
        """Computes now and whenever something moved, until it is cancelled; at most once within the interval."""
        field, known = self._pushed.field, b""
        while True:
            mark, began = self._moves.mark(field) if field else None, time.monotonic()
            content = await self._answered()
            if (found := fingerprint(content, self._pushed.ticking)) != known:
                known = found
                self._tell(content)
            if field is None:
                return
            # What takes long is done less often, so that pushes take at most half of the time from questions.
            await asyncio.sleep(max(self._interval_s, time.monotonic() - began))
            await self._moves.since(field, mark)

    async def _answered(self) -> bytes:
        try:
            return await self._answers()
        except Exception:  # noqa: BLE001 - the edge of a task: the next state of the data may be answered again
            _LOG.exception("a subscription of %s could not be answered", self._pushed.field)
            return FAILED

    def _tell(self, content: bytes) -> None:
        self._newest = Push(self._newest.number + 1 if self._newest else 1, content)
        woken, self._there_is_more = self._there_is_more, asyncio.Event()
        woken.set()


def fingerprint(content: bytes, ticking: tuple[Path, ...]) -> bytes:
    """The same for responses that differ in nothing but what moves with the clock."""
    told = orjson.dumps(without(orjson.loads(content), ticking)) if ticking else content
    return sha256(told).digest()
