"""A call that a span and another source tell of is one row, whichever comes first."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from loaders import responses
from loaders.job import run_load
from loaders.otlp import Signal, decode, read_batch
from store import Store
from tests.loaders.otlp.bodies import NOW, Json, as_json, logs, record, span, traces
from tests.stores import new_store

USAGE = {"input_tokens": 100, "cache_read_input_tokens": 600, "cache_creation_input_tokens": 0, "output_tokens": 50}
ANSWER = {"id": "msg_01AbC", "model": "claude-sonnet-4-5", "usage": USAGE}
LINE = {"provider": "anthropic", "at": "2026-11-19T00:01:40Z", "session_id": "s-1", "agent": "main", "response": ANSWER}
SPAN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "anthropic",
    "gen_ai.response.model": "claude-sonnet-4-5",
    "gen_ai.response.id": "msg_01AbC",
    "gen_ai.usage.input_tokens": 700,
    "gen_ai.usage.output_tokens": 50,
    "gen_ai.usage.cache_read.input_tokens": 600,
}


EVENT = {
    "event.name": "claude_code.api_request",
    "event.timestamp": "2026-11-19T00:01:42.530Z",
    "session.id": "s-1",
    "model": "claude-sonnet-4-5",
    "input_tokens": 100,
    "cache_read_tokens": 600,
    "cache_creation_tokens": 0,
    "output_tokens": 50,
    "request_id": "req_011CSHoEeqs5C35K2UUqR7Fy",
}
EVENT_OF_CODEX = {
    "event.name": "codex.sse_event",
    "event.kind": "response.completed",
    "event.timestamp": "2026-11-19T00:01:42.530Z",
    "conversation.id": "s-1",
    "model": "claude-sonnet-4-5",
    "input_token_count": 700,
    "cached_token_count": 600,
    "output_token_count": 50,
}


def load_body(store: Store, signal: Signal, document: Json) -> None:
    items = read_batch(decode(signal, "json", as_json(document)), NOW)
    run_load(store, "otlp", "here", items, now=NOW)


def load_span(store: Store) -> None:
    load_body(store, "traces", traces(span(1, SPAN)))


def load_answer(store: Store, folder: Path) -> None:
    path = folder / "answers.jsonl"
    path.write_text(json.dumps(LINE) + "\n")
    run_load(store, "responses", str(path), responses.read(path, now=NOW), now=NOW)


@pytest.mark.parametrize("is_span_first", [True, False])
def test_a_span_and_a_log_of_answers_are_one_call(tmp_path: Path, *, is_span_first: bool) -> None:
    with new_store() as store:
        if is_span_first:
            load_span(store)
        load_answer(store, tmp_path)
        load_span(store)
        columns = (
            "request_key, session_id, uncached_input_tokens, cache_read_tokens, output_tokens, cost_usd, started_at"
        )
        rows = store.read(f"SELECT {columns} FROM requests").rows
        conflicts = store.read("SELECT count(*) FROM conflicts").rows
    # 100 x $3 + 600 x $0.30 + 50 x $15 a million
    cost = Decimal("0.00123")
    started_at = datetime(2026, 11, 19, 0, 1, 40, tzinfo=UTC).replace(tzinfo=None)
    assert rows == [("anthropic:msg_01AbC", "s-1", 100, 600, 50, cost, started_at)]
    assert conflicts == [(0,)]


@pytest.mark.parametrize("is_span_first", [True, False])
@pytest.mark.parametrize("event", [EVENT, EVENT_OF_CODEX])
def test_an_event_of_a_program_and_a_gateways_span_of_it_are_one_call(event: Json, *, is_span_first: bool) -> None:
    with new_store() as store:
        if is_span_first:
            load_span(store)
        load_body(store, "logs", logs(record(event)))
        load_span(store)
        rows = store.read("SELECT session_id, agent, output_tokens, cost_usd FROM requests").rows
        seen = store.read("SELECT source, rule FROM call_sightings ORDER BY source").rows
    agent = "claude-code" if event is EVENT else "codex"
    assert rows == [("s-1", agent, 50, Decimal("0.00123"))]
    assert [source for source, _ in seen] == ["otlp", "otlp-events"]
    assert ("otlp-events", "ALIKE") in seen


def test_two_events_that_look_like_one_span_stay_apart() -> None:
    with new_store() as store:
        load_body(store, "logs", logs(record(EVENT), record(EVENT | {"request_id": "req_011CSHoEeqs5C35K2UUqR7Fz"})))
        load_span(store)
        assert store.read("SELECT count(*) FROM requests").rows == [(3,)]


@pytest.mark.parametrize(("ids", "calls"), [((), 2), (("gen_ai.response.id",), 1)])
def test_spans_around_each_other_in_two_bodies_are_one_call_only_by_the_id_of_the_answer(
    ids: tuple[str, ...], calls: int
) -> None:
    """As docs/sources.md tells whoever runs two instrumentations."""
    said = {name: given for name, given in SPAN.items() if name in ids or name != "gen_ai.response.id"}
    with new_store() as store:
        load_body(store, "traces", traces(span(2, said, parent=1)))  # the inner one has ended first
        load_body(store, "traces", traces(span(1, said)))
        assert store.read("SELECT count(*) FROM requests").rows == [(calls,)]
