"""Answers that are given again, and questions that run once for all who ask at the same moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Event, Thread
from typing import cast

import orjson
import pytest

from semantic import Caller, Catalog
from server.budgets import Breakers
from server.budgets.rules import default_rule
from server.graphql import build_schema
from server.graphql.context import Deadline
from server.graphql.documents import MOST_QUESTIONS, key_of
from server.graphql.engine import Engine, Operation, Response
from server.graphql.operations import Question
from server.graphql.results import Outcome, Results
from server.graphql.stop import Stop
from store import Reader, Store
from store.ledger import Ledger
from tests.server.conftest import LIMITS, NOW, Json, load_into, session
from tests.stores import new_store

SESSIONS = "{ metrics { totals { sessions } asOf } }"


class CountedStore:
    """A store that counts its snapshots; each waits for the gate."""

    def __init__(self, store: Store) -> None:
        self.snapshots = 0
        self.gate = Event()
        self.gate.set()
        self._store = store

    @contextmanager
    def snapshot(self) -> Iterator[Reader]:
        self.snapshots += 1
        assert self.gate.wait(30)
        with self._store.snapshot() as reader:
            yield reader

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class Asked:
    """An engine over a counted store, with a clock that is set by hand."""

    def __init__(self, catalog: Catalog, store: Store, caller: Caller | None = None) -> None:
        self.now = NOW
        self.store = CountedStore(store)
        schema = build_schema(catalog, caller)
        self.engine = Engine(schema, catalog, cast(Store, self.store), lambda: self.now, LIMITS, caller)

    def ask(self, text: str, variables: Json | None = None, within_ms: int = 30_000) -> Json:
        body: Json = orjson.loads(self.response(text, variables, within_ms).content)
        return body

    def response(self, text: str, variables: Json | None = None, within_ms: int = 30_000) -> Response:
        return self.engine.answer(Operation(text, variables), Deadline.after(within_ms))


@pytest.fixture
def asked(catalog: Catalog, store: Store) -> Asked:
    return Asked(catalog, store)


def test_the_same_question_within_a_minute_is_answered_from_memory(asked: Asked) -> None:
    first = asked.response(SESSIONS)
    asked.now = NOW + timedelta(seconds=59)
    assert asked.response(SESSIONS).content == first.content  # asOf with it: the instant of the answer
    assert asked.store.snapshots == 1


def test_an_answer_is_not_given_again_in_another_minute(asked: Asked) -> None:
    asked.ask(SESSIONS)
    asked.now = NOW + timedelta(seconds=60)
    assert asked.ask(SESSIONS)["data"]["metrics"]["asOf"] == "2026-03-10T12:01:00Z"
    assert asked.store.snapshots == 2


def test_the_day_is_that_of_the_moment(asked: Asked) -> None:
    burn = '{ metrics(time: {range: "today"}) { totals { sessions } } }'
    asked.now = datetime.fromisoformat("2026-03-09T23:59:59+00:00")
    assert asked.ask(burn)["data"]["metrics"]["totals"] == {"sessions": 1}
    asked.now += timedelta(seconds=1)
    assert asked.ask(burn)["data"]["metrics"]["totals"] == {"sessions": 0}


def test_other_variables_are_another_question(asked: Asked) -> None:
    text = "query Q($limit: Int) { metrics(limit: $limit) { rows { agent sessions } truncated } }"
    found = [asked.ask(text, {"limit": limit})["data"]["metrics"]["truncated"] for limit in (1, 3, 1, 3)]
    assert found == [True, False, True, False]
    assert asked.store.snapshots == 2


def test_an_answer_outlives_its_question_and_holds_nothing_of_it(asked: Asked) -> None:
    """Else 4,096 answers of 60 bytes would keep 4,096 sets of variables of 60 KB."""
    text = "query Q($agents: [String!]) { metrics(where: {agent: {in: $agents}}) { totals { sessions } } }"
    variables = {"agents": ["main", *(f"{'x' * 300}{n}" for n in range(100))]}
    first = asked.response(text, variables)
    for n in range(MOST_QUESTIONS):
        asked.engine._documents.question(key_of("{ dataVersion }", None, {"n": n}), {"n": n})
    assert asked.response(text, variables).content == first.content
    assert asked.store.snapshots == 1
    keys = [part for key in asked.engine._results.kept._entries for part in cast(tuple[object, ...], key)]
    assert [key for key in keys if isinstance(key, Question)] == []


def test_a_load_makes_answers_old(catalog: Catalog) -> None:
    with new_store() as store:
        asked = Asked(catalog, store)
        load_into(store, [session("a", "main", "human", "2026-03-01T10:00")])
        assert asked.ask(SESSIONS)["data"]["metrics"]["totals"] == {"sessions": 1}
        load_into(store, [session("b", "main", "human", "2026-03-01T11:00")])
        assert asked.ask(SESSIONS)["data"]["metrics"]["totals"] == {"sessions": 2}


def test_what_came_too_late_is_not_kept(asked: Asked) -> None:
    late = asked.engine.answer(Operation(SESSIONS), Deadline(at=0.0, timeout_ms=5, stop=Stop())).content
    assert orjson.loads(late)["errors"][0]["extensions"]["code"] == "TIMEOUT"
    assert asked.ask(SESSIONS)["data"]["metrics"]["totals"] == {"sessions": 4}


def test_what_depends_on_more_than_the_data_is_asked_each_time(asked: Asked) -> None:
    text = "{ metrics { totals { sessions } } sources { source loads } }"
    assert asked.ask(text) == asked.ask(text)
    assert asked.store.snapshots == 2


def test_what_changes_something_is_done_each_time(catalog: Catalog, store: Store, tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger") as ledger:
        breakers = Breakers(store, ledger, default_rule(Decimal(5), "UTC"))
        engine = Engine(build_schema(catalog), catalog, store, lambda: NOW, LIMITS, breakers=breakers)
        text = 'mutation { reserve(trigger: CRON, maxUsd: "0.10", ttlSeconds: 600) { hold { holdId } } }'
        answers = [orjson.loads(engine.answer(Operation(text), Deadline.after(30_000)).content) for _ in range(3)]
    assert len({answer["data"]["reserve"]["hold"]["holdId"] for answer in answers}) == 3


def test_callers_with_other_claims_do_not_share_answers(catalog: Catalog, store: Store) -> None:
    asked = Asked(catalog, store, Caller(frozenset({"finance"}), {"teams": ("a",)}))
    other = asked.engine.asked_by(Caller(frozenset({"finance"}), {"teams": ("b",)}))
    operation = Operation(SESSIONS)
    asked.engine.answer(operation, Deadline.after(30_000))
    other.answer(operation, Deadline.after(30_000))
    assert asked.store.snapshots == 2
    asked.engine.answer(operation, Deadline.after(30_000))
    assert asked.store.snapshots == 2


def together(work: Callable[[], None], number: int) -> list[Thread]:
    threads = [Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads


def test_what_is_asked_by_many_at_once_runs_once(asked: Asked) -> None:
    asked.store.gate.clear()
    found: list[Json] = []
    threads = together(lambda: found.append(asked.ask(SESSIONS)), 8)
    asked.store.gate.set()
    for thread in threads:
        thread.join(30)
    assert [answer["data"]["metrics"]["totals"] for answer in found] == [{"sessions": 4}] * 8
    assert asked.store.snapshots == 1


class Written:
    def __init__(self, content: bytes) -> None:
        self.content = content


class Leading:
    """One who computes until he is let go, and then comes to something, or fails."""

    def __init__(self, results: Results[Written], outcome: Outcome[Written] | Exception) -> None:
        self.has_begun, self.may_end = Event(), Event()
        self._outcome = outcome
        self._results = results
        self.thread = Thread(target=self._lead)
        self.thread.start()
        assert self.has_begun.wait(30)

    def _lead(self) -> None:
        try:
            self._results.answer("question", Deadline.after(30_000), self._computed)
        except RuntimeError:
            return

    def _computed(self) -> Outcome[Written]:
        self.has_begun.set()
        assert self.may_end.wait(30)
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome


MINE = Outcome(Written(b"mine"), None, is_shared=False)


@pytest.mark.parametrize(
    "outcome", [RuntimeError("broken"), Outcome(Written(b"too late"), None, is_shared=False)], ids=["raises", "timeout"]
)
def test_who_waits_for_one_that_fails_asks_for_himself(outcome: Outcome[Written] | Exception) -> None:
    results: Results[Written] = Results()
    leading, found = Leading(results, outcome), list[bytes]()
    waiting = Thread(
        target=lambda: found.append(results.answer("question", Deadline.after(30_000), lambda: MINE).content)
    )
    waiting.start()
    leading.may_end.set()
    waiting.join(30)
    leading.thread.join(30)
    assert found == [b"mine"]
    assert len(results.kept) == 0


def test_who_waits_has_his_own_deadline() -> None:
    results: Results[Written] = Results()
    leading = Leading(results, Outcome(Written(b"at last"), "question", is_shared=True))
    assert results.answer("question", Deadline.after(5), lambda: MINE).content == b"mine"
    leading.may_end.set()
    leading.thread.join(30)
    assert results.answer("question", Deadline.after(30_000), lambda: MINE).content == b"at last"


def test_who_waits_gives_his_thread_back_when_his_client_has_left() -> None:
    results: Results[Written] = Results()
    leading = Leading(results, Outcome(Written(b"at last"), "question", is_shared=True))
    deadline, found = Deadline.after(600_000), list[bytes]()
    waiting = Thread(target=lambda: found.append(results.answer("question", deadline, lambda: MINE).content))
    waiting.start()
    deadline.stop.ask()
    waiting.join(10)
    assert found == [b"mine"]
    leading.may_end.set()
    leading.thread.join(30)


def test_answers_are_kept_up_to_a_size() -> None:
    results: Results[Written] = Results(most=10, most_bytes=100)
    for number in range(20):
        results.answer(number, Deadline.after(1_000), lambda n=number: Outcome(Written(b"x" * 30), n, is_shared=True))  # type: ignore[misc]
    assert (len(results.kept), results.kept.weight) == (3, 90)
    results.answer("large", Deadline.after(1_000), lambda: Outcome(Written(b"x" * 101), "large", is_shared=True))
    assert (len(results.kept), results.kept.get("large")) == (3, None)
