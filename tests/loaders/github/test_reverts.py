"""A success is void once a later pull request takes it back."""

from collections.abc import Iterable

import pytest

from loaders.item import Ignored, Parsed
from tests.loaders.github.conftest import Load
from tests.loaders.github.stub import GitHub, merged, named, pull
from tests.loaders.github.test_outcomes import at, outcomes

FIRST, SECOND, THIRD = "2026-11-10T00:00:00Z", "2026-11-11T00:00:00Z", "2026-11-12T00:00:00Z"
WORK = merged(17, FIRST, body=named("s1"))
REVERT = merged(20, SECOND, body="Reverts acme/shop#17")
RESTORED = merged(25, THIRD, body="Reverts acme/shop#20")


def verdicts(items: Iterable[object]) -> list[tuple[str, str, bool | None]]:
    return [(outcome.session_id, outcome.kind, outcome.is_success) for outcome in outcomes(items)]


@pytest.mark.parametrize(
    "changes",
    [
        {"body": "Reverts acme/shop#17"},
        {"body": "It broke the cart.\r\n\r\nreverts Acme/Shop#17 and more"},
        {"body": "Reverts #17"},
        {"body": None, "head": {"ref": "revert-17-agent/s1"}},
    ],
)
def test_a_merged_revert_makes_the_success_a_failure_since_then(
    hub: GitHub, load: Load, changes: dict[str, object]
) -> None:
    hub.pulls = [WORK, merged(20, SECOND, **changes)]

    [outcome] = outcomes(load())

    assert (outcome.kind, outcome.is_success, outcome.occurred_at) == ("PR_REVERTED", False, at(SECOND))
    assert outcome.undone_success_at == at(FIRST)


@pytest.mark.parametrize(
    "other",
    [
        pull(20, body="Reverts acme/shop#17"),
        pull(20, body="Reverts acme/shop#17", state="closed"),
        merged(20, SECOND, body="Reverts acme/cart#17"),
        merged(20, SECOND, body="This reverts nothing, see #17. Not: Reverts acme/shop#17"),
        merged(20, SECOND, body="Reverts acme/shop#170"),
        merged(20, SECOND, body="Reverts acme/shop#17", base={"ref": "release-1"}),
        merged(12, SECOND, body="Reverts acme/shop#17"),
        merged(20, SECOND, body="Reverts acme/shop#99"),
    ],
    ids=[
        "open", "not merged", "of another repository", "in a sentence", "another number", "of another branch", "older",
        "of nothing",
    ],
)  # fmt: skip
def test_what_only_looks_like_a_revert_takes_nothing_back(hub: GitHub, load: Load, other: dict[str, object]) -> None:
    hub.pulls = [WORK, other]

    assert verdicts(load()) == [("s1", "PR_MERGED", True)]


def test_a_revert_that_comes_later_is_seen_though_the_pull_request_itself_has_not_changed(
    hub: GitHub, load: Load
) -> None:
    hub.pulls = [WORK, pull(19, updated_at="2026-11-10T12:00:00Z")]
    load()
    hub.pulls.append(REVERT)

    items = load()

    assert verdicts(items) == [("s1", "PR_REVERTED", False)]
    assert "/repos/acme/shop/pulls/17" in hub.asked


def test_a_pull_request_that_is_only_named_by_its_commits_is_taken_back_too(hub: GitHub, load: Load) -> None:
    hub.pulls = [merged(17, FIRST), pull(19, updated_at="2026-11-10T12:00:00Z")]
    hub.commits = {17: ["x\n\nAgent-Session-Id: s1"]}
    load()
    hub.pulls.append(REVERT)

    assert verdicts(load()) == [("s1", "PR_REVERTED", False)]


def test_a_reverted_pull_request_that_changes_again_stays_reverted(hub: GitHub, load: Load) -> None:
    hub.pulls = [WORK, REVERT]
    load()
    hub.pulls = [WORK | {"updated_at": "2026-11-20T00:00:00Z"}, REVERT]

    assert verdicts(load()) == [("s1", "PR_REVERTED", False)]


def test_a_revert_of_the_revert_restores_the_success(hub: GitHub, load: Load) -> None:
    hub.pulls = [WORK, REVERT]
    load()
    hub.pulls = [WORK, REVERT, RESTORED]
    hub.asked.clear()

    assert verdicts(load()) == [("s1", "PR_MERGED", True)]
    assert "/repos/acme/shop/pulls/17" in hub.asked


def test_a_chain_of_reverts_read_at_once_says_what_holds_at_its_end(hub: GitHub, load: Load) -> None:
    hub.pulls = [WORK, REVERT, RESTORED, merged(30, "2026-11-13T00:00:00Z", head={"ref": "revert-25-x"})]

    [outcome] = outcomes(load())

    assert (outcome.kind, outcome.occurred_at) == ("PR_REVERTED", at(SECOND))


def test_a_revert_that_no_longer_says_so_takes_nothing_back(hub: GitHub, load: Load) -> None:
    hub.pulls = [WORK, REVERT]
    load()
    hub.pulls = [WORK, REVERT | {"body": "Tidy up", "updated_at": "2026-11-20T00:00:00Z"}]

    assert verdicts(load()) == [("s1", "PR_MERGED", True)]


def test_the_work_of_an_agent_that_reverts_is_a_success_of_its_own(hub: GitHub, load: Load) -> None:
    hub.pulls = [WORK, REVERT | {"body": f"Reverts acme/shop#17\n{named('s2')}"}]

    assert verdicts(load()) == [("s2", "PR_MERGED", True), ("s1", "PR_REVERTED", False)]


def test_one_pull_request_may_take_back_several(hub: GitHub, load: Load) -> None:
    hub.pulls = [WORK, merged(18, FIRST, body=named("s2")), merged(20, SECOND, body="Reverts #17\nReverts #18")]

    assert sorted(verdicts(load())) == [("s1", "PR_REVERTED", False), ("s2", "PR_REVERTED", False)]


def test_a_reverted_pull_request_without_a_session_is_ignored(hub: GitHub, load: Load) -> None:
    hub.pulls = [merged(17, FIRST), REVERT]

    items = load()

    assert [type(item) for item in items[:-1]] == [Ignored, Ignored]
    assert not [item for item in items if isinstance(item, Parsed)]
