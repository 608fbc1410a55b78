"""A call that several sources saw is one row, whatever came first and in however many loads."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from store import PricedRequest, Stage, Store
from tests.store.conftest import NOW, Load, at, call, load_into, table, usd
from tests.stores import new_store

NINE = at("2026-02-20T09:00:00Z")
TOKENS = {
    "uncached_input_tokens": 10,
    "cache_read_tokens": 2_000,
    "cache_write_5m_tokens": 300,
    "cache_write_1h_tokens": 0,
    "output_tokens": 40,
}
WITHOUT_USAGE = dict.fromkeys(TOKENS)
EVENT = "request_key, old_cost_usd, new_cost_usd, reason"


@pytest.fixture(scope="module")
def shared() -> Iterator[Store]:
    with new_store() as opened:
        yield opened


def seen(source: str, key: str, cost: str | None = "0.02", *names: str, **fields: Any) -> PricedRequest:
    said = {"ended_at": NINE + timedelta(seconds=4), "model": "claude-sonnet-4-5", **TOKENS, **fields}
    return call(key, cost, "BILLED" if "billed_usd" in fields else None, source=source, identities=names, **said)


def witnesses(n: int, at_: datetime = NINE) -> dict[str, PricedRequest]:
    """What each source says of call `n`, with the ids that it really has."""
    msg, req, span, gen = f"msg_{n}", f"req_{n}", f"{n:032x}/{n:016x}", f"gen-{n}"
    times = {"started_at": at_, "ended_at": at_ + timedelta(seconds=4)}
    session = {"session_id": f"s{n}", "agent": "main", "owner_started_at": at_ - timedelta(hours=1)}
    tag = {"session_id": f"s{n}", "agent": "tagged", "provider": "anthropic"}
    anthropic, both = f"anthropic:{msg}", (f"response:{msg}", f"request-id:{req}")
    return {
        "openclaw": seen("openclaw", anthropic, "0.02", f"response:{msg}", provider="anthropic", **session, **times),
        "claude-code": seen(
            "claude-code", anthropic, "0.02", f"response:{msg}", f"request-id:{req}", provider="anthropic", **session
        ),
        "proxy": seen("proxy", anthropic, "0.02", *both, f"call:{n}", f"span:{span}", **tag, **times),
        "span": seen("otlp", f"otlp:{span}", "0.02", f"span:{span}", both[0], session_id=f"trace{n}", **times),
        "event": seen(
            "otlp-events", f"otlp-events:{req}", "0.02", f"request-id:{req}", estimated_usd=usd("0.5"), **times
        ),
        "broadcast": seen(
            "otlp", f"otlp:{gen}", "0.03", f"response:{gen}", f"response:{msg}", billed_usd=usd("0.03"), **times
        ),
        "openrouter": seen(
            "openrouter", f"openrouter:{gen}", "0.03", f"response:{gen}", f"response:{msg}", billed_usd=usd("0.03"),
            provider="openrouter", model="anthropic/claude-sonnet-4.5", started_at=at_, **WITHOUT_USAGE,
        ),
        "litellm": seen("litellm", f"litellm:{n}", "0.02", f"litellm:{n}", *both, **times),
        "langfuse": seen("langfuse", f"langfuse:{n}", "0.02", f"langfuse:{n}", both[0], f"span:{span}", **times),
    }  # fmt: skip


SHARE_NO_NAME = {("event", other) for other in ("openclaw", "span", "broadcast", "openrouter", "langfuse")}
SAME_SOURCE = {("span", "broadcast")}
PAIRS = [
    pair
    for pair in combinations(witnesses(1), 2)
    if pair not in SHARE_NO_NAME | SAME_SOURCE and pair[::-1] not in SHARE_NO_NAME
]


def rows_of(store: Store, columns: str = "*") -> list[dict[str, Any]]:
    return table(store, f"SELECT {columns} FROM requests ORDER BY request_key")


def test_every_pair_of_sources_is_one_row_in_both_orders_together_and_apart() -> None:
    """Each pair is a call of its own, hours from the others; loads hold one record of each pair."""
    ways = ("first then second", "second then first", "together", "together, turned round")
    pairs: list[tuple[tuple[str, str], str, PricedRequest, PricedRequest]] = []
    for n, (pair, way) in enumerate([(pair, way) for pair in PAIRS for way in ways], start=1):
        told = witnesses(n, NINE + timedelta(hours=n))
        pairs.append((pair, way, told[pair[0]], told[pair[1]]))
    first = [one if way == ways[0] else other for _, way, one, other in pairs if way in ways[:2]]
    second = [other if way == ways[0] else one for _, way, one, other in pairs if way in ways[:2]]
    together = [
        said
        for _, way, one, other in pairs
        if way in ways[2:]
        for said in ((one, other) if way == ways[2] else (other, one))
    ]
    with new_store() as store:
        load_into(store, *first)
        load_into(store, *second, *together)
        by_key = {row["request_key"]: row for row in rows_of(store)}
        sightings = defaultdict(set)
        for row in table(store, "SELECT request_key, source, gave FROM call_sightings"):
            sightings[row["request_key"]].add(row["source"])
    assert len(by_key) == len(pairs)
    for pair, way, one, other in pairs:
        keys = {one.request.request_key, other.request.request_key}
        (found,) = keys & by_key.keys()
        row = by_key[found]
        bills = [said.cost_usd for said in (one, other) if said.cost_status == "BILLED"]
        assert row["cost_usd"] == (bills[0] if bills else usd("0.02")), (pair, way)
        assert row["output_tokens"] == 40
        assert sightings[found] == {one.request.source, other.request.source}, (pair, way)


def test_four_sources_are_one_row_that_says_who_gave_what(load: Load, store: Store) -> None:
    told = witnesses(1)
    load(told["event"], now=NOW)
    load(told["openrouter"], now=NOW + timedelta(hours=1))
    assert len(rows_of(store)) == 2
    load(told["proxy"], told["claude-code"], now=NOW + timedelta(hours=2))
    (row,) = rows_of(store)
    assert (row["request_key"], row["session_id"], row["agent"]) == ("anthropic:msg_1", "s1", "main")
    assert (row["cost_usd"], row["cost_status"], row["output_tokens"]) == (usd("0.03"), "BILLED", 40)
    gave = {s["source"]: (s["rule"], s["gave"]) for s in table(store, "FROM call_sightings")}
    assert {source: rule for source, (rule, _) in gave.items()} == {
        "claude-code": "KEY",
        "proxy": "KEY",
        "otlp-events": "IDENTITY",
        "openrouter": "IDENTITY",
    }
    assert gave["claude-code"][1] == ["session", "agent"]
    assert gave["openrouter"][1] == ["start", "cost"]
    assert sorted(field for _, fields in gave.values() for field in fields) == sorted(
        ["session", "agent", "model", "start", "tokens", "cost", "status"]
    )


def test_a_record_that_changes_nothing_is_seen_once_and_unchanged_when_it_comes_again(load: Load, store: Store) -> None:
    told = witnesses(1)
    load(told["proxy"])
    assert load(told["litellm"]).stored == 1
    before = rows_of(store)
    again = load(told["litellm"], told["proxy"])
    assert (again.stored, again.unchanged) == (0, 2)
    assert rows_of(store) == before


def test_the_session_of_a_transcript_wins_over_a_tag_and_a_tag_over_a_trace(load: Load, store: Store) -> None:
    trace = seen("otlp", "otlp:1", "0.02", "response:r1", session_id="trace", agent="z")
    tag = seen("proxy", "openai:r1", "0.02", "response:r1", session_id="tag", agent="tagged", provider="openai")
    written = seen("codex", "codex:1", "0.02", "response:r1", session_id="written", owner_started_at=NINE)
    load(trace)
    load(tag)
    assert [(r["session_id"], r["agent"]) for r in rows_of(store)] == [("tag", "tagged")]
    load(written)
    assert [(r["session_id"], r["agent"]) for r in rows_of(store)] == [("written", None)]


def test_an_agent_that_the_transcript_does_not_name_is_the_one_that_the_tag_of_its_session_names(
    load: Load, store: Store
) -> None:
    load(seen("codex", "codex:1", "0.02", "response:r1", session_id="s1", owner_started_at=NINE))
    load(seen("proxy", "openai:r1", "0.02", "response:r1", session_id="s1", agent="tagged"))
    load(seen("otlp", "otlp:1", "0.02", "response:r1", session_id="s2", agent="another"))
    assert [(r["session_id"], r["agent"]) for r in rows_of(store)] == [("s1", "tagged")]


def test_a_contradiction_is_kept_and_counted_once(load: Load, store: Store) -> None:
    load(seen("proxy", "openai:r1", "0.02", "response:r1", provider="openai", model="gpt-5"))
    same = seen("litellm", "litellm:1", "0.02", "litellm:1", "response:r1", model="openai/gpt-5-2025-08-07")
    assert load(same).conflicts == 0
    other = seen(
        "langfuse",
        "langfuse:1",
        "0.01",
        "response:r1",
        model="o4",
        **{**TOKENS, "cache_read_tokens": 2_001, "output_tokens": 4},
    )
    assert load(other).conflicts == 1
    (kept,) = table(store, "SELECT request_key, other ->> 'model' AS model FROM conflicts")
    assert kept == {"request_key": "openai:r1", "model": "o4"}
    assert load(other).conflicts == 0


def test_the_provider_of_a_call_is_who_billed_it(load: Load, store: Store) -> None:
    load(seen("otlp", "openai:gen-1", "0.02", "response:gen-1", provider="openai"))
    bill = {"provider": "openrouter", "billed_usd": usd("0.03"), **WITHOUT_USAGE}
    assert load(seen("openrouter", "openrouter:gen-1", "0.03", "response:gen-1", **bill)).conflicts == 0
    assert rows_of(store, "provider, cost_usd, output_tokens") == [
        {"provider": "openrouter", "cost_usd": usd("0.03"), "output_tokens": 40}
    ]


def test_less_usage_of_another_span_is_a_contradiction_and_of_the_same_span_a_continuation(
    load: Load, store: Store
) -> None:
    """A framework writes one id of an answer on all its spans, so their loaders have one key."""
    spans = [seen("otlp", "openai:r1", "0.01", f"span:{n}", output_tokens=40 * n) for n in (1, 2, 3)]
    assert load(*spans).conflicts == 2
    assert load(*spans).conflicts == 0
    assert load(*(seen("otlp", "openai:r2", "0.01", "span:9", output_tokens=n) for n in (1, 2, 3))).conflicts == 0
    assert load(seen("otlp", "openai:r2", "0.01", "span:8", output_tokens=9)).conflicts == 1
    assert load(seen("langfuse", "langfuse:1", "0.01", "span:8", "span:9", output_tokens=2)).conflicts == 0


def test_totals_of_a_session_are_joined_with_nothing(load: Load, store: Store) -> None:
    total = seen("openclaw", "turn:1", "0.02", "response:r1", scope="session", session_id="s1")
    load(total, seen("proxy", "openai:r1", "0.02", "response:r1"))
    assert [r["request_key"] for r in rows_of(store)] == ["openai:r1", "turn:1"]


# What has no name in common.


def nameless(source: str, key: str, after_s: float = 0, **fields: Any) -> PricedRequest:
    return seen(source, f"{source}:{key}", "0.02", ended_at=NINE + timedelta(seconds=after_s), **fields)


def test_a_call_without_names_is_the_only_one_like_it_of_another_source(load: Load, store: Store) -> None:
    load(nameless("codex", "1", session_id="s1", model="GPT-5"))
    load(nameless("otlp", "1", 4, model="gpt-5"))
    (row,) = rows_of(store, "session_id, cost_usd")
    assert row == {"session_id": "s1", "cost_usd": usd("0.02")}
    rules = {s["source"]: s["rule"] for s in table(store, "FROM call_sightings")}
    assert rules == {"codex": "KEY", "otlp": "ALIKE"}


ANOTHER = [
    {"after_s": 6},
    {"model": "another"},
    {"output_tokens": 41},
    {"cache_write_5m_tokens": 299, "cache_write_1h_tokens": 1},
    {"session_id": "s2"},
]


def test_two_calls_that_differ_in_anything_are_two(shared: Store) -> None:
    for n, fields in enumerate(ANOTHER):
        model = {"model": f"m{n}"}
        other = {**model, **fields}
        load_into(shared, nameless("codex", f"{n}", session_id="s1", **model), nameless("otlp", f"{n}", **other))
    assert len(rows_of(shared)) == 2 * len(ANOTHER)


def test_two_ids_of_answers_are_two_calls_however_alike(load: Load, store: Store) -> None:
    load(nameless("proxy", "1"), replace_names(nameless("otlp", "1"), "response:r2"))
    assert len(rows_of(store)) == 1
    load(replace_names(nameless("proxy", "1"), "response:r1"))
    assert len(rows_of(store)) == 2


def without_likeness(said: PricedRequest) -> PricedRequest:
    """As it would be where the sender's clock is wrong."""
    return replace(said, request=replace(said.request, ended_at=NINE + timedelta(minutes=3)))


