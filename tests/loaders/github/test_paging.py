"""The lists are read page by page, from the newest change to the last one that is known."""

import json
from itertools import pairwise

import pytest

from loaders.github import pulls as pulls_module
from loaders.item import Ignored, Item, LoadError, Note, Parsed, Reached
from tests.loaders.github.conftest import Load
from tests.loaders.github.stub import GitHub, Reply, issue, merged, named, pull, said
from tests.loaders.github.test_outcomes import outcomes

LIST = "/repos/acme/shop/pulls?state=all&sort=updated&direction=desc&per_page=100"


def updated(number: int, minute: int, **changes: object) -> dict[str, object]:
    return pull(
        number, body=named(f"s{number}"), updated_at=f"2026-11-20T{minute // 60:02}:{minute % 60:02}:00Z", **changes
    )


def rules(items: list[Item | Note]) -> list[str]:
    return [item.rule for item in items if isinstance(item, Ignored)]


def cursor_of(items: list[Item | Note]) -> dict[str, object]:
    assert isinstance(items[-1], Reached)
    said: dict[str, object] = json.loads(items[-1].cursor)
    return said


def test_pages_are_followed_to_the_end_as_github_names_them(hub: GitHub, load: Load) -> None:
    hub.most_per_page = 3
    hub.pulls = [updated(number, number) for number in range(1, 9)]
    hub.issues = [issue(number, body=named(f"i{number}")) for number in range(1, 5)]

    found = [outcome.session_id for outcome in outcomes(load())]

    assert found == ["i4", "i3", "i2", "i1", "s8", "s7", "s6", "s5", "s4", "s3", "s2", "s1"]
    assert [path.partition("?")[0] for path in hub.asked] == [
        "/repos/acme/shop/pulls",
        "/repositories/1/pulls",
        "/repositories/1/pulls",
        "/repos/acme/shop/issues",
        "/repositories/1/issues",
    ]


def test_where_nothing_has_changed_two_requests_say_so(hub: GitHub, load: Load) -> None:
    hub.pulls, hub.issues = [updated(1, 0)], [issue(1)]
    load()  # the first reads all
    load()  # the address of the issues has a beginning from now on
    before = len(hub.asked)

    items = load()

    assert [type(item) for item in items] == [Reached]
    assert [path.partition("?")[0] for path in hub.asked[before:]] == [
        "/repos/acme/shop/pulls",
        "/repos/acme/shop/issues",
    ]


def test_a_load_that_finds_nothing_new_reaches_the_same_place(hub: GitHub, load: Load) -> None:
    hub.pulls, hub.issues = [updated(1, 0)], [issue(1)]
    load()

    second, third = load(), load()

    assert second[-1] == third[-1]


def test_the_list_is_read_back_to_ten_minutes_before_the_last_change_that_is_known(hub: GitHub, load: Load) -> None:
    hub.most_per_page = 2
    hub.pulls = [updated(number, number) for number in range(60)]
    load()
    hub.pulls.append(updated(99, 61))
    hub.asked.clear()

    items = load()

    assert [outcome.session_id for outcome in outcomes(items)] == ["s99", *(f"s{n}" for n in range(59, 48, -1))]
    assert rules(items) == ["not changed since the last load"] * 2
    assert len([path for path in hub.asked if "/pulls" in path]) == 7


def test_issues_are_asked_for_since_ten_minutes_before_the_last_change(hub: GitHub, load: Load) -> None:
    hub.issues = [issue(1, updated_at="2026-11-20T12:00:00Z")]
    load()
    load()

    assert hub.asked[-1] == (
        "/repos/acme/shop/issues?state=all&sort=updated&direction=desc&per_page=100&since=2026-11-20T11%3A50%3A00Z"
    )


def test_an_entry_that_moves_to_the_front_while_pages_are_read_counts_once_as_it_is_now(
    hub: GitHub, load: Load
) -> None:
    hub.most_per_page = 2
    hub.pulls = [updated(number, number) for number in range(1, 5)]

    def changes(_: str) -> Reply | None:
        hub.pulls[0] = merged(1, "2026-11-21T00:00:00Z", body=named("s1"))
        return None

    hub.script = [lambda _: None, changes]
    items = load()

    assert [outcome.session_id for outcome in outcomes(items)] == ["s4", "s3", "s2"]
    assert rules(items) == ["the same entry again: it moved to the front while the pages were read"]
    items = load()
    assert next((outcome.session_id, outcome.kind) for outcome in outcomes(items)) == ("s1", "PR_MERGED")


def test_a_first_load_may_begin_at_a_day(hub: GitHub, load: Load) -> None:
    hub.most_per_page = 1
    hub.pulls = [updated(1, 0), pull(2, updated_at="2026-11-19T00:00:00Z"), pull(3, updated_at="2026-11-18T00:00:00Z")]

    items = load(since="2026-11-20")

    assert [outcome.session_id for outcome in outcomes(items)] == ["s1"]
    assert rules(items) == ["not changed since the last load"]
    assert hub.asked[-1].endswith("since=2026-11-20T00%3A00%3A00Z")


