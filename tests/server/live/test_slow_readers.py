"""Readers that are slow or do not read at all: what they cost is bounded. The transport is a function that waits."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from starlette.requests import HTTPConnection, Request
from starlette.types import Message, Scope

from semantic import Catalog
from server.access import OPERATOR, Principal, everybody
from server.graphql.cost import Cost
from server.graphql.engine import Operation
from server.graphql.refusal import RefusalError
from server.live import EventStreams, Live, LiveLimits, Sockets
from server.live.moves import Moves
from server.live.visitor import Visitor
from store import Store
from tests.server.live.conftest import PATIENCE_S, QUICK, live_over, one_more_session, reads

VERSIONS = Operation("subscription { dataVersion }")
ANYBODY = everybody(OPERATOR)
HTTP: Scope = {"type": "http", "method": "POST", "path": "/graphql", "headers": []}
SOCKET: Scope = {
    "type": "websocket",
    "path": "/graphql",
    "headers": [],
    "subprotocols": ["graphql-transport-ws"],
    "extensions": {},
}


@dataclass
class Transport:
    """Takes so many messages; the next one waits until the transport is opened."""

    takes: int
    taken: list[Message] = field(default_factory=list)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    is_full: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: Message) -> None:
        if len(self.taken) >= self.takes:
            self.is_full.set()
            await self.opened.wait()
        self.taken.append(message)


def with_live(catalog: Catalog, store: Store, test: Callable[[Live], Awaitable[None]], limits: LiveLimits) -> None:
    async def run() -> None:
        live = live_over(catalog, store, limits)
        async with asyncio.timeout(PATIENCE_S), live.kept_going():
            await test(live)

    asyncio.run(run())


async def silence() -> Message:
    return await asyncio.get_running_loop().create_future()


def test_a_slow_reader_gets_the_newest_answer_and_not_all_of_them(catalog: Catalog, own_store: Store) -> None:
    async def test(live: Live) -> None:
        transport = Transport(takes=1)  # the status; the first event waits
        stream = EventStreams(live, ANYBODY).answer(Request(HTTP), VERSIONS)
        streaming = asyncio.create_task(stream(HTTP, silence, transport.send))
        await transport.is_full.wait()
        for number in range(5):
            computed = live.computed
            await asyncio.to_thread(one_more_session, own_store, number)
            while live.computed == computed:
                await asyncio.sleep(0.01)
        transport.opened.set()
        while len(transport.taken) < 3:
            await asyncio.sleep(0.01)
        bodies = [message["body"] for message in transport.taken[1:]]
        assert bodies == [
            b'event: next\ndata: {"data":{"dataVersion":1}}\n\n',
            b'event: next\ndata: {"data":{"dataVersion":6}}\n\n',
        ]
        live.end()
        await streaming

    with_live(catalog, own_store, test, LiveLimits(interval_s=0.02, send_s=PATIENCE_S))


def test_a_stream_that_nobody_reads_is_given_up_with_its_place(catalog: Catalog, store: Store) -> None:
    async def test(live: Live) -> None:
        stream = EventStreams(live, ANYBODY).answer(Request(HTTP), VERSIONS)
        await stream(HTTP, silence, Transport(takes=1).send)
        assert (live.feeds, live.places.taken) == (0, 0)

    with_live(catalog, store, test, LiveLimits(send_s=0.05))


def test_a_socket_that_nobody_reads_is_given_up_with_its_place(catalog: Catalog, store: Store) -> None:
    said = [
        {"type": "connection_init"},
        {"type": "subscribe", "id": "1", "payload": {"query": VERSIONS.text}},
    ]
    messages: list[Message] = [{"type": "websocket.connect"}]
    messages += [{"type": "websocket.receive", "text": json.dumps(message)} for message in said]

    async def receive() -> Message:
        return messages.pop(0) if messages else await silence()

    async def test(live: Live) -> None:
        await Sockets(live, ANYBODY, reads)(SOCKET, receive, Transport(takes=2).send)  # accept, and the acknowledgement
        assert (live.feeds, live.places.taken) == (0, 0)

    with_live(catalog, store, test, LiveLimits(send_s=0.05))


def test_a_feed_goes_on_for_the_others_when_one_of_them_leaves(catalog: Catalog, own_store: Store) -> None:
    async def test(live: Live) -> None:
        visitor = Visitor.of(HTTPConnection(HTTP), ANYBODY)
        one, other = live.pushes(visitor, VERSIONS), live.pushes(visitor, VERSIONS)
        assert [await anext(one), await anext(other)] == [b'{"data":{"dataVersion":1}}'] * 2
        await one.aclose()
        await asyncio.to_thread(one_more_session, own_store, 1)
        assert await anext(other) == b'{"data":{"dataVersion":2}}'
        assert live.feeds == 1
        await other.aclose()
        assert live.feeds == 0

    with_live(catalog, own_store, test, QUICK)


def test_who_is_refused_for_what_he_spent_is_told_so_alone(catalog: Catalog, store: Store) -> None:
    def admit(principal: Principal, cost: Cost) -> None:
        if principal.name == "spent":
            raise RefusalError(429, "spent asks for too much", "RATE_LIMITED")

    async def pushed_to(live: Live, name: str) -> bytes:
        visitor = Visitor.of(HTTPConnection(HTTP), everybody(Principal(name)))
        return await anext(live.pushes(visitor, VERSIONS))

    async def test(live: Live) -> None:
        live._admit = admit
        refused, answered = await asyncio.gather(pushed_to(live, "spent"), pushed_to(live, "thrifty"))
        assert b"RATE_LIMITED" in refused
        assert answered == b'{"data":{"dataVersion":1}}'

    with_live(catalog, store, test, QUICK)


def test_a_look_that_fails_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    marks = iter([1, 1, None, 2])

    def mark() -> int:
        found = next(marks)
        if found is None:
            raise OSError("a bad moment")
        return found

    async def run() -> None:
        moves = Moves({"dataVersion": mark}, tick_s=0.001)
        watching = asyncio.create_task(moves.watch())
        await asyncio.wait_for(moves.since("dataVersion", 1), PATIENCE_S)
        watching.cancel()

    asyncio.run(run())
    assert "a bad moment" in caplog.text
