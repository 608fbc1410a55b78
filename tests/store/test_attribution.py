"""Trees of sessions: roots, orphans, cycles and what everything below a session cost, against plain Python."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Session, Store
from tests.store.conftest import at, bill, call, load_into, run, table, usd

Tree = dict[str, str | None]
"""Session -> its parent."""


def trees_of(store: Store) -> dict[str, dict[str, Any]]:
    return {row["session_id"]: row for row in table(store, "FROM session_facts")}


def by_hand(parents: Tree, cents: dict[str, int]) -> dict[str, tuple[str, int, str | None, Decimal, int]]:
    """Session -> root, depth, what is wrong with its ancestry, cost of its subtree and how many sessions it has."""

    def leads_back(session: str) -> bool:
        seen, above = set[str](), parents[session]
        while above in parents and above not in seen:
            if above == session:
                return True
            seen.add(above)
            above = parents[above]
        return False

    cycle = {session for session in parents if leads_back(session)}
    above = {s: p if p in parents and s not in cycle else None for s, p in parents.items()}
    found = {}
    for session, parent in parents.items():
        way = [session]
        while (next_up := above[way[-1]]) is not None:
            way.append(next_up)
        broken = "CYCLE" if session in cycle else "ORPHAN" if parent is not None and parent not in parents else None
        below = [s for s in parents if session in _way(s, above)]
        found[session] = (way[-1], len(way) - 1, broken, Decimal(sum(cents[s] for s in below)) / 100, len(below))
    return found


def _way(session: str, above: Tree) -> list[str]:
    way = [session]
    while (next_up := above[way[-1]]) is not None:
        way.append(next_up)
    return way


NAMES = [f"s{n}" for n in range(12)]
PARENTS = st.dictionaries(st.sampled_from(NAMES), st.none() | st.sampled_from([*NAMES, "gone"]), min_size=1)


@settings(max_examples=5, deadline=None)
@given(worlds=st.lists(PARENTS, min_size=1, max_size=30))
def test_trees_are_those_that_walking_up_gives(worlds: list[Tree]) -> None:
    parents = {f"{n}{s}": p and f"{n}{p}" for n, world in enumerate(worlds) for s, p in world.items()}
    cents = {session: 7 * n % 100 for n, session in enumerate(parents)}
    with Store.open(None) as store:
        load_into(
            store,
            *(run(s, parent_session_id=p, started_at=at("2026-02-20T10:00Z")) for s, p in parents.items()),
            *(call(f"r-{s}", str(Decimal(n) / 100), session_id=s) for s, n in cents.items()),
        )
        found = trees_of(store)
    actual = {
        name: (r["root_session_id"], r["depth"], r["ancestry"], r["subtree_cost_usd"], r["subtree_sessions"])
        for name, r in found.items()
    }
    assert actual == by_hand(parents, cents)
    roots = [r for r in found.values() if r["is_root"]]
    assert sum(r["subtree_cost_usd"] for r in roots) == sum(r["cost_usd"] for r in found.values())
    assert sum(r["subtree_sessions"] for r in roots) == len(parents)


@pytest.fixture(scope="module")
def long_ways() -> Any:
    """A chain of 20,000 sessions and a cycle of as many."""
    length = 20_000
    chain = [
        Session(session_id=f"a{n}", source="t", parent_session_id=f"a{n - 1}" if n else None) for n in range(length)
    ]
    cycle = [Session(session_id=f"c{n}", source="t", parent_session_id=f"c{(n + 1) % length}") for n in range(length)]
    with Store.open(None) as store:
        load_into(store, *chain, *cycle, call("r", "0.5", session_id=f"a{length - 1}"))
        yield store


def test_a_chain_of_thousands_has_one_root_and_every_step_of_its_depth(long_ways: Store) -> None:
    rows = long_ways.read(
        "SELECT count(DISTINCT root_session_id), max(depth), count(DISTINCT depth), sum(subtree_cost_usd)"
        " FROM session_facts WHERE session_id LIKE 'a%'"
    ).rows
    assert rows == [(1, 19_999, 20_000, usd("10000"))]


def test_a_cycle_of_thousands_is_as_many_roots(long_ways: Store) -> None:
    rows = long_ways.read(
        "SELECT DISTINCT ancestry, depth, is_root, subtree_sessions, root_trigger FROM session_facts"
        " WHERE session_id LIKE 'c%'"
    ).rows
    assert rows == [("CYCLE", 0, True, 1, "unknown")]


def test_a_cost_that_is_unknown_is_unknown_in_every_session_above(store: Store) -> None:
    load_into(
        store,
        run("top", trigger="cron"),
        run("middle", parent_session_id="top"),
        run("bottom", parent_session_id="middle"),
        run("beside", parent_session_id="top"),
        call("r1", "0.4", session_id="top"),
        call("r2", None, session_id="middle"),
        call("r3", "0.1", session_id="bottom"),
        call("r4", "0.2", session_id="beside"),
    )
    found = {s: (r["subtree_cost_usd"], r["subtree_known_cost_usd"]) for s, r in trees_of(store).items()}
    assert found == {
        "top": (None, usd("0.7")),
        "middle": (None, usd("0.1")),
        "bottom": (usd("0.1"), usd("0.1")),
        "beside": (usd("0.2"), usd("0.2")),
    }


def test_below_a_cycle_a_session_belongs_to_the_member_that_it_hangs_on(store: Store) -> None:
    load_into(
        store,
        run("x", parent_session_id="y"),
        run("y", parent_session_id="x"),
        run("z", parent_session_id="y", trigger="cron"),
        run("self", parent_session_id="self"),
        call("r", "0.3", session_id="z"),
    )
    found = {s: (r["root_session_id"], r["ancestry"], r["subtree_cost_usd"]) for s, r in trees_of(store).items()}
    assert found == {
        "x": ("x", "CYCLE", usd("0")),
        "y": ("y", "CYCLE", usd("0.3")),
        "z": ("y", None, usd("0.3")),
        "self": ("self", "CYCLE", usd("0")),
    }


def test_a_parent_that_comes_later_takes_in_its_orphans(store: Store) -> None:
    load_into(store, run("child", parent_session_id="late", trigger="subagent"), call("r", "0.3", session_id="child"))
    assert (trees_of(store)["child"]["ancestry"], trees_of(store)["child"]["root_trigger"]) == ("ORPHAN", "unknown")
    load_into(store, run("late", trigger="human"))
    child = trees_of(store)["child"]
    assert (child["ancestry"], child["root_trigger"], child["root_session_id"]) == (None, "human", "late")


def test_the_machines_share_of_a_descendant_is_in_the_subtree(store: Store) -> None:
    start, end = at("2026-02-18T10:00Z"), at("2026-02-18T16:00Z")
    times = {"started_at": start, "ended_at": end, "termination": "success"}
    load_into(
        store, run("top"), run("child", parent_session_id="top", **times), bill("c1", "24", "2026-02-18", "2026-02-19")
    )
    assert trees_of(store)["top"]["subtree_cost_usd"] == usd("6")
