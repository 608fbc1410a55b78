"""How long the cash lasts: statuses instead of odd numbers, a walk along the calendar, and what it affords.

Definitions: burn is a mean per day over the basis; runway is cash / net burn; the depletion date is the first day
whose projected closing cash is 0 or less, where day 0 is the day of the question (docs/runway.md). Where something is
scheduled, or recurs each month, the walk decides and the flat rate stands beside it for comparison.
Amounts are exact fractions until they are told.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import groupby
from math import ceil
from typing import Literal

from finance.burn import DAYS_A_MONTH, Burn, as_usd

Status = Literal[
    "OK", "DEPLETED", "NO_DATA", "UNPRICED", "CASH_UNKNOWN", "NO_BURN", "BREAK_EVEN", "CASH_FLOW_POSITIVE",
    "BEYOND_HORIZON",
]  # fmt: skip
Flag = Literal["SHORT_HISTORY", "STALE_CASH", "STALE_SPEND", "LOWER_BOUND", "FEES_IN_DOUBT", "BEYOND_A_CENTURY"]

FULL_BASIS = 30
CENTURY_DAYS = 36525
MOST_HORIZON_DAYS = CENTURY_DAYS
_MONTH = Fraction(DAYS_A_MONTH)


@dataclass(frozen=True, slots=True)
class Cash:
    """What is known of the cash on the day of the question; all three are None where nothing is."""

    balance_usd: Decimal | None = None
    known_on: date | None = None
    """Of the newest balance."""
    oldest_on: date | None = None
    """Of the account whose newest balance is the oldest; accounts at 0 do not count."""
    funding_since: Decimal = Decimal(0)
    """Funding up to the day of the question that is in no balance: dated after that of its account, or where it names
    none that is known, after the newest of all.
    """


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Money that comes in (positive) or goes out on one day after the day of the question."""

    on: date
    amount_usd: Decimal
    name: str
    is_recurring: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a projection starts from; the same for what is and for every scenario."""

    as_of: date
    cash: Cash
    burn: Burn
    schedule: tuple[Scheduled, ...] = ()
    """Ordered by day; only days after `as_of`."""
    horizon_days: int = 3653
    """How far the calendar is walked."""
    cash_max_age_days: int = 7
    calls_known_until: datetime | None = None
    """Each source of calls was read to its end at this instant or later; None where none has brought a call."""

    @property
    def is_walked(self) -> bool:
        return bool(self.schedule) or self.burn.has_recurring

    @property
    def rate(self) -> Fraction:
        """USD a day at which cash goes down between scheduled days."""
        return self.burn.variable_daily if self.is_walked else self.burn.net_daily


@dataclass(frozen=True, slots=True)
class Point:
    """When the cash is gone; `days` may have a fraction where no calendar was walked."""

    status: Status
    days: Fraction | None = None
    on: date | None = None

    @property
    def months(self) -> Fraction | None:
        return None if self.days is None else self.days / _MONTH


def point(forecast: Forecast, cash_usd: Decimal | None = None) -> Point:
    """The runway of a forecast, from its cash or from other cash."""
    balance = forecast.cash.balance_usd if cash_usd is None else cash_usd
    if balance is not None and balance <= 0:
        return Point("DEPLETED", Fraction(0), forecast.as_of)
    if not forecast.burn.basis_days:
        return Point("NO_DATA")
    if forecast.burn.is_unknown:
        return Point("UNPRICED")
    if balance is None:
        return Point("CASH_UNKNOWN")
    if forecast.is_walked:
        day = depleted_after(forecast, balance)
        if day is not None:
            return Point("OK", Fraction(day), forecast.as_of + timedelta(days=day))
    return _flat(forecast, balance)


def _flat(forecast: Forecast, balance: Decimal) -> Point:
    rate = forecast.rate
    if rate > 0:
        if forecast.is_walked:
            return Point("BEYOND_HORIZON")
        days = Fraction(balance) / rate
        return Point("OK", days, day_after(forecast.as_of, days))
    if rate < 0:
        return Point("CASH_FLOW_POSITIVE")
    is_quiet = not forecast.burn.gross_daily and not any(item.amount_usd < 0 for item in forecast.schedule)
    return Point("NO_BURN" if is_quiet else "BREAK_EVEN")


def day_after(as_of: date, days: Fraction) -> date | None:
    """The first whole day at or after `days`; None beyond a century, where a date means nothing."""
    whole = ceil(days)
    if whole > CENTURY_DAYS or as_of.toordinal() + whole > date.max.toordinal():
        return None
    return as_of + timedelta(days=whole)


def flags(forecast: Forecast) -> tuple[Flag, ...]:
    """What a reader must know beside the number."""
    found: list[Flag] = []
    if 0 < forecast.burn.basis_days < FULL_BASIS:
        found.append("SHORT_HISTORY")
    if is_stale(forecast):
        found.append("STALE_CASH")
    if is_spend_stale(forecast):
        found.append("STALE_SPEND")
    if forecast.burn.unknown_rows:
        found.append("LOWER_BOUND")
    if forecast.burn.doubted_fees:
        found.append("FEES_IN_DOUBT")
    told = point(forecast)
    if told.status == "OK" and told.on is None:
        found.append("BEYOND_A_CENTURY")
    return tuple(found)


def is_stale(forecast: Forecast) -> bool:
    oldest = forecast.cash.oldest_on
    return oldest is not None and (forecast.as_of - oldest).days > forecast.cash_max_age_days


def is_spend_stale(forecast: Forecast) -> bool:
    """Calls of the last days of the basis may not have been loaded; such days count as days without calls."""
    known = forecast.calls_known_until
    return known is not None and known < datetime.combine(forecast.as_of, time.min, UTC)


def rolled_forward(forecast: Forecast) -> Decimal | None:
    """Cash that is stale, less the net burn since the oldest balance, plus funding that is in no balance; else None."""
    cash = forecast.cash
    if not is_stale(forecast) or cash.oldest_on is None or cash.balance_usd is None or not forecast.burn.basis_days:
        return None
    gone = (forecast.as_of - cash.oldest_on).days * forecast.burn.net_daily
    return as_usd(Fraction(cash.balance_usd) + Fraction(cash.funding_since) - gone)


def depleted_after(forecast: Forecast, balance: Decimal) -> int | None:
    """Whole days until the walk's closing cash is 0 or less; None where that is not within the horizon."""
    rate, left, at = forecast.rate, Fraction(balance), 0
    for day, amount in (*_by_day(forecast), (forecast.horizon_days, Fraction(0))):
        reached = at + ceil(left / rate) if rate > 0 else None
        if reached is not None and reached < day:
            return reached
        left -= rate * (day - at)
        left += amount
        at = day
        if left <= 0:
            return day
    return None


