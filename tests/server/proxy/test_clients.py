"""The real clients of OpenAI and Anthropic do through the proxy what they do without it."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import anthropic
import httpx2
import openai
import pytest

from tests.server.proxy.answers import chat, chat_events, message, message_events, response_events
from tests.server.proxy.conftest import Setting, until
from tests.server.proxy.stub import Asked, CutError, document, stream

PROMPT = [{"role": "user", "content": "What is 6 x 7?"}]
TAGS = {"X-OpenClaw-Session-Id": "s-clients", "X-OpenClaw-Agent-Id": "main"}


@contextmanager
def clients(setting: Setting, retries: int = 0) -> Iterator[tuple[openai.OpenAI, anthropic.Anthropic]]:
    url = setting.proxy.url
    with (
        openai.OpenAI(base_url=f"{url}/openai/v1", api_key="sk-test", max_retries=retries, default_headers=TAGS) as one,
        anthropic.Anthropic(
            base_url=f"{url}/anthropic", api_key="sk-ant-test", max_retries=retries, default_headers=TAGS
        ) as other,
    ):
        yield one, other


def told(setting: Setting, answer_id: str) -> dict[str, object]:
    def found() -> list[dict[str, object]]:
        return [line for line in setting.intake.lines if (line["response"] or {}).get("id") == answer_id]  # type: ignore[union-attr, attr-defined]  # an object, or null

    until(found)
    line = found()[0]
    assert (line["session_id"], line["agent"]) == ("s-clients", "main")
    return line


def test_openai_chat_whole_and_packed(setting: Setting) -> None:
    packed = gzip.compress(chat("chatcmpl-client1"))
    setting.provider.answer = lambda asked: document(packed, headers=[("Content-Encoding", "gzip")])
    with clients(setting) as (client, _):
        came = client.chat.completions.create(model="gpt-4o", messages=PROMPT)  # type: ignore[arg-type]  # plain dicts
    assert came.choices[0].message.content == "It is  42.é"
    assert came.usage is not None
    assert came.usage.completion_tokens == 500
    assert told(setting, "chatcmpl-client1")["provider"] == "openai"


def test_openai_chat_streamed(setting: Setting) -> None:
    setting.provider.answer = lambda asked: stream(chat_events("chatcmpl-client2"))
    with clients(setting) as (client, _):
        came = list(
            client.chat.completions.create(
                model="gpt-4o",
                messages=PROMPT,  # type: ignore[arg-type]  # plain dicts
                stream=True,
                stream_options={"include_usage": True},
            )
        )
    assert "".join(chunk.choices[0].delta.content or "" for chunk in came if chunk.choices) == "It is 42"
    assert "usage_unknown" not in told(setting, "chatcmpl-client2")


def test_openai_responses_streamed(setting: Setting) -> None:
    setting.provider.answer = lambda asked: stream(response_events("resp_client"))
    with clients(setting) as (client, _):
        came = list(client.responses.create(model="gpt-4o", input="6 x 7?", stream=True))
    assert [event.type for event in came] == ["response.created", "response.output_text.delta", "response.completed"]
    assert "usage_unknown" not in told(setting, "resp_client")


def test_anthropic_whole_and_streamed(setting: Setting) -> None:
    with clients(setting) as (_, client):
        setting.provider.answer = lambda asked: document(message("msg_client1"), headers=[("request-id", "req_c1")])
        whole = client.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=PROMPT)  # type: ignore[arg-type]  # plain dicts
        setting.provider.answer = lambda asked: stream(message_events("msg_client2"))
        with client.messages.stream(model="claude-haiku-4-5", max_tokens=9, messages=PROMPT) as streamed:  # type: ignore[arg-type]  # plain dicts
            final = streamed.get_final_message()
    assert (whole.usage.output_tokens, final.usage.output_tokens, whole._request_id) == (500, 500, "req_c1")
    assert "request-id:req_c1" in told(setting, "msg_client1")["identities"]  # type: ignore[operator]  # a list
    assert "usage_unknown" not in told(setting, "msg_client2")


def test_errors_of_the_provider_are_the_clients_own_errors(setting: Setting) -> None:
    limited = b'{"type":"error","error":{"type":"rate_limit_error","message":"slow down"}}'
    setting.provider.answer = lambda asked: document(limited, status=429, headers=[("request-id", "req_429")])
    with clients(setting) as (one, other):
        with pytest.raises(anthropic.RateLimitError) as refused:
            other.messages.create(model="claude-haiku-4-5", max_tokens=9, messages=PROMPT)  # type: ignore[arg-type]  # plain dicts
        with pytest.raises(openai.RateLimitError):
            one.chat.completions.create(model="gpt-4o", messages=PROMPT)  # type: ignore[arg-type]  # plain dicts
    assert refused.value.request_id == "req_429"


def test_a_retry_of_the_client_is_a_call_of_its_own(setting: Setting) -> None:
    said = [document(b'{"error":{"message":"busy"}}', status=529), document(chat("chatcmpl-client3"))]
    before = len(setting.provider.asked)
    setting.provider.answer = lambda asked: said.pop(0)
    with clients(setting, retries=1) as (client, _):
        assert client.chat.completions.create(model="gpt-4o", messages=PROMPT).id == "chatcmpl-client3"  # type: ignore[arg-type]  # plain dicts
    assert len(setting.provider.asked) == before + 2
    told(setting, "chatcmpl-client3")


def test_a_stream_that_is_cut_is_an_error_of_the_client(setting: Setting) -> None:
    async def cut(asked: Asked) -> AsyncIterator[bytes]:
        async for piece in stream(chat_events("chatcmpl-client4")[:2]):
            if piece == b"0\r\n\r\n":
                raise CutError
            yield piece

    setting.provider.answer = cut
    with clients(setting) as (client, _):
        streamed = client.chat.completions.create(model="gpt-4o", messages=PROMPT, stream=True)  # type: ignore[arg-type, call-overload]  # plain dicts
        with pytest.raises((httpx2.RemoteProtocolError, openai.APIConnectionError)):
            list(streamed)
    assert told(setting, "chatcmpl-client4")["usage_unknown"] == "cut"


def test_sixteen_clients_at_a_time_get_each_their_own_answer(setting: Setting) -> None:
    setting.provider.answer = lambda asked: document(message(f"msg_{asked.body[-8:-2].decode()}"))

    async def ask() -> list[str]:
        url = f"{setting.proxy.url}/anthropic/v1/messages"
        async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
            bodies = [b'{"n":"%06d"}' % number for number in range(160)]
            return [
                came.json()["id"] for came in await asyncio.gather(*(client.post(url, content=body) for body in bodies))
            ]

    assert asyncio.run(ask()) == [f"msg_{number:06d}" for number in range(160)]
