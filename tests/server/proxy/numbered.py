"""Calls that are known by their number: what is asked, what a provider answers, and what a store must say of it."""

import re
from dataclasses import dataclass
from decimal import Decimal

from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from tests.server.proxy.answers import chat, chat_events, message, message_events
from tests.server.proxy.stub import Asked, Pieces, document, stream

SESSIONS, AGENTS = 10, 3
_MILLION = Decimal(1_000_000)
_NUMBER = re.compile(rb"call (\d+)")


@dataclass(frozen=True)
class Expected:
    """Call number n. Prices are a million tokens': gpt-4o 2.50, cached 1.25, 10; haiku 1, 0.10, written 1.25, 5."""

    number: int

    @property
    def is_chat(self) -> bool:
        return self.number % 2 == 0

    @property
    def is_stream(self) -> bool:
        return self.number % 4 >= 2

    @property
    def key(self) -> str:
        return f"openai:chatcmpl-x{self.number:06d}" if self.is_chat else f"anthropic:msg_x{self.number:06d}"

    @property
    def tokens(self) -> tuple[int, int, int, int]:
        """Uncached, cached, written, output."""
        return 1_000 + self.number, 12_000, 0 if self.is_chat else 400, 10 + self.number % 7

    @property
    def cost_usd(self) -> Decimal:
        prices = ("2.5", "1.25", "0", "10") if self.is_chat else ("1", "0.1", "1.25", "5")
        return sum((Decimal(p) * n for p, n in zip(prices, self.tokens, strict=True)), Decimal()) / _MILLION

    @property
    def tags(self) -> dict[str, str]:
        names = f"session-{self.number % SESSIONS}", f"agent-{self.number % AGENTS}"
        return {"X-OpenClaw-Session-Id": names[0], "X-OpenClaw-Agent-Id": names[1]}

    def row(self) -> tuple[object, ...]:
        model = "gpt-4o" if self.is_chat else "claude-haiku-4-5"
        return (*self.tags.values(), model, 1, *self.tokens, self.cost_usd)


async def provider(asked: Asked) -> Pieces:
    """What a provider answers to call n, which is in the prompt."""
    found = _NUMBER.search(asked.body)
    assert found is not None
    expected = Expected(int(found[1]))
    plain, read, written, output = expected.tokens
    name = expected.key.partition(":")[2]
    if expected.is_chat:
        usage = {"prompt_tokens": plain + read, "completion_tokens": output, "total_tokens": plain + read + output}
        usage |= {"prompt_tokens_details": {"cached_tokens": read}}  # type: ignore[dict-item]  # an object among counts
        events, whole = chat_events(name, usage), chat(name, usage)
    else:
        counts = {"input_tokens": plain, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
        usage = {**counts, "output_tokens": output}
        events, whole = message_events(name, usage), message(name, usage)
    async for piece in stream(events) if b'"stream":true' in asked.body else document(whole):
        yield piece


@dataclass(frozen=True)
class Clients:
    openai: AsyncOpenAI
    anthropic: AsyncAnthropic

    @classmethod
    def of(cls, chat_url: str, messages_url: str) -> "Clients":
        return cls(
            AsyncOpenAI(base_url=chat_url, api_key="sk-test", max_retries=0),
            AsyncAnthropic(base_url=messages_url, api_key="sk-ant-test", max_retries=0),
        )

    async def ask(self, expected: Expected) -> None:
        """One call; an answer that is not its own is an `AssertionError`."""
        name, prompt = expected.key.partition(":")[2], f"call {expected.number}"
        got = await (self._chat(expected, prompt) if expected.is_chat else self._message(expected, prompt))
        assert got == (name, expected.tokens[3]), (got, name)

    async def _chat(self, expected: Expected, prompt: str) -> tuple[str, int]:
        asks = self.openai.chat.completions
        if not expected.is_stream:
            whole = await asks.create(
                model="gpt-4o", messages=[{"role": "user", "content": prompt}], extra_headers=expected.tags
            )
            assert whole.usage is not None
            return whole.id, whole.usage.completion_tokens
        streamed = await asks.create(
            model="gpt-4o",
            messages=[{"role": "user", "content": prompt}],
            stream=True,
            stream_options={"include_usage": True},
            extra_headers=expected.tags,
        )
        chunks = [chunk async for chunk in streamed]
        assert chunks[-1].usage is not None
        return chunks[-1].id, chunks[-1].usage.completion_tokens

    async def _message(self, expected: Expected, prompt: str) -> tuple[str, int]:
        asks = self.anthropic.messages
        if not expected.is_stream:
            whole = await asks.create(
                model="claude-haiku-4-5",
                max_tokens=100,
                messages=[{"role": "user", "content": prompt}],
                extra_headers=expected.tags,
            )
            return whole.id, whole.usage.output_tokens
        async with asks.stream(
            model="claude-haiku-4-5",
            max_tokens=100,
            messages=[{"role": "user", "content": prompt}],
            extra_headers=expected.tags,
        ) as streamed:
            final = await streamed.get_final_message()
        return final.id, final.usage.output_tokens
