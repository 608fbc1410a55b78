"""The exact answers of the golden cases, from records through a load to the views."""

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from store import Charge, Outcome, PricedRequest, Request, Session, Stage, StagedRecord, Store
from tests.store.conftest import Load, at, bill, load_into, rows_of, run, table, usd

pytestmark = pytest.mark.golden

MILLION = Decimal(1_000_000)
PRICES = {  # input, cache read, cache write 5m, output
    "claude-opus-4-6": ("5", "0.5", "6.25", "25"),
    "claude-sonnet-4-6": ("3", "0.3", "3.75", "15"),
    "gpt-5.2": ("1.75", "0.175", "0", "14"),
}

Case = Callable[[str], Path]


@pytest.fixture
def case(shared: Callable[[str], Path]) -> Case:
    return lambda name: shared(f"golden/cases/{name}")


def expected(directory: Path) -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((directory / "expected.json").read_text("utf-8"))["assertions"]
    return answers


def priced(key: str, row: dict[str, Any], **fields: Any) -> PricedRequest:
    """A line of a golden requests file with its cost by the fixture prices; none for a model that is not in them."""
    tokens: dict[str, Any] = {
        "uncached_input_tokens": int(row["input_tokens"]),
        "cache_read_tokens": int(row["cache_read_tokens"]),
        "cache_write_5m_tokens": int(row["cache_write_5m_tokens"]),
        "cache_write_1h_tokens": int(row["cache_write_1h_tokens"]),
        "output_tokens": int(row["output_tokens"]),
    }
    request = Request(
        request_key=key,
        source="golden",
        session_id=row["session_id"],
        provider=row["provider"],
        model=row["model"],
        started_at=at(row["ts"]),
        **tokens,
        **fields,
    )
    prices = PRICES.get(row["model"])
    if prices is None:
        return PricedRequest(request, None, "UNPRICED")
    used = (tokens[name] for name in tokens if name != "cache_write_1h_tokens")
    cost = sum((Decimal(price) * count / MILLION for price, count in zip(prices, used, strict=True)), Decimal())
    return PricedRequest(request, cost, "PRICED")


def session_of(row: dict[str, Any]) -> Session:
    return run(
        row["session_id"],
        parent_session_id=row["parent_session_id"],
        agent=row["agent_id"],
        trigger=row["trigger"],
        started_at=at(row["started_at"]),
        ended_at=at(row["ended_at"]) if row["ended_at"] else None,
        termination=row["termination"],
    )


def costs(store: Store) -> dict[str, Decimal]:
    return {row["session_id"]: row["cost_usd"] for row in table(store, "FROM session_facts")}


def g02_events(directory: Path) -> list[PricedRequest]:
    starts = {row["session_id"]: at(row["started_at"] or "") for row in rows_of(directory / "sessions.csv")}
    lines = (directory / "events.jsonl").read_text("utf-8").splitlines()
    return [
        priced(
            f"{event['provider']}/{event['provider_request_id']}",
            event,
            status=event.get("status", "ok"),
            owner_started_at=starts[event["session_id"]],
        )
        for event in map(json.loads, lines)
        if event["kind"] == "usage"
    ]


@pytest.mark.parametrize("order", [1, -1], ids=["as it came", "in reverse"])
def test_g02_a_request_is_counted_once(case: Case, load: Load, store: Store, order: int) -> None:
    directory = case("G02_dedupe")
    answers = expected(directory)
    events = g02_events(directory)[::order]
    report = load(*(run(f"S{n}") for n in range(1, 5)), *events)
    assert (len(events), report.stored, report.ignored) == (answers["rawRecords"], 4 + answers["distinctRequests"], 5)
    kept = {row["request_key"]: row for row in table(store, "FROM request_facts")}
    assert {key: (row["session_id"], row["output_tokens"], row["cost_usd"]) for key, row in kept.items()} == {
        key: (row["session"], row["outputTokens"], usd(row["costUsd"])) for key, row in answers["kept"].items()
    }
    assert costs(store) == {"S4": 0} | {name: usd(cost) for name, cost in answers["sessionCostUsd"].items()}
    assert load(*events).stored == answers["secondIngestOfSameFiles"]["newRequests"]
    assert sum(costs(store).values()) == usd(answers["totalUsd"])


def test_g02_one_line_at_a_time_gives_the_same(case: Case, store: Store) -> None:
    directory = case("G02_dedupe")
    for event in reversed(g02_events(directory)):
        load_into(store, event)
    load_into(store, *(run(f"S{n}") for n in range(1, 4)))
    assert costs(store) == {name: usd(cost) for name, cost in expected(directory)["sessionCostUsd"].items()}


