"""The keys of a slice are those of the rows that a metric of the same question counts."""

from datetime import date

import pytest

from semantic import Caller, Catalog, QueryError, load_catalog, parse_filter
from semantic.planner import Planner
from server.slices import Slice, check_unrestricted, slice_of
from store import Store
from tests.server.conftest import REPOSITORY

TODAY = date(2026, 3, 10)


def keys(store: Store, chosen: Slice) -> list[object]:
    rows = store.read(f"SELECT {chosen.key} FROM ({chosen.sql}) ORDER BY 1", chosen.params).rows
    return [key for (key,) in rows]


def test_the_sessions_of_a_slice_are_those_that_match(catalog: Catalog, store: Store) -> None:
    chosen = slice_of(Planner(catalog), "sessions", as_of=TODAY, where=parse_filter("trigger = 'cron'"))
    assert keys(store, chosen) == ["s2", "s3"]


def test_requests_are_chosen_by_what_their_session_is(catalog: Catalog, store: Store) -> None:
    chosen = slice_of(Planner(catalog), "requests", as_of=TODAY, where=parse_filter("trigger = 'cron'"))
    assert keys(store, chosen) == ["r3", "r4"]


def guarded() -> Catalog:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    policy = "policies:\n  own_agents: {model: sessions, rows: 'agent = :caller.agent', unless: [finance]}\n"
    return load_catalog(f"{text}\n{policy}")


def test_what_a_policy_hides_is_in_no_slice(store: Store) -> None:
    caller = Caller(frozenset({"dashboard"}), {"agent": "scout"})
    assert keys(store, slice_of(Planner(guarded()), "sessions", as_of=TODAY, caller=caller)) == ["s3"]


def test_a_surface_that_needs_all_rows_refuses_a_caller_who_may_see_some(store: Store) -> None:
    planner, caller = Planner(guarded()), Caller(frozenset({"dashboard"}), {"agent": "scout"})
    with pytest.raises(QueryError, match="of which the caller may see a part only"):
        check_unrestricted(planner, ("sessions",), caller)
    check_unrestricted(planner, ("cash",), caller)
    check_unrestricted(planner, ("sessions",), Caller(frozenset({"finance"})))
    check_unrestricted(planner, ("sessions",), None)
