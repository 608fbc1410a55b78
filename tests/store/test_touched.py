"""Facts written down row by row say what their views say, whatever a load touches. `load` looks at all of them."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from store import (
    CashFlow,
    CreditUsage,
    LoadReport,
    Outcome,
    OutcomeRule,
    Score,
    Session,
    Stage,
    StagedRecord,
    Store,
)
from tests.store.conftest import NOW, Load, at, bill, call, load_into, run, table, usd
from tests.stores import check_facts

SERVERS = bill("servers", "31", "2026-01-01", "2026-02-01")
PLAN = bill("plan", "31", "2026-01-01", "2026-02-01", category="subscription", vendor="acme")


@pytest.fixture
def load(store: Store) -> Load:
    def apply(*records: StagedRecord, now: datetime = NOW) -> LoadReport:
        report = load_into(store, *records, now=now)
        check_facts(store)
        return report

    return apply


def noon(day: int) -> Any:
    return at(f"2026-01-{day:02}T12:00:00Z")


def ended(session_id: str, day: int, hours: int = 1, **fields: Any) -> Session:
    over = {"started_at": noon(day), "ended_at": noon(day) + timedelta(hours=hours), "termination": "done"}
    return run(session_id, **over, **{"observed_at": noon(day), **fields})


def done(session_id: str, **fields: Any) -> Outcome:
    said = {"kind": "MERGED", "is_success": True, **fields}
    return Outcome(outcome_id=f"o-{session_id}", source="github", session_id=session_id, **said)


def fact_of(store: Store, session_id: str, columns: str) -> tuple[Any, ...]:
    ((*row,),) = store.read(f"SELECT {columns} FROM session_facts WHERE session_id = '{session_id}'").rows
    return tuple(row)


def test_what_a_load_does_not_touch_is_not_written(load: Load, store: Store) -> None:
    far, near = ended("far", 2), ended("near", 20)
    load(SERVERS, far, near, run("below far", parent_session_id="far"))
    load(call("r1", session_id="far", started_at=noon(2)), call("r2", session_id="near", started_at=noon(20)))
    store._connection.execute("UPDATE session_facts SET task_class = 'as it was' WHERE session_id = 'far'")
    store._connection.execute("UPDATE computed_days SET price_id = 'as it was' WHERE day = DATE '2026-01-02'")
    with Stage(source="test", location="records", directory=store.stage_directory) as stage:
        stage.add(0, call("r3", session_id="near", started_at=noon(20)))
        stage.add(1, ended("near", 20, 2, observed_at=noon(21)))
        store.apply(stage, now=NOW)
    assert fact_of(store, "far", "task_class, requests") == ("as it was", 1)
    assert store.read("SELECT count(*) FROM computed_days WHERE price_id = 'as it was'").rows == [(1,)]
    assert fact_of(store, "near", "requests, busy_seconds") == (2, 7200)


def test_a_session_that_moves_to_another_day_bears_the_machines_of_that_day(load: Load, store: Store) -> None:
    store.set_allocation(1, "even")
    load(SERVERS, ended("s1", 2), ended("s2", 2), ended("s3", 4))
    assert fact_of(store, "s1", "allocated_usd") == (usd("0.5"),)
    load(run("s1", started_at=noon(1), observed_at=noon(5), ended_at=noon(1), termination="done"))
    assert [fact_of(store, name, "allocated_even_usd")[0] for name in ("s2", "s3")] == [usd("0.5"), usd("1")]
    load(ended("s4", 4, parent_session_id="s3"))
    assert fact_of(store, "s3", "allocated_usd, subtree_cost_usd") == (usd("0.5"), usd("1"))


def test_a_call_that_an_older_session_made_leaves_the_other_one(load: Load, store: Store) -> None:
    load(ended("old", 1), ended("new", 3, parent_session_id="old"))
    load(call("r1", session_id="new", started_at=noon(3), owner_started_at=noon(3)))
    assert [fact_of(store, name, "requests, subtree_cost_usd") for name in ("old", "new")] == [
        (0, usd("0.1")),
        (1, usd("0.1")),
    ]
    load(call("r1", session_id="old", started_at=noon(1), owner_started_at=noon(1)))
    assert [fact_of(store, name, "requests, subtree_cost_usd") for name in ("old", "new")] == [
        (1, usd("0.1")),
        (0, usd("0")),
    ]
    assert table(store, "SELECT day FROM daily_spend") == [{"day": date(2026, 1, 1)}]


def test_the_first_outcome_of_a_source_judges_its_other_sessions(load: Load, store: Store) -> None:
    load(ended("s1", 1), ended("s2", 1), ended("s3", 1, source="other"))
    assert fact_of(store, "s2", "class, task_result") == ("unknown", "pending")
    load(done("s1"))
    assert [fact_of(store, f"s{n}", "class") for n in (1, 2, 3)] == [("productive",), ("idle",), ("unknown",)]
    load(ended("s1", 1, source="other", observed_at=noon(9)))
    assert [fact_of(store, f"s{n}", "class") for n in (1, 2, 3)] == [("productive",), ("unknown",), ("idle",)]


def test_a_window_that_closes_decides_its_task_with_the_next_load_of_anything(load: Load, store: Store) -> None:
    store.set_outcome_rules([OutcomeRule(kind="PR", is_awaiting=True, window=timedelta(days=2))])
    load(ended("s1", 1), done("s1", kind="PR", is_success=None, occurred_at=noon(1)), now=noon(2))
    assert fact_of(store, "s1", "task_result") == ("pending",)
    load(call("r1", session_id="s2", started_at=noon(5)), now=noon(5))
    assert fact_of(store, "s1", "task_result") == ("failure",)


def test_what_a_session_costs_is_known_to_all_above_it(load: Load, store: Store) -> None:
    load(run("c", parent_session_id="b"), run("b", parent_session_id="a", observed_at=noon(1)))
    assert fact_of(store, "c", "ancestry, root_session_id") == (None, "b")
    load(run("a", trigger="cron", trigger_rule="r", trigger_confidence=50))
    load(call("r1", session_id="c", started_at=noon(1)))
    assert fact_of(store, "a", "subtree_sessions, subtree_cost_usd") == (3, usd("0.1"))
    assert fact_of(store, "c", "depth, root_trigger") == (2, "cron")
    load(run("d"), run("b", parent_session_id="d", observed_at=noon(2)))
    assert fact_of(store, "a", "subtree_sessions, subtree_cost_usd") == (1, usd("0"))
    assert fact_of(store, "d", "subtree_sessions, subtree_cost_usd") == (3, usd("0.1"))
    load(run("d", parent_session_id="c", observed_at=noon(3)))
    assert fact_of(store, "c", "ancestry, subtree_sessions") == ("CYCLE", 1)
    load(run("d", parent_session_id="nobody", observed_at=noon(4)))
    assert fact_of(store, "d", "ancestry, subtree_sessions") == ("ORPHAN", 3)


def test_a_call_under_a_plan_changes_what_others_bear_of_its_fee(load: Load, store: Store) -> None:
    under: dict[str, Any] = {"cost": "0", "cost_status": "INCLUDED", "provider": "acme"}
    load(ended("s1", 3), ended("s2", 4), call("r1", session_id="s1", started_at=noon(3), **under))
    assert fact_of(store, "s1", "plan_share_usd") == (None,)
    load(PLAN, replaced("r1", "s1", 3, under))
    assert fact_of(store, "s1", "plan_share_usd") == (usd("31"),)
    load(replaced("r2", "s2", 4, under))
    assert fact_of(store, "s1", "plan_share_usd") == (usd("15.5"),)
    load(call("r3", session_id="s2", started_at=at("2026-02-20T00:00:00Z"), **under))
    assert fact_of(store, "s2", "plan_share_usd") == (None,)


def replaced(key: str, session_id: str, day: int, under: dict[str, Any]) -> Any:
    made = call(key, session_id=session_id, started_at=noon(day), output_tokens=2, **under)
    return type(made)(made.request, made.cost_usd, made.cost_status, made.price_id, list_usd=usd("1"))


def test_a_call_may_have_used_credits(load: Load, store: Store) -> None:
    load(
        bill("c1", "10", "2026-01-01", "2026-01-11", category="credits", vendor="acme", credits=usd("100")),
        credit("u1", "s1", 2),
        ended("s1", 2),
    )
    assert fact_of(store, "s1", "credit_usd") == (usd("1"),)
    load(call("r1", provider="acme", started_at=noon(2)))
    assert fact_of(store, "s1", "credit_usd") == (usd("0"),)
    load(run("s1", agent="x"))
    assert table(store, "SELECT agent FROM credit_facts") == [{"agent": "x"}]


def credit(usage_id: str, session_id: str | None, day: int) -> CreditUsage:
    return CreditUsage(
        usage_id=usage_id, source="test", vendor="acme", used_at=noon(day), credits=usd("10"), session_id=session_id
    )


def test_a_call_may_have_the_fee_of_a_bill(load: Load, store: Store) -> None:
    fee = {"category": "inference", "vendor": "acme", "line_item": "fee"}
    load(bill("f1", "3", "2026-01-02", "2026-01-03", **fee), call("r1", provider="acme", started_at=noon(2)))
    assert table(store, "SELECT counted_as FROM fee_facts") == [{"counted_as": "FEES"}]
    load(call("r2", "0.2", "REPORTED", provider="acme", started_at=noon(2)))
    assert table(store, "SELECT counted_as FROM fee_facts") == [{"counted_as": "FEES_IN_CALLS"}]


def test_a_bill_that_its_part_no_longer_has_is_borne_by_nobody(load: Load, store: Store) -> None:
    load(bill("a", "31", "2026-01-01", "2026-02-01", part="all", source="test"), ended("s1", 2))
    with Stage(source="test", location="records", directory=store.stage_directory) as stage:
        stage.state_whole("all")
        stage.add(0, call("r1", session_id="s1", started_at=noon(2)))
        store.apply(stage, now=NOW)
    check_facts(store)
    assert fact_of(store, "s1", "allocated_usd, cost_usd") == (usd("0"), usd("0.1"))


def test_a_call_that_gets_another_price_changes_its_day_and_its_session(load: Load, store: Store) -> None:
    load(ended("s1", 2), call("r1", None, session_id="s1", started_at=noon(2)), call("r2", started_at=noon(3)))
    with Stage(source="prices", location="book", directory=store.stage_directory) as stage:
        stage.recost(call("r1", "0.7", price_id="p"), "corrected")
        store.apply(stage, now=NOW)
    check_facts(store)
    assert fact_of(store, "s1", "cost_usd, unpriced_requests") == (usd("0.7"), 0)


def test_an_older_call_begins_the_history_of_burn(load: Load, store: Store) -> None:
    flow = CashFlow(
        flow_id="f", source="test", kind="expense", amount_usd=usd("-5"), day_of_month=1, starts_on=date(2025, 1, 1),
        ends_on=date(2026, 3, 1),
    )  # fmt: skip
    load(flow, call("r1", started_at=noon(20)))
    first = "SELECT min(burn_on) FROM daily_spend WHERE kind = 'flows'"
    assert store.read(first).rows == [(date(2026, 2, 1),)]
    load(call("r2", started_at=at("2025-11-15T00:00:00Z")), call("r3"))
    assert store.read(first).rows == [(date(2025, 12, 1),)]


def test_a_turn_that_was_not_counted_leaves_its_session_and_the_total_of_the_one_above_counts(load: Load) -> None:
    turn = {"scope": "session", "source": "openclaw", "started_at": noon(1)}
    load(run("above"), run("below", parent_session_id="above"), run("a"))
    load(call("r1", session_id="below", started_at=noon(1)), call("t", session_id="below", **turn))
    load(call("total", session_id="above", scope="session", started_at=noon(1)))
    load(call("t", session_id="a", output_tokens=7, **turn))


def test_a_line_that_nobody_could_read_makes_its_session_unknown(load: Load, store: Store) -> None:
    load(ended("s1", 2), ended("s2", 2), call("r1", session_id="s1", started_at=noon(2)))
    with Stage(source="test", location="records", directory=store.stage_directory) as stage:
        stage.reject("records:1", "not JSON", "{", "s1")
        store.apply(stage, now=NOW)
    check_facts(store)
    assert fact_of(store, "s1", "cost_usd, unpriced_requests") == (None, 1)
    load(call("r2", session_id="s2", started_at=noon(2)))
    assert [fact_of(store, name, "cost_usd") for name in ("s1", "s2")] == [(usd("0.1"),), (usd("0.1"),)]


def test_any_loads_in_any_order_leave_the_facts_as_they_would_be_written_at_once(load: Load, store: Store) -> None:
    chance = Random(1)
    store.set_outcome_rules([OutcomeRule(kind="PR", is_awaiting=True, window=timedelta(days=3))])
    store.set_allocation(1, chance.choice(["capacity", "even", "busy_time"]))
    load(SERVERS, PLAN, bill("b1", "5", "2026-01-03", "2026-01-06", category="inference", vendor="acme"))
    for number in range(16):
        records = [anything(chance, number) for _ in range(chance.randint(1, 4))]
        load(*records, now=noon(1) + timedelta(hours=20 * number))


def anything(chance: Random, number: int) -> StagedRecord:
    name, day = f"s{chance.randint(1, 6)}", chance.randint(1, 9)
    session_id = chance.choice([name, name, None])
    kind = chance.choice(["call", "call", "call", "session", "session", "outcome", "score", "credit"])
    if kind == "call":
        cost, status = chance.choice([("0.1", "PRICED"), ("0.3", "PRICED"), ("0", "INCLUDED"), (None, "UNPRICED")])
        scope = {"scope": "session"} if session_id and chance.random() < 0.2 else {}
        return call(
            f"r{chance.randint(1, 12)}",
            cost,
            status,  # type: ignore[arg-type]
            session_id=session_id,
            started_at=chance.choice([noon(day), noon(day), None]),
            owner_started_at=noon(chance.randint(1, 9)) if session_id else None,
            provider=chance.choice(["acme", "other"]),
            model=chance.choice(["m1", "m2"]),
            source=chance.choice(["test", "openclaw"]),
            output_tokens=chance.randint(1, 5),
            **scope,
        )
    if kind == "session":
        parent = {"parent_session_id": f"s{chance.randint(1, 7)}"} if chance.random() < 0.5 else {}
        source = chance.choice(["test", "openclaw"])
        if chance.random() < 0.3:
            return run(name, started_at=noon(day), observed_at=noon(day + 2), is_running=True, source=source, **parent)
        return ended(name, day, chance.randint(0, 40), observed_at=noon(1) + timedelta(hours=number), source=source)
    if kind == "outcome":
        said = chance.choice([{"kind": "MERGED"}, {"kind": "PR", "is_success": None}, {"is_success": False}])
        return done(name, occurred_at=chance.choice([noon(day), None]), **said)
    if kind == "score":
        return Score(session_id=name, scorer="me", score=usd("0.5"), observed_at=noon(day), source="test")
    return credit(f"u{chance.randint(1, 3)}", session_id, day)
