"""Which model to take: pure functions of the evidence. Nothing here knows of servers, threads or clocks.

`careful` leaves the default model only for one that is known to be better. `thompson` explores: it takes each model as
often as it is likely to be the best, and says how often that is, without which nobody can compare models later.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Literal

from examples.clients.router.evidence import ModelEvidence

Why = Literal[
    "BEST_BOUND",  # the least that a success costs at worst
    "DEFAULT_IS_BEST",  # the same, and it is the default
    "NOT_TOLD_APART",  # another looks better, and may as well not be
    "NOTHING_DECISION_GRADE",  # of no model is enough known
    "DRAWN",
    "NOTHING_TO_DRAW",  # of no model the cost is known
    "NO_EVIDENCE",  # there is no answer to choose by
]


@dataclass(frozen=True, slots=True)
class Choice:
    model: str
    why: Why
    probability: float
    """With which this model was taken here; log it with the session."""


Policy = Callable[[Sequence[ModelEvidence], str], Choice]
"""Takes the evidence and the default model."""


def careful(models: Sequence[ModelEvidence], default: str) -> Choice:
    """The model whose success costs least at worst, among those of which enough is known at the same work.

    The default stays where it may be as good as that one: a difference that may be noise moves no work.
    """
    graded = [m for m in models if m.is_decision_grade and m.basis != "PRIOR" and at_worst(m) is not None]
    if not graded:
        return Choice(default, "NOTHING_DECISION_GRADE", 1.0)
    # What a model did at other work says nothing of this: cells are compared with cells only.
    narrowest = "CELL" if any(m.basis == "CELL" for m in graded) else "MODEL"
    best = min((m for m in graded if m.basis == narrowest), key=lambda m: (at_worst(m) or Decimal(0), m.model))
    if best.model == default:
        return Choice(default, "DEFAULT_IS_BEST", 1.0)
    incumbent = next((m for m in graded if m.model == default), None)
    if incumbent is not None and may_cost_alike(best, incumbent):
        return Choice(default, "NOT_TOLD_APART", 1.0)
    return Choice(best.model, "BEST_BOUND", 1.0)


def at_worst(evidence: ModelEvidence) -> Decimal | None:
    """USD that a success costs where a session costs the most and succeeds the least that it may; None: no bound."""
    cost = evidence.cost_usd if evidence.cost_high_usd is None else evidence.cost_high_usd
    if cost is None or evidence.rate_low <= 0:
        return None
    return cost / Decimal(evidence.rate_low)


def at_best(evidence: ModelEvidence) -> Decimal | None:
    """USD that a success costs where a session costs the least and succeeds the most that it may; None: no bound."""
    cost = evidence.cost_usd if evidence.cost_low_usd is None else evidence.cost_low_usd
    return None if cost is None or evidence.rate_high <= 0 else cost / Decimal(evidence.rate_high)


def may_cost_alike(one: ModelEvidence, other: ModelEvidence) -> bool:
    """Whether it is not known that a success of `one` costs less.

    The server's test says so of any two models that succeeded each time, because their ROI has no standard error; there
    the bounds decide: `one` at its worst costs less than `other` at its best.
    """
    if one.basis != other.basis:
        return True
    worst, best = at_worst(one), at_best(other)
    return other.model in one.alike and (worst is None or best is None or worst >= best)


def thompson(
    random: Random,
    task_value_usd: Decimal,
    assumed_costs_usd: Mapping[str, Decimal] | None = None,
    draws: int = 200,
) -> Policy:
    """A policy that draws a success rate for each model and takes the one worth most: value x rate - cost.

    `assumed_costs_usd` is for models whose cost nobody knows yet (say, list price x tokens of a usual session); such
    a model without one is never taken. The probability is the share of `draws` in which the model is the best.
    """

    def policy(models: Sequence[ModelEvidence], default: str) -> Choice:
        assumed = assumed_costs_usd or {}
        costs = {m.model: m.cost_usd if m.cost_usd is not None else assumed.get(m.model) for m in models}
        known = [(m, float(cost)) for m in models if (cost := costs[m.model]) is not None]
        if not known:
            return Choice(default, "NOTHING_TO_DRAW", 1.0)
        value = float(task_value_usd)

        def best() -> str:
            return max(known, key=lambda k: value * random.betavariate(k[0].alpha, k[0].beta) - k[1])[0].model

        drawn = [best() for _ in range(draws)]
        return Choice(drawn[0], "DRAWN", Counter(drawn)[drawn[0]] / draws)

    return policy
