"""Several records with one key become one row, and neither order nor splitting makes a difference."""

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import PricedRequest, RecordError, Request, StagedRecord, Store
from tests.store.conftest import Load, at, call, load_into, run, table, usd
from tests.stores import new_store

EARLY, NINE, TEN, ELEVEN = (at(f"2026-02-20T{hour}:00Z") for hour in ("08", "09", "10", "11"))


def request_row(store: Store) -> dict[str, Any]:
    (row,) = table(store, "FROM requests")
    return row


def session_row(store: Store) -> dict[str, Any]:
    (row,) = table(store, "FROM sessions")
    return row


def test_a_copied_call_is_counted_once_and_belongs_to_the_session_that_started_first(load: Load, store: Store) -> None:
    load(call("r1", session_id="fork", agent="b", owner_started_at=TEN))
    load(call("r1", session_id="original", agent="a", owner_started_at=NINE))
    row = request_row(store)
    assert (row["session_id"], row["agent"]) == ("original", "a")


def test_a_copy_that_names_no_session_owns_nothing(load: Load, store: Store) -> None:
    load(call("r1"))
    load(call("r1", session_id="s2"))
    assert request_row(store)["session_id"] == "s2"
    load(call("r1"))
    assert request_row(store)["session_id"] == "s2"


def test_of_two_sessions_without_a_start_the_first_by_name_owns_the_call(load: Load, store: Store) -> None:
    load(call("r1", session_id="b"), call("r1", session_id="a"))
    assert request_row(store)["session_id"] == "a"


def test_a_streamed_call_has_the_usage_of_its_last_part(load: Load, store: Store) -> None:
    parts = [call("r1", f"0.{tokens}", output_tokens=tokens, status="ok") for tokens in (1, 9, 5)]
    load(*parts)
    row = request_row(store)
    assert (row["output_tokens"], row["cost_usd"]) == (9, usd("0.9"))


def test_usage_is_taken_from_one_copy_as_a_whole(load: Load, store: Store) -> None:
    load(
        call("r1", "0.5", output_tokens=9, provider="anthropic", model="opus", status="error"),
        call("r1", "0.1", output_tokens=1, provider="bedrock", model="sonnet", ended_at=TEN),
    )
    row = request_row(store)
    assert (row["provider"], row["model"], row["status"], row["ended_at"]) == ("anthropic", "opus", "error", None)


def test_usage_is_better_than_none(load: Load, store: Store) -> None:
    load(call("r1", None, "MISSING_USAGE", ended_at=TEN, **WITHOUT_USAGE))
    load(call("r1", "0.1", output_tokens=0))
    assert request_row(store)["cost_usd"] == usd("0.1")


def test_a_priced_copy_beats_an_unpriced_one_of_the_same_usage(load: Load, store: Store) -> None:
    load(call("r1", "0.1", ended_at=NINE))
    load(call("r1", None, ended_at=TEN))
    assert request_row(store)["cost_usd"] == usd("0.1")


def test_a_copy_that_states_its_model_beats_one_that_does_not(load: Load, store: Store) -> None:
    load(call("r1", provider="anthropic", model="opus", ended_at=NINE))
    assert load(call("r1")).unchanged == 1
    assert load(call("r1", ended_at=TEN)).unchanged == 1
    row = request_row(store)
    assert (row["provider"], row["model"], row["ended_at"]) == ("anthropic", "opus", NINE.replace(tzinfo=None))


def test_of_copies_that_say_the_same_the_one_that_states_more_wins(load: Load, store: Store) -> None:
    load(call("r1", "0.1", price_id="p1", estimated_usd=usd("0.2")))
    assert load(call("r1", "0.1")).unchanged == 1
    assert (request_row(store)["price_id"], request_row(store)["estimated_usd"]) == ("p1", usd("0.2"))


