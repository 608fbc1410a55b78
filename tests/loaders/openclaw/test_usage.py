"""Token buckets from every way in which usage has been written."""

from decimal import Decimal

import pytest

from loaders.openclaw.usage import NO_USAGE, Buckets, read_usage
from loaders.openclaw.values import FieldError, Object, parse


def buckets(api: str = "anthropic-messages", /, **usage: object) -> Buckets | None:
    return read_usage(usage, api).buckets


def test_the_usual_fields_are_already_disjoint() -> None:
    usage = {"input": 12, "output": 85, "cacheRead": 9000, "cacheWrite": 640, "totalTokens": 9737}
    assert buckets(**usage) == Buckets(12, 9000, 640, 0, 85)


@pytest.mark.parametrize("name", ["input", "inputTokens", "input_tokens", "promptTokens", "prompt_tokens"])
def test_input_is_read_under_each_of_its_names(name: str) -> None:
    assert buckets(**{name: 7}) == Buckets(7, 0, 0, 0, 0)


@pytest.mark.parametrize("name", ["output", "outputTokens", "output_tokens", "completionTokens", "completion_tokens"])
def test_output_is_read_under_each_of_its_names(name: str) -> None:
    assert buckets(**{name: 7}) == Buckets(0, 0, 0, 0, 7)


@pytest.mark.parametrize("name", ["cacheRead", "cache_read", "cache_read_input_tokens"])
def test_a_cache_read_beside_the_input_leaves_the_input_alone(name: str) -> None:
    assert buckets(input=100, **{name: 40}) == Buckets(100, 40, 0, 0, 0)


@pytest.mark.parametrize(
    "cached",
    [
        {"cached_tokens": 40},
        {"input_tokens_details": {"cached_tokens": 40}},
        {"prompt_tokens_details": {"cached_tokens": 40}},
    ],
)
def test_a_cached_part_within_the_input_is_taken_out_of_it(cached: Object) -> None:
    assert buckets(prompt_tokens=100, completion_tokens=5, total_tokens=105, **cached) == Buckets(60, 40, 0, 0, 5)


def test_more_cached_than_input_leaves_no_input_and_never_less_than_none() -> None:
    assert buckets(prompt_tokens=30, completion_tokens=5, cached_tokens=40) == Buckets(0, 40, 0, 0, 5)


def test_a_total_that_adds_up_proves_the_input_disjoint_whatever_the_names_say() -> None:
    assert buckets(input=100, output=5, cached_tokens=40, totalTokens=145) == Buckets(100, 40, 0, 0, 5)


@pytest.mark.parametrize("name", ["cacheWrite", "cache_write", "cache_creation_input_tokens"])
def test_cache_writes_are_written_for_five_minutes_unless_usage_says_otherwise(name: str) -> None:
    assert buckets(input=1, **{name: 50}) == Buckets(1, 0, 50, 0, 0)


def test_the_one_hour_part_is_taken_out_of_the_cache_writes() -> None:
    assert buckets(input=1, cacheWrite=50, cacheWrite1h=20) == Buckets(1, 0, 30, 20, 0)
    assert buckets(input=1, cacheWrite=50, cacheWrite1h=50) == Buckets(1, 0, 0, 50, 0)


def test_cache_writes_split_by_lifetime_are_not_added_to_their_total() -> None:
    split = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 20}
    assert buckets(input=1, cache_creation_input_tokens=50, cache_creation=split) == Buckets(1, 0, 30, 20, 0)
    assert buckets(input=1, cache_creation=split) == Buckets(1, 0, 30, 20, 0)


def test_reasoning_is_part_of_output_and_never_added() -> None:
    assert buckets("openai-responses", input=10, output=90, reasoningTokens=60, totalTokens=100) == Buckets(
        10, 0, 0, 0, 90
    )


def test_google_input_loses_its_cached_part_where_the_total_proves_that_it_contains_it() -> None:
    assert buckets("google-generative-ai", input=1000, output=50, cacheRead=800, totalTokens=1050) == Buckets(
        200, 800, 0, 0, 50
    )


def test_google_input_stays_where_the_total_shows_it_disjoint_or_is_missing() -> None:
    assert buckets("google-generative-ai", input=200, output=50, cacheRead=800, totalTokens=1050) == Buckets(
        200, 800, 0, 0, 50
    )
    assert buckets("google-generative-ai", input=1000, output=50, cacheRead=800) == Buckets(1000, 800, 0, 0, 50)


