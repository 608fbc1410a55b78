"""One line of the log -> the requests that it tells of.

The line says what an answer does not: who was asked, when, in which session, on which terms.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import cast, get_args

from loaders.cell import Cell, CellError
from loaders.openclaw.calls import is_telling, is_telling_alone, names_of_answer
from loaders.openclaw.values import FieldError, Object, as_object, text
from loaders.responses.answer import Answer, Use, is_error, may_be_charged, read_answer
from loaders.responses.fields import sum_of
from store import Request
from store.records import RequestStatus

SOURCE = "responses"
_STATUSES: tuple[str, ...] = get_args(RequestStatus)
_CLOCK_SLACK = timedelta(days=1)
_STATUS_OF_ANSWER: dict[object, RequestStatus] = {"failed": "error", "cancelled": "aborted"}
"""As OpenAI's Responses say how they ended."""


def requests_in(line: Object, now: datetime) -> tuple[Request, ...]:
    """The call, and those that its answer lists beside its totals; none where the provider refused it.

    Raises `FieldError`, `CellError` or `RecordError` where the line cannot be read.
    """
    if "response" not in line:
        raise FieldError("response is missing; write the provider's answer as it came, or null where none came")
    body = as_object(line["response"]) if line["response"] is not None else {}
    if is_error(body):
        if not may_be_charged(body):
            return ()
        body = {}
    provider = text(line, "provider")
    if provider is None:
        raise FieldError("provider is missing; name who was asked, such as anthropic, as the price book names it")
    answer = read_answer(body, provider) if body else Answer(None, None, (), None)
    call = _call(line, body, provider, answer, now)
    if not answer.uses:
        return (call,)
    own = _with_usage(call, answer.uses[0])
    return own, *(_beside(own, use, number) for number, use in enumerate(answer.uses[1:], start=1))


def _call(line: Object, body: Object, provider: str, answer: Answer, now: datetime) -> Request:
    latest = now + _CLOCK_SLACK
    billed = Cell("billed_usd", line.get("billed_usd")).maybe(Cell.price)
    return Request(
        request_key=f"{provider.lower()}:{_id(line, answer)}",
        source=SOURCE,
        session_id=Cell("session_id", line.get("session_id")).maybe(Cell.text),
        agent=Cell("agent", line.get("agent")).maybe(Cell.text),
        provider=provider,
        model=answer.model or Cell("model", line.get("model")).maybe(Cell.text),
        started_at=Cell("at", line.get("at")).instant(latest=latest),
        ended_at=Cell("ended_at", line.get("ended_at")).maybe(lambda cell: cell.instant(latest=latest)),
        billed_usd=answer.billed_usd if billed is None else billed,
        is_included=Cell("is_included", line.get("is_included")).maybe(Cell.flag) or False,
        unpriced_part=answer.unpriced_part,
        status=_status(line, body),
        identities=_identities(line, answer),
    )


def _with_usage(call: Request, use: Use) -> Request:
    """No call uses nothing at all: zeros alone say nothing, unless the provider says what they cost."""
    buckets = use.buckets
    if not sum_of(buckets) and call.billed_usd is None:
        return call
    return replace(
        call,
        model=use.model or call.model,
        uncached_input_tokens=buckets.uncached_input,
        cache_read_tokens=buckets.cache_read,
        cache_write_5m_tokens=buckets.cache_write_5m,
        cache_write_1h_tokens=buckets.cache_write_1h,
        output_tokens=buckets.output,
    )


def _beside(own: Request, use: Use, number: int) -> Request:
    """What was billed is for the answer as a whole, so nothing more was asked for a call beside it."""
    billed = None if own.billed_usd is None else Decimal(0)
    key, names = f"{own.request_key}#{number}", names_beside(own, number)
    return _with_usage(replace(own, request_key=key, billed_usd=billed, identities=names), use)


def names_beside(own: Request, number: int) -> tuple[str, ...]:
    """Names of a call that an answer lists beside its totals: the answer's, numbered. The others are of `own` alone."""
    return tuple(f"{name}#{number}" for name in own.identities if name.startswith("response:"))


def _identities(line: Object, answer: Answer) -> tuple[str, ...]:
    request_id = text(line, "request_id")
    named = names_of_answer(answer.response_id)
    is_name = request_id is not None and is_telling_alone(request_id)
    return (*named, f"request-id:{request_id}") if is_name else named


def _id(line: Object, answer: Answer) -> str:
    """The provider's own id of the answer, as every other record of the call has it; else the one of the line."""
    if answer.response_id is not None and is_telling(answer.response_id):
        return answer.response_id
    given = text(line, "request_id")
    if given is None:
        raise FieldError(
            "the answer has no id that tells it from others; give the line a request_id, such as the one in the "
            "answer's headers"
        )
    return given


def _status(line: Object, body: Object) -> RequestStatus:
    status = Cell("status", line.get("status")).maybe(Cell.text)
    if status is None:
        stated = body.get("status")
        return _STATUS_OF_ANSWER.get(stated, "ok") if isinstance(stated, str) else "ok" if body else "error"
    if status not in _STATUSES:
        raise CellError(f"status must be one of {', '.join(_STATUSES)}, got {status!r}")
    return cast(RequestStatus, status)
