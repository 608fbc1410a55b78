"""How sure a depletion date is, and how many agents the cash affords: the parts of `runway` that speak of doubt."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, isfinite
from typing import Annotated

import strawberry
from strawberry import Info

from finance.burn import Volume, as_usd
from finance.depletion import LEAST_DAYS, Outlook, deviations, quantiles
from finance.runway import Forecast, Point, most_sessions
from semantic import QueryError
from server.graphql.context import Context
from server.graphql.fields import given
from server.graphql.runway_inputs import DEFAULT_PERCENTILES, PercentileMethod, PercentilesInput, checked, method_of

MOST_MONTHS = 20


@strawberry.type
class Projected:
    """What these fields are computed from; the type of a runway is one of these."""

    forecast: strawberry.Private[Forecast]
    volume: strawberry.Private[Volume]
    told: strawberry.Private[Point]


def in_usd(value: Fraction | None) -> Decimal | None:
    return None if value is None else as_usd(value)


@strawberry.type(description="By when the cash is gone at one probability.")
class RunwayPercentile:
    p: float = strawberry.field(description="The probability that the cash is gone by then: 0.1 is the early end.")
    days: float | None
    on: date | None = strawberry.field(name="date")
    status: str = strawberry.field(description="OK, or BEYOND_HORIZON where the cash lasts longer than was looked.")


@strawberry.type(description="How sure the depletion date is.")
class RunwayPercentiles:
    status: str = strawberry.field(
        description="OK, INSUFFICIENT_HISTORY below 7 days, or the status of the runway where there is none."
    )
    method: PercentileMethod
    basis_days: int
    has_mean_error: bool = strawberry.field(description="Whether they contain the error of the mean burn itself.")
    paths: int | None = strawberry.field(description="Simulated companies; null where nothing is simulated.")
    seed: int | None
    values: list[RunwayPercentile]
    sd_process_days: float | None = strawberry.field(
        description="Standard deviation from the days to come, were they independent."
    )
    sd_mean_days: float | None = strawberry.field(description="Standard deviation from not knowing the mean burn.")
    sd_combined_days: float | None


@strawberry.type(description="The largest number of sessions a day with which the cash lasts some months.")
class AgentsAffordable:
    months: Decimal
    status: str = strawberry.field(
        description="OK, NOT_REACHABLE_AT_ZERO_VOLUME, NO_SESSIONS, ZERO_COST, PREPAID, or why there is no runway."
    )
    max_sessions_per_day: Decimal | None
    low: Decimal | None = strawberry.field(description="At the upper end of the 95 % interval of a session's cost.")
    high: Decimal | None = strawberry.field(description="At its lower end.")
    cost_per_session_usd: Decimal | None = strawberry.field(description="Own calls of the sessions of the basis, mean.")
    fixed_daily_usd: Decimal | None = strawberry.field(description="Net burn a day without those calls.")


def read_percentiles(
    root: strawberry.Parent[Projected],
    info: Info[Context, None],
    asked: Annotated[PercentilesInput | None, strawberry.argument(name="as")] = None,
) -> RunwayPercentiles:
    asked = checked(given(asked) or PercentilesInput())
    burn, status = root.forecast.burn, root.told.status
    is_short = status == "OK" and burn.basis_days < LEAST_DAYS
    status_of = "INSUFFICIENT_HISTORY" if is_short else status
    is_drawn = asked.method is PercentileMethod.BLOCK_BOOTSTRAP
    values, spread = [], None
    if status_of == "OK":
        outlook = _outlook(root.forecast)
        ps = given(asked.values) or list(DEFAULT_PERCENTILES)
        days = quantiles(
            outlook,
            ps,
            method_of(asked),
            has_mean_error=asked.has_mean_error,
            paths=asked.paths,
            seed=asked.seed,
            block_days=asked.block_days,
            on_block=info.context.deadline.remaining_ms,
        )
        values = [_percentile(root.forecast.as_of, p, after) for p, after in zip(ps, days, strict=True)]
        spread = deviations(outlook)
    return RunwayPercentiles(
        status=status_of,
        method=asked.method,
        basis_days=burn.basis_days,
        has_mean_error=asked.has_mean_error or asked.method is not PercentileMethod.NORMAL,
        paths=asked.paths if is_drawn else None,
        seed=asked.seed if is_drawn else None,
        values=values,
        sd_process_days=spread.process if spread else None,
        sd_mean_days=spread.mean_error if spread else None,
        sd_combined_days=spread.combined if spread else None,
    )


def _percentile(as_of: date, p: float, days: float) -> RunwayPercentile:
    if not isfinite(days):
        return RunwayPercentile(p=p, days=None, on=None, status="BEYOND_HORIZON")
    # A quantile is known to far less than 10^-6 days; without this, 250.0000001 would be a day later than 250.
    on = as_of + timedelta(days=ceil(round(days, 6)))
    return RunwayPercentile(p=p, days=round(days, 9), on=on, status="OK")


def _outlook(forecast: Forecast) -> Outlook:
    balance = forecast.cash.balance_usd
    assert balance is not None
    due: tuple[float, ...] = ()
    if forecast.schedule:
        by_day = [0.0] * forecast.horizon_days
        for item in forecast.schedule:
            ahead = (item.on - forecast.as_of).days
            if ahead <= forecast.horizon_days:
                by_day[ahead - 1] += float(item.amount_usd)
        due = tuple(by_day)
    series = tuple(float(usd) for usd in forecast.burn.variable_series())
    return Outlook(float(balance), series, due, forecast.horizon_days)


def read_affordable(root: strawberry.Parent[Projected], months: list[Decimal]) -> list[AgentsAffordable]:
    if not 0 < len(months) <= MOST_MONTHS or not all(0 < asked <= 1200 for asked in months):
        raise QueryError("BAD_LIMIT", f"months are 1 to {MOST_MONTHS} numbers above 0, at most 1200, such as 6")
    return [_affordable(root, asked) for asked in months]


def _affordable(root: Projected, months: Decimal) -> AgentsAffordable:
    forecast, volume = root.forecast, root.volume
    each, status = volume.cost_per_session, _why_not_affordable(root)
    fixed = None
    if forecast.burn.basis_days:
        fixed = forecast.rate - Fraction(volume.cost_usd) / forecast.burn.basis_days

    def most(cost: Fraction | None) -> Decimal | None:
        if status != "OK" or not cost or fixed is None:
            return None
        found = most_sessions(forecast, fixed_daily=fixed, cost_per_session=cost, months=Fraction(months))
        return in_usd(found)

    dear, cheap = volume.cost_per_session_high, volume.cost_per_session_low
    answer = most(each)
    return AgentsAffordable(
        months=months,
        status="NOT_REACHABLE_AT_ZERO_VOLUME" if status == "OK" and answer is None else status,
        max_sessions_per_day=answer,
        low=most(None if dear is None else Fraction(dear)),
        high=most(None if cheap is None else Fraction(cheap)),
        cost_per_session_usd=in_usd(each),
        fixed_daily_usd=in_usd(fixed),
    )


def _why_not_affordable(root: Projected) -> str:
    """OK where it can be computed: cash that is there, a basis, and a session whose cost is known and not 0."""
    if root.told.status in ("DEPLETED", "NO_DATA", "UNPRICED", "CASH_UNKNOWN"):
        return root.told.status
    if root.volume.is_prepaid:
        return "PREPAID"
    each = root.volume.cost_per_session
    return "NO_SESSIONS" if each is None else "OK" if each else "ZERO_COST"
