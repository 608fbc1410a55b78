"""Random models and their tables: keys of every form, times, dimensions, joins of every form, rows with gaps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tests.semantic.draws import Draws
from tests.semantic.worlds import Cell, Dimension, Join, Line, Sql, Table, Time, compared, name, value

NAMES = ("one", "two", "three", "four")
ROLES = ("up", "other")
TIMES = {"seen_at": "timestamp", "seen_on": "date", "due_at": "timestamp", "due_on": "date"}
KINDS = {
    "team": "string",
    "size": "integer",
    "is_root": "boolean",
    "verdict": "enum",
    "born_on": "date",
    "rate": "decimal",
    "opened": "timestamp",
}
"""The dimensions that models are made of. One name means one thing in all models."""
COLUMNS = {
    "team": "varchar",
    "size": "integer",
    "is_root": "boolean",
    "verdict": "varchar",
    "born_on": "date",
    "rate": "decimal(10,2)",
    "who": "varchar",
    "badge": "varchar",
    "n": "integer",
    "usd": "decimal(38,12)",
    "secs": "double",
}
VALUES: Mapping[str, tuple[Cell, ...]] = {
    "team": ("a", "b", "A", "ab", ""),
    "size": (0, 1, 2, 10),
    "is_root": (True, False),
    "verdict": ("good", "bad"),
    "rate": (Decimal("0.50"), Decimal("2"), Decimal("-1.25")),
    "who": ("x", "y", "z"),
    "n": (0, 1, 2, 5, -3, 1000),
    "usd": tuple(
        Decimal(text) for text in ("0", "1", "0.1", "-2.5", "3.333333333333", "0.000000000001", "12345678.9", "7")
    ),
    "secs": (0.0, 0.5, 2.25, -1.5, 1e6, 0.1),
}
SCALARS: Mapping[str, tuple[Sql, ...]] = {
    "team": (
        Sql("upper", parts=(name("team"),)),
        Sql("coalesce", parts=(name("team"), value("b"))),
        Sql("case", parts=(name("is_root"), name("team"), value("z"))),
    ),
    "size": (Sql("+", parts=(name("size"), value(1))), Sql("coalesce", parts=(name("size"), value(0)))),
    "is_root": (
        Sql("not", parts=(name("is_root"),)),
        Sql("or", parts=(name("is_root"), compared("size", ">", 1))),
    ),
    "opened": (name("seen_at"),),
}
"""What a dimension may be instead of a column."""
MOMENTS = ("since", "gone")
FORMS = ("plain",) * 4 + ("pair",) * 3 + ("versions",) * 4


@dataclass(frozen=True, slots=True)
class Form:
    """How a table is keyed: by one column, by a pair, or by a code and the moment since which a version holds."""

    kind: str
    key: tuple[str, ...]
    since: str = ""
    until: str = ""

    @property
    def columns(self) -> Mapping[str, str]:
        types = {
            "part": "integer",
            "since_on": "date",
            "since_at": "timestamp",
            "gone_on": "date",
            "gone_at": "timestamp",
        }
        return {c: types.get(c, "varchar") for c in (*self.key, *([self.until] if self.until else []))}


def tables(draws: Draws) -> dict[str, Table]:
    names = NAMES[: draws.one((2, 3, 4, 4))]
    forms = {name: _form(draws, name, is_first=name == names[0]) for name in names}
    times = {name: _time(draws) for name in names}
    return {name: _table(draws, name, forms, times, names[place + 1 :]) for place, name in enumerate(names)}


def _form(draws: Draws, name: str, *, is_first: bool) -> Form:
    kind = "plain" if is_first and draws.maybe(0.7) else draws.one(FORMS)
    if kind == "plain":
        return Form(kind, (f"{name}_id",))
    if kind == "pair":
        return Form(kind, (f"{name}_id", "part"))
    at = draws.one(("_at", "_on"))
    return Form(kind, (f"{name}_id", f"since{at}"), f"since{at}", draws.one(("", f"gone{at}")))


def _time(draws: Draws) -> Time | None:
    column = draws.one(("seen_at",) * 11 + ("seen_on",) * 7 + ("",))
    return Time(column, column == "seen_on") if column else None


def _table(
    draws: Draws, name: str, forms: Mapping[str, Form], times: Mapping[str, Time | None], targets: Sequence[str]
) -> Table:
    form = forms[name]
    roles = draws.one(((), ("up",), ("up",), ("up",), ("up",), ("up", "other"))) if targets else ()
    nearby = (targets[0], targets[0], targets[0], *targets) if targets else ()
    joins = {role: _join(draws, role, draws.one(nearby), forms, times[name]) for role in roles}
    columns = {**form.columns, **TIMES, **COLUMNS}
    for join in joins.values():
        columns |= {mine: "integer" if theirs == "part" else "varchar" for mine, theirs in join.pairs}
    dimensions = {d: _dimension(draws, d) for d in KINDS if d not in draws.some(tuple(KINDS), 1, 5)}
    keys: dict[tuple[Cell, ...], None] = {}
    for _ in range(draws.whole(0, 12)):
        keys[tuple(_key_cell(draws, c, len(keys)) for c in form.key)] = None
    rows = [_line(draws, form, dict(zip(form.key, key, strict=True)), columns) for key in keys]
    return Table(name, form.key, times[name], columns, dimensions, joins, _with_own_badges(rows))


def _dimension(draws: Draws, name: str) -> Dimension:
    is_scalar = name == "opened" or (name in SCALARS and draws.maybe(0.4))
    access = frozenset({"auditor"}) if name == "opened" else frozenset[str]()  # one name means one thing everywhere
    return Dimension(KINDS[name], draws.one(SCALARS[name]) if is_scalar else None, access)


def _join(draws: Draws, role: str, target: str, forms: Mapping[str, Form], time: Time | None) -> Join:
    form = forms[target]
    own = f"{target}_id" if draws.maybe(0.2) else f"{role}_id"
    if form.kind == "plain":
        if draws.maybe(0.3):
            return Join(target, ((f"{role}_badge", "badge"),), is_one_to_one=True)
        return Join(target, ((own, form.key[0]),))
    if form.kind == "pair":
        return Join(target, ((own, form.key[0]), (f"{role}_part", "part")))
    is_date = form.since == "since_on"
    fits = time is not None and time.is_date == is_date
    at = "" if fits and draws.maybe(0.6) else draws.one(("due_on", "seen_on") if is_date else ("due_at", "seen_at"))
    return Join(target, ((own, form.key[0]),), since=form.since, until=form.until if draws.maybe(0.8) else "", at=at)


def _key_cell(draws: Draws, column: str, place: int) -> Cell:
    match column:
        case "part":
            return draws.whole(1, 3)
        case "since_at":
            return draws.one(draws.instants)
        case "since_on":
            return draws.one(draws.days)
    return str(draws.whole(0, 3)) if draws.maybe(0.5) else str(place)


def _line(draws: Draws, form: Form, key: Mapping[str, Cell], columns: Mapping[str, str]) -> Line:
    return {c: key[c] if c in form.key else _cell(draws, c, kind) for c, kind in columns.items()}


def _cell(draws: Draws, column: str, kind: str) -> Cell:
    if draws.maybe(0.06 if column in TIMES else 0.5 if column.startswith("gone") else 0.2):
        return None
    if column in VALUES:
        return draws.one(VALUES[column])
    if kind in ("timestamp", "date"):
        return draws.one(draws.instants) if kind == "timestamp" else draws.one(draws.days)
    if kind == "integer":
        return draws.whole(1, 3)
    return str(draws.whole(0, 9) if column.endswith("_badge") else draws.whole(0, 5))


def _with_own_badges(rows: Sequence[Line]) -> tuple[Line, ...]:
    """A badge is of one row only, so that a one-to-one join is one."""
    return tuple({**row, "badge": None if row["badge"] is None else str(i)} for i, row in enumerate(rows))
