from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.pricing import (
    Bases,
    Cost,
    PriceBook,
    PriceLine,
    Usage,
    bases_of,
    cost_of,
    is_over_tier,
    list_equivalent,
    rounded_usd,
)
from store import Price, Request

NOON = datetime(2026, 2, 20, 12, tzinfo=UTC)
SONNET = Price(
    price_id="S1",
    source="prices",
    provider="anthropic",
    model="claude-sonnet-4-6",
    effective_from=datetime(2026, 2, 1, tzinfo=UTC),
    input=Decimal("3"),
    cache_read=Decimal("0.30"),
    cache_write_5m=Decimal("3.75"),
    cache_write_1h=Decimal("6"),
    output=Decimal("15"),
    tier_over=200_000,
    tier_input=Decimal("6"),
    tier_cache_read=Decimal("0.60"),
    tier_cache_write_5m=Decimal("7.50"),
    tier_cache_write_1h=Decimal("12"),
    tier_output=Decimal("22.50"),
)
CALL = Request(
    request_key="r",
    source="test",
    provider="anthropic",
    model="claude-sonnet-4-6",
    started_at=NOON,
    uncached_input_tokens=100,
    cache_read_tokens=10_000,
    cache_write_5m_tokens=2_000,
    cache_write_1h_tokens=4_000,
    output_tokens=300,
)
BOOK = PriceBook([SONNET])


def test_the_records_of_the_store_can_be_priced() -> None:
    usage: Usage = CALL
    line: PriceLine = SONNET

    assert cost_of(usage, PriceBook([line])) == Cost(Decimal("0.0393"), "PRICED", "S1")


def test_a_total_of_calls_is_priced_where_every_split_into_calls_costs_the_same() -> None:
    total = replace(CALL, scope="session", uncached_input_tokens=150_000)
    assert cost_of(total, BOOK).status == "PRICED"
    assert cost_of(total, BOOK) == cost_of(replace(total, scope="request"), BOOK)


def test_a_total_of_which_each_call_may_be_over_the_tier_or_below_it_has_no_price() -> None:
    calls = [replace(CALL, uncached_input_tokens=150_000), replace(CALL, uncached_input_tokens=150_000)]
    total = replace(
        CALL,
        scope="session",
        uncached_input_tokens=300_000,
        cache_read_tokens=20_000,
        cache_write_5m_tokens=4_000,
        cache_write_1h_tokens=8_000,
        output_tokens=600,
    )
    assert cost_of(total, BOOK) == Cost(None, "UNPRICED", "S1")
    # What the two calls cost, and what their sum would cost as one call.
    assert sum(cost_of(call, BOOK).usd or 0 for call in calls) == Decimal("0.978")
    assert cost_of(replace(total, scope="request"), BOOK).usd == Decimal("1.9515")


def test_a_total_has_no_price_where_each_call_has_a_fee() -> None:
    book = PriceBook([replace(SONNET, per_call_fee=Decimal("0.01"))])
    assert cost_of(replace(CALL, scope="session"), book) == Cost(None, "UNPRICED", "S1")


def test_a_billed_amount_wins_over_everything_even_if_it_is_zero() -> None:
    call = replace(CALL, billed_usd=Decimal(0), reported_usd=Decimal(5), is_included=True)

    assert cost_of(call, BOOK) == Cost(Decimal(0), "BILLED")


def test_a_call_that_a_plan_covers_costs_nothing_and_has_a_list_equivalent() -> None:
    call = replace(CALL, is_included=True, reported_usd=Decimal(5))

    assert cost_of(call, BOOK) == Cost(Decimal(0), "INCLUDED")
    assert list_equivalent(call, BOOK) == Cost(Decimal("0.0393"), "PRICED", "S1")


def test_a_reported_total_wins_over_a_price() -> None:
    assert cost_of(replace(CALL, reported_usd=Decimal("0.5")), BOOK) == Cost(Decimal("0.5"), "REPORTED")


def test_a_call_without_usage_is_unknown_and_not_free() -> None:
    call = Request(request_key="r", source="test", provider="anthropic", model="claude-sonnet-4-6", started_at=NOON)

    assert cost_of(call, BOOK) == Cost(None, "MISSING_USAGE", "S1")


@pytest.mark.parametrize(
    ("provider", "model"),
    [
        ("anthropic", "claude-sonnet-4"),
        ("anthropic", "claude-sonnet-4-6-fast"),
        ("anthropic", None),
        (None, "claude-sonnet-4-6"),
        ("openrouter", "claude-sonnet-4-6"),
    ],
)
def test_a_model_that_the_book_does_not_name_is_unpriced(provider: str | None, model: str | None) -> None:
    assert cost_of(replace(CALL, provider=provider, model=model), BOOK) == Cost(None, "UNPRICED")


