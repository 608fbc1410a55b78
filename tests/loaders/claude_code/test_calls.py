"""The lines of an answer: which call they are copies of, and what it used."""

from decimal import Decimal

import pytest

from loaders.claude_code import read
from loaders.item import Ignored, Parsed, Rejected
from loaders.job import run_load
from store import Price, Request
from tests.loaders.claude_code.conftest import (
    ANSWERED,
    ASKED,
    NOW,
    OTHER,
    SESSION,
    Json,
    Write,
    answer,
    at,
    failure,
    items,
    reasons,
    requests,
    rules,
    sessions,
    usage,
    user,
)
from tests.stores import new_store

PRICE = Price(
    price_id="P1",
    source="prices",
    provider="anthropic",
    model="claude-demo-4",
    effective_from=at("2026-01-01T00:00:00Z"),
    input=Decimal(5),
    cache_read=Decimal("0.50"),
    cache_write_5m=Decimal("6.25"),
    cache_write_1h=Decimal(10),
    output=Decimal(25),
)


def test_an_answer_is_a_call_with_disjoint_buckets(write: Write) -> None:
    assert requests(items(write(user(), answer()))) == [
        Request(
            request_key="anthropic:msg_1",
            source="claude-code",
            session_id=SESSION,
            agent="claude-code",
            provider="anthropic",
            model="claude-demo-4",
            started_at=at(ANSWERED),
            ended_at=at(ANSWERED),
            uncached_input_tokens=12,
            cache_read_tokens=9000,
            cache_write_5m_tokens=600,
            cache_write_1h_tokens=40,
            output_tokens=85,
            owner_started_at=at(ASKED),
            identities=("response:msg_1", "request-id:req_1"),
        )
    ]


def test_a_message_of_several_lines_is_one_call_with_its_final_output(write: Write) -> None:
    later = "2026-03-04T09:00:07Z"
    path = write(user(), answer(8), answer(8, later), answer(472, later))
    with new_store() as store:
        report = run_load(store, "claude-code", str(path), read(path, now=NOW), now=NOW)
        assert (report.read, report.stored, report.rejected) == (4, 2, 0)
        stored = store.read("SELECT output_tokens, uncached_input_tokens, started_at FROM requests").rows
        assert stored == [(472, 12, at(ANSWERED).replace(tzinfo=None))]


def test_cache_writes_are_priced_by_how_long_they_last(write: Write) -> None:
    path = write(user(), answer())
    with new_store() as store:
        run_load(store, "prices", "p.csv", [Parsed(items(path)[0].location, (PRICE,))], now=NOW)
        run_load(store, "claude-code", str(path), read(path, now=NOW), now=NOW)
        # In millionths: input 60, cache reads 4,500, cache writes 3,750 and 400, output 2,125.
        assert store.read("SELECT cost_usd FROM requests").rows == [(Decimal("0.010835"),)]


def test_a_retry_has_an_id_of_its_own_and_is_billed_again(write: Write) -> None:
    found = requests(items(write(user(), answer(), answer(message={"id": "msg_2"}))))
    assert {call.request_key for call in found} == {"anthropic:msg_1", "anthropic:msg_2"}


@pytest.mark.parametrize(
    ("message", "entry", "key"),
    [
        ({}, {"requestId": None}, "anthropic:msg_1"),
        ({"id": "chatcmpl-7"}, {}, "anthropic:chatcmpl-7:req_1"),
        ({"id": None}, {}, "claude-code:a1"),
    ],
    ids=["no request id", "an id of a proxy", "no message id"],
)
def test_a_call_without_an_id_is_told_by_what_it_has(write: Write, message: Json, entry: Json, key: str) -> None:
    assert [call.request_key for call in requests(items(write(answer(message=message) | entry)))] == [key]


def test_a_synthetic_message_is_no_call(write: Write) -> None:
    found = items(write(user(), answer(message={"model": "<synthetic>"})))
    assert (requests(found), rules(found)) == ([], ["synthetic message"])


def test_an_error_in_the_place_of_an_answer_is_no_call_and_ends_the_session_in_error(write: Write) -> None:
    found = items(write(user(), answer(), failure()))
    assert len(requests(found)) == 1
    assert [(s.termination, s.termination_rule) for s in sessions(found)] == [("error", "transcript: API error")]


def test_an_error_of_a_model_that_served_tokens_is_a_call(write: Write) -> None:
    (call,) = requests(items(write(answer(isApiErrorMessage=True))))
    assert (call.status, call.output_tokens) == ("error", 85)


def test_usage_that_is_missing_is_unknown_and_not_zero(write: Write) -> None:
    (call,) = requests(items(write(answer(message={"usage": None}))))
    assert (call.output_tokens, call.uncached_input_tokens) == (None, None)


def used(**changed: object) -> Json:
    """What an answer used; a field that is changed to `...` is left out."""
    return {name: value for name, value in (usage() | changed).items() if value is not ...}


@pytest.mark.parametrize(
    "usage",
    [
        used(output_tokens=None),
        used(input_tokens=None),
        used(output_tokens=...),
        used(input_tokens=...),
        used(input_tokens=..., prompt_tokens=12),
        {},
    ],
)
def test_usage_without_the_tokens_in_or_out_is_unknown_and_not_zero(write: Write, usage: Json) -> None:
    path = write(user(), answer(message={"usage": usage}))
    with new_store() as store:
        run_load(store, "claude-code", str(path), read(path, now=NOW), now=NOW)
        stored = store.read("SELECT uncached_input_tokens, output_tokens, cost_usd, cost_status FROM requests").rows
        assert stored == [(None, None, None, "MISSING_USAGE")]


