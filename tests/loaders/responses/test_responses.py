"""A log of answers becomes requests: each call once, each line an item."""

import gzip
import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.cell import CellError
from loaders.item import Ignored, LoadError, Parsed, Rejected
from loaders.job import run_load
from loaders.openclaw.values import FieldError
from loaders.responses import LOADER, read
from loaders.responses.line import requests_in
from store import LoadReport, RecordError, Request, Store
from tests.stores import new_store

NOW = datetime(2026, 11, 20, tzinfo=UTC)
BODY = {"id": "msg_1", "model": "claude-sonnet-4-6", "usage": {"input_tokens": 3, "output_tokens": 550}}
LINE = {"provider": "anthropic", "at": "2026-11-19T09:30:00Z", "response": BODY}
Item = Parsed | Ignored | Rejected


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


@pytest.fixture
def store() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return path


def only(path: Path) -> object:
    (item,) = read(path, now=NOW)
    return item


def request_of(path: Path) -> Request:
    item = only(path)
    assert isinstance(item, Parsed), item
    (request,) = item.records
    assert isinstance(request, Request)
    return request


def load(store: Store, path: Path) -> LoadReport:
    return run_load(store, "responses", str(path), read(path, now=NOW), now=NOW)


def test_a_line_is_a_request_with_all_that_it_says(log: Path) -> None:
    said = {"session_id": "s-1", "agent": "xavier", "ended_at": "2026-11-19T10:30:04.5+01:00", "status": "aborted"}
    assert request_of(write(log, LINE | said)) == Request(
        request_key="anthropic:msg_1",
        source="responses",
        session_id="s-1",
        agent="xavier",
        provider="anthropic",
        model="claude-sonnet-4-6",
        started_at=datetime(2026, 11, 19, 9, 30, tzinfo=UTC),
        ended_at=datetime(2026, 11, 19, 9, 30, 4, 500_000, tzinfo=UTC),
        uncached_input_tokens=3,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=550,
        status="aborted",
    )


def test_the_answers_model_outranks_the_lines_which_may_be_an_alias(log: Path) -> None:
    assert request_of(write(log, LINE | {"model": "fast"})).model == "claude-sonnet-4-6"
    nameless = {"id": "r1", "usage": {"inputTokens": 1, "outputTokens": 2}}
    assert request_of(write(log, LINE | {"model": "nova-pro", "response": nameless})).model == "nova-pro"


def test_a_bill_and_a_plan_are_taken_from_the_line(log: Path) -> None:
    assert request_of(write(log, LINE | {"billed_usd": 0.0095})).billed_usd == Decimal("0.0095")
    assert request_of(write(log, LINE | {"is_included": True})).is_included


def test_an_answer_without_an_id_takes_that_of_its_line(log: Path) -> None:
    nameless = {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 4, "total_tokens": 4}}
    line = LINE | {"provider": "openai", "response": nameless}
    refused = only(write(log, line))
    assert isinstance(refused, Rejected)
    assert "give the line a request_id" in refused.reason
    assert request_of(write(log, line | {"request_id": "req_7"})).request_key == "openai:req_7"


def test_an_id_that_is_drawn_from_a_thousand_is_none(log: Path) -> None:
    line = LINE | {"provider": "ollama", "response": BODY | {"id": "chatcmpl-417"}}
    assert isinstance(only(write(log, line)), Rejected)
    assert request_of(write(log, line | {"request_id": "a-1"})).request_key == "ollama:a-1"


def test_no_answer_leaves_a_call_of_unknown_usage(log: Path, store: Store) -> None:
    line = LINE | {"response": None, "request_id": "r13", "model": "claude-sonnet-4-6", "status": "error"}
    load(store, write(log, line))
    assert store.read("SELECT output_tokens, cost_usd, cost_status, status FROM requests").rows == [
        (None, None, "MISSING_USAGE", "error")
    ]


