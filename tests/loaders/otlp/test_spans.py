"""Spans of inference become calls, each once; everything else is passed over by a rule that is named."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from loaders.otlp import Around, spans
from store import Request, Session
from tests.loaders.otlp.bodies import (
    START_NS,
    TRACE,
    Json,
    one_after_the_other,
    reasons,
    records,
    request,
    requests,
    rules,
    span,
    tokens,
    traces,
    usages,
)

CHAT: Json = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5.2",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 50,
}
AT = datetime(2026, 11, 19, 0, 1, 40, 120000, UTC)


def chat(**said: object) -> Json:
    return CHAT | {f"gen_ai.{name.replace('__', '.')}": value for name, value in said.items()}


def test_a_span_is_a_call_with_all_that_it_says() -> None:
    said = chat(response__model="gpt-5.2-2026-08-01", response__id="chatcmpl-9xYz000000", conversation__id="s-1")
    said |= {"gen_ai.agent.name": "xavier", "gen_ai.usage.cache_read.input_tokens": 600, "operation.cost": 0.0012}
    call, session = records("traces", traces(span(1, said)))
    assert call == Request(
        request_key="openai:chatcmpl-9xYz000000",
        source="otlp",
        session_id="s-1",
        agent="xavier",
        provider="openai",
        model="gpt-5.2-2026-08-01",
        started_at=AT,
        ended_at=AT.replace(second=42),
        uncached_input_tokens=400,
        cache_read_tokens=600,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=50,
        estimated_usd=Decimal("0.0012"),
        identities=("response:chatcmpl-9xYz000000", f"span:{TRACE}/0000000000000001"),
    )
    assert session == Session(session_id="s-1", source="otlp", observed_at=AT, agent="xavier", started_at=AT)


def test_a_call_without_an_id_of_its_own_is_named_by_its_span() -> None:
    found = request("traces", traces(span(1, chat(response__id="chatcmpl-77"))))  # one of a thousand that Ollama draws
    assert found.request_key == f"otlp:{TRACE}/0000000000000001"
    assert found.identities == (f"span:{TRACE}/0000000000000001",)


def test_a_session_without_its_agent_is_a_name_and_no_more() -> None:
    (call,) = records("traces", traces(span(1, CHAT | {"session.id": "s-1"})))
    assert isinstance(call, Request)
    assert (call.session_id, call.agent) == ("s-1", None)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"usage.input_tokens": 100, "usage.output_tokens": 5}, (100, 0, 0, 0, 5)),
        ({"usage.prompt_tokens": 100, "usage.completion_tokens": 5}, (100, 0, 0, 0, 5)),
        ({"usage.input_tokens": 100, "usage.output_tokens": 5, "usage.cache_read_input_tokens": 60}, (40, 60, 0, 0, 5)),
        (
            {"usage.input_tokens": 100, "usage.output_tokens": 5, "usage.cache_write.input_tokens": 30},
            (70, 0, 30, 0, 5),
        ),
        (
            {"usage.input_tokens": 100, "usage.output_tokens": 5, "usage.cache_creation.input_tokens": 30},
            (70, 0, 30, 0, 5),
        ),
        (
            {"usage.input_tokens": 100, "usage.output_tokens": 5, "usage.cache_creation_input_tokens": 30},
            (70, 0, 30, 0, 5),
        ),
        (
            {
                "usage.input_tokens": 100,
                "usage.output_tokens": 5,
                "usage.input_tokens.cached": 10,
                "usage.input_tokens.cache_write": 30,
                "usage.input_tokens.cache_write_1h": 20,
            },
            (60, 10, 10, 20, 5),
        ),
        (
            {"usage.input_tokens": 100, "usage.output_tokens": 5, "usage.input_tokens.cache_write_5m": 7},
            (93, 0, 7, 0, 5),
        ),
        ({"usage.input_tokens": 100, "usage.output_tokens": 9, "usage.reasoning.output_tokens": 4}, (100, 0, 0, 0, 9)),
        ({"usage.input_tokens": "100", "usage.output_tokens": 5.0}, (100, 0, 0, 0, 5)),
    ],
)
def test_old_and_new_names_of_counts_are_read(said: Json, expected: tuple[int, ...]) -> None:
    named = {"gen_ai.operation.name": "chat"} | {f"gen_ai.{name}": value for name, value in said.items()}
    assert tokens(request("traces", traces(span(1, named)))) == expected


@pytest.mark.parametrize(
    "said",
    [
        {
            "llm.request.type": "chat",
            "gen_ai.system": "openai",
            "gen_ai.usage.prompt_tokens": 7,
            "gen_ai.usage.completion_tokens": 5,
        },
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "gpt-5.2",
            "llm.token_count.prompt": 7,
            "llm.token_count.completion": 5,
        },
        {
            "gen_ai.system": "openai",
            "gen_ai.request.model": "gpt-5.2",
            "llm.usage.prompt_tokens": 7,
            "llm.usage.completion_tokens": 5,
        },
    ],
)
def test_senders_of_older_conventions_are_understood(said: Json) -> None:
    assert tokens(request("traces", traces(span(1, said)))) == (7, 0, 0, 0, 5)


@pytest.mark.parametrize("operation", ["chat", "generate_content", "text_completion", "completion", "llm"])
@pytest.mark.parametrize("half", ["input_tokens", "output_tokens"])
def test_half_a_usage_is_unknown_and_not_priced(operation: str, half: str) -> None:
    said = {"gen_ai.operation.name": operation, f"gen_ai.usage.{half}": 1000, "error.type": "429"}
    assert tokens(request("traces", traces(span(1, said)))) == (None,) * 5  # such as of a stream that was cut off


def test_a_clients_span_of_no_named_operation_with_half_a_usage_is_unknown() -> None:
    said = {"gen_ai.system": "openai", "llm.usage.prompt_tokens": 7}
    assert tokens(request("traces", traces(span(1, said)))) == (None,) * 5


def test_an_output_of_0_that_is_stated_is_0() -> None:
    assert tokens(request("traces", traces(span(1, chat(usage__output_tokens=0))))) == (1000, 0, 0, 0, 0)


@pytest.mark.parametrize("operation", ["embeddings", "embedding", "rerank"])
def test_an_operation_without_output_may_state_its_input_alone(operation: str) -> None:
    said = {"gen_ai.operation.name": operation, "gen_ai.usage.input_tokens": 7}
    assert tokens(request("traces", traces(span(1, said)))) == (7, 0, 0, 0, 0)


def test_half_a_usage_gives_way_to_the_whole_one_around_it_and_stands_where_that_is_of_another_call() -> None:
    half = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 1000}
    document = traces(span(1, CHAT), span(2, half, parent=1))
    assert (request("traces", document).output_tokens, rules("traces", document)) == (50, [spans.INNER])
    document = traces(span(1, half), span(2, half, parent=1))
    assert (tokens(request("traces", document)), rules("traces", document)) == ((None,) * 5, [spans.OUTER])
    document = traces(span(1, CHAT), span(2, half, parent=1), span(3, CHAT, parent=1))
    assert [found.output_tokens for found in requests("traces", document)] == [None, 50]
    assert rules("traces", document) == [spans.OUTER]


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        # More cached than there is input: the input cannot contain it.
        ({"input_tokens": 100, "cache_read.input_tokens": 600, "cache_write.input_tokens": 50}, (100, 600, 50, 0, 0)),
        # The total says that the input stands beside what was cached.
        ({"input_tokens": 700, "cache_read.input_tokens": 600, "total_tokens": 1300}, (700, 600, 0, 0, 0)),
        # The total says that the input contains it.
        ({"input_tokens": 700, "cache_read.input_tokens": 600, "total_tokens": 700}, (100, 600, 0, 0, 0)),
        # Nothing tells: the conventions are believed.
        ({"input_tokens": 700, "cache_read.input_tokens": 600}, (100, 600, 0, 0, 0)),
    ],
)
def test_what_was_cached_is_counted_once_whichever_way_it_is_sent(usage: Json, expected: tuple[int, ...]) -> None:
    said = chat(usage__output_tokens=0) | {f"gen_ai.usage.{name}": value for name, value in usage.items()}
    assert tokens(request("traces", traces(span(1, said)))) == expected


@pytest.mark.parametrize(
    ("sent", "meant"), [("aws.bedrock", "bedrock"), ("gcp.vertex_ai", "google"), ("x_ai", "xai"), ("Groq", "Groq")]
)
def test_a_provider_has_the_name_that_price_books_give_it(sent: str, meant: str) -> None:
    assert request("traces", traces(span(1, chat(provider__name=sent)))).provider == meant


def test_a_call_without_usage_is_unknown_and_not_free() -> None:
    found = request("traces", traces(span(1, {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5.2"})))
    assert tokens(found) == (None,) * 5


def test_zeros_alone_say_nothing_of_usage() -> None:
    found = request("traces", traces(span(1, chat(usage__input_tokens=0, usage__output_tokens=0))))
    assert tokens(found) == (None,) * 5


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"error.type": "429"}, (0,) * 5),
        ({"error.type": "openai.RateLimitError"}, (0,) * 5),
        ({"error.type": "APIStatusError", "http.response.status_code": 529}, (0,) * 5),
        ({"error.type": "timeout"}, (None,) * 5),
        ({"error.type": "APITimeoutError 503"}, (None,) * 5),
        ({"error.type": "timed out after 429 ms"}, (None,) * 5),
        ({"error.type": "DeadlineExceeded", "http.response.status_code": 503}, (None,) * 5),
        ({"error.type": "503", "openclaw.errorCategory": "timeout"}, (None,) * 5),
        ({"error.type": "503"}, (0,) * 5),
        ({"error.type": "APIError", "http.response.status_code": 500}, (None,) * 5),
        ({}, (None,) * 5),
    ],
)
def test_a_call_that_failed_is_free_only_where_it_was_refused(error: Json, expected: tuple[int | None, ...]) -> None:
    said = {"gen_ai.operation.name": "chat"} | error
    found = request("traces", traces(span(1, said, status={"code": 2, "message": "went wrong"})))
    assert (found.status, tokens(found)) == ("error", expected)


def test_of_two_spans_of_one_call_the_inner_one_counts() -> None:
    framework, client = span(1, CHAT), span(2, chat(response__id="chatcmpl-9xYz000000"), parent=1)
    document = traces(framework, client)
    assert request("traces", document).request_key == "openai:chatcmpl-9xYz000000"
    assert rules("traces", document) == [spans.OUTER]


def test_a_span_around_a_call_of_an_earlier_body_is_no_other_call() -> None:
    """An exporter sends what has ended: the client's span, then another around it, then the framework's."""
    client, between, framework = span(3, CHAT, parent=2), span(2, {}, parent=1), span(1, CHAT)
    bodies = [traces(client), traces(between), traces(framework)]
    assert one_after_the_other(Around(), *bodies) == [[f"otlp:{TRACE}/{3:016x}"], [spans.NO_CALL], [spans.OUTER]]
    again = [traces(client, between), traces(framework), traces(client)]
    expected = [[f"otlp:{TRACE}/{3:016x}", spans.NO_CALL], [spans.OUTER], [f"otlp:{TRACE}/{3:016x}"]]
    assert one_after_the_other(Around(), *again) == expected


def test_a_span_beside_a_call_of_an_earlier_body_is_a_call() -> None:
    """Two calls of one agent; and the same numbers in another trace."""
    agent = span(1, {"gen_ai.operation.name": "invoke_agent"}, kind=1)
    other_trace = span(1, CHAT, trace="f" * 32)
    bodies = [traces(span(2, CHAT, parent=1)), traces(span(3, CHAT, parent=1)), traces(agent, other_trace)]
    assert one_after_the_other(Around(), *bodies) == [
        [f"otlp:{TRACE}/{2:016x}"],
        [f"otlp:{TRACE}/{3:016x}"],
        [spans.OTHER_OPERATION, f"otlp:{'f' * 32}/{1:016x}"],
    ]


def test_a_sender_does_not_pass_over_the_calls_of_another() -> None:
    around = Around()
    assert one_after_the_other(around.of("one"), traces(span(2, CHAT, parent=1))) == [[f"otlp:{TRACE}/{2:016x}"]]
    assert one_after_the_other(around.of("other"), traces(span(1, CHAT))) == [[f"otlp:{TRACE}/{1:016x}"]]
    assert one_after_the_other(around.of("one"), traces(span(1, CHAT))) == [[spans.OUTER]]


def test_what_is_remembered_of_spans_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loaders.otlp.around.MOST_KEPT", 2)
    around = Around()
    inner = [traces(span(n, CHAT, parent=n + 1)) for n in (10, 20, 10, 30)]
    one_after_the_other(around, *inner)
    outer = [traces(span(n, CHAT)) for n in (11, 21, 31)]
    assert one_after_the_other(around, *outer) == [[spans.OUTER], [f"otlp:{TRACE}/{21:016x}"], [spans.OUTER]]


def test_an_inner_span_without_usage_gives_way_to_the_outer_one_unless_it_failed() -> None:
    bare = {"gen_ai.operation.name": "chat"}
    retried = span(3, bare | {"error.type": "429"}, parent=1)
    document = traces(span(1, CHAT), span(2, bare, parent=1), retried)
    assert [(found.status, found.output_tokens) for found in requests("traces", document)] == [("ok", 50), ("error", 0)]
    assert rules("traces", document) == [spans.INNER]


def test_spans_that_are_each_others_parents_are_read_and_end() -> None:
    document = traces(span(1, CHAT, parent=2), span(2, CHAT, parent=1), span(3, {}, parent=3))
    assert rules("traces", document) == [spans.OUTER, spans.OUTER, spans.NO_CALL]


AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "xavier", "gen_ai.usage.input_tokens": 1000}


def test_the_total_of_an_agent_is_passed_over_while_its_trace_has_calls() -> None:
    document = traces(span(1, AGENT, kind=1), span(2, CHAT, parent=1))
    assert request("traces", document).output_tokens == 50
    assert rules("traces", document) == [spans.TOTAL_OF_CALLS]


def test_the_total_of_an_agent_without_calls_is_a_count_to_compare_with_and_never_a_call() -> None:
    workflow = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.usage.input_tokens": 1500}
    document = traces(span(1, workflow), span(2, AGENT, parent=1), resource={"service.name": "shop"})
    assert requests("traces", document) == []
    first, second = usages("traces", document)
    assert first.usage_id == second.usage_id == f"otlp:total:{TRACE}"
    assert (first.uncached_input_tokens, second.uncached_input_tokens) == (1500, 1000)
    assert (second.member, second.reporter, second.is_lower_bound) == (
        "totals of agents of shop, agent xavier",
        "meter",
        True,
    )


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"http.method": "GET"}, spans.NO_CALL),
        ({"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "sh"}, spans.OTHER_OPERATION),
        ({"gen_ai.operation.name": "create_agent"}, spans.OTHER_OPERATION),
        ({"gen_ai.operation.name": "retrieval", "gen_ai.usage.input_tokens": 5}, spans.OTHER_OPERATION),
        ({"gen_ai.usage.input_tokens": 5}, spans.UNNAMED),
    ],
)
def test_what_is_no_call_is_passed_over_by_a_rule(said: Json, rule: str) -> None:
    assert rules("traces", traces(span(1, said, kind=1))) == [rule]


@pytest.mark.parametrize(
    ("service", "rule"), [("claude-code", spans.CLAUDE_CODE), ("codex_cli_rs", spans.CODEX), ("codex-cli", spans.CODEX)]
)
def test_programs_whose_events_tell_their_calls_are_not_counted_by_their_spans(service: str, rule: str) -> None:
    assert rules("traces", traces(span(1, CHAT), resource={"service.name": service})) == [rule]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (chat(usage__input_tokens=-1), "gen_ai.usage.input_tokens must be a whole number from 0 on, got '-1'"),
        (chat(usage__input_tokens=2**62), "gen_ai.usage.input_tokens must be a whole number from 0 on"),
        (chat(usage__input_tokens=1.5), "gen_ai.usage.input_tokens must be a whole number from 0 on, got '1.5'"),
        (chat(usage__input_tokens="many"), "gen_ai.usage.input_tokens must be a whole number from 0 on, got 'many'"),
        (chat(usage__input_tokens=True), "gen_ai.usage.input_tokens must be a whole number from 0 on, got 'True'"),
        (chat(usage__cost=float("nan")), "gen_ai.usage.cost must be an amount of US dollars from 0 on, got 'nan'"),
        (chat(usage__cost=-0.1), "gen_ai.usage.cost must be an amount of US dollars from 0 on, got '-0.1'"),
        (chat(request__model=7), "gen_ai.request.model must be a text, got '7'"),
        (chat(request__model="m" * 501), "gen_ai.request.model must be at most 500 characters"),
        (
            chat(**{"usage__input_tokens.cache_write": 5, "usage__input_tokens.cache_write_1h": 9}),
            "cache writes are 0 for 5 minutes and 9 for 1 hour, but 5 together",
        ),
    ],
)
def test_one_span_that_cannot_be_read_is_rejected_and_costs_no_other(said: Json, reason: str) -> None:
    document = traces(span(1, said), span(2, CHAT))
    (found,) = reasons("traces", document)
    assert found.startswith(reason)


@pytest.mark.parametrize("start", [0, 1, START_NS + 3 * 86_400 * 10**9, 2**64 - 1])
def test_a_span_at_an_impossible_time_is_rejected(start: int) -> None:
    (found,) = reasons("traces", traces(span(1, CHAT, startTimeUnixNano=str(start))))
    assert found.startswith("the start of the span is")


@pytest.mark.parametrize(("tier", "part"), [("flex", "flex tier"), ("default", None)])
def test_a_tier_at_another_price_is_a_part_that_no_line_states(tier: str, part: str | None) -> None:
    said = CHAT | {"openai.response.service_tier": tier}
    assert request("traces", traces(span(1, said))).unpriced_part == part


def test_a_span_inside_an_agent_inside_a_call_is_inside_that_call() -> None:
    bare = {"gen_ai.operation.name": "chat"}
    document = traces(span(1, CHAT), span(2, {"gen_ai.operation.name": "plan"}, parent=1), span(3, bare, parent=2))
    assert rules("traces", document) == [spans.OTHER_OPERATION, spans.INNER]


def test_an_operation_that_is_no_text_is_none() -> None:
    assert rules("traces", traces(span(1, {"gen_ai.operation.name": 7}))) == [spans.OTHER_OPERATION]


@pytest.mark.parametrize(("cost", "estimate"), [("0.0012", "0.0012"), (0.0, None), (3, "3")])
def test_an_estimate_may_be_a_text_and_none_is_not_free(cost: object, estimate: str | None) -> None:
    found = request("traces", traces(span(1, chat(usage__cost=cost))))
    assert found.estimated_usd == (None if estimate is None else Decimal(estimate))
    assert request("traces", traces(span(1, chat(usage__cost_in_usd_ticks=165000000)))).estimated_usd == Decimal(
        "0.0165"
    )


def test_an_estimate_that_is_no_number_is_rejected() -> None:
    (reason,) = reasons("traces", traces(span(1, chat(usage__cost="much"))))
    assert reason == "gen_ai.usage.cost must be an amount of US dollars from 0 on, got 'much'"
