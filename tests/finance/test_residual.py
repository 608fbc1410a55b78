"""Why a bill and the calls differ. Prices of `big` per token: 0.001 in, 0.0001 read, 0.002 written, 0.01 out."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from finance.accounts import KINDS, Accounts, BillLine, Recorded, Reported, Tokens, added, beyond
from finance.residual import Cause, split

BOOK: Any = {"big": tuple(map(Decimal, ("0.001", "0.0001", "0.002", "0.01")))}
ONE: Tokens = (100, 1000, 50, 10)
"""A call of 0.1 + 0.1 + 0.1 + 0.1 = 0.4 USD."""


def usd(text: str) -> Decimal:
    return Decimal(text)


def recorded(calls: int = 1, /, model: str = "big", **fields: Any) -> Recorded:
    priced = tuple(calls * count for count in ONE)
    known: dict[str, Any] = {"calls": calls, "priced": priced, "computed_usd": calls * usd("0.4")}
    return Recorded(model=model, **known | fields)


def counted(calls: int, model: str | None = "big", requests: int | None = None, tokens: Any = ONE) -> Reported:
    return Reported(model=model, tokens=tuple(calls * n for n in tokens), requests=requests)


def lines(calls: int, model: str = "big", each: str = "0.1") -> list[BillLine]:
    return [BillLine(model, kind, calls * usd(each)) for kind in KINDS]


def accounts(bill: list[BillLine], ours: list[Recorded], theirs: list[Reported] | None, **fields: Any) -> Accounts:
    return Accounts(lines=bill, recorded=ours, reported=theirs, **{"prices": BOOK} | fields)


def told(one: Accounts) -> dict[tuple[str, Any], Decimal]:
    causes = split(one)
    assert sum(cause.usd for cause in causes) == one.billed_usd - one.computed_usd
    return {(cause.kind, cause.missing or cause.model): cause.usd for cause in causes}


def test_accounts_that_agree_have_no_cause() -> None:
    assert split(accounts(lines(2), [recorded(2)], [counted(2)])) == ()


def test_tokens_that_the_provider_counted_and_nobody_recorded_are_worth_what_it_billed_for_them() -> None:
    (cause,) = split(accounts(lines(3), [recorded(2)], [counted(3, requests=3)]))
    assert cause == Cause(kind="UNRECORDED_TRAFFIC", usd=usd("0.4"), model="big", tokens=1160, calls=1)


def test_a_discount_is_told_from_traffic_that_nobody_recorded() -> None:
    cheap = accounts(lines(3, each="0.08"), [recorded(2)], [counted(3)])
    assert told(cheap) == {("UNRECORDED_TRAFFIC", "big"): usd("0.32"), ("PRICE_DIFFERENCE", "big"): usd("-0.16")}


def test_two_that_cancel_are_both_told() -> None:
    (more, less) = sorted(split(accounts(lines(4, each="0.05"), [recorded(2)], [counted(4)])), key=lambda c: c.usd)
    assert (more.kind, more.usd) == ("PRICE_DIFFERENCE", usd("-0.4"))
    assert (less.kind, less.usd) == ("UNRECORDED_TRAFFIC", usd("0.4"))


def test_what_the_provider_does_not_count_may_still_come_while_its_day_is_open() -> None:
    for may_change, kind in ((True, "OTHER_DAYS"), (False, "CALLS_NOT_REPORTED")):
        found = split(accounts(lines(1), [recorded(2)], [counted(1, requests=1)], may_change=may_change))
        assert found == (Cause(kind=kind, usd=usd("-0.4"), model="big", tokens=1160, calls=1),)


def test_a_model_that_the_provider_neither_counts_nor_bills_is_worth_what_it_was_computed_with() -> None:
    nobody = accounts([], [recorded(1, computed_usd=usd("0.39"))], [], prices={})
    assert told(nobody) == {("CALLS_NOT_REPORTED", "big"): usd("-0.39")}


def test_fees_and_credits_are_what_the_bill_says_they_are() -> None:
    bill = [*lines(1), BillLine(None, "fee", usd("0.02")), BillLine(None, "credit", usd("-0.05"))]
    assert told(accounts(bill, [recorded()], [counted(1)])) == {
        ("FEES", None): usd("0.02"),
        ("CREDITS", None): usd("-0.05"),
    }


def test_fees_may_be_in_calls_that_were_billed_one_by_one() -> None:
    bill = [*lines(1), BillLine(None, "fee", usd("0.02"))]
    ours = recorded(computed_usd=usd("0.41"))
    assert told(accounts(bill, [ours], [counted(1)], are_fees_in_calls=True)) == {
        ("UNEXPLAINED", "FEES_IN_CALLS"): usd("0.01")
    }


def test_calls_without_a_price_are_worth_what_the_bill_asks_for_their_tokens() -> None:
    ours = Recorded(
        model="big", calls=3, priced=ONE, computed_usd=usd("0.4"), unpriced=added(ONE, ONE), unpriced_calls=2
    )
    (cause,) = split(accounts(lines(3), [ours], [counted(3)], prices={}))
    assert cause == Cause(kind="UNPRICED_CALLS", usd=usd("0.8"), model="big", tokens=2320, calls=2)


def test_calls_without_usage_have_the_rest_where_the_provider_counted_no_other_call() -> None:
    ours = recorded(2, calls=3, unmeasured_calls=1)
    (cause,) = split(accounts(lines(3), [ours], [counted(3, requests=3)]))
    assert cause == Cause(kind="CALLS_WITHOUT_USAGE", usd=usd("0.4"), model="big", tokens=1160, calls=1)
    uncounted = accounts(lines(3), [ours], [counted(3)])
    assert told(uncounted) == {("UNEXPLAINED", "REQUEST_COUNTS"): usd("0.4")}
    another = accounts(lines(4), [ours], [counted(4, requests=4)])
    assert told(another) == {("UNEXPLAINED", "USAGE_OF_CALLS"): usd("0.8")}


def test_calls_under_a_plan_are_a_cause_where_the_provider_counts_them_too() -> None:
    ours = recorded(1, calls=2, included=ONE, included_calls=1)
    assert told(accounts(lines(2), [ours], [counted(2)])) == {("INCLUDED_CALLS", "big"): usd("0.4")}
    assert split(accounts(lines(1), [ours], [counted(1)])) == ()
    either = accounts(lines(3), [ours], [counted(3)])
    assert told(either) == {("UNEXPLAINED", "PLAN_OR_BILL"): usd("0.8")}


def test_without_a_report_of_the_provider_nothing_is_split() -> None:
    assert told(accounts(lines(3), [recorded(2)], None)) == {("UNEXPLAINED", "REPORTED_USAGE"): usd("0.4")}


def test_a_model_of_which_no_call_was_recorded_is_traffic_that_no_source_recorded_whoever_reports() -> None:
    bill = [*lines(1), *lines(1, "small")]
    assert told(accounts(bill, [recorded()], None)) == {("UNRECORDED_TRAFFIC", "small"): usd("0.4")}


def test_names_of_which_each_side_has_one_may_mean_the_same_model() -> None:
    theirs = [counted(2, "Big, the newest")]
    found = told(accounts(lines(2, "Big, the newest"), [recorded(1)], theirs))
    assert found == {("UNEXPLAINED", "MODEL_NAMES"): usd("0.4")}
    assert told(accounts(lines(2, "Big, the newest"), [recorded(1)], None)) == found


def test_a_bill_that_does_not_say_what_it_is_for_is_split_at_the_price_book() -> None:
    lump = [BillLine(None, None, usd("1.25"))]
    found = told(accounts(lump, [recorded(2)], [counted(3)]))
    assert found == {("UNRECORDED_TRAFFIC", "big"): usd("0.4"), ("UNEXPLAINED", "BILL_LINES"): usd("0.05")}
    assert told(accounts(lump, [recorded(2)], [counted(3)], prices={})) == {("UNEXPLAINED", "PRICES"): usd("0.45")}
    close = told(accounts(lump, [recorded(2)], [counted(3)], tolerance_usd=usd("0.05")))
    assert close == {("UNRECORDED_TRAFFIC", "big"): usd("0.4"), ("ROUNDING", None): usd("0.05")}


def test_a_line_for_all_tokens_of_a_model_is_spread_as_the_book_weighs_them() -> None:
    bill = [BillLine("big", "tokens", usd("0.6"))]
    assert told(accounts(bill, [recorded(1)], [counted(2)])) == {
        ("UNRECORDED_TRAFFIC", "big"): usd("0.3"),
        ("PRICE_DIFFERENCE", "big"): usd("-0.1"),
    }


def test_a_report_that_leaves_out_a_kind_of_token_settles_nothing_about_it() -> None:
    theirs = [Reported(model="big", tokens=(100, None, 50, 10))]
    assert told(accounts(lines(1), [recorded(2)], theirs)) == {("UNEXPLAINED", "REPORTED_USAGE"): usd("-0.4")}


def test_tokens_of_which_the_provider_tells_some_kinds_only_are_not_added_up() -> None:
    (cause,) = split(accounts(lines(1), [], [Reported(model="big", tokens=(None, 1000, 50, 10), requests=1)]))
    assert (cause.kind, cause.tokens, cause.calls) == ("UNRECORDED_TRAFFIC", None, 1)


def test_tokens_that_are_billed_elsewhere_settle_nothing() -> None:
    theirs = [Reported(model="big", tokens=ONE, is_billed_apart=True)]
    assert told(accounts([], [recorded()], theirs)) == {("UNEXPLAINED", "BILLED_APART"): usd("-0.4")}


def test_two_bills_for_the_same_days_may_be_one_bill_twice() -> None:
    twice = accounts([*lines(1), BillLine(None, None, usd("0.4"))], [recorded()], [counted(1)], is_one_bill=False)
    assert told(twice) == {("UNEXPLAINED", "ONE_BILL"): usd("0.4")}


def test_without_a_price_a_line_for_several_kinds_needs_none_where_the_tokens_are_the_same() -> None:
    bill = [BillLine("big", "tokens", usd("0.38"))]
    found = told(accounts(bill, [recorded(1)], [counted(1)], prices={}))
    assert found == {("PRICE_DIFFERENCE", "big"): usd("-0.02")}


def test_who_counted_more_says_how_much_is_missing_at_least() -> None:
    assert beyond((120, None, 10, 10), (100, 50, 60, 10)) == 20
    assert beyond((1, 1, 1, 1), (1, 1, 1, 1)) == 0
    assert beyond((None, None, None, 12), (5, 5, 5, 10), prompt=20) == 7


COUNTS = st.tuples(*[st.integers(0, 10**9)] * 4)
MONEY = st.decimals(0, 10**6, places=6)
MODELS = st.sampled_from(["big", "small", "other"])
OURS = st.builds(
    Recorded,
    model=MODELS,
    calls=st.integers(1, 9),
    priced=COUNTS,
    computed_usd=MONEY,
    unpriced=st.just((0, 0, 0, 0)) | COUNTS,
    unpriced_calls=st.integers(0, 3),
    included=st.just((0, 0, 0, 0)) | COUNTS,
    included_calls=st.integers(0, 3),
    unmeasured_calls=st.integers(0, 1),
    untold_calls=st.integers(0, 1),
)
THEIRS = st.builds(
    Reported,
    model=MODELS | st.none(),
    tokens=st.tuples(*[st.none() | st.integers(0, 10**9)] * 4),
    requests=st.none() | st.integers(0, 9),
)
LINES = st.builds(
    BillLine,
    MODELS | st.none(),
    st.none() | st.sampled_from([*KINDS, "tokens", "fee", "credit"]),
    st.decimals(-(10**6), 10**6, places=9),
)
ALL = st.builds(
    Accounts,
    lines=st.lists(LINES, max_size=6),
    recorded=st.lists(OURS, max_size=3, unique_by=lambda one: one.model),
    reported=st.none() | st.lists(THEIRS, max_size=3, unique_by=lambda one: one.model),
    are_fees_in_calls=st.booleans(),
    may_change=st.booleans(),
    prices=st.just(BOOK) | st.just(dict.fromkeys(("big", "small", "other", None), BOOK["big"])),
    tolerance_usd=st.just(usd("0.01")),
)


@settings(max_examples=300, deadline=None)
@example(accounts(lines(3), [recorded(2)], [counted(3, tokens=(101, 999, 50, 10))]))
@given(ALL)
def test_causes_always_add_up_to_the_residual(one: Accounts) -> None:
    causes = split(one)
    assert sum(cause.usd for cause in causes) == one.billed_usd - one.computed_usd
    assert all(cause.usd for cause in causes)
    assert {cause.missing is None for cause in causes if cause.kind == "UNEXPLAINED"} <= {False}


@settings(max_examples=100, deadline=None)
@given(COUNTS, COUNTS, st.integers(1, 200))
def test_whatever_the_discount_the_rate_and_what_was_missed_are_told_apart(
    ours: Tokens, missed: Tokens, percent: int
) -> None:
    rates = [price * percent / 100 for price in BOOK["big"]]
    theirs = added(ours, missed)
    bill = [BillLine("big", kind, n * rate) for kind, n, rate in zip(KINDS, theirs, rates, strict=True)]
    cost = sum((n * price for n, price in zip(ours, BOOK["big"], strict=True)), Decimal(0))
    found = told(
        accounts(bill, [Recorded(model="big", calls=1, priced=ours, computed_usd=cost)], [counted(1, tokens=theirs)])
    )
    assert found.get(("UNRECORDED_TRAFFIC", "big"), 0) == sum(n * r for n, r in zip(missed, rates, strict=True))
    assert found.get(("PRICE_DIFFERENCE", "big"), 0) == cost * percent / 100 - cost


@pytest.mark.parametrize("calls", [2, 7])
def test_whatever_share_is_missing_no_digit_is_lost(calls: int) -> None:
    bill = [BillLine("big", "tokens", usd("0.100000000001"))]
    told(accounts(bill, [recorded(calls)], [counted(3)]))
