from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from finance.burn import Burn, Driver, at_volume, inference_of, repriced, scaled, volume_of
from finance.runway import (
    Cash,
    Forecast,
    Scheduled,
    day_after,
    flags,
    flat,
    most_sessions,
    point,
    recurring,
    rolled_forward,
    walk,
)

AS_OF = date(2026, 2, 21)


def usd(text: str) -> Decimal:
    return Decimal(text)


def burn(daily: str, days: int = 30, inflow: str = "0") -> Burn:
    drivers = [Driver("inference", (usd(daily),) * days)]
    if usd(inflow):
        drivers.append(Driver("revenue", (-usd(inflow),) * days, is_inflow=True))
    return Burn(days, tuple(drivers))


def forecast(cash: str | None = "1000", daily: str = "10", **fields: object) -> Forecast:
    known = Cash() if cash is None else Cash(usd(cash), AS_OF, AS_OF)
    return replace(Forecast(AS_OF, known, burn(daily)), **fields)  # type: ignore[arg-type]


def test_cash_that_is_gone_is_depleted_whatever_is_known_of_burn() -> None:
    assert point(forecast("0")).status == "DEPLETED"
    assert point(forecast("-1", burn=Burn(0, ()))).status == "DEPLETED"
    assert point(forecast("-1")).on == AS_OF


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (forecast(None), "CASH_UNKNOWN"),
        (forecast(burn=Burn(0, ())), "NO_DATA"),
        (forecast(burn=Burn(30, (), 3, is_unknown=True)), "UNPRICED"),
        (forecast(daily="0"), "NO_BURN"),
        (forecast(burn=burn("10", inflow="10")), "BREAK_EVEN"),
        (forecast(burn=burn("10", inflow="11")), "CASH_FLOW_POSITIVE"),
    ],
)
def test_what_is_no_number_has_a_status(asked: Forecast, status: str) -> None:
    told = point(asked)
    assert (told.status, told.days, told.months, told.on) == (status, None, None, None)


def test_a_company_that_earns_may_still_run_out_on_a_day_of_the_calendar() -> None:
    due = Scheduled(AS_OF + timedelta(days=9), usd("-2000"), "machines")
    told = point(forecast(burn=burn("10", inflow="11"), schedule=(due,)))
    assert (told.status, told.days) == ("OK", 9)


def test_money_that_comes_in_in_time_carries_beyond_the_horizon() -> None:
    pay = recurring("grant", usd("400"), AS_OF + timedelta(days=1), AS_OF + timedelta(days=3650))
    assert point(forecast(schedule=tuple(pay), horizon_days=3650)).status == "BEYOND_HORIZON"


def test_money_that_comes_in_too_late_does_not_help() -> None:
    late = Scheduled(AS_OF + timedelta(days=101), usd("5000"), "late")
    assert point(forecast(schedule=(late,))).days == 100


def test_a_date_beyond_a_century_is_none_and_says_so() -> None:
    rich = forecast("10000000", daily="0.01")
    assert point(rich).on is None
    assert point(rich).days == 1_000_000_000
    assert flags(rich) == ("BEYOND_A_CENTURY",)
    assert day_after(date(9999, 12, 30), Fraction(5)) is None


def test_cash_of_eight_days_ago_is_stale_and_is_rolled_forward_with_funding() -> None:
    old = Cash(usd("1000"), AS_OF, AS_OF - timedelta(days=8), funding_since=usd("500"))
    stale = forecast(cash_max_age_days=7)
    stale = replace(stale, cash=old)
    assert flags(stale) == ("STALE_CASH",)
    assert rolled_forward(stale) == usd("1420")
    fresh = replace(stale, cash=replace(old, oldest_on=AS_OF - timedelta(days=7)))
    assert flags(fresh) == ()
    assert rolled_forward(fresh) is None


def test_burn_with_unknown_members_is_flagged() -> None:
    assert flags(forecast(burn=replace(burn("10"), unknown_rows=1))) == ("LOWER_BOUND",)
    fees = replace(burn("10"), unknown_rows=1, doubted_fees=1)
    assert flags(forecast(burn=fees)) == ("LOWER_BOUND", "FEES_IN_DOUBT")


