"""Reads cannot write, see one version of the data, end in time and say what was wrong."""

import threading
import time
from pathlib import Path

import pytest

from store import QueryError, QueryTimeout, Stage, Store, StoreError
from tests.store.conftest import NOW, call, load_into, run

ENDLESS = "SELECT count(*) FROM range(1000000) AS a, range(1000000) AS b WHERE (a.range * b.range) % 7 = 3"


def test_values_are_bound_by_name(store: Store) -> None:
    answer = store.read("SELECT $low AS low, $low + $high AS total", {"low": 1, "high": 2})
    assert answer.columns == ("low", "total")
    assert answer.rows == [(1, 3)]


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM requests",
        "SET memory_limit = '1GB'",
        "SELECT 1; SELECT 2",
        "",
        "COPY requests TO 'copy.csv'",
        "PRAGMA database_list",
    ],
)
def test_anything_but_one_select_is_refused(store: Store, sql: str) -> None:
    with pytest.raises(QueryError, match="only a single SELECT can be read"):
        store.read(sql)


def test_a_select_that_writes_is_refused(store: Store) -> None:
    load_into(store, call("r1"))
    with pytest.raises(QueryError, match="read-only"):
        store.read("WITH gone AS (DELETE FROM requests RETURNING *) SELECT * FROM gone")
    assert store.read("SELECT count(*) FROM requests").rows == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM '/etc/hostname'",
    ],
)
def test_no_query_reaches_a_file(store: Store, sql: str) -> None:
    with pytest.raises(QueryError):
        store.read(sql)


def test_a_mistake_is_told_with_a_hint(store: Store) -> None:
    with pytest.raises(QueryError) as caught:
        store.read("SELECT cost FROM requests")
    assert 'column "cost" not found' in caught.value.message
    assert "cost_usd" in (caught.value.hint or "")


def test_an_error_in_a_late_row_is_an_error_of_the_query(store: Store) -> None:
    with pytest.raises(QueryError, match="too late"):
        store.read("SELECT CASE WHEN range = 99999 THEN error('too late') ELSE range END FROM range(100000)")


def test_a_missing_value_is_told(store: Store) -> None:
    with pytest.raises(QueryError, match="p2"):
        store.read("SELECT $p1 + $p2", {"p1": 1})


def test_a_query_ends_when_its_time_is_over(store: Store) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeout, match="longer than 100 ms and was stopped"):
        store.read(ENDLESS, timeout_ms=100)
    assert time.monotonic() - started < 5


def test_a_time_limit_holds_for_its_own_query_only(store: Store) -> None:
    with store.snapshot() as reader:
        assert reader.read("SELECT current_setting('max_execution_time')", timeout_ms=5000).rows == [(5000,)]
        assert reader.read("SELECT current_setting('max_execution_time')").rows == [(0,)]
    assert store.read("SELECT current_setting('max_execution_time')").rows == [(0,)]


def test_a_query_can_be_interrupted_from_another_thread(store: Store) -> None:
    with store.snapshot() as reader:
        timer = threading.Timer(0.2, reader.interrupt)
        timer.start()
        with pytest.raises(QueryTimeout, match="interrupted"):
            reader.read(ENDLESS, timeout_ms=30_000)
        timer.join()


def test_a_snapshot_stays_at_its_version_while_loads_go_on(store: Store) -> None:
    load_into(store, call("r1"))
    with store.snapshot() as reader:
        assert reader.read("SELECT count(*) FROM requests").rows == [(1,)]
        load_into(store, call("r2"))
        assert reader.read("SELECT count(*) FROM requests").rows == [(1,)]
        assert reader.data_version == 1
    with store.snapshot() as reader:
        assert reader.read("SELECT count(*) FROM requests").rows == [(2,)]
        assert reader.data_version == store.data_version() == 2


def test_a_snapshot_is_of_the_version_of_its_first_read(store: Store) -> None:
    with store.snapshot() as reader:
        load_into(store, call("r1"))
        assert reader.read("SELECT count(*) FROM requests").rows == [(1,)]
        load_into(store, call("r2"))
        assert reader.data_version == 1
        assert reader.read("SELECT count(*) FROM requests").rows == [(1,)]


def test_a_snapshot_that_is_asked_for_its_version_first_stays_there(store: Store) -> None:
    with store.snapshot() as reader:
        assert reader.data_version == 0
        load_into(store, call("r1"))
        assert reader.read("SELECT count(*) FROM requests").rows == [(0,)]


def test_a_snapshot_that_was_answered_while_somebody_wrote_knows_its_version(store: Store) -> None:
    """What is stored already and not yet told is neither taken for the version before it nor for the one after."""
    asked, written = threading.Event(), threading.Event()

    def told_late() -> None:
        with store._writing("a load that dawdles") as cursor:
            cursor.execute("UPDATE data_version SET version = 1")
            written.set()
            asked.wait(30)
            store._data_version = 1

    writer = threading.Thread(target=told_late)
    writer.start()
    written.wait(30)
    with store.snapshot() as reader:
        assert reader.read("SELECT version FROM data_version").rows == [(1,)]
        assert store.data_version() == 0
        assert reader.data_version == 1
    asked.set()
    writer.join()


def test_a_failed_query_ends_its_snapshot_and_nothing_else(store: Store) -> None:
    with store.snapshot() as reader:
        with pytest.raises(QueryError, match="nowhere"):
            reader.read("SELECT nothing FROM nowhere")
        with pytest.raises(QueryError, match="an earlier query of this snapshot has failed"):
            reader.read("SELECT 1")
    with store.snapshot() as reader:
        assert reader.read("SELECT 1").rows == [(1,)]


def test_many_threads_read_while_loads_go_on(store: Store) -> None:
    seen: list[tuple[int, int]] = []

    def look() -> None:
        for _ in range(10):
            with store.snapshot() as reader:
                ((count,),) = reader.read("SELECT count(*)::BIGINT FROM requests").rows
                assert isinstance(count, int)
                seen.append((reader.data_version, count))

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for number in range(5):
        load_into(store, *(call(f"{number}-{copy}") for copy in range(10)))
    for thread in threads:
        thread.join()
    assert len(seen) == 60
    assert all(count == version * 10 for version, count in seen)


def test_columns_of_a_view_are_known_and_of_nothing_there_are_none(store: Store) -> None:
    assert store.columns("cash_days") == {
        "account": "VARCHAR",
        "as_of_on": "DATE",
        "balance_usd": "DECIMAL(38,12)",
        "valid_until_on": "DATE",
    }
    assert store.columns("no_such_view") == {}


def test_a_stage_that_lies_elsewhere_is_brought_within_reach(store: Store, tmp_path: Path) -> None:
    with Stage(source="test", location="elsewhere", directory=tmp_path) as stage:
        stage.add(0, run("s1"))
        store.apply(stage, now=NOW)
        assert list(store.stage_directory.iterdir()) == []
    assert store.read("SELECT session_id FROM sessions").rows == [("s1",)]
    assert list(tmp_path.iterdir()) == []


def test_an_instant_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(StoreError, match="says no zone"):
        load_into(store, run("s1"), now=NOW.replace(tzinfo=None))