def bill_of(usd_billed: str, **fields: Any) -> PricedRequest:
    """A record that says what the call cost and nothing of what it used."""
    return call("r1", usd_billed, "BILLED", billed_usd=usd(usd_billed), **WITHOUT_USAGE, **fields)


def money(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["billed_usd"], row["cost_usd"], row["cost_status"], row["price_id"]


def test_a_bill_that_comes_without_usage_is_what_the_call_cost_and_the_usage_stays(load: Load, store: Store) -> None:
    load(call("r1", "0.1", price_id="p1", output_tokens=9, model="opus"))
    assert load(bill_of("0.12")).stored == 1
    row = request_row(store)
    assert money(row) == (usd("0.12"), usd("0.12"), "BILLED", None)
    assert (row["output_tokens"], row["model"], row["unbilled_status"]) == (9, "opus", "PRICED")
    assert store.read("SELECT old_cost_usd, new_cost_usd, new_cost_status FROM restatements").rows == [
        (usd("0.1"), usd("0.12"), "BILLED")
    ]
    assert load(bill_of("0.12"), call("r1", "0.1", price_id="p1", output_tokens=9, model="opus")).stored == 0


def test_a_bill_of_an_answer_that_was_still_streaming_holds_for_the_whole(load: Load, store: Store) -> None:
    load(call("r1", "0.12", "BILLED", billed_usd=usd("0.12"), output_tokens=3))
    assert load(call("r1", "0.1", price_id="p1", output_tokens=9)).conflicts == 0
    row = request_row(store)
    assert (*money(row), row["output_tokens"]) == (usd("0.12"), usd("0.12"), "BILLED", None, 9)


def test_of_two_bills_the_larger_holds_in_any_order_and_the_other_is_a_conflict(load: Load, store: Store) -> None:
    load(call("r1", "0.1", output_tokens=9), bill_of("0.15"))
    assert load(bill_of("0.12")).conflicts == 1
    assert money(request_row(store)) == (usd("0.15"), usd("0.15"), "BILLED", None)


def test_a_bill_of_zero_is_a_bill(load: Load, store: Store) -> None:
    load(call("r1", "0.1", output_tokens=9), bill_of("0"))
    assert money(request_row(store)) == (0, 0, "BILLED", None)


def test_a_call_that_a_plan_covers_and_that_was_billed_cost_the_bill(load: Load, store: Store) -> None:
    load(call("r1", "0", "INCLUDED", is_included=True, output_tokens=9), bill_of("0.12"))
    assert (*money(request_row(store)), request_row(store)["is_included"]) == (
        usd("0.12"),
        usd("0.12"),
        "BILLED",
        None,
        True,
    )


def test_which_copy_has_the_usage_does_not_depend_on_when_the_bill_came() -> None:
    """The bill must not lend its rank to the copy that happened to be stored when it came."""
    named = call("r1", "0.1", price_id="p1", model="opus", provider="anthropic", ended_at=NINE)
    other = call("r1", None, model="opus-4", provider="anthropic", ended_at=TEN)
    rows = [stored_after([[copy] for copy in order])[0] for order in permutations((named, other, bill_of("0.12")))]
    assert all(row == rows[0] for row in rows)
    assert (rows[0]["model"], rows[0]["cost_usd"], rows[0]["unbilled_status"]) == ("opus", usd("0.12"), "PRICED")


def test_a_copy_that_knows_of_a_part_without_a_price_beats_one_that_was_priced_in_ignorance() -> None:
    ignorant = call("r1", "0.1", price_id="p1", ended_at=TEN)
    knows = call("r1", None, unpriced_part="audio input", ended_at=NINE)
    for order in permutations((ignorant, knows)):
        (row,) = stored_after([[copy] for copy in order])
        assert (row["unpriced_part"], *money(row)) == ("audio input", None, None, "UNPRICED", None)
    covered = call("r1", "0", "INCLUDED", is_included=True)
    (row,) = stored_after([[knows], [covered]])
    assert (row["cost_usd"], row["cost_status"]) == (0, "INCLUDED")


def written(five_minutes: int, one_hour: int = 0) -> dict[str, int]:
    return {"cache_write_5m_tokens": five_minutes, "cache_write_1h_tokens": one_hour}


def test_a_stated_split_of_the_cache_writes_beats_the_guess_that_all_are_for_five_minutes() -> None:
    guess = call("r1", "0.0113", None, "p1", source="openclaw", ended_at=TEN, estimated_usd=usd("1"), **written(1000))
    split = call("r1", "0.01505", None, "p1", source="claude-code", ended_at=NINE, **written(0, 1000))
    logged = call("r1", "0.01505", None, "p1", source="responses", **written(0, 1000))
    for order in permutations((guess, split, logged)):
        (row,) = stored_after([[copy] for copy in order])
        assert stored_after([list(order)]) == [row]
        assert (row["source"], row["cost_usd"]) == ("claude-code", usd("0.01505"))
        assert (row["cache_write_5m_tokens"], row["cache_write_1h_tokens"]) == (0, 1000)


def test_a_split_without_a_price_is_not_replaced_by_the_price_of_a_guess() -> None:
    for order in permutations((call("r1", "0.1", None, "p1", **written(9)), call("r1", None, **written(5, 4)))):
        (row,) = stored_after([[copy] for copy in order])
        assert (row["cost_usd"], row["cost_status"], row["cache_write_1h_tokens"]) == (None, "UNPRICED", 4)


def test_a_split_does_not_hide_a_plan_or_a_part_without_a_price() -> None:
    split = call("r1", "0.2", None, "p1", **written(5, 4))
    covered = call("r1", "0", "INCLUDED", is_included=True, **written(9))
    fast = call("r1", None, unpriced_part="fast mode", **written(9))
    for known, status in ((covered, "INCLUDED"), (fast, "UNPRICED")):
        for order in permutations((split, known)):
            (row,) = stored_after([[copy] for copy in order])
            assert row["cost_status"] == status


def test_a_longer_answer_or_more_tokens_come_before_a_split() -> None:
    streamed = call("r1", "0.1", output_tokens=1, **written(5, 4))
    ended = call("r1", "0.3", output_tokens=9, **written(9))
    for order in permutations((streamed, ended)):
        (row,) = stored_after([[copy] for copy in order])
        assert (row["output_tokens"], row["cost_usd"]) == (9, usd("0.3"))


def any_copy(key: str, chance: Random) -> PricedRequest:
    """One of few, so that ties, bills without usage and bills that differ are common."""
    bill = chance.choice([None, None, "0.3", "0.4"])
    part = chance.choice([None, None, "audio input"])
    covered = chance.choice([False, False, True])
    price_id = chance.choice([None, "p1", "p2"])
    said = {
        "billed_usd": None if bill is None else usd(bill),
        "unpriced_part": part,
        "is_included": covered,
        "ended_at": chance.choice([None, TEN]),
        "model": chance.choice([None, "x", "y"]),
        "source": chance.choice(["a", "b"]),
    } | chance.choice(
        [
            WITHOUT_USAGE,
            {"output_tokens": 1, **written(3)},
            {"output_tokens": 2, **written(3)},
            {"output_tokens": 2, **written(1, 2)},
            {"output_tokens": 2, **written(0, 3)},
        ]
    )
    if bill is not None:
        return call(key, bill, "BILLED", **said)
    if covered:
        return call(key, "0", "INCLUDED", **said)
    if said.get("output_tokens", 0) is None:
        return call(key, None, "MISSING_USAGE", price_id, **said)
    priced = None if part else chance.choice([None, "0.1", "0.2"])
    return call(key, priced, None, price_id, **said)


def test_bills_usage_and_parts_without_a_price_merge_alike_in_any_order_and_split() -> None:
    chance = Random(20261122)
    calls = [[any_copy(f"r{number}", chance) for _ in range(chance.randint(2, 5))] for number in range(400)]
    at_once = stored_after([[copy for copies in calls for copy in copies]])
    assert len({money(row) for row in at_once}) > 5
    for _ in range(2):
        for copies in calls:
            chance.shuffle(copies)
        one_by_one: list[list[StagedRecord]] = [
            [copies[turn] for copies in calls if turn < len(copies)] for turn in range(5)
        ]
        assert stored_after(one_by_one) == at_once
        parted: list[list[StagedRecord]] = [[], []]
        for copies in calls:
            for copy in copies:
                chance.choice(parted).append(copy)
        assert stored_after(parted) == at_once


def total(cost: str | None, **fields: Any) -> PricedRequest:
    fields = {"scope": "session", "session_id": "s1", **WITHOUT_USAGE, **fields}
    return call("total", cost, "REPORTED" if cost else "UNPRICED", reported_usd=usd(cost) if cost else None, **fields)


def test_a_later_statement_of_a_total_corrects_the_earlier_one_and_is_restated(load: Load, store: Store) -> None:
    load(total("0.50", started_at=NINE))
    assert load(total("0.40", started_at=TEN)).stored == 1
    row = request_row(store)
    assert (row["cost_usd"], row["reported_usd"], row["started_at"]) == (
        usd("0.40"),
        usd("0.40"),
        TEN.replace(tzinfo=None),
    )
    assert store.read("SELECT old_cost_usd, new_cost_usd, reason FROM restatements").rows == [
        (usd("0.50"), usd("0.40"), "a later statement of the total of the session")
    ]
    assert load(total("0.40", started_at=TEN)).unchanged == 1
    assert load(total(None)).stored == 1
    assert request_row(store)["cost_usd"] is None


def test_of_several_totals_of_one_load_the_last_one_holds(load: Load, store: Store) -> None:
    load(total("0.50"))
    load(total("0.40"), total("0.70"), total("0.60"))
    assert request_row(store)["cost_usd"] == usd("0.60")
    load(total("0.40"), total("0.60"))
    assert request_row(store)["cost_usd"] == usd("0.60")


def test_a_request_started_when_its_earliest_copy_did(load: Load, store: Store) -> None:
    load(call("r1", started_at=TEN, output_tokens=9), call("r1", started_at=NINE), call("r1"))
    assert request_row(store)["started_at"] == NINE.replace(tzinfo=None)


def test_a_session_keeps_what_earlier_evidence_said_where_later_evidence_says_nothing(load: Load, store: Store) -> None:
    load(run("s1", agent="amadeus", model="opus", observed_at=NINE))
    load(run("s1", task_class="triage", observed_at=TEN))
    row = session_row(store)
    assert (row["agent"], row["model"], row["task_class"]) == ("amadeus", "opus", "triage")


def test_a_field_of_a_session_goes_to_the_latest_evidence_that_states_it(load: Load, store: Store) -> None:
    load(run("s1", agent="old", observed_at=NINE))
    load(run("s1", model="opus", observed_at=ELEVEN))
    load(run("s1", agent="new", observed_at=TEN))
    row = session_row(store)
    assert (row["agent"], row["model"]) == ("new", "opus")
    assert row["observed_at"] == ELEVEN.replace(tzinfo=None)


def test_a_session_started_at_its_earliest_and_ended_at_its_latest_evidence(load: Load, store: Store) -> None:
    load(run("s1", started_at=TEN, ended_at=TEN), run("s1", started_at=NINE, ended_at=ELEVEN), run("s1"))
    row = session_row(store)
    assert (row["started_at"], row["ended_at"]) == (NINE.replace(tzinfo=None), ELEVEN.replace(tzinfo=None))


def test_the_trigger_goes_to_the_strongest_rule_and_then_to_the_latest(load: Load, store: Store) -> None:
    load(
        run("s1", trigger="cron", trigger_rule="session key", trigger_confidence=90, observed_at=NINE),
        run("s1", trigger="human", trigger_rule="a guess", trigger_confidence=10, observed_at=ELEVEN),
    )
    row = session_row(store)
    assert (row["trigger"], row["trigger_rule"], row["trigger_confidence"]) == ("cron", "session key", 90)
    load(run("s1", trigger="api", trigger_rule="header", trigger_confidence=90, observed_at=TEN))
    row = session_row(store)
    assert (row["trigger"], row["trigger_rule"]) == ("api", "header")


def test_a_confident_rule_that_finds_nothing_decides_nothing(load: Load, store: Store) -> None:
    load(
        run("s1", trigger="cron", trigger_rule="session key", trigger_confidence=50, termination="error"),
        run("s1", trigger=None, trigger_rule="no rule fits", trigger_confidence=100, termination_confidence=100),
    )
    row = session_row(store)
    assert (row["trigger"], row["trigger_rule"], row["trigger_confidence"]) == ("cron", "session key", 50)
    assert (row["termination"], row["termination_confidence"]) == ("error", 0)


def test_a_session_that_was_seen_again_without_news_is_stored_as_seen_again(load: Load, store: Store) -> None:
    load(run("s1", observed_at=NINE))
    assert load(run("s1", observed_at=TEN)).stored == 1
    assert load(run("s1", observed_at=NINE)).unchanged == 1


def state_of(*evidence: StagedRecord) -> tuple[Any, ...]:
    """What holds of the end after every order of loading the evidence piece by piece and all of it at once."""
    orders = list(permutations(evidence))
    loads = [[[piece] for piece in order] for order in orders] + [[list(order)] for order in orders]
    rows = [stored_after(one_way)[0] for one_way in loads]
    assert all(row == rows[0] for row in rows)
    return rows[0]["termination"], rows[0]["ended_at"], rows[0]["is_running"]


def test_an_end_before_the_session_was_seen_at_work_is_not_its_end() -> None:
    over = run("s1", observed_at=NINE, ended_at=NINE, termination="success", termination_confidence=40)
    assert state_of(over, run("s1", observed_at=TEN, is_running=True)) == (None, None, True)


def test_evidence_that_says_nothing_about_the_end_leaves_the_end_alone() -> None:
    over = run("s1", observed_at=NINE, ended_at=NINE, termination="success")
    parent = run("s1", observed_at=TEN, parent_session_id="s0", trigger="cron")
    assert state_of(over, parent) == ("success", NINE.replace(tzinfo=None), False)


def test_a_session_that_was_running_is_over_once_it_is_seen_to_end_and_the_surest_evidence_says_how() -> None:
    surest = run("s1", observed_at=NINE, termination="timeout", termination_confidence=80)
    at_work = run("s1", observed_at=TEN, is_running=True)
    quiet = run("s1", observed_at=ELEVEN, ended_at=ELEVEN, termination="success", termination_confidence=40)
    assert state_of(surest, at_work, quiet) == ("timeout", ELEVEN.replace(tzinfo=None), False)


def test_a_transcript_that_went_quiet_is_over_since_it_was_last_seen_at_work() -> None:
    at_work = run("s1", observed_at=TEN, is_running=True)
    quiet = run("s1", observed_at=TEN, ended_at=TEN, termination="success")
    assert state_of(at_work, quiet) == ("success", TEN.replace(tzinfo=None), False)


def test_a_session_that_runs_has_no_end() -> None:
    with pytest.raises(RecordError, match="Session s1: one that is running has no end, got 'error'"):
        run("s1", is_running=True, termination="error")


INSTANTS = st.sampled_from([None, EARLY, NINE, TEN, ELEVEN])
NAMES = st.sampled_from([None, "x", "y"])
FEW = st.integers(0, 2)


# What a record says about one of two requests, or one of two sessions, drawn from few values so that ties are common.
REQUESTS = st.fixed_dictionaries(
    {
        "key": st.sampled_from(["r1", "r2"]),
        "cost": st.sampled_from([None, "0.1", "0.2"]),
        "uncached_input_tokens": FEW,
        "output_tokens": FEW,
        "cache_write_1h_tokens": FEW,
        "source": st.sampled_from(["a", "b"]),
        **dict.fromkeys(("session_id", "agent", "model"), NAMES),
        **dict.fromkeys(("started_at", "ended_at", "owner_started_at"), INSTANTS),
    }
)
SESSIONS = st.fixed_dictionaries(
    {
        "session_id": st.sampled_from(["s1", "s2"]),
        "source": st.sampled_from(["a", "b"]),
        "trigger": st.sampled_from([None, "cron", "human"]),
        "trigger_confidence": FEW,
        "termination": st.sampled_from([None, "success", "error"]),
        "termination_confidence": FEW,
        "is_running": st.booleans(),
        "ends_now": st.booleans(),
        **dict.fromkeys(("observed_at", "started_at"), INSTANTS),
        **dict.fromkeys(
            ("agent", "parent_session_id", "task_class", "model", "trigger_rule", "termination_rule"), NAMES
        ),
    }
)
WITHOUT_USAGE = dict.fromkeys((name for name in Request.__slots__ if name.endswith("_tokens")), None)


def record_of(fields: dict[str, Any]) -> StagedRecord:
    if "key" not in fields:
        ended_at = fields["started_at"] and fields["started_at"] + timedelta(minutes=fields["trigger_confidence"])
        ended_at = ended_at if fields["ends_now"] else None
        at_work = fields["is_running"] and fields["termination"] is None
        said = {name: value for name, value in fields.items() if name != "ends_now"}
        return run(**said | {"is_running": at_work, "ended_at": ended_at})
    writes = written(2 - fields["cache_write_1h_tokens"], fields["cache_write_1h_tokens"])
    return call(**(fields | (WITHOUT_USAGE if fields["output_tokens"] == 0 else writes)))


def stored_after(loads: list[list[StagedRecord]]) -> list[dict[str, Any]]:
    with new_store() as store:
        for number, records in enumerate(loads):
            load_into(store, *records, now=NINE + timedelta(minutes=number))
        return table(store, "SELECT * EXCLUDE (load_id, first_load_id) FROM requests ORDER BY request_key") + table(
            store, "SELECT * EXCLUDE (load_id) FROM sessions ORDER BY session_id"
        )


@settings(max_examples=20, deadline=None)
@given(said=st.lists(REQUESTS | SESSIONS, min_size=2, max_size=12), chance=st.integers(0, 1000))
def test_any_order_and_any_split_into_loads_gives_the_same_rows(said: list[dict[str, Any]], chance: int) -> None:
    records = [record_of(fields) for fields in said]
    shuffled = Random(chance).sample(records, len(records))
    first, second = sorted(Random(chance).choices(range(len(records) + 1), k=2))
    loads = [shuffled[:first], shuffled[first:second], shuffled[second:]]
    assert stored_after(loads) == stored_after([records])


def test_every_order_of_three_copies_gives_the_same_row() -> None:
    copies = (
        call("r1", "0.3", output_tokens=3, session_id="b", owner_started_at=TEN, source="a"),
        call("r1", "0.1", output_tokens=1, session_id="a", owner_started_at=NINE, source="b", started_at=NINE),
        call("r1", None, output_tokens=3, session_id=None, source="c", ended_at=ELEVEN),
    )
    rows = [stored_after([[copy] for copy in order]) for order in permutations(copies)]
    assert all(row == rows[0] for row in rows)
    assert (rows[0][0]["session_id"], rows[0][0]["cost_usd"]) == ("a", usd("0.3"))
