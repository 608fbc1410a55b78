"""What a decision rests on, and when a server is left alone: no server, and the clock is a number."""

from typing import Any

import pytest

from examples.clients.router.circuit import Circuit
from examples.clients.router.evidence import Answer, MalformedError, Standing, read_answer
from examples.clients.router.ground import Failure, Ground, Heard, ground, kept_of


def heard(standing: Standing, *, at_s: float = 0.0, age_s: float = 0.0) -> Heard:
    return Heard(Answer(standing, 1, age_s, ()), at_s)


@pytest.mark.parametrize("standing", ["FRESH", "STALE"])
def test_an_answer_of_the_server_is_used_and_says_its_standing(standing: Standing) -> None:
    now = heard(standing, at_s=100)
    assert ground(now, None, 100, 60) == Ground("SERVER", standing, now)


@pytest.mark.parametrize("failure", ["TIMEOUT", "UNREACHABLE", "THROTTLED", "BUSY", "REFUSED", "MALFORMED", "OPEN"])
def test_without_an_answer_the_last_one_is_used_until_it_is_too_old(failure: Failure) -> None:
    last = heard("FRESH", at_s=10, age_s=5)
    assert ground(failure, last, 65, 60) == Ground("LAST", failure, last)
    assert ground(failure, last, 65.1, 60) == Ground("DEFAULT", failure, None)
    assert ground(failure, None, 65, 60) == Ground("DEFAULT", failure, None)


def test_an_expired_answer_is_the_last_one_while_its_data_is_young_enough() -> None:
    expired = heard("EXPIRED", at_s=100, age_s=900)
    assert ground(expired, expired, 100, 3_600) == Ground("LAST", "EXPIRED", expired)
    assert ground(expired, expired, 100, 600) == Ground("DEFAULT", "EXPIRED", None)


def test_what_was_not_computed_is_no_ground_and_takes_no_answer_s_place() -> None:
    last, none = heard("FRESH", at_s=90), Heard(Answer("NOT_COMPUTED", None, None, ()), 100)
    assert kept_of(last, none) is last
    assert kept_of(None, none) is None
    assert ground(none, last, 100, 60) == Ground("LAST", "NOT_COMPUTED", last)
    assert ground(none, None, 100, 60) == Ground("DEFAULT", "NOT_COMPUTED", None)


def test_of_two_answers_the_one_of_younger_data_is_kept() -> None:
    last = heard("FRESH", at_s=0, age_s=10)
    newer, older = heard("EXPIRED", at_s=100, age_s=50), heard("EXPIRED", at_s=100, age_s=500)
    assert kept_of(last, newer) is newer
    assert kept_of(last, older) is last
    assert kept_of(last, heard("STALE", at_s=100, age_s=500)) != last


def test_the_age_of_an_answer_goes_on_after_it_came() -> None:
    assert heard("FRESH", at_s=100, age_s=5).age_s(130) == 35


def test_three_failures_in_a_row_open_the_circuit_and_a_probe_in_time_closes_it() -> None:
    circuit = Circuit().after_failure(10).after_failure(11)
    assert circuit.gate(11) == "ASK"
    circuit = circuit.after_failure(12)
    assert (circuit.gate(12), circuit.gate(12.9), circuit.gate(13)) == ("LEAVE", "LEAVE", "PROBE")
    assert circuit.probing().gate(13) == "LEAVE"
    assert circuit.probing().after_success().gate(13) == "ASK"


def test_a_probe_that_fails_doubles_the_pause_up_to_half_a_minute() -> None:
    circuit = Circuit().after_failure(0).after_failure(0).after_failure(0)
    pauses = []
    for _ in range(7):
        assert circuit.open_until_s is not None
        now = circuit.open_until_s
        circuit = circuit.probing().after_failure(now)
        assert circuit.open_until_s is not None
        pauses.append(circuit.open_until_s - now)
    assert pauses == [2, 4, 8, 16, 30, 30, 30]


