"""Evidence as GraphQL tells it: what `roi` and `routing` say of one group of sessions. Descriptions are definitions."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import strawberry
from strawberry import argument

from finance import comparison
from finance.evidence import Evidence
from server.graphql.pure import pure
from server.graphql.roi_values import (
    BreakEven,
    BreakEvenStatus,
    IntervalMethod,
    IntervalType,
    MoneyInterval,
    Posterior,
    PriorType,
    RateDifference,
    RoiStatus,
    SampleVariances,
    interval,
    money_interval,
    sample_variances,
    told_interval,
)
from server.graphql.scalars import BigInt


@dataclass(frozen=True, slots=True)
class Peers:
    """What one group is compared with."""

    named: tuple[tuple[str, Evidence | None], ...] = ()
    """None stands for one that was seen at other work, so that nothing can be said."""
    reference: tuple[str, Evidence | None] | None = None

    def that_may_be(self, alike: Callable[[Evidence, Evidence], bool], name: str, evidence: Evidence) -> list[str]:
        """The names of those that may be alike."""
        return [other for other, e in self.named if other != name and (e is None or alike(evidence, e))]


def _evidence(root: Any) -> Evidence:
    found: Evidence = root.evidence
    return found


def _peers(root: Any) -> Peers:
    found: Peers = root.peers
    return found


@pure
def _net_value(
    root: strawberry.Parent[Any],
    task_value: Annotated[Decimal, argument(description="What a success is worth, in USD.")],
    failure_penalty: Annotated[Decimal, argument(description="What a failure costs beside its session.")] = Decimal(0),
) -> Decimal | None:
    return _evidence(root).net_value_usd(task_value, failure_penalty)


@pure
def _indistinct(root: strawberry.Parent[Any]) -> list[str]:
    return _peers(root).that_may_be(comparison.may_succeed_alike, root.name, _evidence(root))


@pure
def _indistinct_roi(root: strawberry.Parent[Any]) -> list[str]:
    return _peers(root).that_may_be(comparison.may_return_alike, root.name, _evidence(root))


@pure
def _break_even(root: strawberry.Parent[Any]) -> BreakEven | None:
    reference = _peers(root).reference
    if reference is None:
        return None
    name, of_reference = reference
    if root.name == name:
        return BreakEven(reference=name, status=BreakEvenStatus("REFERENCE"))
    if of_reference is None:
        return BreakEven(reference=name, status=BreakEvenStatus("UNKNOWN"))
    found = comparison.break_even(_evidence(root), of_reference)
    return BreakEven(
        reference=name,
        status=BreakEvenStatus(found.status),
        value=found.value_usd,
        lowest=found.lowest_usd,
        highest=found.highest_usd,
        success_rate_difference=_difference(comparison.difference(_evidence(root), of_reference)),
    )


def _difference(found: comparison.Difference | None) -> RateDifference | None:
    if found is None:
        return None
    return RateDifference(
        value=found.value,
        interval=told_interval(found.interval),
        wald=interval(found.wald),
        established=found.is_established,
    )


@strawberry.type
class RoiEvidence:
    """The fields that `RoiRow` and `Route` share."""

    sessions: BigInt = strawberry.field(description="Sessions that started, whatever came of them.")
    pending: BigInt = strawberry.field(description="Sessions whose task is not decided yet.")
    resolved: BigInt = strawberry.field(description="Sessions whose task succeeded or failed.")
    successes: BigInt
    effective_n: float = strawberry.field(
        description="Resolved sessions that count as independent: those of one root as if they said the same."
    )
    success_rate: float | None = strawberry.field(description="Successes / resolved; null where nothing is resolved.")
    success_rate_interval: IntervalType | None = strawberry.field(description="Wilson's, at `effectiveN`.")
    jeffreys_interval: IntervalType | None = strawberry.field(description="The same as a Bayesian without a prior.")
    posterior: Posterior
    prior: PriorType
    scored: BigInt = strawberry.field(description="Resolved sessions whose cost is known: what follows is over them.")
    total_cost: Decimal | None = strawberry.field(description="USD; null where nothing is scored.")
    cost_per_session: Decimal | None = strawberry.field(
        description="USD, over the scored sessions alone, as the metric costPerScoredTask (costPerSession is over all "
        "of known cost); null where nothing is scored."
    )
    cost_per_session_interval: MoneyInterval | None = strawberry.field(
        description="Null where fewer than two roots are scored."
    )
    cost_per_success: Decimal | None = strawberry.field(
        description="USD, failures paid for too; null where nothing is scored or succeeded."
    )
    roi: float | None = strawberry.field(description="Success rate / cost per session, successes per USD; see status.")
    roi_standard_error: float | None = strawberry.field(description="By the delta method; null without one.")
    roi_interval: IntervalType | None = strawberry.field(description="Null where `status` is not OK or PARTIAL.")
    roi_interval_method: Any = strawberry.field(graphql_type=IntervalMethod | None)
    roi_log_interval: IntervalType | None = strawberry.field(description="The delta method on the logarithm.")
    variances: SampleVariances | None = strawberry.field(description="Null where fewer than two are scored.")
    heavy_tail: bool = strawberry.field(
        description="A few sessions make up the cost (its deviation is over twice its mean, or one of more than five "
        "is over a fifth of it): intervals are then too short."
    )
    priced_share: float | None = strawberry.field(description="Scored / resolved.")
    pending_share: float | None = strawberry.field(description="Pending / (pending + resolved).")
    mature_through: datetime | None = strawberry.field(
        description="What started before this is decided; null where a pending session says no start."
    )
    status: Any = strawberry.field(graphql_type=RoiStatus)
    decision_grade: bool = strawberry.field(
        description="Whether to decide upon this: enough resolved, every cost known, few pending."
    )
    reasons: list[str] = strawberry.field(description="Why not.")
    name: strawberry.Private[str]
    """Among its peers."""
    evidence: strawberry.Private[Evidence]
    peers: strawberry.Private[Peers]

    net_value: Decimal | None = strawberry.field(
        resolver=_net_value,
        description="USD that a session brings: task value x success rate - cost per session - penalty x failure rate; "
        "null where nothing is scored.",
    )
    not_distinguishable_from: list[str] = strawberry.field(
        resolver=_indistinct,
        description="Those of this answer whose success rate is not known to differ: Newcombe's interval of the "
        "difference holds 0, or nothing is resolved.",
    )
    not_distinguishable_by_roi: list[str] = strawberry.field(
        resolver=_indistinct_roi,
        description="Those whose ROI is not known to differ: the interval of the ratio of both, by the delta method "
        "on the logarithm, holds 1, or one has no standard error.",
    )
    break_even: BreakEven | None = strawberry.field(
        resolver=_break_even, description="Against the reference; null where none is named."
    )


def told(name: str, evidence: Evidence, peers: Peers) -> dict[str, Any]:
    """The values of the fields of `RoiEvidence`."""
    tally, posterior, prior = evidence.tally, evidence.posterior, evidence.prior
    within = posterior.interval
    return {
        "sessions": BigInt(tally.sessions),
        "pending": BigInt(tally.pending),
        "resolved": BigInt(tally.resolved),
        "successes": BigInt(tally.successes),
        "effective_n": evidence.effective_n,
        "success_rate": evidence.success_rate,
        "success_rate_interval": interval(evidence.wilson),
        "jeffreys_interval": interval(evidence.jeffreys),
        "posterior": Posterior(
            alpha=posterior.alpha, beta=posterior.beta, mean=posterior.mean, low=within.low, high=within.high
        ),
        "prior": PriorType(rate=prior.rate, alpha=prior.alpha, beta=prior.beta, source=prior.source),
        "scored": BigInt(tally.scored),
        "total_cost": tally.cost_usd if tally.scored else None,
        "cost_per_session": evidence.cost_per_session_usd,
        "cost_per_session_interval": money_interval(evidence.cost_interval),
        "cost_per_success": evidence.cost_per_success_usd,
        "roi": evidence.roi,
        "roi_standard_error": evidence.roi_standard_error,
        "roi_interval": interval(evidence.roi_interval),
        "roi_interval_method": IntervalMethod(evidence.roi_method) if evidence.roi_method else None,
        "roi_log_interval": interval(evidence.roi_log_interval),
        "variances": sample_variances(evidence.variances),
        "heavy_tail": evidence.heavy_tail,
        "priced_share": evidence.priced_share,
        "pending_share": evidence.pending_share,
        "mature_through": tally.mature_through,
        "status": RoiStatus(evidence.status),
        "decision_grade": evidence.decision_grade,
        "reasons": list(evidence.reasons),
        "name": name,
        "evidence": evidence,
        "peers": peers,
    }