def test_a_clock_of_the_server_that_is_ahead_hides_nothing(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1, body=named("s1"), updated_at="2026-11-23T11:00:00Z")]

    assert cursor_of(load())["pulls"]["updated_at"] == "2026-11-22T12:00:00+00:00"  # type: ignore[index] # as written


def test_other_options_read_everything_anew(hub: GitHub, load: Load) -> None:
    hub.pulls = [updated(1, 0)]
    load()

    assert len(outcomes(load(marker="claw-run"))) == 1


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"version": 1}', '{"version": 1, "settings": null}', "[" * 100_000])
def test_a_cursor_that_is_none_reads_everything_anew(cursor: str) -> None:
    from loaders.github.cursor import Cursor

    assert Cursor.parse(cursor, "here") == Cursor("here")


def test_the_commits_of_so_many_are_read_by_one_load_and_the_others_by_the_next(
    hub: GitHub, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls_module, "MOST_LOOKED_AT", 2)
    hub.pulls = [pull(number) for number in range(1, 6)]
    hub.commits = {number: [f"x\n\nAgent-Session-Id: s{number}"] for number in range(1, 6)}

    loads = [load() for _ in range(4)]

    assert [[outcome.session_id for outcome in outcomes(items)] for items in loads] == [
        ["s5", "s4"],
        ["s3", "s2"],
        ["s1"],
        [],
    ]
    assert rules(loads[0]) == [pulls_module.LATER] * 3
    assert [cursor_of(items)["waiting"] for items in loads] == [[3, 2, 1], [1], [], []]


def test_a_used_up_rate_limit_leaves_the_commits_to_the_next_load(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(1), pull(2), updated(3, 0)]
    hub.commits = {number: [f"x\n\nAgent-Session-Id: s{number}"] for number in (1, 2)}
    limited = said(403, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset="1900000000")
    hub.script = [*[lambda _: None] * 3, *[limited] * 10]

    first = load()
    assert len(hub.script) == 9, "GitHub is not asked again"
    hub.script.clear()
    second = load()

    assert [outcome.session_id for outcome in outcomes(first)] == ["s3", "s2"]
    assert rules(first) == [pulls_module.LATER]
    assert [outcome.session_id for outcome in outcomes(second)] == ["s1"]


def test_a_pull_request_that_is_gone_when_its_turn_comes_is_ignored(
    hub: GitHub, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls_module, "MOST_LOOKED_AT", 1)
    hub.pulls = [pull(1), pull(2), updated(3, 0)]
    load()
    del hub.pulls[0]

    assert "the pull request is gone" in rules(load())


def test_at_most_three_pages_of_commits_are_read(hub: GitHub, load: Load) -> None:
    hub.most_per_page = 1
    hub.pulls = [pull(1)]
    hub.commits = {1: ["a", "b", "c", "d\n\nAgent-Session-Id: s1"]}

    assert rules(load()) == ["names no agent session"]
    assert len([path for path in hub.asked if "commits" in path]) == 3


@pytest.mark.parametrize(
    "to", ["http://127.0.0.2:9/x", "https://evil.example/x", "//evil.example/x", "http://[", "ftp://x"]
)
def test_a_link_to_another_place_ends_the_load(hub: GitHub, load: Load, to: str) -> None:
    hub.script = [Reply(200, b"[]", {"Link": f'<{to}>; rel="next"'})]

    with pytest.raises(LoadError):
        load()
    assert len(hub.asked) == 1


def test_a_list_that_leads_in_a_circle_ends_the_load(hub: GitHub, load: Load) -> None:
    hub.script = [Reply(200, b"[]", {"Link": f'<{hub.url}{LIST}>; rel="next"'})]

    with pytest.raises(LoadError, match="the list of pull requests does not end after 1 pages"):
        load()


def test_a_repository_that_was_renamed_is_followed_on_the_same_host(hub: GitHub, load: Load) -> None:
    hub.pulls = [updated(1, 0)]
    hub.script = [Reply(301, b"{}", {"Location": "/repositories/1/pulls?" + LIST.partition("?")[2]})]

    assert len(outcomes(load())) == 1


def test_every_entry_that_was_read_has_one_item(hub: GitHub, load: Load) -> None:
    hub.most_per_page = 7
    hub.pulls = [updated(1, 0), pull(2), None, pull(4, number="x"), *(updated(n, n) for n in range(10, 20))]
    hub.issues = [issue(1), issue(2, pull_request={}), "x"]

    items = load()

    assert len(items) - 1 == len(hub.pulls) + len(hub.issues)
    assert len([item for item in items if isinstance(item, Parsed)]) == 11


def test_changes_in_any_portions_give_the_same_outcomes_as_one_load(hub: GitHub, load: Load) -> None:
    whole = [merged(n, f"2026-11-{n:02}T00:00:00Z", body=named(f"s{n}")) for n in range(1, 16)]
    whole.append(merged(16, "2026-11-16T00:00:00Z", body="Reverts #3"))
    hub.most_per_page = 4
    found: dict[str, object] = {}
    for start, end in pairwise([0, 1, 6, 15, 16]):
        hub.pulls = whole[:end]
        found |= {outcome.outcome_id: outcome for outcome in outcomes(load())}
        assert start < end

    at_once = outcomes(load(since="2026-01-01"))
    assert found == {outcome.outcome_id: outcome for outcome in at_once}
