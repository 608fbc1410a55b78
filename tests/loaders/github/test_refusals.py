"""Where GitHub refuses, the load ends right or says what to do; nothing is stored then and the cursor stays."""

import json
import logging
import traceback
from datetime import timedelta

import pytest

from loaders import github
from loaders.item import LoadError, Rejected
from loaders.job import run_load
from loaders.loader import Task
from loaders.web import Clock
from tests.loaders.github.conftest import Load
from tests.loaders.github.stub import NOW, TOKEN, GitHub, Reply, Time, issue, merged, named, pull, said
from tests.loaders.github.test_outcomes import outcomes
from tests.stores import new_store

HTML = Reply(200, b"<html><body>We are having a problem</body></html>", {"Content-Type": "text/html"})
ENTRY = [merged(1, "2026-11-19T09:02:11Z", body=named("s1"))]


@pytest.fixture(autouse=True)
def one_pull_request(hub: GitHub) -> None:
    hub.pulls = list(ENTRY)


def test_a_secondary_limit_is_waited_for_as_long_as_github_asks(hub: GitHub, load: Load, time: Time) -> None:
    words = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    hub.script = [said(403, words, Retry_After="42")]

    assert len(outcomes(load())) == 1
    assert time.pauses == [42]


def test_a_pause_may_be_asked_for_by_a_date_of_the_servers_own_clock(hub: GitHub, load: Load, time: Time) -> None:
    dates = {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT", "Date": "Fri, 31 Dec 1999 23:59:29 GMT"}
    hub.script = [Reply(429, b"", dates)]

    assert len(outcomes(load())) == 1
    assert time.pauses == [30]


def test_a_limit_that_is_soon_set_back_is_waited_for(hub: GitHub, load: Load, time: Time) -> None:
    reset = str(int((NOW + timedelta(seconds=90)).timestamp()))
    words = "API rate limit exceeded for user ID 1."
    hub.script = [said(403, words, X_RateLimit_Remaining="0", X_RateLimit_Reset=reset)]

    assert len(outcomes(load())) == 1
    assert time.pauses == [91]


@pytest.mark.parametrize("status", [403, 429])
def test_a_secondary_limit_without_a_time_is_waited_for_a_minute_and_then_twice_as_long(
    hub: GitHub, load: Load, time: Time, status: int
) -> None:
    hub.script = [said(status, "You have exceeded a secondary rate limit.")] * 2

    assert len(outcomes(load())) == 1
    assert time.pauses == [60, 120]


def test_a_longer_wait_ends_the_load_and_says_when_to_come_back(hub: GitHub, load: Load, time: Time) -> None:
    hub.script = [said(403, "API rate limit exceeded", Retry_After="3000")]

    with pytest.raises(LoadError, match=r"GitHub asks for a pause .*; load again at 2026-11-22T12:50:01Z or later"):
        load()
    assert time.pauses == []


def test_a_limit_without_a_token_says_what_a_token_gives(hub: GitHub, load: Load) -> None:
    hub.token = None
    hub.script = [said(403, "API rate limit exceeded", X_RateLimit_Remaining="0", X_RateLimit_Reset="99999999999")]

    with pytest.raises(LoadError, match="with a token it is 5,000 requests an hour instead of 60; load again at 2027-"):
        load(token=None)


def test_waits_are_not_added_up_without_end(hub: GitHub, load: Load, time: Time) -> None:
    hub.script = [said(429, "slow down", Retry_After="299")] * 6

    with pytest.raises(LoadError, match="load again at"):
        load()
    assert time.pauses == [299, 299, 299]


@pytest.mark.parametrize(
    ("reply", "said_so"),
    [
        (said(401, "Bad credentials"), "the token is not accepted .401: 'Bad credentials'.: it is wrong, has expired"),
        (
            said(403, "Resource not accessible", X_Accepted_GitHub_Permissions="pull_requests=read"),
            "the token may not read pull requests .403: 'Resource not accessible'.; it needs pull_requests=read",
        ),
        (said(403, "Must have admin rights"), "it needs read access to pull requests"),
        (said(403, "Resource protected by SAML", X_GitHub_SSO="required; url=https://x"), "asks for single sign-on"),
        (said(404, "Not Found"), "there is no such repository, or the token may not see it .404."),
        (said(422, "Validation Failed"), "the pull requests cannot be read .422: 'Validation Failed'."),
        (said(451, "Repository access blocked"), "the pull requests cannot be read .451"),
        (Reply(304), "GitHub says that pull requests have not changed, and was not asked that"),
        (Reply(204), "the pull requests cannot be read .204."),
    ],
)  # fmt: skip
def test_a_refusal_says_what_to_do_and_is_not_tried_again(hub: GitHub, load: Load, reply: Reply, said_so: str) -> None:
    hub.script = [reply]

    with pytest.raises(LoadError, match=said_so):
        load()
    assert len(hub.asked) == 1


def test_a_token_that_expires_between_two_pages_stores_nothing_and_the_cursor_stays(hub: GitHub, clock: Clock) -> None:
    hub.most_per_page = 1
    hub.pulls = [*ENTRY, pull(2, body=named("s2"))]
    hub.script = [lambda _: None, said(401, "Bad credentials")]
    task = Task("acme/shop", NOW, {"url": hub.url}, None, TOKEN)
    with new_store() as store:
        with pytest.raises(LoadError, match="Make a new one"):
            run_load(store, "github", "acme/shop", github.read(task, clock), now=NOW)
        assert store.read("SELECT count(*) FROM outcomes").rows == [(0,)]
        assert store.last_cursor("github", "acme/shop") is None

        run_load(store, "github", "acme/shop", github.read(task, clock), now=NOW)
        assert store.read("SELECT count(*) FROM outcomes").rows == [(2,)]


def test_without_a_token_a_private_repository_says_that_it_needs_one(hub: GitHub, load: Load) -> None:
    hub.script = [said(404, "Not Found"), said(401, "Requires authentication")]

    with pytest.raises(LoadError, match="or it is private and needs a token"):
        load(token=None)
    with pytest.raises(LoadError, match=r"a token is needed .401: 'Requires authentication'."):
        load(token=None)


@pytest.mark.parametrize(
    "page",
    [
        HTML,
        Reply(200, b'[{"number": 1,'),
        Reply(200, b'[{"number": 1}]' * 3, cut=True),
        Reply(200, b'{"message": "no list"}'),
        Reply(200, b"[NaN]"),
        Reply(200, b"\xff\xfe[]"),
        Reply(200, b"[" * 200_000),
        Reply(200, b"[" + b"9" * 10_000 + b"]"),
        Reply(200, b"[" + b"{}," * 1_000 + b"{}]"),
        Reply(200, b"not gzip", {"Content-Encoding": "gzip"}),
        Reply(200, b"[]", {"Content-Encoding": "br"}),
        Reply(502, b"Bad gateway"),
    ],
    ids=["html", "truncated", "cut", "object", "nan", "utf-16", "deep", "digits", "many", "gzip", "br", "502"],
)
def test_a_malformed_page_is_asked_for_again(hub: GitHub, load: Load, time: Time, page: Reply) -> None:
    hub.script = [page]

    assert len(outcomes(load())) == 1
    assert time.pauses == [1]


def test_a_page_that_stays_malformed_ends_the_load(hub: GitHub, load: Load, time: Time) -> None:
    hub.script = [HTML] * 6

    with pytest.raises(
        LoadError, match=r"/pulls\?.*: the answer is not JSON, it begins '<html><body>We.*, 6 times; load again later"
    ):
        load()
    assert time.pauses == [1, 2, 4, 8, 16]


def test_commits_that_are_refused_reject_their_pull_request_alone(hub: GitHub, load: Load) -> None:
    hub.pulls = [*ENTRY, pull(2)]
    hub.script = [lambda _: None, lambda _: None, said(422, "Too large")]

    items = load()

    assert len(outcomes(items)) == 1
    assert "of its commits: acme/shop: the commits cannot be read (422: 'Too large')" in str(items[1])


@pytest.mark.parametrize(
    ("location", "options", "reason"),
    [
        ("acme", {}, "a repository is given as owner/repository, such as acme/shop; got 'acme'"),
        ("acme/..", {}, "a repository is given as"),
        ("acme/shop/pulls", {}, "a repository is given as"),
        ("acme/shop?x", {}, "a repository is given as"),
        ("acme/shop\n", {}, "a repository is given as"),
        ("acme/shop", {"url": "http://github.example.com"}, "url must begin with https://"),
        ("acme/shop", {"url": "https://me:secret@github.example.com"}, "url must not hold a name or a password"),
        ("acme/shop", {"url": "https://github.example.com?x=1"}, "url must be the root of an API"),
        ("acme/shop", {"url": "file:///etc/passwd"}, "url must be the root of an API"),
        ("acme/shop", {"since": "yesterday"}, "since must be an instant like"),
        ("acme/shop", {"marker": "a b(c"}, "a marker is a word like Agent-Session-Id"),
    ],
)
def test_what_cannot_be_right_is_said_before_anything_is_asked(
    location: str, options: dict[str, str], reason: str
) -> None:
    with pytest.raises(LoadError) as caught:
        github.read(Task(location, NOW, options, None, TOKEN))
    assert str(caught.value).startswith(reason)
    assert "secret" not in str(caught.value)


def test_the_token_is_in_no_error_no_item_and_no_log(hub: GitHub, load: Load, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    hub.pulls = [pull(1, number=TOKEN)]
    assert TOKEN not in str(load())
    cut, moved = Reply(200, b"[]" * 50, cut=True), Reply(301, b"", {"Location": f"https://{TOKEN}.example"})
    for reply in [said(401, f"Bad {TOKEN}"), said(403, TOKEN), Reply(200, f"<{TOKEN}".encode()), cut, moved]:
        hub.script = [reply] * 6
        with pytest.raises(LoadError) as caught:
            load()
        assert TOKEN not in "".join(traceback.format_exception(caught.value))
        chain: BaseException | None = caught.value
        while chain is not None:
            assert TOKEN not in repr(vars(chain))
            chain = chain.__context__
        # The client logs the headers that it gets, and this one's holds the token.
        assert reply is moved or TOKEN not in caplog.text
    assert TOKEN not in repr(Task("acme/shop", NOW, token=TOKEN))


def test_an_issue_whose_marker_names_nothing_is_rejected(hub: GitHub, load: Load) -> None:
    hub.issues = [issue(5, body="<!-- agent-session: -->")]

    assert [str(item.location) for item in load() if isinstance(item, Rejected)] == ["acme/shop#5"]


def test_a_used_up_limit_without_a_time_is_waited_for_a_minute(hub: GitHub, load: Load, time: Time) -> None:
    hub.script = [said(403, "No more", X_RateLimit_Remaining="0", X_RateLimit_Reset="soon")]

    load()

    assert time.pauses == [60]


def test_a_page_of_millions_of_values_is_not_even_read_as_json(hub: GitHub, load: Load) -> None:
    hub.script = [Reply(200, b"[" + b"0," * 5_000_001 + b"0]")] * 6

    with pytest.raises(LoadError, match="the answer has over 5,000,000 values, 6 times"):
        load()


def test_an_entry_of_a_hundred_levels_is_shown_and_one_of_hundreds_is_not_a_page(hub: GitHub, load: Load) -> None:
    hub.script = [Reply(200, b"[[" + b"[" * 100 + b"]" * 100 + b"]]")]

    [rejected] = [item for item in load() if isinstance(item, Rejected)]
    assert rejected.raw == "[" * 101 + "]" * 101


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply(200, b"[]"), "must be a JSON object like {'number': 17, ...}"),
        (Reply(200, b'{"number": 17}'), "state must be one of open, closed, got empty"),
        (Reply(200, json.dumps(pull(18)).encode()), "number must be 17, got 18"),
        (said(422, "No"), "acme/shop: the pull requests cannot be read (422: 'No')"),
        (Reply(200, b"null"), "the pull request is gone"),
    ],
)
def test_a_pull_request_that_was_taken_back_and_cannot_be_read_is_no_end_of_the_load(
    hub: GitHub, load: Load, reply: Reply, reason: str
) -> None:
    hub.pulls = [merged(17, "2026-11-10T00:00:00Z", body=named("s1")), pull(19, updated_at="2026-11-11T00:00:00Z")]
    load()
    hub.pulls.append(merged(20, "2026-11-12T00:00:00Z", body="Reverts #17\n" + named("s2")))
    hub.pulls.append(merged(21, "2026-11-12T00:00:00Z", body="Reverts #20\n" + named("s3")))
    load()
    hub.pulls[3]["body"], hub.pulls[3]["updated_at"] = named("s3"), "2026-11-14T00:00:00Z"
    hub.script = [lambda _: None, lambda _: None, reply]

    items = load()

    said_so = [item.reason if isinstance(item, Rejected) else getattr(item, "rule", "") for item in items]
    assert reason in said_so


def test_commits_that_are_no_commits_reject_their_pull_request(hub: GitHub, load: Load) -> None:
    hub.pulls = [pull(2, head=None, base=None)]
    hub.script = [lambda _: None, lambda _: None, Reply(200, b'["x"]')]

    [rejected, _] = load()

    assert isinstance(rejected, Rejected)
    assert rejected.reason == "of its commits: must be a commit like {'commit': {'message': ...}}"