def replace_names(said: PricedRequest, *names: str) -> PricedRequest:
    return replace(said, request=replace(said.request, identities=names))


def test_a_name_that_one_source_gives_to_several_answers_joins_none_of_them(load: Load, store: Store) -> None:
    answers = [
        seen("responses", f"anthropic:msg_{n}", "0.02", f"response:msg_{n}", "request-id:workflow", session_id=f"s{n}")
        for n in range(3)
    ]
    load(answers[0])
    load(*answers[1:])
    load(*answers)
    assert rows_of(store, "request_key, session_id, cost_usd") == [
        {"request_key": f"anthropic:msg_{n}", "session_id": f"s{n}", "cost_usd": usd("0.02")} for n in range(3)
    ]


def test_an_id_that_a_gateway_gives_to_every_answer_joins_no_two_calls_of_the_proxy(load: Load, store: Store) -> None:
    calls = [
        seen("proxy", f"proxy:{n}", f"0.0{n}", f"call:{n}", "response:constant", **{**TOKENS, "output_tokens": 40 * n})
        for n in (1, 2, 3)
    ]
    load(calls[0])
    load(*calls[1:])
    load(seen("openclaw", "gateway:constant", "0.03", "response:constant", session_id="s1"))
    load(*calls)
    assert rows_of(store, "request_key, cost_usd") == [
        {"request_key": "gateway:constant", "cost_usd": usd("0.03")},
        {"request_key": "proxy:1", "cost_usd": usd("0.01")},
        {"request_key": "proxy:2", "cost_usd": usd("0.02")},
        {"request_key": "proxy:3", "cost_usd": usd("0.03")},
    ]


