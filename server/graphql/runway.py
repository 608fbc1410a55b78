"""The `runway` field: how long the cash lasts, what is known of that, and what it would be under other inputs.

Every value is told with its status; a number that is not known is null with the reason, never 0.
"""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, cast

import strawberry
from strawberry import Info

from finance.burn import DAYS_A_MONTH, as_usd
from finance.runway import (
    Forecast,
    day_after,
    flags,
    flat,
    is_spend_stale,
    point,
    rolled_forward,
    walk,
)
from semantic import QueryError
from server.burn import MODELS, Basis
from server.graphql.context import Context
from server.graphql.cost import Weight
from server.graphql.fields import FINANCE, Inputs, RootField, given, today
from server.graphql.runway_doubt import (
    AgentsAffordable,
    Projected,
    RunwayPercentiles,
    in_usd,
    read_affordable,
    read_percentiles,
)
from server.graphql.runway_inputs import (
    MOST_SCENARIOS,
    PercentilesInput,
    RunwayBasis,
    RunwayScenarioInput,
    known_day,
    known_horizon,
    scenario_of,
)
from server.graphql.scalars import BigInt
from server.scenarios import Projection, Question, projected, under
from server.slices import check_unrestricted
from store import Rows

MOST_WALKED = 3_660
DEFAULT_HORIZON = 3_653


@strawberry.type(description="Money of one kind over the basis.")
class RunwayDriver:
    name: str = strawberry.field(description="inference, the category of a charge, or the kind of a flow.")
    is_recurring: bool = strawberry.field(description="It falls on a day of each month, which the walk knows.")
    daily_usd: Decimal = strawberry.field(description="Mean of a day; negative for money that came in.")
    monthly_usd: Decimal = strawberry.field(description="The same for 30.4375 days.")
    share: float | None = strawberry.field(description="Of gross burn; null for money that came in, or without burn.")


@strawberry.type(description="One day of the walk along the calendar.")
class RunwayDay:
    on: date
    closing_usd: Decimal = strawberry.field(description="Projected cash at the end of the day.")
    scheduled_usd: Decimal = strawberry.field(description="What the calendar has on this day; negative for money out.")


@strawberry.type(description="What one mean rate would say, beside the walk along the calendar.")
class RunwayFlat:
    daily_usd: Decimal = strawberry.field(
        description="Net burn a day, with what recurs each month spread evenly over 30.4375 days."
    )
    days: Decimal | None
    on: date | None = strawberry.field(name="date")
    error_days: int | None = strawberry.field(description="Days by which it is later than the walk.")


@strawberry.type(description="Stale cash, less the burn since the oldest balance, plus funding in no balance.")
class RunwayRolledForward:
    cash_usd: Decimal
    status: str
    runway_days: Decimal | None
    runway_months: Decimal | None
    depletion_date: date | None


def _walk(root: strawberry.Parent["Runway"], first: int = 400) -> list[RunwayDay]:
    if not 0 <= first <= MOST_WALKED:
        raise QueryError("BAD_LIMIT", f"first must be 0 to {MOST_WALKED:,} days, not {first:,}")
    return [
        RunwayDay(on=day.on, closing_usd=as_usd(day.closing_usd), scheduled_usd=as_usd(day.scheduled_usd))
        for day in walk(root.forecast, first)
    ]


def _sentence(root: strawberry.Parent["Runway"], info: Info[Context, None]) -> str:
    known = f"cash as of {root.cash_known_on}" if root.cash_known_on else "cash unknown"
    burn = "burn unknown"
    if root.net_burn_monthly_usd is not None:
        burn = f"net burn {root.net_burn_monthly_usd:,.2f} USD a month"
    if is_spend_stale(root.forecast) and root.calls_known_until is not None:
        known += f", calls known only until {root.calls_known_until:%Y-%m-%d %H:%M} UTC"
    if root.status != "OK" or root.runway_months is None:
        return f"{root.status}: {known}, {burn}."
    least = " at most" if root.is_upper_bound else ""
    band = ""
    found = read_percentiles(root, info, PercentilesInput(values=[0.1, 0.9])).values
    if all(value.days is not None for value in found) and found:
        early, late = (Decimal(value.days or 0) / DAYS_A_MONTH for value in found)
        band = f" (p10 {early:.1f}, p90 {late:.1f})"
    return f"Runway{least} {root.runway_months:.1f} months{band}, until {root.depletion_date}; {known}, {burn}."