def test_names_match_without_regard_to_case_when_none_is_written_so() -> None:
    assert cost_of(replace(CALL, provider="Anthropic", model="Claude-Sonnet-4-6"), BOOK).usd == Decimal("0.0393")


def test_a_name_as_it_is_written_wins_over_one_in_other_case() -> None:
    free = replace(SONNET, price_id="S2", model="Claude-Sonnet-4-6", input=Decimal(0))

    assert PriceBook([free, SONNET]).in_force("anthropic", "claude-sonnet-4-6", NOON) == SONNET


def test_the_prompt_must_be_over_the_threshold_to_take_the_tier_price() -> None:
    on = replace(
        CALL, uncached_input_tokens=199_000, cache_read_tokens=1_000, cache_write_5m_tokens=0, cache_write_1h_tokens=0
    )
    over = replace(on, cache_read_tokens=1_001)

    assert not is_over_tier(on, SONNET)
    assert cost_of(on, BOOK).usd == Decimal("0.6018")
    assert is_over_tier(over, SONNET)
    assert cost_of(over, BOOK).usd == Decimal("1.2013506")


def test_output_does_not_count_towards_the_tier() -> None:
    call = replace(CALL, output_tokens=1_000_000)

    assert cost_of(call, BOOK).usd == Decimal("15.0348")


def test_a_used_bucket_without_a_price_makes_the_call_unpriced() -> None:
    book = PriceBook([replace(SONNET, cache_write_1h=None)])

    assert cost_of(CALL, book) == Cost(None, "UNPRICED", "S1")
    assert cost_of(replace(CALL, cache_write_1h_tokens=0), book) == Cost(Decimal("0.0153"), "PRICED", "S1")


def test_a_call_of_which_a_part_has_a_price_that_no_line_states_is_unpriced_without_a_bill() -> None:
    call = replace(CALL, unpriced_part="audio input")

    assert cost_of(call, BOOK) == Cost(None, "UNPRICED", "S1")
    assert list_equivalent(replace(call, is_included=True), BOOK) == Cost(None, "UNPRICED", "S1")
    assert cost_of(replace(call, billed_usd=Decimal("0.07")), BOOK) == Cost(Decimal("0.07"), "BILLED")
    assert cost_of(replace(call, is_included=True), BOOK) == Cost(Decimal(0), "INCLUDED")
    assert cost_of(replace(call, reported_usd=Decimal("0.5")), BOOK) == Cost(Decimal("0.5"), "REPORTED")


def test_a_call_of_unknown_usage_is_not_called_unpriced_for_its_terms() -> None:
    call = Request(request_key="r", source="t", provider="anthropic", model="m", unpriced_part="flex tier")

    assert cost_of(call, BOOK) == Cost(None, "MISSING_USAGE")


def test_a_price_of_zero_is_a_price() -> None:
    free = Decimal(0)
    local = replace(SONNET, input=free, cache_read=free, cache_write_5m=free, cache_write_1h=free, output=free)

    assert cost_of(CALL, PriceBook([local])) == Cost(Decimal(0), "PRICED", "S1")


def test_the_fee_of_a_call_is_added_once_and_does_not_depend_on_tokens() -> None:
    book = PriceBook([replace(SONNET, per_call_fee=Decimal("0.01"))])

    assert cost_of(CALL, book).usd == Decimal("0.0493")


def test_a_line_ends_at_the_instant_at_which_the_next_one_starts() -> None:
    before = replace(SONNET, effective_to=NOON)
    after = replace(SONNET, price_id="S2", effective_from=NOON)
    book = PriceBook([after, before])

    assert book.in_force("anthropic", "claude-sonnet-4-6", NOON - timedelta(microseconds=1)) == before
    assert book.in_force("anthropic", "claude-sonnet-4-6", NOON) == after
    assert book.in_force("anthropic", "claude-sonnet-4-6", datetime(2026, 1, 31, tzinfo=UTC)) is None


def test_a_correction_wins_once_it_is_known_and_a_past_report_can_be_repeated() -> None:
    first = replace(SONNET, known_at=datetime(2026, 2, 1, tzinfo=UTC))
    corrected = replace(SONNET, price_id="S2", input=Decimal(2), known_at=datetime(2026, 2, 25, tzinfo=UTC))
    book = PriceBook([corrected, first])

    assert cost_of(CALL, book).price_id == "S2"
    assert cost_of(CALL, book, known_at=datetime(2026, 2, 24, tzinfo=UTC)).price_id == "S1"


