"""The usage of every kind of answer becomes the same five buckets, or is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loaders.openclaw.usage import Buckets
from loaders.openclaw.values import FieldError, Object
from loaders.responses.fields import sum_of
from loaders.responses.shapes import read_buckets

ANTHROPIC: Object = {
    "input_tokens": 100,
    "cache_read_input_tokens": 12000,
    "cache_creation_input_tokens": 400,
    "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 100},
    "output_tokens": 500,
    "output_tokens_details": {"thinking_tokens": 120},
}
OPENAI_CHAT: Object = {
    "prompt_tokens": 200000,
    "completion_tokens": 6000,
    "total_tokens": 206000,
    "prompt_tokens_details": {"cached_tokens": 180000, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 4100},
}
OPENAI_RESPONSES: Object = {
    "input_tokens": 200000,
    "input_tokens_details": {"cached_tokens": 180000, "cache_write_tokens": 5000},
    "output_tokens": 6000,
    "output_tokens_details": {"reasoning_tokens": 4100},
    "total_tokens": 206000,
}
OPENROUTER: Object = {
    "prompt_tokens": 12500,
    "completion_tokens": 500,
    "total_tokens": 13000,
    "prompt_tokens_details": {"cached_tokens": 12000, "cache_write_tokens": 400},
}
XAI_CHAT: Object = {
    "prompt_tokens": 5000,
    "completion_tokens": 300,
    "total_tokens": 5700,
    "prompt_tokens_details": {"cached_tokens": 4000},
    "completion_tokens_details": {"reasoning_tokens": 400},
}
GEMINI: Object = {
    "promptTokenCount": 10000,
    "cachedContentTokenCount": 8000,
    "candidatesTokenCount": 600,
    "thoughtsTokenCount": 300,
    "toolUsePromptTokenCount": 50,
    "totalTokenCount": 10950,
}
BEDROCK: Object = {
    "inputTokens": 3,
    "cacheReadInputTokens": 2074,
    "cacheWriteInputTokens": 297,
    "cacheDetails": [{"inputTokens": 200, "ttl": "1h"}, {"inputTokens": 97, "ttl": "5m"}],
    "outputTokens": 61,
    "totalTokens": 2435,
}
LITELLM: Object = {
    "prompt_tokens": 1000,
    "completion_tokens": 20,
    "total_tokens": 1020,
    "cache_read_input_tokens": 700,
    "cache_creation_input_tokens": 200,
    "prompt_tokens_details": {
        "cached_tokens": 700,
        "cache_creation_tokens": 200,
        "cache_creation_token_details": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 150},
    },
}


@pytest.mark.parametrize(
    ("provider", "usage", "expected"),
    [
        ("anthropic", ANTHROPIC, Buckets(100, 12000, 300, 100, 500)),
        ("openai", OPENAI_CHAT, Buckets(20000, 180000, 0, 0, 6000)),
        ("openai", OPENAI_RESPONSES, Buckets(15000, 180000, 5000, 0, 6000)),
        ("openrouter", OPENROUTER, Buckets(100, 12000, 400, 0, 500)),
        ("xai", XAI_CHAT, Buckets(1000, 4000, 0, 0, 700)),
        ("google", GEMINI, Buckets(2050, 8000, 0, 0, 900)),
        ("aws", BEDROCK, Buckets(3, 2074, 97, 200, 61)),
        ("litellm", LITELLM, Buckets(100, 700, 50, 150, 20)),
    ],
)
def test_an_answer_of_each_kind_has_disjoint_buckets(provider: str, usage: Object, expected: Buckets) -> None:
    assert read_buckets(usage, provider) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 7, "output_tokens": 2}, Buckets(7, 0, 0, 0, 2)),
        ({"prompt_tokens": 7, "total_tokens": 7}, Buckets(7, 0, 0, 0, 0)),
        ({"promptTokenCount": 7}, Buckets(7, 0, 0, 0, 0)),
        ({"prompt_tokens": 7, "completion_tokens": 2, "prompt_tokens_details": None}, Buckets(7, 0, 0, 0, 2)),
        ({"prompt_tokens": "7", "completion_tokens": "2"}, Buckets(7, 0, 0, 0, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 4}, Buckets(5, 4, 0, 0, 2)),
        ({"input_tokens": 7, "output_tokens": 2, "cache_creation_input_tokens": 9}, Buckets(7, 0, 9, 0, 2)),
        ({"billed_units": {"input_tokens": 4, "image_tokens": 0}}, Buckets(4, 0, 0, 0, 0)),
    ],
)
def test_what_is_left_out_was_not_used(usage: Object, expected: Buckets) -> None:
    assert read_buckets(usage, "any") == expected


def test_of_cohere_the_billed_tokens_count_and_not_those_that_it_processed() -> None:
    usage: Object = {
        "billed_units": {"input_tokens": 41, "output_tokens": 28},
        "cached_tokens": 1040,
        "tokens": {"input_tokens": 1442, "output_tokens": 29},
    }
    assert read_buckets(usage, "cohere") == Buckets(41, 0, 0, 0, 28)


def test_reasoning_that_only_the_total_has_is_added_once() -> None:
    inside = XAI_CHAT | {"total_tokens": 5300}
    assert read_buckets(inside, "openrouter").output == 300
    assert read_buckets(XAI_CHAT, "a gateway").output == 700
    assert read_buckets({k: v for k, v in XAI_CHAT.items() if k != "total_tokens"}, "x-ai").output == 700
    assert read_buckets({k: v for k, v in XAI_CHAT.items() if k != "total_tokens"}, "openai").output == 300


def test_thoughts_that_googles_chat_shape_hides_are_in_its_total() -> None:
    usage: Object = {"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}
    assert read_buckets(usage, "google") == Buckets(35, 0, 0, 0, 74)


def test_a_cache_hit_that_openrouter_replays_may_be_longer_than_the_prompt() -> None:
    usage: Object = {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}}
    assert read_buckets(usage, "openrouter") == Buckets(0, 8, 0, 0, 1)


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        ({}, "usage has no fields; counts are in input_tokens, prompt_tokens, inputTokens"),
        ({"tokens": 5, "price": 1}, "usage has price, tokens; counts are in input_tokens"),
        ({"input_tokens": 5}, "usage.output_tokens is missing beside input_tokens"),
        ({"prompt_tokens": 5, "total_tokens": 9}, "usage.completion_tokens is missing"),
        ({"prompt_tokens": -1, "completion_tokens": 1}, "usage.prompt_tokens must be a whole number from 0 on"),
        ({"prompt_tokens": True, "completion_tokens": 1}, "usage.prompt_tokens must be a whole number"),
        ({"prompt_tokens": {}, "completion_tokens": 1}, "usage.prompt_tokens must be a whole number"),
        ({"prompt_tokens": 1, "completion_tokens": 1, "prompt_tokens_details": [3]}, "must be in an object"),
        (
            {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 9},
            "usage.total_tokens is 9, but its parts make 6",
        ),
        (
            {"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 8}},
            "8 tokens were read from the cache and 0 written to it, of a prompt of 5",
        ),
        (
            {"prompt_tokens": 50, "completion_tokens": 1, "cached_tokens": 8, "prompt_cache_hit_tokens": 9},
            "says one count in two ways",
        ),
        (
            ANTHROPIC | {"input_tokens_details": {"cached_tokens": 3}},
            "both beside input_tokens and within them",
        ),
        (
            ANTHROPIC | {"cache_creation_input_tokens": 399},
            "300 for 5 minutes and 100 for 1 hour, but says that they are 399 together",
        ),
        (GEMINI | {"totalTokenCount": 10900}, "usage.totalTokenCount is 10,900, but its parts make 10,950"),
        (BEDROCK | {"totalTokens": 64}, "usage.totalTokens is 64, but its parts make 2,435"),
        (BEDROCK | {"cacheDetails": [{"inputTokens": 1, "ttl": "2w"}]}, "a ttl of 5m or 1h"),
        (BEDROCK | {"cacheDetails": 7}, "a ttl of 5m or 1h"),
        ({"billed_units": {"search_units": 1}}, "usage.billed_units has search_units; only input_tokens"),
        ({"billed_units": {"input_tokens": 1, "image_tokens": 9}}, "usage.billed_units has image_tokens, input_tokens"),
        ({"billed_units": None}, "usage.billed_units has nothing"),
    ],
)
def test_what_cannot_be_told_is_refused(usage: Object, reason: str) -> None:
    with pytest.raises(FieldError) as refused:
        read_buckets(usage, "any")
    assert reason in str(refused.value)


COUNTS = st.integers(0, 10**6)


@settings(max_examples=60, deadline=None)
@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_one_call_has_the_same_buckets_in_every_shape(fresh: int, read: int, written: int, output: int) -> None:
    prompt = fresh + read + written
    inner = {"cached_tokens": read, "cache_write_tokens": written}
    total = prompt + output
    shapes: list[Object] = [
        {"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": total, "prompt_tokens_details": inner},
        {"input_tokens": prompt, "output_tokens": output, "total_tokens": total, "input_tokens_details": inner},
        {
            "input_tokens": fresh,
            "cache_read_input_tokens": read,
            "cache_creation_input_tokens": written,
            "output_tokens": output,
        },
        {
            "inputTokens": fresh,
            "cacheReadInputTokens": read,
            "cacheWriteInputTokens": written,
            "outputTokens": output,
            "totalTokens": total,
        },
    ]
    found = {read_buckets(usage, "any") for usage in shapes}
    assert found == {Buckets(fresh, read, written, 0, output)}
    assert sum_of(found.pop()) == total
