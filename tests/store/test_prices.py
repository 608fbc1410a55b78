"""Prices are only ever added, costs are given anew in the same transaction, and what they were is kept."""

from dataclasses import replace
from datetime import timedelta

import pytest

from store import Price, PricedRequest, RecordError, Stage, Store
from tests.store.conftest import NOW, Load, at, call, load_into, table, usd

LINE = Price(
    price_id="p1",
    source="book",
    provider="anthropic",
    model="opus",
    effective_from=at("2026-01-01T00:00Z"),
    input=usd("5"),
)
LATER = NOW + timedelta(days=10)


def test_a_line_is_known_since_it_was_loaded(load: Load, store: Store) -> None:
    load(LINE)
    assert store.prices() == [replace(LINE, known_at=NOW)]


def test_a_line_that_says_since_when_it_is_known_keeps_that(load: Load, store: Store) -> None:
    history = (
        replace(LINE, known_at=at("2026-01-01T00:00Z")),
        replace(LINE, input=usd("4"), known_at=at("2026-02-01T00:00Z")),
    )
    assert load(*history).stored == 2
    assert load(*history, now=LATER).unchanged == 2
    assert store.prices() == [history[1]]
    assert store.prices(known_at=at("2026-01-15T00:00Z")) == [history[0]]
    assert store.prices(known_at=at("2025-12-31T00:00Z")) == []


def test_the_same_line_is_unchanged_whenever_it_is_said_to_be_known(load: Load, store: Store) -> None:
    load(LINE)
    assert load(replace(LINE, known_at=LATER), now=LATER).unchanged == 1
    assert store.prices() == [replace(LINE, known_at=NOW)]


def test_a_corrected_line_is_a_new_row_and_the_old_one_stays(load: Load, store: Store) -> None:
    load(LINE)
    report = load(replace(LINE, input=usd("4")), now=LATER)
    assert report.stored == 1
    assert store.read("SELECT input, known_at FROM prices ORDER BY known_at").rows == [
        (usd("5"), NOW.replace(tzinfo=None)),
        (usd("4"), LATER.replace(tzinfo=None)),
    ]
    assert [line.input for line in store.prices()] == [usd("4")]
    assert [line.input for line in store.prices(known_at=NOW)] == [usd("5")]


def test_a_line_that_is_corrected_back_is_a_third_row(load: Load, store: Store) -> None:
    load(LINE)
    load(replace(LINE, input=usd("4")), now=LATER)
    load(LINE, now=LATER + timedelta(days=1))
    assert [line.input for line in store.prices()] == [usd("5")]
    assert store.read("SELECT count(*) FROM prices").rows == [(3,)]


def test_a_correction_at_the_same_instant_is_known_later(load: Load, store: Store) -> None:
    load(LINE)
    load(replace(LINE, input=usd("4")), now=NOW)
    assert [(line.input, line.known_at) for line in store.prices()] == [(usd("4"), NOW + timedelta(microseconds=1))]


def test_a_correction_that_claims_the_instant_of_what_it_corrects_is_known_now(load: Load, store: Store) -> None:
    load(replace(LINE, known_at=NOW))
    load(replace(LINE, input=usd("4"), known_at=NOW), now=LATER)
    assert [(line.input, line.known_at) for line in store.prices()] == [(usd("4"), LATER)]


def recost_all(store: Store, cost: str, price_id: str = "p2") -> None:
    with Stage(source="prices", location="book.csv", directory=store.stage_directory) as stage:
        stage.add(0, replace(LINE, price_id=price_id))
        for stored in store.requests_of(None):
            stage.recost(PricedRequest(stored.request, usd(cost), "PRICED", price_id), "list price corrected")
        store.apply(stage, now=LATER)


