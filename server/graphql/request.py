"""What a GraphQL request over HTTP says, whichever way it came, or why it says nothing."""

from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from graphql import GraphQLError
from starlette.requests import Request
from starlette.types import Receive

from server.access import Principal
from server.bodies import BodyTooLargeError, whole_body
from server.graphql.engine import Operation
from server.graphql.limits import MAX_BODY_BYTES
from server.graphql.media import KNOWN_HEADERS
from server.graphql.persisted import MAX_ID, Documents
from server.graphql.refusal import RefusalError
from server.graphql.value_limits import check_variables

JSON = "application/json"
CLOSE = {"Connection": "close"}


def header(request: Request, name: bytes) -> str:
    """All that a header says, in lower case its name; empty where it is not there. `Request.headers` takes longer."""
    return b",".join([value for each, value in request.scope["headers"] if each == name]).decode("latin-1")


async def body_of(request: Request, timeout_s: float) -> bytes | None:
    """What is sent by POST; None where the address says it. Raises `RefusalError`."""
    match request.method:
        case "GET":
            return None
        case "POST":
            _check_content_type(header(request, b"content-type"), header(request, b"content-encoding"))
            return await _body(request.receive, timeout_s)
    raise RefusalError(
        405, f"{request.method} is not for this address; use POST or GET", headers={"Allow": "GET, POST"}
    )


def fields_of(request: Request, body: bytes | None) -> object:
    """What the request says; not looked at yet. Raises `RefusalError`."""
    return _from_query_string(request.scope["query_string"]) if body is None else _from_json(body, "the body")


def operation_of(fields: object, principal: Principal, documents: Documents, *, is_read_only: bool) -> Operation:
    """What is to be done. Raises `RefusalError`."""
    if not isinstance(fields, dict):
        raise RefusalError(400, "send one JSON object with query, variables and operationName; lists are not taken")
    name, variables = fields.get("operationName"), fields.get("variables")
    if not isinstance(name, str | None):
        raise RefusalError(400, "operationName is text, or left out")
    if not isinstance(variables, dict | None) or not isinstance(fields.get("extensions"), dict | None):
        raise RefusalError(400, "variables and extensions are JSON objects, or left out")
    try:
        check_variables(variables)
    except GraphQLError as error:
        raise RefusalError(413, error.message, "TOO_LARGE") from error
    return Operation(_text(fields, principal, documents), variables, name or None, is_read_only)


def _text(fields: dict[str, Any], principal: Principal, documents: Documents) -> str:
    query, document_id = fields.get("query"), fields.get("documentId")
    if document_id is not None:
        if query is not None:
            raise RefusalError(400, "query and documentId are both there; send one of them")
        if not isinstance(document_id, str) or not 1 <= len(document_id) <= MAX_ID:
            raise RefusalError(400, f"documentId is text of 1 to {MAX_ID} characters")
        return documents.named(document_id)
    if not isinstance(query, str) or not query:
        raise RefusalError(400, "query is missing; it is the text of a GraphQL document")
    documents.check_free_text(is_operator=principal.is_operator)
    return query


@lru_cache(KNOWN_HEADERS)
def _check_content_type(content_type: str, encoding: str) -> None:
    name, *parameters = (piece.strip() for piece in content_type.lower().split(";"))
    charset = next((p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")), "utf-8")
    if name != JSON or charset not in ("utf-8", "utf8"):
        problem = f"the body is sent as {JSON} in UTF-8, not as '{content_type[:100]}'"
        raise RefusalError(415, problem, headers={"Accept": JSON})
    if encoding.lower() not in ("", "identity"):
        problem = f"the body is sent as it is, not packed as '{encoding[:100]}'"
        raise RefusalError(415, problem, headers={"Accept-Encoding": "identity"})


async def _body(receive: Receive, timeout_s: float) -> bytes:
    try:
        return await whole_body(receive, MAX_BODY_BYTES, timeout_s)
    except TimeoutError as error:
        raise RefusalError(408, f"the body did not arrive within {timeout_s:g} s", "TIMEOUT", CLOSE) from error
    except BodyTooLargeError as error:
        raise RefusalError(413, f"the body has more than {MAX_BODY_BYTES:,} bytes", "TOO_LARGE", CLOSE) from error


def _from_query_string(query_string: bytes) -> dict[str, object]:
    if len(query_string) > MAX_BODY_BYTES:
        raise RefusalError(414, f"the query string has more than {MAX_BODY_BYTES:,} bytes", "TOO_LARGE", CLOSE)
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=16)
    except ValueError as error:
        raise RefusalError(400, f"the query string cannot be read: {error}") from error
    fields: dict[str, object] = dict(pairs)
    if len(fields) < len(pairs):
        raise RefusalError(400, "the query string says something twice; name each parameter once")
    for name in ("variables", "extensions"):
        if text := fields.pop(name, ""):
            fields[name] = _from_json(str(text).encode(), name)
    return fields


def _from_json(text: bytes, what: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RefusalError(400, f"{what} is not JSON: {error}") from error
