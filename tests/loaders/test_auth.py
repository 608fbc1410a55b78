"""How a secret is sent, that a question is only asked of its origin, and that no answer can show what was sent."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from loaders.auth import Basic, Bearer, InHeader, Scheme
from loaders.item import LoadError
from loaders.web import Answer, Clock, ComeBackError, Web, WebLimits, refuse_passing
from loaders.web_json import json_of, message_of
from tests.loaders.http_stub import NOW, Asked, Reply, Time, served

SECRET = "pk-lf-0123456789:sk-lf-9876543210abc"
SENT_AS_BASIC = b64encode(SECRET.encode()).decode()


@contextmanager
def asking(answer: Callable[[Asked], Reply], scheme: Scheme, secret: str = SECRET) -> Iterator[Web]:
    time = Time()
    clock = Clock(now=time.now, sleep=time.sleep, chance=lambda: 1.0)
    with served(answer) as root, Web(root, secret, clock=clock, limits=WebLimits(tries=2), scheme=scheme) as web:
        yield web


def whole(answer: Answer) -> Answer:
    refuse_passing(answer, NOW)
    return answer


@pytest.mark.parametrize(
    ("scheme", "header", "value"),
    [
        (Bearer(), "authorization", f"Bearer {SECRET}"),
        (InHeader("x-api-key"), "x-api-key", SECRET),
        (InHeader("X-Subscription-Token"), "x-subscription-token", SECRET),
        (Basic(), "authorization", f"Basic {SENT_AS_BASIC}"),
    ],
)
def test_a_secret_is_sent_as_its_scheme_says_and_in_no_other_header(scheme: Scheme, header: str, value: str) -> None:
    asked: list[Asked] = []

    def answer(question: Asked) -> Reply:
        asked.append(question)
        return Reply(200, f"you sent {question.headers[header]}, which is {SECRET}".encode())

    with asking(answer, scheme) as web:
        said = web.get(web.root, whole).body

    assert asked[0].headers[header] == value
    assert [name for name, text in asked[0].headers.items() if SECRET in text or SENT_AS_BASIC in text] == [header]
    assert SECRET.encode() not in said
    assert SENT_AS_BASIC.encode() not in said


def test_the_password_of_a_pair_is_blackened_on_its_own() -> None:
    with asking(lambda _: Reply(200, b"the key sk-lf-9876543210abc is of pk-lf-0123456789"), Basic()) as web:
        assert web.get(web.root, whole).body == b"the key *** is of pk-lf-0123456789"


@pytest.mark.parametrize("secret", ["no-colon-at-all", ":password-alone", "name-alone:"])
def test_a_pair_needs_both_of_its_parts(secret: str) -> None:
    with pytest.raises(LoadError, match="two words with a colon between them") as caught:
        Web("https://api.example.com", secret, scheme=Basic())
    assert secret not in str(caught.value)


@pytest.mark.parametrize("scheme", [Bearer(), InHeader("x-api-key"), Basic()])
def test_what_would_forge_a_header_is_no_secret(scheme: Scheme) -> None:
    with pytest.raises(LoadError, match="one word of plain ASCII characters"):
        Web("https://api.example.com", "name:pass\r\nX-Evil: 1", scheme=scheme)


def test_a_key_in_a_header_of_its_own_does_not_follow_a_redirect_to_another_origin() -> None:
    with served(lambda _: Reply(200, b"give it to me")) as elsewhere:
        moved = Reply(307, b"", {"Location": f"{elsewhere}/take"})
        with asking(lambda _: moved, InHeader("x-api-key")) as web, pytest.raises(LoadError) as caught:
            web.get(web.root, whole)
    assert "which is another place; the token is not sent there" in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_question_is_sent_as_json_and_asked_again_like_any_other() -> None:
    asked: list[Asked] = []

    def answer(question: Asked) -> Reply:
        asked.append(question)
        return Reply(503) if len(asked) == 1 else Reply(200, b"{}")

    with asking(answer, Bearer()) as web:
        web.post(f"{web.root}/query", {"metrics": ["usage"]}, whole)

    assert [question.method for question in asked] == ["POST", "POST"]
    assert [json.loads(question.body) for question in asked] == [{"metrics": ["usage"]}] * 2
    assert asked[0].headers["content-type"] == "application/json"


def test_a_question_follows_a_redirect_that_keeps_it_and_no_other() -> None:
    def answer(question: Asked) -> Reply:
        if question.path == "/moved":
            return Reply(308, b"", {"Location": "/here"})
        if question.path == "/seen":
            return Reply(302, b"", {"Location": "/here"})
        return Reply(200, question.method.encode() + question.body)

    with asking(answer, Bearer()) as web:
        assert web.post(f"{web.root}/moved", [1], whole).body == b"POST[1]"
        assert web.post(f"{web.root}/seen", [1], whole).status == 302


def read(text: bytes) -> object:
    with asking(lambda _: Reply(200, text), Bearer()) as web:
        return web.get(web.root, json_of)


def test_an_amount_is_what_the_server_wrote() -> None:
    assert read(b'{"cost": 0.1, "small": 1e-10, "count": 3}') == {
        "cost": Decimal("0.1"),
        "small": Decimal("1e-10"),
        "count": 3,
    }


@pytest.mark.parametrize("text", [b"", b"<html>", b"[NaN]", b"[1e99999999999999999999]", b"[" * 100_000, b"\xff\xfe"])
def test_what_is_no_json_is_asked_for_again_and_then_said(text: bytes) -> None:
    with pytest.raises(ComeBackError, match=r"the answer is not JSON, it begins .*, 2 times; load again later"):
        read(text)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"error": {"message": "No auth", "code": 401}}', ": 'No auth'"),
        (b'{"type": "error", "error": {"type": "x", "message": "No"}}', ": 'No'"),
        (b'{"message": "Bad credentials"}', ": 'Bad credentials'"),
        (b'{"detail": {"status": "x", "message": "Wrong key"}}', ": 'Wrong key'"),
        (b'{"error": "plain"}', ": 'plain'"),
        (b"<html>", ""),
        (b"[]", ""),
        (b'{"error": null}', ""),
    ],
)
def test_a_refusal_is_told_in_the_servers_own_words(body: bytes, words: str) -> None:
    assert message_of(Answer("https://a.example", 401, {}, body)) == words