def test_a_new_price_restates_a_known_cost_and_keeps_the_old_one(load: Load, store: Store) -> None:
    load(call("r1", "3"))
    recost_all(store, "2.3")
    assert store.read("SELECT cost_usd, cost_status, price_id, first_load_id, load_id FROM requests").rows == [
        (usd("2.3"), "PRICED", "p2", 1, 2)
    ]
    assert table(store, "FROM restatements") == [
        {
            "request_key": "r1",
            "restated_at": LATER.replace(tzinfo=None),
            "load_id": 2,
            "old_cost_usd": usd("3"),
            "old_cost_status": "PRICED",
            "old_price_id": None,
            "new_cost_usd": usd("2.3"),
            "new_cost_status": "PRICED",
            "new_price_id": "p2",
            "reason": "list price corrected",
        }
    ]


def test_a_first_price_of_an_unpriced_request_restates_nothing(load: Load, store: Store) -> None:
    load(call("r1", None))
    recost_all(store, "2.3")
    assert store.read("SELECT cost_usd, cost_status FROM requests").rows == [(usd("2.3"), "PRICED")]
    assert store.read("FROM restatements").rows == []


def test_the_same_cost_again_restates_nothing(load: Load, store: Store) -> None:
    load(call("r1", "3"))
    recost_all(store, "2.3")
    recost_all(store, "2.3")
    assert store.read("SELECT count(*) FROM restatements").rows == [(1,)]
    assert store.read("SELECT load_id FROM requests").rows == [(2,)]


def test_loading_the_request_again_does_not_bring_its_old_cost_back(load: Load, store: Store) -> None:
    load(call("r1", "3"))
    recost_all(store, "2.3")
    assert load(call("r1", "2.3", price_id="p2")).unchanged == 1
    assert store.read("SELECT cost_usd FROM requests").rows == [(usd("2.3"),)]


def test_a_bill_that_arrives_later_restates_the_computed_cost(load: Load, store: Store) -> None:
    load(call("r1", "2.30"))
    load(call("r1", "2.31", "BILLED", billed_usd=usd("2.31")), now=LATER)
    assert store.read("SELECT cost_usd, cost_status FROM requests").rows == [(usd("2.31"), "BILLED")]
    assert store.read("SELECT old_cost_usd, new_cost_usd, new_cost_status, reason FROM restatements").rows == [
        (usd("2.30"), usd("2.31"), "BILLED", "a fuller copy of the request")
    ]


def test_a_cost_and_its_status_agree() -> None:
    with pytest.raises(RecordError, match="Request r1: a cost that is UNPRICED must be None, got 1"):
        call("r1", "1", "UNPRICED")
    with pytest.raises(RecordError, match="Request r1: a cost that is BILLED must be an amount, got None"):
        call("r1", None, "BILLED")


@pytest.mark.parametrize("cost", ["1e16", "-1e16", "Infinity", "NaN"])
def test_a_cost_that_is_no_amount_of_money_is_refused(cost: str) -> None:
    with pytest.raises(RecordError, match=r"Request r1: its cost must be an amount below 1e\+15 USD, got "):
        call("r1", cost, "PRICED")


def test_requests_can_be_had_by_provider_and_model(load: Load, store: Store) -> None:
    load(
        call("opus", provider="anthropic", model="opus"),
        call("sonnet", provider="anthropic", model="sonnet"),
        call("elsewhere", provider="bedrock", model="opus"),
        call("nobody knows", model="opus"),
    )
    found = store.requests_of({("anthropic", "opus"), ("openai", "sonnet")})
    assert sorted(stored.request.request_key for stored in found) == ["nobody knows", "opus"]
    assert len(list(store.requests_of(None))) == 4
    assert list(store.requests_of(set())) == []


def test_a_request_comes_back_as_it_was_stored(load: Load, store: Store) -> None:
    stored = call(
        "r1",
        "0.5",
        "BILLED",
        session_id="s1",
        agent="amadeus",
        provider="anthropic",
        model="opus",
        started_at=at("2026-02-20T09:00:00.5Z"),
        ended_at=at("2026-02-20T09:00:02Z"),
        billed_usd=usd("0.5"),
        estimated_usd=usd("0.6"),
        status="error",
        owner_started_at=at("2026-02-20T08:00Z"),
    )
    load(stored)
    assert list(store.requests_of(None)) == [stored]
    assert load_into(store, *store.requests_of(None)).unchanged == 1
