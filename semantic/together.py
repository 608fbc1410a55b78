"""Questions that differ in their metrics alone, as one: planned on all of their metrics, answered once, split again.

Only where each gets what it would get alone, which means the same rows. Which rows there are is decided by the scans
that lie under a question. So either there are no keys, and every question has its one row; or all of them rest on the
same plain scans of the same stretches of time, grouped and joined alike, and none reads anything else.
"""

from collections.abc import Sequence
from dataclasses import replace

from semantic.plan import Fact, Plan, Scan
from semantic.query import MetricQuery
from semantic.shape import Shaped


def joined_query(queries: Sequence[MetricQuery]) -> MetricQuery:
    """One question with the metrics of all; they are the same but for those."""
    return replace(queries[0], metrics=tuple(dict.fromkeys(name for query in queries for name in query.metrics)))


def slice_of_query(query: MetricQuery) -> MetricQuery:
    """What has to be the same for two questions to be asked together."""
    return replace(query, metrics=())


def can_share(first: Plan, second: Plan) -> bool:
    """Whether one statement with the metrics of both has the rows of each."""
    if any(plan.eaches or plan.totals for plan in (first, second)) or first.period != second.period:
        return False
    if not first.query.by and first.query.grain is None:
        return True
    return _has_plain_scans(first) and _frames(first) == _frames(second)


def _has_plain_scans(plan: Plan) -> bool:
    return all(fact.scan is Scan.PLAIN for fact in plan.facts)


def _frames(plan: Plan) -> list[Fact]:
    """The scans without what they measure, in an order that does not depend on which metric was named first."""
    return sorted((replace(fact, measures={}) for fact in plan.facts), key=lambda fact: (fact.label, repr(fact.time)))


def part_of(shaped: Shaped, query: MetricQuery) -> Shaped:
    """The answer to one of the questions that were asked together."""
    return replace(
        shaped,
        values={name: shaped.values[name] for name in query.metrics},
        evidence={name: shaped.evidence[name] for name in query.metrics} if query.evidence else {},
    )
