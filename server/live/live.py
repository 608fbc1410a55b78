"""All subscriptions of a server: who listens to which feed, and how it begins and ends."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import orjson

from server.access import Principal
from server.access.audit import Asked, Audit, codes_in
from server.access.proxy import peer_of
from server.graphql.context import Deadline
from server.graphql.cost import Cost
from server.graphql.engine import Operation, Response
from server.graphql.engines import Engines
from server.graphql.errors import told
from server.graphql.refusal import RefusalError
from server.graphql.subscriptions import Pushed
from server.live.feed import Feed
from server.live.moves import Mark, Moves
from server.live.places import Places
from server.live.visitor import Visitor
from server.settings import Settings
from server.telemetry import current

T = TypeVar("T")
Admit = Callable[[Principal, Cost], None]


class RefusedError(Exception):
    """An operation that cannot be answered; `errors` are those of GraphQL."""

    def __init__(self, errors: list[dict[str, object]]) -> None:
        self.errors = errors
        super().__init__("the operation is refused")


@dataclass(frozen=True, slots=True)
class LiveLimits:
    interval_s: float = 1.0
    """Between two pushes of one subscription."""
    connections: int = 500
    connections_each: int = 200
    """Of one principal."""
    subscriptions: int = 20
    """On one connection."""
    timeout_ms: int = 10_000
    """For the answer of one push."""
    threads: int = 2
    """That compute pushes; those of questions are others."""
    init_s: float = 3.0
    """Until a connection has said who it is."""
    send_s: float = 30.0
    """Until a reader that takes nothing is given up."""
    keep_alive_s: float = 15.0
    """Between signs of life on a quiet stream, and between looks at whether a quiet listener is still welcome."""

    @classmethod
    def of(cls, settings: Settings) -> "LiveLimits":
        return cls(
            interval_s=settings.live_interval_ms / 1000,
            connections=settings.live_connections,
            connections_each=settings.live_connections_each,
            subscriptions=settings.live_subscriptions,
            timeout_ms=settings.query_timeout_ms,
            threads=max(1, settings.threads // 2),
        )


class Live:
    """It lives in one event loop, within `kept_going`."""

    def __init__(
        self,
        engines: Engines,
        marks: Mapping[str, Callable[[], Mark]],
        limits: LiveLimits,
        admit: Admit = lambda principal, cost: None,
        audit: Audit | None = None,
    ) -> None:
        """`admit` is told what each push costs, and refuses what is too much, as it does for questions."""
        self.limits = limits
        self.places = Places(limits.connections, limits.connections_each)
        self.ending = asyncio.Event()
        """Set when the server goes down: whoever streams completes."""
        self._engines = engines
        self._admit = admit
        self._audit = audit
        self._moves = Moves(marks)
        self._feeds: dict[object, Feed] = {}
        self.computed = 0
        """Answers that were computed for pushes, since the server is up."""
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = ThreadPoolExecutor(limits.threads, thread_name_prefix="live")

    @property
    def feeds(self) -> int:
        """Different answers that are kept up to date."""
        return len(self._feeds)

    @asynccontextmanager
    async def kept_going(self) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        watching = asyncio.create_task(self._moves.watch(), name="live")
        try:
            yield
        finally:
            self.end()
            watching.cancel()
            self._pool.shutdown(cancel_futures=True)

    def end(self) -> None:
        """Completes all subscriptions; nobody is let in any more."""
        self.ending.set()
        self.places.close()

    def end_soon(self) -> None:
        """The same, from any thread."""
        if self._loop:
            with suppress(RuntimeError):  # the loop has ended, and everything with it
                self._loop.call_soon_threadsafe(self.end)

    async def pushes(self, visitor: Visitor, operation: Operation) -> AsyncGenerator[bytes, None]:
        """Responses as JSON: one of a query; of a subscription the first at once, then the newest when it has changed.

        Raises:
            RefusedError: it is no operation that can be answered.
            DeniedError: the visitor may not ask, or may not any more.
        """
        began, codes = time.monotonic(), tuple[str, ...]()
        try:
            async with aclosing(self._followed(visitor, operation)) as pushes:
                async for content in pushes:
                    visitor.check()
                    yield content
        except RefusedError as refused:
            codes = codes_in({"errors": refused.errors})
            raise
        finally:
            self._note(visitor, operation, codes, time.monotonic() - began)

    def _note(self, visitor: Visitor, operation: Operation, codes: tuple[str, ...], seconds: float) -> None:
        """One line of the audit for a subscription, when it is over."""
        if self._audit:
            self._audit.asked(
                Asked(
                    request_id=current().request_id,
                    principal=visitor.principal,
                    peer=peer_of(visitor.connection),
                    surface="subscription",
                    text=operation.text,
                    operation=operation.name,
                    variables=operation.variables,
                    codes=codes,
                    duration_ms=round(seconds * 1000, 3),
                )
            )

    async def _followed(self, visitor: Visitor, operation: Operation) -> AsyncGenerator[bytes, None]:
        engine = await self._in_a_thread(lambda: self._engines.of(visitor.principal))
        pushed = await self._in_a_thread(lambda: engine.pushed(operation))
        if isinstance(pushed, Response):
            raise RefusedError(orjson.loads(pushed.content)["errors"])
        async with self._feed(visitor.principal, operation, pushed) as feed:
            number = 0
            while number == 0 or feed.is_endless:
                push = await feed.after(number)
                number = push.number
                yield push.content

    @asynccontextmanager
    async def _feed(self, principal: Principal, operation: Operation, pushed: Pushed) -> AsyncIterator[Feed]:
        """The one feed of all equal subscriptions, kept for as long as somebody listens."""
        key: object = _key(principal, operation) if pushed.field else object()
        if (feed := self._feeds.get(key)) is None:
            query = Operation(pushed.text, operation.variables, operation.name, is_read_only=True)

            def answers() -> Awaitable[bytes]:
                return self._answered(principal, query)

            feed = Feed(pushed, answers, self._moves, self.limits.interval_s)
            feed.start()
            self._feeds[key] = feed
        feed.listeners += 1
        try:
            yield feed
        finally:
            feed.listeners -= 1
            if not feed.listeners:
                feed.stop()
                del self._feeds[key]

    async def _answered(self, principal: Principal, query: Operation) -> bytes:
        """In a thread; interrupted where nobody listens any more."""
        begun: list[Deadline] = []

        def answer() -> bytes:
            self.computed += 1
            deadline = Deadline.after(self.limits.timeout_ms)  # nobody waits for a push: its wait for a thread is free
            begun.append(deadline)
            engine = self._engines.of(principal)
            return engine.answer(query, deadline, lambda cost: self._admit(principal, cost)).content

        try:
            return await self._in_a_thread(answer)
        except RefusalError as refusal:
            return orjson.dumps({"errors": [told(str(refusal), refusal.code)]})
        except asyncio.CancelledError:
            for deadline in begun:
                deadline.stop.ask()
            raise

    async def _in_a_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _key(principal: Principal, operation: Operation) -> object:
    """The same where answers cannot differ, also in who is charged for them and told that it is too much.

    1 and True, which are equal in Python, are told apart.
    """
    variables = orjson.dumps(operation.variables, option=orjson.OPT_SORT_KEYS)
    who = principal.name, principal.roles, repr(sorted(principal.claims.items()))
    return *who, operation.text, operation.name, variables
