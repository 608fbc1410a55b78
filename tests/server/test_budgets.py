"""Budgets over real rows: whose spend counts, what is reserved and settled, what is told and when."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from finance.budgets import Alert, Rule
from loaders import budgets as budget_files
from loaders.job import run_load
from semantic import Caller, Catalog, load_catalog
from server.budgets import Breakers, Wish
from store import PricedRequest, Store
from store.facts import refresh_facts
from store.ledger import Hold, HoldError, Ledger
from store.transaction import raise_version, transaction
from tests.server.conftest import Api, call, load_into, session

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CAP = Rule(budget_id="daily", limit_usd=Decimal(5), blocks=True)


class House:
    """A store, its ledger and the breakers over both."""

    def __init__(self, store: Store, directory: Path, default: Rule | None = CAP) -> None:
        self.store = store
        self.directory = directory
        self.default = default
        self.ledger = Ledger.open(directory / "ledger")
        self.breakers = Breakers(store, self.ledger, default, stale_s=0)

    def restart(self) -> None:
        """The ledger as a new process finds it."""
        self.ledger.close()
        self.ledger = Ledger.open(self.directory / "ledger")
        self.breakers = Breakers(self.store, self.ledger, self.default, stale_s=0)

    def budgets(self, *lines: str) -> None:
        """What the file of budgets has now."""
        path = self.directory / "budgets.yaml"
        path.write_text("budgets:\n" + "".join(f"  - {{{line}}}\n" for line in lines) if lines else "[]")
        report = run_load(self.store, "budgets", str(path), budget_files.read(path, now=NOON), now=NOON)
        assert report.rejected == 0

    def spend(self, key: str, usd: str | None, at: datetime = NOON, now: datetime | None = None, **fields: Any) -> None:
        load_into(self.store, [request(key, usd, at, **fields)], now or at)

    def reserve(self, usd: str | None, now: datetime = NOON, ttl_s: int = 600, **fields: Any) -> Hold | None:
        return self.breakers.reserve(wish(usd, **fields), now, ttl_s)[1]

    def held(self, usd: str | None, now: datetime = NOON, ttl_s: int = 600, **fields: Any) -> Hold:
        hold = self.reserve(usd, now, ttl_s, **fields)
        assert hold is not None
        return hold

    def seen(self, now: datetime = NOON) -> list[tuple[str, str | None, Decimal, Decimal]]:
        """Budget, member, spent, held."""
        return [(s.budget_id, s.member, s.spent_usd, s.held_usd) for s in self.breakers.standings(now)]

    def spent(self, now: datetime = NOON) -> Decimal:
        """Of the daily cap."""
        (spent,) = (spent for name, _, spent, _ in self.seen(now) if name == "daily")
        return spent


def request(key: str, usd: str | None, at: datetime, session_id: str = "none", **fields: Any) -> PricedRequest:
    made = call(key, session_id, "big", "2026-03-10T12:00", usd)
    return replace(made, request=replace(made.request, started_at=at, **fields))


def wish(usd: str | None = "1", trigger: str = "cron", **fields: Any) -> Wish:
    return Wish(trigger=trigger, max_usd=None if usd is None else Decimal(usd), **fields)


def told(alerts: Sequence[Alert]) -> list[tuple[str, str | None, str]]:
    return [
        (alert.kind, alert.standing.member, "" if alert.threshold is None else str(alert.threshold)) for alert in alerts
    ]


@pytest.fixture(scope="module")
def rows() -> Iterator[Store]:
    with Store.open(None) as opened:
        yield opened


@pytest.fixture
def house(rows: Store, tmp_path: Path) -> Iterator[House]:
    """A store that was emptied is a fifth of the work of a new one."""
    with rows._writing("nothing") as cursor, transaction(cursor):
        tables = ("requests", "sessions", "budgets", "loads")
        for table in tables:
            cursor.execute(f"DELETE FROM {table}")
        refresh_facts(cursor, tables)
        raise_version(cursor, NOON.replace(tzinfo=None))
    made = House(rows, tmp_path)
    yield made
    made.ledger.close()


# --- whose spend counts


def test_the_cap_of_the_settings_holds_until_a_budget_of_its_name_is_loaded(house: House) -> None:
    assert [(s.budget_id, s.limit_usd) for s in house.breakers.standings(NOON)] == [("daily", Decimal(5))]
    house.budgets("budget_id: daily, limit_usd: 7", "budget_id: other, limit_usd: 1")
    assert [(s.budget_id, s.limit_usd) for s in house.breakers.standings(NOON)] == [
        ("daily", Decimal(7)),
        ("other", Decimal(1)),
    ]


def test_each_member_of_a_scope_has_the_limit_on_its_own(house: House) -> None:
    house.default = None
    house.restart()
    house.budgets(
        "budget_id: a, limit_usd: 1, scope: agent, action: block",
        "budget_id: m, limit_usd: 9, scope: model, member: big",
        "budget_id: s, limit_usd: 9, scope: session",
        "budget_id: t, limit_usd: 9, scope: trigger",
    )
    runs = [session("s1", "main", "cron", "2026-03-10T10:00"), session("s2", "scout", None, "2026-03-10T10:00")]
    load_into(house.store, [*runs, request("r1", "0.75", NOON, "s1"), request("r2", "0.5", NOON, "s2")])
    house.spend("r3", "0.25", session_id="lost", agent="main", model="small")
    nothing = Decimal(0)
    assert sorted(house.seen(), key=str) == [
        ("a", "main", Decimal("1"), nothing),
        ("a", "scout", Decimal("0.5"), nothing),
        ("m", "big", Decimal("1.25"), nothing),
        ("s", "lost", Decimal("0.25"), nothing),
        ("s", "s1", Decimal("0.75"), nothing),
        ("s", "s2", Decimal("0.5"), nothing),
        ("t", "cron", Decimal("0.75"), nothing),
        ("t", "unknown", Decimal("0.75"), nothing),
    ]
    assert house.breakers.may(wish("0.1", agent="main"), NOON).reason == "LIMIT_REACHED"
    assert house.breakers.may(wish("0.1", agent="scout"), NOON).reason == "WITHIN_LIMIT"
    assert house.breakers.may(wish("0.1", agent="new"), NOON).left_usd == 1
    assert house.breakers.may(wish("0.1"), NOON).reason == "NO_LIMIT"


def test_the_budget_with_the_least_left_is_the_one_that_denies(house: House) -> None:
    house.budgets("budget_id: tight, limit_usd: 0.5, scope: agent, action: block")
    house.spend("r", "4.9", agent="other")
    answer = house.breakers.may(wish("1", agent="main"), NOON)
    assert answer.denying is not None
    assert (answer.denying.rule.budget_id, answer.reason, answer.left_usd) == (
        "daily",
        "WOULD_EXCEED",
        Decimal("0.1"),
    )


def test_spend_of_unknown_cost_makes_a_lower_bound(house: House) -> None:
    house.spend("r", None)
    (standing,) = house.breakers.standings(NOON)
    assert (standing.spent_usd, standing.unpriced_requests) == (0, 1)


# --- what is reserved and settled


def test_a_settled_request_counts_once_before_and_after_it_is_loaded(house: House) -> None:
    hold = house.held("0.5")
    assert house.seen() == [("daily", None, Decimal(0), Decimal("0.5"))]
    house.breakers.settle(hold.hold_id, Decimal("0.3"), "r1", NOON + MINUTE)
    assert house.seen() == [("daily", None, Decimal("0.3"), Decimal(0))]
    house.spend("r2", "1", now=NOON + 2 * MINUTE)
    assert house.spent() == Decimal("1.3")
    house.spend("r1", "0.31", now=NOON + 3 * MINUTE)
    assert house.spent() == Decimal("1.31")


def test_a_request_that_is_loaded_before_it_is_settled_counts_once(house: House) -> None:
    hold = house.held("0.5")
    house.spend("r1", "0.3")
    assert house.spent() == Decimal("0.3")
    house.breakers.settle(hold.hold_id, Decimal("0.3"), "r1", NOON)
    assert house.spent() == Decimal("0.3")


def test_a_request_that_is_loaded_without_its_cost_does_not_take_the_place_of_what_was_settled(house: House) -> None:
    house.breakers.settle(house.held("0.5").hold_id, Decimal("0.3"), "r1", NOON)
    house.spend("r1", None)
    (standing,) = house.breakers.standings(NOON)
    assert (standing.spent_usd, standing.unpriced_requests) == (Decimal("0.3"), 1)


def test_without_its_key_a_settlement_counts_until_every_source_of_requests_was_loaded_anew(house: House) -> None:
    house.spend("before", "1", now=NOON - MINUTE)
    house.breakers.settle(house.held("0.5").hold_id, Decimal("0.3"), None, NOON)
    house.budgets("budget_id: other, limit_usd: 9, scope: session")
    assert house.spent() == Decimal("1.3"), "a load of something else says nothing of requests"
    load_into(house.store, [request("late", "0.2", NOON)], NOON - MINUTE)
    assert house.spent() == Decimal("1.5"), "that load began before the settlement"
    load_into(house.store, [request("the one", "0.3", NOON)], NOON + MINUTE)
    assert house.spent() == Decimal("1.5")


def test_settling_again_changes_nothing_and_settling_otherwise_is_refused(house: House) -> None:
    hold = house.held("0.5").hold_id
    first = house.breakers.settle(hold, Decimal("0.3"), "r1", NOON)
    assert house.breakers.settle(hold, Decimal("0.3"), "r1", NOON + MINUTE) == first
    assert house.breakers.settle(hold, Decimal("0.30"), None, NOON) == first
    for usd, key in ((Decimal("0.4"), "r1"), (Decimal("0.3"), "r2")):
        with pytest.raises(HoldError, match="the hold is settled with 0"):
            house.breakers.settle(hold, usd, key, NOON)
    assert house.spent() == Decimal("0.3")


def test_a_request_is_settled_by_one_hold(house: House) -> None:
    house.breakers.settle(house.held("0.5").hold_id, Decimal("0.3"), "r1", NOON)
    with pytest.raises(HoldError, match="another hold is settled for the request 'r1'; release this one"):
        house.breakers.settle(house.held("0.5").hold_id, Decimal("0.3"), "r1", NOON)


def test_a_hold_that_is_released_holds_nothing_and_what_is_settled_later_counts(house: House) -> None:
    hold = house.held("0.5").hold_id
    assert house.breakers.release(hold, NOON).state == "RELEASED"
    assert house.breakers.release(hold, NOON).state == "RELEASED"
    assert house.seen() == [("daily", None, Decimal(0), Decimal(0))]
    house.breakers.settle(hold, Decimal("0.1"), None, NOON)
    assert house.breakers.release(hold, NOON).state == "SETTLED"
    assert house.seen() == [("daily", None, Decimal("0.1"), Decimal(0))]


def test_an_expired_hold_holds_nothing_and_what_is_settled_late_counts(house: House) -> None:
    hold = house.held("5", ttl_s=60)
    assert house.reserve("0.01", NOON + MINUTE - timedelta(microseconds=1)) is None
    after = NOON + MINUTE
    assert house.seen(after) == [("daily", None, Decimal(0), Decimal(0))]
    house.breakers.settle(hold.hold_id, Decimal("4.5"), None, after)
    assert house.spent(after) == Decimal("4.5")


def test_a_hold_survives_a_restart(house: House) -> None:
    hold = house.held("4.999999999999")
    house.restart()
    assert house.reserve("0.000000000002") is None
    assert house.reserve("0.000000000001") is not None
    house.breakers.settle(hold.hold_id, Decimal(1), None, NOON)
    house.restart()
    assert house.seen() == [("daily", None, Decimal(1), Decimal("0.000000000001"))]


def test_a_hold_of_yesterday_is_not_of_today(house: House) -> None:
    midnight = NOON.replace(hour=0)
    hold = house.held("5", midnight - MINUTE)
    assert house.seen(midnight) == [("daily", None, Decimal(0), Decimal(0))]
    house.breakers.settle(hold.hold_id, Decimal(3), None, midnight + MINUTE)
    assert house.spent(midnight + MINUTE) == 0


def test_a_budget_that_is_removed_or_new_while_requests_are_in_flight(house: House) -> None:
    house.budgets("budget_id: tight, limit_usd: 1, action: block")
    hold = house.held("0.9")
    house.budgets()
    assert house.reserve("4") is not None
    house.budgets("budget_id: new, limit_usd: 4.9, scope: trigger, action: block")
    assert ("new", "cron", Decimal(0), Decimal("4.9")) in house.seen()
    house.breakers.release(hold.hold_id, NOON)
    assert ("new", "cron", Decimal(0), Decimal(4)) in house.seen()


def test_a_request_of_unknown_cost_holds_nothing_and_counts_when_it_is_settled(house: House) -> None:
    hold = house.held(None)
    assert house.seen() == [("daily", None, Decimal(0), Decimal(0))]
    house.breakers.settle(hold.hold_id, Decimal(6), None, NOON)
    assert house.breakers.may(wish("0.1"), NOON).reason == "LIMIT_REACHED"


def test_too_many_holds_are_refused(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.budgets.breakers.MOST_HOLDS", 2)
    house.held("0.1")
    house.held("0.1", ttl_s=30)
    with pytest.raises(HoldError, match="2 holds are open"):
        house.reserve("0.1")
    assert house.reserve("0.1", NOON + MINUTE) is not None


# --- what is told


def test_a_threshold_is_told_once_whatever_restarts(house: House) -> None:
    house.breakers.check(NOON)
    house.spend("r1", "4")
    assert told(house.breakers.check(NOON)) == [("THRESHOLD", None, "0.5"), ("THRESHOLD", None, "0.8")]
    assert house.breakers.check(NOON) == []
    house.restart()
    assert house.breakers.check(NOON) == []
    assert [str(alert.threshold) for alert in house.breakers.undelivered("matrix")] == ["0.5", "0.8"]


def test_an_alert_stays_with_each_channel_until_it_took_it(house: House) -> None:
    house.spend("r1", "2.5")
    (alert,) = house.breakers.check(NOON)
    house.breakers.delivered(alert.alert_id, "matrix")
    house.restart()
    house.breakers.check(NOON)
    assert house.breakers.undelivered("matrix") == []
    assert house.breakers.undelivered("webhook") == [alert]
    house.breakers.check(NOON + timedelta(days=8))
    assert house.breakers.undelivered("webhook") == []


def test_what_fails_before_it_is_committed_is_told_by_the_next_look(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.spend("r1", "2.5")

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("store.ledger.Holds.forget", fail)
    with pytest.raises(MemoryError):
        house.breakers.check(NOON)
    monkeypatch.undo()
    assert house.breakers.undelivered("matrix") == []
    assert told(house.breakers.check(NOON)) == [("THRESHOLD", None, "0.5")]


def test_a_breaker_that_opened_recovers_at_midnight_and_says_so_once(house: House) -> None:
    house.spend("r1", "6")
    assert len(house.breakers.check(NOON)) == 3
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    assert house.breakers.check(midnight - MINUTE) == []
    (alert,) = house.breakers.check(midnight)
    assert (alert.kind, alert.standing.window.label, alert.standing.state) == ("RECOVERED", "2026-03-11", "CLOSED")
    assert house.breakers.check(midnight + MINUTE) == []
    house.restart()
    assert house.breakers.check(midnight + MINUTE) == []


def test_a_breaker_recovers_after_days_without_a_look(house: House) -> None:
    house.spend("r1", "6")
    house.breakers.check(NOON)
    assert told(house.breakers.check(NOON + timedelta(days=3))) == [("RECOVERED", None, "")]


def test_a_member_that_spends_no_more_recovers_too(house: House) -> None:
    house.default = None
    house.restart()
    house.budgets("budget_id: a, limit_usd: 1, scope: agent, thresholds: [1]")
    house.spend("r1", "1", agent="main")
    assert told(house.breakers.check(NOON)) == [("THRESHOLD", "main", "1")]
    assert told(house.breakers.check(NOON + timedelta(days=1))) == [("RECOVERED", "main", "")]


def test_a_raised_limit_is_a_recovery_and_a_removed_budget_is_none(house: House) -> None:
    house.default = None
    house.restart()
    house.budgets("budget_id: a, limit_usd: 1, thresholds: [1]")
    house.spend("r1", "1")
    house.breakers.check(NOON)
    house.budgets("budget_id: a, limit_usd: 2, thresholds: [1]")
    assert told(house.breakers.check(NOON)) == [("RECOVERED", None, "")]
    house.spend("r2", "1")
    assert told(house.breakers.check(NOON)) == [("THRESHOLD", None, "1")]
    house.budgets()
    assert house.breakers.check(NOON) == []
    house.budgets("budget_id: a, limit_usd: 9, thresholds: [1]")
    assert house.breakers.check(NOON + timedelta(days=1)) == []


def test_late_spend_is_told_of_yesterday_and_opens_nothing_today(house: House) -> None:
    house.breakers.check(NOON)
    tomorrow = NOON + timedelta(days=1)
    house.breakers.check(tomorrow)
    house.spend("late", "6", NOON, now=tomorrow)
    alerts = house.breakers.check(tomorrow)
    assert [alert.standing.window.label for alert in alerts] == ["2026-03-10"] * 3
    assert [standing.state for standing in house.breakers.standings(tomorrow)] == ["CLOSED"]
    assert house.breakers.check(tomorrow + timedelta(days=1)) == [], "nothing was open that could recover"


def test_a_first_look_tells_nothing_of_yesterday(house: House) -> None:
    house.spend("r1", "6", NOON - timedelta(days=1))
    assert house.breakers.check(NOON) == []


def test_a_clock_that_goes_back_repeats_no_recovery(house: House) -> None:
    house.spend("r1", "6")
    house.breakers.check(NOON)
    midnight = NOON.replace(hour=0) + timedelta(days=1)
    house.breakers.check(midnight)
    house.breakers.check(midnight - MINUTE)
    assert house.breakers.check(midnight) == []


# --- while the store is busy


def test_an_answer_is_of_older_data_for_some_seconds_at_most(house: House) -> None:
    house.breakers = Breakers(house.store, house.ledger, CAP, stale_s=3_600)
    assert house.breakers.may(wish("1"), NOON).is_allowed
    house.spend("r1", "5")
    assert house.breakers.may(wish("1"), NOON).is_stale
    assert house.reserve("1") is None, "whoever reserves is told what is loaded"
    assert not house.breakers.may(wish("1"), NOON).is_allowed


def test_requests_are_reserved_while_a_load_is_being_written(house: House) -> None:
    house.spend("r1", "1")
    with house.store._writing("a long load") as cursor:
        cursor.execute("BEGIN TRANSACTION")
        cursor.execute("DELETE FROM requests")
        hold = house.held("4")
        house.breakers.settle(hold.hold_id, Decimal(4), "r2", NOON)
        assert house.spent() == 5
        cursor.execute("ROLLBACK")


# --- by GraphQL


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ('mutation { release(holdId: "x") { state } }', "UNKNOWN_HOLD", "there is no hold 'x'"),
        ('mutation { settle(holdId: "x", actualUsd: "1") { state } }', "UNKNOWN_HOLD", "there is no hold 'x'"),
        ('mutation { settle(holdId: "x", actualUsd: "-1") { state } }', "BAD_VALUE", "actualUsd is an amount from 0"),
        ('mutation { settle(holdId: "x", actualUsd: "NaN") { state } }', "INVALID_QUERY", "a Decimal is a number"),
        ('mutation { reserve(trigger: CRON, maxUsd: "1000001") { reason } }', "BAD_VALUE", "from 0 to 1,000,000 USD"),
        ("mutation { reserve(trigger: CRON, ttlSeconds: 0) { reason } }", "BAD_VALUE", "ttlSeconds is 1 to 86,400"),
        ("mutation { reserve(trigger: CRON, ttlSeconds: 86401) { reason } }", "BAD_VALUE", "not 86,401"),
        ('{ mayISpend(trigger: CRON, agent: "") { reason } }', "BAD_VALUE", "agent has 1 to 1,024 characters"),
        ("{ mayISpend(trigger: NOBODY) { reason } }", "INVALID_QUERY", "does not exist in 'BudgetTrigger' enum"),
        ("{ budgets(first: 0) { budgetId } }", "BAD_LIMIT", "first is 1 to 1,000"),
        ('{ budgets(at: "0001-01-01T00:00:00Z") { budgetId } }', "BAD_TIME", "an instant from 1970 to 9000"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_be_right(api: Api, text: str, code: str, message: str) -> None:
    (error,) = api.ask(text)["errors"]
    assert error["extensions"]["code"] == code
    assert message in error["message"]


def test_a_request_is_reserved_and_settled_by_graphql(api: Api, catalog: Catalog) -> None:
    api = Api(catalog, api.store, breakers=Breakers(api.store, Ledger.open(None), CAP))
    reserved = api.ask(
        'mutation { reserve(trigger: CRON, agent: "main", maxUsd: "0.4") { decision reason leftUsd'
        " hold { holdId state maxUsd } lines { budgetId limitUsd heldUsd wouldCommitUsd } } }"
    )["data"]["reserve"]
    hold = reserved["hold"]
    assert (reserved["decision"], reserved["reason"], reserved["leftUsd"]) == ("ALLOW", "WITHIN_LIMIT", "5")
    assert (hold["state"], Decimal(hold["maxUsd"])) == ("HELD", Decimal("0.4"))
    assert Decimal(reserved["lines"][0]["wouldCommitUsd"]) == Decimal("0.4")
    settle = f'mutation {{ settle(holdId: "{hold["holdId"]}", actualUsd: "0.3") {{ state actualUsd }} }}'
    assert api.ask(settle)["data"]["settle"]["state"] == "SETTLED"
    (budget,) = api.data("{ budgets { standings { spentUsd heldUsd state } } }")["budgets"]
    assert [Decimal(standing["spentUsd"]) for standing in budget["standings"]] == [Decimal("0.3")]


def test_who_sees_a_part_of_the_spend_is_told_nothing_of_budgets(house: House) -> None:
    text = (Path(__file__).parents[2] / "metrics.yaml").read_text()
    guarded = load_catalog(text + '\npolicies:\n  own: {model: requests, rows: "agent = :caller.agent"}\n')
    caller = Caller(frozenset({"router"}), {"agent": "main"})
    api = Api(guarded, house.store, caller=caller)
    assert api.codes("{ budgets { budgetId } }") == ["NOT_ALLOWED"]
    assert api.codes("{ mayISpend(trigger: CRON) { reason } }") == ["NOT_ALLOWED"]
    assert api.codes("mutation { reserve(trigger: CRON) { reason } }") == ["NOT_ALLOWED"]