def test_a_usage_of_zeros_says_nothing_unless_it_was_charged(log: Path) -> None:
    nothing = {"id": "1", "model": "m", "usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}
    assert request_of(write(log, LINE | {"response": nothing})).output_tokens is None
    replayed = nothing | {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "cost": 0, "cost_details": {}}}
    request = request_of(write(log, LINE | {"provider": "openrouter", "response": replayed}))
    assert (request.output_tokens, request.billed_usd) == (0, Decimal(0))


def test_a_call_that_the_provider_refused_cost_nothing(log: Path) -> None:
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}
    item = only(write(log, LINE | {"response": error}))
    assert isinstance(item, Ignored)
    assert item.rule == "the provider refused the call"


@pytest.mark.parametrize(
    "error",
    [
        {"type": "error", "error": {"type": "timeout_error", "message": "."}},
        {"error": {"code": 504, "status": "DEADLINE_EXCEEDED"}},
        {"error": "timeout"},
    ],
)
def test_a_call_that_timed_out_may_have_been_charged(log: Path, error: object) -> None:
    request = request_of(write(log, LINE | {"response": error, "request_id": "r1", "model": "claude-sonnet-4-6"}))
    assert (request.request_key, request.status, request.output_tokens) == ("anthropic:r1", "error", None)


def test_an_answer_that_failed_half_way_is_a_failed_call(log: Path) -> None:
    failed = {"id": "resp_1", "status": "failed", "error": {"code": "server_error"}, "usage": None}
    request = request_of(write(log, LINE | {"response": failed}))
    assert (request.status, request.output_tokens) == ("error", None)


def test_a_call_beside_the_answer_is_a_request_of_its_own(log: Path) -> None:
    listed = [
        {"type": "advisor_message", "model": "claude-opus-4-8", "input_tokens": 2518, "output_tokens": 22},
        {"type": "message", "input_tokens": 3, "output_tokens": 550},
    ]
    item = only(write(log, LINE | {"response": BODY | {"usage": {**BODY["usage"], "iterations": listed}}}))  # type: ignore[dict-item]  # BODY holds texts and a dict
    assert isinstance(item, Parsed)
    found = [(r.request_key, r.model, r.output_tokens) for r in item.records if isinstance(r, Request)]
    assert found == [
        ("anthropic:msg_1", "claude-sonnet-4-6", 550),
        ("anthropic:msg_1#1", "claude-opus-4-8", 22),
    ]


def test_what_was_streamed_or_copied_counts_once_with_its_last_usage(log: Path, store: Store) -> None:
    early = LINE | {"response": BODY | {"usage": {"input_tokens": 3, "output_tokens": 9}}}
    report = load(store, write(log, early, LINE, LINE, early))
    assert (report.read, report.stored, report.ignored, report.conflicts) == (4, 1, 3, 0)
    assert store.read("SELECT request_key, output_tokens FROM requests").rows == [("anthropic:msg_1", 550)]
    assert load(store, log).stored == 0


def test_an_id_with_other_content_counts_once_and_is_reported(log: Path, store: Store) -> None:
    other = LINE | {"response": {"id": "msg_1", "model": "claude-opus-4-6", "usage": BODY["usage"]}}
    assert load(store, write(log, LINE, other)).conflicts == 1
    assert store.read("SELECT count(*) FROM requests").rows == [(1,)]


def test_a_bill_that_comes_later_with_the_same_answer_holds(log: Path, store: Store) -> None:
    load(store, write(log, LINE))
    assert load(store, write(log, LINE | {"billed_usd": "0.009"})).stored == 1
    assert load(store, write(log, LINE)).stored == 0
    assert store.read("SELECT cost_usd, cost_status FROM requests").rows == [(Decimal("0.009"), "BILLED")]


def test_a_bill_that_comes_later_without_the_answer_holds_and_the_usage_stays(log: Path, store: Store) -> None:
    load(store, write(log, LINE))
    bill = LINE | {"response": None, "request_id": "msg_1", "model": "claude-sonnet-4-6", "billed_usd": "0.009"}
    assert load(store, write(log, bill)).stored == 1
    for again in (LINE, bill):
        assert load(store, write(log, again)).stored == 0
    assert store.read("SELECT output_tokens, billed_usd, cost_usd, cost_status, status FROM requests").rows == [
        (550, Decimal("0.009"), Decimal("0.009"), "BILLED", "ok")
    ]


