"""GraphQL over HTTP: POST with JSON and GET, both response media types, every refusal as JSON with its own status."""

import asyncio
import re
from collections.abc import Mapping
from concurrent.futures import Executor
from urllib.parse import parse_qsl

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from server.access import DeniedError, Identify, Principal
from server.graphql.context import Deadline
from server.graphql.engine import Operation
from server.graphql.engine import Response as Answer
from server.graphql.engines import Engines
from server.graphql.errors import told
from server.graphql.limits import MAX_BODY_BYTES
from server.telemetry import current, phase

GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}

NOT_EXECUTED = 400
"""The status of a refused document as GRAPHQL_RESPONSE. As plain JSON it has always been 200; clients rely on it."""


class RefusalError(Exception):
    """A request that is not GraphQL over HTTP."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        super().__init__(message)


class GraphQLEndpoint:
    """An ASGI app for one path. The engines work in the threads of `pool`, so that the event loop stays free."""

    def __init__(self, engines: Engines, identify: Identify, pool: Executor, timeout_ms: int) -> None:
        self._engines = engines
        self._identify = identify
        self._pool = pool
        self._timeout_ms = timeout_ms

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = await self._respond(Request(scope, receive))
        except RefusalError as refusal:
            current().code = "BAD_REQUEST"
            body = orjson.dumps({"errors": [told(str(refusal), "BAD_REQUEST")]})
            response = _response(refusal.status, body, JSON, refusal.headers)
        except DeniedError as denied:
            current().code = code = "UNAUTHENTICATED" if denied.status == 401 else "FORBIDDEN"
            response = _response(
                denied.status, orjson.dumps({"errors": [told(str(denied), code)]}), JSON, denied.headers
            )
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        deadline = Deadline.after(self._timeout_ms)
        principal = self._identify(request)
        current().principal = principal.name
        media_type = accepted(",".join(request.headers.getlist("accept")) or "*/*")
        with phase("receive"):
            operation = _operation(await _fields(request), is_read_only=request.method == "GET")
        loop = asyncio.get_running_loop()
        answer, body = await loop.run_in_executor(self._pool, self._answer, principal, operation, deadline)
        if answer.is_wrong_method:
            return _response(405, body, media_type, {"Allow": "POST"})
        return _response(200 if answer.is_executed or media_type == JSON else NOT_EXECUTED, body, media_type)

    def _answer(self, principal: Principal, operation: Operation, deadline: Deadline) -> tuple[Answer, bytes]:
        answer = self._engines.of(principal).answer(operation, deadline)
        return answer, answer.content


def accepted(accept: str) -> str:
    """The media type of the response that a client likes best; a wildcard means plain JSON.

    Example:
        >>> accepted("text/html, */*;q=0.8")
        'application/json'
        >>> accepted("application/json, application/graphql-response+json")
        'application/graphql-response+json'
    """
    weights = dict(_media_range(part) for part in accept.lower().split(","))

    def weight(offer: str) -> float:
        return weights.get(offer, weights.get("application/*", weights.get("*/*", 0.0)))

    offers = (GRAPHQL_RESPONSE, JSON) if GRAPHQL_RESPONSE in weights else (JSON, GRAPHQL_RESPONSE)
    best = max(offers, key=weight)
    if weight(best) == 0:
        raise RefusalError(406, f"this address answers {GRAPHQL_RESPONSE} or {JSON}; for people there is /graphiql")
    return best


def _media_range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip() for piece in part.split(";"))
    weight = next((p[2:] for p in parameters if p.startswith("q=")), "1")
    return name, float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 1.0


async def _fields(request: Request) -> object:
    """What the request says, whichever way it came; not looked at yet."""
    match request.method:
        case "GET":
            return _from_query_string(request.scope["query_string"])
        case "POST":
            _check_content_type(request.headers.get("content-type", ""))
            return _from_json(await _body(request), "the body")
    raise RefusalError(405, f"{request.method} is not for this address; use POST or GET", {"Allow": "GET, POST"})


def _check_content_type(content_type: str) -> None:
    name, *parameters = (piece.strip() for piece in content_type.lower().split(";"))
    charset = next((p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")), "utf-8")
    if name != JSON or charset not in ("utf-8", "utf8"):
        raise RefusalError(415, f"the body is sent as {JSON} in UTF-8, not as '{content_type}'", {"Accept": JSON})


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RefusalError(413, f"the body has more than {MAX_BODY_BYTES:,} bytes", {"Connection": "close"})
    return bytes(body)


def _from_query_string(query_string: bytes) -> dict[str, object]:
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError as error:
        raise RefusalError(400, f"the query string cannot be read: {error}") from error
    fields: dict[str, object] = dict(pairs)
    for name in ("variables", "extensions"):
        if text := fields.pop(name, ""):
            fields[name] = _from_json(str(text).encode(), name)
    return fields


def _from_json(text: bytes, what: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RefusalError(400, f"{what} is not JSON: {error}") from error


def _operation(fields: object, *, is_read_only: bool) -> Operation:
    if not isinstance(fields, dict):
        raise RefusalError(400, "send one JSON object with query, variables and operationName; lists are not taken")
    query, name, variables = (fields.get(key) for key in ("query", "operationName", "variables"))
    if not isinstance(query, str) or not query:
        raise RefusalError(400, "query is missing; it is the text of a GraphQL document")
    if not isinstance(name, str | None):
        raise RefusalError(400, "operationName is text, or left out")
    if not isinstance(variables, dict | None) or not isinstance(fields.get("extensions"), dict | None):
        raise RefusalError(400, "variables and extensions are JSON objects, or left out")
    return Operation(query, variables, name or None, is_read_only)


def _response(status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, {**HEADERS, **(headers or {})}, f"{media_type}; charset=utf-8")