def test_a_new_version_of_a_line_voids_the_earlier_one_also_where_the_new_one_is_not_in_force() -> None:
    first = replace(SONNET, known_at=datetime(2026, 2, 1, tzinfo=UTC))
    ended = replace(SONNET, effective_to=NOON, known_at=datetime(2026, 2, 25, tzinfo=UTC))
    book = PriceBook([first, ended])

    assert cost_of(CALL, book) == Cost(None, "UNPRICED")
    assert cost_of(CALL, book, known_at=datetime(2026, 2, 24, tzinfo=UTC)).price_id == "S1"
    assert cost_of(replace(CALL, started_at=NOON - timedelta(hours=1)), book).price_id == "S1"


def test_the_line_known_later_wins_over_one_that_starts_later() -> None:
    later = replace(SONNET, price_id="S2", effective_from=datetime(2026, 2, 10, tzinfo=UTC))
    corrected = replace(SONNET, known_at=datetime(2026, 2, 25, tzinfo=UTC))

    assert cost_of(CALL, PriceBook([later, corrected])).price_id == "S1"


def test_of_two_lines_known_at_one_time_the_later_one_wins() -> None:
    later = replace(SONNET, price_id="S2", effective_from=datetime(2026, 2, 10, tzinfo=UTC))

    assert cost_of(CALL, PriceBook([later, SONNET])).price_id == "S2"


def test_a_line_of_the_library_loses_to_any_line_of_the_book_in_force() -> None:
    listed = replace(SONNET, price_id="L", source="library:genai-prices 1", known_at=datetime(2027, 1, 1, tzinfo=UTC))
    own = replace(SONNET, model="CLAUDE-SONNET-4-6", effective_to=NOON + timedelta(hours=1))
    book = PriceBook([listed, own])

    assert book.in_force("anthropic", "claude-sonnet-4-6", NOON) == own
    assert book.in_force("anthropic", "claude-sonnet-4-6", NOON + timedelta(hours=1)) == listed


def test_a_call_at_an_unknown_instant_is_priced_if_the_price_never_changed() -> None:
    undated = replace(CALL, started_at=None)
    same = replace(SONNET, price_id="S2", effective_from=NOON)
    other = replace(same, output=Decimal(16))
    before = replace(SONNET, effective_to=NOON)

    assert cost_of(undated, PriceBook([before, same])) == Cost(Decimal("0.0393"), "PRICED", "S2")
    assert cost_of(undated, PriceBook([before, other])) == Cost(None, "UNPRICED")


def test_an_amount_keeps_its_digits_up_to_the_twelfth_place() -> None:
    assert rounded_usd(Decimal("0.1234567890125")) == Decimal("0.123456789012")
    assert rounded_usd(Decimal("0.1234567890135")) == Decimal("0.123456789014")
    assert str(rounded_usd(Decimal("1.50"))) == "1.50"


def test_the_largest_count_at_the_largest_price_is_exact() -> None:
    book = PriceBook([replace(SONNET, tier_over=None, input=Decimal("999999999999999.999999999999"))])
    call = replace(
        CALL,
        uncached_input_tokens=2**62 - 1,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
        output_tokens=0,
    )

    assert cost_of(call, book).usd == Decimal("4611686018427387902999999995.388313981573")


amounts = st.decimals(min_value=0, max_value=1000, places=7)
instants = st.integers(0, 4).map(lambda day: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day))
counts = st.one_of(st.integers(0, 3), st.integers(0, 3_000_000))
"""Small ranges, so that instants, thresholds and halves of the last place meet often."""


@st.composite
def price_lines(draw: st.DrawFn) -> Price:
    start = draw(instants)
    bucket = st.one_of(st.none(), amounts)
    return Price(
        price_id=draw(st.sampled_from(["p1", "p2", "p3", "p4"])),
        source=draw(st.sampled_from(["prices", "library:list 1"])),
        provider=draw(st.sampled_from(["a", "A"])),
        model=draw(st.sampled_from(["m", "m", "m", "n"])),
        effective_from=start,
        effective_to=draw(st.one_of(st.none(), st.integers(1, 3).map(lambda days: start + timedelta(days=days)))),
        input=draw(bucket),
        cache_read=draw(bucket),
        cache_write_5m=draw(amounts),
        cache_write_1h=draw(amounts),
        output=draw(amounts),
        tier_over=draw(st.sampled_from([None, 0, 3, 5])),
        tier_input=draw(bucket),
        tier_cache_read=draw(amounts),
        tier_cache_write_5m=draw(amounts),
        tier_cache_write_1h=draw(amounts),
        tier_output=draw(amounts),
        per_call_fee=draw(amounts),
        known_at=draw(st.one_of(st.none(), instants)),
    )


calls = st.builds(
    Request,
    request_key=st.just("r"),
    source=st.just("test"),
    provider=st.just("a"),
    model=st.just("m"),
    started_at=instants,
    uncached_input_tokens=counts,
    cache_read_tokens=counts,
    cache_write_5m_tokens=counts,
    cache_write_1h_tokens=counts,
    output_tokens=counts,
)


