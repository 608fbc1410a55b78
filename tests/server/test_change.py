"""`changeExplained` over a store: what adds up, which sessions stand behind a group, what is not known."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from semantic import Catalog
from store import Session, StagedRecord
from tests.server.conftest import Api, at, call, load_into
from tests.stores import new_store

FIELDS = """status unit topDriver deltaUsd volumeUsd mixUsd rateUsd before { count costUsd perUnitUsd unpriced }
    after { count costUsd unpriced }"""
GROUPS = """groups { name kind keys { dimension value } deltaUsd volumeUsd mixUsd rateUsd before { count unpriced }
    after { count unpriced } sessionsBefore(first: 2) { sessionId costUsd status }
    sessionsAfter(first: 2) { sessionId costUsd status } }"""
TIMES = 'before: {range: "2026-01"}, after: {range: "2026-02"}'


def run(session_id: str, agent: str | None, day: str, *costs: str | None) -> list[StagedRecord]:
    ended: dict[str, Any] = {"termination": "success", "ended_at": at(f"{day}T11:00")}
    session = Session(session_id=session_id, source="test", agent=agent, started_at=at(f"{day}T10:00"), **ended)
    paid = [call(f"{session_id}-{n}", session_id, "big", f"{day}T10:01", usd) for n, usd in enumerate(costs)]
    return [session, *paid]


@pytest.fixture(scope="module")
def api(catalog: Catalog) -> Iterator[Api]:
    with new_store() as store:
        load_into(store, [
            *run("a1", "a", "2026-01-05", "1"),
            *run("a2", "a", "2026-01-06", "2"),
            *run("b1", "b", "2026-01-07", "5"),
            *run("u1", "b", "2026-01-08", "1", None),
            *run("a3", "a", "2026-02-05", "4"),
            *run("n1", None, "2026-02-06", "3", "4"),
            *run("z1", "z/z", "2026-02-07"),
        ])  # fmt: skip
        yield Api(catalog, store)


def explained(api: Api, arguments: str = f"{TIMES}, by: [AGENT]") -> dict[str, Any]:
    return dict(api.data(f"{{ changeExplained({arguments}) {{ {FIELDS} {GROUPS} }} }}")["changeExplained"])


def test_groups_that_come_and_go_are_told_with_their_sessions(api: Api) -> None:
    told = explained(api)
    groups = {group["name"]: group for group in told["groups"]}
    assert {name: group["kind"] for name, group in groups.items()} == {
        "(none)": "NEW",
        "b": "GONE",
        "a": "EXISTING",
        "z/z": "NEW",
    }
    assert groups["(none)"]["sessionsAfter"] == [{"sessionId": "n1", "costUsd": "7", "status": "OK"}]
    assert groups["(none)"]["sessionsBefore"] == []
    assert [s["sessionId"] for s in groups["a"]["sessionsBefore"]] == ["a2", "a1"]
    assert groups["(none)"]["keys"] == [{"dimension": "agent", "value": None}]
    assert (told["topDriver"], told["unit"], told["deltaUsd"]) == ("(none)", "sessions", "3")


def test_a_session_of_unknown_cost_is_in_no_number_and_counted(api: Api) -> None:
    told = explained(api)
    assert told["status"] == "LOWER_BOUND"
    assert (told["before"]["count"], told["before"]["unpriced"], Decimal(told["before"]["costUsd"])) == (3, 1, 8)
    gone = next(group for group in told["groups"] if group["name"] == "b")
    assert gone["before"] == {"count": 1, "unpriced": 1}
    assert {"sessionId": "u1", "costUsd": None, "status": "UNPRICED"} in gone["sessionsBefore"]


def test_the_rest_is_one_group_and_all_still_adds_up(api: Api) -> None:
    whole, few = explained(api), explained(api, f"{TIMES}, by: [AGENT], top: 1")
    assert [group["kind"] for group in few["groups"]] == ["NEW", "OTHER"]
    rest = few["groups"][-1]
    assert (rest["name"], rest["keys"], rest["sessionsBefore"]) == ("(other)", [], None)
    assert rest["before"]["unpriced"] == 1
    for part in ("deltaUsd", "volumeUsd", "mixUsd", "rateUsd"):
        assert sum(Decimal(group[part]) for group in few["groups"]) == Decimal(few[part])
        assert Decimal(few[part]) == pytest.approx(Decimal(whole[part]), abs=Decimal("1e-12"))


def test_a_side_without_rows_is_told(api: Api) -> None:
    nothing = explained(api, 'before: {range: "2025-01"}, after: {range: "2026-01"}, by: [AGENT]')
    assert (nothing["status"], nothing["before"]["perUnitUsd"]) == ("LOWER_BOUND", None)
    new = explained(api, 'before: {range: "2025-01"}, after: {range: "2026-02"}, by: [AGENT]')
    assert (new["status"], new["volumeUsd"], new["mixUsd"]) == ("NOTHING_BEFORE", "11", "0")
    neither = explained(api, 'before: {range: "2025-01"}, after: {range: "2025-02"}, by: [AGENT]')
    assert (neither["status"], neither["groups"], neither["topDriver"]) == ("NO_ROWS", [], None)


def test_without_dimensions_there_is_one_group(api: Api) -> None:
    told = explained(api, f"{TIMES}, by: []")
    (group,) = told["groups"]
    assert (group["name"], group["deltaUsd"]) == ("(all)", told["deltaUsd"])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (f"{TIMES}, by: [AGENT], top: 0", "BAD_LIMIT"),
        (f"{TIMES}, by: [AGENT], top: 1001", "BAD_LIMIT"),
        (f"{TIMES}, by: [AGENT, AGENT]", "BAD_ARGUMENT"),
        (f"{TIMES}, by: [CATEGORY]", "UNREACHABLE_DIMENSION"),
        ('before: {range: "x"}, after: {range: "2026-02"}, by: [AGENT]', "BAD_RANGE"),
        (f'{TIMES}, by: [AGENT], zone: "Nowhere"', "UNKNOWN_ZONE"),
    ],
)
def test_a_question_that_has_no_answer_is_refused(api: Api, arguments: str, code: str) -> None:
    assert api.codes(f"{{ changeExplained({arguments}) {{ status }} }}") == [code]


@pytest.mark.parametrize("first", [0, 101])
def test_the_sessions_of_a_group_are_bounded(api: Api, first: int) -> None:
    question = (
        f"{{ changeExplained({TIMES}, by: []) {{ groups {{ sessionsAfter(first: {first}) {{ sessionId }} }} }} }}"
    )
    assert api.codes(question) == ["BAD_LIMIT"]
