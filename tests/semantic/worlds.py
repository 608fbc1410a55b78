"""A small world as a value: tables with their rows and metrics over them, and how both are written as YAML and as SQL.

The two readers of a world share nothing else: the compiler gets the YAML, `brute` gets the value.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

Cell = str | int | bool | Decimal | datetime | date | None
Line = Mapping[str, Cell]

TYPES: Mapping[str, tuple[str, str]] = {
    "team": ("string", "varchar"),
    "size": ("integer", "integer"),
    "is_root": ("boolean", "boolean"),
    "verdict": ("{type: enum, values: [good, bad]}", "varchar"),
}
"""The dimensions that worlds are made of: how the catalog and the database write their types."""


BRACKETED = {"and", "or", "+", "-", "*", "/", "negative"}
"""What is written in brackets inside of something else."""


@dataclass(frozen=True, slots=True)
class Table:
    """A model and its table. The key is `id`; amounts are `n` (an integer) and `usd` (twelve places).

    `time` is "seen_at" (instants), "seen_on" (dates) or "". A dimension reads the column of its name, or its SQL.
    """

    name: str
    time: str
    dimensions: Mapping[str, str]
    joins: Mapping[str, str]
    rows: tuple[Line, ...]

    @property
    def columns(self) -> Mapping[str, str]:
        return columns_of(self.time, self.joins)


def columns_of(time: str, joins: Iterable[str]) -> dict[str, str]:
    """The columns of a table and their types in the database."""
    return {
        "id": "varchar",
        **({time: {"seen_at": "timestamp", "seen_on": "date"}[time]} if time else {}),
        **{name: kind for name, (_, kind) in TYPES.items()},
        **{f"{role}_id": "varchar" for role in joins},
        "n": "integer",
        "usd": "decimal(38,12)",
    }


@dataclass(frozen=True, slots=True)
class Test:
    """A condition of the file: `op` over one name, or and, or, not over further tests. Three-valued, as in SQL."""

    __test__ = False

    op: str
    name: str = ""
    value: Cell = None
    parts: tuple["Test", ...] = ()

    def __str__(self) -> str:
        match self.op:
            case "and" | "or":
                return "(" + f" {self.op} ".join(str(p) for p in self.parts) + ")"
            case "not":
                return f"not ({self.parts[0]})"
            case "is null" | "is not null":
                return f"{self.name} {self.op}"
        return f"{self.name} {self.op} {literal(self.value)}"


@dataclass(frozen=True, slots=True)
class Total:
    """A measure: an aggregation over one model, all its tests applied."""

    model: str
    kind: str
    column: str = ""
    p: str = ""
    tests: tuple[Test, ...] = ()
    rolling: int = 0
    per_month: bool = False
    per: tuple[str, ...] = ()
    varies: str = ""
    """The metric that this one is written as a variation of; `tests` then holds its tests too."""


@dataclass(frozen=True, slots=True)
class Term:
    """A formula: a metric, a number, or an operation over further terms."""

    op: str
    name: str = ""
    parts: tuple["Term", ...] = ()

    def __str__(self) -> str:
        parts = [str(p) for p in self.parts]
        match self.op:
            case "metric" | "number":
                return self.name
            case "+" | "-" | "*" | "/":
                return f"({parts[0]} {self.op} {parts[1]})"
            case "negative":
                return f"(-{parts[0]})"
            case "if positive":
                return f"case when {parts[0]} > 0 then {parts[1]} end"
            case "days_after":
                return f"days_after(as_of, ceil(round({parts[0]}, 6)))"
        return f"{self.op}({', '.join(parts)})"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A metric."""

    definition: Total | Term
    unit: str = ""
    empty: str = "null"
    codes: Mapping[str, str] = field(default_factory=dict)
    """when_unknown, when_empty and when_zero."""


@dataclass(frozen=True, slots=True)
class World:
    tables: Mapping[str, Table]
    metrics: Mapping[str, Meaning]
    zone: str = "UTC"


def catalog_text(world: World) -> str:
    """The world's metrics file."""
    lines = [f"defaults: {{time_zone: {world.zone}}}", "models:"]
    for table in world.tables.values():
        lines += [f"  {table.name}:", f"    source: {table.name}", "    key: id"]
        if table.time:
            lines.append("    time: " + ("seen_at" if table.time == "seen_at" else "{column: seen_on, grain: day}"))
        if table.joins:
            joins = (f"{role}: {{to: {target}, column: {role}_id}}" for role, target in table.joins.items())
            lines.append(f"    joins: {{{', '.join(joins)}}}")
        if table.dimensions:
            lines.append("    dimensions:")
            lines += [f"      {name}: {_dimension(name, sql)}" for name, sql in table.dimensions.items()]
    lines.append("metrics:" if world.metrics else "metrics: {}")
    lines += [f"  {name}: {{{', '.join(_entry(world, metric))}}}" for name, metric in world.metrics.items()]
    return "\n".join(lines)


def _dimension(name: str, sql: str) -> str:
    kind = TYPES[name][0]
    if not sql:
        return kind
    return f"{kind[:-1]}, sql: {quoted(sql)}}}" if kind.startswith("{") else f"{{type: {kind}, sql: {quoted(sql)}}}"


def _entry(world: World, metric: Meaning) -> Iterator[str]:
    definition = metric.definition
    if isinstance(definition, Term):
        yield f"expr: {quoted(_bare(str(definition), definition.op in BRACKETED))}"
    elif definition.varies:
        origin = world.metrics[definition.varies].definition
        assert isinstance(origin, Total)
        yield f"metric: {definition.varies}"
        yield from _tests(definition.tests[len(origin.tests) :])
    else:
        yield f"{definition.kind}: {definition.model}{'.' if definition.column else ''}{definition.column}"
        yield from _tests(definition.tests)
        yield from [f"p: {definition.p}"] if definition.p else []
        if definition.per_month:
            yield f"rolling: {{window: {definition.rolling} days, average: month}}"
        elif definition.rolling:
            yield f"rolling: {definition.rolling} days"
        yield from [f"snapshot: {{take: last, per: [{', '.join(definition.per)}]}}"] if definition.per else []
    yield from [f"unit: {metric.unit}"] if metric.unit else []
    if isinstance(definition, Total):
        yield f"empty: {quoted(metric.empty)}"
    yield from (f"{key}: {code}" for key, code in metric.codes.items())


def _tests(tests: tuple[Test, ...]) -> Iterator[str]:
    if len(tests) == 1:
        yield f"where: {quoted(_bare(str(tests[0]), tests[0].op in BRACKETED))}"
    elif tests:
        yield f"where: {quoted(' and '.join(str(t) for t in tests))}"


def _bare(text: str, is_bracketed: bool) -> str:
    """As a person writes it: no brackets around the whole, so that nothing holds it together but the compiler."""
    return text[1:-1] if is_bracketed else text


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def table_sql(world: World) -> str:
    """Statements that create and fill the world's tables."""
    parts = []
    for table in world.tables.values():
        columns = ", ".join(f"{name} {kind}" for name, kind in table.columns.items())
        parts.append(f"create or replace table {table.name} ({columns})")
        if table.rows:
            lines = (", ".join(literal(row.get(column)) for column in table.columns) for row in table.rows)
            parts.append(f"insert into {table.name} values " + ", ".join(f"({line})" for line in lines))
    return "; ".join(parts)


def literal(value: Cell) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | Decimal():
            return f"{value:f}" if isinstance(value, Decimal) else str(value)
        case datetime():
            return quoted(value.replace(tzinfo=None).isoformat(sep=" "))
        case date():
            return quoted(value.isoformat())
    return quoted(value)
