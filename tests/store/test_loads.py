"""A load is stored whole or not at all, its counts add up, and loading again changes nothing."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from store import CashBalance, Outcome, Price, Request, Stage, Store, StoreError
from tests.store.conftest import NOW, Load, at, bill, call, load_into, run, table, usd

CALL, SESSION = call("r1", session_id="s1"), run("s1", agent="amadeus")
OUTCOME = Outcome(outcome_id="o1", source="test", session_id="s1", kind="PR_OPENED")
CHARGE = bill("c1", "10", "2026-02-01", "2026-02-11")
CASH = CashBalance(account="bank", as_of_on=date(2026, 2, 1), balance_usd=usd("1000"), source="test")
LINE = Price(
    price_id="p1",
    source="book",
    provider="anthropic",
    model="opus",
    effective_from=at("2026-01-01T00:00Z"),
    input=usd("5"),
)
EVERYTHING = (CALL, SESSION, OUTCOME, CHARGE, CASH, LINE)


def test_every_kind_of_record_is_stored(load: Load, store: Store) -> None:
    report = load(*EVERYTHING)
    assert (report.read, report.stored, report.unchanged, report.ignored, report.rejected) == (6, 6, 0, 0, 0)
    for name in ("requests", "sessions", "outcomes", "charges", "cash_balances", "prices"):
        assert store.read(f"SELECT count(*), min(load_id) FROM {name}").rows == [(1, 1)], name


def test_loading_again_changes_nothing(load: Load, store: Store) -> None:
    load(*EVERYTHING)
    report = load(*EVERYTHING, now=NOW + timedelta(days=1))
    assert (report.read, report.stored, report.unchanged, report.ignored, report.rejected) == (6, 0, 6, 0, 0)
    for name in ("requests", "sessions", "outcomes", "charges", "cash_balances", "prices"):
        assert store.read(f"SELECT count(*), min(load_id) FROM {name}").rows == [(1, 1)], name


def test_every_load_has_its_row_with_cursor_and_counts(store: Store) -> None:
    with Stage(source="openclaw", location="~/.openclaw", directory=store.stage_directory) as stage:
        stage.cursor = "page 7"
        stage.add(0, CALL)
        stage.ignore("no usage in it")
        stage.ignore("no usage in it")
        stage.reject("a.jsonl:3", "not JSON", "{oops")
        store.apply(stage, now=NOW)
    load_into(store, SESSION)
    newest, oldest = store.loads()
    assert newest.load_id == 2
    assert (oldest.source, oldest.location, oldest.cursor) == ("openclaw", "~/.openclaw", "page 7")
    assert (oldest.read, oldest.stored, oldest.unchanged, oldest.ignored, oldest.rejected) == (4, 1, 0, 2, 1)
    assert (oldest.applied_at, oldest.data_version) == (NOW, 1)
    assert store.read("FROM ignored_items").rows == [(1, "no usage in it", 2)]
    assert store.read("FROM rejected_rows").rows == [(1, "a.jsonl:3", "not JSON", "{oops", None)]


def test_the_report_shows_the_first_twenty_rejections_and_all_are_stored(store: Store) -> None:
    with Stage(source="test", location="here", directory=store.stage_directory) as stage:
        for line in range(1, 31):
            stage.reject(f"here:{line}", "bad")
        report = store.apply(stage, now=NOW)
    assert report.rejected == 30
    assert report.rejections == tuple((f"here:{line}", "bad") for line in range(1, 21))
    assert store.read("SELECT count(*) FROM rejected_rows").rows == [(30,)]


def test_a_rejected_text_that_no_database_can_hold_is_kept_as_far_as_it_can_be(store: Store) -> None:
    with Stage(source="test", location="here", directory=store.stage_directory) as stage:
        stage.reject("here:1", "bad", "\x00\ud800" + "x" * 3000)
        store.apply(stage, now=NOW)
    ((raw,),) = store.read("SELECT raw FROM rejected_rows").rows
    assert raw == "�?" + "x" * 1998


def test_copies_of_one_request_in_a_load_are_ignored_items(load: Load) -> None:
    report = load(call("r1", output_tokens=1), call("r1", output_tokens=5), call("r1", output_tokens=5), call("r2"))
    assert (report.read, report.stored, report.ignored) == (4, 2, 2)
    assert report.ignored_by_rule == (("another copy of a request of the same load", 2),)


def test_an_item_with_a_copy_and_something_new_is_stored(store: Store) -> None:
    with Stage(source="test", location="here", directory=store.stage_directory) as stage:
        stage.add(1, call("r1"))
        stage.add(2, call("r1"))
        stage.add(2, SESSION)
        report = store.apply(stage, now=NOW)
    assert (report.read, report.stored, report.ignored) == (2, 2, 0)


def test_an_item_is_stored_if_any_of_its_records_was(store: Store) -> None:
    load_into(store, CALL)
    with Stage(source="test", location="here", directory=store.stage_directory) as stage:
        stage.add(1, CALL)
        stage.add(1, SESSION)
        stage.add(2, CALL)
        stage.add(3, call("r3"))
        report = store.apply(stage, now=NOW)
    assert (report.read, report.stored, report.unchanged, report.ignored) == (3, 2, 0, 1)


def test_a_load_of_nothing_is_a_load(load: Load, store: Store) -> None:
    report = load()
    assert (report.read, report.stored, report.data_version) == (0, 0, 1)
    assert len(store.loads()) == 1


def test_a_load_that_fails_leaves_nothing(store: Store) -> None:
    load_into(store, SESSION)
    with Stage(source="test", location="the bad one", directory=store.stage_directory) as stage:
        stage.add(0, CALL)
        stage.add(1, CHARGE)
        stage.close()
        with (stage.directory / "charges.ndjson").open("a") as file:
            file.write('{"seq": 9, "item": 2, "record": {"amount_usd": "a lot"}}\n')
        with pytest.raises(StoreError, match="the load of the bad one could not be stored, and nothing of it was"):
            store.apply(stage, now=NOW)
    assert store.read("SELECT count(*) FROM requests").rows == [(0,)]
    assert [load.location for load in store.loads()] == ["records"]
    assert store.data_version() == 1


def test_a_failure_inside_the_transaction_leaves_nothing(store: Store) -> None:
    with Stage(source="test", location="here", directory=store.stage_directory) as stage:
        stage.add(0, CALL)
        stage.recost(call("no such request", "1", price_id="p1"), "corrected")
        with pytest.raises(StoreError, match="request no such request cannot be given another cost: it is not stored"):
            store.apply(stage, now=NOW)
    assert store.read("SELECT count(*) FROM requests").rows == [(0,)]
    assert store.loads() == []
    assert load_into(store, CALL).load_id == 1


def test_a_closed_stage_takes_nothing_more(store: Store) -> None:
    with Stage(source="test", location="here") as stage:
        stage.close()
        with pytest.raises(StoreError, match="the load of here is closed"):
            stage.add(0, CALL)
        with pytest.raises(StoreError, match="the load of here is closed"):
            stage.ignore("a rule")


def test_a_stage_leaves_no_files_behind(tmp_path: Path) -> None:
    with Stage(source="test", location="here", directory=tmp_path) as stage:
        stage.add(0, CALL)
        assert stage.directory.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_request_without_its_cost_cannot_be_staged() -> None:
    with Stage(source="test", location="here") as stage, pytest.raises(StoreError, match="goes in as a PricedRequest"):
        stage.add(0, Request(request_key="r1", source="test"))  # type: ignore[arg-type]


def test_a_path_that_is_no_text_can_be_loaded(store: Store) -> None:
    with Stage(source="test", location="caf\udce9.jsonl", directory=store.stage_directory) as stage:
        stage.add(0, CALL)
        assert store.apply(stage, now=NOW).location == "caf?.jsonl"


def test_money_is_exact_to_the_twelfth_place(load: Load, store: Store) -> None:
    load(call("small", "0.000000000001"), call("large", "999999999999999.123456789012"), call("tie", "0.0000000000025"))
    assert store.read("SELECT request_key, cost_usd FROM requests ORDER BY ALL").rows == [
        ("large", usd("999999999999999.123456789012")),
        ("small", usd("0.000000000001")),
        ("tie", usd("0.000000000002")),
    ]


def test_instants_are_exact_to_the_microsecond(load: Load, store: Store) -> None:
    load(call("r1", started_at=at("2026-02-20T10:00:00.000001+01:00")))
    assert store.read("SELECT started_at = TIMESTAMP '2026-02-20 09:00:00.000001' FROM requests").rows == [(True,)]


def test_text_of_any_kind_is_stored_as_it_is(load: Load, store: Store) -> None:
    name = "it's a \"quoted\" \\ name, 'or' \n two; DROP TABLE requests; -- 名前"
    load(run("s1", agent=name))
    assert store.read("SELECT agent FROM sessions").rows == [(name,)]


def test_a_later_statement_replaces_an_outcome_a_charge_and_a_balance(load: Load, store: Store) -> None:
    load(OUTCOME, CHARGE, CASH)
    merged = Outcome(outcome_id="o1", source="test", session_id="s1", kind="PR_MERGED", is_success=True)
    report = load(merged, bill("c1", "12", "2026-02-01", "2026-02-11"), CASH)
    assert (report.stored, report.unchanged) == (2, 1)
    assert store.read("SELECT kind, is_success FROM outcomes").rows == [("PR_MERGED", True)]
    assert store.read("SELECT amount_usd, load_id FROM charges").rows == [(usd("12"), 2)]


def test_of_two_statements_in_one_load_the_last_holds(load: Load, store: Store) -> None:
    report = load(CHARGE, bill("c1", "12", "2026-02-01", "2026-02-11"))
    assert (report.read, report.stored) == (2, 2)
    assert table(store, "SELECT amount_usd FROM charges") == [{"amount_usd": usd("12")}]


def test_keys_stay_unique(store: Store) -> None:
    for number in range(3):
        load_into(store, *(call(f"r{k}", output_tokens=number) for k in range(5)), run("s1", observed_at=NOW))
    assert store.read("SELECT count(*), count(DISTINCT request_key) FROM requests").rows == [(5, 5)]
    assert store.read("SELECT count(*) FROM sessions").rows == [(1,)]
