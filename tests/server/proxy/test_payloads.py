"""What is in calls is kept where the proxy was told to, and never otherwise: with a real server behind it."""

import asyncio
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from secrets import token_bytes

import httpx2
import openai
import pytest

from semantic import Catalog
from store import Payload
from tests.server.intake.sending import Here, clock, here, span, traces
from tests.server.proxy.answers import chat, chat_events
from tests.server.proxy.conftest import Setting, until, whole_setting
from tests.server.proxy.stub import Asked, CutError, Pieces, document, stream

WORD = "a word of the prompt"
PROMPT = [{"role": "user", "content": WORD}]
KEY = "sk-proj-0123456789abcdefghij"
TAGS = {"X-OpenClaw-Session-Id": "s-payloads", "X-OpenClaw-Agent-Id": "main"}


@pytest.fixture(scope="module")
def both(
    catalog: Catalog, tmp_path_factory: pytest.TempPathFactory, loop: asyncio.AbstractEventLoop
) -> Iterator[tuple[Setting, Here]]:
    folder, given = tmp_path_factory.mktemp("payloads"), {"store_payloads": True, "payload_kb": 4}
    with here(catalog, folder) as server, whole_setting(folder, loop, server=server.url, **given) as setting:
        yield setting, server


def kept(server: Here, call: str) -> Payload:
    """What the server has of a call, once it has it."""

    def found() -> list[Payload]:
        return server.store.payloads_of(call, now=clock(), days=30)

    until(found)
    (payload,) = found()
    return payload


def asked(setting: Setting, content: bytes, **headers: str) -> httpx2.Response:
    with setting.http() as client:
        return client.post("/openai/v1/responses", content=content, headers=TAGS | headers)


def test_a_call_of_the_real_client_is_found_with_what_was_said_by_its_key_and_by_the_proxys_id(
    both: tuple[Setting, Here],
) -> None:
    setting, server = both
    packed = gzip.compress(chat("chatcmpl-payload1"))
    setting.provider.answer = lambda asked: document(packed, headers=[("Content-Encoding", "gzip")])
    with openai.OpenAI(base_url=f"{setting.proxy.url}/openai/v1", api_key=KEY, default_headers=TAGS) as client:
        came = client.chat.completions.with_raw_response.create(model="gpt-4o", messages=PROMPT)  # type: ignore[arg-type]  # plain dicts
    call = came.headers["x-clawback-call-id"]
    payload = kept(server, f"call:{call}")
    assert (payload.session_id, payload.agent, payload.provider) == ("s-payloads", "main", "openai")
    assert (payload.ended, payload.http_status) == ("whole", 200)
    assert payload.request.content == setting.provider.asked[-1].body
    assert payload.request.content_type == "application/json"
    assert json.loads(payload.request.content or b"")["messages"] == PROMPT
    assert payload.answer is not None
    assert payload.answer.content == chat("chatcmpl-payload1")
    assert payload.answer.size == len(chat("chatcmpl-payload1"))
    assert (payload.kept_until - payload.called_at).days == 30
    server.await_stored()
    assert kept(server, f"proxy:{call}") == payload
    assert kept(server, "response:chatcmpl-payload1") == payload
    ((key,),) = server.store.read("SELECT request_key FROM requests WHERE session_id = 's-payloads'").rows
    assert kept(server, str(key)) == payload
    assert KEY.encode() not in b"".join(path.read_bytes() for path in setting.proxy.spool.rglob("*") if path.is_file())


def test_a_stream_is_kept_as_it_came(both: tuple[Setting, Here]) -> None:
    setting, server = both
    setting.provider.answer = lambda asked: stream(chat_events("chatcmpl-payload2"))
    with openai.OpenAI(base_url=f"{setting.proxy.url}/openai/v1", api_key=KEY, default_headers=TAGS) as client:
        came = client.chat.completions.create(
            model="gpt-4o",
            messages=PROMPT,  # type: ignore[arg-type]  # plain dicts
            stream=True,
            stream_options={"include_usage": True},
        )
        assert len(list(came)) == 5
    server.await_stored()
    payload = kept(server, "response:chatcmpl-payload2")
    assert payload.answer is not None
    assert payload.answer.content == b"".join(chat_events("chatcmpl-payload2"))
    assert payload.answer.content_type == "text/event-stream; charset=utf-8"


