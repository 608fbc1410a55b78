"""One operation from its text to its response. Synchronous, for a worker thread.

    prepare   text and variables -> a question: parsed, measured, validated, its fields collected, its builders compiled
    admit     whether it may run at all
    execute   root fields resolved (planned, asked of the store), then built: `execution`
    write     the body as bytes

Strawberry makes the schema; its own `execute` is not used, because it validates before a limit on size can speak, runs
the first of several operations where none is named, and logs every mistake of a client with a traceback.
"""

from collections.abc import Callable
from contextlib import closing
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import orjson
import strawberry
from graphql import ExecutionResult, GraphQLSchema

from semantic import Caller, Catalog
from semantic.planner import Planner
from server.budgets import Breakers
from server.graphql.context import AnswerLimits, Context, Deadline
from server.graphql.documents import Documents, Refused
from server.graphql.errors import Told, code_of, field_errors, request_errors, told
from server.graphql.execution import execute, execute_plain
from server.graphql.kept import Kept
from server.graphql.operations import Question
from server.jobs import Jobs
from server.routing import Routing
from server.telemetry import Telemetry, current, phase
from store import Store

MOST_INTROSPECTIONS = 32
MOST_INTROSPECTED_BYTES = 8_000_000


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
    content: bytes
    """The body as it is sent."""
    is_executed: bool
    """False where the request was refused before anything ran; the body then has no data."""
    is_wrong_method: bool = False
    """The operation changes something, and came in a way that must not."""
    code: str | None = None
    """Of its first error; None where there is none."""

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = orjson.loads(self.content)
        return body


class Engine:
    """Answers a caller's operations on the schema that is his; safe to use from many threads at once.

    With `is_plain` graphql-core answers everything: what the fast path is compared with.
    """

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
        *,
        is_plain: bool = False,
    ) -> None:
        self._strawberry = schema
        self._planner = Planner(catalog)
        self._store = store
        self._clock = clock
        self._limits = limits
        self._caller = caller
        self._jobs = jobs
        self._breakers = breakers
        self._routing = routing
        self._is_plain = is_plain
        telemetry = telemetry or Telemetry()
        self._documents = Documents(schema).counted(telemetry.cache("document"), telemetry.cache("question"))
        self._introspections: Kept[Question, Response] = Kept(MOST_INTROSPECTIONS, MOST_INTROSPECTED_BYTES)

    @property
    def sdl(self) -> str:
        return self._strawberry.as_str() + "\n"

    @property
    def _schema(self) -> GraphQLSchema:
        return self._strawberry._schema

    def asked_by(self, caller: Caller | None) -> Self:
        """The same engine for another caller with the same roles: what is prepared is shared."""
        engine = copy(self)
        engine._caller = caller
        return engine

    def answer(self, operation: Operation, deadline: Deadline) -> Response:
        response = self._answered(operation, deadline)
        current().code = response.code
        return response

    def _answered(self, operation: Operation, deadline: Deadline) -> Response:
        with phase("prepare"):
            question = self._documents.question(operation.text, operation.name, operation.variables)
        if operation.is_read_only and question.is_mutation:
            refusal = told("a mutation changes something, so it is sent by POST", "BAD_REQUEST")
            return Response(_refusals([refusal]), is_executed=False, is_wrong_method=True, code="BAD_REQUEST")
        if isinstance(question, Refused):
            return Response(question.content, is_executed=False, code=question.code)
        if question.operation.name is not None:
            current().operation = question.operation.name.value
        if refused := self._admitted(question):
            return Response(_refusals([refused]), is_executed=False, code=code_of([refused]))
        if question.is_introspection and not self._is_plain:
            return self._introspected(question)
        return _response(self._executed(question, deadline))

    def _admitted(self, question: Question) -> Told | None:
        """Why a question is refused that could be answered: what it would cost, or who asks. None where nothing is."""
        return None

    def _introspected(self, question: Question) -> Response:
        """What is asked of the schema never changes while there is this schema."""
        response = self._introspections.get(question)
        if response is None:
            response = _response(execute_plain(self._schema, question, None))
            self._introspections.put(question, response, len(response.content))
        return response

    def _executed(self, question: Question, deadline: Deadline) -> ExecutionResult:
        asked = Context(
            *(self._planner, self._store, self._clock(), deadline, self._limits),
            *(self._caller, self._jobs, self._breakers, self._routing),
            {} if self._is_plain else question.once,
        )
        with phase("execute"), closing(asked) as context:
            return (execute_plain if self._is_plain else execute)(self._schema, question, context)


def _response(result: ExecutionResult) -> Response:
    """The body, written. Ends in the engine because `errors` needs the id under which they are logged."""
    errors = result.errors or []
    if not errors:
        with phase("write"):
            return Response(orjson.dumps({"data": result.data}), is_executed=True)
    if result.data is None and all(error.path is None for error in errors):
        told_of = request_errors("INVALID_VARIABLES", errors)
        return Response(_refusals(told_of), is_executed=False, code=code_of(told_of))
    told_of = field_errors(errors, current().request_id)
    body = {"data": result.data, "errors": told_of}
    return Response(orjson.dumps(body), is_executed=True, code=code_of(told_of))


def _refusals(errors: list[Told]) -> bytes:
    return orjson.dumps({"errors": errors})
