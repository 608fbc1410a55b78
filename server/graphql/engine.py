"""One operation from its text to its response. Synchronous, for a worker thread.

    prepare   text and variables -> a question: parsed, measured, validated, its fields collected, its builders compiled
    admit     whether it may run at all
    execute   root fields resolved (planned, asked of the store), then built: `execution`
    write     the body as bytes

Strawberry makes the schema; its own `execute` is not used, because it validates before a limit on size can speak, runs
the first of several operations where none is named, and logs every mistake of a client with a traceback.
"""

from collections.abc import Callable, Hashable
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple, Self

import orjson
import strawberry
from graphql import ExecutionResult, GraphQLSchema

from semantic import Caller, Catalog
from semantic.planner import Planner
from server.budgets import Breakers
from server.graphql.context import AnswerLimits, Context, Deadline
from server.graphql.cost import Cost, priced
from server.graphql.documents import Documents, Key, Refused, key_of
from server.graphql.errors import Told, code_of, field_errors, is_lasting, request_errors, told
from server.graphql.execution import execute, execute_plain
from server.graphql.kept import Kept
from server.graphql.operations import Question
from server.graphql.results import Outcome, Results
from server.graphql.schema import CACHEABLE, weights
from server.graphql.subscriptions import Pushed, pushed
from server.jobs import Jobs
from server.routing import Routing
from server.telemetry import Telemetry, current, phase
from store import Store

NOT_STREAMED = (
    "a subscription is sent over a WebSocket (graphql-transport-ws), or by POST with Accept: text/event-stream alone"
)
NOT_POSTED = "a mutation is sent by POST; neither a socket nor a stream of events takes one"
ResultKey = tuple[Hashable, str | None, int, float]
"""The key of a question, the claims of who asks, the version of the data, the minute. Answers outlive their question:
one that holds 60 KB of variables in many objects must not live on with 60 bytes of an answer.
"""
MOST_INTROSPECTIONS = 32
MOST_INTROSPECTED_BYTES = 8_000_000
MOST_NAMES = 1_024


