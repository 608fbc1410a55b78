"""Facts are tables that say what their views say, after every write and for every reader."""

from pathlib import Path

import duckdb

from store import CreditUsage, Outcome, StagedRecord, Store
from store.facts import FACTS, SOURCES
from tests.store.conftest import Load, at, bill, call, run, usd

NOON = at("2026-02-20T12:00:00Z")
CREDITS = CreditUsage(
    usage_id="u1",
    source="test",
    vendor="speech",
    used_at=NOON,
    credits=usd("5"),
    usd=usd("2"),
    usd_rule="stated",
    session_id="s1",
)
FIRST_ROWS: tuple[tuple[StagedRecord, set[str]], ...] = (
    (call("r1", started_at=NOON), set()),
    (call("r2", started_at=NOON, session_id="s1"), {"session_spend"}),
    (run("s1", started_at=NOON, ended_at=at("2026-02-20T13:00:00Z"), termination="done"), {"session_facts"}),
    (run("s2", started_at=NOON, parent_session_id="s1"), {"session_trees"}),
    (Outcome(outcome_id="o1", source="test", session_id="s1", kind="MERGED", is_success=True), {"outcome_facts"}),
    (bill("c1", "8", "2026-02-20", "2026-02-21", category="people"), {"charge_days"}),
    (bill("c2", "24", "2026-02-20", "2026-02-22"), {"allocated_days", "compute_days"}),
    (bill("c3", "9", "2026-02-20", "2026-02-22", category="inference", vendor="acme"), {"billed_periods"}),
    (
        bill("f1", "0.2", "2026-02-21", "2026-02-22", category="inference", vendor="acme", line_item="fee"),
        {"billed_fees", "fee_facts"},
    ),
    (bill("c4", "280", "2026-02-01", "2026-03-01", category="subscription", vendor="plan"), {"plan_shares"}),
    (call("r3", "0", "INCLUDED", started_at=NOON, provider="plan", session_id="s1"), {"session_plans"}),
    (bill("c5", "11", "2026-02-01", "2026-02-28", category="credits", vendor="speech"), {"credit_purchases"}),
    (CREDITS, {"credit_facts", "session_credits", "expired_credits"}),
)
"""Loads that follow each other, each with the guarded facts that have their first rows with it."""


def assert_current(store: Store) -> None:
    for fact in FACTS:
        table, view = (store.read(f"SELECT * FROM {name} ORDER BY ALL") for name in (fact, f"{fact}_now"))
        assert table == view, fact


def test_every_kind_of_write_leaves_the_facts_current(load: Load, store: Store) -> None:
    assert_current(store)
    load(call("r1", "0.4", started_at=at("2026-02-20T10:00:00Z")))
    assert_current(store)
    load(bill("c1", "24", "2026-02-20", "2026-02-22"))
    assert_current(store)
    load(bill("c1", "24", "2026-02-20", "2026-02-22", category="people"))
    assert_current(store)
    store.set_allocation(3)
    assert_current(store)


def test_a_fact_has_rows_from_the_load_that_brings_its_first_and_not_before(load: Load, store: Store) -> None:
    expected: set[str] = set()
    for record, first in FIRST_ROWS:
        load(record)
        expected |= first
        assert {fact for fact in SOURCES if store.read(f"FROM {fact}").rows} == expected, record
        assert_current(store)
    assert expected == set(SOURCES)


def test_a_fact_whose_last_source_is_gone_is_empty_again(load: Load, store: Store) -> None:
    load(run("s1", started_at=NOON, ended_at=at("2026-02-20T13:00:00Z"), termination="done"))
    for category in ("compute", "inference", "subscription", "credits"):
        load(bill("c1", "24", "2026-02-20", "2026-02-22", category=category, vendor="acme"))
        assert_current(store)
    load(bill("c1", "24", "2026-02-20", "2026-02-22", category="people", vendor="acme"))
    assert [fact for fact in SOURCES if store.read(f"FROM {fact}").rows] == ["charge_days", "session_facts"]


def test_a_reader_keeps_the_facts_of_its_snapshot_while_a_load_writes_new_ones(load: Load, store: Store) -> None:
    load(call("r1", "0.4", started_at=at("2026-02-20T10:00:00Z")))
    with store.snapshot() as reader:
        before = reader.read("SELECT count(*), sum(cost_usd) FROM request_facts").rows
        load(call("r2", "0.6", started_at=at("2026-02-20T11:00:00Z")))
        assert reader.read("SELECT count(*), sum(cost_usd) FROM request_facts").rows == before == [(1, usd("0.4"))]
    assert store.read("SELECT count(*), sum(cost_usd) FROM request_facts").rows == [(2, usd("1"))]


def test_facts_of_other_views_are_written_down_anew_when_the_store_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path):
        pass
    with duckdb.connect(str(path)) as elsewhere:
        elsewhere.execute("CREATE OR REPLACE TABLE cash_days AS SELECT 1 AS old")
        elsewhere.execute("UPDATE fact_definition SET made_with = 'an older version'")
    with Store.open(path) as store:
        assert "old" not in store.columns("cash_days")
        assert_current(store)


def test_a_store_of_a_version_in_which_a_fact_was_a_view_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path):
        pass
    with duckdb.connect(str(path)) as elsewhere:
        elsewhere.execute("DROP TABLE allocated_days")
        elsewhere.execute("CREATE VIEW allocated_days AS SELECT session_id, 1 AS old FROM sessions")
        elsewhere.execute("UPDATE fact_definition SET made_with = 'an older version'")
    with Store.open(path) as store:
        assert "old" not in store.columns("allocated_days")
        assert_current(store)


def test_the_same_capacity_again_is_no_new_version(store: Store) -> None:
    store.set_allocation(4)
    version = store.data_version()
    store.set_allocation(4)
    assert store.data_version() == version
