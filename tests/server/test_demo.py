"""The demo's whole way: what its writer knows by construction is what the loaders, the store and the metrics say."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from semantic import Catalog, MetricQuery, Row, load_catalog
from server.answer import ask, only_row
from server.cli.demo import load_home, print_headlines
from server.demo import DemoHome, write_home
from store import Store
from tests.stores import new_store

pytestmark = pytest.mark.whole
ROOT = Path(__file__).parents[2]
LAST_DAY = date(2026, 3, 15)
NOW = datetime(2026, 3, 16, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    return write_home(tmp_path_factory.mktemp("demo"), last_day=LAST_DAY)


@pytest.fixture(scope="module")
def store(home: DemoHome) -> Iterator[Store]:
    with new_store() as opened:
        load_home(opened, home, NOW)
        yield opened


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load_catalog((ROOT / "metrics.yaml").read_text(), "metrics.yaml")


def one(store: Store, catalog: Catalog, *metrics: str) -> Row:
    return only_row(ask(catalog, store, MetricQuery(metrics=metrics, as_of=NOW.date(), evidence=True)))


def by(store: Store, catalog: Catalog, metric: str, dimension: str) -> dict[object, object]:
    question = MetricQuery(metrics=(metric,), by=(dimension,), as_of=NOW.date())
    return {row.keys[dimension]: row.values[metric] for row in ask(catalog, store, question).result.rows}


def test_totals_are_exact(store: Store, catalog: Catalog, home: DemoHome) -> None:
    expected = home.expected
    row = one(store, catalog, "sessions", "requests", "inference_cost", "idle_sessions")
    assert row.values == {
        "sessions": expected.sessions,
        "requests": expected.requests,
        "inference_cost": expected.api_cost_usd.normalize(),
        "idle_sessions": expected.idle_sessions,
    }
    assert row.evidence["inference_cost"].status == "LOWER_BOUND"
    assert row.evidence["inference_cost"].unknown == expected.unpriced_requests


def test_cost_by_model_is_exact_and_an_unknown_model_has_none(store: Store, catalog: Catalog, home: DemoHome) -> None:
    costs = by(store, catalog, "inference_cost", "model")
    assert costs.pop("grok-9-mystery") is None
    assert costs == dict(home.expected.cost_usd_by_model)
    assert by(store, catalog, "requests", "model") == dict(home.expected.requests_by_model)


def test_what_started_each_session_is_found(store: Store, catalog: Catalog, home: DemoHome) -> None:
    assert by(store, catalog, "sessions", "trigger") == dict(home.expected.sessions_by_trigger)


def test_how_each_session_ended_is_found(store: Store, home: DemoHome) -> None:
    rows = store.read("SELECT coalesce(termination, 'running'), count(*) FROM session_facts GROUP BY 1").rows
    assert {str(ending): count for ending, count in rows} == dict(home.expected.sessions_by_ending)


def test_what_idle_sessions_cost_is_exact(store: Store, home: DemoHome) -> None:
    (idle,) = store.read("SELECT sum(known_cost_usd) FROM session_facts WHERE class = 'idle'").rows[0]
    assert idle == home.expected.idle_cost_usd


def test_session_cost_is_calls_plus_compute_and_compute_adds_up_to_the_bills(store: Store, catalog: Catalog) -> None:
    row = one(store, catalog, "session_compute_cost", "idle_compute_cost", "infrastructure_cost")
    (within,) = store.read("SELECT sum(pool_usd) FROM compute_days WHERE day <= DATE '2026-03-16'").rows[0]
    assert within == row.values["infrastructure_cost"]
    assert row.values["session_compute_cost"] + row.values["idle_compute_cost"] == within  # type: ignore[operator]


def test_a_second_load_changes_nothing(store: Store, home: DemoHome, capsys: pytest.CaptureFixture[str]) -> None:
    load_home(store, home, NOW)
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 5
    assert all("  stored 0  " in line for line in printed)


def test_the_headlines_answer_the_four_questions(
    store: Store, catalog: Catalog, capsys: pytest.CaptureFixture[str]
) -> None:
    print_headlines(store, catalog, NOW.date())
    printed = capsys.readouterr().out
    for title in ("What does a session cost?", "What is wasted?", "What comes of it?", "How long does the money last?"):
        assert title in printed
    assert "UNPRICED" in printed
