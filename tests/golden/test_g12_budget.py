"""G12: a budget through its days: spend is loaded, budgets come from a file, questions are asked by GraphQL."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from finance.budgets import Alert
from semantic import Catalog
from server.budgets import Breakers
from server.graphql import build_schema
from server.graphql.context import AnswerLimits, Deadline
from server.graphql.engine import Engine, Operation
from server.graphql.scalars import write_decimal, write_instant
from store import Record, Request, Store
from store.ledger import Ledger
from tests.golden.conftest import Golden, instant, load, load_records

pytestmark = pytest.mark.golden
CASE = "G12_budget"
Json = dict[str, Any]

STANDING = """
query ($at: DateTime) {
  budgets(budgetId: "daily-all", at: $at) {
    standings {
      window { label startsAt endsAt }
      limitUsd spentUsd heldUsd overshootUsd state
      thresholds { share toldAt }
      forecast { elapsedHours projectedUsd isBreach breachAt }
    }
  }
}"""
MAY = """
query ($trigger: BudgetTrigger!, $max: Decimal) {
  mayISpend(trigger: $trigger, maxUsd: $max) { decision reason lines { spentUsd wouldCommitUsd window { label } } }
}"""
RESERVE = """
mutation ($max: Decimal) {
  reserve(trigger: CRON, maxUsd: $max) { decision hold { holdId } lines { wouldCommitUsd } }
}"""
SETTLE = """
mutation ($hold: String!, $usd: Decimal!, $key: String!) {
  settle(holdId: $hold, actualUsd: $usd, requestKey: $key) { state }
}"""


class World:
    """A store, a clock that the test moves, and the engine that answers as the server does."""

    def __init__(self, catalog: Catalog, store: Store, directory: Path, now: str) -> None:
        self.store = store
        self.directory = directory
        self.ledger = Ledger.open(directory / "ledger")
        self.breakers = Breakers(store, self.ledger, stale_s=0)
        self.now = moment(now)
        limits = AnswerLimits(1_000, 10_000)
        schema = build_schema(catalog)
        self._engine = Engine(schema, catalog, store, lambda: self.now, limits, None, None, self.breakers)

    def ask(self, text: str, **variables: Any) -> Json:
        response = self._engine.answer(Operation(text, variables), Deadline.after(10_000))
        assert "errors" not in response.body, response.body
        return dict(json.loads(json.dumps(response.body["data"])))

    def spend(self, key: str, at: str, usd: str) -> None:
        record: Record = Request(request_key=key, source="case", started_at=moment(at), billed_usd=Decimal(usd))
        assert load_records(self.store, [record]).stored == 1

    def budget(self, **fields: Any) -> None:
        path = self.directory / "budgets.json"
        path.write_text(json.dumps([{"budget_id": "daily-all", "action": "block", **fields}]))
        path = path.rename(path.with_suffix(".yaml"))
        assert load(self.store, "budgets", path).rejected == 0

    def standing(self, at: str | None = None) -> Json:
        """In the window that contains an instant; default: now."""
        (budget,) = self.ask(STANDING, at=at)["budgets"]
        (standing,) = budget["standings"]
        return dict(standing)

    def told(self, alerts: list[Alert]) -> list[str]:
        return [write_decimal(alert.threshold) for alert in alerts if alert.threshold is not None]


def moment(text: str) -> datetime:
    found = instant(text)
    assert found is not None
    return found


@pytest.fixture
def world(catalog: Catalog, store: Store, tmp_path: Path) -> Iterator[World]:
    made = World(catalog, store, tmp_path, "2026-02-20T05:00:00Z")
    yield made
    made.ledger.close()


def loaded_budget(world: World, golden: Golden) -> Json:
    said = golden(CASE)["inputs"]["budget.json"]
    world.budget(
        limit_usd=said["limit_usd"],
        period=said["window"].lower(),
        zone=said["timezone"],
        thresholds=[float(share) for share in said["thresholds"]],
        exempt_triggers=said["exemptTriggers"],
        unpriced_denied=[trigger for trigger, policy in said["unpricedPolicy"].items() if policy == "DENY"],
    )
    return dict(said)


def step(world: World, said: Json, op: Json) -> Json:
    """One operation, and what it led to as the case words it."""
    world.now = moment(op["ts"])
    seen = {"n": op["n"], "op": op["op"]}
    match op["op"]:
        case "admit":
            answer = world.ask(MAY, trigger=op["trigger"].upper(), max=op["max_usd"])["mayISpend"]
            (line,) = answer["lines"]
            world.breakers.check(world.now)
            seen |= {"trigger": op["trigger"], "spentUsd": line["spentUsd"], "window": line["window"]["label"]}
            return seen | {"decision": answer["decision"], "reason": answer["reason"]}
        case "set_limit":
            before = {t["share"] for t in world.standing()["thresholds"] if t["toldAt"]}
            fields = {"limit_usd": op["usd"], "zone": said["timezone"], "thresholds": [0.5, 0.8, 1]}
            world.budget(**fields, exempt_triggers=said["exemptTriggers"], unpriced_denied=["cron"])
            world.breakers.check(world.now)
            after = world.standing()
            kept = {t["share"] for t in after["thresholds"] if t["toldAt"]}
            seen |= {"limitUsd": after["limitUsd"], "rearmed": sorted(before - kept)}
        case _:
            event_at = op.get("event_ts", op["ts"])
            world.spend(str(op["n"]), event_at, op["usd"])
            alerts = world.told(world.breakers.check(world.now))
            after = world.standing(event_at)
            seen |= {"alerts": alerts, "chargedWindow": after["window"]["label"]}
            seen |= {"currentWindowSpentUsd": world.standing()["spentUsd"]}
    window = world.standing()["window"]["label"]
    return seen | {"window": window, "spentUsd": after["spentUsd"], "state": after["state"]}


def test_the_timeline_and_what_it_ends_with(world: World, golden: Golden, golden_module: ModuleType) -> None:
    expected = golden(CASE)["expected"]
    said = loaded_budget(world, golden)
    timeline = [step(world, said, op) for op in said["seq"]]
    assert golden_module.differences(timeline, expected["timeline"]) == []
    ends = {label: world.standing(f"{label}T17:00:00Z") for label in expected["final"]}
    final = {label: {**standing, "breached": standing["state"] == "OPEN"} for label, standing in ends.items()}
    assert golden_module.differences(final, expected["final"]) == []


def test_a_local_day_in_utc_is_23_or_25_hours_where_the_clock_changes(world: World, golden: Golden) -> None:
    loaded_budget(world, golden)
    expected = golden(CASE)["expected"]["windowUtc"]
    windows = {label: world.standing(f"{label}T17:00:00Z")["window"] for label in expected}
    assert {window["label"]: [window["startsAt"], window["endsAt"]] for window in windows.values()} == expected


def test_the_straight_line_through_what_was_spent(world: World, golden: Golden, golden_module: ModuleType) -> None:
    case = golden(CASE)
    said = case["inputs"]["forecast.json"]
    world.now = moment(said["now"])
    world.budget(limit_usd=said["limit_usd"], zone=said["timezone"])
    world.spend("r", write_instant(world.now - timedelta(minutes=1)), said["spent_usd"])
    forecast = world.standing()["forecast"]
    actual = {
        "elapsedHours": forecast["elapsedHours"],
        "projectedEndOfWindowUsd": forecast["projectedUsd"],
        "projectedBreach": forecast["isBreach"],
        "projectedBreachAt": forecast["breachAt"],
    }
    assert golden_module.differences(actual, case["expected"]["forecast"]) == []


def test_reservations_at_the_same_time(world: World, golden: Golden, golden_module: ModuleType) -> None:
    case = golden(CASE)
    said, expected = case["inputs"]["reservation.json"], case["expected"]["reservation"]
    world.budget(limit_usd=said["limit_usd"])
    world.spend("before", write_instant(world.now), said["spent_usd"])
    actual = reserved(world, said)
    assert expected["releaseOnFailure"].endswith("held sum must be 0 when nothing is in flight")
    assert Decimal(world.standing()["heldUsd"]) == 0
    world.now += timedelta(days=1)
    world.spend("the day after", write_instant(world.now), said["spent_usd"])
    actual |= {"withoutReservation": without_reservation(world, said), "releaseOnFailure": expected["releaseOnFailure"]}
    assert golden_module.differences(actual, expected) == []


def reserved(world: World, said: Json) -> Json:
    """All reserve before the first settles; then those that were allowed settle, and the denied one tries again."""
    answers = {name: world.ask(RESERVE, max=most)["reserve"] for name, most, _ in said["concurrent"]}
    before = world.standing()
    actual = {
        "decisions": {name: answer["decision"] for name, answer in answers.items()},
        "heldUsd": before["heldUsd"],
        "committedBeforeSettleUsd": write_decimal(Decimal(before["spentUsd"]) + Decimal(before["heldUsd"])),
    }
    for name, _, usd in said["concurrent"]:
        if answers[name]["hold"]:
            world.ask(SETTLE, hold=answers[name]["hold"]["holdId"], usd=usd, key=name)
    retry = world.ask(RESERVE, max=said["concurrent"][-1][1])["reserve"]
    retried = {"decision": retry["decision"], "wouldCommitUsd": retry["lines"][0]["wouldCommitUsd"]}
    return actual | {"spentAfterSettleUsd": world.standing()["spentUsd"], "retryC3": retried}


def without_reservation(world: World, said: Json) -> Json:
    """All ask before the first has spent: each is told that it fits."""
    asked = {name: world.ask(MAY, trigger="CRON", max=most)["mayISpend"] for name, most, _ in said["concurrent"]}
    allowed = {name: answer for name, answer in asked.items() if answer["decision"] == "ALLOW"}
    start = Decimal(world.standing()["spentUsd"])
    worst = sum((Decimal(answer["lines"][0]["wouldCommitUsd"]) - start for answer in allowed.values()), start)
    for name, _, usd in said["concurrent"]:
        if name in allowed:
            world.spend(f"without {name}", write_instant(world.now), usd)
    return {
        "decisions": {name: answer["decision"] for name, answer in asked.items()},
        "spentUsd": world.standing()["spentUsd"],
        "worstCaseUsd": write_decimal(worst),
    }
