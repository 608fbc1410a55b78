"""A forecast of the cash as it is, and the same definitions with other inputs: scenarios.

Changes apply in this order: a swap of models, a change of price, then the number of agents or of sessions. All of them
change what calls cost; hires and funding are put into the calendar.
"""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from finance.burn import Burn, Volume, at_volume, inference_of, repriced, scaled, volume_scaled
from finance.runway import Forecast, Scheduled, recurring
from semantic import QueryError
from server.burn import (
    Basis,
    Read,
    Window,
    read_burn,
    read_calls_known_until,
    read_cash,
    read_schedule,
    read_volume,
    read_window,
)
from server.model_swap import Swap, swapped

MOST_USD = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class Hire:
    """Somebody who is paid each month, on the day of month of `starts_on`."""

    monthly_usd: Decimal
    starts_on: date


@dataclass(frozen=True, slots=True)
class Funding:
    amount_usd: Decimal
    on: date


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is other than it is."""

    name: str
    agents_factor: Decimal | None = None
    """Calls times this."""
    sessions_per_day: Decimal | None = None
    """At the mean cost of a session, in the place of those there are."""
    swaps: tuple[Swap, ...] = ()
    price_change: Decimal | None = None
    """-0.3 is 30 % less."""
    hires: tuple[Hire, ...] = ()
    funding: tuple[Funding, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One company on one day."""

    read: Read
    as_of: date
    basis: Basis
    horizon_days: int
    cash_max_age_days: int


@dataclass(frozen=True, slots=True)
class Projection:
    """A forecast with the sessions that it rests on."""

    name: str | None
    """Of the scenario; None for what is."""
    forecast: Forecast
    volume: Volume
    window: Window


def projected(question: Question) -> Projection:
    """What is."""
    window = read_window(question.read, question.as_of)
    forecast = Forecast(
        question.as_of,
        read_cash(question.read, question.as_of),
        read_burn(question.read, window, question.basis),
        read_schedule(question.read, question.as_of, question.horizon_days),
        question.horizon_days,
        question.cash_max_age_days,
        read_calls_known_until(question.read, window),
    )
    return Projection(None, forecast, read_volume(question.read, window, question.basis), window)


def under(base: Projection, scenario: Scenario, read: Read) -> Projection:
    """The base with other inputs. `QueryError` says which input makes no sense."""
    check(scenario, base.forecast.as_of)
    forecast = replace(base.forecast, schedule=_schedule(base.forecast, scenario))
    if not base.forecast.burn.basis_days:
        # Nothing is known of any day, so there is nothing to change: the scenario is NO_DATA as the base is.
        return replace(base, name=scenario.name, forecast=forecast)
    _check_paid(base, scenario)
    burn, volume = _priced_anew(base, scenario, read)
    if scenario.agents_factor is not None:
        burn = scaled(burn, scenario.agents_factor)
    if scenario.sessions_per_day is not None:
        try:
            burn = at_volume(burn, volume, scenario.sessions_per_day)
        except ValueError as error:
            raise QueryError("NO_SESSIONS", f"sessionsPerDay needs a mean cost, and {error}") from error
    return replace(base, name=scenario.name, forecast=replace(forecast, burn=burn), volume=volume)


def _priced_anew(base: Projection, scenario: Scenario, read: Read) -> tuple[Burn, Volume]:
    """Burn and sessions after swaps and a change of price; a session's cost changes as calls do on the whole."""
    burn = base.forecast.burn
    for swap in scenario.swaps:
        burn = repriced(burn, *swapped(read, base.window, swap))
    if scenario.price_change is not None:
        burn = scaled(burn, 1 + scenario.price_change)
    was = sum(inference_of(base.forecast.burn), Decimal(0))
    is_same = burn is base.forecast.burn or not was
    becomes = sum(inference_of(burn), Decimal(0))
    return burn, base.volume if is_same else volume_scaled(base.volume, Fraction(becomes) / Fraction(was))


def _check_paid(base: Projection, scenario: Scenario) -> None:
    """Where credits that were bought before paid for calls, other calls are other purchases, and nobody knows when."""
    changes = (scenario.agents_factor, scenario.sessions_per_day, scenario.price_change)
    if base.volume.is_prepaid and (scenario.swaps or any(change is not None for change in changes)):
        raise QueryError(
            "PREPAID",
            "credits that were bought before paid for calls of these days, so what they cost is not in the cash burn; "
            "ask for other calls on the basis ACCRUAL",
        )


def _schedule(forecast: Forecast, scenario: Scenario) -> tuple[Scheduled, ...]:
    until = forecast.as_of + timedelta(days=forecast.horizon_days)
    added = [Scheduled(funding.on, funding.amount_usd, "funding") for funding in scenario.funding]
    for number, hire in enumerate(scenario.hires, start=1):
        added += recurring(f"scenario hire {number}", -hire.monthly_usd, hire.starts_on, until)
    return tuple(sorted((*forecast.schedule, *added), key=lambda item: item.on)) if added else forecast.schedule


def check(scenario: Scenario, as_of: date) -> None:
    """`QueryError` where an input is out of its bounds, contradicts another, or was before the day of the question."""
    if scenario.agents_factor is not None and scenario.sessions_per_day is not None:
        raise _bad("agentsFactor and sessionsPerDay both say how much there is to do; give one of them")
    _within("agentsFactor", scenario.agents_factor, Decimal(0), Decimal(1000))
    _within("sessionsPerDay", scenario.sessions_per_day, Decimal(0), Decimal(10) ** 9)
    _within("priceChange", scenario.price_change, Decimal(-1), Decimal(100))
    sources = [swap.source for swap in scenario.swaps]
    if len(set(sources)) < len(sources):
        raise _bad("modelSwap names a model twice as from; its calls can go to one other model")
    for swap in scenario.swaps:
        _within("tokenMultiplier", swap.multiplier, Decimal("0.000001"), Decimal(1000))
    for hire in scenario.hires:
        _within("monthlyUsd", hire.monthly_usd, Decimal(0), MOST_USD)
        _after(as_of, hire.starts_on, "a hire", "is in the burn already")
    for funding in scenario.funding:
        _within("amountUsd", funding.amount_usd, Decimal(0), MOST_USD)
        _after(as_of, funding.on, "funding", "is in the cash already")


def _within(name: str, value: Decimal | None, least: Decimal, most: Decimal) -> None:
    if value is not None and not (value.is_finite() and least <= value <= most):
        raise _bad(f"{name} must be from {least:f} to {most:f}, not {value}")


def _after(as_of: date, on: date, what: str, why: str) -> None:
    if on <= as_of:
        raise _bad(f"{what} on {on} {why} on {as_of}; name a later day")


def _bad(message: str) -> QueryError:
    return QueryError("BAD_SCENARIO", message)