def test_two_calls_of_the_proxy_are_two_whatever_chain_of_names_joins_them(load: Load, store: Store) -> None:
    load(
        seen("proxy", "proxy:1", "0.01", "call:1", "response:r1"), seen("proxy", "proxy:2", "0.02", "call:2", "span:s")
    )
    load(seen("openclaw", "openai:r1", "0.01", "response:r1", session_id="s1"))
    assert [r["request_key"] for r in rows_of(store)] == ["openai:r1", "proxy:2"]
    load(seen("otlp", "otlp:s", "0.02", "response:r1", "span:s"))
    assert {"proxy:1", "proxy:2"} <= {r["request_key"] for r in rows_of(store)}


def test_calls_of_equal_usage_under_one_answer_are_one_but_for_two_of_the_proxy(load: Load, store: Store) -> None:
    load(*(seen("otlp", f"otlp:{n}", "0.02", "response:r1", f"span:{n}") for n in (1, 2)))
    load(*(seen("proxy", f"proxy:{n}", "0.02", "response:r2", f"call:{n}") for n in (1, 2)))
    assert [r["request_key"] for r in rows_of(store)] == ["otlp:1", "proxy:1", "proxy:2"]


def test_a_name_of_several_calls_stays_one_where_a_load_brings_only_some_of_them(load: Load, store: Store) -> None:
    """What is told of them again is named otherwise; all three share the first name still."""
    load(seen("a", "a:1", "0.01", "span:x", "span:1", output_tokens=1))
    load(seen("a", "a:2", "0.01", "span:x", output_tokens=2))
    load(seen("b", "b:1", "0.01", "span:x", "span:2", output_tokens=3))
    assert len(rows_of(store)) == 3
    load(seen("c", "c:1", "0.01", "span:1", output_tokens=1), seen("c", "c:2", "0.01", "span:2", output_tokens=3))
    assert [r["request_key"] for r in rows_of(store)] == ["a:1", "a:2", "b:1"]


