"""Log events of Claude Code and Codex: each finished call, once."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders.otlp import events
from store import Session
from tests.loaders.otlp.bodies import (
    Json,
    attributes,
    example,
    logs,
    reasons,
    record,
    request,
    requests,
    rules,
    sessions,
    tokens,
)

REQUEST_ID = "req_011CSHoEeqs5C35K2UUqR7Fy"
CLAUDE = {"service.name": "claude-code"}
REQUEST: Json = {
    "event.name": "api_request",
    "event.timestamp": "2026-11-19T00:01:42.530Z",
    "event.sequence": 12,
    "session.id": "s-1",
    "model": "claude-haiku-4-5",
    "input_tokens": "100",
    "output_tokens": 500,
    "cache_read_tokens": "12000",
    "cache_creation_tokens": 400,
    "cost_usd_micros": 4300,
    "duration_ms": "2410",
}
CODEX: Json = {
    "event.name": "codex.sse_event",
    "event.kind": "response.completed",
    "event.timestamp": "2026-11-19T00:01:42.530Z",
    "conversation.id": "0199aaaa-0000-7000-8000-000000000001",
    "model": "gpt-5.2-codex",
    "input_token_count": "1000",
    "output_token_count": "70",
    "cached_token_count": "600",
    "cache_write_token_count": 100,
    "reasoning_token_count": "30",
    "tool_token_count": "1070",
}


def test_the_captured_event_is_a_call_with_its_estimate(shared: Callable[[str], Path]) -> None:
    captured = json.dumps(example(shared("research") / "provider-apis.md", "cc_log"))
    document = json.loads(captured.replace("req_example", REQUEST_ID))  # it was shortened on the page
    found = request("logs", document)
    assert (found.request_key, found.identities) == (f"otlp-events:{REQUEST_ID}", (f"request-id:{REQUEST_ID}",))
    assert (found.agent, found.provider, found.model) == ("claude-code", "anthropic", "claude-haiku-4-5")
    assert tokens(found) == (100, 12000, 400, 0, 500)  # four counters that do not overlap
    assert (found.billed_usd, found.estimated_usd) == (None, Decimal("0.0043"))
    assert found.started_at == datetime(2026, 11, 19, 0, 1, 40, 120000, UTC)  # it lasted 2,410 ms
    (session,) = sessions("logs", document)
    assert session == Session(
        session_id="11111111-2222-4333-8444-000000000042",
        source="otlp-events",
        observed_at=found.started_at,
        agent="claude-code",
        started_at=found.started_at,
    )


def test_an_event_without_the_providers_id_is_named_by_its_session_time_number_and_tokens() -> None:
    found = request("logs", logs(record(REQUEST), resource=CLAUDE))
    assert found.request_key == "otlp-events:claude-code:s-1:2026-11-19T00:01:42.530000+00:00:12.100.12000.400.500"
    assert (found.identities, found.estimated_usd) == ((), Decimal("0.0043"))


@pytest.mark.parametrize("said", ["undefined", "req_", "req_1", "req_undefined", "workflow-of-a-gateway-1"])
def test_an_id_that_the_provider_did_not_give_is_no_name_of_a_call(said: str) -> None:
    made = [record(REQUEST | {"request_id": said, "event.sequence": number}) for number in range(3)]
    found = requests("logs", logs(*made, resource=CLAUDE))
    assert len({one.request_key for one in found}) == 3
    assert [one.identities for one in found] == [(), (), ()]


@pytest.mark.parametrize("count", ["input_tokens", "cache_read_tokens", "cache_creation_tokens", "output_tokens"])
def test_events_of_one_millisecond_without_a_number_are_told_apart_by_their_tokens(count: str) -> None:
    said = {name: value for name, value in REQUEST.items() if name != "event.sequence"}
    made = [record(said), record(said | {count: 7}), record(said)]  # the last one comes again
    found = [one.request_key for one in requests("logs", logs(*made, resource=CLAUDE))]
    assert found[0] == found[2] != found[1]


def test_the_name_of_an_event_may_be_in_the_body_or_in_a_field_of_its_own() -> None:
    bare = {name: value for name, value in REQUEST.items() if name != "event.name"}
    in_body = record({}, body={"stringValue": "claude_code.api_request"}) | {"attributes": attributes(bare)}
    in_field = record(bare, eventName="claude_code.api_request")
    assert request("logs", logs(in_body)).output_tokens == request("logs", logs(in_field)).output_tokens == 500


def test_fast_answers_have_a_price_that_no_line_states() -> None:
    assert request("logs", logs(record(REQUEST | {"speed": "fast"}), resource=CLAUDE)).unpriced_part == "fast mode"
    assert request("logs", logs(record(REQUEST | {"speed": "normal"}), resource=CLAUDE)).unpriced_part is None


@pytest.mark.parametrize(
    ("status", "expected"), [("429", (0,) * 5), (529, (0,) * 5), ("500", (None,) * 5), ("undefined", (None,) * 5)]
)
def test_an_error_is_a_call_that_is_free_only_where_it_was_refused(status: object, expected: tuple[int | None]) -> None:
    said = {"event.name": "api_error", "event.timestamp": "2026-11-19T00:01:42Z", "session.id": "s", "model": "m"}
    found = request("logs", logs(record(said | {"status_code": status}), resource=CLAUDE))
    assert (found.status, tokens(found)) == ("error", expected)


def test_codex_tells_a_call_when_its_answer_is_complete() -> None:
    found = request("logs", logs(record(CODEX, at_ns=0)))  # its clock is in the event
    assert found.session_id == "0199aaaa-0000-7000-8000-000000000001"
    assert (found.agent, found.provider, found.model) == ("codex", "openai", "gpt-5.2-codex")
    assert tokens(found) == (300, 600, 100, 0, 70)  # 1000 - 600 - 100; reasoning is in the output
    assert found.ended_at == datetime(2026, 11, 19, 0, 1, 42, 530000, UTC)
    assert found.request_key == (
        "otlp-events:codex:0199aaaa-0000-7000-8000-000000000001:2026-11-19T00:01:42.530000+00:00:.1000.600.100.70"
    )


@pytest.mark.parametrize("half", ["input_tokens", "output_tokens"])
def test_an_event_without_one_half_of_the_usage_is_unknown(half: str) -> None:
    said = {name: value for name, value in REQUEST.items() if name != half}
    assert tokens(request("logs", logs(record(said), resource=CLAUDE))) == (None,) * 5


@pytest.mark.parametrize("half", ["input_token_count", "output_token_count"])
def test_an_event_of_codex_without_one_half_of_the_usage_is_unknown(half: str) -> None:
    said = {name: value for name, value in CODEX.items() if name != half}
    assert tokens(request("logs", logs(record(said)))) == (None,) * 5


def test_a_cached_part_that_is_larger_than_the_whole_is_rejected() -> None:
    (reason,) = reasons("logs", logs(record(CODEX | {"cached_token_count": "5000"})))
    assert reason.startswith("input_token_count is 1,000, and contains what was cached, of which there is 5,100")


@pytest.mark.parametrize(
    ("said", "resource", "rule"),
    [
        ({"event.name": "user_prompt", "prompt": "a secret"}, CLAUDE, events.OF_CLAUDE_CODE),
        ({"event.name": "tool_result"}, CLAUDE, events.OF_CLAUDE_CODE),
        (CODEX | {"event.kind": "response.created"}, {}, events.OF_CODEX),
        (CODEX | {"event.name": "codex.api_request"}, {}, events.OF_CODEX),
        ({"event.name": "gen_ai.client.inference.operation.details"}, {}, events.OF_A_SPAN),
        ({"event.name": "checkout"}, {}, events.OTHER_EVENT),
        ({"event.name": 7, "model": ["of a car"]}, {}, events.OTHER_EVENT),
    ],
)
def test_other_events_are_passed_over(said: Json, resource: Json, rule: str) -> None:
    assert rules("logs", logs(record(said), resource=resource)) == [rule]


def test_lines_of_openclaws_log_are_passed_over() -> None:
    document = logs(record({"openclaw.log.level": "INFO"}, body={"stringValue": "hello"}), scope="openclaw")
    assert rules("logs", document) == [events.LINE_OF_OPENCLAW]


@pytest.mark.parametrize("stamp", ["yesterday", "2026-11-19T00:01:42", "2019-01-01T00:00:00Z", "2027-01-01T00:00:00Z"])
def test_an_event_at_an_impossible_time_is_rejected(stamp: str) -> None:
    (reason,) = reasons("logs", logs(record(REQUEST | {"event.timestamp": stamp}), resource=CLAUDE))
    assert reason.startswith("event.timestamp must be a time like 2026-11-19T00:01:42.530Z")


def test_an_event_without_any_time_is_rejected() -> None:
    timeless = {name: value for name, value in REQUEST.items() if name != "event.timestamp"}
    (reason,) = reasons("logs", logs(record(timeless, at_ns=0), resource=CLAUDE))
    assert reason.endswith("is missing; a call needs the time at which it was made")