def test_a_call_with_a_part_that_has_no_price_is_unpriced_until_it_is_billed(log: Path, store: Store) -> None:
    usage = {
        "promptTokenCount": 10,
        "candidatesTokenCount": 1304,
        "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1290}],
        "totalTokenCount": 1314,
    }
    answer = {"responseId": "r1", "modelVersion": "gemini-2.5-flash-image", "usageMetadata": usage}
    line = LINE | {"provider": "google", "response": answer}
    load(store, write(log, line))
    assert store.read("SELECT unpriced_part, cost_usd, cost_status FROM requests").rows == [
        ("image output", None, "UNPRICED")
    ]
    load(store, write(log, line | {"billed_usd": "0.038738"}))
    assert store.read("SELECT unpriced_part, cost_usd, cost_status FROM requests").rows == [
        ("image output", Decimal("0.038738"), "BILLED")
    ]


def test_a_call_beside_the_answer_is_made_on_the_same_terms(log: Path) -> None:
    listed = [
        {"type": "compaction", "input_tokens": 2518, "output_tokens": 22},
        {"type": "message", "input_tokens": 3, "output_tokens": 550},
    ]
    usage = {"input_tokens": 3, "output_tokens": 550, "service_tier": "batch", "iterations": listed}
    item = only(write(log, LINE | {"response": BODY | {"usage": usage}}))
    assert isinstance(item, Parsed)
    assert [r.unpriced_part for r in item.records if isinstance(r, Request)] == ["batch tier", "batch tier"]


def test_halves_in_any_order_give_the_rows_of_the_whole(log: Path) -> None:
    bodies = [BODY | {"id": f"msg_{n % 7}", "usage": {"input_tokens": 5, "output_tokens": n}} for n in range(20)]
    lines: list[object] = [LINE | {"response": body, "session_id": f"s{n % 3}"} for n, body in enumerate(bodies)]
    found = []
    for parts in ([lines], [lines[9:], lines[:9]], [lines[::-1]]):
        with new_store() as store:
            for part in parts:
                load(store, write(log, *part))
            found.append(sorted(map(str, store.requests_of(None))))
    assert len(found[0]) == 7
    assert found.count(found[0]) == 3


def test_the_name_of_a_provider_in_other_case_makes_no_other_call(log: Path, store: Store) -> None:
    load(store, write(log, LINE, LINE | {"provider": "Anthropic"}))
    assert store.read("SELECT count(*) FROM requests").rows == [(1,)]


