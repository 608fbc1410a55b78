"""The field `outcomes` and the mutation `setScore`, over three pull requests and a run that is going on."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from semantic import Caller, Catalog, load_catalog
from server.outcome_rules import outcome_rules
from store import Outcome, Store
from tests.server.conftest import REPOSITORY, Api, at, call, load_into, session

PULLS = (
    session("won", "main", "human", "2026-03-01T10:00"),
    session("lost", "main", "cron", "2026-03-01T10:00"),
    session("open", "scout", "cron", "2026-03-08T10:00"),
    session("going", "scout", "cron", "2026-03-09T10:00", ended_at=None, termination=None),
    call("r1", "won", "big", "2026-03-01T10:01", "1.50"),
    call("r2", "lost", "big", "2026-03-01T10:01", "0.50"),
    Outcome(outcome_id="a", source="t", session_id="won", kind="PR_OPENED", occurred_at=at("2026-03-01T10:30")),
    Outcome(outcome_id="b", source="t", session_id="won", kind="PR_MERGED", occurred_at=at("2026-03-02T11:00")),
    Outcome(outcome_id="c", source="t", session_id="lost", kind="PR_OPENED", occurred_at=at("2026-03-01T10:30")),
    Outcome(outcome_id="d", source="t", session_id="lost", kind="PR_MERGED", occurred_at=at("2026-03-09T11:00")),
    Outcome(outcome_id="e", source="t", session_id="open", kind="PR_OPENED"),
)
COUNTS = "counts { success failure pending running none }"


@pytest.fixture(scope="module")
def pulls(catalog: Catalog) -> Iterator[Api]:
    with Store.open(None) as store:
        store.set_outcome_rules(outcome_rules(catalog))
        load_into(store, PULLS)
        yield Api(catalog, store)


def test_it_counts_sessions_by_what_came_of_their_task(pulls: Api) -> None:
    said = pulls.data(f"{{ outcomes {{ {COUNTS} pendingShare matureThrough asOf }} }}")["outcomes"]
    assert said["counts"] == {"success": 1, "failure": 1, "pending": 1, "running": 1, "none": 0}
    assert said["pendingShare"] == 0.333333333333
    assert (said["asOf"], said["matureThrough"]) == ("2026-03-10T12:00:00Z", "2026-03-03T12:00:00Z")


def test_an_earlier_instant_gives_what_was_known_then(pulls: Api) -> None:
    said = pulls.data(f'{{ outcomes(asOf: "2026-03-02T10:00:00Z") {{ {COUNTS} resolvedOnlyRate }} }}')["outcomes"]
    assert said["counts"] == {"success": 0, "failure": 0, "pending": 2, "running": 0, "none": 0}
    assert said["resolvedOnlyRate"] is None


def test_an_instant_to_come_is_refused_because_what_is_pending_would_count_as_failed(pulls: Api) -> None:
    [error] = pulls.ask(f'{{ outcomes(asOf: "2026-03-10T12:00:01Z") {{ {COUNTS} }} }}')["errors"]
    assert error["extensions"]["code"] == "BAD_TIME"
    assert error["message"] == "asOf is an instant that has passed; it is 2026-03-10T12:00:00Z now"


def test_kinds_say_what_came_late(pulls: Api) -> None:
    kinds = pulls.data("{ outcomes { kinds { kind outcomes sessions successes late undated } } }")["outcomes"]["kinds"]
    assert kinds == [
        {"kind": "PR_OPENED", "outcomes": 3, "sessions": 3, "successes": 0, "late": 0, "undated": 1},
        {"kind": "PR_MERGED", "outcomes": 2, "sessions": 2, "successes": 1, "late": 1, "undated": 0},
    ]


def test_a_filter_and_a_range_choose_the_sessions(pulls: Api) -> None:
    said = pulls.data(f'{{ outcomes(range: "2026-03-08", where: {{agent: {{eq: "scout"}}}}) {{ {COUNTS} }} }}')
    assert said["outcomes"]["counts"]["pending"] == 1
    assert said["outcomes"]["counts"]["running"] == 0


def test_over_no_sessions_every_rate_is_null_with_a_status(pulls: Api) -> None:
    said = pulls.data(
        '{ outcomes(range: "2020") { resolvedOnlyRate pendingShare matureThrough bounds { ifAllPendingFail }'
        " matureCohort { sessions rate costUsd roi status } kaplanMeier { successByWindowEnd windowDays stepCount } } }"
    )["outcomes"]
    assert (said["resolvedOnlyRate"], said["pendingShare"], said["bounds"], said["matureThrough"]) == (None,) * 4
    assert said["matureCohort"] == {
        "sessions": 0, "rate": None, "costUsd": None, "roi": None, "status": "NO_SESSIONS",
    }  # fmt: skip
    assert said["kaplanMeier"] == {"successByWindowEnd": None, "windowDays": None, "stepCount": 0}


@pytest.mark.parametrize("first", [-1, 1001])
def test_a_list_without_bounds_is_refused(pulls: Api, first: int) -> None:
    assert pulls.codes(f"{{ outcomes {{ sessions(first: {first}) {{ sessionId }} }} }}") == ["BAD_LIMIT"]
    assert pulls.codes(f"{{ outcomes {{ kaplanMeier {{ steps(first: {first}) {{ day }} }} }} }}") == ["BAD_LIMIT"]


def test_the_same_tasks_are_in_the_metrics(pulls: Api) -> None:
    assert pulls.rows("successfulTasks decidedTasks roi") == [{"successfulTasks": 1, "decidedTasks": 2, "roi": 0.5}]


def set_score(score: str, session_id: str = "won", scorer: str = "amadeus") -> str:
    arguments = f'sessionId: "{session_id}", score: {score}, scorer: "{scorer}"'
    return f"mutation {{ setScore({arguments}) {{ score isKnownSession }} }}"


def test_a_score_is_stored_and_read_back_beside_success(pulls: Api) -> None:
    assert pulls.data(set_score("0.25"))["setScore"] == {"score": "0.25", "isKnownSession": True}
    assert pulls.data(set_score('"0.75"', scorer="other"))["setScore"]["score"] == "0.75"
    (row,) = pulls.rows("meanScore scoredSessions roi")
    assert row == {"meanScore": 0.5, "scoredSessions": 1, "roi": 0.5}
    assert pulls.data(set_score("1", session_id="later"))["setScore"]["isKnownSession"] is False


@pytest.mark.parametrize("score", ["-0.1", "1.5", '"0.1234567890123"'])
def test_a_score_out_of_range_is_refused_and_nothing_is_stored(pulls: Api, score: str) -> None:
    version = pulls.store.data_version()
    assert pulls.codes(set_score(score)) == ["BAD_VALUE"]
    assert pulls.store.data_version() == version


def test_an_empty_scorer_is_refused(pulls: Api) -> None:
    assert pulls.codes(set_score("0.5", scorer="")) == ["BAD_VALUE"]


def test_a_caller_scores_only_sessions_that_he_sees(pulls: Api) -> None:
    text = (REPOSITORY / "metrics.yaml").read_text(encoding="utf-8")
    guarded = load_catalog(f"{text}\npolicies:\n  own: {{model: sessions, rows: 'agent = :caller.agent'}}\n")
    scout = Api(guarded, pulls.store, caller=Caller(frozenset({"router"}), claims={"agent": "scout"}))
    assert scout.data(set_score("0.5", session_id="open"))["setScore"] == {
        "score": "0.5",
        "isKnownSession": True,
    }
    assert scout.codes(set_score("0.5", session_id="won")) == ["NOT_ALLOWED"]
    counts = scout.data(f"{{ outcomes {{ {COUNTS} }} }}")["outcomes"]["counts"]
    assert counts == {"success": 0, "failure": 0, "pending": 1, "running": 1, "none": 0}


def test_scores_are_decimals(pulls: Api) -> None:
    rows = pulls.store.read("SELECT score FROM scores WHERE session_id = 'won' ORDER BY scorer").rows
    assert rows == [(Decimal("0.25"),), (Decimal("0.75"),)]
