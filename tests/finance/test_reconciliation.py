from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from finance.reconciliation import Compared, residuals, totals
from finance.residual import Cause

MONEY = st.none() | st.decimals(min_value=-1000, max_value=1000, places=3)


def compared(status: Any, computed: str | None, billed: str | None, **fields: Any) -> Compared:
    amounts = {"computed_usd": computed and Decimal(computed), "billed_usd": billed and Decimal(billed)}
    return Compared(**{"provider": "acme", "status": status, **amounts, **fields})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.builds(lambda c, b: compared("MATCH", c and str(c), b and str(b)), MONEY, MONEY), max_size=6))
def test_computed_and_residual_add_up_to_what_was_billed(rows: list[Compared]) -> None:
    found = totals(rows)
    assert found.settled_computed_usd + sum(line.usd for line in residuals(rows)) == found.billed_usd
    assert found.absolute_drift_usd >= abs(found.net_drift_usd)
    assert found.matched_share is None or (found.billed_usd > 0 and 0 <= found.matched_share <= 1)


def test_over_nothing_there_is_no_share() -> None:
    found = totals([])
    assert (found.official_usd, found.capture_share, found.matched_share) == (0, None, None)
    assert residuals([]) == ()


def test_a_refund_that_outweighs_the_bills_leaves_no_share() -> None:
    assert totals([compared("OVER_COMPUTED", "3", "-5")]).matched_share is None


def test_the_provider_that_nobody_named_comes_last() -> None:
    rows = [compared("UNTRACKED", None, "1", provider=None), compared("UNTRACKED", None, "2", provider="z")]
    assert [line.provider for line in residuals(rows)] == ["z", None]


def test_what_is_matched_lets_causes_of_either_sign_not_cancel() -> None:
    both = (Cause(kind="UNRECORDED_TRAFFIC", usd=Decimal(3)), Cause(kind="PRICE_DIFFERENCE", usd=Decimal(-3)))
    cancelling = compared("MATCH", "10", "10", causes=both)
    assert (cancelling.matched_usd, cancelling.matched_share) == (7, Decimal("0.7"))
    assert totals([cancelling, compared("MATCH", "30", "30")]).matched_share == Decimal(37) / 40


def test_a_period_whose_credits_outweigh_its_bill_does_not_raise_the_share() -> None:
    assert totals([compared("MATCH", "10", "10"), compared("OVER_COMPUTED", "1", "-4")]).matched_share == 1


def test_without_causes_the_smaller_of_bill_and_calls_is_matched() -> None:
    assert compared("UNDER_COMPUTED", "1", "4").matched_share == Decimal("0.25")
    assert compared("UNTRACKED", None, "4").matched_share == 0
    assert compared("PENDING", "5", None).matched_share is None
    assert compared("UNDER_COMPUTED", None, "4", calls=1, unpriced_calls=1).matched_share is None
    assert compared("OVER_COMPUTED", "1", "-4").matched_share is None


def test_calls_that_cost_more_for_no_known_reason_leave_no_share_and_bound_that_of_all() -> None:
    twice = (Cause(kind="UNEXPLAINED", usd=Decimal(-2), missing="REPORTED_USAGE"),)
    for doubted in (compared("OVER_COMPUTED", "4", "2", causes=twice), compared("OVER_COMPUTED", "4", "2")):
        assert (doubted.has_doubted_calls, doubted.matched_usd, doubted.matched_share) == (True, None, None)
        together = totals([doubted, compared("UNTRACKED", None, "2")])
        assert (together.matched_share, together.is_matched_at_most) == (Decimal("0.5"), True)
    assert not totals([compared("MATCH", "2", "2")]).is_matched_at_most


def test_what_the_provider_does_not_count_is_taken_off_what_is_matched() -> None:
    def matched(usd: int) -> Decimal | None:
        cause = Cause(kind="CALLS_NOT_REPORTED", usd=Decimal(usd))
        return compared("OVER_COMPUTED", str(10 - usd), "10", causes=(cause,)).matched_share

    assert (matched(-1), matched(-12)) == (Decimal("0.9"), 0)


def test_where_no_cost_is_known_nothing_is_0() -> None:
    unknown = compared("PENDING", None, None, calls=2, unpriced_calls=1, unmeasured_calls=1)
    assert unknown.official_usd is None
    alone = totals([unknown])
    assert (alone.official_usd, alone.computed_usd, alone.pending_usd, alone.unknown_calls) == (None, None, None, 2)
    beside = totals([unknown, compared("PENDING", "3", None, calls=1)])
    assert (beside.official_usd, beside.computed_usd, beside.pending_usd, beside.unknown_calls) == (3, 3, 3, 2)
    billed = totals([compared("UNDER_COMPUTED", None, "5", calls=1, unpriced_calls=1)])
    assert (billed.official_usd, billed.settled_computed_usd, billed.capture_share) == (5, None, None)
