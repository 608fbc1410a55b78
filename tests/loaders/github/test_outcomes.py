"""What became of pull requests and issues, for the sessions that they name."""

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from loaders.item import Ignored, Location, Parsed, Rejected
from loaders.job import run_load
from store import Outcome
from tests.loaders.github.conftest import Load
from tests.loaders.github.stub import NOW, GitHub, issue, merged, named, pull, said
from tests.stores import new_store

MERGED_AT = "2026-11-19T09:02:11Z"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def outcomes(items: Iterable[object]) -> list[Outcome]:
    return [record for item in items if isinstance(item, Parsed) for record in item.records if type(record) is Outcome]


def test_a_merged_pull_request_is_a_success_of_the_session_that_it_names(hub: GitHub, load: Load) -> None:
    hub.pulls = [merged(17, MERGED_AT, body=named("sess-7f3a"))]

    [item, _] = load()

    outcome = Outcome(
        outcome_id="{}:pr:900000017:1".format(hub.url.removeprefix("http://")),
        source="github",
        session_id="sess-7f3a",
        kind="PR_MERGED",
        is_success=True,
        occurred_at=datetime(2026, 11, 19, 9, 2, 11, tzinfo=UTC),
    )
    assert item == Parsed(Location("acme/shop#17"), (outcome,))


@pytest.mark.parametrize(
    ("state", "kind", "is_success", "occurred_at"),
    [
        ({}, "PR_OPENED", None, "2026-11-01T00:00:17Z"),
        ({"state": "closed", "closed_at": "2026-11-20T10:00:00Z"}, "PR_CLOSED", False, "2026-11-20T10:00:00Z"),
        ({"state": "closed", "merged_at": MERGED_AT}, "PR_MERGED", True, MERGED_AT),
    ],
)
def test_a_pull_request_is_judged_by_the_state_it_is_in(
    hub: GitHub, load: Load, state: dict[str, object], kind: str, is_success: bool | None, occurred_at: str
) -> None:
    hub.pulls = [pull(17, body=named("s1"), **state)]

    [outcome] = outcomes(load())

    assert (outcome.kind, outcome.is_success, outcome.occurred_at) == (kind, is_success, at(occurred_at))


@pytest.mark.parametrize(
    ("state", "kind", "is_success", "occurred_at"),
    [
        ({}, "ISSUE_OPENED", None, at("2026-11-02T00:00:05Z")),
        ({"state": "closed", "state_reason": "completed"}, "ISSUE_CLOSED", True, None),
        ({"state": "closed", "state_reason": "not_planned"}, "ISSUE_CLOSED", False, None),
        ({"state": "closed", "state_reason": "duplicate"}, "ISSUE_CLOSED", False, None),
        ({"state": "closed", "state_reason": None, "closed_at": MERGED_AT}, "ISSUE_CLOSED", None, at(MERGED_AT)),
        ({"state": "closed", "state_reason": "of_tomorrow"}, "ISSUE_CLOSED", None, None),
        ({"state": "open", "state_reason": "reopened"}, "ISSUE_REOPENED", None, None),
    ],
)
def test_an_issue_is_judged_by_why_it_was_closed(
    hub: GitHub, load: Load, state: dict[str, object], kind: str, is_success: bool | None, occurred_at: datetime | None
) -> None:
    hub.issues = [issue(5, body=named("s1"), **state)]

    [outcome] = outcomes(load())

    assert (outcome.kind, outcome.is_success, outcome.occurred_at) == (kind, is_success, occurred_at)
    assert outcome.outcome_id.endswith(":issue:700000005:1")


def test_every_session_that_the_text_or_the_branch_names_gets_an_outcome(hub: GitHub, load: Load) -> None:
    text = f"{named('s1, s2')}\n\nCo-Authored-By: A <a@example.com>\nAgent-Session-Id: s3\n"
    hub.pulls = [pull(1, body=text, head={"ref": "agent/s2"}), pull(2, head={"ref": "agent/home/s4"})]

    found = [(outcome.outcome_id[-1], outcome.session_id) for outcome in outcomes(load())]

    assert found == [("1", "home/s4"), ("1", "s1"), ("2", "s2"), ("3", "s3")]


def test_commits_are_asked_for_only_where_nothing_else_names_a_session(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1, body=named("s1")), pull(2), pull(3)]
    hub.commits = {2: ["First", "Second\n\nAgent-Session-Id: s2", "Third\n\nAgent-Session-Id: s2"]}

    items = load()

    assert [outcome.session_id for outcome in outcomes(items)] == ["s1", "s2"]
    assert items[1:3] == [
        Ignored(Location("acme/shop#3"), "names no agent session"),
        Parsed(Location("acme/shop#2"), (outcomes(items)[1],)),
    ]
    assert [path for path in hub.asked if "commits" in path] == [
        "/repos/acme/shop/pulls/3/commits?per_page=100",
        "/repos/acme/shop/pulls/2/commits?per_page=100",
    ]


