"""Random questions of a world; most of those that would be refused are drawn again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from semantic import Both, Comparison, Either, Filter, MetricQuery, Not, Op, Order, TimeRange
from tests.semantic.brute_meaning import Eached, Formula, Meaning, Ranked, Total, meaning
from tests.semantic.brute_refusals import refusals, totals_of
from tests.semantic.draw_metrics import GRAINS, reached
from tests.semantic.draw_tables import KINDS, VALUES
from tests.semantic.draw_worlds import caller
from tests.semantic.draws import CLOCK, LONG, ZONES, Draws
from tests.semantic.worlds import Case, Cell, World

PARTS = {
    "hour": (0, 1, 12, 23),
    "weekday": (1, 6, 7),
    "day": (1, 8, 29, 31),
    "day_of_year": (60, 61, 67, 88),
    "week": (9, 10, 14, 53),
    "month": (1, 2, 3, 4),
    "quarter": (1, 2),
    "year": (2024, 2025, 2026),
}
AGAIN = 6
"""How often a question that would be refused is drawn again."""


def question(draws: Draws, world: World) -> Case:
    case = _question(draws, world)
    for _ in range(AGAIN if draws.maybe(0.9) else 0):
        if not refusals(case):
            break
        case = _question(draws, world)
    return case


def _question(draws: Draws, world: World) -> Case:
    asked = draws.some(list(world.metrics), 1, draws.one((1, 2, 3, 4)))
    made = {n: meaning(world, n) for n in asked}
    totals = [t for m in made.values() for t in totals_of(m)]
    anything = sorted({n for t in world.tables.values() for n in t.dimensions})
    names = anything if draws.maybe(0.03) else reached(world, totals)
    parts = [f"time.{p}" for p in PARTS] if draws.maybe(0.4) else []
    by = draws.some(names, 0, 2) if draws.maybe(0.6) else []
    by += draws.some(parts, 0, 1)
    grain = _grain(draws, world, totals)
    time = _range(draws, grain)
    sortable = (*asked, *by, *(["time"] if grain else []))
    filterable = parts if parts and draws.maybe(0.5) else names
    query = MetricQuery(
        metrics=tuple(asked),
        as_of=draws.one(draws.days) + timedelta(days=draws.one((0, 0, 0, 1, 2))),
        by=tuple(by),
        grain=grain,
        time=time,
        where=_filter(draws, filterable, 2) if filterable and draws.maybe(0.35) else None,
        filters=tuple(draws.some(list(world.filters), 1, 2)) if draws.maybe(0.2) else (),
        having=_having(draws, made, 1) if draws.maybe(0.15) else None,
        order_by=tuple(Order(n, draws.one(("asc", "desc"))) for n in draws.some(sortable, 0, 2)),
        limit=draws.whole(1, 4) if draws.maybe(0.15) else None,
        zone=draws.one((draws.zone, *ZONES)) if draws.maybe(0.4) else None,
        evidence=draws.maybe(0.5),
    )
    return Case(world, _spoiled(draws, query) if draws.maybe(0.02) else query, caller(draws, world))


def _spoiled(draws: Draws, query: MetricQuery) -> MetricQuery:
    """With something that no question can have."""
    wrong: tuple[dict[str, Any], ...] = (
        {"metrics": (*query.metrics, "nothing")},
        {"by": (*query.by, "nowhere")},
        {"by": (*query.by, "time.second")},
        {"by": (*query.by, "nobody.team")},
        {"filters": ("nothing",)},
        {"zone": "Mars/Olympus"},
        {"limit": 0},
        {"order_by": (Order("nothing"),)},
        {"having": Comparison("nothing", Op.GT, (0,))},
        {"time": TimeRange(draws.instants[-1], draws.instants[0])},
    )
    return replace(query, **draws.one(wrong))


def _grain(draws: Draws, world: World, totals: Sequence[Total]) -> str | None:
    """One that the measures' windows and shifts go with, mostly."""
    if draws.maybe(0.25):
        return None
    if draws.maybe(0.01):
        return "fortnight"
    by_clock = any(t.window and t.window.length and t.window.length.minutes for t in totals)
    by_clock |= any(t.shift is not None and t.shift.minutes > 0 for t in totals)
    lengths = [length for t in totals for length in (t.shift, t.window and t.window.length) if length]
    if draws.scale == CLOCK and any(length.minutes % 60 for length in lengths):
        return "minute"
    if draws.scale == CLOCK and (by_clock or draws.maybe(0.5)):
        return draws.one(("hour", "hour", "minute"))
    return draws.one(("minute" if draws.maybe(0.02) else "day", *GRAINS[draws.scale], *world.grains))