def test_calls_without_output_or_usage_are_matched_with_nothing(load: Load, store: Store) -> None:
    load(nameless("codex", "1", output_tokens=0), nameless("otlp", "1", output_tokens=0))
    load(nameless("codex", "2", **WITHOUT_USAGE), nameless("otlp", "2", **WITHOUT_USAGE))
    assert len(rows_of(store)) == 4


def test_two_calls_of_one_source_that_look_alike_stay_two_and_a_third_is_neither(load: Load, store: Store) -> None:
    load(nameless("codex", "1"), nameless("codex", "2", 1))
    assert len(rows_of(store)) == 2
    load(nameless("otlp", "1"))
    assert len(rows_of(store)) == 3


def test_a_match_that_turns_out_to_be_one_of_several_is_taken_apart_and_restated(load: Load, store: Store) -> None:
    hours = [NOW + timedelta(hours=hour) for hour in range(4)]
    load(nameless("codex", "1"), now=hours[0])
    load(nameless("otlp", "1", 2), now=hours[1])
    load(nameless("otlp", "2", 3), now=hours[2])
    assert len(rows_of(store)) == 3
    assert table(store, "FROM sightings") == []
    (event,) = table(store, f"SELECT {EVENT} FROM restatements")
    assert event == {
        "request_key": "otlp:1",
        "old_cost_usd": 0,
        "new_cost_usd": usd("0.02"),
        "reason": "a call of its own again, not the one that it was taken for",
    }
    assert [known(store, hour) for hour in hours[:3]] == [(1, usd("0.02")), (1, usd("0.02")), (3, usd("0.06"))]