def test_a_failure_between_successes_is_forgotten() -> None:
    circuit = Circuit().after_failure(0).after_failure(0).after_success().after_failure(1).after_failure(1)
    assert circuit.gate(1) == "ASK"


def test_a_server_that_asks_for_a_pause_gets_it_at_once_within_reason() -> None:
    assert Circuit().after_failure(100, retry_after_s=7).open_until_s == 107
    assert Circuit().after_failure(100, retry_after_s=0.1).open_until_s == 101
    assert Circuit().after_failure(100, retry_after_s=99_999).open_until_s == 400


ROW = {
    "model": "small",
    "basis": "CELL",
    "resolved": 40,
    "posterior": {"alpha": 31.0, "beta": 11.5, "low": 0.6, "high": 0.8},
    "costPerSession": "0.010000000001",
    "costPerSessionInterval": {"low": "0.01", "high": "0.02"},
    "decisionGrade": True,
    "notDistinguishableByRoi": ["large"],
}
ROUTING = {"snapshotId": 7, "ageSeconds": 1.5, "status": "FRESH", "models": [ROW]}


def test_an_answer_is_read_with_its_money_as_decimals() -> None:
    answer = read_answer({"routing": ROUTING}, ["small"])
    (small,) = answer.models
    assert (answer.standing, answer.snapshot_id, answer.age_s) == ("FRESH", 7, 1.5)
    assert (str(small.cost_usd), small.alpha, small.alike) == ("0.010000000001", 31.0, frozenset({"large"}))


NOT_COMPUTED = {**ROUTING, "status": "NOT_COMPUTED", "snapshotId": None, "ageSeconds": None}


def test_an_answer_without_data_has_no_age() -> None:
    assert read_answer({"routing": NOT_COMPUTED}, ["small"]).age_s is None


BROKEN: list[dict[str, Any]] = [
    {"status": "NEW"},
    {"status": None},
    {"snapshotId": "7"},
    {"snapshotId": True},
    {"ageSeconds": "1.5"},
    {"ageSeconds": None},
    {"ageSeconds": float("nan")},
    {"models": None},
    {"models": []},
    {"models": [ROW, ROW]},
    {"models": [{**ROW, "model": "other"}]},
    {"models": [{**ROW, "model": None}]},
    {"models": [{**ROW, "basis": "GUESS"}]},
    {"models": [{**ROW, "resolved": -1}]},
    {"models": [{**ROW, "resolved": 1.5}]},
    {"models": [{**ROW, "posterior": None}]},
    {"models": [{**ROW, "posterior": {"alpha": 0, "beta": 1, "low": 0.5, "high": 0.6}}]},
    {"models": [{**ROW, "posterior": {"alpha": 1, "beta": 1, "low": 0.5, "high": 1.5}}]},
    {"models": [{**ROW, "costPerSession": 0.01}]},
    {"models": [{**ROW, "costPerSession": "-1"}]},
    {"models": [{**ROW, "costPerSession": "cheap"}]},
    {"models": [{**ROW, "costPerSession": "NaN"}]},
    {"models": [{**ROW, "costPerSessionInterval": {"low": "0.1"}}]},
    {"models": [{**ROW, "decisionGrade": "yes"}]},
    {"models": [{**ROW, "notDistinguishableByRoi": None}]},
    {"models": [{**ROW, "notDistinguishableByRoi": [1]}]},
    {"models": [{k: v for k, v in ROW.items() if k != "decisionGrade"}]},
]


@pytest.mark.parametrize("change", BROKEN, ids=repr)
def test_an_answer_of_another_form_is_none(change: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        read_answer({"routing": {**ROUTING, **change}}, ["small"])


@pytest.mark.parametrize("data", [None, 1, "x", [], {}, {"routing": None}, {"routing": []}], ids=repr)
def test_what_is_no_answer_at_all_is_none_either(data: object) -> None:
    with pytest.raises(MalformedError):
        read_answer(data, ["small"])