def test_a_call_stays_found_by_each_of_its_keys_when_another_source_tells_of_it(both: tuple[Setting, Here]) -> None:
    setting, server = both
    answer = "chatcmpl-SyntheticAnswer000003"
    setting.provider.answer = lambda asked: document(chat(answer))
    call = asked(setting, b'{"model":"gpt-4o"}').headers["x-clawback-call-id"]
    payload = kept(server, call)
    until(lambda: server.count(f"SELECT count(*) FROM call_keys WHERE request_key = 'proxy:{call}'"))
    names = {"gen_ai.response.id": answer, "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
    assert server.send("/v1/traces", traces([span(3, "s-payloads", "main", **names)])).status == 200
    server.await_stored()
    joined = f"(SELECT call_key FROM call_keys WHERE request_key = 'proxy:{call}')"
    keys = [
        str(key) for (key,) in server.store.read(f"SELECT request_key FROM call_keys WHERE call_key IN {joined}").rows
    ]
    assert len(keys) == 2
    assert [kept(server, key) for key in keys] == [payload, payload]


def test_what_is_longer_than_the_limit_is_cut_and_its_whole_length_told(both: tuple[Setting, Here]) -> None:
    setting, server = both
    long = json.dumps({"model": "gpt-4o", "input": "é" * 20_000}, ensure_ascii=False).encode()
    setting.provider.answer = lambda asked: document(chat("chatcmpl-payload4") + b" " * 10_000)
    call = asked(setting, long).headers["x-clawback-call-id"]
    assert setting.provider.asked[-1].body == long
    payload = kept(server, call)
    assert payload.request.content == long[:4_096]
    assert (payload.request.size, payload.request.is_cut) == (len(long), True)
    assert payload.answer is not None
    assert (payload.answer.size, payload.answer.is_cut) == (len(chat("chatcmpl-payload4")) + 10_000, True)


def test_bytes_that_are_no_text_come_back_as_they_were(both: tuple[Setting, Here]) -> None:
    setting, server = both
    noise = bytes(range(256))
    setting.provider.answer = lambda asked: document(noise, kind="audio/mpeg")
    call = asked(setting, noise).headers["x-clawback-call-id"]
    payload = kept(server, call)
    assert payload.answer is not None
    assert (payload.request.content, payload.answer.content, payload.answer.content_type) == (
        noise,
        noise,
        "audio/mpeg",
    )


def test_what_cannot_be_unpacked_is_told_to_be_unknown(both: tuple[Setting, Here]) -> None:
    setting, server = both
    setting.provider.answer = lambda asked: document(b"\x0b\x02\x80", headers=[("Content-Encoding", "br")])
    payload = kept(server, asked(setting, b"{}").headers["x-clawback-call-id"])
    assert payload.answer is not None
    assert (payload.answer.content, payload.answer.size) == (None, None)


def test_a_call_that_failed_is_kept_with_what_the_provider_said(both: tuple[Setting, Here]) -> None:
    setting, server = both
    refusal = b'{"error":{"message":"context_length_exceeded"}}'
    setting.provider.answer = lambda asked: document(refusal, status=400)
    payload = kept(server, asked(setting, b'{"model":"gpt-4o"}').headers["x-clawback-call-id"])
    assert payload.answer is not None
    assert (payload.http_status, payload.ended, payload.answer.content) == (400, "whole", refusal)


def test_a_call_that_was_cut_is_kept_as_far_as_it_came(both: tuple[Setting, Here]) -> None:
    setting, server = both
    pieces = chat_events("chatcmpl-payload5")

    async def cut(asked: Asked) -> Pieces:
        async for piece in stream(pieces[:2]):
            if piece == b"0\r\n\r\n":
                raise CutError
            yield piece

    setting.provider.answer = cut
    with setting.http() as client, client.stream("POST", "/openai/v1/chat/completions", content=b"{}") as came:
        call = came.headers["x-clawback-call-id"]
        with pytest.raises(httpx2.RemoteProtocolError):
            came.read()
    payload = kept(server, call)
    assert payload.answer is not None
    assert (payload.ended, payload.answer.content) == ("cut", b"".join(pieces[:2]))


def test_a_key_never_appears_also_where_the_provider_repeats_it(both: tuple[Setting, Here]) -> None:
    setting, server = both

    async def echoing(asked: Asked) -> Pieces:
        said = json.dumps({"error": f"no such key: {asked.header('authorization')} {asked.target}", "headers": "x"})
        async for piece in document(said.encode(), status=401):
            yield piece

    setting.provider.answer = echoing
    secret = "AIzaSyD-0123456789-abcdef"
    with setting.http() as client:
        path = f"/google/v1beta/models/m:generateContent?key={secret}"
        came = client.post(path, content=b"{}", headers={"Authorization": f"Bearer {KEY}"})
    assert KEY.encode() in came.content  # the client gets what the provider said
    payload = kept(server, came.headers["x-clawback-call-id"])
    assert payload.answer is not None
    shown = f"Bearer {KEY}"
    said = (payload.answer.content or b"").decode()
    assert said == came.text.replace(shown, "*" * len(shown)).replace(secret, "*" * len(secret))
    assert payload.answer.size == len(came.content)


def test_lists_of_models_and_calls_that_were_never_made_are_not_kept(both: tuple[Setting, Here]) -> None:
    setting, server = both
    before = setting.proxy.counted("payloads_total", outcome="kept")
    setting.provider.answer = lambda asked: document(b'{"data":[]}')
    with setting.http() as client:
        models = client.get("/openai/v1/models").headers["x-clawback-call-id"]
        assert client.post("/nobody/v1/responses", content=b"{}").status_code == 404
    call = asked(setting, b"{}").headers["x-clawback-call-id"]
    kept(server, call)
    assert server.store.payloads_of(models, now=clock(), days=30) == []
    assert setting.proxy.counted("payloads_total", outcome="kept") == before + 1


def test_the_proxys_own_pages_hold_nothing_of_it_and_its_copies_are_given_back(both: tuple[Setting, Here]) -> None:
    setting, _ = both
    setting.provider.answer = lambda asked: document(chat("chatcmpl-payload6"))
    asked(setting, json.dumps({"input": WORD}).encode())
    with setting.http() as client:
        assert WORD not in client.get("/metrics").text
        assert WORD not in client.get("/health").text
    until(lambda: setting.proxy.allowance.taken == 0)
    until(lambda: not list((setting.proxy.spool / "payloads").iterdir()))


def test_off_nothing_is_ever_kept(both: tuple[Setting, Here], tmp_path: Path, loop: asyncio.AbstractEventLoop) -> None:
    _, server = both
    word = "a word of a proxy that keeps nothing"
    with whole_setting(tmp_path, loop, server=server.url) as setting:
        setting.provider.answer = lambda asked: document(chat("chatcmpl-off"))
        call = asked(setting, json.dumps({"model": "gpt-4o", "input": word}).encode()).headers["x-clawback-call-id"]
        until(lambda: server.count(f"SELECT count(*) FROM call_keys WHERE request_key = 'proxy:{call}'"))
        assert not (setting.proxy.spool / "payloads").exists()
        files = [path for path in setting.proxy.spool.rglob("*") if path.is_file()]
        assert all(word.encode() not in path.read_bytes() for path in files)
    assert server.count(f"SELECT count(*) FROM request_payloads WHERE contains(request::VARCHAR, '{word}')") == 0
    assert server.store.payloads_of(call, now=clock(), days=30) == []


def test_a_spool_that_is_full_leaves_payloads_out_and_no_call(tmp_path: Path, loop: asyncio.AbstractEventLoop) -> None:
    given = {"server": "http://127.0.0.1:9", "store_payloads": True, "payload_spool_mb": 1}
    with whole_setting(tmp_path, loop, **given) as setting:
        setting.provider.answer = lambda asked: document(chat("chatcmpl-full"))
        for _ in range(6):
            assert asked(setting, token_bytes(250_000)).status_code == 200
        until(lambda: setting.proxy.counted("payloads_total", outcome="no_room") >= 1)
        until(lambda: sum(setting.proxy.counted("payloads_total", outcome=each) for each in ("no_room", "kept")) == 6)
        files = list((setting.proxy.spool / "payloads").iterdir())
        assert files
        assert sum(file.stat().st_size for file in files) <= 2**20
        calls = [line for file in setting.proxy.spool.glob("*.jsonl") for line in file.read_bytes().splitlines()]
        assert len(calls) == 6
        assert setting.proxy.allowance.taken == 0


def test_no_line_of_a_log_holds_what_was_in_a_call(
    both: tuple[Setting, Here], caplog: pytest.LogCaptureFixture
) -> None:
    setting, server = both
    word = "a word for no log"
    caplog.set_level("DEBUG")
    setting.provider.answer = lambda asked: document(chat("chatcmpl-logged"))
    kept(server, asked(setting, json.dumps({"input": word}).encode()).headers["x-clawback-call-id"])
    assert caplog.records
    assert word not in caplog.text
    assert "It is  42" not in caplog.text


def test_payloads_wait_for_a_server_that_is_away_and_follow_their_calls(
    both: tuple[Setting, Here], tmp_path: Path, loop: asyncio.AbstractEventLoop
) -> None:
    (_, server), spool = both, tmp_path / "spool"
    with whole_setting(tmp_path, loop, server="http://127.0.0.1:9", store_payloads=True) as setting:
        setting.provider.answer = lambda asked: document(chat("chatcmpl-away"))
        call = asked(setting, json.dumps({"model": "gpt-4o", "input": WORD}).encode()).headers["x-clawback-call-id"]
        until(lambda: list((spool / "payloads").glob("*.gz")))
    (waiting,) = (spool / "payloads").iterdir()
    assert waiting.stat().st_mode & 0o777 == 0o600
    assert (spool / "payloads").stat().st_mode & 0o777 == 0o700
    # A proxy that stores none any more still takes to the server what was stored before.
    with whole_setting(tmp_path, loop, server=server.url):
        payload = kept(server, f"call:{call}")
        assert WORD.encode() in (payload.request.content or b"")
        until(lambda: not waiting.exists())
        server.await_stored()
        assert server.count(f"SELECT count(*) FROM call_keys WHERE request_key = 'proxy:{call}'") == 1
