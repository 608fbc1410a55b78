"""The published prices asserted here are history: those of days gone by in the list that is locked."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from genai_prices import Usage, calc_price

from finance.pricing import PriceBook, cost_of
from loaders.price_library import library_prices
from store import Price, Request

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_known_model_has_a_line_for_each_time_its_price_changed() -> None:
    before, after = library_prices({("anthropic", "claude-opus-4-6")}, now=NOW)

    assert before.price_id == "library:anthropic/claude-opus-4-6@1970-01-01"
    assert before.effective_to == after.effective_from == datetime(2026, 3, 13, tzinfo=UTC)
    assert (before.tier_over, before.tier_output, after.tier_over) == (200_000, Decimal("37.5"), None)
    assert after == Price(
        price_id="library:anthropic/claude-opus-4-6@2026-03-13",
        source=after.source,
        provider="anthropic",
        model="claude-opus-4-6",
        effective_from=datetime(2026, 3, 13, tzinfo=UTC),
        input=Decimal(5),
        cache_read=Decimal("0.5"),
        cache_write_5m=Decimal("6.25"),
        cache_write_1h=Decimal(10),
        output=Decimal(25),
        known_at=NOW,
    )
    assert after.source.startswith("library:genai-prices 0.")


@pytest.mark.parametrize(
    "model", ["claude-opus-4-6-20260205", "claude-opus-4-6@20260205", "Claude-Opus-4-6", "claude-opus-4.6"]
)
def test_the_date_of_a_snapshot_and_the_spelling_do_not_hide_a_model(model: str) -> None:
    lines = library_prices({("anthropic", model)}, now=NOW)

    assert [line.output for line in lines] == [Decimal(25), Decimal(25)]
    assert {line.model for line in lines} == {model}


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-4-60"),
        ("anthropic", "claude-opus-4-6-fast"),
        ("anthropic", "claude-opus"),
        ("anthropic", "claude-unheard-of-9"),
        ("my-anthropic-proxy", "claude-opus-4-6"),
        ("nobody", "claude-opus-4-6"),
        ("litellm", "anthropic/claude-opus-4-6"),
        ("azure", "claude-opus-4-6"),
    ],
)
def test_no_price_is_guessed_from_a_family_a_prefix_or_another_seller(provider: str, model: str) -> None:
    assert library_prices({(provider, model)}, now=NOW) == []


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("deepseek", "deepseek-chat"),
        ("openrouter", "qwen/qwen3-coder-flash"),
        ("perplexity", "sonar-deep-research"),
        ("openai", "whisper-1"),
    ],
    ids=["by the time of day", "two tiers", "a part of the output", "by the second"],
)
def test_a_price_that_a_line_cannot_say_is_none(provider: str, model: str) -> None:
    assert library_prices({(provider, model)}, now=NOW) == []


def test_a_price_per_thousand_requests_is_the_fee_of_a_call() -> None:
    [line] = library_prices({("perplexity", "sonar")}, now=NOW)

    assert (line.input, line.output, line.per_call_fee) == (Decimal(1), Decimal(1), Decimal("0.012"))


def test_a_cache_price_that_the_list_lacks_leaves_the_bucket_unpriced() -> None:
    [line] = library_prices({("openai", "gpt-5.2")}, now=NOW)
    call = Request(
        request_key="r",
        source="test",
        provider="openai",
        model="gpt-5.2",
        started_at=NOW,
        uncached_input_tokens=1_000,
        cache_read_tokens=0,
        cache_write_5m_tokens=1_000,
        cache_write_1h_tokens=0,
        output_tokens=0,
    )

    assert (line.cache_read, line.cache_write_5m, line.cache_write_1h) == (Decimal("0.175"), None, None)
    assert cost_of(call, PriceBook([line])).status == "UNPRICED"


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-opus-4-6"),
        ("anthropic", "claude-sonnet-4-5"),
        ("google", "gemini-2.5-pro"),
        ("openai", "gpt-5.2"),
        ("moonshotai", "kimi-k2.5"),
    ],
)
@pytest.mark.parametrize("at", [datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 3, 13, tzinfo=UTC)])
@pytest.mark.parametrize("uncached", [140_000, 140_001])
def test_a_line_prices_a_call_as_the_list_itself_does(provider: str, model: str, at: datetime, uncached: int) -> None:
    call = Request(
        request_key="r",
        source="test",
        provider=provider,
        model=model,
        started_at=at,
        uncached_input_tokens=uncached,
        cache_read_tokens=60_000,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=1_000,
    )
    usage = Usage(input_tokens=uncached + 60_000, cache_read_tokens=60_000, output_tokens=1_000)
    listed = calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price

    assert cost_of(call, PriceBook(library_prices({(provider, model)}, now=NOW))).usd == listed
