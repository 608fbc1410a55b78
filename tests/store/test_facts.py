"""Facts are tables that say what their views say, after every write and for every reader."""

from pathlib import Path

import duckdb

from store import Store
from store.facts import FACTS
from tests.store.conftest import Load, at, bill, call, usd


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


def test_the_same_capacity_again_is_no_new_version(store: Store) -> None:
    store.set_allocation(4)
    version = store.data_version()
    store.set_allocation(4)
    assert store.data_version() == version
