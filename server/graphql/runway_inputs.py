"""What `runway` is asked with: scenarios and percentiles, and how they become values. Every list is bounded."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, cast

import strawberry

from finance.depletion import MOST_PATHS, WEEK, Method
from finance.runway import MOST_HORIZON_DAYS
from semantic import QueryError
from server.graphql.fields import given
from server.model_swap import Swap
from server.scenarios import Funding, Hire, Scenario

MOST_SCENARIOS = 20
MOST_CHANGES = 50
MOST_PERCENTILES = 99
LONGEST_NAME = 100
_EARLIEST = date(1970, 1, 1)
DEFAULT_PERCENTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


@strawberry.enum(description="When money counts.")
class RunwayBasis(Enum):
    ACCRUAL = strawberry.enum_value(
        "ACCRUAL", description="Charges are spread over the days they cover, as in the metric burnRate."
    )
    CASH = strawberry.enum_value(
        "CASH", description="Charges count in full on the first day that they cover, as billed."
    )


@strawberry.enum(
    description="How percentiles of the depletion date are computed; docs/runway.md says how well they hold."
)
class PercentileMethod(Enum):
    STUDENT = strawberry.enum_value(
        "STUDENT", description="Student's t with weekdays, autocorrelation and skewness. The default."
    )
    NORMAL = strawberry.enum_value("NORMAL", description="Independent normal days: inverse Gaussian.")
    BLOCK_BOOTSTRAP = strawberry.enum_value("BLOCK_BOOTSTRAP", description="Days drawn in blocks of a week, by a seed.")


@strawberry.input(description="Calls to one model go to another, at the price in force on the day of the question.")
class ModelSwapInput:
    from_: str = strawberry.field(name="from")
    to: str
    token_multiplier: Decimal = strawberry.field(
        default=Decimal(1), description="Tokens that the other model needs for the same work, as a multiple."
    )
    provider: str | None = strawberry.field(default=None, description="Of the other model, where several sell it.")


@strawberry.input(description="Somebody who is paid each month, on the day of month on which it starts.")
class HireInput:
    monthly_usd: Decimal
    starts_on: date


@strawberry.input(description="Money from investors or lenders.")
class FundingInput:
    amount_usd: Decimal
    on: date


@strawberry.input(description="What is other than it is. Changes of what calls cost leave bills and flows as they are.")
class RunwayScenarioInput:
    name: str | None = strawberry.field(default=None, description="Shown beside the answer.")
    agents_factor: Decimal | None = strawberry.field(default=None, description="Calls times this: 2 is twice as many.")
    sessions_per_day: Decimal | None = strawberry.field(
        default=None, description="So many sessions a day at their mean cost, in the place of those there are."
    )
    model_swap: list[ModelSwapInput] | None = strawberry.field(default=None, description="One or several.")
    price_change: Decimal | None = strawberry.field(default=None, description="Of all calls: -0.3 is 30 % less.")
    hire: list[HireInput] | None = None
    funding: list[FundingInput] | None = None


@strawberry.input(description="Which percentiles, and how they are computed.")
class PercentilesInput:
    values: list[float] | None = strawberry.field(
        default=None, description=f"Each above 0 and below 1; at most {MOST_PERCENTILES}. Default 0.05 to 0.95."
    )
    method: PercentileMethod = PercentileMethod.STUDENT
    has_mean_error: bool = strawberry.field(
        default=True, description="For NORMAL: false leaves out that the mean burn itself is known by a few days only."
    )
    paths: int = strawberry.field(default=5_000, description=f"For BLOCK_BOOTSTRAP; 100 to {MOST_PATHS}.")
    seed: int = strawberry.field(default=1, description="For BLOCK_BOOTSTRAP: the same seed gives the same dates.")
    block_days: int = strawberry.field(default=WEEK, description="For BLOCK_BOOTSTRAP; 1 to 30.")


def scenario_of(asked: RunwayScenarioInput, number: int) -> Scenario:
    """`QueryError` where a list is too long."""
    name = given(asked.name) or f"scenario {number}"
    if len(name) > LONGEST_NAME:
        raise QueryError("BAD_SCENARIO", f"a scenario's name has at most {LONGEST_NAME} characters, not {len(name):,}")
    return Scenario(
        name=name,
        agents_factor=given(asked.agents_factor),
        sessions_per_day=given(asked.sessions_per_day),
        swaps=tuple(
            Swap(swap.from_, swap.to, swap.token_multiplier, given(swap.provider))
            for swap in _bounded("modelSwap", asked.model_swap)
        ),
        price_change=given(asked.price_change),
        hires=tuple(Hire(hire.monthly_usd, hire.starts_on) for hire in _bounded("hire", asked.hire)),
        funding=tuple(Funding(funding.amount_usd, funding.on) for funding in _bounded("funding", asked.funding)),
    )


def _bounded(name: str, items: list[Any] | None) -> list[Any]:
    found = given(items) or []
    if len(found) > MOST_CHANGES:
        raise QueryError("TOO_LARGE", f"{name} has {len(found):,} entries; at most {MOST_CHANGES} are taken")
    return found


def checked(asked: PercentilesInput) -> PercentilesInput:
    """`QueryError` where a number is out of its bounds."""
    values = given(asked.values)
    if values is not None and not (0 < len(values) <= MOST_PERCENTILES and all(0 < p < 1 for p in values)):
        raise QueryError(
            "BAD_PERCENTILE", f"values are 1 to {MOST_PERCENTILES} numbers above 0 and below 1, such as 0.1"
        )
    if not 100 <= asked.paths <= MOST_PATHS:
        raise QueryError("BAD_PERCENTILE", f"paths must be 100 to {MOST_PATHS:,}, not {asked.paths:,}")
    if asked.seed < 0 or not 1 <= asked.block_days <= 30:
        raise QueryError("BAD_PERCENTILE", "seed must be 0 or more, and blockDays 1 to 30")
    return asked


def method_of(asked: PercentilesInput) -> Method:
    return cast(Method, asked.method.name)


def known_day(as_of: date | None, now_on: date) -> date:
    """Days to come would be in the basis as days without spend, and make the cash last longer than it does."""
    if as_of is not None and not _EARLIEST <= as_of <= now_on:
        raise QueryError("BAD_TIME", f"asOf must be from {_EARLIEST} to today, {now_on}, not {as_of}")
    return as_of or now_on


def known_horizon(days: int) -> int:
    if not 1 <= days <= MOST_HORIZON_DAYS:
        raise QueryError("BAD_LIMIT", f"horizonDays must be 1 to {MOST_HORIZON_DAYS:,}, not {days:,}")
    return days
