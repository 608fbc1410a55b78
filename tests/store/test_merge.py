"""Several records with one key become one row, and neither order nor splitting makes a difference."""

from datetime import timedelta
from itertools import permutations
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from store import Request, StagedRecord, Store
from tests.store.conftest import Load, at, call, load_into, run, table, usd

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
        return run(**fields, ended_at=ended_at)
    return call(**(fields | WITHOUT_USAGE if fields["output_tokens"] == 0 else fields))


def stored_after(loads: list[list[StagedRecord]]) -> list[dict[str, Any]]:
    with Store.open(None) as store:
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
