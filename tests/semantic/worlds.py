"""A small world as a value: tables with their rows, and what a metrics file says of them. Nothing is computed here.

The two readers of a world share nothing else: the compiler gets its text (`written`), `brute` gets the value.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from semantic import MetricQuery

Cell = str | int | bool | float | Decimal | datetime | date | None
"""A datetime is an instant in UTC and says so."""
Line = Mapping[str, Cell]
Claim = str | int | tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """A length of time, such as 30 days."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"

    @property
    def days(self) -> int:
        """0 where it is no number of days."""
        return self.count * {"day": 1, "week": 7}.get(self.unit, 0)

    @property
    def months(self) -> int:
        return self.count * {"month": 1, "quarter": 3, "year": 12}.get(self.unit, 0)

    @property
    def minutes(self) -> int:
        return self.count * {"minute": 1, "hour": 60}.get(self.unit, 0)


@dataclass(frozen=True, slots=True)
class Sql:
    """A scalar or a condition of the file: a name, a value, a claim, or an operation over parts."""

    op: str
    name: str = ""
    value: Cell | tuple[Cell, ...] = None
    parts: tuple["Sql", ...] = ()

    def names(self) -> Iterator[str]:
        if self.op == "name":
            yield self.name
        for part in self.parts:
            yield from part.names()

    def claims(self) -> Iterator[str]:
        if self.op == "claim":
            yield self.name
        for part in self.parts:
            yield from part.claims()


@dataclass(frozen=True, slots=True)
class Time:
    column: str
    is_date: bool = False


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension reads the column of its name, or its SQL."""

    kind: str
    sql: Sql | None = None
    access: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Join:
    """`pairs` are own columns and the target's; `since` names the column of the target that dates its versions."""

    target: str
    pairs: tuple[tuple[str, str], ...]
    is_one_to_one: bool = False
    since: str = ""
    until: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A model and its table. `columns` names the types of the database."""

    name: str
    key: tuple[str, ...]
    time: Time | None
    columns: Mapping[str, str]
    dimensions: Mapping[str, Dimension]
    joins: Mapping[str, Join]
    rows: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A formula: a metric, a number, or an operation over further terms."""

    op: str
    name: str = ""
    parts: tuple["Term", ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    model: str
    by: str = ""
    """The column that names the entity; that of the funnel where empty."""
    where: Sql | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    start: str
    by: str
    steps: tuple[Step, ...]
    within: Length
    output: str = "rate"


@dataclass(frozen=True, slots=True)
class Window:
    """`kind` is rolling, to_date or cumulative."""

    kind: str
    length: Length | None = None
    average: str = ""
    partial: str = ""
    grain: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    per: tuple[str, ...]
    take: str = "last"
    carry: bool = True


@dataclass(frozen=True, slots=True)
class Change:
    length: Length
    how: str


@dataclass(frozen=True, slots=True)
class Share:
    """Of the total without the keys `of`, or (`within`) with no other keys than those; `within` may be "all"."""

    of: tuple[str, ...] | None = None
    within: tuple[str, ...] | str | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """Keys that a metric does without: those named, or (`keeps`) all others."""

    names: tuple[str, ...]
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Rank:
    first: str = ""
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Each:
    take: str
    by: tuple[str, ...] = ()
    grain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A metric as the file words it. `kind` is the word that decides: an aggregation, expr, metric or funnel."""

    kind: str
    model: str = ""
    value: Sql | None = None
    p: str = ""
    is_discrete: bool = False
    is_approximate: bool = False
    formula: Term | None = None
    varies: str = ""
    funnel: Funnel | None = None
    where: Sql | None = None
    time: Time | None = None
    window: Window | None = None
    shift: Length | None = None
    change: Change | None = None
    share: Share | None = None
    cut: Cut | None = None
    rank: Rank | None = None
    each: Each | None = None
    snapshot: Snapshot | None = None
    empty: str = ""
    unit: str = ""
    codes: Mapping[str, str] = field(default_factory=dict)
    """when_unknown, when_empty and when_zero."""
    access: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Condition:
    """A named filter."""

    model: str
    where: Sql


@dataclass(frozen=True, slots=True)
class Policy:
    model: str
    rows: Sql
    unless: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Caller:
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Claim] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class World:
    tables: Mapping[str, Table]
    metrics: Mapping[str, Entry]
    zone: str = "UTC"
    week_start: str = "monday"
    grains: Mapping[str, tuple[Length, date]] = field(default_factory=dict)
    """The periods that the file declares: their length and a day on which one begins."""
    filters: Mapping[str, Condition] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One question, asked of a world by somebody (None: the operator, who sees everything)."""

    world: World
    query: MetricQuery
    caller: Caller | None = None


def name(text: str) -> Sql:
    return Sql("name", text)


def value(cell: Cell) -> Sql:
    return Sql("value", value=cell)


def compared(text: str, op: str, cell: Cell) -> Sql:
    """A comparison of a name with a value."""
    return Sql(op, parts=(name(text), value(cell)))
