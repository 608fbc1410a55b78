"""Records of calls are joined alike in any order and however loads are split: as joining them by brute force does."""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations, permutations
from random import Random
from typing import Any

import pytest

from store import PricedRequest, Store
from tests.store.conftest import NOW, load_into, table, usd
from tests.store.test_one_call import NINE, rows_of, seen
from tests.stores import new_store

Worlds = dict[str, list[PricedRequest]]


def joined_by_force(worlds: Worlds) -> set[frozenset[tuple[str, str]]]:
    """The calls, as sets of key and source: what shares a key or an identity is put together until nothing moves.

    Not by a name that one source gives to several usages, answers or calls; and of what would be two calls of the
    proxy only by keys and the names that it gave.
    """
    calls: set[frozenset[tuple[str, str]]] = set()
    for said in worlds.values():
        shared = names_of_several(said)
        for group in put_together(said, lambda name, shared=shared: name not in shared):
            if len({name for r in group for name in of_kind(r, "call")}) > 1:
                calls |= {ids_of(part) for part in put_together(group, lambda name: name.startswith("call:"))}
            else:
                calls.add(ids_of(group))
    return calls


def ids_of(group: list[PricedRequest]) -> frozenset[tuple[str, str]]:
    return frozenset((r.request.request_key, r.request.source) for r in group)


def of_kind(said: PricedRequest, kind: str) -> frozenset[str]:
    return frozenset(name for name in said.request.identities if name.startswith(f"{kind}:"))


def names_of_several(said: list[PricedRequest]) -> set[str]:
    found = set()
    for one, other in combinations(said, 2):
        if one.request.source == other.request.source:
            for name in {*one.request.identities} & {*other.request.identities}:
                kinds = ("call",) if name.startswith("response:") else ("call", "response")
                differ = [of_kind(one, kind) != of_kind(other, kind) for kind in kinds if both_have(one, other, kind)]
                if any(differ) or one.request.output_tokens != other.request.output_tokens:
                    found.add(name)
    return found


def both_have(one: PricedRequest, other: PricedRequest, kind: str) -> bool:
    return bool(of_kind(one, kind) and of_kind(other, kind))


def put_together(said: list[PricedRequest], joins: Callable[[str], bool]) -> list[list[PricedRequest]]:
    groups = [([r], {r.request.request_key, *filter(joins, r.request.identities)}) for r in said]
    merged = True
    while merged:
        merged = False
        for one, other in combinations(groups, 2):
            if one[1] & other[1]:
                groups.remove(other)
                one[0].extend(other[0])
                one[1].update(other[1])
                merged = True
                break
    return [group for group, _ in groups]


State = tuple[list[dict[str, Any]], set[frozenset[tuple[str, str]]]]
"""The rows of calls, and the key and source of each record that is of one."""


def stored_after(loads: list[list[PricedRequest]]) -> State:
    with new_store() as store:
        for number, records in enumerate(loads):
            load_into(store, *records, now=NOW + timedelta(minutes=number))
        return state_of(store)


def state_of(store: Store) -> State:
    rows = [{k: v for k, v in row.items() if k not in ("first_load_id", "load_id")} for row in rows_of(store)]
    members = defaultdict(set)
    for row in table(store, "SELECT request_key, seen_as, source FROM call_sightings"):
        members[row["request_key"]].add((row["seen_as"], row["source"]))
    assert set(members) == {row["request_key"] for row in rows}
    return rows, {frozenset(of) for of in members.values()}


def in_any_order(worlds: Worlds, chance: Random, expected: set[frozenset[tuple[str, str]]]) -> None:
    records = [record for said in worlds.values() for record in said]
    at_once, calls = stored_after([records])
    assert calls == expected
    for loads in (2, 4):
        chance.shuffle(records)
        parted: list[list[PricedRequest]] = [[] for _ in range(loads)]
        for record in records:
            chance.choice(parted).append(record)
        rows, calls = stored_after(parted)
        assert calls == expected
        assert rows == at_once


