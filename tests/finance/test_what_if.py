"""Sums of calls cost what the calls cost one by one; a break-even holds where it is told."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.pricing import PriceBook, list_equivalent
from finance.what_if import (
    BUCKETS,
    Calls,
    Group,
    Rate,
    Success,
    break_even_delta,
    break_even_multiplier,
    compare,
    cost_of_calls,
    rates_of,
    success_after,
)
from store import Price, Request

START = datetime(2026, 1, 1, tzinfo=UTC)
_price = st.decimals(0, 100, places=6)
_tokens = st.tuples(*[st.integers(0, 5_000)] * 5)


@st.composite
def lines(draw: st.DrawFn, model: str) -> list[Price]:
    """Lines that follow each other, some with a tier, a fee, or an end that leaves a gap."""
    made = []
    for number in range(draw(st.integers(1, 3))):
        start = START + timedelta(days=30 * number)
        ends = draw(st.booleans())
        tier = draw(st.one_of(st.none(), st.integers(0, 8_000)))
        made.append(
            Price(
                price_id=f"{model}{number}",
                source="test",
                provider="acme",
                model=model,
                effective_from=start,
                effective_to=start + timedelta(days=20) if ends else None,
                per_call_fee=draw(st.decimals(0, 1, places=6)),
                tier_over=tier,
                known_at=start,
                **{bucket: draw(_price) for bucket in BUCKETS},
                **{f"tier_{bucket}": draw(_price) if tier is not None else None for bucket in BUCKETS},
            )
        )
    return made


def request(model: str, tokens: tuple[int, ...], day: int) -> Request:
    uncached, read, write_5m, write_1h, output = tokens
    return Request(
        request_key="r",
        source="test",
        provider="acme",
        model=model,
        started_at=START + timedelta(days=day),
        uncached_input_tokens=uncached,
        cache_read_tokens=read,
        cache_write_5m_tokens=write_5m,
        cache_write_1h_tokens=write_1h,
        output_tokens=output,
    )


def rate_for(
    rates: list[Rate], call: Request, tokens: tuple[int, ...], multiplier: Decimal = Decimal(1)
) -> Rate | None:
    prompt = sum(tokens[:-1]) * multiplier
    at = call.started_at
    assert at is not None
    found = [
        rate
        for rate in rates
        if rate.starts_at is not None
        and rate.starts_at <= at
        and (rate.ends_at is None or at < rate.ends_at)
        and (rate.prompt_over is None or prompt > rate.prompt_over)
        and (rate.prompt_up_to is None or prompt <= rate.prompt_up_to)
    ]
    assert len(found) <= 1
    return found[0] if found else None


@settings(max_examples=60, deadline=None)
@given(lines("big"), st.lists(st.tuples(_tokens, st.integers(-5, 95)), max_size=20))
def test_calls_added_up_by_rate_cost_what_they_cost_one_by_one(
    book_lines: list[Price], calls: list[tuple[tuple[int, ...], int]]
) -> None:
    book = PriceBook(book_lines)
    rates = rates_of(book, book_lines, [("acme", "big")])
    sums: defaultdict[int, list[tuple[int, ...]]] = defaultdict(list)
    one_by_one = Decimal(0)
    for tokens, day in calls:
        call = request("big", tokens, day)
        usd, rate = list_equivalent(call, book).usd, rate_for(rates, call, tokens)
        assert (usd is None) == (rate is None)
        if rate is not None and usd is not None:
            one_by_one += usd
            sums[rate.number].append(tokens)
    added = sum(
        (
            cost_of_calls(rates[number], Calls(len(of), tuple(map(sum, zip(*of, strict=True)))))
            for number, of in sums.items()
        ),
        Decimal(0),
    )
    assert added == one_by_one


@settings(max_examples=60, deadline=None)
@given(lines("big"), lines("small"), st.lists(st.tuples(_tokens, st.integers(0, 19)), min_size=1, max_size=8))
def test_at_a_break_even_both_sides_cost_the_same(
    own_lines: list[Price], other_lines: list[Price], calls: list[tuple[tuple[int, ...], int]]
) -> None:
    own = rates_of(PriceBook(own_lines), own_lines, [("acme", "big")])
    target = rates_of(PriceBook(other_lines), other_lines, [("acme", "small")])

    def groups_at(multiplier: Decimal) -> list[Group]:
        made = []
        for tokens, day in calls:
            call = request("big", tokens, day)
            mine, theirs = rate_for(own, call, tokens), rate_for(target, call, tokens, multiplier)
            assert mine is not None
            assert theirs is not None
            made.append(Group(mine.number, theirs.number, Calls(1, tokens), Decimal(0)))
        return made

    multiplier, status = break_even_multiplier(own, target, groups_at, Decimal(1))
    assert (multiplier is not None) == (status == "OK")
    if multiplier:
        at = compare(own, target, groups_at(multiplier), multiplier)
        assert abs(at.saving_usd) <= Decimal("1e-9")


FLAT = Price(
    price_id="p", source="test", provider="acme", model="m", effective_from=START, input=Decimal(3), output=Decimal(15)
)


def test_a_bucket_without_a_price_is_named() -> None:
    (rate, _) = rates_of(PriceBook([FLAT]), [FLAT], [("acme", "m")])
    with pytest.raises(ValueError, match="price line 'p' has no price for cache_write_5m"):
        cost_of_calls(rate, Calls(1, (1, 0, 1, 0, 0)))


def test_a_call_of_unknown_time_has_a_rate_only_where_every_time_has_the_same() -> None:
    later = replace(FLAT, price_id="q", effective_from=START + timedelta(days=9), input=Decimal(4))
    assert [r.starts_at for r in rates_of(PriceBook([FLAT]), [FLAT], [("ACME", "M")])] == [START, None]
    assert None not in [r.starts_at for r in rates_of(PriceBook([FLAT, later]), [FLAT, later], [("acme", "m")])]


def test_a_model_of_which_the_book_has_no_line_has_no_rate() -> None:
    assert rates_of(PriceBook([FLAT]), [FLAT], [("acme", "other")]) == []


def test_tokens_that_cost_nothing_never_break_even() -> None:
    free = replace(FLAT, input=Decimal(0), output=Decimal(0))
    own, target = (rates_of(PriceBook([line]), [line], [("acme", "m")]) for line in (FLAT, free))
    groups = [Group(0, 0, Calls(1, (1000, 0, 0, 0, 10)), Decimal(0))]
    assert break_even_multiplier(own, target, lambda _: groups, Decimal(1)) == (None, "FREE")
    assert break_even_multiplier(own, target, lambda _: [], Decimal(1)) == (None, "NOTHING_TO_COMPARE")


def test_where_the_fees_alone_cost_more_there_is_no_break_even() -> None:
    dear = replace(FLAT, per_call_fee=Decimal(1))
    own, target = (rates_of(PriceBook([line]), [line], [("acme", "m")]) for line in (FLAT, dear))
    groups = [Group(0, 0, Calls(1, (1000, 0, 0, 0, 10)), Decimal(0))]
    assert break_even_multiplier(own, target, lambda _: groups, Decimal(1)) == (None, "FEES_ALONE_COST_MORE")


def test_cost_per_success_and_value_follow_the_success_rate() -> None:
    before = Success(20, Decimal(10), Decimal(5))
    after = success_after(before, Decimal(2), Decimal("-0.1"))
    assert after is not None
    assert (before.cost_per_success, after.cost_per_success) == (Decimal("0.5"), Decimal("0.25"))
    assert (before.net_value(Decimal(1)), after.net_value(Decimal(1))) == (Decimal(5), Decimal(6))
    assert break_even_delta(before, Decimal(2), Decimal(1)) == Decimal("-0.15")
    assert break_even_delta(before, Decimal(2), Decimal(0)) is None
    assert success_after(before, Decimal(2), Decimal("-0.6")) is None
    assert Success(3, Decimal(0), Decimal(1)).cost_per_success is None