def _range(draws: Draws, grain: str | None) -> TimeRange:
    start, end = sorted(draws.random.sample(draws.instants, 2)) if len(draws.instants) > 1 else (None, None)
    if start is None or end is None:
        return TimeRange()
    if grain == "minute":
        start += timedelta(minutes=draws.whole(-9, 9))
        end = start + timedelta(days=200 if draws.maybe(0.02) else 0, minutes=draws.whole(1, 90))
    elif grain == "hour":
        end = min(end, start + timedelta(hours=draws.whole(1, 60)))
    elif grain in ("day", "pair") and draws.scale == LONG:
        end = min(end, start + timedelta(days=draws.whole(1, 40)))
    elif draws.maybe(0.3):
        return draws.one((TimeRange(), TimeRange(start), TimeRange(None, end)))
    elif draws.maybe(0.2):
        return TimeRange()
    if draws.maybe(0.03):
        return draws.one((TimeRange(start), TimeRange(None, end)))
    return TimeRange(start, end)


def _filter(draws: Draws, names: Sequence[str], depth: int) -> Filter:
    if depth and draws.maybe(0.35):
        if draws.maybe(0.3):
            return Not(_filter(draws, names, depth - 1))
        items = tuple(_filter(draws, names, depth - 1) for _ in range(draws.whole(0, 3)))
        return Both(items) if draws.maybe(0.5) else Either(items)
    name = draws.one(names)
    plain = name.rpartition(".")[2]
    kind = "integer" if name.startswith("time.") else KINDS[plain]
    ops = [Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL]
    ops += [Op.CONTAINS, Op.STARTS_WITH] if kind in ("string", "enum") else []
    ops += [Op.GT, Op.GTE, Op.LT, Op.LTE] if kind not in ("enum", "boolean") else []
    op = draws.one(ops)
    if op is Op.IS_NULL:
        return Comparison(name, op, (draws.maybe(0.5),))
    known = PARTS[plain] if name.startswith("time.") else _values(draws, plain)
    values = tuple(draws.some(known, 1, 2 if op in (Op.IN, Op.NOT_IN) else 1))
    return Comparison(name, op, values)  # type: ignore[arg-type]  # no cell of a dimension is a double


def _values(draws: Draws, plain: str) -> Sequence[Cell]:
    match plain:
        case "born_on":
            return draws.days
        case "opened":
            return draws.instants
    return VALUES[plain]


def _having(draws: Draws, made: dict[str, Meaning], depth: int) -> Filter | None:
    numbers = [n for n, m in made.items() if _is_number(m)]
    if not numbers:
        return None
    if depth and draws.maybe(0.25):
        parts = [h for h in (_having(draws, made, depth - 1) for _ in range(2)) if h]
        if draws.maybe(0.3):
            return Not(parts[0])
        return Both(tuple(parts)) if draws.maybe(0.5) else Either(tuple(parts))
    op = draws.one((Op.GT, Op.GTE, Op.LT, Op.LTE, Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL))
    if op is Op.IS_NULL:
        return Comparison(draws.one(numbers), op, (draws.maybe(0.5),))
    known = (0, 1, 2, 5, Decimal("0.5"), 1000, -1)
    return Comparison(draws.one(numbers), op, tuple(draws.some(known, 1, 2 if op in (Op.IN, Op.NOT_IN) else 1)))


def _is_number(made: Meaning) -> bool:
    match made:
        case Formula():
            return made.term.op != "days_after"
        case Ranked() | Eached():
            return True
    value = made.value
    if made.kind not in ("min", "max", "first", "last") or value is None or value.op != "name":
        return True
    return value.name.rpartition(".")[2] in ("n", "usd", "secs")
