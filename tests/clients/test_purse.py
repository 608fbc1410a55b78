"""Asking for money with a time limit, and telling what it has cost: against a server that says what the test needs."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest

from examples.clients.router import Purse, PurseSettings
from tests.clients.serving import eventually
from tests.clients.stub import Said, Stub, stub

PATIENT_S = 20.0
REFUSED = '{"errors":[{"message":"settled with another amount","extensions":{"code":"ALREADY_SETTLED"}}]}'


def answer(asked: Any) -> Said:
    """Allows everything; the hold of a reservation is named after its maximum."""
    if "mutation Reserve" in asked["query"]:
        hold = {"holdId": f"hold of {asked['variables']['maxUsd']}"}
        return data("reserve", {"decision": "ALLOW", "reason": "WITHIN_LIMIT", "hold": hold})
    if "mayISpend" in asked["query"]:
        return data("mayISpend", {"decision": "DENY", "reason": "LIMIT_REACHED"})
    return data("settle" if "mutation Settle" in asked["query"] else "release", {"state": "SETTLED"})


def data(field: str, value: Any) -> Said:
    return Said(body=json.dumps({"data": {field: value}}))


def is_about_holds(asked: Any) -> bool:
    return "mutation Settle" in asked["query"] or "mutation Release" in asked["query"]


def told(server: Stub) -> list[dict[str, Any]]:
    """What was settled or released."""
    return [asked["variables"] for asked in server.seen if is_about_holds(asked)]


@contextmanager
def purse(say: Callable[[Any], Said], **settings: Any) -> Iterator[tuple[Purse, Stub]]:
    with stub(say) as server:
        made = Purse(PurseSettings(server.url, **{"limit_s": PATIENT_S, "request_s": PATIENT_S, **settings}))
        try:
            yield made, server
        finally:
            made.close(0)


def test_a_request_that_fits_has_a_hold_and_its_cost_is_told() -> None:
    with purse(answer) as (mine, server):
        permit = mine.reserve("CRON", Decimal("0.25"), agent="main", model="small")
        assert (permit.is_allowed, permit.reason, permit.hold_id) == (True, "WITHIN_LIMIT", "hold of 0.25")
        mine.settle(permit, Decimal("1E-12"), "openai:1")
        eventually(lambda: told(server))
        given = {"trigger": "CRON", "maxUsd": "0.25", "agent": "main", "model": "small", "ttlSeconds": 600}
        assert server.seen[0]["variables"] == given
        assert told(server) == [{"holdId": "hold of 0.25", "actualUsd": "0.000000000001", "requestKey": "openai:1"}]


def test_what_is_denied_has_no_hold_and_nothing_to_tell() -> None:
    with purse(answer) as (mine, server):
        permit = mine.may_spend("CRON", Decimal("0.25"))
        assert (permit.is_allowed, permit.reason, permit.hold_id) == (False, "LIMIT_REACHED", None)
        mine.settle(permit, Decimal(1))
        assert told(server) == []


@contextmanager
def late_purse() -> Iterator[tuple[Purse, Stub, threading.Event]]:
    """Reservations are answered once the event is set."""
    may_answer = threading.Event()

    def late(asked: Any) -> Said:
        if "mutation Reserve" in asked["query"]:
            may_answer.wait(PATIENT_S)
        return answer(asked)

    with purse(late, limit_s=0.05) as (mine, server):
        yield mine, server, may_answer
        may_answer.set()


def test_a_human_s_request_goes_on_without_an_answer_and_gets_the_hold_that_comes_late() -> None:
    with late_purse() as (mine, server, may_answer):
        permit = mine.reserve("HUMAN", Decimal("0.10"))
        assert (permit.is_allowed, permit.reason, permit.hold_id) == (True, "TIMEOUT", None)
        mine.settle(permit, Decimal("0.04"))
        may_answer.set()
        eventually(lambda: told(server))
        assert told(server) == [{"holdId": "hold of 0.10", "actualUsd": "0.04", "requestKey": None}]


def test_a_machine_s_request_waits_and_a_hold_that_comes_late_is_given_back() -> None:
    with late_purse() as (mine, server, may_answer):
        permit = mine.reserve("CRON", Decimal("0.10"))
        assert (permit.is_allowed, permit.reason) == (False, "TIMEOUT")
        may_answer.set()
        eventually(lambda: told(server))
        assert told(server) == [{"holdId": "hold of 0.10"}]


def test_a_settlement_is_sent_until_it_arrives() -> None:
    refusals = [Said(503), Said(429, headers={"Retry-After": "1"}), Said(200, "<html>")]

    def say(asked: Any) -> Said:
        return refusals.pop() if is_about_holds(asked) and refusals else answer(asked)

    with purse(say) as (mine, server):
        mine.settle(mine.reserve("CRON", Decimal("0.25")), Decimal("0.21"))
        eventually(lambda: len(told(server)) == 4)
        assert mine.lost == 0


def test_a_settlement_that_is_refused_is_not_sent_again_and_is_counted() -> None:
    with purse(lambda asked: Said(200, REFUSED) if is_about_holds(asked) else answer(asked)) as (mine, server):
        mine.settle(mine.reserve("CRON", Decimal("0.25")), Decimal("0.21"))
        mine.release(mine.reserve("CRON", Decimal("0.50")))
        eventually(lambda: mine.lost == 2)
        assert len(told(server)) == 2


def test_where_nobody_listens_the_trigger_decides() -> None:
    mine = Purse(
        PurseSettings("http://127.0.0.1:1/graphql", limit_s=PATIENT_S, allowed_when_unknown=frozenset({"CRON"}))
    )
    permits = [mine.reserve("CRON", Decimal(1)), mine.reserve("HUMAN", Decimal(1)), mine.may_spend("CRON")]
    assert [(p.is_allowed, p.reason) for p in permits] == [
        (True, "UNREACHABLE"),
        (False, "UNREACHABLE"),
        (True, "UNREACHABLE"),
    ]
    mine.settle(permits[0], Decimal(1))
    mine.close()
    assert mine.lost == 0


@pytest.mark.parametrize(
    "body",
    [
        {"reserve": None},
        {"reserve": {"decision": "PERHAPS", "reason": "NO_LIMIT"}},
        {"reserve": {"decision": "ALLOW", "reason": None}},
        {"reserve": {"decision": "ALLOW", "reason": "NO_LIMIT", "hold": {"holdId": 1}}},
        {"reserve": {"decision": "ALLOW", "reason": "NO_LIMIT", "hold": []}},
        {},
    ],
    ids=repr,
)
def test_an_answer_of_another_form_allows_no_machine_anything(body: dict[str, Any]) -> None:
    with purse(lambda _: Said(body=json.dumps({"data": body}))) as (mine, _):
        permit = mine.reserve("CRON", Decimal(1))
        assert (permit.is_allowed, permit.reason) == (False, "MALFORMED")