@pytest.mark.parametrize(
    ("cache", "writes"),
    [
        ({"cache_creation": None}, (640, 0)),
        ({"cache_creation": ...}, (640, 0)),
        ({"cache_creation": {}}, (640, 0)),
        ({"cache_creation": {"ephemeral_1h_input_tokens": 640}}, (0, 640)),
        ({"cache_creation_input_tokens": None}, (600, 40)),
        ({"cache_creation": None, "cache_creation_input_tokens": None, "cache_read_input_tokens": None}, (0, 0)),
    ],
)
def test_cache_writes_are_for_five_minutes_unless_a_split_says_otherwise(
    write: Write, cache: Json, writes: tuple[int, int]
) -> None:
    (call,) = requests(items(write(answer(message={"usage": used(**cache)}))))
    assert (call.cache_write_5m_tokens, call.cache_write_1h_tokens) == writes


@pytest.mark.parametrize(
    ("written", "split", "said"),
    [(1000, (400, 400), "1,000"), (1000, (900, 400), "1,000"), (1000, (0, 0), "1,000"), (0, (400, 400), "0")],
)
def test_a_split_of_cache_writes_that_does_not_add_up_is_rejected(
    write: Write, written: int, split: tuple[int, int], said: str
) -> None:
    lifetimes = dict(zip(("ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"), split, strict=True))
    contradiction = used(cache_creation_input_tokens=written, cache_creation=lifetimes)
    found = items(write(user(), answer(message={"usage": contradiction})))
    assert requests(found) == []
    (reason,) = reasons(found)
    assert reason == (
        f"usage.cache_creation splits the cache writes into {split[0]} for 5 minutes and {split[1]} for 1 hour, but "
        f"usage.cache_creation_input_tokens is {said}; the two must add up to it, for they differ in price"
    )
    assert [item.session_id for item in found if isinstance(item, Rejected)] == [SESSION]


@pytest.mark.parametrize(
    ("terms", "part"),
    [
        ({"speed": "fast"}, "fast mode"),
        ({"service_tier": "batch"}, "batch tier"),
        ({"service_tier": "flex"}, "flex tier"),
        ({"service_tier": "priority"}, "priority tier"),
        ({"inference_geo": "us"}, "inference in the US only"),
        ({"speed": "fast", "inference_geo": "us"}, "fast mode, inference in the US only"),
        ({"speed": "standard", "service_tier": "standard", "inference_geo": "not_available"}, None),
        ({"speed": None, "service_tier": None, "inference_geo": "global"}, None),
        ({"inference_geo": ""}, None),
    ],
)
def test_a_call_on_other_terms_than_a_price_line_states_is_unpriced(
    write: Write, terms: Json, part: str | None
) -> None:
    path = write(user(), answer(message={"usage": used(**terms)}))
    with new_store() as store:
        run_load(store, "prices", "p.csv", [Parsed(items(path)[0].location, (PRICE,))], now=NOW)
        run_load(store, "claude-code", str(path), read(path, now=NOW), now=NOW)
        cost = None if part else Decimal("0.010835")
        assert store.read("SELECT unpriced_part, cost_usd, cost_status FROM requests").rows == [
            (part, cost, "UNPRICED" if part else "PRICED")
        ]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{broken", "is not JSON: Expecting property name enclosed in double quotes at character 2"),
        ({"sessionId": SESSION}, "type is missing; an entry has one, such as assistant"),
        ({"type": "assistant"}, "message is missing; an entry of type assistant has one"),
        (answer(timestamp=""), 'timestamp must be a time like 2026-03-04T09:00:00.120Z, got ""'),
        (answer() | {"timestamp": None}, "timestamp is missing; a call needs the time like 2026-03-04T09:00:00.120Z"),
        (
            answer(message={"id": None}, uuid=None),
            "message.id is missing, and so is uuid; a call needs one of them to be told from others",
        ),
        (
            answer(message={"usage": {"input_tokens": -1}}),
            "usage.input_tokens must be a whole number from 0 on, got -1",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_with_its_reason(write: Write, entry: Json | str, reason: str) -> None:
    found = items(write(entry, answer()))
    assert reasons(found) == [reason]
    assert len(requests(found)) == 1


def test_every_line_is_one_item_and_the_first_that_can_be_read_carries_the_session(write: Write) -> None:
    found = items(write("{broken", {"type": "summary", "summary": "x"}, user(), answer(), {"type": "novelty"}))
    assert sorted(item.location.line or 0 for item in found) == [1, 2, 3, 4, 5]
    carrier = found[-1]
    assert isinstance(carrier, Parsed)
    assert carrier.location.line == 2
    assert [record.source for record in carrier.records] == ["claude-code"]
    assert rules(found) == ["user message", "unknown entry type"]


def test_a_file_that_tells_of_no_session_stays_ignored(write: Write) -> None:
    path = write({"type": "summary", "summary": "x", "leafUuid": OTHER})
    assert [type(item) for item in items(path)] == [Ignored]
