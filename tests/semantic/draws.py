"""Random worlds, from a grammar of models and metrics, and random questions to ask of them.

Drawn with a plain `Random`: thousands of worlds that have little in common show more than variations of a few.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from semantic import Both, Comparison, Either, Filter, Grain, MetricQuery, Not, Op, Order, TimeRange
from tests.semantic.brute import reached_from, totals_behind
from tests.semantic.worlds import Cell, Line, Meaning, Table, Term, Test, Total, World, columns_of

T = TypeVar("T")

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
DIMENSIONS = ("team", "size", "is_root", "verdict")
AMOUNTS = ("n", "usd")
VALUES: Mapping[str, tuple[Cell, ...]] = {
    "team": ("a", "b", "A", "ab", ""),
    "size": (0, 1, 2, 10),
    "is_root": (True, False),
    "verdict": ("good", "bad"),
    "n": (0, 1, 2, 5, -3, 1000),
    "usd": tuple(
        Decimal(text) for text in ("0", "1", "0.1", "-2.5", "3.333333333333", "0.000000000001", "12345678.9", "7")
    ),
}
DERIVED = {
    "team": ("upper(team)", "coalesce(team, 'b')"),
    "size": ("size + 1",),
    "is_root": ("not is_root", "is_root or size > 1"),
}
KINDS = ("sum",) * 7 + ("count", "count", "avg", "min", "max", "count_distinct", "median", "percentile")
CODES = {"when_unknown": "NOT_KNOWN", "when_empty": "NOTHING", "when_zero": "ZERO"}
OPERATIONS = ("+", "-", "-", "*", "/", "/", "least", "greatest", "coalesce", "negative", "if positive")
NAMES = ("one", "two", "three", "four")


@dataclass(frozen=True, slots=True)
class Draws:
    """Draws from one source of chance, over a few days and instants, so that times coincide."""

    random: Random
    days: tuple[date, ...]
    instants: tuple[datetime, ...]

    def one(self, choices: Sequence[T]) -> T:
        return self.random.choice(choices)

    def maybe(self, chance: float) -> bool:
        return self.random.random() < chance

    def some(self, choices: Sequence[T], least: int, most: int) -> list[T]:
        """Different ones, in any order."""
        return self.random.sample(choices, min(len(choices), self.random.randint(least, most)))

    # --- worlds

    def world(self) -> World:
        names = NAMES[: self.one((2, 3, 3, 4))]
        tables: dict[str, Table] = {}
        for place, name in enumerate(names):
            tables[name] = self._table(name, names[place + 1 :])
        metrics: dict[str, Meaning] = {}
        for i in range(self.random.randint(3, 6)):
            varied = [n for n, m in metrics.items() if isinstance(m.definition, Total)]
            varies = varied and self.maybe(0.25)
            metrics[f"m{i}"] = self._variation(tables, metrics, self.one(varied)) if varies else self._total(tables)
        for i in range(self.random.randint(0, 4)):
            metrics[f"f{i}"] = self._formula([n for n, m in metrics.items() if m.unit != "date"])
        return World(tables, metrics, self.one(ZONES) if self.maybe(0.25) else "UTC")

    def _table(self, name: str, targets: Sequence[str]) -> Table:
        time_column = self.one(("seen_at",) * 6 + ("seen_on",) * 4 + ("",))
        dimensions = {d: self.one(DERIVED[d]) if d in DERIVED and self.maybe(0.4) else "" for d in DIMENSIONS}
        for dropped in self.some(DIMENSIONS, 0, 3):
            del dimensions[dropped]
        roles = self.one(((), ("up",), ("up",), ("up", "other"))) if targets else ()
        joins = {role: self.one(targets) for role in roles}
        columns = [c for c in columns_of(time_column, joins) if c != "id"]
        rows: tuple[Line, ...] = tuple(
            {"id": str(i), **{c: self._cell(c) for c in columns}} for i in range(self.random.randint(0, 12))
        )
        return Table(name, time_column, dimensions, joins, rows)

    def _cell(self, column: str) -> Cell:
        if self.maybe(0.1 if column.startswith("seen") else 0.25):
            return None
        if column.endswith("_id"):
            return str(self.random.randint(0, 9))
        return self.one({"seen_at": self.instants, "seen_on": self.days, **VALUES}[column])

    def _total(self, tables: Mapping[str, Table]) -> Meaning:
        table, kind = self.one(list(tables.values())), self.one(KINDS)
        column, unit = "", ""
        if kind != "count":
            column = self.one((*AMOUNTS, *table.dimensions) if kind == "count_distinct" else AMOUNTS)
        if kind not in ("count", "count_distinct"):
            unit = "USD" if column == "usd" else self.one(("", "tokens"))
        total = Total(table.name, kind, column, self.one(("0.9", "0.25", "0.05")) if kind == "percentile" else "")
        window = self.one(("", "rolling", "snapshot")) if table.time and kind in ("sum", "count") else ""
        if window == "snapshot" and kind == "sum" and table.dimensions:
            total = replace(total, per=tuple(self.some(list(table.dimensions), 1, 2)))
        elif window == "rolling":
            total = replace(total, rolling=self.one((1, 7, 30)), per_month=self.maybe(0.5))
        if self.maybe(0.4):
            total = replace(total, tests=(self._test(tables, table),))
        return Meaning(total, unit, self.one(("null", "zero")), self._codes())

    def _variation(self, tables: Mapping[str, Table], metrics: Mapping[str, Meaning], name: str) -> Meaning:
        origin = metrics[name]
        assert isinstance(origin.definition, Total)
        tests = (*origin.definition.tests, self._test(tables, tables[origin.definition.model]))
        varied = replace(origin.definition, tests=tests, varies=name)
        return replace(origin, definition=varied, codes={**origin.codes, **self._codes()})

    def _codes(self) -> dict[str, str]:
        return {key: code for key, code in CODES.items() if self.maybe(0.3)}

    def _test(self, tables: Mapping[str, Table], table: Table, depth: int = 1) -> Test:
        if depth and self.maybe(0.3):
            op = self.one(("and", "or", "not"))
            count = 1 if op == "not" else 2
            return Test(op, parts=tuple(self._test(tables, table, depth - 1) for _ in range(count)))
        role, name = self.one(("", *table.joins)), self.one(list(VALUES))
        ops = ("=", "<>", "is null", "is not null") + ((">", "<=") if name in ("size", *AMOUNTS) else ())
        op = self.one(ops)
        return Test(op, f"{role}.{name}" if role else name, None if op.startswith("is") else self.one(VALUES[name]))

    def _formula(self, names: Sequence[str]) -> Meaning:
        term = self._term(names, 2)
        if not _uses_metric(term):
            term = Term("+", parts=(term, Term("metric", names[0])))
        codes = {"when_unknown": "NO_ANSWER"} if self.maybe(0.2) else {}
        if self.maybe(0.1):
            return Meaning(Term("days_after", parts=(term,)), "date", codes=codes)
        return Meaning(term, self.one(("", "USD")), codes=codes)

    def _term(self, names: Sequence[str], depth: int) -> Term:
        if not depth or self.maybe(0.25):
            is_number = self.maybe(0.2)
            return (
                Term("number", self.one(("0", "2", "0.5", "30.4375"))) if is_number else Term("metric", self.one(names))
            )
        op = self.one(OPERATIONS)
        return Term(op, parts=tuple(self._term(names, depth - 1) for _ in range(1 if op == "negative" else 2)))

    # --- questions

    def question(self, world: World) -> MetricQuery:
        asked = self.some(list(world.metrics), 1, 4)
        names = _dimensions(world, asked, everything=self.maybe(0.05))
        by = self.some(names, 0, 2)
        grain = self.one((None, None, Grain.DAY, Grain.WEEK, Grain.MONTH))
        sortable = (*asked, *by, *(["time"] if grain else []))
        return MetricQuery(
            metrics=tuple(asked),
            as_of=self.one(self.days) + timedelta(days=self.one((0, 0, 1))),
            by=tuple(by),
            grain=grain,
            time=self._range() if self.maybe(0.5) else TimeRange(),
            where=self._filter(names, 2) if names and self.maybe(0.5) else None,
            order_by=tuple(Order(name, self.one(("asc", "desc"))) for name in self.some(sortable, 0, 2)),
            limit=self.random.randint(1, 4) if self.maybe(0.25) else None,
            zone=self.one(ZONES) if self.maybe(0.5) else None,
            evidence=self.maybe(0.5),
        )

    def _range(self) -> TimeRange:
        start, end = sorted(self.random.sample(self.instants, 2))
        return self.one((TimeRange(start, end), TimeRange(start), TimeRange(None, end)))

    def _filter(self, names: Sequence[str], depth: int) -> Filter:
        if depth and self.maybe(0.4):
            if self.maybe(0.3):
                return Not(self._filter(names, depth - 1))
            items = tuple(self._filter(names, depth - 1) for _ in range(self.random.randint(0, 3)))
            return Both(items) if self.maybe(0.5) else Either(items)
        name = self.one(names)
        plain = name.rpartition(".")[2]
        values = [v for v in VALUES[plain] if isinstance(v, str | int)]
        ops = [Op.EQ, Op.NE, Op.IN, Op.NOT_IN, Op.IS_NULL]
        ops += [Op.CONTAINS, Op.STARTS_WITH] if plain in ("team", "verdict") else []
        ops += [Op.GT, Op.GTE, Op.LT, Op.LTE] if plain in ("team", "size") else []
        op = self.one(ops)
        if op is Op.IS_NULL:
            return Comparison(name, op, (self.maybe(0.5),))
        return Comparison(name, op, tuple(self.some(values, 1, 2 if op in (Op.IN, Op.NOT_IN) else 1)))


def draws_from(random: Random) -> Draws:
    """A source of worlds and questions about them."""
    instants = [
        datetime.combine(random.choice(DAYS), time(), ZoneInfo(random.choice(ZONES))).astimezone(UTC)
        + random.choice(OFFSETS)
        for _ in range(random.randint(3, 10))
    ]
    days = random.sample(DAYS, random.randint(3, 8))
    distinct = tuple(dict.fromkeys([*instants, *(datetime(2026, 3, d, 12, tzinfo=UTC) for d in (1, 2))]))
    return Draws(random, tuple(days), distinct)


def _uses_metric(term: Term) -> bool:
    return term.op == "metric" or any(_uses_metric(p) for p in term.parts)


def _dimensions(world: World, asked: Sequence[str], *, everything: bool) -> list[str]:
    """The dimensions that all asked metrics reach; or all names there are, most of which will be refused."""
    models = {t.model for name in asked for t in totals_behind(world, name).values()}
    sets = [set(reached_from(world, world.tables[model])) for model in models]
    return sorted(set.union(*sets) if everything else set.intersection(*sets))
