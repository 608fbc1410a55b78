"""Which spans are calls, and which are not: attempts within a call, totals over several, other work.

A sum must meet each call once. So a span that wraps another inference span with usage is not counted beside it, and the
tokens of an agent or a workflow, which are those of its calls, are never a call.
"""

from collections.abc import Iterable, Set
from datetime import datetime

from loaders.otlp import openclaw, openrouter
from loaders.otlp.around import Around, SpanKey
from loaders.otlp.batch import Span
from loaders.otlp.fields import first
from loaders.otlp.generations import INFERENCE, has_whole_usage, is_failed, operation_of, read_generation
from loaders.otlp.names import INPUT, OUTPUT
from loaders.otlp.senders import is_claude_code, is_codex
from loaders.otlp.totals import total_of_agent, with_session
from store import Record

TOTALS = frozenset({"invoke_agent", "invoke_workflow", "agent", "workflow", "chain"})
NO_CALL = "a span that tells of no call to a model"
OTHER_OPERATION = "an operation that is no call to a model"
TOTAL_OF_CALLS = "the total of an agent whose calls have spans of their own"
OUTER = "a span around another one of the same call"
INNER = "a span without usage, or with half of it, inside the one that has it"
UNNAMED = "tokens of a span that names no operation: a call or a total, which cannot be told"
CLAUDE_CODE = "a span of Claude Code, whose calls are told by its events"
CODEX = "a span of Codex, whose calls are told by its events"
_CLIENT = 3

Read = tuple[Record, ...] | str
"""The records that an entry gives, or the rule by which it gives none."""


def read_span(span: Span, traces: "Traces", now: datetime) -> Read:
    """Raises `EntryError` or `RecordError` where the span should have told of a call and cannot be read."""
    if openrouter.is_from(span):
        return openrouter.read(span, now)
    if openclaw.is_from(span):
        return openclaw.read(span, now)
    if is_claude_code(span.resource, span.scope):
        return CLAUDE_CODE
    if is_codex(span.resource):
        return CODEX
    return _by_the_conventions(span, traces, now)


def _by_the_conventions(span: Span, traces: "Traces", now: datetime) -> Read:
    operation = operation_of(span.attributes)
    if _is_inference(span):
        if traces.has_call_inside(span):
            return OUTER
        if not has_whole_usage(span.attributes) and not is_failed(span) and traces.is_inside_call(span):
            return INNER
        return with_session(read_generation(span, now))
    if not has_usage(span):
        return NO_CALL if operation is None else OTHER_OPERATION
    if operation is None:
        return UNNAMED
    if operation not in TOTALS:
        return OTHER_OPERATION
    return TOTAL_OF_CALLS if traces.has_calls(span.trace_id) else (total_of_agent(span, now),)


def has_usage(span: Span) -> bool:
    return first(span.attributes, INPUT) is not None or first(span.attributes, OUTPUT) is not None


def _is_inference(span: Span) -> bool:
    """Before operations had names, a client's span with usage was a call."""
    operation = operation_of(span.attributes)
    return operation in INFERENCE or (operation is None and span.kind == _CLIENT and has_usage(span))


class Traces:
    """What the spans of a batch say of each other, and `around` of those that came before; and what it keeps for later.

    Who is around a call that comes in a later batch cannot be known, so that one is counted beside it.
    """

    def __init__(self, spans: Iterable[Span], around: Around) -> None:
        known = {(span.trace_id, span.span_id): span for span in spans}
        calls = [key for key, span in known.items() if _counts(span)]
        halves = [key for key, span in known.items() if _is_inference(span) and has_usage(span) and not _counts(span)]
        self._parents = {key: (span.trace_id, span.parent_id) for key, span in known.items() if span.parent_id}
        self._with_calls = {trace_id for trace_id, _ in calls}
        self._calls = set(calls)
        self._around = {key for key in known if key in around}
        self._mark_around([*self._around, *calls], frozenset())
        around.keep(self._around - known.keys())
        self._mark_around(halves, self._calls)

    def _mark_around(self, inner: Iterable[SpanKey], stop: Set[SpanKey]) -> None:
        """Of spans in each other the innermost with a whole usage counts; where none has one, the innermost half."""
        for key in inner:
            outer = self._parents.get(key)
            while outer is not None and outer not in self._around and outer not in stop:
                self._around.add(outer)
                outer = self._parents.get(outer)

    def has_calls(self, trace_id: str) -> bool:
        """Whether the trace has an inference span with usage."""
        return trace_id in self._with_calls

    def has_call_inside(self, span: Span) -> bool:
        return (span.trace_id, span.span_id) in self._around

    def is_inside_call(self, span: Span) -> bool:
        """Whether a span around it is the call: an inference span with usage, and no other such span inside."""
        seen: set[SpanKey] = set()
        outer = self._parents.get((span.trace_id, span.span_id))
        while outer is not None and outer not in seen:
            if outer in self._calls and outer not in self._around:
                return True
            seen.add(outer)
            outer = self._parents.get(outer)
        return False


def _counts(span: Span) -> bool:
    try:
        return _is_inference(span) and has_whole_usage(span.attributes)
    except ValueError:  # it is rejected where it is read
        return False
