"""Random expressions of the file over the rows of a table: values of measures, and conditions."""

from collections.abc import Mapping
from datetime import timedelta

from tests.semantic.draw_tables import VALUES
from tests.semantic.draws import Draws
from tests.semantic.worlds import Cell, Sql, Table, name, value

NUMBERS = ("n", "n", "usd", "usd", "usd", "secs")


def scalar(draws: Draws, tables: Mapping[str, Table], table: Table, kind: str) -> tuple[Sql, str]:
    """What a measure aggregates, and its unit."""
    path = _path(draws, tables, table) if draws.maybe(0.2) else ""
    if kind == "count_distinct":
        return name(path + draws.one(("team", "size", "who", "verdict", "born_on", "n"))), ""
    if kind in ("first", "last", "min", "max") and draws.maybe(0.5):
        return (name(path + "team"), "text") if draws.maybe(0.5) else (name(path + "born_on"), "date")
    number = draws.one(NUMBERS)
    tree = name(path + number)
    unit = "USD" if number == "usd" and draws.maybe(0.6) else draws.one(("", "tokens")) if number == "n" else ""
    if draws.maybe(0.35):
        other = {"n": name("size"), "usd": name("n"), "secs": name("n")}[number]
        choices = [
            Sql(draws.one(("+", "-")), parts=(tree, other)),
            Sql("coalesce", parts=(tree, value(0))),
            Sql("case", parts=(_comparison(draws, tables, table), tree, value(0))),
            Sql("negative", parts=(tree,)),
            Sql("abs", parts=(tree,)),
        ]
        tree = draws.one(choices)
        if draws.maybe(0.1):
            tree, unit = Sql("/", parts=(tree, value(4))), ""
    return tree, unit


def condition(draws: Draws, tables: Mapping[str, Table], table: Table, depth: int = 1) -> Sql:
    """A condition over the rows of a table and of those that it joins."""
    if depth and draws.maybe(0.3):
        op = draws.one(("and", "or", "not"))
        count = 1 if op == "not" else 2
        return Sql(op, parts=tuple(condition(draws, tables, table, depth - 1) for _ in range(count)))
    return _comparison(draws, tables, table)


def _comparison(draws: Draws, tables: Mapping[str, Table], table: Table) -> Sql:
    column = draws.one(("team", "team", "size", "is_root", "verdict", "n", "usd", "born_on", "rate"))
    subject = name((_path(draws, tables, table) if draws.maybe(0.4) else "") + column)
    if column == "is_root" and draws.maybe(0.5):
        return subject
    op = draws.one(("=", "<>", "in", "is null", "is not null", *((">", "<=", "between") if column in ORDERED else ())))
    if op.startswith("is"):
        return Sql(op, parts=(subject,))
    known = _values(draws, column)
    if op == "in":
        return Sql("in", value=tuple(draws.some(known, 1, 2)), parts=(subject,))
    if op == "between":
        low, high = draws.one(known), draws.one(known)
        return Sql("between", parts=(subject, value(low), value(high)))
    return Sql(op, parts=(subject, value(draws.one(known))))


ORDERED = ("size", "n", "usd", "born_on", "rate")


def _values(draws: Draws, column: str) -> tuple[Cell, ...]:
    if column == "born_on":
        return tuple(day + timedelta(days=n) for day in draws.days for n in (0, 1))
    return VALUES[column]


def _path(draws: Draws, tables: Mapping[str, Table], table: Table) -> str:
    """A way along at most three joins, with a dot at its end; nothing where there is none."""
    path = ""
    for _ in range(draws.one((1, 1, 2, 3, 3))):
        if not table.joins:
            break
        role = draws.one(list(table.joins))
        path, table = f"{path}{role}.", tables[table.joins[role].target]
    return path