def test_what_shares_names_is_joined_as_brute_force_joins_it_in_any_order_and_split() -> None:
    chance = Random(7)
    worlds: Worlds = {}
    for world in range(60):
        kinds = ("span",) if world < 30 else ("span", "span", "response", "request-id", "call")
        names = [f"{kinds[n % len(kinds)]}:{world}/{n}" for n in range(7)]
        records = {}
        for n in range(chance.randint(2, 9)):
            source, key = chance.choice("abc"), f"w{world}:{chance.randint(1, 5)}"
            said = {"model": f"model {n}", "output_tokens": chance.choice([1, 1, 1, 2]), "ended_at": None}
            said |= {"session_id": chance.choice([None, "s1", "s2"]), "agent": chance.choice([None, "x", "y"])}
            said |= {"billed_usd": usd("0.5")} if chance.random() < 0.2 else {}
            cost = "0.5" if "billed_usd" in said else chance.choice(["0.1", "0.2"])
            records[key, source] = seen(source, key, cost, *chance.sample(names, chance.choice([0, 1, 1, 2])), **said)
        worlds[str(world)] = list(records.values())
    in_any_order(worlds, chance, joined_by_force(worlds))


def test_what_has_no_name_is_joined_as_brute_force_joins_it_in_any_order_and_split() -> None:
    """Sources see some of a few calls alike, at one of a few instants, with or without an id and a session."""
    chance = Random(11)
    worlds: Worlds = {}
    expected: set[frozenset[tuple[str, str]]] = set()
    for world in range(80):
        said = [
            seen(
                source,
                f"{source}:{world}/{n}",
                "0.1",
                *chance.choice([(), (), (f"response:{world}/{source}/{n}",)]),
                model=f"model {world}",
                session_id=chance.choice([None, None, "s1", "s2"]),
                agent=chance.choice([None, None, "x", "y"]),
                started_at=NINE + timedelta(seconds=chance.choice([-3, 3])),
                ended_at=NINE + timedelta(seconds=chance.choice([3, 4, 8, 500])),
            )
            for n in range(2)
            for source in chance.sample("abcd", chance.choice([0, 1, 2, 3]))
        ]
        worlds[str(world)] = said
        expected |= alike_by_force(said)
    assert len({len(call) for call in expected}) > 2
    in_any_order(worlds, chance, expected)


def test_heartbeats_that_all_look_the_same_are_joined_as_brute_force_joins_them() -> None:
    """Of one model and one usage, at pauses around the five seconds in which two can be of one call."""
    chance = Random(13)
    worlds: Worlds = {}
    over_at = NINE
    for n in range(90):
        over_at += timedelta(seconds=chance.choice([4, 5, 6, 9, 40]), milliseconds=chance.choice([-1, 0, 0, 1]))
        worlds[str(n)] = [
            seen(
                source,
                f"{source}:{n}",
                "0.1",
                *chance.choice([(), (), (f"response:{source}/{n}",)]),
                session_id=chance.choice([None, None, "s1", "s2"]),
                agent=None,
                started_at=over_at - timedelta(seconds=chance.choice([3, 8])),
                ended_at=over_at + timedelta(seconds=chance.choice([0, 0, 1])),
            )
            for source in chance.sample("abc", chance.choice([0, 1, 2, 2]))
        ]
    expected = alike_by_force([record for said in worlds.values() for record in said])
    assert len({len(call) for call in expected}) > 1
    in_any_order(worlds, chance, expected)


def test_a_call_whose_times_and_usage_come_from_two_sources_is_joined_alike_in_any_order() -> None:
    chance = Random(17)
    worlds: Worlds = {}
    for n in range(60):
        over_at = NINE + timedelta(seconds=chance.choice([0, 20]) + 20 * n)
        name = f"span:{n}"
        timeless = seen("a", f"a:{n}", "0.1", name, started_at=None, ended_at=None)
        skewed = over_at + timedelta(seconds=chance.choice([-3, 0, 3, 30]))
        times = {"started_at": skewed, "ended_at": chance.choice([None, skewed + timedelta(minutes=10)])}
        timed = seen("b", f"b:{n}", None, name, output_tokens=chance.choice([0, 1]), **times)
        third = seen("c", f"c:{n}", "0.1", started_at=None, ended_at=over_at)
        worlds[str(n)] = chance.sample([timeless, timed, third], chance.choice([2, 3, 3]))
    at_once = stored_after([[record for said in worlds.values() for record in said]])
    assert len({len(call) for call in at_once[1]}) > 2
    in_any_order(worlds, chance, at_once[1])


