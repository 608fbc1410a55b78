"""What must not get through, and what a proxy must survive: two readings of one request, other hosts, cut answers."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.server.proxy.answers import MESSAGE_USAGE, chat, chat_events, message, message_events
from tests.server.proxy.conftest import Setting, until
from tests.server.proxy.stub import Asked, CutError, document, head, stream


def told(setting: Setting, raw: bytes) -> bytes:
    """What the proxy says to exactly these bytes, until it closes or says nothing more."""
    host, port = setting.proxy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(raw)
        said = b""
        while b"\r\n\r\n" not in said and (piece := connection.recv(65_536)):
            said += piece
        return said


POST = b"POST /openai/v1/responses HTTP/1.1\r\nHost: x\r\n"
SMUGGLED = [
    ("both lengths", POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("two lengths", POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    ("the same length twice", POST + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ("a signed length", POST + b"Content-Length: +2\r\n\r\n{}"),
    ("another coding", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    ("an unknown coding", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("chunked twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("a folded header", POST + b"X-A: 1\r\n X-B: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ("a space before the colon", POST + b"Content-Length : 2\r\n\r\n{}"),
    ("a line feed alone", POST + b"X-A: 1\nX-B: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ("a return alone", POST + b"X-A: 1\rX-B: 2\r\nContent-Length: 2\r\n\r\n{}"),
    ("a zero byte", POST + b"X-A: 1\x002\r\nContent-Length: 2\r\n\r\n{}"),
    ("two hosts", POST + b"Host: y\r\nContent-Length: 2\r\n\r\n{}"),
    ("a whole address", POST.replace(b"/openai", b"http://other.example/openai") + b"Content-Length: 2\r\n\r\n{}"),
    ("dots", POST.replace(b"/openai/v1", b"/openai/../x") + b"Content-Length: 2\r\n\r\n{}"),
    ("encoded dots", POST.replace(b"/openai/v1", b"/openai/%2e%2E/x") + b"Content-Length: 2\r\n\r\n{}"),
    ("dots behind an encoded slash", POST.replace(b"/openai/v1", b"/openai/v1%2f..") + b"Content-Length: 2\r\n\r\n{}"),
    ("a loop", POST + b"Via: 1.1 clawback\r\nContent-Length: 2\r\n\r\n{}"),
]


@pytest.mark.parametrize(("name", "raw"), SMUGGLED, ids=[name for name, _ in SMUGGLED])
def test_what_can_be_read_in_two_ways_reaches_nobody(setting: Setting, name: str, raw: bytes) -> None:
    setting.provider.answer = lambda asked: document(chat())
    before = len(setting.provider.asked)
    assert told(setting, raw).split(b" ")[1] == b"400"
    assert len(setting.provider.asked) == before


ELSEWHERE = [
    (b"POST /other.example/v1/responses HTTP/1.1\r\nHost: api.openai.com\r\n", b"404"),
    (b"POST /v1/responses HTTP/1.1\r\nHost: api.openai.com\r\n", b"404"),
    (b"POST //127.0.0.1/ HTTP/1.1\r\nHost: x\r\n", b"404"),
    (b"POST /@127.0.0.1/ HTTP/1.1\r\nHost: x\r\n", b"404"),
    (b"CONNECT other.example:443 HTTP/1.1\r\nHost: other.example:443\r\n", b"400"),
    (b"TRACE /openai/v1 HTTP/1.1\r\nHost: x\r\n", b"501"),
    (b"GET /openai/v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n", b"501"),
]


@pytest.mark.parametrize(("raw", "status"), ELSEWHERE)
def test_a_host_that_is_not_configured_is_never_reached(setting: Setting, raw: bytes, status: bytes) -> None:
    before = len(setting.provider.asked)
    assert told(setting, raw + b"Content-Length: 0\r\n\r\n").split(b" ")[1] == status
    assert len(setting.provider.asked) == before


NAMES = (
    "clawback proxy: no upstream has this name; paths begin with one of "
    "/anthropic/..., /google/..., /openai/..., /openrouter/..., /xai/..."
)


def test_an_unknown_name_is_told_which_ones_there_are(setting: Setting) -> None:
    with setting.http() as client:
        came = client.get("/mistral/v1/models")
    assert (came.status_code, came.json()["error"]["message"]) == (
        404,
        NAMES,
    )


async def _cut(pieces: list[bytes]) -> AsyncIterator[bytes]:
    async for piece in stream(pieces):
        if piece == b"0\r\n\r\n":
            raise CutError
        yield piece


def test_a_stream_that_is_cut_is_cut_for_the_client_and_told_without_a_guess(setting: Setting) -> None:
    setting.provider.answer = lambda asked: _cut(message_events("msg_cut")[:4])
    got: list[bytes] = []
    with setting.http() as client, client.stream("POST", "/anthropic/v1/messages", content=b"{}") as came:
        call_id = came.headers["x-clawback-call-id"]
        with pytest.raises(httpx2.RemoteProtocolError):
            got.extend(came.iter_raw())
    assert b"".join(got) == b"".join(message_events("msg_cut")[:4])
    line = setting.line(call_id)
    assert line["response"] == {
        "id": "msg_cut",
        "model": "claude-haiku-4-5",
        "usage": None,
    }
    assert (line["status"], line["usage_unknown"]) == ("error", "cut")


def test_a_document_that_is_cut_is_cut_for_the_client(setting: Setting) -> None:
    async def half(asked: Asked) -> AsyncIterator[bytes]:
        yield head(200, [("Content-Type", "application/json"), ("Content-Length", "900")]) + chat()[:100]
        raise CutError

    setting.provider.answer = half
    with setting.http() as client, client.stream("POST", "/openai/v1/responses", content=b"{}") as came:
        call_id = came.headers["x-clawback-call-id"]
        with pytest.raises(httpx2.RemoteProtocolError):
            came.read()
    line = setting.line(call_id)
    assert (line["response"], line["usage_unknown"]) == (None, "cut")


def test_a_stream_that_said_its_last_word_before_it_was_cut_is_whole(setting: Setting) -> None:
    setting.provider.answer = lambda asked: _cut(message_events("msg_whole"))
    with setting.http() as client, client.stream("POST", "/anthropic/v1/messages", content=b"{}") as came:
        call_id = came.headers["x-clawback-call-id"]
        with pytest.raises(httpx2.RemoteProtocolError):
            came.read()
    line = setting.line(call_id)
    assert (line["response"]["usage"], line.get("status")) == (MESSAGE_USAGE, None)  # type: ignore[index]


def test_a_client_that_leaves_ends_the_upstreams_work_and_the_call_is_told_as_aborted(setting: Setting) -> None:
    async def for_ever() -> None:
        await asyncio.sleep(0.01)

    setting.provider.answer = lambda asked: stream(chat_events("chatcmpl-left")[:3] * 10_000, wait=for_ever)
    left = setting.provider.left
    with setting.http() as client, client.stream("POST", "/openai/v1/chat/completions", content=b"{}") as came:
        call_id = came.headers["x-clawback-call-id"]
        next(came.iter_raw())
    until(lambda: setting.provider.left == left + 1)
    line = setting.line(call_id)
    assert (line["status"], line["usage_unknown"]) == ("aborted", "cut")
    assert line["response"] == {"id": "chatcmpl-left", "model": "gpt-4o", "usage": None}


def test_a_provider_that_is_not_there_is_told_as_such_and_no_call_is(setting: Setting) -> None:
    async def nothing(asked: Asked) -> AsyncIterator[bytes]:
        raise CutError
        yield b""

    setting.provider.answer = nothing
    with setting.http() as client:
        came = client.post("/anthropic/v1/messages", json={"model": "claude-haiku-4-5"})
    assert (came.status_code, came.json()["error"]["type"]) == (502, "api_error")
    until(lambda: setting.intake.lines and setting.intake.lines[-1].get("usage_unknown") == "no answer")
    line = setting.intake.lines[-1]
    assert (line["model"], line["response"], line["status"]) == ("claude-haiku-4-5", None, "error")


def test_a_slow_reader_slows_the_upstream_down_and_takes_no_memory(setting: Setting) -> None:
    async def plenty(asked: Asked) -> AsyncIterator[bytes]:
        yield head(200, [("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked")])
        for _ in range(2_000):
            yield b"10000\r\n" + b":" * 65_535 + b"\n\r\n"
        yield b"0\r\n\r\n"

    setting.provider.answer = plenty
    setting.provider.written = 0
    host, port = setting.proxy.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        connection.sendall(POST + b"Content-Length: 2\r\n\r\n{}")
        connection.recv(1_000)
        seen = -1
        still = threading.Event()
        while seen != setting.provider.written:
            seen = setting.provider.written
            still.wait(0.3)
        # Of 131 MB no more than what the buffers of five sockets hold was taken.
        assert 0 < seen < 40_000_000
    until(lambda: setting.proxy.counted("in_flight") == 0)


def test_an_answer_that_is_too_large_to_read_goes_through_and_says_why_its_usage_is_unknown(setting: Setting) -> None:
    large = chat().replace(b"It is", b"x" * 17 * 2**20)
    setting.provider.answer = lambda asked: document(large)
    with setting.http() as client:
        came = client.post("/openai/v1/responses", content=b"{}")
    assert came.content == large
    assert setting.line(came.headers["x-clawback-call-id"])["usage_unknown"] == "too large"


ODD = [
    (b'{"id": "msg_x", "usage": {"input_tokens": "many"}}', "unreadable"),
    (b'{"id": "msg_x", "usage": {"sausages": 3}}', "unreadable"),
    (b'{"id": 7, "usage": null}', "not in the answer"),
    (b"[" * 100_000, "not JSON"),
    (b"", "not JSON"),
    (b"[]", "not in the answer"),
    (b"\xff\xfe", "not JSON"),
    (json.dumps({"id": "msg_x", "usage": {str(n): n for n in range(1_000)}}).encode(), "unreadable"),
]


@pytest.mark.parametrize(("answer", "reason"), ODD, ids=range(len(ODD)))
def test_an_answer_that_nobody_can_read_goes_through(setting: Setting, answer: bytes, reason: str) -> None:
    setting.provider.answer = lambda asked: document(answer)
    with setting.http() as client:
        came = client.post("/anthropic/v1/messages", content=b"{}")
    assert came.content == answer
    assert setting.line(came.headers["x-clawback-call-id"])["usage_unknown"] == reason


def test_an_answer_that_is_packed_as_nobody_asked_goes_through(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(b"\x01\x02", headers=[("Content-Encoding", "br")])
    with setting.http() as client, client.stream("POST", "/anthropic/v1/messages", content=b"{}") as came:
        assert b"".join(came.iter_raw()) == b"\x01\x02"
    assert setting.line(came.headers["x-clawback-call-id"])["usage_unknown"] == "packing"


def test_no_word_of_an_answer_or_a_secret_is_told(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(message("msg_secret"))
    with setting.http() as client:
        came = client.post("/anthropic/v1/messages", content=b'{"m":"hush"}', headers={"x-api-key": "sk-ant-hush"})
    said = json.dumps(setting.line(came.headers["x-clawback-call-id"]))
    assert "hush" not in said
    assert "It is 42" not in said


def test_a_session_id_that_is_none_is_refused_before_the_call(setting: Setting) -> None:
    before = len(setting.provider.asked)
    with setting.http() as client:
        long = client.post("/anthropic/v1/messages", content=b"{}", headers={"X-OpenClaw-Session-Id": "s" * 501})
        two = client.post(
            "/anthropic/v1/messages",
            content=b"{}",
            headers={"X-OpenClaw-Session-Id": "a", "X-Clawback-Session-Id": "b"},
        )
    assert (long.status_code, two.status_code) == (400, 400)
    assert len(setting.provider.asked) == before
