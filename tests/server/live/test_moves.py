"""What each field that can be subscribed to hangs on: its mark is another one where its answer may be."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from semantic import Catalog
from semantic.planner import Planner
from server.budgets import Breakers
from server.budgets.decision import Wish
from server.budgets.rules import default_rule
from server.graphql.engine import Operation
from server.graphql.schema import LIVE
from server.graphql.subscriptions import Pushed
from server.live import marks_of
from server.routing import Routing
from store import Store
from store.ledger import Ledger
from tests.server.conftest import NOW, REPOSITORY, Api
from tests.server.live.conftest import one_more_session

EXAMPLES = sorted((REPOSITORY / "examples" / "subscriptions").glob("*.graphql"))


def test_every_field_that_can_be_subscribed_to_has_a_mark(store: Store) -> None:
    assert set(marks_of(store, lambda: NOW, None, None, None)) == set(LIVE)


def test_a_load_moves_every_field(own_store: Store) -> None:
    marks = marks_of(own_store, lambda: NOW, None, None, None)
    before = {name: mark() for name, mark in marks.items()}
    assert {name: mark() for name, mark in marks.items()} == before
    one_more_session(own_store, 1)
    assert [name for name, mark in marks.items() if mark() == before[name]] == []


def test_time_alone_moves_every_field_once_a_minute(store: Store) -> None:
    now = datetime(2026, 3, 10, 12, 0, 1, tzinfo=UTC)
    marks = marks_of(store, lambda: now, None, None, None)
    before = {name: mark() for name, mark in marks.items()}
    now += timedelta(seconds=58)
    assert {name: mark() for name, mark in marks.items()} == before
    now += timedelta(seconds=1)
    assert [name for name, mark in marks.items() if mark() == before[name]] == []


def test_a_reservation_moves_the_budgets_alone(store: Store) -> None:
    with Ledger.open(None) as ledger:
        breakers = Breakers(store, ledger, default_rule(Decimal(5), "UTC"))
        marks = marks_of(store, lambda: NOW, None, breakers, None)
        before = {name: mark() for name, mark in marks.items()}
        breakers.reserve(Wish(trigger="cron", max_usd=Decimal(1)), NOW)
        assert [name for name, mark in marks.items() if mark() != before[name]] == ["budgets"]


def test_a_new_snapshot_moves_the_routing_alone(catalog: Catalog, store: Store) -> None:
    routing = Routing(store, Planner(catalog), lambda: NOW)
    marks = marks_of(store, lambda: NOW, None, None, routing)
    before = {name: mark() for name, mark in marks.items()}
    routing.refresh()
    assert [name for name, mark in marks.items() if mark() != before[name]] == ["routing"]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_every_example_is_a_subscription_that_is_answered(api: Api, path: Path) -> None:
    pushed = api.engine.pushed(Operation(path.read_text(encoding="utf-8")))
    assert isinstance(pushed, Pushed)
    assert pushed.field in LIVE
    assert all(value is not None for value in api.data(pushed.text).values())
