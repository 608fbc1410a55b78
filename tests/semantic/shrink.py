"""A failing case made small: whatever can go while it still fails, goes."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from semantic import Both, Either, Filter, MetricQuery, Not, TimeRange
from tests.semantic.brute_rows import uses
from tests.semantic.worlds import Case, Entry, Sql, Table, Term, World

MOST_STEPS = 1500
OPTIONS = (
    "where", "window", "shift", "change", "share", "cut", "rank", "each", "snapshot", "time", "empty", "unit", "codes",
    "access",
)  # fmt: skip


def smallest(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The case without anything that its failure does not need."""
    tried = 0
    is_smaller = True
    while is_smaller:
        is_smaller = False
        for make in (_of_world, _halves, _of_question, _of_metrics, _rows):
            while tried < MOST_STEPS:
                attempts = 0
                for smaller in make(case):
                    attempts += 1
                    if fails(smaller):
                        case, is_smaller = smaller, True
                        break
                else:
                    tried += attempts
                    break
                tried += attempts
    return case


def _of_world(case: Case) -> Iterator[Case]:
    world, query = case.world, case.query
    needed = _needed(world, query)
    if len(needed) < len(world.metrics):
        yield replace(case, world=replace(world, metrics={n: m for n, m in world.metrics.items() if n in needed}))
    if case.caller:
        yield replace(case, caller=None)
    if world.policies:
        yield replace(case, world=replace(world, policies={}))
    if not query.filters and world.filters:
        yield replace(case, world=replace(world, filters={}))
    plainer: dict[str, Any] = {"week_start": "monday", "zone": "UTC", "grains": {}}
    for part, plain in plainer.items():
        if getattr(world, part) != plain:
            yield replace(case, world=replace(world, **{part: plain}))
    for name in world.tables:
        if not any(join.target == name for t in world.tables.values() for join in t.joins.values()):
            yield _with(case, {n: t for n, t in world.tables.items() if n != name})


def _with(case: Case, tables: Mapping[str, Table]) -> Case:
    return replace(case, world=replace(case.world, tables=tables))


def _of_question(case: Case) -> Iterator[Case]:
    for smaller in _questions(case.query):
        yield replace(case, query=smaller)


def _of_metrics(case: Case) -> Iterator[Case]:
    world = case.world
    for name, entry in world.metrics.items():
        for simpler in _simpler(entry):
            yield replace(case, world=replace(world, metrics={**world.metrics, name: simpler}))
        if entry.varies and name in case.query.metrics and len(case.query.metrics) == 1 and not case.query.order_by:
            yield replace(case, query=replace(case.query, metrics=(entry.varies,)))


def _needed(world: World, query: MetricQuery) -> set[str]:
    found: set[str] = set()
    waiting = list(query.metrics)
    while waiting:
        name = waiting.pop()
        if name not in found and name in world.metrics:
            found.add(name)
            entry = world.metrics[name]
            waiting += uses(entry.formula) if entry.formula else [entry.varies] * bool(entry.varies)
    return found


def _questions(query: MetricQuery) -> Iterator[MetricQuery]:
    less = MetricQuery(metrics=query.metrics, as_of=query.as_of)
    for part in ("having", "where", "filters", "limit", "zone", "order_by", "evidence"):
        if getattr(query, part) != getattr(less, part):
            yield replace(query, **{part: getattr(less, part)})
    for part in ("where", "having"):
        changes: list[dict[str, Any]] = [{part: smaller} for smaller in _filters(getattr(query, part))]
        yield from (replace(query, **change) for change in changes)
    if query.time != TimeRange():
        yield replace(query, time=TimeRange())
    if query.time.start and query.time.end:
        yield replace(query, time=TimeRange(query.time.start))
        yield replace(query, time=TimeRange(None, query.time.end))
    ordered = {order.by for order in query.order_by}
    if query.grain and "time" not in ordered:
        yield replace(query, grain=None)
    for name in query.by:
        if name not in ordered:
            yield replace(query, by=tuple(n for n in query.by if n != name))
    for name in query.metrics:
        if len(query.metrics) > 1 and name not in ordered:
            yield replace(query, metrics=tuple(n for n in query.metrics if n != name))


def _filters(where: Filter | None) -> Iterator[Filter]:
    match where:
        case Both(items) | Either(items):
            yield from items
        case Not(item):
            yield item


def _simpler(entry: Entry) -> Iterator[Entry]:
    plain = Entry(kind=entry.kind)
    for name in OPTIONS:
        change: dict[str, Any] = {name: getattr(plain, name)}
        if getattr(entry, name) != change[name]:
            yield replace(entry, **change)
    if entry.formula:
        yield from (replace(entry, formula=term) for term in _terms(entry.formula) if uses(term))
    if entry.value is not None:
        yield from (replace(entry, value=part) for part in entry.value.parts if part.op == "name")
    if entry.where is not None:
        yield from (replace(entry, where=part) for part in entry.where.parts if _is_condition(part))
    if entry.funnel and len(entry.funnel.steps) > 1:
        yield replace(entry, funnel=replace(entry.funnel, steps=entry.funnel.steps[:-1]))
        yield replace(entry, funnel=replace(entry.funnel, steps=entry.funnel.steps[1:]))


def _terms(term: Term) -> Iterator[Term]:
    yield from term.parts
    for i, part in enumerate(term.parts):
        for smaller in _terms(part):
            yield replace(term, parts=(*term.parts[:i], smaller, *term.parts[i + 1 :]))


def _is_condition(tree: Sql) -> bool:
    return tree.op not in ("name", "value")


def _halves(case: Case) -> Iterator[Case]:
    tables = case.world.tables
    for name, table in tables.items():
        half = len(table.rows) // 2
        if half:
            yield _with(case, {**tables, name: replace(table, rows=table.rows[:half])})
            yield _with(case, {**tables, name: replace(table, rows=table.rows[half:])})


def _rows(case: Case) -> Iterator[Case]:
    tables = case.world.tables
    for name, table in tables.items():
        for place in range(len(table.rows)):
            yield _with(case, {**tables, name: replace(table, rows=table.rows[:place] + table.rows[place + 1 :])})
    for name, table in tables.items():
        for role in table.joins:
            kept = {r: j for r, j in table.joins.items() if r != role}
            yield _with(case, {**tables, name: replace(table, joins=kept)})
        for dimension in table.dimensions:
            fewer = {n: d for n, d in table.dimensions.items() if n != dimension}
            yield _with(case, {**tables, name: replace(table, dimensions=fewer)})
