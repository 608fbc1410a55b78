"""A server whose tokens a test can revoke, and a client of graphql-transport-ws."""

import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute
from strawberry import Schema
from websockets.sync.client import ClientConnection, connect

from semantic import Caller, Catalog
from server.access import DeniedError, Principal
from server.graphql import build_schema
from server.graphql.allowance import Allowance
from server.graphql.engine import Engine, Operation
from server.graphql.engines import Engines
from server.graphql.http import GraphQLEndpoint, Serving
from server.graphql.lanes import Lane
from server.graphql.persisted import Documents
from server.graphql.request import operation_of
from server.live import SUBPROTOCOL, EventStreams, Live, LiveLimits, Sockets, marks_of
from store import Store
from tests.server.conftest import LIMITS, NOW, RECORDS, Json, load_into, session
from tests.stores import new_store

QUICK = LiveLimits(interval_s=0.05, init_s=0.3, keep_alive_s=0.2)
PATIENCE_S = 20


@dataclass
class Keys:
    """Tokens and who they are; a test may change them while the server runs."""

    known: dict[str, Principal] = field(default_factory=dict)

    def __call__(self, connection: HTTPConnection, token: str | None = None) -> Principal:
        shown = token or connection.headers.get("authorization", "").removeprefix("Bearer ")
        if not shown:
            raise DeniedError(401, "say who you are")
        if shown not in self.known:
            raise DeniedError(401, "this token is not known")
        return self.known[shown]


@pytest.fixture
def own_store() -> Iterator[Store]:
    """A store that a test may load into."""
    with new_store() as store:
        load_into(store, RECORDS)
        yield store


def schema_of(catalog: Catalog, caller: Caller | None) -> Schema:
    """Made once for a set of roles, as it takes half a second."""
    key = (tuple(catalog.metrics), caller.roles if caller else None)
    if key not in _SCHEMAS:
        _SCHEMAS[key] = build_schema(catalog, caller)
    return _SCHEMAS[key]


_SCHEMAS: dict[object, Schema] = {}


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain"
        time.sleep(0.01)


def live_over(catalog: Catalog, store: Store, limits: LiveLimits = QUICK) -> Live:
    engines = Engines(lambda caller: Engine(schema_of(catalog, caller), catalog, store, lambda: NOW, LIMITS, caller))
    return Live(engines, marks_of(store, lambda: NOW, None, None, None), limits)


def reads(fields: object, principal: Principal) -> Operation:
    return operation_of(fields, principal, Documents(), is_read_only=True)


def app_of(live: Live, keys: Keys, origins: frozenset[str] = frozenset()) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with live.kept_going():
            yield

    streams = EventStreams(live, keys, origins)
    lanes = Lane("memory", 2, 64), Lane("question", 2, 64)
    endpoint = GraphQLEndpoint(Serving(live._engines, keys, Allowance(10**9), *lanes, 10_000), streams.answer)
    sockets = Sockets(live, keys, reads, origins)
    app = Starlette(routes=[Route("/graphql", endpoint), WebSocketRoute("/graphql", sockets)], lifespan=lifespan)
    app.state.live = live
    return app


@dataclass
class Talk:
    """One socket, as a client sees it."""

    socket: ClientConnection

    def say(self, type_: str, id_: str | None = None, payload: Any = None) -> None:
        given = {"id": id_, "payload": payload}
        self.socket.send(json.dumps({"type": type_, **{k: v for k, v in given.items() if v is not None}}))

    def hear(self) -> Json:
        return dict(json.loads(self.socket.recv(timeout=PATIENCE_S)))

    def begin(self, payload: Json | None = None) -> None:
        self.say("connection_init", payload=payload)
        assert self.hear() == {"type": "connection_ack"}

    def subscribe(self, query: str, id_: str = "1", **fields: Any) -> None:
        self.say("subscribe", id_, {"query": query, **fields})

    def pushed(self) -> Json:
        """The data of the next push."""
        message = self.hear()
        assert message["type"] == "next", message
        return dict(message["payload"]["data"])


@contextmanager
def talk(url: str, **settings: Any) -> Iterator[Talk]:
    address = f"{url.replace('http', 'ws', 1)}/graphql"
    with connect(address, subprotocols=[SUBPROTOCOL], open_timeout=PATIENCE_S, **settings) as socket:  # type: ignore[list-item]
        yield Talk(socket)


def one_more_session(store: Store, number: int) -> None:
    """Of the agent main, which has two."""
    load_into(store, [session(f"more{number}", "main", "cron", "2026-03-03T10:00")])
