"""One operation from its text to its response: parse, measure, validate, execute. Synchronous, for a worker thread.

Strawberry makes the schema; its own `execute` is not used, because it validates before a limit on size can speak, runs
the first of several operations where none is named, and logs every mistake of a client with a traceback.
"""

from collections.abc import Callable
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Self

import orjson
import strawberry
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)

from semantic import Caller, Catalog
from semantic.planner import Planner
from server.budgets import Breakers
from server.graphql.context import AnswerLimits, Context, Deadline
from server.graphql.errors import Told, field_errors, request_errors, told
from server.graphql.limits import MAX_BODY_BYTES, MAX_COMMENTS, MAX_TOKENS, check_size
from server.jobs import Jobs
from server.routing import Routing
from server.telemetry import CacheMeter, Telemetry, current, phase
from store import Store

CACHED_DOCUMENTS = 128
MAX_VALIDATION_ERRORS = 10


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client sends."""

    text: str
    variables: dict[str, Any] | None = None
    name: str | None = None
    is_read_only: bool = False
    """Whether it came in a way that must change nothing, such as GET: links are followed, caches are warmed."""


@dataclass(frozen=True, slots=True)
class Response:
    body: dict[str, Any]
    is_executed: bool
    """False where the request was refused before anything ran; the body then has no data."""
    is_wrong_method: bool = False
    """The operation changes something, and came in a way that must not."""

    @property
    def content(self) -> bytes:
        """The body as it is sent."""
        with phase("write"):
            return orjson.dumps(self.body)

    @property
    def code(self) -> str | None:
        """Of its first error; None where there is none."""
        errors = self.body.get("errors")
        return str(errors[0]["extensions"]["code"]) if errors else None


class Engine:
    """Answers a caller's operations on the schema that is his; safe to use from many threads at once."""

    def __init__(
        self,
        schema: strawberry.Schema,
        catalog: Catalog,
        store: Store,
        clock: Callable[[], datetime],
        limits: AnswerLimits,
        caller: Caller | None = None,
        jobs: Jobs | None = None,
        breakers: Breakers | None = None,
        routing: Routing | None = None,
        telemetry: Telemetry | None = None,
    ) -> None:
        self._strawberry = schema
        self._schema = schema._schema
        self._planner = Planner(catalog)
        self._store = store
        self._clock = clock
        self._limits = limits
        self._caller = caller
        self._jobs = jobs
        self._breakers = breakers
        self._routing = routing
        self._prepared = _counting(
            lambda text: prepared(self._schema, text), (telemetry or Telemetry()).cache("document")
        )

    @property
    def sdl(self) -> str:
        return self._strawberry.as_str() + "\n"

    def asked_by(self, caller: Caller | None) -> Self:
        """The same engine for another caller with the same roles: what is prepared is shared."""
        engine = copy(self)
        engine._caller = caller
        return engine

    def answer(self, operation: Operation, deadline: Deadline) -> Response:
        asked_by = current()
        asked_by.operation = operation.name
        response = self._answer(operation, deadline)
        asked_by.code = response.code
        return response

    def _answer(self, operation: Operation, deadline: Deadline) -> Response:
        with phase("prepare"):
            document = self._prepared(operation.text)
        if not isinstance(document, DocumentNode):
            return Response({"errors": document}, is_executed=False)
        if refusal := _refusal(document, operation.name):
            return Response({"errors": [refusal]}, is_executed=False)
        asked_as = get_operation_ast(document, operation.name)
        if asked_as is not None and asked_as.name is not None:
            current().operation = asked_as.name.value
        if operation.is_read_only and _changes(document, operation.name):
            refusal = told("a mutation changes something, so it is sent by POST", "BAD_REQUEST")
            return Response({"errors": [refusal]}, is_executed=False, is_wrong_method=True)
        asked = Context(
            *(self._planner, self._store, self._clock(), deadline, self._limits),
            *(self._caller, self._jobs, self._breakers, self._routing),
        )
        with phase("execute"), closing(asked) as context:
            result = execute_sync(
                self._schema,
                document,
                context_value=context,
                variable_values=operation.variables,
                operation_name=operation.name,
            )
        errors = result.errors or []
        if errors and result.data is None and all(error.path is None for error in errors):
            return Response({"errors": request_errors("INVALID_VARIABLES", errors)}, is_executed=False)
        body: dict[str, Any] = {"data": result.data}
        if errors:
            body["errors"] = field_errors(errors, current().request_id)
        return Response(body, is_executed=True)


def prepared(schema: GraphQLSchema, text: str) -> DocumentNode | list[Told]:
    """A document that is ready to be executed, or what is wrong with it."""
    try:
        document = parse(
            text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_BODY_BYTES
        )
        check_size(document)
    except GraphQLError as error:
        return request_errors("SYNTAX_ERROR", [error])
    errors = validate(schema, document, max_errors=MAX_VALIDATION_ERRORS)
    return request_errors("INVALID_QUERY", errors) if errors else document


def _counting(
    make: Callable[[str], DocumentNode | list[Told]], meter: CacheMeter
) -> Callable[[str], DocumentNode | list[Told]]:
    """What `make` gives, kept for those who come again; the meter hears of both."""
    cached = lru_cache(CACHED_DOCUMENTS)(make)

    def look_up(text: str) -> DocumentNode | list[Told]:
        misses = cached.cache_info().misses
        found = cached(text)
        (meter.hit if cached.cache_info().misses == misses else meter.miss)()
        return found

    return look_up


def _changes(document: DocumentNode, name: str | None) -> bool:
    meant = get_operation_ast(document, name)
    return meant is not None and meant.operation is OperationType.MUTATION


def _refusal(document: DocumentNode, name: str | None) -> Told | None:
    """Which of its operations is meant is not said, or there is none of that name."""
    if get_operation_ast(document, name):
        return None
    problem = f"there is no operation '{name}'" if name else "the document has several operations"
    return told(f"{problem}; name one of them in operationName", "BAD_REQUEST")