def _by_day(forecast: Forecast) -> Iterator[tuple[int, Fraction]]:
    """Days after the day of the question on which something is scheduled, within the horizon, with its sum."""
    for on, items in groupby(forecast.schedule, key=lambda item: item.on):
        day = (on - forecast.as_of).days
        if 0 < day <= forecast.horizon_days:
            yield day, sum((Fraction(item.amount_usd) for item in items), Fraction(0))


@dataclass(frozen=True, slots=True)
class Closing:
    """One day of the walk."""

    on: date
    closing_usd: Fraction
    scheduled_usd: Fraction


def walk(forecast: Forecast, most_days: int) -> list[Closing]:
    """The days after the day of the question, up to the horizon; it goes on below 0. Empty where it cannot start."""
    balance = forecast.cash.balance_usd
    if balance is None or not forecast.burn.basis_days or forecast.burn.is_unknown:
        return []
    due = dict(_by_day(forecast))
    left, found = Fraction(balance), []
    for day in range(1, min(most_days, forecast.horizon_days) + 1):
        scheduled = due.get(day, Fraction(0))
        left += scheduled - forecast.rate
        found.append(Closing(forecast.as_of + timedelta(days=day), left, scheduled))
    return found


@dataclass(frozen=True, slots=True)
class Flat:
    """What a mean rate would say: variable burn, and what recurs each month spread evenly over it."""

    daily_usd: Fraction
    days: Fraction | None
    on: date | None
    error_days: int | None
    """Days by which it is later than the walk; negative where earlier."""


def flat(forecast: Forecast) -> Flat:
    """The flat rate beside the walk; days are None where it never runs out."""
    soon = forecast.as_of + timedelta(days=31)
    monthly = {item.name: item.amount_usd for item in forecast.schedule if item.is_recurring and item.on <= soon}
    rate = forecast.rate - Fraction(sum(monthly.values(), Decimal(0))) / _MONTH
    balance = forecast.cash.balance_usd
    if balance is None or balance <= 0 or rate <= 0 or not forecast.burn.basis_days:
        return Flat(rate, None, None, None)
    days = Fraction(balance) / rate
    on, told = day_after(forecast.as_of, days), point(forecast).on
    return Flat(rate, days, on, (on - told).days if on and told else None)


def most_sessions(
    forecast: Forecast, *, fixed_daily: Fraction, cost_per_session: Fraction, months: Fraction
) -> Fraction | None:
    """The largest number of sessions a day with which the cash lasts `months`; None where none does, not even 0.

    The cash must last on every day before the end, so it is the least over the days of what is affordable up to then.
    `cost_per_session` is above 0 and the balance is known.
    """
    assert forecast.cash.balance_usd is not None
    end = months * _MONTH
    balance = Fraction(forecast.cash.balance_usd)
    limits: list[Fraction] = []
    for day, amount in _by_day(forecast):
        if day > end:
            break
        balance += amount
        limits.append(balance / day)
    limits.append(balance / end)
    affordable = (min(limits) - fixed_daily) / cost_per_session
    return affordable if affordable >= 0 else None


def recurring(name: str, monthly_usd: Decimal, starts_on: date, until: date) -> Sequence[Scheduled]:
    """A payment each month on the day of month of `starts_on` (in a shorter month on its last day), up to `until`."""
    found, year, month = [], starts_on.year, starts_on.month
    while (year, month) <= (until.year, until.month):
        on = date(year, month, min(starts_on.day, _last_day(year, month)))
        if on <= until:
            found.append(Scheduled(on, monthly_usd, name, is_recurring=True))
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
    return found


def _last_day(year: int, month: int) -> int:
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return (first_of_next - timedelta(days=1)).day