@strawberry.type(description="How long the cash lasts: cash / net burn, or by the calendar where that has something.")
class Runway(Projected):
    name: str | None = strawberry.field(description="Of the scenario; null for what is.")
    as_of: date = strawberry.field(description="The day of the question: day 0.")
    basis: RunwayBasis
    status: str = strawberry.field(
        description="OK, or why there is no date: CASH_UNKNOWN, DEPLETED (runway 0), NO_DATA, UNPRICED, NO_BURN, "
        "BREAK_EVEN, CASH_FLOW_POSITIVE, BEYOND_HORIZON."
    )
    flags: list[str] = strawberry.field(
        description="SHORT_HISTORY (basis below 30 days), STALE_CASH, STALE_SPEND (calls of the last days may not "
        "have been loaded, and count as none), LOWER_BOUND (burn has members of unknown cost), "
        "FEES_IN_DOUBT (among them fees on bills, see reconciliation), BEYOND_A_CENTURY (no date)."
    )
    is_upper_bound: bool = strawberry.field(description="Burn is a lower bound, so that the runway is an upper one.")
    unknown_requests: BigInt = strawberry.field(
        description="Members of the basis whose cost is not known: calls, uses and purchases of credits, and days of "
        "fees on bills that may be counted already."
    )
    cash_usd: Decimal | None = strawberry.field(description="The last balance of each account, summed.")
    cash_known_on: date | None = strawberry.field(description="The day of the newest balance.")
    cash_oldest_on: date | None = strawberry.field(
        description="The oldest among the newest balances of the accounts that are not at 0."
    )
    calls_known_until: datetime | None = strawberry.field(
        description="Every source that brought calls of the basis was read to its end at this instant or later; null "
        "without calls."
    )
    basis_days: int = strawberry.field(description="Complete UTC days that burn is a mean of; at most 30.")
    gross_burn_daily_usd: Decimal | None = strawberry.field(description="What went out, mean of a day.")
    gross_burn_monthly_usd: Decimal | None
    net_burn_daily_usd: Decimal | None = strawberry.field(
        description="Gross less revenue and other money that came in."
    )
    net_burn_monthly_usd: Decimal | None
    runway_days: Decimal | None
    runway_months: Decimal | None = strawberry.field(description="Of 30.4375 days.")
    depletion_date: date | None = strawberry.field(
        description="The first day whose projected closing cash is 0 or less."
    )
    is_walked: bool = strawberry.field(description="Whether the calendar decided, or the flat rate.")
    flat: RunwayFlat
    rolled_forward: RunwayRolledForward | None = strawberry.field(description="Null unless the cash is stale.")
    drivers: list[RunwayDriver]
    sessions_per_day: Decimal | None = strawberry.field(description="Sessions that started a day, over the basis.")
    cost_per_session_usd: Decimal | None = strawberry.field(description="Mean of their own calls.")
    scenarios: list["Runway"] = strawberry.field(description="The same definitions with other inputs.")
    percentiles: RunwayPercentiles = strawberry.field(resolver=read_percentiles, description="How sure the date is.")
    walk: list[RunwayDay] = strawberry.field(
        resolver=_walk,
        description=f"The closing cash of each day to come, at most {MOST_WALKED:,}; it goes on below 0.",
    )
    agents_affordable: list[AgentsAffordable] = strawberry.field(
        resolver=read_affordable, description="What the cash affords for some months."
    )
    sentence: str = strawberry.field(resolver=_sentence, description="The answer in one line.")


