"""Running counters and records of usage: which calls they tell of, each once."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from loaders.codex.counter import EARLIER, NO_CALL, REPEATED
from loaders.codex.transcript import LIMITS_ONLY, TOO_LONG, read_transcript
from loaders.item import Ignored, Parsed
from loaders.source import Limits, read_lines
from store import Request, Store
from tests.loaders.codex.conftest import (
    ANSWERED,
    BORN,
    NEXT_TURN,
    NOW,
    PLUS,
    SESSION,
    TURN,
    Json,
    Write,
    answer,
    at,
    context,
    conversation,
    counted,
    event,
    items,
    line,
    load,
    meta,
    reasons,
    record,
    requests,
    rules,
    tokens,
    user,
)


def inputs(path: Path) -> list[int | None]:
    return [call.uncached_input_tokens for call in requests(items(path))]


def test_a_count_that_moved_is_a_call_with_disjoint_buckets(write: Write) -> None:
    used = tokens(150, 80, 20, reasoning_output_tokens=5, total_tokens=170)
    path = write(meta(), context(), user(), answer(), counted(used, used))
    assert requests(items(path)) == [
        Request(
            request_key=f"codex:{TURN}:150-80-20",
            source="codex",
            session_id=SESSION,
            agent="codex",
            provider="openai",
            model="gpt-demo",
            started_at=at(ANSWERED),
            ended_at=at(ANSWERED),
            uncached_input_tokens=70,
            cache_read_tokens=80,
            cache_write_5m_tokens=0,
            cache_write_1h_tokens=0,
            output_tokens=20,
            owner_started_at=at(BORN),
        )
    ]


def test_what_was_written_to_the_cache_lies_within_the_input(write: Write) -> None:
    used = tokens(120, 90, 20, cache_write_input_tokens=20)
    (call,) = requests(items(write(meta(), context(), answer(), counted(used, used))))
    assert (call.uncached_input_tokens, call.cache_read_tokens, call.cache_write_5m_tokens) == (10, 90, 20)


@pytest.mark.golden
def test_counters_that_are_written_again_count_once(write: Write, shared: Callable[[str], Path], store: Store) -> None:
    case = shared("golden/cases/G02_dedupe")
    rows = [json.loads(row) for row in (case / "events.jsonl").read_text().splitlines()]
    entries = [
        counted({"input_tokens": row["total_input_tokens"]}, {"input_tokens": row["last_input_tokens"]}, row["ts"])
        for row in rows
        if row["kind"] == "cumulative"
    ]
    load(store, write(meta(), context(), answer(), *entries), now=at("2026-06-01T00:00:00Z"))
    expected = json.loads((case / "expected.json").read_text())["assertions"]
    found = store.read("SELECT sum(uncached_input_tokens) FROM requests").rows
    assert found == [(expected["cumulativeCounter"]["inputTokens"],)] == [(3300,)]
    assert found != [(expected["mustNotEqual"]["cumulativeSumOfLast"],)]


def test_a_count_that_is_written_again_in_the_next_turn_is_no_call(write: Write) -> None:
    repeated = counted(tokens(250, 80, 30), tokens(150, 80, 20), "2026-03-04T09:05:01Z")
    found = items(write(*conversation(), context(NEXT_TURN), repeated))
    assert len(requests(found)) == 2
    assert rules(found).count(REPEATED) == 1


def test_counters_that_alternate_count_each_state_once(write: Write) -> None:
    one, other = counted(tokens(100), tokens(100)), counted(tokens(40), tokens(40))
    assert inputs(write(meta(), context(), answer(), one, other, one, other)) == [100, 40]


def test_a_total_that_began_anew_is_followed_by_its_last_call(write: Write) -> None:
    # The context was full: the total was set to the size of the window, with nothing in its parts.
    full = counted(tokens(0, 0, 0, total_tokens=272000), tokens(0, 0, 0, total_tokens=22000))
    path = write(meta(), context(), answer(), counted(tokens(250), tokens(250)), full, counted(tokens(90), tokens(90)))
    assert inputs(path) == [250, 90]
    assert rules(items(path)).count(NO_CALL) == 1


def test_an_estimate_after_a_compaction_is_no_call(write: Write) -> None:
    estimate = counted(tokens(100), tokens(0, 0, 0, total_tokens=9000))
    assert inputs(write(meta(), context(), answer(), counted(tokens(100), tokens(100)), estimate)) == [100]


def test_a_total_that_others_have_filled_comes_with_their_last_call(write: Write) -> None:
    inherited = counted(tokens(9000), tokens(500), "2026-03-04T09:00:04Z")
    path = write(meta(), context(), user(), inherited, answer(), counted(tokens(9700), tokens(700)))
    assert inputs(path) == [700]
    assert EARLIER in rules(items(path))


def test_a_session_that_goes_on_counts_its_last_call_and_not_the_total(write: Write) -> None:
    assert inputs(write(meta(), context(), answer(), counted(tokens(9000), tokens(500)))) == [500]


@pytest.mark.parametrize("missing", [None, {}], ids=["null", "empty"])
def test_without_a_last_call_the_growth_of_the_total_counts(write: Write, missing: Json | None) -> None:
    totals = [tokens(100), tokens(250), tokens(60)]
    path = write(meta(), context(), answer(), *(counted(total, missing) for total in totals))
    assert inputs(path) == [100, 150, 60]


def test_limits_without_numbers_are_no_call(write: Write) -> None:
    assert LIMITS_ONLY in rules(items(write(meta(), event("token_count", info=None, rate_limits=PLUS))))


def test_a_record_and_the_count_beside_it_are_one_call(write: Write, store: Store) -> None:
    first, second = tokens(100), tokens(150, 80, 20)
    path = write(
        meta(),
        context(),
        answer(),
        record(first),
        counted(tokens(100), first),
        counted(tokens(250, 80, 30), second),
        record(second, response_id="resp_2"),
        record(second, response_id="resp_2"),
    )
    load(store, path)
    assert store.read("SELECT request_key FROM requests ORDER BY 1").rows == [
        (f"codex:{TURN}:100-0-10",),
        (f"codex:{TURN}:150-80-20",),
    ]
    assert store.read("SELECT count(*) FROM conflicts").rows == [(0,)]


def test_a_record_without_a_turn_is_told_by_its_response(write: Write) -> None:
    (call,) = requests(items(write(meta(), context(), record(tokens(100), turn=None))))
    assert call.request_key == "codex:resp_1"


def test_turns_that_are_only_numbered_are_told_apart_by_their_session(write: Write) -> None:
    path = write(meta(), context("0"), answer(), counted(tokens(100), tokens(100)))
    assert [call.request_key for call in requests(items(path))] == [f"codex:{SESSION}:100-0-10:100-0-10"]


def test_the_model_may_change_from_turn_to_turn(write: Write) -> None:
    second = context(NEXT_TURN, "gpt-other")
    path = write(*conversation(), second, answer(), counted(tokens(950), tokens(700)))
    assert [call.model for call in requests(items(path))] == ["gpt-demo", "gpt-demo", "gpt-other"]


def test_a_model_that_nothing_names_is_unknown_and_the_call_has_no_price(write: Write, store: Store) -> None:
    load(store, write(meta(), answer(), counted(tokens(100), tokens(100))))
    assert store.read("SELECT model, cost_status, cost_usd FROM requests").rows == [(None, "UNPRICED", None)]


def test_another_provider_is_kept_as_it_is_named(write: Write) -> None:
    found = items(write(meta(model_provider="azure"), context(), answer(), counted(tokens(100), tokens(100))))
    assert [call.provider for call in requests(found)] == ["azure"]


@pytest.mark.parametrize(
    ("limits", "is_included"),
    [
        (PLUS, True),
        (None, False),
        (PLUS | {"plan_type": None}, False),
        (PLUS | {"plan_type": "business"}, False),
        (PLUS | {"primary": {"used_percent": 100}}, False),
        (PLUS | {"secondary": {"used_percent": 100.0}}, False),
        (PLUS | {"primary": None}, False),
        (PLUS | {"primary": {"used_percent": "12"}}, False),
    ],
    ids=["plus", "no limits", "no plan", "organisation", "used up", "week used up", "no window", "text"],
)
def test_a_call_within_the_limits_of_a_personal_plan_is_included(
    write: Write, limits: Json | None, *, is_included: bool
) -> None:
    path = write(meta(), context(), answer(), counted(tokens(100), tokens(100), limits=limits))
    assert [call.is_included for call in requests(items(path))] == [is_included]


def test_a_record_is_included_as_the_count_beside_it_is(write: Write, store: Store) -> None:
    path = write(meta(), context(), answer(), record(tokens(100)), counted(tokens(100), tokens(100), limits=PLUS))
    load(store, path)
    assert store.read("SELECT cost_status, cost_usd FROM requests").rows == [("INCLUDED", 0)]


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{broken", "is not JSON: Expecting property name enclosed in double quotes at character 2"),
        ("[1]", "must be a JSON object like {...}, got [1]"),
        ('{"a": NaN}', "is not JSON: NaN is no number there"),
        ({"payload": 7, "type": "event_msg"}, "payload must be an object, got 7"),
        ({"type": "event_msg"}, "payload is missing; an entry of type event_msg has one"),
        ({"timestamp": BORN}, "type is missing; an entry has one, such as event_msg, and a payload"),
        (
            counted(tokens(100), tokens(-1)),
            "last_token_usage.input_tokens must be a whole number from 0 on, got -1",
        ),
        (
            counted(tokens(100), tokens(100)) | {"timestamp": None},
            "timestamp is missing; a call needs the time like 2026-03-04T09:00:00.120Z",
        ),
        (
            record(tokens(100), turn=None, response_id=None),
            "turn_id is missing, and so is response_id; a call needs one to be told from others",
        ),
    ],
)
def test_a_line_that_cannot_be_read_is_rejected_with_its_reason(write: Write, entry: Json | str, reason: str) -> None:
    found = items(write(meta(), context(), answer(), entry, counted(tokens(500), tokens(500))))
    assert reasons(found) == [reason]
    assert len(requests(found)) == 1


def test_numbers_may_be_texts(write: Write) -> None:
    used: Json = {"input_tokens": "100", "cached_input_tokens": "40", "output_tokens": "7"}
    assert inputs(write(meta(), context(), answer(), counted(used, used))) == [60]


def test_every_line_is_one_item_and_the_first_that_can_be_read_carries_the_session(write: Write) -> None:
    found = items(write("{broken", *conversation(), line("world_state", {}), {"type": "novelty", "payload": {}}))
    assert sorted(item.location.line or 0 for item in found) == list(range(1, 13))
    carrier = found[-1]
    assert isinstance(carrier, Parsed)
    assert carrier.location.line == 2


def test_a_compaction_that_is_too_long_to_be_read_is_no_loss(write: Write) -> None:
    path = write(
        meta(),
        line("compacted", {"message": "x" * 5000}),
        line("event_msg", {"type": "token_count", "info": "x" * 5000}),
    )
    lines = read_lines(path, "r", limits=Limits(line_bytes=1000))
    found = list(read_transcript(lines, SESSION, NOW))
    assert [item.rule for item in found if isinstance(item, Ignored)] == [TOO_LONG, "session meta"]
    assert reasons(found) == ["the line is 5,106 bytes long; a line may have 1,000"]