def test_what_recurs_is_read_from_the_calendar_and_not_from_the_mean() -> None:
    rent = Driver("expense", (usd("0"),) * 29 + (usd("300"),), is_recurring=True)
    both = replace(burn("10"), drivers=(*burn("10").drivers, rent))
    asked = forecast(burn=both, schedule=tuple(recurring("rent", usd("-300"), date(2026, 3, 1), date(2030, 1, 1))))
    assert asked.burn.gross_daily == 20
    assert asked.rate == 10
    told = point(asked)
    assert told.on == date(2026, 4, 2), "40 days at 10, and 300 twice"
    beside = flat(asked)
    assert beside.on is not None
    assert beside.error_days == (beside.on - date(2026, 4, 2)).days > 0


@settings(max_examples=60, deadline=None)
@given(
    cash=st.integers(1, 5_000),
    daily=st.integers(-20, 60),
    items=st.lists(st.tuples(st.integers(1, 120), st.integers(-900, 900)), max_size=8),
)
def test_the_walk_jumps_to_the_day_that_a_walk_day_by_day_finds(
    cash: int, daily: int, items: list[tuple[int, int]]
) -> None:
    schedule = tuple(
        sorted(
            (Scheduled(AS_OF + timedelta(days=day), Decimal(amount), f"i{n}") for n, (day, amount) in enumerate(items)),
            key=lambda item: item.on,
        )
    )
    asked = forecast(str(cash), str(daily), schedule=schedule, horizon_days=150)
    left, first = cash, None
    for day in range(1, 151):
        left += sum(amount for at, amount in items if at == day) - daily
        if left <= 0:
            first = day
            break
    told = point(asked)
    if schedule:
        assert (told.days if told.status == "OK" else None) == first
        if first is not None:
            assert next(day.on for day in walk(asked, 150) if day.closing_usd <= 0) == told.on


@settings(max_examples=40, deadline=None)
@given(
    cash=st.integers(1_000, 50_000),
    fixed=st.integers(0, 100),
    cost=st.integers(1, 300),
    items=st.lists(st.tuples(st.integers(1, 90), st.integers(-400, 400)), max_size=5),
)
def test_the_affordable_volume_lasts_and_a_little_more_does_not(
    cash: int, fixed: int, cost: int, items: list[tuple[int, int]]
) -> None:
    schedule = tuple(
        sorted((Scheduled(AS_OF + timedelta(days=d), Decimal(a), "i") for d, a in items), key=lambda item: item.on)
    )
    asked = forecast(str(cash), "0", schedule=schedule)
    each, months = Fraction(cost, 100), Fraction(3)
    most = most_sessions(asked, fixed_daily=Fraction(fixed), cost_per_session=each, months=months)
    end = months * Fraction("30.4375")

    def lasts(volume: Fraction) -> bool:
        days = [d for d, _ in items if d <= end]
        due = {d: sum(a for at, a in items if at <= d) for d in days} | {end: sum(a for at, a in items if at <= end)}
        return all(cash + due[d] - d * (fixed + volume * each) >= 0 for d in due)

    if most is None:
        assert not lasts(Fraction(0))
    else:
        assert lasts(most)
        assert not lasts(most + Fraction(1, 10**6))


def test_twice_the_agents_is_twice_the_calls_and_the_same_bills() -> None:
    bills = Driver("compute", (usd("5"),) * 30)
    both = replace(burn("10"), drivers=(*burn("10").drivers, bills))
    assert scaled(both, Decimal(2)).gross_daily == 25


def test_part_of_the_calls_takes_another_price() -> None:
    found = repriced(burn("10", days=3), {1: usd("4")}, {1: usd("1")})
    assert inference_of(found) == (usd("10"), usd("7"), usd("10"))


def test_a_volume_keeps_the_mean_exactly_and_leaves_calls_without_a_session() -> None:
    sessions = volume_of(30, 30, usd("200"), 1.0)
    found = at_volume(burn("10"), sessions, Decimal(7))
    assert found.gross_daily == Fraction(300 - 200, 30) + 7 * Fraction(200, 30)


def test_a_volume_without_a_costed_session_is_refused() -> None:
    with pytest.raises(ValueError, match="no session of these days has a known cost"):
        at_volume(burn("10"), volume_of(3, 0, usd("0"), None), Decimal(7))


def test_the_interval_of_a_sessions_cost_is_students_and_not_below_0() -> None:
    sessions = volume_of(4, 4, usd("4"), 0.5)
    assert sessions.cost_per_session_high is not None
    assert float(sessions.cost_per_session_high) == pytest.approx(1 + 3.182446305284263 * 0.25)
    assert volume_of(2, 2, usd("2"), 10.0).cost_per_session_low == 0
    assert volume_of(1, 1, usd("2"), None).cost_per_session_low is None
