"""A new price leaves what there would be had it been known from the start, and changes nothing of the past."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from store import LoadReport, PricedRequest, Stage, Store
from tests.store.conftest import NOW, load_into, usd
from tests.store.test_one_call import NINE, seen
from tests.store.test_one_call_orders import state_of, stored_after
from tests.stores import check_facts, new_store

LATER = NOW + timedelta(hours=1)
KNOWN = "SELECT request_key, cost_usd, cost_status, price_id FROM requests_known_at($at) ORDER BY ALL"
COUNTED = "SELECT request_key, cost_usd, cost_status, price_id FROM request_facts ORDER BY ALL"
CHANGES = "SELECT request_key, old_cost_usd, new_cost_usd, new_cost_status, reason FROM restatements ORDER BY ALL"


def said_by(source: str, cost: str | None, over_after_s: int, *names: str) -> PricedRequest:
    over_at = NINE + timedelta(seconds=over_after_s)
    return seen(source, f"{source}:1", cost, *names, agent=None, started_at=None, ended_at=over_at)


def ids_of(*records: PricedRequest) -> frozenset[tuple[str, str]]:
    return frozenset((record.request.request_key, record.request.source) for record in records)


def price_anew(
    store: Store, records: Iterable[PricedRequest], *, beside: Iterable[PricedRequest] = (), now: datetime = LATER
) -> LoadReport:
    """A load that gives stored records these costs; `beside` it says itself."""
    with Stage(source="prices", location="p", directory=store.stage_directory) as stage:
        for item, record in enumerate(beside):
            stage.add(item, record)
        for record in records:
            stage.recost(record, "a new line")
        report = store.apply(stage, now=now)
    check_facts(store, ("request_facts", "session_spend", "computed_days"))
    return report


def known_at(store: Store, instant: datetime) -> list[tuple[Any, ...]]:
    return store.read(KNOWN, {"at": instant.replace(tzinfo=None)}).rows


def test_a_new_price_joins_and_parts_calls_as_if_it_had_been_known_from_the_start() -> None:
    """Of two records of a call, the one that has a price tells when it ended; a third record is alike to one end."""

    def told(first: str | None, second: str | None) -> list[PricedRequest]:
        return [said_by("a", first, 0, "span:1"), said_by("b", second, 60, "span:1"), said_by("c", "0.1", 2)]

    one, two = told("0.1", None), told(None, "0.1")
    first, second, third = one
    with new_store() as store:
        load_into(store, *two)
        for number, (asked, calls) in enumerate(((one, [(first, second, third)]), (two, [(first, second), (third,)]))):
            assert price_anew(store, asked, now=NOW + timedelta(hours=number)).read == 0
            rows, members = state_of(store)
            assert members == {ids_of(*call) for call in calls}
            assert (rows, members) == stored_after([asked])
            assert store.read("SELECT sum(cost_usd) FROM request_facts").rows == [(usd("0.1") * len(calls),)]


def test_a_new_price_parts_what_likeness_joined_though_the_row_of_all_stays_as_it_is() -> None:
    """Which of its two records tells when the second call ended shows in no row as long as the first has the usage."""
    under_a_plan = replace(said_by("a", "0", 0, "span:1"), cost_status="INCLUDED")
    first = [under_a_plan, said_by("b", "0.1", 0, "span:1")]

    def told(third: str | None, fourth: str | None) -> list[PricedRequest]:
        return [*first, said_by("c", third, 2, "span:2"), said_by("d", fourth, 60, "span:2")]

    joined, parted = told("0.1", None), told(None, "0.1")
    with new_store() as store:
        load_into(store, *joined)
        rows, members = state_of(store)
        assert members == {ids_of(*joined)}
        assert [(row["ended_at"], row["cost_status"]) for row in rows] == [(NINE.replace(tzinfo=None), "INCLUDED")]
        price_anew(store, parted)
        assert state_of(store)[1] == {ids_of(*parted[:2]), ids_of(*parted[2:])}
        assert state_of(store) == stored_after([parted])


def test_a_cost_that_a_load_gives_and_takes_back_was_never_known() -> None:
    """Priced at 0.1 instead of 0.5 and then found to be of another call, all in one load."""
    first, second, other = said_by("a", None, 0, "span:1"), said_by("b", "0.5", 60, "span:1"), said_by("A", "0.1", 2)
    with new_store() as store:
        load_into(store, first, second, other)
        before = store.read(COUNTED).rows
        assert before == [("A:1", usd("0.1"), "PRICED", None), ("a:1", usd("0.5"), "PRICED", None)]
        price_anew(store, [said_by("a", "0.1", 0), said_by("b", None, 60)])
        assert store.read(COUNTED).rows == [("A:1", usd("0.1"), "PRICED", None)]
        assert store.read(CHANGES).rows == [("a:1", usd("0.5"), usd("0"), "JOINED", "counted with call A:1")]
        assert known_at(store, NOW) == before


def test_a_cost_that_was_unknown_before_a_load_stays_unknown_before_it() -> None:
    """Priced for the first time and then found to be of another call, all in one load."""
    first, second, other = said_by("a", None, 0, "span:1"), said_by("b", None, 60, "span:1"), said_by("A", "0.1", 2)
    first = replace(first, request=replace(first.request, ended_at=NINE + timedelta(seconds=60)))
    with new_store() as store:
        load_into(store, first, second, other)
        before = store.read(COUNTED).rows
        assert before == [("A:1", usd("0.1"), "PRICED", None), ("a:1", None, "UNPRICED", None)]
        joining = replace(other.request, ended_at=NINE + timedelta(seconds=59))
        price_anew(store, [said_by("a", "0.1", 60)], beside=[replace(other, request=joining)])
        assert store.read(COUNTED).rows == [("A:1", usd("0.1"), "PRICED", None)]
        assert store.read(CHANGES).rows == []
        assert known_at(store, NOW) == before


def test_a_call_that_a_load_prices_and_tells_more_of_changes_its_cost_once() -> None:
    with new_store() as store:
        load_into(store, said_by("a", "0.5", 0))
        fuller = said_by("a", "0.3", 0)
        fuller = replace(fuller, request=replace(fuller.request, output_tokens=400))
        price_anew(store, [said_by("a", None, 0)], beside=[fuller])
        assert store.read(CHANGES).rows == [("a:1", usd("0.5"), usd("0.3"), "PRICED", "a fuller copy of the request")]
        assert store.read("FROM late_costs").rows == []
        assert known_at(store, NOW) == [("a:1", usd("0.5"), "PRICED", None)]


def test_a_price_of_a_load_that_also_tells_the_call_again_keeps_its_reason() -> None:
    with new_store() as store:
        load_into(store, said_by("a", "0.5", 0))
        price_anew(store, [said_by("a", "0.3", 0)], beside=[said_by("a", "0.3", 0, "span:1")])
        assert store.read(CHANGES).rows == [("a:1", usd("0.5"), usd("0.3"), "PRICED", "a new line")]


def world(chance: Random, number: int) -> list[PricedRequest]:
    """Up to three calls near each other, seen by up to four sources, under names of their own or under none."""
    records = {}
    for one in range(chance.randint(1, 3)):
        for _ in range(chance.randint(1, 4)):
            source, key = chance.choice("abcd"), f"{number}/{one}/{chance.randint(0, 1)}"
            names = chance.choice([[f"span:{number}/{one}"]] * 3 + [[f"response:{number}/{one}"], []])
            over_at = NINE + timedelta(seconds=20 * one + chance.choice([0, 2, 4, 20]))
            record = seen(
                source, f"{source}:{key}", chance.choice([None, "0.1", "0.2"]), *names, model=f"m{number}",
                session_id=chance.choice([None, None, "s1", "s2"]), agent=None, started_at=None, ended_at=over_at,
            )  # fmt: skip
            records[record.request.request_key, source] = record
    return list(records.values())


def priced(record: PricedRequest, cost: str | None) -> PricedRequest:
    status = "UNPRICED" if cost is None else "PRICED"
    return replace(record, cost_usd=None if cost is None else usd(cost), cost_status=status)


@pytest.mark.parametrize("seed", range(4))
def test_new_prices_leave_what_there_would_be_had_they_been_known_from_the_start(seed: int) -> None:
    """Some records come with the load that brings the prices, and the prices of some change twice."""
    chance = Random(seed)
    worlds = [world(chance, number) for number in range(25)]
    records = [record for records in worlds for record in records]
    late = {n for n in range(len(records)) if chance.random() < 0.3}
    chance.shuffle(records)
    with new_store() as store:
        load_into(store, *(record for n, record in enumerate(records) if n not in late))
        history = [(NOW, store.read(COUNTED).rows)]
        for hour in (1, 2):
            records = [priced(record, chance.choice([None, "0.1", "0.3", "0.3"])) for record in records]
            told = [record for n, record in enumerate(records) if n not in late]
            beside = [record for n, record in enumerate(records) if n in late]
            now = NOW + timedelta(hours=hour)
            price_anew(store, records if hour > 1 else told, beside=beside if hour == 1 else (), now=now)
            assert state_of(store) == stored_after([records])
            history.append((now, store.read(COUNTED).rows))
            for instant, counted in history:
                assert known_at(store, instant) == counted
        assert price_anew(store, records, now=NOW + timedelta(hours=3)).stored == 0
        twice = "SELECT request_key FROM cost_changes GROUP BY request_key, load_id HAVING count(*) > 1"
        assert store.read(twice).rows == []
