"""OpenRouter's Broadcast: of several spans the root counts, once, with what was charged."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from loaders.otlp import openrouter
from tests.loaders.otlp.bodies import Json, example, items, request, requests, rules, span, tokens, traces

RESOURCE = {"service.name": "openrouter", "openrouter.trace.id": "gen-1-AAAA"}
ROOT: Json = {
    "span.type": "generation",
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.request.model": "anthropic/claude-haiku-4.5",
    "gen_ai.response.id": "gen-1-AAAA",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.usage.total_cost": 0.0043,
}


def broadcast(said: Json, **fields: object) -> Json:
    return traces(span(1, said, name="LLM Generation", **fields), resource=RESOURCE)


def test_the_captured_delivery_is_one_call_with_its_bill(shared: Callable[[str], Path]) -> None:
    document = example(shared("research") / "provider-apis.md", "or_broadcast")
    found = request("traces", document)
    assert found.request_key == "openrouter:gen-1795046500-AAAAaaaaBBBBbbbbCCCC"
    assert (found.provider, found.model) == ("openrouter", "anthropic/claude-haiku-4.5")
    assert found.session_id == "sess-7f3a"
    assert tokens(found) == (100, 12000, 400, 0, 500)  # 12500 - 12000 - 400
    assert (found.billed_usd, found.estimated_usd) == (Decimal("0.0043"), None)
    assert found.identities == (
        "response:gen-1795046500-AAAAaaaaBBBBbbbbCCCC",
        "span:0af7651916cd43dd8448eb211c80319c/0af7651916cd43dd",
    )
    assert rules("traces", document) == [openrouter.PART]


def test_a_root_with_a_parent_and_another_name_is_known_by_its_type() -> None:
    document = traces(span(2, ROOT, parent=1, name="my generation"), resource=RESOURCE)
    assert request("traces", document).output_tokens == 5


def test_an_older_root_is_known_by_its_name() -> None:
    untyped = {name: value for name, value in ROOT.items() if name != "span.type"}
    assert request("traces", broadcast(untyped)).billed_usd == Decimal("0.0043")


@pytest.mark.parametrize(
    "said",
    [
        {"span.type": "span", "gen_ai.response.id": "gen-1-AAAA:attempt-0"},
        {"span.type": "generation", "gen_ai.response.id": "gen-1-AAAA:generation"},
    ],
)
def test_the_attempts_within_a_generation_are_no_calls(said: Json) -> None:
    assert rules("traces", traces(span(2, said, parent=1), resource=RESOURCE)) == [openrouter.PART]


@pytest.mark.parametrize(
    "made",
    [
        span(1, {}, trace=f"{1:032x}", name="openrouter-connection-test"),
        span(1, ROOT | {"trace.name": "Test Trace - OpenRouter Observability"}, name="LLM Generation"),
        span(1, ROOT, name="Test Trace - OpenRouter Observability"),
    ],
)
def test_tests_and_samples_are_passed_over(made: Json) -> None:
    for resource in (RESOURCE, {}):
        if resource or made["name"] != "LLM Generation":
            assert rules("traces", traces(made, resource=resource)) == [openrouter.TEST]


def test_an_empty_connection_test_is_nothing() -> None:
    assert items("traces", {}) == items("traces", {"resourceSpans": []}) == []


@pytest.mark.parametrize("error", [{}, {"error.type": "429"}])
def test_a_generation_that_failed_without_usage_costs_nobody_knows_what(error: Json) -> None:
    said = {name: value for name, value in ROOT.items() if not name.startswith("gen_ai.usage.")} | error
    found = request("traces", broadcast(said | {"span.level": "ERROR"}, status={"code": 2, "message": "cancelled"}))
    assert (found.status, tokens(found), found.billed_usd) == ("error", (None,) * 5, None)


@pytest.mark.parametrize(
    ("responses", "billed"),
    [
        ([{"is_byok": False, "status": 200}], "0.0043"),
        ([{"is_byok": False, "status": 500}, {"is_byok": True, "status": 200}], None),
        ({"is_byok": True}, None),
        ("no list", "0.0043"),
    ],
)
def test_with_a_key_of_ones_own_the_credits_are_not_the_spend(responses: object, billed: str | None) -> None:
    found = request("traces", broadcast(ROOT | {"trace.metadata.provider_responses": json.dumps(responses)}))
    assert found.billed_usd == (None if billed is None else Decimal(billed))


def test_what_was_free_is_billed_as_such() -> None:
    assert request("traces", broadcast(ROOT | {"gen_ai.usage.total_cost": 0.0})).billed_usd == 0


def test_the_agent_is_what_the_caller_put_into_the_trace() -> None:
    found = request("traces", broadcast(ROOT | {"trace.metadata.agent": "xavier"}))
    assert found.agent == "xavier"


def test_a_delivery_that_comes_again_is_the_same_call() -> None:
    twice = [requests("traces", broadcast(ROOT)) for _ in range(2)]
    assert twice[0] == twice[1]


def test_prompts_are_never_read() -> None:
    secret = "the plan of the takeover"
    payload = {
        name: json.dumps({"messages": [secret] * 100}) for name in ("gen_ai.prompt", "span.input", "span.output")
    }
    read = items("traces", broadcast(ROOT | payload | {"gen_ai.completion": secret, "trace.input": secret}))
    assert secret not in repr(read)
