"""What the store keeps of its sources: cursors, failures, parts that are stated as a whole, and contradictions."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from store import Charge, Stage, Store, StoreError
from tests.store.conftest import call

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


def charge(charge_id: str, part: str | None, amount: str = "1.5", source: str = "bill") -> Charge:
    return Charge(
        charge_id=charge_id,
        source=source,
        category="compute",
        amount_usd=Decimal(amount),
        billed_usd=Decimal("2"),
        starts_on=date(2026, 2, 1),
        ends_on=date(2026, 3, 1),
        part=part,
    )


def load(store: Store, records: list[Charge], whole: tuple[str, ...] = (), source: str = "bill") -> int:
    """How many rows were removed."""
    with Stage(source=source, location="x", directory=store.stage_directory) as stage:
        for number, record in enumerate(records):
            stage.add(number, record)
        for part in whole:
            stage.state_whole(part)
        return store.apply(stage, now=NOW).removed


def ids(store: Store) -> list[str]:
    return [str(row[0]) for row in store.read("SELECT charge_id FROM charges ORDER BY 1").rows]


def total(store: Store) -> object:
    return store.read("SELECT sum(amount_usd) FROM charge_days").rows[0][0]


def test_a_part_that_is_stated_as_a_whole_loses_what_it_no_longer_has(store: Store) -> None:
    february = [charge("a", "february"), charge("b", "february")]
    load(store, [*february, charge("c", "march")], ("february", "march"))
    assert load(store, february[:1], ("february",)) == 1
    assert ids(store) == ["a", "c"]
    assert total(store) == Decimal("3")


def test_a_part_that_is_not_stated_as_a_whole_keeps_what_it_had_and_says_how_much(store: Store) -> None:
    load(store, [charge("a", "february"), charge("b", "february"), charge("c", "march")], ("february",))
    with Stage(source="bill", location="x", directory=store.stage_directory) as stage:
        stage.add(0, charge("a", "february", "9"))
        report = store.apply(stage, now=NOW)
    assert (report.removed, report.left_behind) == (0, 1)
    load(store, [], ("march",))
    assert ids(store) == ["a", "b"]
    assert total(store) == Decimal("10.5")


def test_a_part_may_be_empty_now_and_is_no_business_of_other_sources(store: Store) -> None:
    load(store, [charge("a", "february")], ("february",))
    load(store, [charge("z", "february", source="other")], ("february",), source="other")
    assert load(store, [], ("february",)) == 1
    assert ids(store) == ["z"]


def test_the_cursor_is_that_of_the_last_load_that_was_stored(store: Store) -> None:
    for cursor in ("page 1", "page 2"):
        with Stage(source="api", location="x", directory=store.stage_directory) as stage:
            stage.cursor = cursor
            store.apply(stage, now=NOW)
    store.note_failure("api", "x", "the token has expired", now=NOW + timedelta(hours=1))
    assert store.last_cursor("api", "x") == "page 2"
    assert store.last_cursor("api", "y") is None
    assert store.read("SELECT cursor_before, cursor, error FROM loads ORDER BY load_id").rows == [
        (None, "page 1", None),
        ("page 1", "page 2", None),
        ("page 2", "page 2", "the token has expired"),
    ]


def test_a_failed_load_changes_no_data_and_is_told_beside_the_last_that_was_stored(store: Store) -> None:
    load(store, [charge("a", None)])
    version = store.data_version()
    store.note_failure("bill", "x", "no such file \x00", now=NOW + timedelta(hours=1))
    assert store.data_version() == version
    (state,) = store.sources()
    assert (state.newest.error, state.loads) == ("no such file \ufffd", 1)
    assert state.newest_stored is not None
    assert state.newest_stored.applied_at == NOW
    assert store.last_attempts() == {("bill", "x"): (NOW + timedelta(hours=1), True)}


def test_the_pauses_of_a_source_are_those_between_its_stored_loads(store: Store) -> None:
    for hours in (0, 1, 30, 31, 80):
        with Stage(source="bill", location="x", directory=store.stage_directory) as stage:
            store.apply(stage, now=NOW + timedelta(hours=hours))
        store.note_failure("bill", "x", "no such file", now=NOW + timedelta(hours=hours + 0.5))
    hour = timedelta(hours=1)
    assert store.pauses("bill", "x", timedelta(hours=24), 10) == [
        (NOW + hour, NOW + 30 * hour),
        (NOW + 31 * hour, NOW + 80 * hour),
    ]
    assert store.pauses("bill", "x", timedelta(hours=24), 1) == [(NOW + 31 * hour, NOW + 80 * hour)]
    assert store.pauses("bill", "y", timedelta(0), 10) == []


def test_a_load_that_failed_first_has_nothing_stored(store: Store) -> None:
    store.note_failure("bill", "x", "no such file", now=NOW)
    (state,) = store.sources()
    assert (state.newest_stored, state.loads) == (None, 0)


def conflicts(store: Store) -> list[tuple[object, ...]]:
    found = store.read("SELECT request_key, kept, other FROM conflicts ORDER BY ALL").rows
    return [(key, json.loads(str(kept)), json.loads(str(other))) for key, kept, other in found]


def put(store: Store, *records: object) -> int:
    with Stage(source="test", location="x", directory=store.stage_directory) as stage:
        for number, record in enumerate(records):
            stage.add(number, record)  # type: ignore[arg-type]  # calls of the fixtures
        return store.apply(stage, now=NOW).conflicts


def test_an_answer_that_was_written_down_while_it_streamed_is_no_conflict(store: Store) -> None:
    assert put(store, call("r", output_tokens=1), call("r", output_tokens=90)) == 0
    assert put(store, call("r", output_tokens=40)) == 0
    assert conflicts(store) == []


def test_two_records_of_one_request_that_cannot_both_be_true_are_kept_and_told(store: Store) -> None:
    put(store, call("r", uncached_input_tokens=10, output_tokens=90))
    assert put(store, call("r", uncached_input_tokens=500, output_tokens=40)) == 1
    ((key, kept, other),) = conflicts(store)
    assert key == "r"
    assert isinstance(kept, dict)
    assert isinstance(other, dict)
    assert (kept["uncached_input_tokens"], kept["output_tokens"]) == (10, 90)
    assert (other["uncached_input_tokens"], other["output_tokens"]) == (500, 40)
    assert store.read("SELECT count(*) FROM requests").rows == [(1,)]


def test_as_many_cache_writes_of_which_only_one_record_says_how_long_they_are_kept_are_no_conflict(
    store: Store,
) -> None:
    guess = call("r", cache_write_5m_tokens=1000)
    assert put(store, guess, call("r", cache_write_5m_tokens=400, cache_write_1h_tokens=600), guess) == 0
    assert put(store, call("r", cache_write_5m_tokens=300)) == 0
    assert put(store, call("r", cache_write_5m_tokens=1000, output_tokens=90)) == 0
    assert conflicts(store) == []


def test_more_cache_writes_or_another_split_of_them_is_a_conflict(store: Store) -> None:
    put(store, call("r", cache_write_5m_tokens=400, cache_write_1h_tokens=600, output_tokens=90))
    assert put(store, call("r", cache_write_5m_tokens=1001)) == 1
    assert put(store, call("r", cache_write_5m_tokens=401, cache_write_1h_tokens=599)) == 1
    assert len(conflicts(store)) == 2


def test_a_contradiction_within_one_load_is_told_once(store: Store) -> None:
    one, other = call("r", model="small"), call("r", model="big", output_tokens=90)
    assert put(store, one, other, one) == 1
    assert put(store, one, other, one) == 0
    assert len(conflicts(store)) == 1


def test_a_source_that_rejects_what_another_does_takes_nothing_from_it(store: Store) -> None:
    for source in ("bill", "other"):
        with Stage(source=source, location="x", directory=store.stage_directory) as stage:
            stage.reject("x:2", "is no charge", "raw")
            store.apply(stage, now=NOW)
    assert store.read("SELECT load_id, location FROM rejected_rows ORDER BY 1").rows == [(1, "x:2"), (2, "x:2")]


def test_a_line_that_is_rejected_by_every_load_is_one_row_of_the_newest(store: Store) -> None:
    for _ in range(3):
        with Stage(source="bill", location="x", directory=store.stage_directory) as stage:
            stage.reject("x:2", "is no charge", "raw")
            report = store.apply(stage, now=NOW)
    assert store.read("SELECT load_id, location FROM rejected_rows").rows == [(report.load_id, "x:2")]
    assert store.rejections(report.load_id, 10) == [("x:2", "is no charge")]


def test_a_directory_that_another_process_staged_is_stored_as_it_is(store: Store) -> None:
    stage = Stage(source="bill", location="x", directory=store.stage_directory)
    stage.add(0, charge("a", "february"))
    stage.reject("x:2", "is no charge", "raw")
    stage.ignore("a rule")
    stage.state_whole("february")
    stage.cursor = "page 3"
    stage.close()
    with Stage.reopened(stage.directory) as again:
        report = store.apply(again, now=NOW, started_at=NOW - timedelta(minutes=1))
    assert (report.read, report.stored, report.ignored, report.rejected) == (3, 1, 1, 1)
    assert report.rejections == (("x:2", "is no charge"),)
    assert store.last_cursor("bill", "x") == "page 3"
    newest = store.newest_stored("bill", "x")
    assert newest is not None
    assert newest.started_at == NOW - timedelta(minutes=1)
    assert not stage.directory.exists()


def test_what_was_not_finished_is_not_stored(tmp_path: Path) -> None:
    stage = Stage(source="bill", location="x", directory=tmp_path)
    stage.add(0, charge("a", "february"))
    with pytest.raises(StoreError, match="holds no finished load"):
        Stage.reopened(stage.directory)
    stage.close()
