"""What is answered in the event loop itself: only what is read already, so that nobody else waits for a document."""

import asyncio
import json
from threading import Event, current_thread, main_thread

from starlette.types import Message, Scope

from semantic import Catalog
from server.access import OPERATOR, everybody
from server.graphql import build_schema
from server.graphql.allowance import Allowance
from server.graphql.context import Deadline
from server.graphql.documents import MOST_DOCUMENTS, MOST_QUESTIONS, key_of
from server.graphql.engine import Engine, Operation, Response
from server.graphql.engines import Engines
from server.graphql.http import GraphQLEndpoint, Serving
from server.graphql.lanes import Lane
from store import Store
from tests.server.conftest import LIMITS, NOW

ASKED = "{ __typename }"
SCOPE: Scope = {
    "type": "http",
    "method": "POST",
    "path": "/graphql",
    "query_string": b"",
    "headers": [(b"content-type", b"application/json")],
}


class Placed(Engine):
    """Says where it answers."""

    in_event_loop: list[bool]

    def _answered(self, *asked: object) -> Response:
        self.in_event_loop.append(current_thread() is main_thread())
        return super()._answered(*asked)  # type: ignore[arg-type]


async def posted(endpoint: GraphQLEndpoint, text: str) -> bytes:
    body, said = json.dumps({"query": text}).encode(), bytearray()

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    async def send(message: Message) -> None:
        said.extend(message.get("body", b""))

    await endpoint(dict(SCOPE), receive, send)
    return bytes(said)


def test_a_document_that_was_forgotten_is_read_in_a_thread_again(catalog: Catalog, store: Store) -> None:
    engine = Placed(build_schema(catalog), catalog, store, lambda: NOW, LIMITS)
    engine.in_event_loop = []
    engines = Engines(lambda caller: engine)

    async def asked() -> None:
        lanes = Lane("memory", 1, 8), Lane("store", 1, 8)
        endpoint = GraphQLEndpoint(Serving(engines, everybody(OPERATOR), Allowance(10**9), *lanes, 10_000))
        with lanes[0].pool, lanes[1].pool:
            for _ in range(3):
                assert await posted(endpoint, ASKED) == b'{"data":{"__typename":"Query"}}'
            for number in range(max(MOST_DOCUMENTS, MOST_QUESTIONS)):
                engine._documents.question(key_of(f"{{ a{number}: __typename }}", None, None), None)
            for _ in range(2):
                assert await posted(endpoint, ASKED) == b'{"data":{"__typename":"Query"}}'

    asyncio.run(asked())
    assert engine.in_event_loop == [False, True, True, False, True]


def test_the_schema_is_written_once_for_all_who_see_it(catalog: Catalog, store: Store) -> None:
    engines = Engines(lambda caller: Engine(build_schema(catalog), catalog, store, lambda: NOW, LIMITS))
    assert not engines.has(OPERATOR, Operation(ASKED))
    assert engines.of(OPERATOR).sdl is engines.of(OPERATOR).sdl


def test_new_documents_hold_up_nothing_that_is_known(catalog: Catalog, store: Store) -> None:
    engine = Engine(build_schema(catalog), catalog, store, lambda: NOW, LIMITS)
    known = "{ catalog { metrics { name } } }"

    async def asked() -> None:
        memory, reading, opened = Lane("memory", 1, 8), Lane("document", 1, 8), Event()
        serving = Serving(
            Engines(lambda caller: engine),
            everybody(OPERATOR),
            Allowance(10**9),
            memory,
            memory,
            10_000,
            reading=reading,
        )
        endpoint = GraphQLEndpoint(serving)
        with memory.pool, reading.pool:
            answer = await posted(endpoint, known)
            busy = asyncio.ensure_future(reading.run(opened.wait, Deadline.after(60_000)))
            new = asyncio.ensure_future(posted(endpoint, ASKED))
            assert await posted(endpoint, known) == answer
            assert not new.done()
            opened.set()
            assert await busy
            assert await new == b'{"data":{"__typename":"Query"}}'

    asyncio.run(asked())
