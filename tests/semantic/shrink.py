"""A failing question made small: whatever can go while it still fails, goes."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from semantic import MetricQuery, TimeRange
from tests.semantic.brute import totals_behind
from tests.semantic.brute_numbers import inputs
from tests.semantic.worlds import Term, World

Case = tuple[World, MetricQuery]


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The case without anything that its failure does not need."""
    while found := next((smaller for smaller in _smaller(*case) if fails(smaller)), None):
        case = found
    return case


def _smaller(world: World, query: MetricQuery) -> Iterator[Case]:
    """Cases with one thing less, the big things first."""
    needed = _needed(world, query)
    if len(needed) < len(world.metrics):
        yield replace(world, metrics={n: m for n, m in world.metrics.items() if n in needed}), query
    for smaller in _questions(query):
        yield world, smaller
    for name, table in world.tables.items():
        for place in range(len(table.rows)):
            rows = table.rows[:place] + table.rows[place + 1 :]
            yield replace(world, tables={**world.tables, name: replace(table, rows=rows)}), query


def _needed(world: World, query: MetricQuery) -> set[str]:
    found: set[str] = set()
    waiting = list(query.metrics)
    while waiting:
        name = waiting.pop()
        found.add(name)
        definition = world.metrics[name].definition
        waiting += inputs(definition) if isinstance(definition, Term) else [definition.varies] * bool(definition.varies)
    assert found >= {n for name in query.metrics for n in totals_behind(world, name)}
    return found


def _questions(query: MetricQuery) -> Iterator[MetricQuery]:
    less = MetricQuery(metrics=query.metrics, as_of=query.as_of)
    for part in ("where", "limit", "zone", "order_by", "evidence"):
        if getattr(query, part) != getattr(less, part):
            yield replace(query, **{part: getattr(less, part)})
    if query.time != TimeRange():
        yield replace(query, time=TimeRange())
    ordered = {order.by for order in query.order_by}
    if query.grain and "time" not in ordered:
        yield replace(query, grain=None)
    for name in query.by:
        if name not in ordered:
            yield replace(query, by=tuple(n for n in query.by if n != name))
    for name in query.metrics:
        if len(query.metrics) > 1 and name not in ordered:
            yield replace(query, metrics=tuple(n for n in query.metrics if n != name))
