"""OpenClaw's spans: calls or turns, never both."""

import pytest

from loaders.otlp import openclaw
from tests.loaders.otlp.bodies import TRACE, Json, records, request, requests, rules, span, tokens, traces, usages

SCOPE = "openclaw"
OLD_TURN: Json = {
    "openclaw.channel": "matrix",
    "openclaw.provider": "anthropic",
    "openclaw.model": "claude-sonnet-5",
    "openclaw.sessionKey": "agent:main:main",
    "openclaw.sessionId": "7d5b5f0e-0000-4000-8000-000000000001",
    "openclaw.tokens.input": 30,
    "openclaw.tokens.output": 50,
    "openclaw.tokens.cache_read": 9000,
    "openclaw.tokens.cache_write": 400,
    "openclaw.tokens.total": 5000,
}
CALL: Json = {
    "openclaw.provider": "anthropic",
    "openclaw.model": "claude-sonnet-5",
    "openclaw.agent": "main",
    "openclaw.api": "anthropic-messages",
    "openclaw.model_call.observation_unit": "request",
    "gen_ai.operation.name": "chat",
    "gen_ai.system": "anthropic",
    "gen_ai.request.model": "claude-sonnet-5",
    "gen_ai.usage.input_tokens": 9430,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 9000,
    "gen_ai.usage.cache_creation.input_tokens": 400,
}
NEW_TURN: Json = {name: value for name, value in CALL.items() if "model_call" not in name} | {
    "openclaw.tokens.input": 30,
    "openclaw.tokens.output": 50,
}


def openclaw_spans(*spans: Json) -> Json:
    return traces(*spans, resource={"service.name": "openclaw"}, scope=SCOPE)


def test_a_call_of_the_new_exporter_is_a_call_without_a_session() -> None:
    found = request("traces", openclaw_spans(span(1, CALL, name="openclaw.model.call", kind=1)))
    assert (found.scope, found.session_id, found.agent) == ("request", None, "main")
    assert tokens(found) == (30, 9000, 400, 0, 50)  # 9430 - 9000 - 400


def test_a_call_that_is_named_by_the_newest_conventions_is_the_same() -> None:
    found = request("traces", openclaw_spans(span(1, CALL, name="chat claude-sonnet-5")))
    assert tokens(found) == (30, 9000, 400, 0, 50)


def test_a_turn_of_the_new_exporter_is_passed_over_beside_its_calls_and_alone() -> None:
    turn = span(1, NEW_TURN, name="openclaw.model.usage", kind=1)
    both = openclaw_spans(span(2, CALL, parent=1, name="openclaw.model.call", kind=1), turn)
    assert [found.output_tokens for found in requests("traces", both)] == [50]
    assert rules("traces", both) == rules("traces", openclaw_spans(turn)) == [openclaw.TURN]


def test_a_turn_of_the_old_exporter_is_a_count_to_compare_with_and_never_a_call() -> None:
    document = openclaw_spans(span(1, OLD_TURN, name="openclaw.model.usage", kind=1))
    (found,) = usages("traces", document)
    assert records("traces", document) == [found]
    assert found.usage_id == f"otlp:turn:{TRACE}/0000000000000001"
    assert (found.uncached_input_tokens, found.cache_read_tokens, found.cache_write_5m_tokens) == (30, 9000, 400)
    assert (found.output_tokens, found.provider, found.model) == (50, "anthropic", "claude-sonnet-5")
    assert found.member == "turns of openclaw, session 7d5b5f0e-0000-4000-8000-000000000001"


def test_a_turn_without_tokens_is_passed_over() -> None:
    said = {"openclaw.sessionId": "s", "openclaw.tokens.total": 5}
    assert rules("traces", openclaw_spans(span(1, said, name="openclaw.model.usage"))) == [openclaw.EMPTY_TURN]


def test_a_turn_that_hides_its_calls_is_a_count_and_no_call() -> None:
    hidden = CALL | {"openclaw.model_call.observation_unit": "turn"}
    document = openclaw_spans(span(1, hidden, name="openclaw.model.call"))
    (found,) = usages("traces", document)
    assert requests("traces", document) == []
    assert (found.cache_read_tokens, found.member) == (9000, "totals of agents of openclaw, agent main")


def test_a_name_that_is_unknown_is_no_name() -> None:
    said = CALL | {"openclaw.agent": "unknown", "openclaw.provider": "unknown"}
    found = request("traces", openclaw_spans(span(1, said, name="openclaw.model.call")))
    assert (found.agent, found.provider) == (None, "anthropic")


def test_a_call_with_an_error_category_has_failed() -> None:
    said = {"openclaw.provider": "anthropic", "openclaw.errorCategory": "timeout"}
    found = request("traces", openclaw_spans(span(1, said, name="openclaw.model.call")))
    assert (found.status, tokens(found)) == ("error", (None,) * 5)


@pytest.mark.parametrize("name", ["openclaw.run", "openclaw.tool.execution", "openclaw.message.processed"])
def test_other_spans_of_openclaw_are_passed_over(name: str) -> None:
    assert rules("traces", openclaw_spans(span(1, {"openclaw.model": "m"}, name=name))) == [openclaw.OTHER]