def test_g03_cost_per_session(case: Case, load: Load, store: Store) -> None:
    directory = case("G03_seed_unit_cost")
    answers = expected(directory)
    load(*map(session_of, rows_of(directory / "sessions.csv")))
    load(*(priced(row["request_id"] or "", row) for row in rows_of(directory / "requests.csv")))
    assert costs(store) == {name: usd(cost) for name, cost in answers["perSessionUsd"].items()}
    by_model = table(
        store,
        """
        SELECT model, count(*) AS sessions, sum(cost_usd) AS total, median(cost_usd) AS middle, min(cost_usd) AS low,
            max(cost_usd) AS high
        FROM session_facts GROUP BY model""",
    )
    assert len(by_model) == 2
    for row in by_model:
        answer = answers["byModel"][row["model"]]
        assert row["sessions"] == answer["sessions"]
        assert row["total"] == usd(answer["totalUsd"])
        assert row["total"] / row["sessions"] == usd(answer["costPerSessionUsd"])
        assert row["middle"] == usd(answer["medianUsd"])
        assert (row["low"], row["high"]) == (usd(answer["minUsd"]), usd(answer["maxUsd"]))
    for column, name in (("agent", "byAgentUsd"), ("trigger", "byTriggerUsd")):
        sums = store.read(f"SELECT {column}, sum(cost_usd) FROM session_facts GROUP BY ALL").rows
        assert dict(sums) == {key: usd(value) for key, value in answers[name].items()}  # type: ignore[arg-type]


def test_g04_gaps_between_sessions_and_requests(case: Case, load: Load, store: Store) -> None:
    directory = case("G04_join_gaps")
    answers = expected(directory)
    lines = {row["request_id"] or "": row for row in rows_of(directory / "requests.csv")}
    load(*map(session_of, rows_of(directory / "sessions.csv")), *(priced(key, row) for key, row in lines.items()))
    assert {
        row["session_id"]: {
            "requests": row["requests"],
            "unpricedRequests": row["unpriced_requests"],
            "costUsd": row["cost_usd"],
            "knownCostUsd": row["known_cost_usd"],
            "status": row["cost_completeness"],
        }
        for row in table(store, "FROM session_facts")
    } == {
        session: answer
        | {"knownCostUsd": usd(answer["knownCostUsd"]), "costUsd": answer["costUsd"] and usd(answer["costUsd"])}
        for session, answer in answers["perSession"].items()
    }
    rows = store.read("SELECT attribution, sum(cost_usd) FROM request_facts GROUP BY attribution").rows
    spend: dict[Any, Any] = dict(rows)  # type: ignore[arg-type]
    assert spend == {
        "ATTRIBUTED": usd(answers["spend"]["attributedUsd"]),
        "NO_SESSION_ID": usd(answers["spend"]["unattributed"]["NO_SESSION_ID"]),
        "UNKNOWN_SESSION": usd(answers["spend"]["unattributed"]["UNKNOWN_SESSION"]),
    }
    assert sum(spend.values()) == usd(answers["spend"]["knownTotalUsd"])
    unpriced = store.read("SELECT count(*) FROM request_facts WHERE cost_usd IS NULL").rows
    assert unpriced == [(answers["spend"]["unpricedRequests"],)]
    load(priced("q3", lines["q3"] | {"session_id": "s2"}))
    assert costs(store)["s2"] == usd(answers["lateTag"]["thenS2CostUsd"])


def g06_records(directory: Path) -> list[StagedRecord]:
    as_of = at(json.loads((directory / "params.json").read_text("utf-8"))["asOfForOpenSessions"])
    charges: list[Charge] = [
        bill(row["cost_id"] or "", row["amount_usd"] or "", row["period_start"] or "", row["period_end"] or "")
        for row in rows_of(directory / "infra_costs.csv")
    ]
    sessions = [session_of(row) for row in rows_of(directory / "sessions.csv")]
    return [*charges, *sessions, *(run(s.session_id, observed_at=as_of) for s in sessions if s.termination is None)]


