"""What hypothesis draws: worlds from a grammar of models and metrics, and questions to ask of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from semantic import Both, Comparison, Either, Filter, Grain, MetricQuery, Not, Op, Order, TimeRange
from tests.semantic.brute import reached_from, totals_behind
from tests.semantic.worlds import Cell, Line, Meaning, Table, Term, Test, Total, World, columns_of

ZONES = (
    "UTC",
    "America/New_York",  # forward on 2026-03-08
    "Europe/Berlin",  # forward on 2026-03-29
    "Asia/Beirut",  # 2026-03-29 has no midnight
    "Australia/Lord_Howe",  # back by half an hour on 2026-04-05
    "America/Santiago",  # back at the end of 2026-04-04, whose last hour comes twice
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
)
DAYS = tuple(
    date.fromisoformat(f"2026-{day}")
    for day in (
        "02-28", "03-01", "03-02", "03-08", "03-09", "03-15", "03-29", "03-30", "03-31", "04-01", "04-04", "04-05",
        "04-06", "04-20",
    )
)  # fmt: skip
"""Ends of months and weeks, and the days on which clocks change."""
OFFSETS = (timedelta(0), timedelta(microseconds=-1), timedelta(hours=-1), timedelta(hours=1), timedelta(hours=12))
INSTANTS = tuple(
    sorted(
        {
            datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC) + offset
            for zone in ZONES
            for day in DAYS
            for offset in OFFSETS
        }
    )
)
AMOUNTS = tuple(
    Decimal(text) for text in ("0", "1", "0.1", "-2.5", "3.333333333333", "0.000000000001", "12345678.9", "7", "0.25")
)
VALUES: Mapping[str, tuple[Cell, ...]] = {
    "team": ("a", "b", "A", "ab", ""),
    "size": (0, 1, 2, 10),
    "is_root": (True, False),
    "verdict": ("good", "bad"),
    "n": (0, 1, 2, 5, -3, 1000),
    "usd": AMOUNTS,
}
DERIVED = {
    "team": ("upper(team)", "coalesce(team, 'b')"),
    "size": ("size + 1",),
    "is_root": ("not is_root", "is_root or size > 1"),
}
DIMENSIONS = ("team", "size", "is_root", "verdict")
NAMES = ("one", "two", "three", "four")


def one_of(values: Sequence[Cell]) -> st.SearchStrategy[Cell]:
    """One of the values, or unknown: about one time in four."""
    return st.sampled_from((*[None] * (1 + len(values) // 3), *values))


CELLS: Mapping[str, st.SearchStrategy[Cell]] = {
    **{name: one_of(values) for name, values in VALUES.items()},
    "seen_at": one_of(INSTANTS),
    "seen_on": one_of(DAYS),
}
REFERENCE = st.sampled_from(("1", "2", "3", "99", None))
TIMES = st.sampled_from(("seen_at",) * 6 + ("seen_on",) * 4 + ("",))
CHANCE = st.sampled_from((False, False, False, True))
SIZES = st.sampled_from((8, 12, 3, 5, 2, 10, 1, 0))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = NAMES[: draw(st.sampled_from((3, 2, 2, 4)))]
    tables: dict[str, Table] = {}
    for place, name in reversed(list(enumerate(names))):
        tables[name] = draw(_tables(name, names[place + 1 :]))
    tables = {name: tables[name] for name in names}
    metrics: dict[str, Meaning] = {}
    for i in range(draw(st.integers(3, 6))):
        metrics[f"m{i}"] = draw(_totals(tables, metrics))
    for i in range(draw(st.integers(0, 4))):
        metrics[f"f{i}"] = draw(_formulas(tuple(n for n, m in metrics.items() if m.unit != "date")))
    return World(tables, metrics, draw(st.sampled_from(ZONES)) if draw(CHANCE) else "UTC")


@st.composite
def _tables(draw: st.DrawFn, name: str, targets: Sequence[str]) -> Table:
    kind = draw(TIMES)
    derived = draw(st.sets(st.sampled_from(tuple(DERIVED))))
    dimensions = {d: draw(st.sampled_from(DERIVED[d])) if d in derived else "" for d in DIMENSIONS}
    dropped = draw(st.sets(st.sampled_from(tuple(dimensions)), max_size=3))
    joins: dict[str, str] = {}
    if targets:
        for role in draw(st.sampled_from(((), ("up",), ("up",), ("up", "other")))):
            joins[role] = draw(st.sampled_from(tuple(targets)))
    columns = columns_of(kind, joins)
    line = {c: REFERENCE if c.endswith("_id") else CELLS[c] for c in columns if c != "id"}
    size = draw(SIZES)
    rows = draw(st.lists(st.fixed_dictionaries(line), min_size=size, max_size=size))
    numbered: tuple[Line, ...] = tuple({"id": str(i), **row} for i, row in enumerate(rows, 1))
    return Table(name, kind, {d: sql for d, sql in dimensions.items() if d not in dropped}, joins, numbered)


AMOUNT = ("n", "usd")
KINDS = ("sum",) * 7 + ("count", "count", "avg", "min", "max", "count_distinct", "median", "percentile")
WINDOWS = ("", "rolling", "snapshot", "rolling")
CODES = {"when_unknown": "NOT_KNOWN", "when_empty": "NOTHING", "when_zero": "ZERO"}


@st.composite
def _totals(draw: st.DrawFn, tables: Mapping[str, Table], metrics: Mapping[str, Meaning]) -> Meaning:
    named = draw(st.sets(st.sampled_from(tuple(CODES)))) if draw(st.booleans()) else set[str]()
    codes = {key: code for key, code in CODES.items() if key in named}
    is_variation = draw(CHANCE)
    if metrics and is_variation:
        return _variation(draw, tables, metrics, codes)
    table = tables[draw(st.sampled_from(tuple(tables)))]
    kind = draw(st.sampled_from(KINDS))
    column, unit = "", ""
    if kind != "count":
        column = draw(st.sampled_from((*AMOUNT, *table.dimensions) if kind == "count_distinct" else AMOUNT))
        unit = {"usd": "USD", "n": draw(st.sampled_from(("", "tokens")))}.get(column, "")
    tests = (draw(_tests(tables, table)),) if draw(st.booleans()) else ()
    rolling, per_month = 0, False
    per: tuple[str, ...] = ()
    window = draw(st.sampled_from(WINDOWS)) if table.time and kind in ("sum", "count") else ""
    if window == "snapshot" and kind == "sum" and table.dimensions:
        per = tuple(sorted(draw(st.sets(st.sampled_from(tuple(table.dimensions)), min_size=1, max_size=2))))
    elif window == "rolling":
        rolling, per_month = draw(st.sampled_from((7, 30, 1))), draw(st.booleans())
    p = draw(st.sampled_from(("0.9", "0.25", "0.05"))) if kind == "percentile" else ""
    total = Total(table.name, kind, column, p, tests, rolling, per_month, per)
    return Meaning(total, "" if kind == "count_distinct" else unit, draw(st.sampled_from(("null", "zero"))), codes)


def _variation(
    draw: st.DrawFn, tables: Mapping[str, Table], metrics: Mapping[str, Meaning], codes: Mapping[str, str]
) -> Meaning:
    name = draw(st.sampled_from(tuple(metrics)))
    origin = metrics[name]
    total = origin.definition
    assert isinstance(total, Total)
    test = draw(_tests(tables, tables[total.model]))
    varied = Total(
        total.model, total.kind, total.column, total.p, (*total.tests, test), total.rolling, total.per_month,
        total.per, name,
    )  # fmt: skip
    return Meaning(varied, origin.unit, origin.empty, {**origin.codes, **codes})


@st.composite
def _tests(draw: st.DrawFn, tables: Mapping[str, Table], table: Table, depth: int = 1) -> Test:
    if depth and draw(CHANCE):
        op = draw(st.sampled_from(("and", "or", "not")))
        parts = tuple(draw(_tests(tables, table, depth - 1)) for _ in range(1 if op == "not" else 2))
        return Test(op, parts=parts)
    role = draw(st.sampled_from(("", *table.joins)))
    owner = tables[table.joins[role]] if role else table
    name = draw(st.sampled_from(tuple(VALUES)))
    ops = ("=", "<>", "is null", "is not null") + ((">", "<=") if name in ("size", *AMOUNT) else ())
    op = draw(st.sampled_from(ops))
    value = None if op.startswith("is") else draw(st.sampled_from(VALUES[name]))
    assert name in owner.columns
    return Test(op, f"{role}.{name}" if role else name, value)


OPERATIONS = ("+", "-", "*", "/", "/", "/", "least", "greatest", "coalesce", "negative", "if positive")


@st.composite
def _formulas(draw: st.DrawFn, names: Sequence[str]) -> Meaning:
    term = draw(_terms(names, 2))
    if not _uses_metric(term):
        term = Term("+", parts=(term, Term("metric", names[0])))
    is_coded = draw(CHANCE)
    codes = {"when_unknown": "NO_ANSWER"} if is_coded else {}
    if draw(CHANCE) and draw(CHANCE):
        return Meaning(Term("days_after", parts=(term,)), "date", codes=codes)
    return Meaning(term, draw(st.sampled_from(("", "USD"))), codes=codes)


def _uses_metric(term: Term) -> bool:
    return term.op == "metric" or any(_uses_metric(p) for p in term.parts)


@st.composite
def _terms(draw: st.DrawFn, names: Sequence[str], depth: int) -> Term:
    if not depth or draw(CHANCE):
        if draw(CHANCE):
            return Term("number", draw(st.sampled_from(("0", "2", "0.5", "30.4375"))))
        return Term("metric", draw(st.sampled_from(names)))
    op = draw(st.sampled_from(OPERATIONS))
    return Term(op, parts=tuple(draw(_terms(names, depth - 1)) for _ in range(1 if op == "negative" else 2)))


@st.composite
def questions(draw: st.DrawFn, world: World) -> MetricQuery:
    asked = draw(st.lists(st.sampled_from(tuple(world.metrics)), min_size=1, max_size=4, unique=True))
    is_filtered = draw(st.booleans())
    is_bold = draw(CHANCE) and draw(CHANCE)
    names = _dimensions(world, asked, everything=is_bold)
    by = draw(st.lists(st.sampled_from(names), max_size=2, unique=True)) if names else []
    grain = draw(st.sampled_from((None, None, Grain.DAY, Grain.WEEK, Grain.MONTH)))
    sortable = (*asked, *by, *(["time"] if grain else []))
    order = draw(st.lists(st.sampled_from(sortable), max_size=2, unique=True))
    return MetricQuery(
        metrics=tuple(asked),
        as_of=draw(st.sampled_from(DAYS)),
        by=tuple(by),
        grain=grain,
        time=draw(_ranges()) if draw(st.booleans()) else TimeRange(),
        where=draw(_filters(names, 2)) if is_filtered and names else None,
        order_by=tuple(Order(name, draw(st.sampled_from(("asc", "desc")))) for name in order),
        limit=draw(st.integers(1, 4)) if draw(CHANCE) else None,
        zone=draw(st.sampled_from(ZONES)) if draw(st.booleans()) else None,
        evidence=draw(st.booleans()),
    )


def _dimensions(world: World, asked: Sequence[str], *, everything: bool) -> tuple[str, ...]:
    """The dimensions that all asked metrics reach, or all names there are, most of which will be refused."""
    models = {t.model for name in asked for t in totals_behind(world, name).values()}
    sets = [set(reached_from(world, world.tables[model])) for model in models]
    return tuple(sorted(set.union(*sets) if everything else set.intersection(*sets)))


@st.composite
def _ranges(draw: st.DrawFn) -> TimeRange:
    start, end = draw(one_of(INSTANTS)), draw(one_of(INSTANTS))
    assert start is None or isinstance(start, datetime)
    assert end is None or isinstance(end, datetime)
    if start and end and start >= end:
        start, end = (end, start) if start > end else (start, None)
    return TimeRange(start, end)


@st.composite
def _filters(draw: st.DrawFn, names: Sequence[str], depth: int) -> Filter:
    if depth and draw(st.booleans()):
        if draw(CHANCE):
            return Not(draw(_filters(names, depth - 1)))
        items = tuple(draw(st.lists(_filters(names, depth - 1), max_size=3)))
        return Both(items) if draw(st.booleans()) else Either(items)
    name = draw(st.sampled_from(names))
    plain = name.rpartition(".")[2]
    values = [v for v in VALUES[plain] if isinstance(v, str | int)]
    ops = [Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL]
    ops += [Op.CONTAINS, Op.STARTS_WITH] if plain in ("team", "verdict") else []
    ops += [Op.GT, Op.GTE, Op.LT, Op.LTE] if plain in ("team", "size") else []
    op = draw(st.sampled_from(ops))
    if op is Op.IS_NULL:
        return Comparison(name, op, (draw(st.booleans()),))
    several = op in (Op.IN, Op.NOT_IN)
    chosen = draw(st.lists(st.sampled_from(values), min_size=1, max_size=2 if several else 1))
    return Comparison(name, op, tuple(chosen))
