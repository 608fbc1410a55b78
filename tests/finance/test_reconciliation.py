from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from finance.reconciliation import Cause, Compared, causes, residuals, totals

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
    assert found.matched_share is None or found.billed_usd > 0


def test_over_nothing_there_is_no_share() -> None:
    found = totals([])
    assert (found.official_usd, found.capture_share, found.matched_share) == (0, None, None)
    assert residuals([]) == ()


def test_a_refund_that_outweighs_the_bills_leaves_no_share() -> None:
    assert totals([compared("OVER_COMPUTED", "3", "-5")]).matched_share is None


def test_the_provider_that_nobody_named_comes_last() -> None:
    rows = [compared("UNTRACKED", None, "1", provider=None), compared("UNTRACKED", None, "2", provider="z")]
    assert [line.provider for line in residuals(rows)] == ["z", None]


def test_causes_have_an_amount_only_where_it_is_known() -> None:
    fields = {"calls": 9, "unpriced_calls": 2, "unmeasured_calls": 1, "included_calls": 3, "price_changes": 1}
    assert causes(compared("UNDER_COMPUTED", "3", "5", included_list_usd=Decimal("1.5"), **fields)) == (
        Cause("UNPRICED_CALLS", 2, None),
        Cause("CALLS_WITHOUT_USAGE", 1, None),
        Cause("INCLUDED_CALLS", 3, Decimal("1.5")),
        Cause("PRICE_CHANGED", None, None),
    )
    assert causes(compared("MATCH", "1", "1.001")) == (Cause("ROUNDING", None, Decimal("0.001")),)
    assert causes(compared("PENDING", "3", None, calls=2)) == (Cause("NO_BILL", 2, Decimal(3)),)
    assert causes(compared("UNTRACKED", None, "7.77")) == (Cause("NO_CALLS", None, Decimal("7.77")),)
    assert causes(compared("MATCH", "1", "1")) == ()
    assert causes(compared("UNDER_COMPUTED", "1", "4", calls=1)) == (Cause("UNEXPLAINED", None, Decimal(3)),)


def test_where_no_cost_is_known_nothing_is_0() -> None:
    unknown = compared("PENDING", None, None, calls=2, unpriced_calls=1, unmeasured_calls=1)
    assert unknown.official_usd is None
    assert causes(unknown)[0] == Cause("NO_BILL", 2, None)
    alone = totals([unknown])
    assert (alone.official_usd, alone.computed_usd, alone.pending_usd, alone.unknown_calls) == (None, None, None, 2)
    beside = totals([unknown, compared("PENDING", "3", None, calls=1)])
    assert (beside.official_usd, beside.computed_usd, beside.pending_usd, beside.unknown_calls) == (3, 3, 3, 2)
    billed = totals([compared("UNDER_COMPUTED", None, "5", calls=1, unpriced_calls=1)])
    assert (billed.official_usd, billed.settled_computed_usd, billed.capture_share) == (5, None, None)