def test_g06_infrastructure_by_capacity(case: Case, load: Load, store: Store) -> None:
    directory = case("G06_infra_allocation")
    answers = expected(directory)
    load(*g06_records(directory))
    near = Decimal("1e-12")
    sessions = {row["session_id"]: row["allocated_usd"] for row in table(store, "FROM session_facts")}
    assert sessions.pop("e") == 0
    assert sessions.keys() == answers["CAPACITY"]["perSession"].keys()
    for name, cost in answers["CAPACITY"]["perSession"].items():
        assert abs(sessions[name] - usd(cost)) <= near, name
    days = {
        row["day"].isoformat(): row
        for row in table(store, "FROM compute_days WHERE day BETWEEN DATE '2026-02-18' AND DATE '2026-02-20'")
    }
    assert {day: row["pool_usd"] for day, row in days.items()} == {
        day: usd(pool) for day, pool in answers["dailyPoolUsd"].items()
    }
    for day, idle in answers["CAPACITY"]["idleUsdPerDay"].items():
        assert abs(days[day]["idle_usd"] - usd(idle)) <= near, day
    assert abs(sum(row["idle_usd"] for row in days.values()) - usd(answers["CAPACITY"]["idleUsd"])) <= near
    assert sum(row["idle_usd"] + row["allocated_usd"] for row in days.values()) == usd(answers["poolTotalUsd"])


def g08_records(directory: Path) -> list[StagedRecord]:
    decided = {"PR_MERGED": True, "ISSUE_CLOSED": True, "WORKQ_RESOLVED": True}
    records: list[StagedRecord] = []
    for row in rows_of(directory / "sessions.csv"):
        session_id = row["session_id"] or ""
        records.append(session_of(row))
        request = Request(request_key=session_id, source="golden", session_id=session_id)
        records.append(PricedRequest(request, usd(row["own_cost_usd"] or ""), "BILLED"))
        if kind := row["outcome"]:
            outcome = Outcome(
                outcome_id=session_id, source="golden", session_id=session_id, kind=kind, is_success=decided.get(kind)
            )
            records.append(outcome)
    return records


def test_g08_every_ended_session_is_productive_idle_or_failed(case: Case, load: Load, store: Store) -> None:
    directory = case("G08_idle_waste")
    answers = expected(directory)
    load(*g08_records(directory))
    facts = table(store, "FROM session_facts")
    assert {row["session_id"]: row["class"].upper() for row in facts} == answers["classOf"]
    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in facts:
        spent[row["class"].upper()] += row["cost_usd"]
    assert spent == {name: usd(cost) for name, cost in answers["costUsd"].items()}
    roots = store.read("SELECT upper(class), count(*) FROM session_facts WHERE is_root GROUP BY ALL").rows
    assert dict(roots) == answers["rootSessionsOnly"]["counts"]  # type: ignore[arg-type]
    by_trigger: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for trigger, name, count in store.read(
        "SELECT trigger, upper(class), count(*) FROM session_facts GROUP BY ALL"
    ).rows:
        by_trigger[str(trigger)][str(name)] = count  # type: ignore[assignment]
    assert by_trigger == {trigger: answer["counts"] for trigger, answer in answers["byTrigger"].items()}


def test_g20_a_past_cost_can_be_told_from_the_restatements(case: Case, load: Load, store: Store) -> None:
    answers = expected(case("G20_restatement"))
    usage: dict[str, Any] = dict.fromkeys((name for name in Request.__slots__ if name.endswith("_tokens")), 0)
    request = Request(request_key="r1", source="golden", **(usage | {"uncached_input_tokens": 1_000_000}))
    load(PricedRequest(request, usd("3"), "PRICED", "V1"), now=at("2026-02-19T10:00Z"))
    with Stage(source="prices", location="book", directory=store.stage_directory) as stage:
        stage.recost(PricedRequest(request, usd("2.3"), "PRICED", "V2"), answers["restatementEvent"]["auditReason"])
        store.apply(stage, now=at("2026-02-25T00:00Z"))
    load(PricedRequest(replace(request, billed_usd=usd("2.31")), usd("2.31"), "BILLED"), now=at("2026-03-02T00:00Z"))
    for instant in ("2026-02-20", "2026-02-26", "2026-03-03"):
        as_known = store.read(
            """
            SELECT
                coalesce(arg_min(old_cost_usd, restated_at), any_value(cost_usd)),
                coalesce(arg_min(old_price_id, restated_at), any_value(price_id))
            FROM requests
            LEFT JOIN restatements ON restatements.request_key = requests.request_key AND restated_at > $instant
            GROUP BY requests.request_key""",
            {"instant": datetime.fromisoformat(instant)},
        )
        answer = answers[f"asKnown {instant}"]
        price_id = None if answer["status"] == "BILLED" else answer["priceId"]
        assert as_known.rows == [(usd(answer["costUsd"]), price_id)], instant
    assert store.read("SELECT old_cost_usd, new_cost_usd, reason FROM restatements ORDER BY restated_at").rows[0] == (
        usd(answers["restatementEvent"]["beforeUsd"]),
        usd(answers["restatementEvent"]["afterUsd"]),
        answers["restatementEvent"]["auditReason"],
    )
