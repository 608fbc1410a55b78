"""A thousand sockets that listen: what they cost while nothing happens, and when something does."""

import asyncio
import base64
import json
import os
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from semantic import Catalog
from server.access import OPERATOR
from server.live import Live, LiveLimits
from store import Store
from tests.server.live.conftest import Keys, app_of, live_over, one_more_session
from tests.serving import running

CROWD = 1_000
HANDSHAKE = (
    "GET /graphql HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nAuthorization: Bearer ours\r\n"
    f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n\r\n"
)
PING, PONG = 0x89, 0x8A
INIT = {"type": "connection_init"}
SUBSCRIBE = {"type": "subscribe", "id": "1", "payload": {"query": "subscription { dataVersion }"}}


def pushed(version: int) -> dict[str, object]:
    return {"id": "1", "type": "next", "payload": {"data": {"dataVersion": version}}}


class Listener:
    """As little of a WebSocket as will do: short frames, masked with zeros."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def connected(cls, url: str) -> tuple["Listener", int]:
        place = urlsplit(url)
        self = cls(*await asyncio.open_connection(place.hostname, place.port))
        self.writer.write(HANDSHAKE.encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        return self, int(head.split()[1])

    def say(self, message: object) -> None:
        text = json.dumps(message).encode()
        self.writer.write(bytes([0x81, 0x80 | len(text)]) + bytes(4) + text)

    async def hear(self) -> object:
        """The next message. A ping, which comes where a busy machine takes its time, is answered."""
        while True:
            kind, length = await self.reader.readexactly(2)
            said = await self.reader.readexactly(length)
            if kind != PING:
                return json.loads(said)
            self.writer.write(bytes([PONG, 0x80 | length]) + bytes(4) + said)


@pytest.fixture
def _many_files() -> Iterator[None]:
    """Both ends of every socket are in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4 * CROWD), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("_many_files")
def test_a_thousand_idle_subscriptions_cost_one_computation_and_next_to_no_time(
    catalog: Catalog, own_store: Store
) -> None:
    live = live_over(catalog, own_store, LiveLimits(connections=CROWD, connections_each=CROWD))
    with running(app_of(live, Keys({"ours": OPERATOR}))) as url:
        asyncio.run(_crowd(url, live, own_store))


async def _crowd(url: str, live: Live, store: Store) -> None:
    before_kb = _resident_kb()
    crowd = [await _listener(url) for _ in range(CROWD)]
    assert (live.places.taken, live.feeds, live.computed) == (CROWD, 1, 1)
    assert _resident_kb() - before_kb < 200_000

    late, status = await Listener.connected(url)
    assert status == 503

    began = time.process_time()
    await asyncio.sleep(1)
    assert time.process_time() - began < 0.5
    assert await _asked(url) == {"data": {"dataVersion": 1}}

    await asyncio.to_thread(one_more_session, store, 1)
    assert await asyncio.gather(*(listener.hear() for listener in crowd)) == [pushed(2)] * CROWD
    assert live.computed == 2
    for listener in (*crowd, late):
        listener.writer.transport.abort()
    await asyncio.gather(*(listener.writer.wait_closed() for listener in (*crowd, late)), return_exceptions=True)


async def _listener(url: str) -> Listener:
    listener, status = await Listener.connected(url)
    assert status == 101
    listener.say(INIT)
    listener.say(SUBSCRIBE)
    assert await listener.hear() == {"type": "connection_ack"}
    assert await listener.hear() == pushed(1)
    return listener


async def _asked(url: str) -> object:
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    body = b'{"query":"{ dataVersion }"}'
    head = "POST /graphql HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n"
    writer.write(f"{head}Authorization: Bearer ours\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def _resident_kb() -> int:
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE") // 1024
