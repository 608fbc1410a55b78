"""One assistant message becomes one request: its identity, times, model, status and tokens."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import cast

import pytest

from loaders.openclaw.calls import Owner, read_call
from loaders.openclaw.values import FieldError, Object
from store import Request
from tests.loaders.openclaw.conftest import ANSWERED, NOTHING, NOW, OTHER, SESSION, USAGE, Json, answer, at, ms

STARTED = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
OWNER = Owner(SESSION, "main", STARTED)


def call(entry: Json, owner: Owner = OWNER) -> Request:
    return read_call(entry, cast(Object, entry["message"]), owner, NOW)


def test_an_answer_is_one_request_with_everything_it_says() -> None:
    usage = {**USAGE, "cost": {"total": Decimal("0.006411")}}
    assert call(answer(responseId="resp_demo_1", usage=usage)) == Request(
        request_key="anthropic:resp_demo_1",
        source="openclaw",
        session_id=SESSION,
        agent="main",
        provider="anthropic",
        model="claude-demo-4",
        started_at=at("2026-03-04T09:00:04Z"),
        ended_at=at("2026-03-04T09:00:05Z"),
        uncached_input_tokens=12,
        cache_read_tokens=9000,
        cache_write_5m_tokens=640,
        cache_write_1h_tokens=0,
        output_tokens=85,
        estimated_usd=Decimal("0.006411"),
        owner_started_at=STARTED,
    )


def test_an_estimate_of_openclaw_is_never_a_bill() -> None:
    assert call(answer(usage={**USAGE, "cost": {"total": Decimal(2)}})).billed_usd is None


def test_a_call_without_a_response_id_is_known_by_its_entry_and_its_numbers() -> None:
    key = call(answer()).request_key
    assert key.startswith("openclaw:")
    assert len(key) == len("openclaw:") + 64
    assert call(answer(), Owner(OTHER, "ops", NOW)).request_key == key


@pytest.mark.parametrize(
    "different",
    [
        answer(entry_id="a0000003"),
        answer(timestamp="2026-03-04T09:00:06Z"),
        answer(provider="openrouter"),
        answer(model="claude-demo-5"),
        answer(usage={**USAGE, "output": 86}),
        answer(usage={**USAGE, "cacheRead": 9001}),
    ],
)
def test_a_call_that_differs_in_any_part_of_its_identity_is_another_call(different: Json) -> None:
    assert call(different).request_key != call(answer()).request_key


def test_the_identity_does_not_change_with_a_correction_of_the_tokens() -> None:
    usage = {"input": 1000, "output": 50, "cacheRead": 800}
    corrected = call(answer(api="google-vertex", usage={**usage, "totalTokens": 1050}))
    assert corrected.uncached_input_tokens == 200
    assert corrected.request_key == call(answer(api="google-vertex", usage=usage)).request_key


def test_the_same_response_id_from_two_providers_is_two_calls() -> None:
    keys = {call(answer(provider=name, responseId="req_1")).request_key for name in ("anthropic", "openai")}
    assert keys == {"anthropic:req_1", "openai:req_1"}


def test_a_response_id_drawn_from_a_thousand_identifies_nothing() -> None:
    first = call(answer(provider="ollama", responseId="chatcmpl-417"))
    second = call(answer(provider="ollama", responseId="chatcmpl-417", timestamp="2026-03-04T09:05:00Z"))
    assert first.request_key != second.request_key
    assert call(answer(provider="openai", responseId="chatcmpl-9x4170000")).request_key == "openai:chatcmpl-9x4170000"


def test_an_empty_response_id_is_none() -> None:
    assert call(answer(responseId="")).request_key == call(answer()).request_key


def test_the_model_that_served_wins_over_the_model_asked_for() -> None:
    assert call(answer(model="auto", responseModel=" claude-demo-4-20260101 ")).model == "claude-demo-4-20260101"


def test_provider_and_model_stay_as_they_were_written() -> None:
    request = call(answer(provider="openrouter ", model=" anthropic/claude-x"))
    assert (request.provider, request.model) == ("openrouter", "anthropic/claude-x")


def made_at(time: object) -> Json:
    """An answer whose entry was written at 09:00:05 and whose message says that it was made at `time`."""
    entry = answer()
    cast(Json, entry["message"])["timestamp"] = time
    return entry


@pytest.mark.parametrize(
    "time",
    [ms("2026-03-04T09:00:06Z"), ms("2026-03-03T09:00:04Z"), 1772614804, 4102444800000, "soon", True, 0, None],
    ids=["after its entry", "a day before it", "in seconds", "in 2100", "no time", "a flag", "unset", "missing"],
)
def test_a_message_time_that_cannot_be_the_start_is_not_used(time: object) -> None:
    request = call(made_at(time))
    assert request.started_at == request.ended_at == at("2026-03-04T09:00:05Z")


def test_a_message_made_when_its_entry_was_written_took_no_measurable_time() -> None:
    request = call(made_at(ms("2026-03-04T09:00:05Z")))
    assert request.started_at == request.ended_at


def test_an_entry_without_a_time_takes_the_time_of_its_message() -> None:
    entry = {name: value for name, value in answer().items() if name != "timestamp"}
    request = call(entry)
    assert request.started_at == request.ended_at == at("2026-03-04T09:00:04Z")


def test_a_call_without_any_time_is_refused() -> None:
    entry = {name: value for name, value in made_at(None).items() if name != "timestamp"}
    with pytest.raises(FieldError, match="timestamp is missing"):
        call(entry)


def test_a_call_in_the_future_is_refused_with_the_reason() -> None:
    entry = answer(timestamp="2026-03-12T09:00:00Z")
    with pytest.raises(FieldError, match=r"more than a day ahead of this load's clock$"):
        call(entry)


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"stopReason": "stop"}, "ok"),
        ({"stopReason": "toolUse"}, "ok"),
        ({"stopReason": "length"}, "ok"),
        ({"stopReason": None}, "ok"),
        ({"stopReason": "error"}, "error"),
        ({"stopReason": "aborted"}, "aborted"),
        ({"stopReason": "stop", "openclawAbort": {"aborted": True, "origin": "user"}}, "aborted"),
        ({"stopReason": "stop", "openclawAbort": {"aborted": False}}, "ok"),
    ],
)
def test_the_status_follows_the_stop_reason(message: Json, status: str) -> None:
    assert call(answer("a1", ANSWERED, **message)).status == status


@pytest.mark.parametrize("error", ["529 overloaded", "429 rate limit", "HTTP 401 bad key", " 503: try later"])
def test_a_call_that_the_provider_refused_used_nothing(error: str) -> None:
    request = call(answer(content=[], usage=NOTHING, stopReason="error", errorMessage=error))
    assert request.status == "error"
    assert (request.uncached_input_tokens, request.cache_read_tokens, request.output_tokens) == (0, 0, 0)


@pytest.mark.parametrize("error", ["504 gateway timeout", "408 timeout", "socket hang up", "terminated", None])
def test_a_failed_call_that_may_have_been_served_is_a_request_without_usage(error: str | None) -> None:
    request = call(answer(content=[], usage=NOTHING, stopReason="error", errorMessage=error))
    assert request.status == "error"
    assert request.uncached_input_tokens is request.output_tokens is request.cache_read_tokens is None


def test_an_answer_of_a_custom_provider_with_text_and_only_zeros_has_no_usage() -> None:
    request = call(answer(provider="my-proxy", usage={**NOTHING, "cost": {"total": 0}}))
    assert (request.status, request.output_tokens, request.estimated_usd) == ("ok", None, None)


def test_a_failed_call_that_was_billed_keeps_its_tokens() -> None:
    request = call(answer(stopReason="error", usage={"input": 5000, "output": 0}))
    assert (request.status, request.uncached_input_tokens, request.output_tokens) == ("error", 5000, 0)


def test_a_missing_usage_is_missing_and_usage_on_the_entry_is_read() -> None:
    assert call(answer(usage=None)).output_tokens is None
    assert call(answer(usage=None) | {"usage": USAGE}).output_tokens == 85


@pytest.mark.parametrize("field", ["provider", "model", "responseId", "stopReason", "api", "usage", "openclawAbort"])
def test_a_field_of_the_wrong_type_is_refused_by_name(field: str) -> None:
    with pytest.raises(FieldError, match=field):
        call(answer("a1", ANSWERED, **{field: 5}))
