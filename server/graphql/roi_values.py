"""The parts of evidence as GraphQL tells them: statuses, intervals, the posterior, what is said of two groups."""

from decimal import Decimal
from typing import Any, get_args

import strawberry

from finance import comparison
from finance.evidence import Method, Status, rounded
from finance.intervals import Interval
from finance.tally import Moments
from server.graphql.generated import enum_type

RoiStatus = enum_type(
    "RoiStatus",
    get_args(Status),
    "What stands behind the ROI of a group.",
    {
        "OK": "The whole truth.",
        "PARTIAL": "Over the resolved sessions whose cost is known; of others it is not.",
        "INSUFFICIENT_SAMPLE": "There is a value, and too little behind it for an interval.",
        "ZERO_COST": "Null: it would divide by a cost of 0. The success rate and the cost are told.",
        "COST_UNKNOWN": "Null: of no resolved session the cost is known.",
        "NO_DECIDED_TASKS": "Null: no task has succeeded or failed so far.",
        "NO_SESSIONS": "Null: there are none; the posterior is the prior.",
    },
)
IntervalMethod = enum_type(
    "IntervalMethod",
    get_args(Method),
    "How an interval of the ROI was found.",
    {
        "DELTA": "The delta method, with the covariance of success and cost, robust to sessions of one root.",
        "WILSON_OVER_COST": "Wilson's interval of the rate over the interval of the cost: where none or all succeed.",
    },
)
BreakEvenStatus = enum_type(
    "BreakEvenStatus",
    (*get_args(comparison.BreakEvenStatus), "REFERENCE"),
    "What a comparison with the reference says.",
    {
        "OK": "One of both costs more and succeeds more often, and the range is bounded.",
        "UNBOUNDED": "The success rates may be equal, so there is no upper bound.",
        "DOMINATES": "Null: it costs no more and succeeds no less often, so it is better at any value.",
        "DOMINATED": "Null: it costs no less and succeeds no more often, so it is worse at any value.",
        "SAME": "Null: neither cost nor success rate differ.",
        "UNKNOWN": "Null: of one of both the cost or the success is not known, or they were not seen at the same work.",
        "REFERENCE": "Null: this is the reference.",
    },
)


@strawberry.type(name="Interval", description="Where the truth lies, at the level that was asked for.")
class IntervalType:
    low: float
    high: float


@strawberry.type(description="Where the truth lies, in USD, at the level that was asked for.")
class MoneyInterval:
    low: Decimal
    high: Decimal


@strawberry.type(description="What is believed of a success rate: a Beta distribution. A draw is a Thompson sample.")
class Posterior:
    alpha: float = strawberry.field(description="Of the prior, plus successes.")
    beta: float = strawberry.field(description="Of the prior, plus failures.")
    mean: float = strawberry.field(description="The success rate, shrunk towards the pooled one.")
    low: float = strawberry.field(description="The quantile below the level.")
    high: float = strawberry.field(description="The quantile above the level.")


@strawberry.type(name="Prior", description="What is expected before the group itself is looked at.")
class PriorType:
    rate: float = strawberry.field(description="The pooled success rate.")
    alpha: float
    beta: float
    source: str = strawberry.field(description="What was pooled, and how many sessions it counts for.")


@strawberry.type(description="Of the cost (USD) and the success (0 or 1) of one session, divided by n - 1.")
class SampleVariances:
    cost: float
    success: float
    covariance: float


@strawberry.type(description="Of the success rate against the reference's.")
class RateDifference:
    value: float
    interval: IntervalType = strawberry.field(description="Newcombe's, from the two Wilson intervals.")
    wald: IntervalType | None = strawberry.field(
        description="The naive one, too short: to compare, not to use. Null where one of both is a single root."
    )
    established: bool = strawberry.field(description="Whether Newcombe's interval leaves out 0.")


@strawberry.type(description="From which value of a success on the dearer and better of two is worth its cost.")
class BreakEven:
    reference: str
    status: Any = strawberry.field(graphql_type=BreakEvenStatus)
    value: Decimal | None = strawberry.field(
        default=None,
        description="Extra cost per extra success, over the scored sessions of both. A penalty for failures lowers it "
        "by that penalty.",
    )
    lowest: Decimal | None = strawberry.field(
        default=None, description="At the upper end of the difference of the success rates."
    )
    highest: Decimal | None = strawberry.field(
        default=None, description="At its lower end; null where that is 0 or less."
    )
    success_rate_difference: RateDifference | None = strawberry.field(
        default=None, description="Null where one rate is not known."
    )


def told_interval(found: Interval) -> IntervalType:
    return IntervalType(low=found.low, high=found.high)


def interval(found: Interval | None) -> IntervalType | None:
    return None if found is None else told_interval(found)


def money_interval(found: Interval | None) -> MoneyInterval | None:
    if found is None:
        return None
    return MoneyInterval(low=rounded(Decimal(found.low)), high=rounded(Decimal(found.high)))


def sample_variances(found: Moments | None) -> SampleVariances | None:
    if found is None:
        return None
    return SampleVariances(cost=found.cost, success=found.success, covariance=found.product)
