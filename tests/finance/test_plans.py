from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from finance.plans import PlanUse, days_begun, plan_worth

FEBRUARY = (date(2026, 2, 1), date(2026, 3, 1))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def use(**fields: Any) -> PlanUse:
    known = {"starts_on": FEBRUARY[0], "ends_on": FEBRUARY[1], "fee_usd": Decimal(200), "accrued_usd": Decimal(100)}
    return PlanUse(**{**known, "calls": 2, "unpriced_calls": 0, "list_usd": Decimal(100), **fields})


@pytest.mark.parametrize(
    ("as_of", "days"),
    [
        ("2026-01-31T23:59:59", 0),
        ("2026-02-01T00:00:00", 0),
        ("2026-02-01T00:00:00.000001", 1),
        ("2026-02-15T00:00:00", 14),
        ("2026-02-15T12:00:00", 15),
        ("2026-03-01T00:00:00", 28),
        ("2030-01-01T00:00:00", 28),
    ],
)
def test_a_day_counts_once_it_has_begun_and_never_beyond_the_period(as_of: str, days: int) -> None:
    assert days_begun(*FEBRUARY, at(as_of)) == days


def test_leverage_is_list_equivalent_over_the_whole_fee() -> None:
    worth = plan_worth(use(), at("2026-02-15"))
    assert (worth.status, worth.leverage, worth.unused_usd) == ("OK", Decimal("0.5"), Decimal(100))
    assert (worth.period_days, worth.accrued_days) == (28, 14)


def test_a_plan_that_pays_off_has_nothing_unused() -> None:
    worth = plan_worth(use(list_usd=Decimal(500)), at("2026-02-15"))
    assert (worth.leverage, worth.unused_usd) == (Decimal("2.5"), Decimal(0))


@pytest.mark.parametrize(
    ("fields", "status", "leverage"),
    [
        ({"fee_usd": None, "accrued_usd": None}, "FEE_UNKNOWN", None),
        ({"fee_usd": Decimal(0)}, "FREE", None),
        ({"fee_usd": Decimal(-5)}, "FREE", None),
        ({"calls": 0, "list_usd": Decimal(0)}, "NO_USE", Decimal(0)),
        ({"unpriced_calls": 2, "list_usd": Decimal(0)}, "UNPRICED", None),
        ({"unpriced_calls": 1}, "PARTIAL", Decimal("0.5")),
        ({"has_overlap": True}, "OVERLAPPING", None),
    ],
)
def test_a_null_has_a_reason(fields: dict[str, Any], status: str, leverage: Decimal | None) -> None:
    worth = plan_worth(use(**fields), at("2026-02-15"))
    assert (worth.status, worth.leverage) == (status, leverage)
    assert (worth.unused_usd is None) == (leverage is None)


def test_a_plan_that_has_not_begun_is_not_compared() -> None:
    assert plan_worth(use(), at("2026-01-01")).status == "NOT_STARTED"
