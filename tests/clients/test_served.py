"""The router and the purse against `clawback serve` itself, which is stopped, killed and started again by number."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from examples.clients.router import Choice, Purse, PurseSettings
from examples.clients.router.asking import Asker
from store import Outcome, StagedRecord, Store
from tests.clients.serving import eventually, served
from tests.clients.test_router import PATIENT_S, router, told, until
from tests.server.conftest import call, load_into, session

HELD = '{ budgets(budgetId: "daily") { standings { heldUsd spentUsd } } }'


def records() -> Iterator[StagedRecord]:
    """Of the class `fix`: small 40 of 50 for about a cent, large 45 of 50 for about half a dollar."""
    for model, good, costs in (("small", 40, ("0.010", "0.012")), ("large", 45, ("0.50", "0.55"))):
        for n in range(50):
            name = f"{model}-{n}"
            yield session(name, "main", "cron", f"2026-03-{n % 28 + 1:02}T10:00", task_class="fix")
            yield call(name, name, model, f"2026-03-{n % 28 + 1:02}T10:01", costs[n % 2])
            yield Outcome(outcome_id=name, source="test", session_id=name, kind="RUN", is_success=n < good)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("router") / "store.duckdb"
    with Store.open(path) as opened:
        load_into(opened, list(records()))
    return path


def standing(asker: Asker) -> tuple[str, str]:
    """What is held and spent of the daily budget, which has no standing before something is."""
    (budget,) = asker.ask(HELD, {})["budgets"]
    found: list[dict[str, Any]] = budget["standings"] or [{"heldUsd": "0", "spentUsd": "0"}]
    return found[0]["heldUsd"], found[0]["spentUsd"]


@pytest.mark.whole
def test_the_router_follows_a_real_server_that_stands_still_is_killed_and_comes_back(store: Path) -> None:
    with served(store) as first, router(f"{first.url}/graphql") as asked:
        eventually(lambda: asked.choose("fix").reason == "FRESH")
        fresh = asked.choose("fix")
        assert (fresh.source, fresh.choice) == ("SERVER", Choice("small", "BEST_BOUND", 1.0))

        with router(f"{first.url}/graphql", limit_s=0.05) as hasty:
            until(hasty, "SERVER")
            first.pause()
            assert told(hasty.choose("fix")) == ("small", "LAST", "TIMEOUT")
            assert told(hasty.choose("fix")) == ("small", "LAST", "TIMEOUT")
            assert told(hasty.choose("other")) == ("large", "DEFAULT", "TIMEOUT")
            first.go_on()
            assert until(hasty, "SERVER").model == "small"

        first.kill()
        last = asked.choose("fix")
        assert told(last) == ("small", "LAST", "UNREACHABLE")
        assert (last.age_s or 0) >= (fresh.age_s or 0)
        assert last.snapshot_id == fresh.snapshot_id
        assert told(asked.choose("never asked before")) == ("large", "DEFAULT", "UNREACHABLE")
        eventually(lambda: asked.choose("fix").reason == "OPEN")
        assert told(asked.choose("fix")) == ("small", "LAST", "OPEN")
        with served(store, int(first.url.rpartition(":")[2])):
            assert until(asked, "SERVER").model == "small"


@pytest.mark.whole
def test_what_a_purse_reserves_is_held_and_what_comes_late_is_settled_or_given_back(store: Path) -> None:
    with served(store) as server:
        url, asker = f"{server.url}/graphql", Asker(f"{server.url}/graphql")
        patient = Purse(PurseSettings(url, limit_s=PATIENT_S, request_s=PATIENT_S))
        hasty = Purse(PurseSettings(url, limit_s=0.05, request_s=PATIENT_S))
        assert patient.may_spend("CRON", Decimal("6")).reason == "WOULD_EXCEED"
        permit = patient.reserve("CRON", Decimal("0.25"), agent="main")
        assert (permit.is_allowed, permit.reason) == (True, "WITHIN_LIMIT")
        assert Decimal(standing(asker)[0]) == Decimal("0.25")
        patient.settle(permit, Decimal("0.21"))
        eventually(lambda: [Decimal(usd) for usd in standing(asker)] == [0, Decimal("0.21")])

        server.pause()
        human, machine = hasty.reserve("HUMAN", Decimal("0.10")), hasty.reserve("CRON", Decimal("0.20"))
        assert [(p.is_allowed, p.reason) for p in (human, machine)] == [(True, "TIMEOUT"), (False, "TIMEOUT")]
        hasty.settle(human, Decimal("0.04"))
        server.go_on()
        eventually(lambda: [Decimal(usd) for usd in standing(asker)] == [0, Decimal("0.25")])
        assert (patient.lost, hasty.lost) == (0, 0)
        for one in (patient, hasty):
            one.close()
        asker.close()
