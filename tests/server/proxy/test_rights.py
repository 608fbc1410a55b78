"""Who may use a proxy that has tokens, and what he may say of whose call it is."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import ValidationError

from server.access.bearer import digest_of, new_token
from server.proxy.calls import is_model_path
from server.proxy.settings import ProxySettings
from server.proxy.tokens import TokensError, read_tokens
from server.proxy.upstreams import Route, route_of
from tests.server.proxy.answers import chat
from tests.server.proxy.conftest import Setting, whole_setting
from tests.server.proxy.stub import document

ANY, BOUND, NONE = new_token(), new_token(), new_token()


def _file(folder: Path, text: str) -> Path:
    path = folder / "tokens.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop) -> Iterator[Setting]:
    folder = tmp_path_factory.mktemp("guarded")
    lines = [
        {"name": "gateway", "sha256": digest_of(ANY).hex(), "agents": ["*"], "sessions": ["*"]},
        {"name": "nightly", "sha256": digest_of(BOUND).hex(), "agents": ["nightly"], "sessions": ["nightly-*"]},
        {"name": "quiet", "sha256": digest_of(NONE).hex()},
    ]
    with whole_setting(folder, loop, tokens=_file(folder, json.dumps({"tokens": lines}))) as made:
        made.provider.answer = lambda asked: document(chat())
        yield made


def asked(guarded: Setting, token: str | None, session: str | None = None, agent: str | None = None) -> tuple[int, str]:
    """The status, and the call."""
    given = {"X-Clawback-Token": token, "X-OpenClaw-Session-Id": session, "X-OpenClaw-Agent-Id": agent}
    headers = {name: value for name, value in given.items() if value is not None}
    with guarded.http() as client:
        came = client.post("/openai/v1/responses", content=b"{}", headers=headers)
    return came.status_code, came.headers.get("x-clawback-call-id", "")


def test_without_a_token_or_with_a_wrong_one_nothing_is_forwarded(guarded: Setting) -> None:
    before = len(guarded.provider.asked)
    assert [asked(guarded, token)[0] for token in (None, "wrong", new_token())] == [401, 401, 401]
    assert len(guarded.provider.asked) == before


def test_another_tenants_session_is_refused_and_ones_own_is_not(guarded: Setting) -> None:
    before = len(guarded.provider.asked)
    assert asked(guarded, BOUND, "daily-7")[0] == 403
    assert asked(guarded, BOUND, "nightly-7", "other")[0] == 403
    assert asked(guarded, NONE, "daily-7")[0] == 403
    assert len(guarded.provider.asked) == before
    assert asked(guarded, BOUND, "nightly-7")[0] == 200
    assert asked(guarded, ANY, "daily-7")[0] == 200


def test_a_token_of_one_agent_names_it_where_the_client_does_not(guarded: Setting) -> None:
    line = guarded.line(asked(guarded, BOUND)[1])
    assert (line["agent"], line.get("session_id")) == ("nightly", None)


def test_a_client_that_can_set_no_headers_has_its_token_in_the_path_and_nobody_else_sees_it(guarded: Setting) -> None:
    with guarded.http() as client:
        came = client.post(f"/t/{NONE}/openai/v1/responses?a=1", content=b"{}")
    assert came.status_code == 200
    last = guarded.provider.asked[-1]
    assert last.target == "/v1/responses?a=1"
    assert NONE not in str(last)
    assert NONE not in json.dumps(guarded.line(came.headers["x-clawback-call-id"]))


def test_the_session_in_a_body_for_openrouter_needs_the_right_too(guarded: Setting) -> None:
    path, token = "/openrouter/api/v1/chat/completions", {"X-Clawback-Token": BOUND}
    with guarded.http() as client:
        other = client.post(path, json={"session_id": "daily-7"}, headers=token)
        own = client.post(path, json={"session_id": "nightly-8"}, headers=token)
    assert (other.status_code, own.status_code) == (403, 200)
    assert guarded.line(own.headers["x-clawback-call-id"])["session_id"] == "nightly-8"


def test_the_counters_are_for_who_has_a_token_and_health_is_for_all(guarded: Setting) -> None:
    with guarded.http() as client:
        assert client.get("/metrics").status_code == 401
        counted = client.get("/metrics", headers={"X-Clawback-Token": NONE})
        assert "clawback_proxy_calls_total" in counted.text
        assert client.get("/health").json() == {"status": "OK", "spool": "OK", "delivery": "OK"}


def test_a_proxy_that_strangers_reach_needs_tokens() -> None:
    with pytest.raises(ValidationError, match=r"0\.0\.0\.0 can be reached from elsewhere: set CLAWBACK_PROXY_TOKENS"):
        ProxySettings(host="0.0.0.0")


WRONG = [
    ("tokens: [{name: a, sha256: xyz}]", "tokens.0.sha256"),
    ("tokens: [{name: a}]", "tokens.0.sha256"),
    (f"tokens: [{{name: a, sha256: {'a' * 64}, sessions: ['*-nightly']}}]", "tokens.0.sessions.0"),
    ("tokens: {", "is no YAML file"),
    ("[]", "the file"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_a_file_of_tokens_that_is_wrong_is_told_with_the_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(TokensError, match=said):
        read_tokens(_file(tmp_path, text))


UPSTREAMS = [
    ('{"a": "http://api.example.com"}', "must begin with https://"),
    ('{"a": "https://me:hush@api.example.com"}', "without a name or a password"),
    ('{"health": "https://api.example.com"}', "cannot name an upstream"),
    ('{"A/b": "https://api.example.com"}', "cannot name an upstream"),
    ('{"a": {"uri": "https://api.example.com"}}', "must be an address"),
    ("[", "is not JSON"),
]


@pytest.mark.parametrize(("text", "said"), UPSTREAMS)
def test_an_upstream_that_must_not_be_is_refused_at_the_start(text: str, said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        ProxySettings(upstreams=text)  # type: ignore[arg-type]  # as the environment gives it
    assert "hush" not in refused.value.errors(include_input=False)[0]["msg"]


def test_more_upstreams_stand_beside_the_known_ones() -> None:
    eu = {"url": "https://eu.example.com", "provider": "openai"}
    stated = json.dumps({"groq": "https://api.groq.com/openai/", "xai": None, "eu": eu})
    made = ProxySettings(upstreams=stated).upstreams  # type: ignore[arg-type]  # as the environment gives it
    assert sorted(made) == ["anthropic", "eu", "google", "groq", "openai", "openrouter"]
    assert (made["groq"].root, made["eu"].provider, made["eu"].authority) == (b"/openai", "openai", b"eu.example.com")


ASKED = [
    ("/groq/responses", "/responses"),
    ("/groq/chat/completions", "/chat/completions"),
    ("/groq/embeddings?a=1", "/embeddings"),
    ("/groq/%72esponse%73", "/responses"),
    ("/groq", ""),
]


@pytest.mark.parametrize(("address", "path"), ASKED)
def test_a_model_is_asked_for_however_the_path_to_it_is_written(address: str, path: str) -> None:
    upstreams = ProxySettings(upstreams={"groq": "https://api.groq.com/openai/v1"}).upstreams  # type: ignore[dict-item]  # as the environment gives it
    raw, _, query = address.encode().partition(b"?")
    route = route_of(raw, query, upstreams)
    assert isinstance(route, Route)
    assert route.target == b"/openai/v1" + address.removeprefix("/groq").encode()
    assert (route.path, is_model_path("POST", route.path)) == (path, path != "")
