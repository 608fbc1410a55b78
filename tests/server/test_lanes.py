"""Threads and their queue: who waits, who is refused, and how work ends that takes too long or that nobody needs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event

import pytest
from starlette.types import Message

from server.graphql.context import Deadline
from server.graphql.lanes import ClientGoneError, Lane
from server.graphql.refusal import RefusalError
from server.graphql.stop import Stop
from server.telemetry import Exchange
from server.telemetry.exchange import CURRENT
from store import QueryTimeout, Store

PATIENCE_S = 20
LONG_MS = 60_000
ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE hash(a.range + b.range) % 7 = 1"


@contextmanager
def lane(threads: int = 1, most_waiting: int = 1) -> Iterator[Lane]:
    made = Lane("test", threads, most_waiting)
    try:
        yield made
    finally:
        made.pool.shutdown()


@contextmanager
def asked_by(principal: str) -> Iterator[None]:
    token = CURRENT.set(Exchange(principal=principal))
    try:
        yield
    finally:
        CURRENT.reset(token)


class Connection:
    """What a server tells of a client: nothing, until it leaves."""

    def __init__(self) -> None:
        self.is_left = asyncio.Event()

    async def receive(self) -> Message:
        await self.is_left.wait()
        return {"type": "http.disconnect"}


def test_one_more_than_run_and_wait_is_refused_at_once_and_a_place_is_given_back() -> None:
    async def asked() -> None:
        opened = Event()
        with lane() as busy:
            running = asyncio.ensure_future(busy.run(opened.wait, Deadline.after(LONG_MS)))
            waiting = asyncio.ensure_future(busy.run(lambda: "second", Deadline.after(LONG_MS)))
            await asyncio.sleep(0)
            with pytest.raises(RefusalError) as refused:
                await busy.run(lambda: "third", Deadline.after(LONG_MS))
            assert (refused.value.status, refused.value.code) == (503, "BUSY")
            assert refused.value.headers == {"Retry-After": "1"}
            opened.set()
            assert await asyncio.gather(running, waiting) == [True, "second"]
            assert await busy.run(lambda: "fourth", Deadline.after(LONG_MS)) == "fourth"

    asyncio.run(asked())


def test_an_operation_whose_deadline_passes_in_the_queue_is_never_begun() -> None:
    async def asked() -> None:
        opened, begun = Event(), Event()
        with lane() as busy:
            running = asyncio.ensure_future(busy.run(opened.wait, Deadline.after(LONG_MS)))
            await asyncio.sleep(0)
            with pytest.raises(RefusalError) as refused:
                await busy.run(begun.set, Deadline.after(10), Connection().receive)
            assert (refused.value.status, refused.value.code) == (503, "BUSY")
            opened.set()
            await running
        assert not begun.is_set()

    asyncio.run(asked())


def test_a_client_that_leaves_while_it_waits_is_never_begun() -> None:
    async def asked() -> None:
        opened, begun, connection = Event(), Event(), Connection()
        with lane() as busy:
            running = asyncio.ensure_future(busy.run(opened.wait, Deadline.after(LONG_MS)))
            await asyncio.sleep(0)
            waiting = asyncio.ensure_future(busy.run(begun.set, Deadline.after(LONG_MS), connection.receive))
            connection.is_left.set()
            with pytest.raises(ClientGoneError):
                await waiting
            opened.set()
            await running
        assert not begun.is_set()

    asyncio.run(asked())


def reading(store: Store, deadline: Deadline, begun: Event, sql: str = ENDLESS) -> None:
    with store.snapshot() as reader, deadline.stop.reaching(reader):
        reader.read("SELECT 1")
        begun.set()
        reader.read(sql)


def test_a_query_ends_when_its_client_leaves(store: Store) -> None:
    async def asked() -> None:
        begun, connection, deadline = Event(), Connection(), Deadline.after(LONG_MS)
        with lane() as open_lane:
            work = open_lane.run(lambda: reading(store, deadline, begun), deadline, connection.receive)
            asked = asyncio.ensure_future(work)
            assert await asyncio.to_thread(begun.wait, PATIENCE_S)
            connection.is_left.set()
            with pytest.raises(ClientGoneError):
                await asyncio.wait_for(asked, PATIENCE_S)

    asyncio.run(asked())


def test_a_query_that_duckdb_gives_no_limit_ends_at_the_deadline(store: Store) -> None:
    async def asked() -> None:
        deadline = Deadline.after(200)
        with lane() as open_lane:
            work = open_lane.run(lambda: reading(store, deadline, Event()), deadline, Connection().receive)
            with pytest.raises(QueryTimeout):
                await asyncio.wait_for(work, PATIENCE_S)

    asyncio.run(asked())


def test_work_that_nobody_waits_for_ends_between_two_statements() -> None:
    deadline = Deadline.after(LONG_MS)
    assert deadline.remaining_ms() > 0
    deadline.stop.ask()
    with pytest.raises(QueryTimeout):
        deadline.remaining_ms()


def test_a_stop_reaches_its_own_reader_and_never_the_next(store: Store) -> None:
    stop = Stop()
    with store.snapshot() as reader, stop.reaching(reader):
        assert reader.read("SELECT 1").rows == [(1,)]
    stop.ask()
    with store.snapshot() as other:
        assert other.read("SELECT count(*) FROM range(1000000)").rows == [(1_000_000,)]


def test_threads_are_given_to_principals_in_turn() -> None:
    async def asked() -> None:
        opened, begun = Event(), []
        with lane(threads=1, most_waiting=20) as busy:
            work = [asyncio.ensure_future(busy.run(opened.wait, Deadline.after(LONG_MS)))]
            for principal, jobs in (("flood", 5), ("router", 2), ("dashboard", 1)):
                with asked_by(principal):
                    for n in range(jobs):
                        name = f"{principal} {n}"
                        run = busy.run(lambda name=name: begun.append(name), Deadline.after(LONG_MS))  # type: ignore[misc]
                        work.append(asyncio.ensure_future(run))
                        await asyncio.sleep(0)
            opened.set()
            await asyncio.gather(*work)
        assert begun == [
            "flood 0", "router 0", "dashboard 0", "flood 1", "router 1", "flood 2", "flood 3", "flood 4"
        ]  # fmt: skip

    asyncio.run(asked())


def test_one_principal_has_three_quarters_of_the_places_at_most() -> None:
    async def asked() -> None:
        opened = Event()
        with lane(threads=1, most_waiting=3) as busy:
            with asked_by("flood"):
                floods = [asyncio.ensure_future(busy.run(opened.wait, Deadline.after(LONG_MS))) for _ in range(3)]
                await asyncio.sleep(0)
                with pytest.raises(RefusalError, match="3 operations of yours are at work or waiting"):
                    await busy.run(opened.wait, Deadline.after(LONG_MS))
            with asked_by("router"):
                routed = asyncio.ensure_future(busy.run(lambda: "routed", Deadline.after(LONG_MS)))
                await asyncio.sleep(0)
            opened.set()
            assert await routed == "routed"
            assert await asyncio.gather(*floods) == [True, True, True]

    asyncio.run(asked())


def test_what_waits_as_the_server_ends_is_cancelled() -> None:
    async def asked() -> None:
        opened = Event()
        with lane() as busy:
            running = asyncio.ensure_future(busy.run(opened.wait, Deadline.after(LONG_MS)))
            waiting = asyncio.ensure_future(busy.run(lambda: "never", Deadline.after(LONG_MS)))
            await asyncio.sleep(0)
            busy.pool.shutdown(wait=False, cancel_futures=True)
            opened.set()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await running is True

    asyncio.run(asked())


def test_many_at_once_are_each_answered_once() -> None:
    async def asked() -> None:
        with lane(threads=4, most_waiting=1_000) as wide:
            work = [wide.run(lambda n=n: n, Deadline.after(LONG_MS)) for n in range(500)]  # type: ignore[misc]
            assert await asyncio.gather(*work) == list(range(500))
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    while wide.taken:
                        await asyncio.sleep(0.001)
            assert wide.taken == 0

    asyncio.run(asked())