def test_a_call_that_two_names_name_is_no_other_answer_in_any_order() -> None:
    """Of the provider that billed it and of the one that answered: each part has a name, the row of both would not."""
    answered = seen("a", "anthropic:m", "0.1", "span:1", provider="anthropic", ended_at=NINE)
    billed = seen("b", "openrouter:g", "0.1", "span:1", provider="openrouter", ended_at=NINE, billed_usd=usd("0.1"))
    other = seen("c", "openrouter:c", "0.1", provider="openrouter", ended_at=NINE + timedelta(seconds=2))
    expected = {
        frozenset({("anthropic:m", "a"), ("openrouter:g", "b")}),
        frozenset({("openrouter:c", "c")}),
    }
    for order in permutations([answered, billed, other]):
        assert stored_after([[record] for record in order])[1] == expected
    assert stored_after([[other], [answered, billed]])[1] == expected
    assert stored_after([[answered, billed, other]])[1] == expected


@pytest.mark.whole
@pytest.mark.parametrize("first", ["a", "b"])
@pytest.mark.parametrize("name", ["a name", "only their likeness"])
def test_more_calls_than_a_row_group_has_are_joined_without_losing_one(name: str, first: str) -> None:
    """DuckDB 2.0.0 can lose 122,880 rows that are added at once after none were (decision 0030).

    `a` gives the calls their keys, so where `b` came first its rows are replaced. A call that is stored already and can
    be alike to none comes again with the others.
    """
    calls = 123_000

    def said_by(source: str) -> list[PricedRequest]:
        return [
            seen(
                source,
                f"{source}:{n}",
                "0.01",
                *([f"span:{n}"] if name == "a name" else []),
                started_at=NINE,
                ended_at=NINE + timedelta(seconds=10 * n),
            )
            for n in range(calls)
        ]

    second = "b" if first == "a" else "a"
    other = seen("a", "a:other", "1", output_tokens=7, ended_at=NINE)
    with new_store() as store:
        load_into(store, *said_by(first), other)
        assert load_into(store, *said_by(second), other).stored == calls
        assert store.read("SELECT count(*), sum(cost_usd) FROM requests").rows == [(calls + 1, usd("1231"))]
        assert store.read("SELECT count(*), count(DISTINCT call_key) FROM sightings").rows == [(2 * calls, calls)]
        assert store.read("SELECT count(*) FROM former_calls").rows == [(calls if first == "b" else 0,)]
        assert store.read("SELECT sum(cost_usd) FROM request_facts").rows == [(usd("1231"),)]


def alike_by_force(said: list[PricedRequest]) -> set[frozenset[tuple[str, str]]]:
    requests = [record.request for record in said]

    def is_alike(one: Any, other: Any) -> bool:
        return (
            one.source != other.source
            and abs(one.ended_at - other.ended_at) <= timedelta(seconds=5)
            and not (one.identities and other.identities)
            and (one.session_id is None or other.session_id is None or one.session_id == other.session_id)
            and (None in (one.agent, other.agent) or one.agent == other.agent or in_one_session(one, other))
            and (
                one.started_at >= one.ended_at
                or other.started_at >= other.ended_at
                or max(one.started_at, other.started_at) - timedelta(seconds=1) <= min(one.ended_at, other.ended_at)
            )
        )

    def in_one_session(one: Any, other: Any) -> bool:
        return one.session_id is not None and one.session_id == other.session_id

    groups = [{r.request_key} for r in requests]
    for one, other in combinations(requests, 2):
        if is_alike(one, other):
            (left,) = (g for g in groups if one.request_key in g)
            (right,) = (g for g in groups if other.request_key in g)
            if left is not right:
                groups.remove(right)
                left.update(right)
    calls = set()
    for group in groups:
        members = [r for r in requests if r.request_key in group]
        if all(is_alike(one, other) for one, other in combinations(members, 2)):
            calls.add(frozenset((r.request_key, r.source) for r in members))
        else:
            calls |= {frozenset({(r.request_key, r.source)}) for r in members}
    return calls