def test_one_id_of_two_providers_is_two_calls(log: Path, store: Store) -> None:
    load(store, write(log, LINE, LINE | {"provider": "acme"}))
    assert store.read("SELECT count(*) FROM requests").rows == [(2,)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"provider": "anthropic", "at": "2026-11-19T09:30:00Z"}, "response is missing"),
        (LINE | {"response": "{}"}, "must be a JSON object like"),
        (LINE | {"response": {}}, "the answer has no id"),
        ({"at": LINE["at"], "response": BODY}, "provider is missing; name who was asked"),
        (LINE | {"provider": 1.5}, "provider must be a text, got"),
        ({"provider": "anthropic", "response": BODY}, "at must be an instant like 2026-02-28T09:30:00Z, got empty"),
        (LINE | {"at": "2026-11-19T09:30:00"}, "at has no zone"),
        (LINE | {"at": 1795046400}, "a number since 1970 needs its unit"),
        (LINE | {"at": (NOW + timedelta(days=2)).isoformat()}, "at is in the future"),
        (LINE | {"status": "timeout"}, "status must be one of ok, error, aborted, got 'timeout'"),
        (LINE | {"billed_usd": -1}, "billed_usd must not be negative"),
        (LINE | {"is_included": "maybe"}, "is_included must be one of true, false"),
        (LINE | {"session_id": "s" * 2000}, "Request.session_id must be at most 1,024 characters"),
        (LINE | {"response": BODY | {"usage": {"tokens": 3}}}, "usage has tokens; counts are in input_tokens"),
        ([LINE], "must be a JSON object"),
        (7, "must be a JSON object"),
    ],
)
def test_a_line_that_cannot_be_read_says_why_and_stops_nothing(log: Path, line: object, reason: str) -> None:
    first, bad, last = read(write(log, LINE, line, LINE), now=NOW)
    assert isinstance(first, Parsed)
    assert isinstance(last, Parsed)
    assert isinstance(bad, Rejected)
    assert reason in bad.reason
    assert (bad.location.line, bad.raw) == (2, json.dumps(line)[:2000])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{not json", "is not JSON"),
        (b'{"provider": "\xff"}', "is not UTF-8"),
        (b'{"provider": "x", "response": NaN}', "NaN is no number"),
        (b'{"provider": "x", "response": ' + b"[" * 5000 + b"]" * 5000 + b"}", "is nested more than 100 deep"),
        (
            b'{"provider": "x", "response": {"id": "1", "usage": {"prompt_tokens": 1e999999999999}}}',
            "usage.prompt_tokens must be a whole number",
        ),
        (b'{"provider": "x", "response": {"id": "1", "usage": {"prompt_tokens": 1' + b"0" * 5000 + b"}}}", "too long"),
        (b"x" * 10_000_001, "the line is 10,000,001 bytes long"),
    ],
)
def test_a_hostile_line_is_one_rejection(log: Path, text: bytes, reason: str) -> None:
    log.write_bytes(text + b"\n" + json.dumps(LINE).encode())
    bad, good = read(log, now=NOW)
    assert isinstance(good, Parsed)
    assert isinstance(bad, Rejected)
    assert reason in bad.reason


def test_a_packed_log_is_read_too(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(LINE).encode()))
    assert request_of(path).request_key == "anthropic:msg_1"


def test_a_log_that_is_not_there_stops_the_load(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="there is no such file"):
        read(tmp_path / "none.jsonl", now=NOW)


def test_the_loader_tells_of_every_byte(log: Path) -> None:
    seen: list[int] = []
    list(read(write(log, LINE, LINE), now=NOW, on_bytes=seen.append))
    assert LOADER.size is not None
    assert sum(seen) == LOADER.size(log) == log.stat().st_size


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 2**70) | st.decimals(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
FIELDS = (
    "prompt_tokens", "completion_tokens", "total_tokens", "prompt_tokens_details", "input_tokens", "output_tokens",
    "input_tokens_details", "cache_creation", "cache_read_input_tokens", "inputTokens", "outputTokens", "cacheDetails",
    "billed_units", "promptTokenCount", "totalTokenCount", "iterations", "cost", "cost_details", "is_byok",
    "cost_in_usd_ticks", "completion_tokens_details", "output_tokens_details", "promptTokensDetails", "trafficType",
    "service_tier", "speed",
)  # fmt: skip
PLACES = ("usage", "usageMetadata", "meta", "id", "model", "modelVersion", "status", "error", "serviceTier")
BESIDE = ("provider", "model", "at", "ended_at", "session_id", "agent", "request_id", "status", "billed_usd")


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON | st.integers(0, 9), min_size=1, max_size=5),
    st.dictionaries(st.sampled_from(PLACES), JSON, max_size=2),
    st.dictionaries(st.sampled_from((*BESIDE, "is_included", "response")), JSON, max_size=2),
)
def test_whatever_a_line_holds_it_is_requests_or_one_refusal(
    usage: dict[str, object], body: dict[str, object], line: dict[str, object]
) -> None:
    with suppress(FieldError, CellError, RecordError):
        requests = requests_in(LINE | {"response": {"id": "1", "usage": usage} | body} | line, NOW)
        assert all(request.request_key and request.provider for request in requests)
