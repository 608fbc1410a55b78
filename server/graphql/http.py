"""GraphQL over HTTP: POST with JSON and GET, both response media types, every refusal as JSON with its own status."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
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
from server.graphql.lanes import ClientGoneError, Lane
from server.graphql.media import GRAPHQL_RESPONSE, JSON, accepted, wants_events
from server.graphql.persisted import Documents
from server.graphql.refusal import RefusalError
from server.graphql.request import fields_of, operation_of
from server.telemetry import current, phase

HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}

Streams = Callable[[Request, Operation], ASGIApp]
"""Answers with a stream of events; raises `DeniedError`."""

NOT_EXECUTED = {GRAPHQL_RESPONSE: 400, JSON: 200}
"""The status of a refused document. As plain JSON it has always been 200; clients rely on it."""
KNOWN_PLACES = 1_024
MOST_UNREAD = 64
"""Requests that wait for their document to be read."""


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
        """What is in memory already. For a document that somebody of these roles has asked: his engine is there."""
        self.place = _Place.STORE  # nothing is computed, so whatever it would need is not looked at
        answer = self.serving.engines.of(self.principal).kept(self.operation, self._admit)
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
        accept = ",".join(request.headers.getlist("accept")) or "*/*"
        if self._streams and wants_events(accept):
            current().surface = "sse"
            fields = await fields_of(request, serving.body_timeout_s)
            return self._streams(request, operation_of(fields, principal, serving.documents, is_read_only=True))
        media_type = accepted(accept)
        try:
            with phase("receive"):
                fields = await fields_of(request, serving.body_timeout_s)
                is_read_only = request.method == "GET"
                operation = operation_of(fields, principal, serving.documents, is_read_only=is_read_only)
            visit = _Visit(serving, principal, operation, deadline, note(request.scope, principal, operation))
            answer, body = await self._answered(visit, request.receive)
        except RefusalError as refusal:
            if refusal.status is not None:
                raise
            return _refused(NOT_EXECUTED[media_type], str(refusal), refusal.code, media_type, refusal.headers)
        current().cost = cost = visit.noted.cost
        headers = {} if cost is None else {"Clawback-Cost": str(cost)}
        if answer.is_wrong_method:
            return _response(405, body, media_type, {"Allow": "POST"})
        return _response(200 if answer.is_executed else NOT_EXECUTED[media_type], body, media_type, headers)

    async def _answered(self, visit: _Visit, receive: Receive) -> tuple[Answer, bytes]:
        """What is not read yet, or was forgotten, is read in a lane of its own."""
        key = visit.operation.text, visit.principal.roles
        is_read = visit.serving.engines.has(visit.principal, visit.operation)
        if is_read and key in self._places and (kept := visit.kept()):
            return kept
        visit.place = self._places.get(key, _Place.READING)
        if visit.place < _Place.STORE and not is_read:
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


def _refused(status: int, message: str, code: str, media_type: str, headers: Mapping[str, str]) -> Response:
    current().code = code
    return _response(status, orjson.dumps({"errors": [told(message, code)]}), media_type, headers)


def _response(status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, {**HEADERS, **(headers or {})}, f"{media_type}; charset=utf-8")
