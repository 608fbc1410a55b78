"""The `roi` field: which sessions a row is about, what is refused, and what a caller is not told."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from semantic import Caller, Catalog, load_catalog
from store import Outcome, StagedRecord, Store
from tests.server.conftest import REPOSITORY, Api, Json, call, load_into, session


def records() -> Iterator[StagedRecord]:
    """Two models at two kinds of work, with a mixed session, an unpriced one, a pending one and one without a model."""
    plan = [
        ("a", "fix", "big", "0.50", True),
        ("b", "fix", "big", "0.30", False),
        ("c", "look", "big", "0.10", True),
        ("d", "fix", "small", "0.05", True),
        ("e", "fix", "small", "0.03", True),
        ("f", "fix", "small", None, False),
        ("g", "look", "small", "0.02", None),
    ]
    for name, kind, model, cost, success in plan:
        yield session(name, "main", "human", "2026-03-01T10:00", task_class=kind)
        yield call(f"call-{name}", name, model, "2026-03-01T10:01", cost)
        yield Outcome(outcome_id=name, source="test", session_id=name, kind="RUN", is_success=success)
    yield call("call-a-2", "a", "small", "2026-03-01T10:02", "0.01")
    yield session("nobody", None, None, "2026-03-05T10:00", ended_at=None, termination=None)


@pytest.fixture(scope="module")
def api(catalog: Catalog) -> Iterator[Api]:
    with Store.open(None) as opened:
        load_into(opened, list(records()))
        yield Api(catalog, opened)


def rows(api: Api, selection: str, arguments: str = "") -> list[Json]:
    given = f"({arguments})" if arguments else ""
    found: list[Json] = api.data(f"{{ roi{given} {{ rows {{ {selection} }} }} }}")["roi"]["rows"]
    return found


def codes(api: Api, arguments: str) -> list[str]:
    return api.codes(f"{{ roi({arguments}) {{ truncated }} }}")


def test_an_instant_to_come_is_refused(api: Api) -> None:
    assert codes(api, 'asOf: "2026-03-10T12:00:01Z"') == ["BAD_TIME"]
    assert "errors" not in api.ask('{ roi(asOf: "2026-03-10T12:00:00Z") { truncated } }')


def test_success_is_over_the_resolved_and_money_over_those_of_known_cost(api: Api) -> None:
    small = rows(api, "model sessions pending resolved scored successes totalCost costPerSuccess status pricedShare")[0]
    assert small == {
        "model": "small",
        "sessions": 4,
        "pending": 1,
        "resolved": 3,
        "scored": 2,
        "successes": 2,
        "totalCost": "0.080000000000",
        "costPerSuccess": "0.040000000000",
        "status": "PARTIAL",
        "pricedShare": pytest.approx(2 / 3),
    }


def test_roi_is_that_of_the_metric(api: Api) -> None:
    metric = {row["model"]: row["roi"] for row in api.rows("model roi")}
    assert {row["model"]: row["roi"] for row in rows(api, "model roi")} == pytest.approx(metric)


def test_a_row_of_the_sessions_without_a_model_is_there(api: Api) -> None:
    nobody = rows(api, "model sessions status reasons")[-1]
    assert (nobody["model"], nobody["sessions"], nobody["status"]) == (None, 1, "NO_DECIDED_TASKS")


def test_sessions_of_several_models_are_told_and_can_be_left_out(api: Api) -> None:
    def big(arguments: str = "") -> Json:
        return next(row for row in rows(api, "model sessions mixedModelSessions", arguments) if row["model"] == "big")

    assert big() == {"model": "big", "sessions": 3, "mixedModelSessions": 1}
    assert big("singleModelOnly: true") == {"model": "big", "sessions": 2, "mixedModelSessions": 0}


def test_a_prior_is_that_of_the_task_class_where_it_is_a_key(api: Api) -> None:
    found = rows(api, "taskClass model prior { rate source }", "by: [TASK_CLASS, MODEL]")
    rates = {row["taskClass"]: row["prior"]["rate"] for row in found}
    assert rates["fix"] == pytest.approx(3 / 5)
    assert rates["look"] == pytest.approx(1.5 / 2)  # one success of one: with a half on each side
    assert found[0]["prior"]["source"] == "all sessions of the task class pooled, strength 20"


def test_groups_are_compared_where_they_differ_in_the_model_alone(api: Api) -> None:
    found = rows(api, "taskClass model notDistinguishableFrom", "by: [TASK_CLASS, MODEL]")
    names = {(row["taskClass"], row["model"]): row["notDistinguishableFrom"] for row in found}
    assert names["fix", "big"] == ["small"]
    assert names["look", "small"] == ["big"]
    assert names[None, None] == []


def test_groups_without_the_model_are_named_by_all_their_keys(api: Api) -> None:
    found = rows(api, "agent trigger notDistinguishableFrom", "by: [AGENT, TRIGGER]")
    assert [row["notDistinguishableFrom"] for row in found] == [["(none), unknown"], ["main, human"]]


def test_models_that_were_asked_for_are_all_there(api: Api) -> None:
    found = rows(api, "model status sessions prior { rate }", 'models: ["new", "big"]')
    assert {row["model"]: row["status"] for row in found} == {"big": "OK", "new": "NO_SESSIONS"}
    assert [row["prior"]["rate"] for row in found] == [pytest.approx(4 / 6)] * 2


def test_an_empty_range_has_no_rows(api: Api) -> None:
    assert rows(api, "model", 'range: "2020"') == []
    (asked_for,) = rows(api, "status posterior { alpha beta }", 'range: "2020", models: ["big"]')
    assert asked_for == {"status": "NO_SESSIONS", "posterior": {"alpha": 10.0, "beta": 10.0}}


def test_where_narrows_the_sessions(api: Api) -> None:
    found = rows(api, "model resolved", 'where: {taskClass: {eq: "look"}}')
    assert {row["model"]: row["resolved"] for row in found} == {"big": 1, "small": 0}


def test_roi_is_as_it_was_at_an_instant(api: Api) -> None:
    def big(instant: str) -> Json:
        found = rows(api, "model sessions pending resolved status", f'asOf: "{instant}"')
        return next(row for row in found if row["model"] == "big")

    running = {"model": "big", "sessions": 3, "pending": 0, "resolved": 0, "status": "NO_DECIDED_TASKS"}
    assert big("2026-03-01T10:30:00Z") == running
    assert big("2026-03-01T11:00:00Z") == {"model": "big", "sessions": 3, "pending": 0, "resolved": 3, "status": "OK"}


def test_what_is_pending_says_until_when_all_is_decided(api: Api) -> None:
    found = {row["model"]: row["matureThrough"] for row in rows(api, "model matureThrough")}
    assert found == {
        "big": "2026-03-10T12:00:00Z",
        "small": "2026-03-01T10:00:00Z",
        None: "2026-03-05T10:00:00Z",
    }


def test_net_value_takes_what_a_success_is_worth(api: Api) -> None:
    big = next(
        row
        for row in rows(api, 'model one: netValue(taskValue: "1") two: netValue(taskValue: "2", failurePenalty: 0.3)')
        if row["model"] == "big"
    )
    # Two of three succeed, at 0.91 together.
    assert Decimal(big["one"]) == ((2 - Decimal("0.91")) / 3).quantize(Decimal("1e-12"))
    assert Decimal(big["two"]) == ((4 - Decimal("0.91") - Decimal("0.3")) / 3).quantize(Decimal("1e-12"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ("by: [MODEL, MODEL]", "BAD_KEYS"),
        ("by: [MODEL, AGENT, TRIGGER, TASK_CLASS, PROVIDER]", "BAD_KEYS"),
        ('by: [AGENT], models: ["big"]', "BAD_KEYS"),
        ('by: [AGENT], reference: "big"', "BAD_KEYS"),
        ("models: []", "BAD_LIMIT"),
        ("level: 0", "BAD_LEVEL"),
        ("level: 1", "BAD_LEVEL"),
        ("level: -0.95", "BAD_LEVEL"),
        ("minResolved: 0", "BAD_LIMIT"),
        ("priorStrength: 0", "BAD_PRIOR"),
        ("priorStrength: -1", "BAD_PRIOR"),
        ("priorStrength: 1e300", "BAD_PRIOR"),
        ('range: "some day"', "BAD_RANGE"),
        ('zone: "Mars/Olympus"', "UNKNOWN_ZONE"),
        ("by: [COST]", "INVALID_QUERY"),
        ("level: null", "INVALID_QUERY"),
    ],
)
def test_what_cannot_be_answered_rightly_is_refused(api: Api, arguments: str, code: str) -> None:
    assert codes(api, arguments) == [code]


def test_more_models_than_anybody_has_are_refused(api: Api) -> None:
    names = ", ".join(f'"m{n}"' for n in range(101))
    assert codes(api, f"models: [{names}]") == ["BAD_LIMIT"]


def edited(change: str, by: str) -> Catalog:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    assert change in text
    return load_catalog(text.replace(change, by))


def fields_of(api: Api) -> list[str]:
    return [
        field["name"]
        for field in api.data("{ __schema { queryType { fields { name } } } }")["__schema"]["queryType"]["fields"]
    ]


def test_who_may_not_see_the_metric_has_no_field(api: Api) -> None:
    hidden = edited("  roi: {expr:", "  roi: {access: [finance], expr:")
    seen = fields_of(Api(hidden, api.store, caller=Caller(frozenset({"dashboard"}))))
    assert "roi" not in seen
    assert "routing" not in seen
    assert "roi" in fields_of(Api(hidden, api.store, caller=Caller(frozenset({"finance"}))))


def test_who_may_not_see_a_dimension_cannot_group_by_it(api: Api) -> None:
    hidden = edited("task_class: {type", "task_class: {access: [finance], type")
    narrow = Api(hidden, api.store, caller=Caller(frozenset({"dashboard"})))
    assert codes(narrow, "by: [TASK_CLASS]") == ["INVALID_QUERY"]


def test_a_policy_hides_rows_here_as_everywhere(api: Api) -> None:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    guarded = load_catalog(f"{text}\npolicies:\n  own: {{model: sessions, rows: 'task_class = :caller.work'}}\n")
    caller: Any = Caller(frozenset({"dashboard"}), {"work": "look"})
    found = rows(Api(guarded, api.store, caller=caller), "model sessions")
    assert {row["model"]: row["sessions"] for row in found} == {"big": 1, "small": 1}


def test_sessions_of_one_root_count_as_one(catalog: Catalog) -> None:
    with Store.open(None) as opened:
        children = [session(f"c{n}", "main", "subagent", "2026-03-01T10:00", parent_session_id="top") for n in range(3)]
        top = session("top", "main", "human", "2026-03-01T09:00")
        done = [
            Outcome(outcome_id=n, source="test", session_id=n, kind="RUN", is_success=True)
            for n in ("top", "c0", "c1", "c2")
        ]
        load_into(opened, [top, *children, *done])
        (row,) = rows(Api(catalog, opened), "resolved effectiveN", "by: [PROVIDER]")
    assert row == {"resolved": 4, "effectiveN": 1.0}
