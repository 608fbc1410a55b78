"""GraphQL over HTTP: POST with JSON and GET, both response media types, every refusal as JSON with its own status."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from server.access import DeniedError, Identify, Principal
from server.access.audited import Noted, note
from server.graphql.allowance import Allowance
from server.graphql.context import Deadline
from server.graphql.cost import Cost
from server.graphql.engine import Operation
from server.graphql.engine import Response as Answer
from server.graphql.engines import Engines
from server.graphql.errors import told
from server.graphql.kept import Kept
from server.graphql.lanes import ClientGoneError, Lane
from server.graphql.media import GRAPHQL_RESPONSE, JSON, accepted, wants_events
from server.graphql.persisted import Documents
from server.graphql.refusal import RefusalError
from server.graphql.request import body_of, fields_of, header, operation_of
from server.telemetry import current, phase

HEADERS = ((b"cache-control", b"no-store"), (b"vary", b"Accept"), (b"x-content-type-options", b"nosniff"))

Streams = Callable[[Request, Operation], ASGIApp]
"""Answers with a stream of events; raises `DeniedError`."""

NOT_EXECUTED = {GRAPHQL_RESPONSE: 400, JSON: 200}
"""The status of a refused document. As plain JSON it has always been 200; clients rely on it."""
KNOWN_PLACES = 1_024
MOST_UNREAD = 64
"""Requests that wait for their document to be read."""
MOST_BODIES, MOST_BODY_BYTES = 1_024, 1_000_000
"""Bodies whose meaning is kept. As objects they are up to some thirty times as large."""


class _OtherLaneError(Exception):
    """An operation that was taken for a quicker one, and has begun nothing yet."""


class _Place(IntEnum):
    """Where an operation is answered: in the event loop itself, or in a thread of one of the lanes.

    In the order of what they may do: one that belongs further down begins nothing before it is there.
    """

    LOOP = 0
    READING = 1
    MEMORY = 2
    STORE = 3


@dataclass(frozen=True, slots=True)
class Serving:
    """What the endpoint works with."""

    engines: Engines
    identify: Identify
    allowance: Allowance
    memory: Lane
    store: Lane
    timeout_ms: int
    reading: Lane = field(default_factory=lambda: Lane("document", 1, MOST_UNREAD))
    """Where documents are read that are not known yet: whoever sends new ones all the time waits for himself alone."""
    body_timeout_s: float = 5.0
    documents: Documents = field(default_factory=Documents)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return self.reading, self.memory, self.store


@dataclass(slots=True)
class _Visit:
    """One request. Its operation runs in a thread of a lane, which tells its cost before anything else."""

    serving: Serving
    principal: Principal
    operation: Operation
    deadline: Deadline
    noted: Noted
    place: _Place = _Place.READING
    needed: _Place | None = None

    def answer(self) -> tuple[Answer, bytes]:
        answer = self.serving.engines.of(self.principal).answer(self.operation, self.deadline, self._admit)
        self.noted.answered(answer.content)
        return answer, answer.content

    def kept(self) -> tuple[Answer, bytes] | None:
        """What is in memory already."""
        engine = self.serving.engines.known(self.principal)
        self.place = _Place.STORE  # nothing is computed, so whatever it would need is not looked at
        answer = None if engine is None else engine.kept(self.operation, self._admit)
        if answer is None:
            return None
        self.noted.answered(answer.content)
        return answer, answer.content

    def _admit(self, cost: Cost) -> None:
        self.needed = _Place.LOOP if cost.is_instant else _Place.MEMORY if cost.is_from_memory else _Place.STORE
        if self.needed > self.place:
            raise _OtherLaneError
        self.noted.cost = cost.values
        self.serving.allowance.admit(self.principal, cost)


class GraphQLEndpoint:
    """An ASGI app for one path. The engines work in the threads of lanes, so that the event loop stays free."""

    def __init__(self, serving: Serving, streams: Streams | None = None) -> None:
        self._serving = serving
        self._streams = streams
        self._places: OrderedDict[tuple[str, frozenset[str] | None], _Place] = OrderedDict()
        """What each document needed for somebody of these roles: another request for it goes there at once."""
        self._operations: Kept[tuple[bool, bytes], Operation] = Kept(MOST_BODIES, MOST_BODY_BYTES)
        """What bodies have said that were read already: the same bytes say the same to everybody, but for what the
        operator alone may say."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response: ASGIApp = await self._respond(Request(scope, receive))
        except RefusalError as refusal:
            response = _refused(refusal.status or 400, str(refusal), refusal.code, JSON, refusal.headers)
        except DeniedError as denied:
            response = _refused(denied.status, str(denied), denied.code, JSON, denied.headers)
        except (ClientDisconnect, ClientGoneError):
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> ASGIApp:
        serving = self._serving
        deadline = Deadline.after(serving.timeout_ms)
        principal = serving.identify(request)
        current().principal = principal.name
        accept = header(request, b"accept") or "*/*"
        if self._streams and wants_events(accept):
            current().surface = "sse"
            fields = fields_of(request, await body_of(request, serving.body_timeout_s))
            return self._streams(request, operation_of(fields, principal, serving.documents, is_read_only=True))
        media_type = accepted(accept)
        try:
            with phase("receive"):
                operation = self._operation(request, await body_of(request, serving.body_timeout_s), principal)
            visit = _Visit(serving, principal, operation, deadline, note(request.scope, principal, operation))
            answer, body = await self._answered(visit, request.receive)
        except RefusalError as refusal:
            if refusal.status is not None:
                raise
            return _refused(NOT_EXECUTED[media_type], str(refusal), refusal.code, media_type, refusal.headers)
        current().cost = cost = visit.noted.cost
        if answer.is_wrong_method:
            return _Reply(405, body, media_type, ((b"allow", b"POST"),))
        status = 200 if answer.is_executed else NOT_EXECUTED[media_type]
        return _Reply(status, body, media_type, () if cost is None else ((b"clawback-cost", b"%d" % cost),))

    def _operation(self, request: Request, body: bytes | None, principal: Principal) -> Operation:
        documents = self._serving.documents
        if body is None:
            return operation_of(fields_of(request, body), principal, documents, is_read_only=True)
        key = principal.is_operator, body
        operation = self._operations.get(key)
        if operation is None:
            operation = operation_of(fields_of(request, body), principal, documents, is_read_only=False)
            self._operations.put(key, operation, len(body))
        return operation

    async def _answered(self, visit: _Visit, receive: Receive) -> tuple[Answer, bytes]:
        """What is not read yet, or was forgotten, is read in a lane of its own."""
        if kept := visit.kept():
            return kept
        key = visit.operation.text, visit.principal.roles
        visit.place = self._places.get(key, _Place.READING)
        if visit.place < _Place.STORE and not visit.serving.engines.has(visit.principal, visit.operation):
            visit.place = _Place.READING
        try:
            return await self._answered_there(visit, receive)
        except _OtherLaneError:
            assert visit.needed is not None
            visit.place = visit.needed
            return await self._answered_there(visit, receive)
        finally:
            if visit.needed is not None:
                self._places[key] = visit.needed
                self._places.move_to_end(key)
                if len(self._places) > KNOWN_PLACES:
                    self._places.popitem(last=False)

    async def _answered_there(self, visit: _Visit, receive: Receive) -> tuple[Answer, bytes]:
        match visit.place:
            case _Place.LOOP:
                return visit.answer()
            case _Place.READING:
                return await visit.serving.reading.run(visit.answer, visit.deadline)
            case _Place.MEMORY:
                return await visit.serving.memory.run(visit.answer, visit.deadline)
            case _Place.STORE:
                return await visit.serving.store.run(visit.answer, visit.deadline, receive)


def _refused(status: int, message: str, code: str, media_type: str, headers: Mapping[str, str]) -> "_Reply":
    current().code = code
    more = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items())
    return _Reply(status, orjson.dumps({"errors": [told(message, code)]}), media_type, more)


_TYPES = {name: (b"content-type", f"{name}; charset=utf-8".encode()) for name in (GRAPHQL_RESPONSE, JSON)}


@dataclass(frozen=True, slots=True)
class _Reply:
    """As Starlette's `Response`, which writes every header anew for each."""

    status: int
    body: bytes
    media_type: str
    headers: tuple[tuple[bytes, bytes], ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = b"content-length", b"%d" % len(self.body)
        headers = [*HEADERS, length, _TYPES[self.media_type], *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})