def _told(projection: Projection, basis: RunwayBasis, scenarios: list[Runway]) -> Runway:
    forecast, volume = projection.forecast, projection.volume
    burn, cash, told = forecast.burn, forecast.cash, point(forecast)
    is_known = bool(burn.basis_days) and not burn.is_unknown
    gross, net = (burn.gross_daily, burn.net_daily) if is_known else (None, None)
    return Runway(
        name=projection.name,
        as_of=forecast.as_of,
        basis=basis,
        status=told.status,
        flags=list(flags(forecast)),
        is_upper_bound=bool(burn.unknown_rows),
        unknown_requests=BigInt(burn.unknown_rows),
        cash_usd=None if cash.balance_usd is None else as_usd(Fraction(cash.balance_usd)),
        cash_known_on=cash.known_on,
        cash_oldest_on=cash.oldest_on,
        calls_known_until=forecast.calls_known_until,
        basis_days=burn.basis_days,
        gross_burn_daily_usd=in_usd(gross),
        gross_burn_monthly_usd=_monthly(gross),
        net_burn_daily_usd=in_usd(net),
        net_burn_monthly_usd=_monthly(net),
        runway_days=in_usd(told.days),
        runway_months=in_usd(told.months),
        depletion_date=told.on,
        is_walked=forecast.is_walked,
        flat=_flat(forecast),
        rolled_forward=_rolled(forecast),
        drivers=_drivers(forecast),
        sessions_per_day=in_usd(Fraction(volume.sessions, burn.basis_days)) if burn.basis_days else None,
        cost_per_session_usd=in_usd(volume.cost_per_session),
        scenarios=scenarios,
        forecast=forecast,
        volume=volume,
        told=told,
    )


def _monthly(daily: Fraction | None) -> Decimal | None:
    return None if daily is None else as_usd(daily * Fraction(DAYS_A_MONTH))


def _flat(forecast: Forecast) -> RunwayFlat:
    found = flat(forecast)
    return RunwayFlat(
        daily_usd=as_usd(found.daily_usd), days=in_usd(found.days), on=found.on, error_days=found.error_days
    )


def _rolled(forecast: Forecast) -> RunwayRolledForward | None:
    cash = rolled_forward(forecast)
    if cash is None:
        return None
    found = point(forecast, cash)
    on = found.on if found.days is None else found.on or day_after(forecast.as_of, found.days)
    return RunwayRolledForward(
        cash_usd=as_usd(Fraction(cash)),
        status=found.status,
        runway_days=in_usd(found.days),
        runway_months=in_usd(found.months),
        depletion_date=on,
    )


def _drivers(forecast: Forecast) -> list[RunwayDriver]:
    burn, gross = forecast.burn, forecast.burn.gross_daily
    found = []
    for driver in burn.drivers:
        daily = Fraction(driver.total_usd) / burn.basis_days
        found.append(
            RunwayDriver(
                name=driver.name,
                is_recurring=driver.is_recurring,
                daily_usd=as_usd(daily),
                monthly_usd=as_usd(daily * Fraction(DAYS_A_MONTH)),
                share=float(daily / gross) if gross and not driver.is_inflow else None,
            )
        )
    return found


def _read_runway(
    info: Info[Context, None],
    as_of: date | None = None,
    basis: RunwayBasis = RunwayBasis.ACCRUAL,
    scenario: RunwayScenarioInput | None = None,
    scenarios: list[RunwayScenarioInput] | None = None,
    horizon_days: int = DEFAULT_HORIZON,
) -> Runway:
    context = info.context
    check_unrestricted(context.planner, MODELS, context.caller)
    asked = [*([given(scenario)] if given(scenario) else []), *(given(scenarios) or [])]
    if len(asked) > MOST_SCENARIOS:
        raise QueryError("TOO_LARGE", f"{len(asked):,} scenarios were asked; at most {MOST_SCENARIOS} are answered")

    def read(sql: str, params: dict[str, Any]) -> Rows:
        return context.reader.read(sql, params, timeout_ms=context.deadline.remaining_ms())

    question = Question(
        read,
        known_day(given(as_of), today(context, None)),
        _basis(basis),
        known_horizon(horizon_days),
        context.limits.cash_max_age_days,
    )
    base = projected(question)
    others = [under(base, scenario_of(one, number), read) for number, one in enumerate(asked, start=1)]
    return _told(base, basis, [_told(other, basis, []) for other in others])


def _basis(basis: RunwayBasis) -> Basis:
    return cast(Basis, basis.name)


def _make(inputs: Inputs) -> Any:
    return strawberry.field(
        resolver=_read_runway,
        description="How long the cash lasts, with its doubt, its drivers, and scenarios beside it.",
    )


RUNWAY = RootField(
    "runway", _make, needs=("cash", "burn_rate", "net_burn_rate"), roles=FINANCE, weight=Weight(per_value=100)
)
