"""Cells of rows and what is true of them: dimensions through joins, filters of questions, conditions of the file."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from semantic import Both, Comparison, Either, Filter, Not, Op
from tests.semantic.worlds import Cell, Line, Table, Test, World


class RefusedError(Exception):
    """The question cannot be answered; the message is the code."""


def ways(world: World, table: Table) -> Iterator[tuple[tuple[str, ...], Table]]:
    """All paths of joins from a table that meet no table twice."""

    def onward(path: tuple[str, ...], here: Table, met: set[str]) -> Iterator[tuple[tuple[str, ...], Table]]:
        for role, target in here.joins.items():
            if target not in met:
                yield (*path, role), world.tables[target]
                yield from onward((*path, role), world.tables[target], met | {target})

    return onward((), table, {table.name})


def path_to(world: World, table: Table, name: str) -> tuple[str, ...]:
    """The roles that lead from a table to a dimension: none to its own, else the one way there is."""
    *roles, plain = name.split(".")
    if not roles and plain in table.dimensions:
        return ()
    found = [
        path for path, target in ways(world, table) if plain in target.dimensions and (not roles or list(path) == roles)
    ]
    if not found:
        raise RefusedError("UNREACHABLE_DIMENSION")
    if len(found) > 1:
        raise RefusedError("AMBIGUOUS_DIMENSION")
    return found[0]


def cell(world: World, table: Table, row: Line, name: str) -> Cell:
    """A dimension of a row, through joins where it needs them."""
    for role in path_to(world, table, name):
        table, row = joined(world, table, row, role)
    return dimension(table, row, name.rpartition(".")[2])


def joined(world: World, table: Table, row: Line, role: str) -> tuple[Table, Line]:
    """The row that a role leads to; where there is none, one of which nothing is known."""
    target, wanted = world.tables[table.joins[role]], row.get(f"{role}_id")
    return target, next((r for r in target.rows if r["id"] == wanted), {})


def dimension(table: Table, row: Line, name: str) -> Cell:
    """A dimension of the table's own row, or a column where no dimension has that name."""
    stored = row.get(name)
    match table.dimensions.get(name, ""):
        case "":
            return stored
        case "upper(team)":
            return stored.upper() if isinstance(stored, str) else None
        case "coalesce(team, 'b')":
            return "b" if stored is None else stored
        case "size + 1":
            return stored + 1 if isinstance(stored, int) else None
        case "not is_root":
            return None if stored is None else not stored
        case "is_root or size > 1":
            size = row.get("size")
            is_big = size > 1 if isinstance(size, int) else None
            return True if True in (stored, is_big) else None if None in (stored, is_big) else False
    raise ValueError(table.dimensions[name])


def passes(world: World, table: Table, row: Line, where: Filter | None) -> bool:
    """Two-valued: nothing that is asked of null is true, except that it is null or differs from a value."""
    match where:
        case None:
            return True
        case Both(items):
            return all(passes(world, table, row, i) for i in items)
        case Either(items):
            return any(passes(world, table, row, i) for i in items)
        case Not(item):
            return not passes(world, table, row, item)
        case Comparison(name, op, values):
            return compared(cell(world, table, row, name), op, values)


def comparisons(where: Filter | None) -> Iterator[Comparison]:
    match where:
        case Comparison():
            yield where
        case Both(items) | Either(items):
            for item in items:
                yield from comparisons(item)
        case Not(item):
            yield from comparisons(item)


def holds(world: World, table: Table, row: Line, test: Test) -> bool | None:
    """Three-valued, as conditions of the file are."""
    parts = [holds(world, table, row, p) for p in test.parts]
    match test.op:
        case "and":
            return False if False in parts else None if None in parts else True
        case "or":
            return True if True in parts else None if None in parts else False
        case "not":
            return None if parts[0] is None else not parts[0]
    role, _, name = test.name.rpartition(".")
    owner, found = joined(world, table, row, role) if role else (table, row)
    value = dimension(owner, found, name)
    if test.op in ("is null", "is not null"):
        return (value is None) == (test.op == "is null")
    return None if value is None else OPERATORS[test.op](value, test.value)


OPERATORS: Mapping[str, Callable[[object, object], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    ">": lambda a, b: _order(a) > _order(b),
    ">=": lambda a, b: _order(a) >= _order(b),
    "<": lambda a, b: _order(a) < _order(b),
    "<=": lambda a, b: _order(a) <= _order(b),
}


def _order(value: object) -> tuple[Fraction, str]:
    """Numbers by value, text by code points."""
    assert isinstance(value, str | int | Decimal), value
    return (Fraction(0), value) if isinstance(value, str) else (Fraction(value), "")


def compared(value: Cell, op: Op, values: Sequence[object]) -> bool:
    if op is Op.IS_NULL:
        return (value is None) == values[0]
    if op in (Op.NE, Op.NOT_IN):
        return value not in values
    if value is None:
        return False
    if op in (Op.EQ, Op.IN):
        return value in values
    if op in (Op.CONTAINS, Op.STARTS_WITH):
        text, part = str(value), str(values[0])
        return part in text if op is Op.CONTAINS else text.startswith(part)
    signs = {Op.GT: ">", Op.GTE: ">=", Op.LT: "<", Op.LTE: "<="}
    return OPERATORS[signs[op]](value, values[0])
