"""Metrics are counts to compare calls with: each point once, however often, late or cut it arrives."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from loaders.item import Location, Parsed
from loaders.job import run_load
from loaders.otlp import decode, meters, read_batch
from loaders.otlp.checks import OTHER_METRIC
from store import Store
from tests.loaders.otlp.bodies import (
    NOW,
    SECOND_NS,
    START_NS,
    Json,
    as_json,
    attributes,
    counter,
    histogram,
    metrics,
    point,
    reasons,
    rules,
    span,
    traces,
    usages,
)
from tests.loaders.otlp.test_spans import CHAT
from tests.stores import new_store

CLAUDE = {"service.name": "claude-code"}
GEN_AI: Json = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5.2",
    "gen_ai.token.type": "output",
}
OPENCLAW: Json = {"openclaw.provider": "anthropic", "openclaw.model": "claude-sonnet-5", "openclaw.agent": "main"}
DAY_S = 86_400
BUCKETS = "uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens"


@pytest.fixture(scope="module")
def shared_store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


def load(store: Store, document: Json, signal: Any = "metrics") -> None:
    items = read_batch(decode(signal, "json", as_json(document)), NOW)
    report = run_load(store, "otlp", "here", items, now=NOW)
    assert report.rejected == 0, report.rejections


def periods(store: Store, columns: str) -> list[tuple[object, ...]]:
    return store.read(f"SELECT {columns} FROM reported_periods ORDER BY ends_at").rows


def test_a_histogram_of_tokens_is_what_it_adds_up_to() -> None:
    point_in = point(GEN_AI | {"gen_ai.token.type": "input"}, 900, field="sum")
    document = metrics(histogram("gen_ai.client.token.usage", point_in, point(GEN_AI, 70, field="sum")))
    prompt, output = usages("metrics", document)
    assert (prompt.input_tokens, output.output_tokens) == (900, 70)
    assert prompt.uncached_input_tokens is None  # what of it was cached is not said
    assert prompt.usage_id == output.usage_id
    assert (prompt.provider, prompt.model, prompt.reporter, prompt.is_lower_bound) == (
        "openai",
        "gpt-5.2",
        "meter",
        True,
    )


def test_claude_codes_kinds_of_tokens_and_its_estimate_are_one_row(store: Store) -> None:
    kinds = {"input": 100, "output": 500, "cacheRead": 12000, "cacheCreation": 400}
    said = {"model": "claude-haiku-4-5", "session.id": "s-1"}
    tokens = counter("claude_code.token.usage", *(point(said | {"type": kind}, n) for kind, n in kinds.items()))
    cost = counter("claude_code.cost.usage", point(said, 0.0043, field="asDouble"))
    load(store, metrics(tokens, cost, resource=CLAUDE, scope="com.anthropic.claude_code"))
    columns = (
        "provider, model, meter, uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens, usd"
    )
    assert periods(store, columns) == [
        ("anthropic", "claude-haiku-4-5", "metrics of claude-code", 100, 12000, 400, 500, Decimal("0.0043"))
    ]


def test_openclaws_kinds_overlap_and_are_counted_once(store: Store) -> None:
    kinds = {"input": 30, "output": 50, "cache_read": 9000, "cache_write": 400, "prompt": 9430, "total": 5000}
    made = counter("openclaw.tokens", *(point(OPENCLAW | {"openclaw.token": kind}, n) for kind, n in kinds.items()))
    cost = counter("openclaw.cost.usd", point(OPENCLAW, 0.25, field="asDouble"))
    document = metrics(made, cost, resource={"service.name": "openclaw"}, scope="openclaw")
    assert rules("metrics", document) == [meters.OVERLAPPING] * 2
    load(store, document)
    columns = (
        "uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, output_tokens, input_tokens, usd, member"
    )
    assert periods(store, columns) == [(30, 9000, 400, 50, None, Decimal("0.25"), "metrics of openclaw, agent main")]


def test_a_prefix_that_somebody_set_does_not_hide_openclaws_metrics() -> None:
    made = counter("acme.tokens", point(OPENCLAW | {"openclaw.token": "output"}, 50))
    (found,) = usages("metrics", metrics(made, scope="openclaw"))
    assert found.output_tokens == 50


@pytest.mark.parametrize(
    ("made", "scope", "rule"),
    [
        (histogram("gen_ai.client.token.usage", point(GEN_AI, 5, field="sum")), "openclaw", meters.TWICE),
        (
            histogram(
                "gen_ai.client.token.usage",
                point(GEN_AI | {"gen_ai.operation.name": "invoke_agent"}, 5, field="sum"),
            ),
            "",
            meters.TOTAL,
        ),
        (histogram("openclaw.context.tokens", point(OPENCLAW, 5, field="sum")), "openclaw", OTHER_METRIC),
        (histogram("gen_ai.client.operation.duration", point(GEN_AI, 5, field="sum")), "", OTHER_METRIC),
        (counter("openclaw.message.queued", point({}, 5)), "openclaw", OTHER_METRIC),
        (counter("acme.tokens", point({}, 5)), "", OTHER_METRIC),
        (counter("claude_code.token.usage", point({"type": "output"}, 5) | {"flags": 1}), "", meters.NOTHING),
        (counter("claude_code.token.usage", point({"type": "output"}, 5, at_s=0)), "", meters.FIRST_READING),
    ],
)
def test_other_points_are_passed_over(made: Json, scope: str, rule: str) -> None:
    assert rules("metrics", metrics(made, scope=scope)) == [rule]


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (counter("claude_code.token.usage", point({"type": "output"}, -5)), "asInt must be a number from 0 on"),
        (
            counter("claude_code.token.usage", point({"type": "output"}, 1.5, field="asDouble")),
            "tokens must be whole, got 1.5",
        ),
        (
            counter("claude_code.cost.usage", point({}, 1, field="asDouble") | {"asDouble": "NaN"}),
            "asDouble must be a number from 0 on, got 'nan'",
        ),
        (
            histogram("gen_ai.client.token.usage", {"timeUnixNano": str(START_NS)}),
            "a histogram without its sum tells no tokens",
        ),
        (counter("claude_code.cost.usage", {"timeUnixNano": str(START_NS)}), "a point must have asInt or asDouble"),
        (
            {"name": "claude_code.token.usage", "gauge": {"dataPoints": [point({}, 5)]}},
            "claude_code.token.usage must be a sum or a histogram, got a gauge",
        ),
        (
            {"name": "claude_code.token.usage", "sum": {"aggregationTemporality": 1, "dataPoints": [point({}, 5)]}},
            "claude_code.token.usage must be monotonic",
        ),
        (
            {"name": "claude_code.token.usage", "sum": {"isMonotonic": True, "dataPoints": [point({}, 5)]}},
            "claude_code.token.usage must say whether it is delta (1) or cumulative (2)",
        ),
        (
            counter(
                "claude_code.token.usage", point({"type": "output"}, 5) | {"startTimeUnixNano": "0"}, is_delta=False
            ),
            "startTimeUnixNano is missing; without it nobody knows since when it counts",
        ),
        (
            counter("claude_code.token.usage", point({"type": "output"}, 5, start_s=90)),
            "timeUnixNano is before startTimeUnixNano",
        ),
    ],
)
def test_a_point_that_is_no_count_is_rejected(made: Json, reason: str) -> None:
    (found,) = reasons("metrics", metrics(made))
    assert found.startswith(reason)


def deltas(*counts: int) -> list[Json]:
    made = (point({"type": "output"}, n, start_s=60 * i, at_s=60 * i + 60) for i, n in enumerate(counts))
    return [metrics(counter("claude_code.token.usage", one), resource=CLAUDE) for one in made]


def test_the_same_delta_twice_counts_once(store: Store) -> None:
    first, second = deltas(10, 20)
    for document in (second, first, second):
        load(store, document)
    assert periods(store, "output_tokens") == [(10,), (20,)]


def readings(*of: tuple[int, int, int], model: str = "m") -> list[Json]:
    """Of a counter that runs on: since when, until when, in seconds, and how much."""
    made = (point({"type": "output", "model": model}, n, start_s=start, at_s=at) for start, at, n in of)
    counters = (counter("claude_code.token.usage", one, is_delta=False) for one in made)
    return [metrics(one, resource=CLAUDE) for one in counters]


@pytest.mark.parametrize("order", [*permutations(range(4))][::5])
def test_readings_in_any_order_and_twice_are_what_the_counter_grew_in_each_day(
    order: tuple[int, ...], shared_store: Store
) -> None:
    # It starts on the 19th at 00:01:40 and is read twice on that day, and twice on the next.
    model = f"model {order}"
    documents = readings((0, 100, 10), (0, DAY_S - 200, 70), (0, DAY_S, 75), (0, DAY_S + 60, 90), model=model)
    for number in (*order, order[0]):
        load(shared_store, documents[number])
    found = [row[1:] for row in periods(shared_store, "model, output_tokens, ends_at - starts_at") if row[0] == model]
    assert found == [(70, timedelta(seconds=DAY_S - 200)), (20, timedelta(seconds=260))]


def test_a_late_older_reading_does_not_lower_a_newer_one(store: Store) -> None:
    newer, older = readings((0, 120, 50), (0, 60, 20))
    load(store, newer)
    load(store, older)
    assert periods(store, "output_tokens") == [(50,)]


def test_a_counter_that_starts_again_is_another_one_and_both_count(store: Store) -> None:
    for document in readings((0, 100, 50), (200, 300, 20)):
        load(store, document)
    assert periods(store, "output_tokens") == [(50,), (20,)]


def test_days_without_a_reading_stay_together(store: Store) -> None:
    for document in readings((0, 100, 50), (0, 3 * DAY_S - 500, 80)):
        load(store, shifted(document, -2 * DAY_S))
    assert periods(store, "output_tokens, ends_at - starts_at") == [
        (50, timedelta(seconds=100)),
        (30, timedelta(seconds=3 * DAY_S - 600)),  # when in these days is not known, and not guessed
    ]


def shifted(document: Json, seconds: int) -> Json:
    (made,) = document["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"]
    for field in ("startTimeUnixNano", "timeUnixNano"):
        made[field] = str(int(made[field]) + seconds * SECOND_NS)
    return document


def test_two_processes_with_the_same_counter_both_count(store: Store) -> None:
    for pid, document in enumerate(readings((0, 100, 50), (0, 100, 20))):
        document["resourceMetrics"][0]["resource"]["attributes"] += attributes({"process.pid": pid})
        load(store, document)
    assert sorted(periods(store, "output_tokens")) == [(20,), (50,)]


def test_the_same_calls_as_spans_and_as_metrics_cost_what_the_spans_cost(store: Store) -> None:
    call = CHAT | {"gen_ai.response.id": "chatcmpl-9xYz000000"}
    load(store, traces(span(1, call)), "traces")
    before = store.read("SELECT sum(output_tokens), count(*), sum(cost_usd) FROM request_facts").rows
    load(store, metrics(histogram("gen_ai.client.token.usage", point(GEN_AI, 50, field="sum"))))
    assert store.read("SELECT sum(output_tokens), count(*), sum(cost_usd) FROM request_facts").rows == before
    assert periods(store, "output_tokens") == [(50,)]
    assert before[0][:2] == (50, 1)


def test_the_largest_total_of_a_trace_holds_whichever_comes_last(store: Store) -> None:
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.usage.input_tokens": 1000}
    workflow = {"gen_ai.operation.name": "invoke_workflow", "gen_ai.usage.input_tokens": 1500}
    for number, said in enumerate((agent, workflow, agent), start=1):
        load(store, traces(span(number, said)), "traces")
    assert periods(store, "uncached_input_tokens") == [(1500,)]
    assert store.read("SELECT count(*) FROM requests").rows == [(0,)]


def test_what_a_provider_states_anew_replaces_what_it_stated(store: Store) -> None:
    (usage,) = usages("metrics", deltas(50)[0])
    for count in (50, 40):
        stated = replace(usage, reporter="provider", output_tokens=count)
        run_load(store, "openai", "here", [Parsed(Location("day"), (stated,))], now=NOW)
    assert periods(store, "output_tokens") == [(40,)]
