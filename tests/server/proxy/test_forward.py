"""What goes through the proxy is what was sent, in both directions, and of each call it knows what it used."""

import gzip
import json
import zlib

import pytest
import zstandard

from tests.server.proxy.answers import (
    CHAT_USAGE,
    GEMINI,
    chat,
    chat_events,
    message,
    message_events,
    response,
    response_events,
)
from tests.server.proxy.conftest import Setting
from tests.server.proxy.stub import document, stream

TAGS = {"X-OpenClaw-Session-Id": "s-1", "X-OpenClaw-Agent-Id": "main"}


def test_bytes_of_a_request_and_of_its_answer_go_through_untouched(setting: Setting) -> None:
    sent = b'{"model":  "gpt-4o", "temperature":1.0, "stream":false, "messages":[{"content":"\xc3\xa9"}]}\n'
    answer = chat().replace(b'"created": 1', b'"created":    1.50')
    setting.provider.answer = lambda asked: document(answer, headers=[("X-Other", "a"), ("x-other", "b")])
    with setting.http() as client:
        came = client.post("/openai/v1/chat/completions?a=%2F&b=c%20d", content=sent, headers=TAGS)
    asked = setting.provider.asked[-1]
    assert (asked.method, asked.target, asked.body) == ("POST", "/v1/chat/completions?a=%2F&b=c%20d", sent)
    assert came.content == answer
    assert came.headers.get_list("x-other") == ["a", "b"]