def test_another_provider_with_a_total_of_input_and_output_is_not_corrected() -> None:
    assert buckets("bedrock-converse-stream", input=1000, output=50, cacheRead=800, totalTokens=1050) == Buckets(
        1000, 800, 0, 0, 50
    )


def test_doubled_reasoning_is_taken_out_where_the_total_proves_it() -> None:
    proven = {"input": 100, "output": 90, "reasoningTokens": 60, "totalTokens": 130}
    assert buckets("openai-completions", **proven) == Buckets(100, 0, 0, 0, 30)


def test_reasoning_stays_in_output_where_nothing_proves_it_doubled() -> None:
    unproven = {"input": 100, "output": 90, "reasoningTokens": 60, "totalTokens": 190}
    assert buckets("openai-completions", **unproven) == Buckets(100, 0, 0, 0, 90)
    assert buckets("openai-completions", input=100, output=90, reasoningTokens=60) == Buckets(100, 0, 0, 0, 90)


def test_usage_of_only_zeros_is_no_usage() -> None:
    assert buckets(input=0, output=0, cacheRead=0, cacheWrite=0, totalTokens=0) is None
    assert buckets() is None


def test_a_null_in_the_place_of_the_tokens_in_or_out_is_no_usage_and_not_zero() -> None:
    assert buckets(input=12, output=None) is None
    assert buckets(input=None, output=85, cacheRead=9000) is None
    assert buckets(input=None, prompt_tokens=None, output=85) is None
    assert buckets(input=12) == Buckets(12, 0, 0, 0, 0)
    assert buckets(input=12, output=85, cacheRead=None, cacheWrite=None) == Buckets(12, 0, 0, 0, 85)


def test_a_total_alone_is_no_usage_because_it_has_no_price() -> None:
    assert buckets(totalTokens=1000) is None


def test_no_usage_object_is_no_usage() -> None:
    assert read_usage(None, "openai-responses") == NO_USAGE


def test_digits_in_a_text_and_a_whole_decimal_are_numbers() -> None:
    assert buckets(input="12", output="085") == Buckets(12, 0, 0, 0, 85)
    assert read_usage(parse(b'{"input": 12.0, "output": 1e3}'), "x").buckets == Buckets(12, 0, 0, 0, 1000)


def test_a_null_is_passed_over_for_the_next_name() -> None:
    assert buckets(input=None, input_tokens=9) == Buckets(9, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("usage", "reason"),
    [
        (b'{"input": -5}', "usage.input must be a whole number from 0 on, got -5"),
        (b'{"output": true}', "usage.output must be a whole number from 0 on, got true"),
        (b'{"cacheRead": "12k"}', 'usage.cacheRead must be a whole number from 0 on, got "12k"'),
        (b'{"input": 12.5}', 'usage.input must be a whole number from 0 on, got "12.5"'),
        (b'{"input": "-5"}', 'usage.input must be a whole number from 0 on, got "-5"'),
        (b'{"input": [1]}', "usage.input must be a whole number from 0 on, got [1]"),
        (b'{"input": 1e999999999}', 'usage.input must be a whole number from 0 on, got "1E+999999999"'),
        (b'{"input": 10000000000000001}', "usage.input must be a whole number from 0 on, got 10000000000000001"),
        (b'{"cache_creation": 5}', "cache_creation must be an object, got 5"),
    ],
)
def test_what_is_no_number_of_tokens_is_refused_by_name(usage: bytes, reason: str) -> None:
    with pytest.raises(FieldError) as refused:
        read_usage(parse(usage), "x")
    assert str(refused.value) == reason


def test_the_estimate_is_exact_and_zero_is_unknown() -> None:
    assert read_usage(parse(b'{"input": 1, "cost": {"total": 0.006411}}'), "x").estimated_usd == Decimal("0.006411")
    assert read_usage(parse(b'{"input": 1, "cost": {"total": 2}}'), "x").estimated_usd == Decimal(2)
    for cost in (
        b'{"total": 0}',
        b'{"total": -1}',
        b'{"total": "1"}',
        b'{"total": true}',
        b'{"total": 1e999999999}',
        b"{}",
        b"5",
        b"null",
    ):
        assert read_usage(parse(b'{"input": 1, "cost": ' + cost + b"}"), "x").estimated_usd is None


def test_what_was_recorded_is_kept_uncorrected_for_the_identity_of_the_call() -> None:
    usage = read_usage({"input": 1000, "output": 50, "cacheRead": 800, "totalTokens": 1050}, "google-vertex")
    assert usage.recorded == (1000, 50, 800, None)
