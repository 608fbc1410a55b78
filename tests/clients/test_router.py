"""The router against servers in every state: what it decides in each is the table of docs/clients.md.

A limit of the wait is shown by what the server has not done yet when the decision is there, not by a stopwatch.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest

from examples.clients.router import Choice, Decision, Router, RouterSettings, careful
from examples.clients.router.choice import Policy
from examples.clients.router.evidence import ModelEvidence
from tests.clients.serving import eventually
from tests.clients.stub import Said, Stub, routing, stub

PATIENT_S = 20.0
"""A limit that a busy machine does not reach."""
MODELS = ("small", "large")


@contextmanager
def router(url: str, policy: Policy = careful, **settings: Any) -> Iterator[Router]:
    given = {"limit_s": PATIENT_S, "request_s": PATIENT_S, "refresh_s": 3_600.0, **settings}
    made = Router(RouterSettings(url, MODELS, "large", **given), policy)
    try:
        yield made
    finally:
        made.close()


def told(decision: Decision) -> tuple[str, str, str]:
    return decision.model, decision.source, decision.reason


def until(asked: Router, source: str) -> Decision:
    """Asks until a decision rests on that."""
    last: list[Decision] = []

    def rests() -> bool:
        last[:] = [asked.choose("fix")]
        return last[0].source == source

    eventually(rests)
    return last[0]


@contextmanager
def warm(say: Callable[[list[str]], Said], **settings: Any) -> Iterator[tuple[Router, Stub]]:
    """A router that has heard one good answer; from then on the server says `say`."""
    saying: list[Callable[[list[str]], Said]] = [routing]
    with stub(lambda asked: saying[0](asked["variables"]["models"])) as server, router(server.url, **settings) as asked:
        assert told(asked.choose("fix")) == ("small", "SERVER", "FRESH")
        saying[0] = say
        yield asked, server


def said(status: int, body: str = "{}", **headers: str) -> Callable[[list[str]], Said]:
    return lambda _: Said(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


ERROR = '{"errors":[{"message":"no","extensions":{"code":"%s"}}]}'
STATES: list[tuple[str, Callable[[list[str]], Said], tuple[str, str]]] = [
    ("stale", lambda models: routing(models, status="STALE"), ("SERVER", "STALE")),
    ("expired", lambda models: routing(models, status="EXPIRED", ageSeconds=900.0), ("LAST", "EXPIRED")),
    (
        "not computed",
        lambda models: routing(models, status="NOT_COMPUTED", snapshotId=None, ageSeconds=None),
        ("LAST", "NOT_COMPUTED"),
    ),
    ("throttled", said(429, ERROR % "RATE_LIMITED", Retry_After="60"), ("LAST", "THROTTLED")),
    ("busy", said(503, ERROR % "BUSY", Retry_After="1"), ("LAST", "BUSY")),
    ("an unknown token", said(401, ERROR % "UNAUTHENTICATED"), ("LAST", "REFUSED")),
    ("another schema", said(400, ERROR % "INVALID_QUERY"), ("LAST", "REFUSED")),
    ("an error in the answer", said(200, ERROR % "INTERNAL"), ("LAST", "REFUSED")),
    ("a proxy's page", said(502, "<html>"), ("LAST", "MALFORMED")),
    ("an empty object", said(200, "{}"), ("LAST", "MALFORMED")),
    ("half an answer", said(200, '{"data":{"routing":{"status":"FRESH"}}}'), ("LAST", "MALFORMED")),
    ("of other models", lambda models: routing(models[:1]), ("LAST", "MALFORMED")),
    ("money as a number", lambda m: Said(body=routing(m).body.replace('"0.1"', "0.1")), ("LAST", "MALFORMED")),
    ("too much", said(200, f'"{"x" * 1_000_001}"'), ("LAST", "MALFORMED")),
]


@pytest.mark.parametrize(("name", "say", "expected"), STATES, ids=[name for name, *_ in STATES])
def test_what_the_router_decides_by(name: str, say: Callable[[list[str]], Said], expected: tuple[str, str]) -> None:
    with warm(say) as (asked, _):
        assert told(asked.choose("fix")) == ("small", *expected)


@pytest.mark.parametrize(
    ("name", "say", "expected"), STATES[1:], ids=[f"{name}, and nothing before" for name, *_ in STATES[1:]]
)
def test_what_the_router_decides_by_without_a_last_answer(
    name: str, say: Callable[[list[str]], Said], expected: tuple[str, str]
) -> None:
    with warm(say, most_age_s=600.0) as (asked, _):
        assert told(asked.choose("other")) == ("large", "DEFAULT", expected[1])


def test_a_server_that_asks_for_a_pause_is_not_asked_within_it() -> None:
    with warm(said(429, ERROR % "RATE_LIMITED", Retry_After="60")) as (asked, server):
        asked.choose("fix")
        before = len(server.seen)
        assert [told(asked.choose("fix")) for _ in range(5)] == [("small", "LAST", "OPEN")] * 5
        assert len(server.seen) == before


def test_a_server_that_fails_three_times_is_probed_beside_the_decisions_until_it_answers() -> None:
    healthy = threading.Event()
    with warm(lambda models: routing(models) if healthy.is_set() else Said(503)) as (asked, server):
        assert [asked.choose("fix").reason for _ in range(3)] == ["BUSY", "BUSY", "BUSY"]
        before = len(server.seen)
        assert told(asked.choose("fix")) == ("small", "LAST", "OPEN")
        assert len(server.seen) == before
        healthy.set()
        until(asked, "SERVER")
        assert len(server.seen) >= before + 2


def test_a_late_answer_is_waited_for_once_and_serves_the_next_decision() -> None:
    may_answer = threading.Event()

    def late(asked: Any) -> Said:
        may_answer.wait(PATIENT_S)
        return routing(asked["variables"]["models"])

    with stub(late) as server, router(server.url, limit_s=0.05) as asked:
        assert told(asked.choose("fix")) == ("large", "DEFAULT", "TIMEOUT")
        assert told(asked.choose("fix")) == ("large", "DEFAULT", "TIMEOUT")
        assert len(server.seen) == 1, "who asks the same joins the question that is on its way"
        may_answer.set()
        assert until(asked, "SERVER").model == "small"


def test_a_server_that_sends_letter_by_letter_ties_up_no_thread_for_good() -> None:
    with warm(lambda _: Said(drips=True), request_s=0.3, limit_s=0.2) as (asked, server):
        assert [asked.choose(name).reason for name in ("fix", "b", "c")].count("TIMEOUT") >= 2
        server.say = lambda body: routing(body["variables"]["models"])
        assert until(asked, "SERVER").model == "small"


def test_a_policy_that_fails_costs_the_default_model_and_no_more() -> None:
    def broken(models: Sequence[ModelEvidence], default: str) -> Choice:
        raise ZeroDivisionError("a mistake")

    with stub(lambda asked: routing(asked["variables"]["models"])) as server, router(server.url, broken) as asked:
        assert told(asked.choose("fix")) == ("large", "DEFAULT", "ERROR")


def test_what_was_asked_is_asked_again_beside_the_decisions() -> None:
    with stub(lambda asked: routing(asked["variables"]["models"])) as server:
        with router(server.url, refresh_s=0.05) as asked:
            asked.choose("fix")
            eventually(lambda: len(server.seen) >= 3)
        assert {body["variables"]["taskClass"] for body in server.seen} == {"fix"}


def test_task_classes_are_kept_up_to_a_number() -> None:
    with (
        stub(lambda asked: routing(asked["variables"]["models"])) as server,
        router(server.url, most_task_classes=2) as asked,
    ):
        for name in ("a", "b", "c"):
            assert asked.choose(name).source == "SERVER"
        server.say = lambda _: Said(400, ERROR % "INVALID_QUERY")
        assert [asked.choose(name).source for name in ("c", "b")] == ["LAST", "LAST"]
        assert asked.choose("a").source == "DEFAULT"


def test_the_token_is_in_no_error_and_no_repr() -> None:
    with router("http://127.0.0.1:1/graphql", token="the-secret-token") as asked:
        assert told(asked.choose("fix")) == ("large", "DEFAULT", "UNREACHABLE")
        assert "the-secret-token" not in repr(asked) + repr(asked._settings)


def test_a_router_with_a_manifest_asks_by_id_alone() -> None:
    with stub(lambda _: routing(list(MODELS))) as server, router(server.url, documents={"Route": "sha256:1"}) as asked:
        assert told(asked.choose("fix")) == ("small", "SERVER", "FRESH")
        assert server.seen == [{"documentId": "sha256:1", "variables": {"taskClass": "fix", "models": list(MODELS)}}]


def test_many_threads_that_ask_at_once_each_get_a_decision() -> None:
    with stub(lambda asked: routing(asked["variables"]["models"])) as server, router(server.url) as asked:
        decisions: list[Decision] = []
        threads = [
            threading.Thread(target=lambda: decisions.extend(asked.choose("fix") for _ in range(20))) for _ in range(16)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert {told(decision) for decision in decisions} == {("small", "SERVER", "FRESH")}
        assert len(decisions) == 320
        assert len(server.seen) < 320, "who asks the same at the same time asks once"