def test_a_call_is_told_with_its_session_its_agent_and_its_usage(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(chat("chatcmpl-a7700000000"), headers=[("x-request-id", "req_77")])
    with setting.http() as client:
        came = client.post("/openai/v1/chat/completions", json={"model": "gpt-4o"}, headers=TAGS)
    call_id = came.headers["x-clawback-call-id"]
    line = setting.line(call_id)
    assert (line["provider"], line["session_id"], line["agent"]) == ("openai", "s-1", "main")
    assert line["response"] == {"id": "chatcmpl-a7700000000", "model": "gpt-4o", "usage": CHAT_USAGE}
    assert line["identities"] == [f"call:{call_id}", "response:chatcmpl-a7700000000", "request-id:req_77"]
    assert "usage_unknown" not in line


def test_headers_of_ours_go_no_further_and_the_others_do(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(chat())
    headers = {
        **TAGS,
        "X-Clawback-Token": "t",
        "X-OpenClaw-Turn-Id": "1",
        "Authorization": "Bearer sk-test",
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "Connection": "keep-alive, X-Hop",
        "X-Hop": "1",
        "Accept-Encoding": "gzip, deflate, br, zstd",
        "User-Agent": "test/1",
    }
    with setting.http() as client:
        client.post("/openai/v1/chat/completions", content=b"{}", headers=headers)
    got = {name.lower(): value for name, value in setting.provider.asked[-1].headers}
    assert got == {
        "host": setting.provider.url.removeprefix("http://"),
        "accept": "*/*",
        "authorization": "Bearer sk-test",
        "traceparent": headers["traceparent"],
        "accept-encoding": "gzip, deflate, zstd",
        "user-agent": "test/1",
        "content-length": "2",
        "via": "1.1 clawback",
    }


def test_a_span_belongs_to_the_first_call_that_names_it(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(chat())
    parent = {"traceparent": "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203332-01"}
    with setting.http() as client:
        ids = [
            client.post("/openai/v1/responses", content=b"{}", headers=parent).headers["x-clawback-call-id"]
            for _ in range(2)
        ]
    named = [
        [name for name in setting.line(each)["identities"] if str(name).startswith("span:")]  # type: ignore[attr-defined]
        for each in ids
    ]
    assert named == [["span:0af7651916cd43dd8448eb211c80319c/b7ad6b7169203332"], []]


def test_a_try_that_came_to_nothing_leaves_the_span_to_the_next(setting: Setting) -> None:
    parent = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203333-01", **TAGS}
    answers = [document(b"busy", status=504), document(chat("chatcmpl-the-second"))]
    setting.provider.answer = lambda asked: answers.pop(0)
    with setting.http() as client:
        ids = [
            client.post("/openai/v1/responses", content=b"{}", headers=parent).headers["x-clawback-call-id"]
            for _ in range(2)
        ]
    first, second = (setting.line(each) for each in ids)
    assert (first["identities"], first["status"], first["response"]) == ([f"call:{ids[0]}"], "error", None)
    assert second["identities"] == [
        f"call:{ids[1]}",
        "response:chatcmpl-the-second",
        "span:0af7651916cd43dd8448eb211c80319c/b7ad6b7169203333",
    ]


PACKED = [
    ("gzip", gzip.compress(chat())),
    ("deflate", zlib.compress(chat())),
    ("zstd", zstandard.compress(chat())),
]


@pytest.mark.parametrize(("coding", "packed"), PACKED, ids=[coding for coding, _ in PACKED])
def test_a_packed_answer_stays_packed_and_is_read(setting: Setting, coding: str, packed: bytes) -> None:
    setting.provider.answer = lambda asked: document(packed, headers=[("Content-Encoding", coding)])
    with setting.http() as client, client.stream("POST", "/openai/v1/chat/completions", content=b"{}") as came:
        raw = b"".join(came.iter_raw())
        call_id = came.headers["x-clawback-call-id"]
    assert raw == packed
    assert setting.line(call_id)["response"]["usage"] == CHAT_USAGE  # type: ignore[index]


ANSWERED = [
    ("/anthropic/v1/messages", message(), (100, 12_000, 500)),
    ("/openai/v1/responses", json.dumps(response()).encode(), (12_100, 12_000, 500)),
    ("/google/v1beta/models/gemini-2.5-flash:generateContent", json.dumps(GEMINI).encode(), (12_100, 12_000, 380)),
    (
        "/google/v1beta/models/gemini-2.5-flash:streamGenerateContent",
        json.dumps([{**GEMINI, "usageMetadata": {"promptTokenCount": 12_100}}, GEMINI]).encode(),
        (12_100, 12_000, 380),
    ),
]
STREAMED = [
    ("/openai/v1/chat/completions", chat_events(), (12_100, 12_000, 500)),
    ("/anthropic/v1/messages", message_events(), (100, 12_000, 500)),
    ("/openai/v1/responses", response_events(), (12_100, 12_000, 500)),
    (
        "/google/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        [b"data: " + json.dumps(GEMINI).encode() + b"\r\n\r\n"],
        (12_100, 12_000, 380),
    ),
]


def _counts(line: dict[str, object]) -> tuple[object, ...]:
    """Input, cached and output, as the provider names them."""
    answer = line["response"]
    assert isinstance(answer, dict)
    usage = answer.get("usage") or answer["usageMetadata"]
    names = ("input_tokens", "prompt_tokens", "promptTokenCount"), ("output_tokens", "completion_tokens")
    read = usage.get("cache_read_input_tokens") or usage.get("cachedContentTokenCount")
    if read is None:
        read = (usage.get("prompt_tokens_details") or usage["input_tokens_details"])["cached_tokens"]
    given = next(usage[name] for name in names[0] if name in usage)
    return given, read, next(usage[name] for name in (*names[1], "candidatesTokenCount") if name in usage)


@pytest.mark.parametrize(("path", "answer", "counts"), ANSWERED, ids=[path for path, _, _ in ANSWERED])
def test_the_usage_of_every_api_is_read(
    setting: Setting, path: str, answer: bytes, counts: tuple[int, int, int]
) -> None:
    setting.provider.answer = lambda asked: document(answer)
    with setting.http() as client:
        came = client.post(path, content=b"{}", headers=TAGS)
    assert came.content == answer
    assert _counts(setting.line(came.headers["x-clawback-call-id"])) == counts


@pytest.mark.parametrize(("path", "events", "counts"), STREAMED, ids=[path for path, _, _ in STREAMED])
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_the_usage_of_every_stream_is_read_wherever_its_pieces_end(
    setting: Setting, path: str, events: list[bytes], counts: tuple[int, int, int], size: int
) -> None:
    whole = b"".join(events)
    pieces = [whole[begin : begin + size] for begin in range(0, len(whole), size)]
    setting.provider.answer = lambda asked: stream(pieces)
    with setting.http() as client:
        came = client.post(path, content=b'{"stream":true}', headers=TAGS)
    assert came.content == whole
    assert _counts(setting.line(came.headers["x-clawback-call-id"])) == counts


def test_what_openrouter_took_is_told_to_the_last_digit(setting: Setting) -> None:
    answer = chat("gen-1").replace(
        b'"completion_tokens": 500', b'"completion_tokens": 500, "cost": 0.00430000000000000001'
    )
    setting.provider.answer = lambda asked: document(answer)
    with setting.http() as client:
        came = client.post("/openrouter/api/v1/chat/completions", json={"session_id": "s-9"})
    line = setting.line(came.headers["x-clawback-call-id"])
    assert line["session_id"] == "s-9"
    assert line["provider"] == "openrouter"
    assert setting.provider.asked[-1].body == b'{"session_id":"s-9"}'


def test_a_refused_call_goes_through_and_is_counted_and_not_told(setting: Setting) -> None:
    body = b'{"error":{"type":"rate_limit_error","message":"slow down"}}'
    setting.provider.answer = lambda asked: document(body, status=429, headers=[("Retry-After", "7")])
    before = setting.proxy.counted("calls_total", upstream="anthropic", outcome="refused")
    told = len(setting.intake.lines)
    with setting.http() as client:
        came = client.post("/anthropic/v1/messages", content=b"{}")
    assert (came.status_code, came.headers["retry-after"], came.content) == (429, "7", body)
    assert setting.proxy.counted("calls_total", upstream="anthropic", outcome="refused") == before + 1
    assert len(setting.intake.lines) == told


def test_a_list_of_models_is_no_call(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(b'{"data":[]}')
    before = setting.proxy.counted("calls_total", upstream="openai", outcome="other")
    with setting.http() as client:
        assert client.get("/openai/v1/models").content == b'{"data":[]}'
    assert setting.proxy.counted("calls_total", upstream="openai", outcome="other") == before + 1


def test_a_redirect_is_the_clients_to_follow(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(b"", status=307, headers=[("Location", "http://127.0.0.1:9/x")])
    asked_before = len(setting.provider.asked)
    with setting.http() as client:
        assert client.post("/openai/v1/responses", content=b"{}").status_code == 307
    assert len(setting.provider.asked) == asked_before + 1


def test_a_chat_stream_that_was_not_asked_for_usage_has_none_and_that_is_counted(setting: Setting) -> None:
    setting.provider.answer = lambda asked: stream(chat_events("chatcmpl-a5", with_usage=False))
    before = setting.proxy.counted("unknown_usage_total", upstream="openai", reason="not in the answer")
    with setting.http() as client:
        came = client.post("/openai/v1/chat/completions", content=b'{"stream":true}', headers=TAGS)
    line = setting.line(came.headers["x-clawback-call-id"])
    assert (line["response"], line["usage_unknown"]) == (
        {"id": "chatcmpl-a5", "model": "gpt-4o", "usage": None},
        "not in the answer",
    )
    assert setting.proxy.counted("unknown_usage_total", upstream="openai", reason="not in the answer") == before + 1