@dataclass(frozen=True, slots=True)
class Operation:
    """What a client sends."""

    text: str
    variables: dict[str, Any] | None = None
    name: str | None = None
    is_read_only: bool = False
    """Whether it came in a way that must change nothing, such as GET: links are followed, caches are warmed."""
    key: Key = field(init=False, compare=False, repr=False)
    """What its question is known by."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", key_of(self.text, self.name, self.variables))


class Response(NamedTuple):  # as `Outcome` and `Deadline`: a frozen dataclass takes three times as long to make
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

    `results` are shared by the engines of a server. With `is_plain` graphql-core answers everything: what the fast path
    is compared with.
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
        results: "Results[Response] | None" = None,
        is_plain: bool = False,
    ) -> None:
        self._strawberry = schema
        self._sdl = cache(lambda: schema.as_str() + "\n")
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
        self._weights = weights(limits.rows)
        self._documents = Documents(schema).counted(telemetry.cache("document"), telemetry.cache("question"))
        self._results: Results[Response] = Results() if results is None else results
        self._introspections: Kept[Question, Response] = Kept(MOST_INTROSPECTIONS, MOST_INTROSPECTED_BYTES)

    @property
    def sdl(self) -> str:
        """Written once: it takes 40 ms."""
        return self._sdl()

    @property
    def _schema(self) -> GraphQLSchema:
        return self._strawberry._schema

    def asked_by(self, caller: Caller | None) -> Self:
        """The same engine for another caller with the same roles: what is prepared is shared."""
        if caller == self._caller:
            return self
        engine = copy(self)
        engine._caller = caller
        return engine

    def has(self, operation: Operation) -> bool:
        """Whether its document is read already, which takes a large one 40 ms."""
        return self._documents.has(operation.key)

    def pushed(self, operation: Operation) -> Pushed | Response:
        """What is to be answered again and again for a subscription, or once for a query; else the refusal."""
        question = self._documents.question(operation.key, operation.variables)
        if isinstance(question, Refused):
            return Response(question.content, is_executed=False, code=question.code)
        if question.is_mutation:
            return _refused(NOT_POSTED)
        return pushed(question.document, operation.text, operation.name)

    def answer(self, operation: Operation, deadline: Deadline, admit: Callable[[Cost], None] | None = None) -> Response:
        """`admit` is told the cost before anything runs; what it raises ends the operation."""
        response = self._answered(operation, deadline, admit)
        current().code = response.code
        return response

    def _answered(self, operation: Operation, deadline: Deadline, admit: Callable[[Cost], None] | None) -> Response:
        with phase("prepare"):
            question = self._documents.question(operation.key, operation.variables)
        if operation.is_read_only and question.is_mutation:
            return _refused("a mutation changes something, so it is sent by POST")._replace(is_wrong_method=True)
        if isinstance(question, Refused):
            return Response(question.content, is_executed=False, code=question.code)
        if question.is_subscription:
            return _refused(NOT_STREAMED)
        if question.operation.name is not None:
            current().operation = question.operation.name.value
        if admit:
            admit(self._cost(question))
        now = self._clock()
        if question.shape.is_introspection and not self._is_plain:
            return self._introspected(question)
        if self._is_plain or not _is_repeatable(question.shape.names):
            return self._executed(question, deadline, now).answer
        key = self._key(question, self._store.data_version(), now)
        return self._results.answer(key, deadline, lambda: self._executed(question, deadline, now, key))

    def kept(self, operation: Operation, admit: Callable[[Cost], None]) -> Response | None:
        """The answer, where it is in memory. Nothing is computed and nothing waits, so the event loop may ask."""
        question = self._documents.known(operation.key)
        if question is None or self._is_plain or not _is_repeatable(question.shape.names):
            return None
        key = self._key(question, self._store.data_version(), self._clock())
        found = self._results.kept.peek(key)
        if found is None:
            return None
        admit(self._cost(question))
        if question.operation.name is not None:
            current().operation = question.operation.name.value
        self._results.kept.get(key)  # so that it is counted, and stays
        return found

    def _cost(self, question: Question) -> Cost:
        """Computed once, as it follows from the text and the variables."""
        cost: Cost | None = question.once.get(Cost)
        if cost is None:
            prices = priced(question.document, question.name, self._weights)
            cost = question.once[Cost] = prices.cost(question.given, self._limits.most_rows)
        return cost

    def _key(self, question: Question, version: int, now: datetime) -> ResultKey:
        """Roles are the engine's, and a question is of one engine."""
        claims = None if self._caller is None else repr(self._caller.claims)
        return question.key, claims, version, now.timestamp() // 60

    def _introspected(self, question: Question) -> Response:
        """What is asked of the schema never changes while there is this schema."""
        response = self._introspections.get(question)
        if response is None:
            response = _response(execute_plain(self._schema, question, None))
            self._introspections.put(question, response, len(response.content))
        return response

    def _executed(
        self, question: Question, deadline: Deadline, now: datetime, key: ResultKey | None = None
    ) -> Outcome[Response]:
        """`key` is what the answer is kept under, unless another version of the data was read for it."""
        context = Context(
            *(self._planner, self._store, now, deadline, self._limits),
            *(self._caller, self._jobs, self._breakers, self._routing),
            kept={} if self._is_plain else question.once,
        )
        try:
            with phase("execute"):
                result = (execute_plain if self._is_plain else execute)(self._schema, question, context)
            version = context.version_read
        finally:
            context.close()
        response = _response(result)
        if result.errors:
            return Outcome(response, None, is_shared=all(is_lasting(error) for error in result.errors))
        is_other = key is not None and version is not None and version != key[2]
        return Outcome(response, self._key(question, version or 0, now) if is_other else key, is_shared=True)


@lru_cache(MOST_NAMES)
def _is_repeatable(names: frozenset[str]) -> bool:
    """Whether the answer to these fields at the top may be given again. Of mutations none is known."""
    return bool(names) and names <= CACHEABLE


def _refused(message: str) -> Response:
    return Response(_refusals([told(message, "BAD_REQUEST")]), is_executed=False, code="BAD_REQUEST")


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