# What was known before a join.


def known(store: Store, instant: datetime) -> tuple[int, Any]:
    values = {"instant": instant.replace(tzinfo=None)}
    ((calls, usd_),) = store.read("SELECT count(*), sum(cost_usd) FROM requests_known_at($instant)", values).rows
    return int(str(calls)), usd_


def test_a_join_is_a_restatement_and_what_was_known_before_it_stays(load: Load, store: Store) -> None:
    told = witnesses(1)
    hours = [NOW + timedelta(hours=hour) for hour in range(5)]
    load(without_likeness(told["event"]), now=hours[0])
    load(told["openclaw"], now=hours[1])
    assert len(rows_of(store)) == 2
    load(told["claude-code"], now=hours[2])
    load(told["broadcast"], now=hours[3])
    assert len(rows_of(store)) == 1
    said = [known(store, hour) for hour in hours[:4]]
    assert said == [(1, usd("0.02")), (2, usd("0.04")), (1, usd("0.02")), (1, usd("0.03"))]
    events = table(
        store, "SELECT request_key, old_cost_usd, new_cost_usd, reason FROM restatements ORDER BY restated_at"
    )
    assert events == [
        {
            "request_key": "otlp-events:req_1",
            "old_cost_usd": usd("0.02"),
            "new_cost_usd": 0,
            "reason": "counted with call anthropic:msg_1",
        },
        {
            "request_key": "anthropic:msg_1",
            "old_cost_usd": usd("0.02"),
            "new_cost_usd": usd("0.03"),
            "reason": "what another source says of the call",
        },
    ]


def test_a_better_name_for_a_call_is_no_restatement(load: Load, store: Store) -> None:
    told = witnesses(1)
    load(told["event"], now=NOW)
    load(told["litellm"], now=NOW + timedelta(hours=1))
    load(told["proxy"], now=NOW + timedelta(hours=2))
    assert [r["request_key"] for r in rows_of(store)] == ["anthropic:msg_1"]
    assert table(store, "FROM restatements") == []
    assert [known(store, NOW + timedelta(hours=hour)) for hour in range(3)] == [(1, usd("0.02"))] * 3


def test_what_several_sources_say_is_priced_anew_one_by_one(load: Load, store: Store) -> None:
    """The proxy had no price for its name of the model; when it has one, the call still costs what it costs once."""
    told = witnesses(1)
    load(seen("otlp", "otlp:1", None, "response:msg_1", model="unknown"), told["proxy"])
    assert [r["cost_usd"] for r in rows_of(store)] == [usd("0.02")]
    (call_key,) = (counted.request.request_key for counted in store.requests_of(None))
    assert len(list(store.records_of(None))) == 2
    with Stage(source="prices", location="p", directory=store.stage_directory) as stage:
        for stored in store.records_of(None):
            stage.recost(replace(stored, cost_usd=usd("0.05"), cost_status="PRICED"), "a new line")
        store.apply(stage, now=NOW + timedelta(hours=1))
    assert [r["cost_usd"] for r in rows_of(store)] == [usd("0.05")]
    (event,) = table(store, f"SELECT {EVENT} FROM restatements")
    assert (event["request_key"], event["new_cost_usd"], event["reason"]) == (
        call_key,
        usd("0.05"),
        "a new line",
    )
    assert {s["cost_usd"] for s in table(store, "FROM call_sightings")} == {usd("0.05")}
