"""GET over a real server on loopback: what is retried, what is refused, what is never sent anywhere else."""

import gzip
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack

import pytest

from loaders.item import LoadError
from loaders.web import Answer, Clock, ComeBackError, TryAgainError, Web, WebLimits, refuse_passing
from tests.loaders.github.stub import NOW, Reply, Time, served

SECRET = "a-secret-token"
Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that gives these replies, the last one from then on; `asked` gets the headers of every request."""
    with ExitStack() as running:

        def start(*replies: Reply, asked: list[Mapping[str, str]] | None = None) -> str:
            left = list(replies)

            def answer(_: str, headers: Mapping[str, str]) -> Reply:
                if asked is not None:
                    asked.append(headers)
                return left.pop(0) if len(left) > 1 else left[0]

            return running.enter_context(served(answer))

        yield start


def web(root: str, waiting: Time | None = None, **limits: float) -> Web:
    standing = waiting or Time()
    clock = Clock(now=standing.now, sleep=standing.sleep, chance=lambda: 1.0)
    return Web(root, SECRET, clock=clock, limits=WebLimits(**limits))  # type: ignore[arg-type] # whole numbers


def body(answer: Answer) -> bytes:
    refuse_passing(answer, NOW)
    return answer.body


def test_an_answer_is_what_the_server_said(serve: Serve) -> None:
    asked: list[Mapping[str, str]] = []
    root = serve(Reply(200, b"hello", {"X-Kind": "greeting"}), asked=asked)
    with web(root) as there:
        answer = there.get(f"{root}/a?b=c", lambda answer: answer, {"If-None-Match": '"1"'})

    assert (answer.status, answer.body, answer.headers["x-kind"]) == (200, b"hello", "greeting")
    assert (asked[0]["authorization"], asked[0]["if-none-match"]) == ("Bearer a-secret-token", '"1"')


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 524, 529])
def test_a_status_that_passes_is_tried_again_after_longer_and_longer_pauses(serve: Serve, status: int) -> None:
    waiting = Time()
    root = serve(*[Reply(status)] * 5, Reply(200, b"at last"))
    with web(root, waiting) as there:
        assert there.get(root, body) == b"at last"
    assert waiting.pauses == [1, 2, 4, 8, 16]


def test_the_pause_is_as_long_as_the_server_asks_for_and_not_shorter(serve: Serve) -> None:
    waiting = Time()
    root = serve(Reply(503, b"", {"Retry-After": "7"}), Reply(503, b"", {"Retry-After": "0"}), Reply(200, b"x"))
    with web(root, waiting) as there:
        there.get(root, body)
    assert waiting.pauses == [7, 2]


@pytest.mark.parametrize("said", ["soon", "-5", "1e9", "٣", "Fri, 99 Dec 1999", "", "9" * 400])
def test_a_pause_that_cannot_be_read_is_none(serve: Serve, said: str) -> None:
    waiting = Time()
    root = serve(Reply(503, b"", {"Retry-After": said.encode().decode("latin-1")}), Reply(200, b"x"))
    with web(root, waiting) as there:
        there.get(root, body)
    assert waiting.pauses == [1]


def test_too_long_a_pause_is_not_waited_for(serve: Serve) -> None:
    waiting = Time()
    root = serve(Reply(503, b"", {"Retry-After": "301"}))
    with (
        web(root, waiting) as there,
        pytest.raises(ComeBackError, match="answered 503; load again at 2026-11-22T12:05:02"),
    ):
        there.get(root, body)
    assert waiting.pauses == []


def test_a_server_that_never_answers_well_ends_the_load(serve: Serve) -> None:
    root = serve(Reply(500))
    with web(root, tries=3) as there, pytest.raises(ComeBackError, match=f"{root}: answered 500, 3 times; load again"):
        there.get(root, body)


def test_a_server_that_is_not_there_is_tried_again_and_named() -> None:
    waiting = Time()
    with web("http://127.0.0.1:9", waiting, tries=2) as there, pytest.raises(ComeBackError, match="ConnectError"):
        there.get("http://127.0.0.1:9/x", body)
    assert waiting.pauses == [1]


def test_what_the_reader_finds_useless_is_tried_again(serve: Serve) -> None:
    def even(answer: Answer) -> bytes:
        if answer.body != b"even":
            raise TryAgainError("is odd", 90.0, doubles=True)
        return answer.body

    waiting = Time()
    root = serve(Reply(200, b"odd"), Reply(200, b"odd"), Reply(200, b"even"))
    with web(root, waiting) as there:
        assert there.get(root, even) == b"even"
    assert waiting.pauses == [90, 180]


def test_a_connection_that_ends_early_is_tried_again(serve: Serve) -> None:
    root = serve(Reply(200, os.urandom(100_000), cut=True), Reply(200, b"whole"))
    with web(root) as there:
        assert there.get(root, body) == b"whole"


def test_a_server_that_stalls_is_left() -> None:
    def stalls(_: str, __: Mapping[str, str]) -> Reply:
        time.sleep(0.3)
        return Reply(200)

    with served(stalls) as root, web(root, read_s=0.05, tries=1) as there, pytest.raises(ComeBackError, match="ReadT"):
        there.get(root, body)


def test_an_answer_that_comes_in_drops_has_an_end(serve: Serve) -> None:
    root = serve(Reply(200, os.urandom(1_000_000)))
    standing = Time()
    ticks = iter(range(0, 10_000, 50))
    clock = Clock(standing.now, lambda: next(ticks), standing.sleep, lambda: 1.0)
    limits = WebLimits(answer_s=100, tries=1)
    with Web(root, clock=clock, limits=limits) as there, pytest.raises(ComeBackError, match="longer than 100 s"):
        there.get(root, body)


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip bomb"])
def test_an_answer_that_is_too_large_is_refused_while_it_is_read(serve: Serve, packed: bool) -> None:
    content = b"0" * 50_000_000 if packed else b"0" * 1_100_000
    reply = Reply(200, gzip.compress(content, 1), {"Content-Encoding": "gzip"}) if packed else Reply(404, content)
    root = serve(reply)
    with web(root, body_bytes=1_000_000) as there, pytest.raises(LoadError, match="the answer is over 1,000,000 bytes"):
        there.get(root, body)


@pytest.mark.parametrize(
    ("headers", "content", "reason"),
    [
        ({"Content-Encoding": "br"}, b"x", "packed as 'br', which was not asked for"),
        ({"Content-Encoding": "gzip, gzip"}, b"x", "packed as 'gzip, gzip'"),
        ({"Content-Encoding": "gzip"}, b"no gzip at all", "that is not gzip"),
        ({"Content-Encoding": "gzip"}, b"\x1f", "ends too early"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x", mtime=0) * 2, "more than the packed content"),
        ({"Content-Encoding": "gzip"}, gzip.compress(b"x" * 1000, mtime=0)[:-9], "ends too early"),
    ],
)
def test_content_that_is_not_packed_as_it_says_is_of_no_use(
    serve: Serve, headers: dict[str, str], content: bytes, reason: str
) -> None:
    root = serve(Reply(200, content, headers))
    with web(root, tries=1) as there, pytest.raises(ComeBackError, match=reason):
        there.get(root, body)


def test_a_redirect_on_the_same_host_is_followed(serve: Serve) -> None:
    root = serve(Reply(301, b"", {"Location": "/there"}), Reply(307, b"", {"Location": "on"}), Reply(200, b"here"))
    with web(root) as there:
        assert there.get(f"{root}/a/b", lambda answer: answer).url == f"{root}/on"


def test_redirects_without_end_are_refused(serve: Serve) -> None:
    root = serve(Reply(302, b"", {"Location": "/again"}))
    with web(root) as there, pytest.raises(LoadError, match="is redirected more than 3 times"):
        there.get(root, body)


def test_no_redirect_takes_the_token_to_another_place(serve: Serve) -> None:
    asked: list[Mapping[str, str]] = []
    other = serve(Reply(200), asked=asked)
    root = serve(Reply(302, b"", {"Location": f"{other}/x"}))
    with web(root) as there:
        with pytest.raises(LoadError, match=f"{root} leads to {other}, which is another place; the token is not sent"):
            there.get(root, body)
        for url in [f"{other}/x", "https://127.0.0.1/", root.replace("//", "//name:word@"), "gopher://x", "/relative"]:
            with pytest.raises(LoadError) as caught:
                there.get(url, body)
            assert "word" not in str(caught.value)
    assert asked == []


@pytest.mark.parametrize(
    "root",
    [
        "http://api.example.com",
        "http://127.0.0.1.example.com",
        "ftp://127.0.0.1",
        "api.example.com",
        "",
        "https://",
        "http://[",
    ],
)
def test_a_root_must_be_https_or_this_very_machine(root: str) -> None:
    with pytest.raises(LoadError):
        Web(root)


@pytest.mark.parametrize(
    "root", ["http://127.0.0.1:80", "http://localhost:1/api/v3", "http://[::1]:1", "https://a.example"]
)
def test_this_machine_and_https_are_roots(root: str) -> None:
    with Web(root) as there:
        assert there.root == root


@pytest.mark.parametrize("secret", ["", "two words", "ünï", "a\r\nX-Evil: 1", "tab\t"])
def test_a_token_that_cannot_be_sent_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(LoadError) as caught:
        Web("https://api.example.com", secret)
    assert not secret or secret not in str(caught.value)


def test_the_secret_is_blackened_wherever_the_server_repeats_it(serve: Serve) -> None:
    root = serve(Reply(200, f"you sent {SECRET}".encode(), {"X-Echo": SECRET}))
    with web(root) as there:
        answer = there.get(root, lambda answer: answer)
        assert SECRET not in repr(there)
    assert (answer.body, answer.headers["x-echo"]) == (b"you sent ***", "***")


def test_a_word_that_is_too_short_for_a_token_changes_no_answer(serve: Serve) -> None:
    root = serve(Reply(200, b"state: open"))
    with Web(root, "t") as there:
        assert there.get(root, body) == b"state: open"