def plainly_in_force(call: Request, lines: list[Price], known_at: datetime | None) -> Price | None:
    """The newest version of each line that is known; of those in force, own before library, exact name before other."""
    never = datetime.min.replace(tzinfo=UTC)
    newest: dict[str, Price] = {}
    for line in sorted(lines, key=lambda line: line.known_at or never):
        if known_at is None or (line.known_at or never) <= known_at:
            newest[line.price_id] = line
    assert call.started_at is not None
    in_force = [
        line
        for line in newest.values()
        if line.model == "m" and line.effective_from <= call.started_at
        if line.effective_to is None or call.started_at < line.effective_to
    ]
    in_force.sort(key=lambda line: line.price_id)
    in_force.sort(key=lambda line: line.effective_from)
    in_force.sort(key=lambda line: line.known_at or never)
    in_force.sort(key=lambda line: (line.source == "prices", line.provider == "a"))
    return in_force[-1] if in_force else None


def plain_cost(call: Request, line: Price | None) -> Fraction | None:
    if line is None:
        return None
    names = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    tokens = [getattr(call, f"{name}_tokens") for name in names]
    tier = "tier_" if line.tier_over is not None and sum(tokens[:4]) > line.tier_over else ""
    prices = [getattr(line, tier + name) for name in ("input", *names[1:])]
    if any(count > 0 and price is None for count, price in zip(tokens, prices, strict=True)):
        return None
    total = sum(count * Fraction(price or 0) for count, price in zip(tokens, prices, strict=True))
    exact = total / 1_000_000 + Fraction(line.per_call_fee)
    return Fraction(round(exact * 10**12), 10**12)


@settings(max_examples=200)
@given(
    calls,
    st.lists(price_lines(), max_size=6),
    st.one_of(st.none(), instants),
)
def test_a_cost_equals_the_sum_of_fractions(call: Request, lines: list[Price], known_at: datetime | None) -> None:
    line = plainly_in_force(call, lines, known_at)
    expected = plain_cost(call, line)
    cost = cost_of(call, PriceBook(lines), known_at)

    assert cost.price_id == (line.price_id if line else None)
    assert cost.status == ("UNPRICED" if expected is None else "PRICED")
    assert (None if cost.usd is None else Fraction(cost.usd)) == expected


def test_the_list_equivalent_and_what_the_cache_changed_stand_beside_the_cost() -> None:
    billed = replace(CALL, billed_usd=Decimal("0.01"))
    reads = Decimal("0.003")  # 10,000 x 0.30, a million
    saving, premium = Decimal("0.027"), Decimal("0.0135")  # 10,000 x (3 - 0.30); 2,000 x 0.75 and 4,000 x 3, a million
    for call, cost in (
        (CALL, Cost(Decimal("0.0393"), "PRICED", "S1")),
        (billed, Cost(Decimal("0.01"), "BILLED")),
        (replace(CALL, is_included=True), Cost(Decimal(0), "INCLUDED")),
    ):
        assert bases_of(call, BOOK) == Bases(cost, Decimal("0.0393"), reads, saving, premium)


def test_the_cache_is_compared_with_the_prices_of_the_tier_that_the_call_takes() -> None:
    over = bases_of(replace(CALL, uncached_input_tokens=190_000), BOOK)
    assert (over.cache_read_saving_usd, over.cache_write_premium_usd) == (Decimal("0.054"), Decimal("0.027"))
    assert over.cache_read_usd == Decimal("0.006")


def test_a_call_without_cached_tokens_saved_nothing_and_paid_no_premium() -> None:
    plain = replace(CALL, cache_read_tokens=0, cache_write_5m_tokens=0, cache_write_1h_tokens=0)
    bases = bases_of(plain, BOOK)
    assert (bases.cache_read_usd, bases.cache_read_saving_usd, bases.cache_write_premium_usd) == (0, 0, 0)


@pytest.mark.parametrize(
    "call",
    [
        replace(CALL, model="another"),
        replace(CALL, unpriced_part="audio input"),
        replace(CALL, billed_usd=Decimal(1), model=None),
    ],
)
def test_without_a_price_the_list_equivalent_and_the_cache_are_unknown_and_not_zero(call: Request) -> None:
    bases = bases_of(call, BOOK)
    assert (bases.list_usd, bases.cache_read_usd) == (None, None)
    assert (bases.cache_read_saving_usd, bases.cache_write_premium_usd) == (None, None)


def test_a_cache_that_has_no_uncached_price_beside_it_saves_an_unknown_amount() -> None:
    book = PriceBook([replace(SONNET, input=None)])
    bases = bases_of(replace(CALL, uncached_input_tokens=0), book)
    assert (bases.list_usd, bases.cache_read_usd) == (Decimal("0.039"), Decimal("0.003"))
    assert (bases.cache_read_saving_usd, bases.cache_write_premium_usd) == (None, None)