def test_the_issues_of_github_hold_pull_requests_which_are_not_read_twice(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1, body=named("s1"))]
    hub.issues = [issue(1, body=named("s1"), pull_request={"merged_at": None}), issue(2)]

    items = load()

    assert len(outcomes(items)) == 1
    assert [item.rule for item in items if isinstance(item, Ignored)] == [
        "a pull request: it is read with the pull requests",
        "names no agent session",
    ]


def test_a_repository_without_issues_is_read(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1, body=named("s1"))]
    hub.script = [lambda _: None, said(410, "Issues are disabled for this repo")]

    [ignored, _, _] = load()

    assert ignored == Ignored(Location("acme/shop"), "issues are switched off in the repository")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": "x"}, "number must be a whole number like 200000, got 'x'"),
        ({"id": None}, "id must be a whole number like 200000, got empty"),
        ({"state": "ajar"}, "state must be one of open, closed, got 'ajar'"),
        ({"updated_at": None}, "updated_at must be an instant like 2026-02-28T09:30:00Z, got empty"),
        ({"merged_at": "2026-11-19 09:02"}, "merged_at has no zone"),
        ({"merged_at": "2027-11-19T09:02:11Z"}, "merged_at is in the future"),
        ({"body": 5}, "body must be text or null, got 5"),
        ({"head": "agent/s1"}, "head must be an object, got 'agent/s1'"),
        ({"head": {"ref": 1.5}}, "head.ref must be text, got 1.5"),
        ({"body": "<!-- agent-session: ${ID} -->"}, "its marker agent-session names '${ID}', which is no session id"),
        ({"body": "Agent-Session-Id:"}, "its marker Agent-Session-Id is empty; it must name a session"),
        ({"body": named(",".join(f"s{n}" for n in range(51)))}, "names 51 sessions; at most 50 are read"),
    ],
)
def test_an_entry_that_cannot_be_read_says_what_would_be_right(
    hub: GitHub, load: Load, changes: dict[str, object], reason: str
) -> None:
    hub.pulls = [pull(1, **changes), pull(2, body=named("s2"))]

    items = load()

    [rejected] = [item for item in items if isinstance(item, Rejected)]
    assert rejected.reason.startswith(reason)
    assert [outcome.session_id for outcome in outcomes(items)] == ["s2"]


def test_an_entry_that_is_no_object_is_rejected_in_its_place(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(2, body=named("s2")), None, "x", [[]]]

    items = load()

    assert [str(item.location) for item in items if isinstance(item, Rejected)] == [
        "acme/shop pull requests, page 1:2",
        "acme/shop pull requests, page 1:3",
        "acme/shop pull requests, page 1:4",
    ]
    assert items[1] == Rejected(
        Location("acme/shop pull requests, page 1", 3), "must be a JSON object like {'number': 17, ...}", '"x"'
    )


def test_commits_that_cannot_be_read_reject_their_pull_request_alone(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1), pull(2)]
    hub.commits = {1: ["x\n\nAgent-Session-Id: s1"], 2: ["x\n\nAgent-Session-Id: <none>"]}

    [bad, good, _] = load()

    assert isinstance(bad, Rejected)
    assert bad.reason.startswith("of its commits: its marker Agent-Session-Id names '<none>'")
    assert isinstance(good, Parsed)


def test_a_company_may_have_a_marker_of_its_own(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1, body="<!-- claw-run: s1 -->"), pull(2, body="Fix\n\nClaw-Run: s2")]

    assert [outcome.session_id for outcome in outcomes(load(marker="claw-run, other"))] == ["s2", "s1"]


def test_what_is_merged_later_replaces_what_was_open(hub: GitHub, load: Load) -> None:
    with new_store() as store:
        hub.pulls = [pull(1, body=named("wrong")), pull(2)]
        run_load(store, "github", "acme/shop", load(), now=NOW)
        hub.pulls = [merged(1, MERGED_AT, body=named("right")), pull(2)]
        report = run_load(store, "github", "acme/shop", load(), now=NOW)

        rows = store.read("SELECT session_id, kind, is_success FROM outcomes").rows
        assert rows == [("right", "PR_MERGED", True)]
        assert (report.read, report.stored, report.ignored, report.rejected) == (2, 1, 1, 0)


def test_loading_again_changes_nothing(hub: GitHub, load: Load) -> None:
    hub.pulls = [merged(1, MERGED_AT, body=named("s1")), pull(2, body=named("s2"))]
    with new_store() as store:
        first = run_load(store, "github", "acme/shop", load(), now=NOW)
        again = run_load(store, "github", "acme/shop", load(since="2026-01-01"), now=NOW)

        assert (first.stored, again.read, again.stored, again.unchanged) == (2, 2, 0, 2)
