"""What a client is told when something is wrong: a message, the place, and a stable `extensions.code`.

Of the request:   BAD_REQUEST (not GraphQL over HTTP), SYNTAX_ERROR, TOO_LARGE, INVALID_QUERY, INVALID_VARIABLES
Of the question:  the semantic layer's own codes, such as UNREACHABLE_DIMENSION, BAD_FILTER, BAD_LIMIT, NO_METRICS
Of the answer:    INVALID_VALUE (the store holds a value that the schema does not know), TIMEOUT, INTERNAL

What is INTERNAL is logged with its traceback under the request id that the client gets; nothing else of it is told.
A client's own mistakes are not logged.
"""

import logging
from collections.abc import Sequence
from typing import Any, cast

from graphql import GraphQLError

from semantic import QueryError
from server.graphql.limits import TooLargeError
from store import QueryTimeout

MAX_ERRORS = 20

_log = logging.getLogger(__name__)

Told = dict[str, Any]
"""One entry of a response's `errors`."""


def told(message: str, code: str, **extensions: str) -> Told:
    """An error that has no place in a document."""
    return {"message": message, "extensions": {"code": code, **extensions}}


def code_of(errors: Sequence[Told]) -> str:
    """Of the first of them."""
    return str(errors[0]["extensions"]["code"])


def request_errors(code: str, errors: Sequence[GraphQLError]) -> list[Told]:
    """Errors that were found before anything was executed."""
    return [_located(error, "TOO_LARGE" if isinstance(error, TooLargeError) else code) for error in errors]


def is_lasting(error: GraphQLError) -> bool:
    """Whether the same question would fail again: not where time or memory ran out, or something of ours is broken."""
    found = error.original_error
    return isinstance(found, QueryError) and found.code != "NOT_ANSWERED"


def field_errors(errors: Sequence[GraphQLError], request_id: str) -> list[Told]:
    """Errors of an execution: the first of them, and how many more there are."""
    shown = [_field_error(error, request_id) for error in errors[:MAX_ERRORS]]
    if more := len(errors) - len(shown):
        shown.append(told(f"and {more:,} more, not shown", shown[-1]["extensions"]["code"]))
    return shown


def _field_error(error: GraphQLError, request_id: str) -> Told:
    match error.original_error:
        case QueryError() as refused:
            return _located(error, refused.code)
        case QueryTimeout():
            return _located(error, "TIMEOUT")
        case None | GraphQLError():
            return _located(error, "INVALID_VALUE")
    path = ".".join(str(step) for step in error.path or ())
    _log.error("request %s failed at %s", request_id, path, exc_info=error.original_error)
    message = f"Internal error; the server's log has the reason under {request_id}"
    return {**_located(error, "INTERNAL"), **told(message, "INTERNAL", requestId=request_id)}


def _located(error: GraphQLError, code: str) -> Told:
    return {**cast(Told, error.formatted), "extensions": {"code": code}}
