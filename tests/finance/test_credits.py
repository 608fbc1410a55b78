from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from finance.credits import Quota, outlook


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quota(**fields: Any) -> Quota:
    known = {
        "observed_at": at("2026-02-11"),
        "used": Decimal(600),
        "limit": Decimal(1000),
        "starts_on": date(2026, 2, 1),
        "resets_at": at("2026-03-01"),
        "fee_usd": Decimal(10),
    }
    return Quota(**{**known, **fields})


NOW = at("2026-02-12")


def test_at_the_pace_of_the_period_the_day_of_exhaustion_is_the_first_that_closes_at_nothing() -> None:
    seen = outlook(quota(), NOW)
    assert (seen.daily, seen.remaining, seen.unit_usd) == (Decimal(60), Decimal(400), Decimal("0.01"))
    assert seen.exhausts_on == date(2026, 2, 18)  # 400 / 60 = 6.67 days after the 11th
    assert (seen.exhausts_before_reset, seen.used_at_reset, seen.shortfall) == (True, Decimal(1680), Decimal(680))
    assert seen.breakage_usd == Decimal(4)


def test_an_observation_in_the_afternoon_counts_the_part_of_its_day() -> None:
    assert outlook(quota(observed_at=at("2026-02-11T12:00")), NOW).elapsed_days == Decimal("10.5")


def test_credits_that_last_to_the_reset_are_not_short() -> None:
    seen = outlook(quota(used=Decimal(10)), NOW)
    assert (seen.exhausts_before_reset, seen.shortfall) == (False, Decimal(0))


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"limit": None}, "UNLIMITED"),
        ({"used": Decimal(1000)}, "EXHAUSTED"),
        ({"used": Decimal(1200)}, "EXHAUSTED"),
        ({"limit": Decimal(0), "used": Decimal(0)}, "EXHAUSTED"),
        ({"starts_on": None}, "PERIOD_UNKNOWN"),
        ({"observed_at": at("2026-02-01T01:00")}, "TOO_EARLY"),
        ({"observed_at": at("2026-01-15")}, "TOO_EARLY"),
        ({"used": Decimal(0)}, "NO_USE"),
        ({"resets_at": at("2026-02-12")}, "PERIOD_OVER"),
    ],
)
def test_without_a_projection_there_is_a_reason(fields: dict[str, Any], status: str) -> None:
    seen = outlook(quota(**fields), NOW)
    assert seen.status == status
    if status in ("UNLIMITED", "PERIOD_UNKNOWN", "TOO_EARLY", "NO_USE", "PERIOD_OVER"):
        assert seen.exhausts_on is None
    if status == "EXHAUSTED" and seen.daily is not None and seen.daily > 0:
        assert (seen.remaining, seen.exhausts_on) == (Decimal(0), date(2026, 2, 11))


def test_without_a_fee_the_credits_are_counted_and_the_money_is_null() -> None:
    seen = outlook(quota(fee_usd=None), NOW)
    assert (seen.unit_usd, seen.breakage_usd, seen.status) == (None, None, "OK")


def test_a_day_beyond_a_century_is_no_day() -> None:
    assert outlook(quota(used=Decimal("0.000001")), NOW).exhausts_on is None
