"""The `routing` field: from memory, stale rather than not at all, and honest about which it is."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
import strawberry

from semantic import Catalog
from semantic.planner import Planner
from server.app import create_app
from server.graphql import build_schema
from server.graphql.context import Deadline
from server.graphql.engine import Engine, Operation
from server.routing import Routing, RoutingPolicy
from server.settings import Settings
from store import Store
from tests.server.conftest import LIMITS, NOW, Json, call, load_into, session
from tests.server.test_roi import records
from tests.serving import running

ALL = "snapshotId computedAt ageSeconds status stale error truncated taskClass"


class Router:
    """Asks with a clock of its own."""

    def __init__(self, catalog: Catalog, store: Store, schema: strawberry.Schema, **policy: Any) -> None:
        self.now = NOW
        self.routing = Routing(store, Planner(catalog), lambda: self.now, None, RoutingPolicy(**policy))
        self.engine = Engine(schema, catalog, store, lambda: self.now, LIMITS, routing=self.routing)

    def ask(self, selection: str = ALL, arguments: str = "") -> Json:
        given = f"({arguments})" if arguments else ""
        answer = self.engine.answer(Operation(f"{{ routing{given} {{ {selection} }} }}"), Deadline.after(10_000))
        assert "errors" not in answer.body, answer.body
        found: Json = answer.body["data"]["routing"]
        return found

    def models(self, selection: str, arguments: str = "") -> list[Json]:
        found: list[Json] = self.ask(f"models {{ {selection} }}", arguments)["models"]
        return found


@pytest.fixture(scope="module")
def schema(catalog: Catalog) -> strawberry.Schema:
    return build_schema(catalog)


@pytest.fixture(scope="module")
def kept_store() -> Iterator[Store]:
    """Nobody writes to it."""
    with Store.open(None) as opened:
        load_into(opened, list(records()))
        yield opened


@pytest.fixture
def store() -> Iterator[Store]:
    with Store.open(None) as opened:
        load_into(opened, list(records()))
        yield opened


@pytest.fixture
def router(catalog: Catalog, kept_store: Store, schema: strawberry.Schema) -> Router:
    made = Router(catalog, kept_store, schema, default_model="small")
    made.routing.refresh()
    return made


def test_the_narrowest_evidence_answers_and_is_named(router: Router) -> None:
    asked = 'taskClass: "look", models: ["big", "small", "new"]'
    found = router.models("model basis resolved sessions prior { source }", asked)
    assert [(row["model"], row["basis"], row["resolved"]) for row in found] == [
        ("big", "CELL", 1),
        ("small", "MODEL", 3),
        ("new", "PRIOR", 0),
    ]
    assert found[1]["prior"]["source"] == "all models pooled, strength 20"


def test_a_task_class_that_nobody_has_seen_falls_back_to_all_work(router: Router) -> None:
    found = router.models("model basis posterior { alpha beta }", 'taskClass: "paint", models: ["big", "new"]')
    assert [(row["model"], row["basis"]) for row in found] == [("big", "MODEL"), ("new", "PRIOR")]
    posterior = found[1]["posterior"]
    assert (posterior["alpha"], posterior["beta"]) == (pytest.approx(20 * 4 / 6), pytest.approx(20 * 2 / 6))


def test_without_names_those_that_are_known_answer(router: Router) -> None:
    assert [row["model"] for row in router.models("model", 'taskClass: "fix"')] == ["small", "big"]
    assert [row["model"] for row in router.models("model")] == ["big", "small"]


def test_rows_of_another_basis_are_never_told_apart(router: Router) -> None:
    asked = 'taskClass: "look", models: ["big", "small"]'
    found = router.models("model notDistinguishableFrom breakEven { reference status }", asked)
    assert found[0] == {
        "model": "big",
        "notDistinguishableFrom": ["small"],
        "breakEven": {"reference": "small", "status": "UNKNOWN"},
    }
    assert found[1]["breakEven"]["status"] == "REFERENCE"


def test_two_models_that_nobody_knows_are_not_one(router: Router) -> None:
    found = router.models("model notDistinguishableFrom breakEven { status }", 'models: ["x", "y"]')
    assert [row["notDistinguishableFrom"] for row in found] == [["y"], ["x"]]


def test_before_the_first_snapshot_models_have_a_prior_without_data(
    catalog: Catalog, kept_store: Store, schema: strawberry.Schema
) -> None:
    found = Router(catalog, kept_store, schema).ask(
        f"{ALL} models {{ basis status posterior {{ mean }} }}", 'models: ["big"]'
    )
    assert (found["status"], found["stale"], found["snapshotId"]) == ("NOT_COMPUTED", True, None)
    assert found["models"] == [{"basis": "PRIOR", "status": "NO_SESSIONS", "posterior": {"mean": 0.5}}]


def test_new_data_makes_an_answer_stale_until_it_is_computed(
    catalog: Catalog, store: Store, schema: strawberry.Schema
) -> None:
    router = Router(catalog, store, schema)
    router.routing.refresh()
    before = router.ask()
    assert (before["status"], before["stale"], before["error"]) == ("FRESH", False, None)
    load_into(
        store, [session("z", "main", "human", "2026-03-02T10:00"), call("z", "z", "big", "2026-03-02T10:00", "1")]
    )
    after = router.ask()
    assert (after["status"], after["stale"], after["snapshotId"]) == ("STALE", True, before["snapshotId"])
    router.routing.refresh()
    assert router.ask()["snapshotId"] == store.data_version() > before["snapshotId"]


def test_an_old_snapshot_says_so_and_still_answers(router: Router) -> None:
    router.now = NOW + timedelta(seconds=901)
    found = router.ask(f"{ALL} models {{ model }}")
    assert (found["status"], found["stale"], found["ageSeconds"]) == ("EXPIRED", True, 901.0)
    assert len(found["models"]) == 2


def test_where_it_cannot_be_computed_the_last_one_is_served_with_the_reason(
    catalog: Catalog, schema: strawberry.Schema
) -> None:
    with Store.open(None) as opened:
        load_into(opened, list(records()))
        router = Router(catalog, opened, schema)
        router.routing.refresh()
        good = router.ask(f"{ALL} models {{ model roi }}")
    router.routing.refresh()
    found = router.ask(f"{ALL} models {{ model roi }}")
    assert found["error"] == "the store is closed"
    assert {**found, "error": None} == good


def test_no_answer_reads_the_store(router: Router, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an answer has read the store")

    monkeypatch.setattr(Store, "_cursor", refuse)
    assert len(router.models("model roi netValue(taskValue: 1) notDistinguishableFrom breakEven { value }")) == 2


@pytest.mark.parametrize("count", [0, 51])
def test_the_number_of_models_is_bounded(router: Router, count: int) -> None:
    names = ", ".join(f'"m{n}"' for n in range(count))
    answer = router.engine.answer(Operation(f"{{ routing(models: [{names}]) {{ stale }} }}"), Deadline.after(10_000))
    assert answer.body["errors"][0]["extensions"]["code"] == "BAD_LIMIT"


def test_a_range_narrows_the_sessions_behind_it(catalog: Catalog, kept_store: Store, schema: strawberry.Schema) -> None:
    router = Router(catalog, kept_store, schema, range="2025")
    router.routing.refresh()
    assert router.ask("status models { model }") == {"status": "FRESH", "models": []}


def test_a_server_keeps_it_fresh_by_itself(catalog: Catalog, store: Store) -> None:
    def clock() -> datetime:
        return NOW

    def version(url: str) -> int:
        answer = httpx2.post(f"{url}/graphql", json={"query": "{ routing { snapshotId status } }"})
        return int(answer.json()["data"]["routing"]["snapshotId"] or -1)

    with running(create_app(store, catalog, Settings(), clock)) as url:
        eventually(lambda: version(url) == store.data_version())
        load_into(store, [session("z", "main", "human", "2026-03-02T10:00")])
        eventually(lambda: version(url) == store.data_version())


def eventually(holds: Any) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen within ten seconds")


ENDLESS = """
CREATE OR REPLACE MACRO task_results_at(as_of) AS TABLE
SELECT one.range::VARCHAR AS session_id, 'success' AS result
FROM range(1000000) AS one, range(1000000) AS other
WHERE one.range * other.range = -1"""


def test_a_server_that_ends_does_not_wait_for_what_it_computes(catalog: Catalog) -> None:
    with Store.open(None) as opened:
        load_into(opened, list(records()))
        opened._connection.execute(ENDLESS)
        routing = Routing(opened, Planner(catalog), lambda: NOW)
        with routing.kept_going():
            while routing._reader is None:
                time.sleep(0.01)
            began = time.monotonic()
        assert time.monotonic() - began < 20
        assert routing.known(NOW).snapshot is None
