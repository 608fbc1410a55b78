"""Cells of rows and what is true of them: joins, dimensions, conditions of the file, filters of questions, policies."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from semantic import Both, Comparison, Either, Filter, Not, Op
from tests.semantic.worlds import Caller, Cell, Claim, Dimension, Line, Policy, Sql, Table, Term, World

Row = tuple[Table, Line]
"""A line and the table that it is of; an empty line where a join found nothing."""


class Rows:
    """The rows of a world as one caller sees them."""

    def __init__(self, world: World, caller: Caller | None) -> None:
        self.world, self.caller = world, caller
        self.claims: Mapping[str, Claim] = caller.claims if caller else {}
        self._found: dict[tuple[int, str], Row] = {}

    # --- joins

    def joined(self, row: Row, role: str) -> Row:
        """The row that a role leads to."""
        known = (id(row[1]), role)
        if not row[1]:
            return self.world.tables[row[0].joins[role].target], {}
        if known not in self._found:
            self._found[known] = self._joined(row, role)
        return self._found[known]

    def _joined(self, row: Row, role: str) -> Row:
        table, line = row
        join = table.joins[role]
        target = self.world.tables[join.target]
        pairs = [(line.get(mine), theirs) for mine, theirs in join.pairs]
        matching = [r for r in target.rows if all(mine is not None and mine == r.get(theirs) for mine, theirs in pairs)]
        if not join.since:
            return target, matching[0] if matching else {}
        at = line.get(join.at or (table.time.column if table.time else ""))
        for found in matching:
            since = found[join.since]
            ends = [r[join.since] for r in matching if ordered(r[join.since]) > ordered(since)]
            ends += [found[join.until]] if join.until and found[join.until] is not None else []
            if at is not None and ordered(since) <= ordered(at) and all(ordered(at) < ordered(e) for e in ends):
                return target, found
        return target, {}

    def ways(self, table: Table) -> Iterator[tuple[tuple[str, ...], Table]]:
        """All paths of joins from a table that meet no table twice."""

        def onward(path: tuple[str, ...], here: Table, met: set[str]) -> Iterator[tuple[tuple[str, ...], Table]]:
            for role, join in here.joins.items():
                if join.target not in met:
                    target = self.world.tables[join.target]
                    yield (*path, role), target
                    yield from onward((*path, role), target, met | {join.target})

        return onward((), table, {table.name})

    def along(self, row: Row, path: Sequence[str]) -> Row:
        for role in path:
            row = self.joined(row, role)
        return row

    # --- dimensions of questions

    def sees(self, dimension: Dimension) -> bool:
        return self.caller is None or not dimension.access or bool(dimension.access & self.caller.roles)

    def paths_to(self, table: Table, name: str) -> list[tuple[str, ...]]:
        """The roles that lead from a table to a dimension: none to its own, else each way there is."""
        *roles, plain = name.split(".")
        if not roles and plain in table.dimensions and self.sees(table.dimensions[plain]):
            return [()]
        return [
            path
            for path, target in self.ways(table)
            if plain in target.dimensions and self.sees(target.dimensions[plain]) and (not roles or list(path) == roles)
        ]

    def dimension(self, row: Row, name: str) -> Cell:
        """A dimension of a row, through joins where it needs them."""
        (path,) = self.paths_to(row[0], name)
        return self.member(self.along(row, path), name.rpartition(".")[2])

    def member(self, row: Row, name: str) -> Cell:
        """A dimension of the row itself, or a column where no dimension has that name."""
        table, line = row
        dimension = table.dimensions.get(name)
        if dimension is None or dimension.sql is None:
            return line.get(name)
        return self._evaluated(dimension.sql, lambda column: line.get(column))

    # --- expressions of the file

    def scalar(self, row: Row, tree: Sql) -> Cell:
        """An expression over a row: its columns and dimensions, and `role.name` of the rows that it joins."""

        def named(text: str) -> Cell:
            *roles, plain = text.split(".")
            return self.member(self.along(row, roles), plain)

        return self._evaluated(tree, named)

    def is_true(self, row: Row, tree: Sql) -> bool:
        return self.scalar(row, tree) is True

    def _evaluated(self, tree: Sql, named: Callable[[str], Cell]) -> Cell:
        match tree.op:
            case "name":
                return named(tree.name)
            case "value":
                assert not isinstance(tree.value, tuple)
                return tree.value
            case "in claim":
                held = self.claims[tree.parts[1].name]
                cell = self._evaluated(tree.parts[0], named)
                assert isinstance(held, tuple)
                return None if cell is None else cell in held
            case "claim":
                one = self.claims[tree.name]
                assert not isinstance(one, tuple)
                return one
        return operated(tree.op, [self._evaluated(p, named) for p in tree.parts], tree.value)

    # --- policies

    def policies_on(self, table: Table) -> Iterator[tuple[Policy, tuple[str, ...]]]:
        """The policies that this caller is under and the paths by which a table meets them."""
        for policy in self.world.policies.values():
            if self.caller is not None and not policy.unless & self.caller.roles:
                if policy.model == table.name:
                    yield policy, ()
                yield from ((policy, path) for path, target in self.ways(table) if target.name == policy.model)

    def may_see(self, row: Row) -> bool:
        return all(self.is_true(self.along(row, path), policy.rows) for policy, path in self.policies_on(row[0]))

    def permitted(self, table: Table) -> list[Line]:
        """The lines of a table that the caller may see."""
        return [line for line in table.rows if self.may_see((table, line))]


def operated(op: str, parts: Sequence[Cell], listed: object) -> Cell:
    """Three-valued, as SQL is."""
    match op:
        case "and":
            return False if False in parts else None if None in parts else True
        case "or":
            return True if True in parts else None if None in parts else False
        case "is null" | "is not null":
            return (parts[0] is None) == (op == "is null")
        case "coalesce":
            return next((p for p in parts if p is not None), None)
        case "case":
            return parts[1] if parts[0] is True else parts[2]
    if None in parts:
        return None
    first = parts[0]
    match op:
        case "not":
            return not first
        case "in":
            assert isinstance(listed, tuple)
            return first in listed
        case "between":
            return ordered(parts[1]) <= ordered(first) <= ordered(parts[2])
        case "upper":
            return str(first).upper()
        case "like":
            return str(first).startswith(str(parts[1]).removesuffix("%"))
        case "+" | "-" | "*" | "/" | "negative" | "abs":
            return _counted(op, [_number(p) for p in parts])
    return COMPARED[op](first, parts[1])


def _counted(op: str, parts: Sequence[int | float | Decimal]) -> Cell:
    """Whole numbers and decimals exactly; beside a double, and in a quotient, doubles."""
    if op == "/" or any(isinstance(p, float) for p in parts):
        parts = [float(p) for p in parts]
    a: Decimal = parts[0]  # type: ignore[assignment]  # numbers of one kind
    if op in ("negative", "abs"):
        return -a if op == "negative" else abs(a)
    b: Decimal = parts[1]  # type: ignore[assignment]
    return {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}[op]()


def _number(cell: Cell) -> int | float | Decimal:
    assert isinstance(cell, int | float | Decimal), cell
    return cell


COMPARED: Mapping[str, Callable[[Cell, Cell], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    ">": lambda a, b: ordered(a) > ordered(b),
    ">=": lambda a, b: ordered(a) >= ordered(b),
    "<": lambda a, b: ordered(a) < ordered(b),
    "<=": lambda a, b: ordered(a) <= ordered(b),
}


def ordered(cell: object) -> tuple[Decimal, str]:
    """Numbers by value, text by code points, days and instants by the calendar."""
    match cell:
        case datetime() | date():
            return Decimal(0), cell.isoformat() if not isinstance(cell, datetime) else f"{cell:%Y-%m-%dT%H:%M:%S.%f}"
        case str():
            return Decimal(0), cell
        case int() | float() | Decimal():
            return Decimal(cell), ""
    raise TypeError(cell)


def compared(cell: Cell, op: Op, values: Sequence[object]) -> bool:
    """Two-valued: nothing that is asked of null is true, except that it is null or differs from a value."""
    if op is Op.IS_NULL:
        return (cell is None) == values[0]
    if op in (Op.NE, Op.NOT_IN):
        return cell not in values
    if cell is None:
        return False
    if op in (Op.EQ, Op.IN):
        return cell in values
    if op in (Op.CONTAINS, Op.STARTS_WITH):
        text, part = str(cell), str(values[0])
        return part in text if op is Op.CONTAINS else text.startswith(part)
    signs = {Op.GT: ">", Op.GTE: ">=", Op.LT: "<", Op.LTE: "<="}
    value = values[0]
    assert isinstance(value, str | int | float | Decimal | date)
    return COMPARED[signs[op]](cell, value)


def passes(where: Filter | None, asked: Callable[[Comparison], bool]) -> bool:
    """Whether a filter holds, of which each comparison is asked for itself."""
    match where:
        case None:
            return True
        case Both(items):
            return all(passes(i, asked) for i in items)
        case Either(items):
            return any(passes(i, asked) for i in items)
        case Not(item):
            return not passes(item, asked)
        case Comparison():
            return asked(where)


def comparisons(where: Filter | None) -> Iterator[Comparison]:
    match where:
        case Comparison():
            yield where
        case Both(items) | Either(items):
            for item in items:
                yield from comparisons(item)
        case Not(item):
            yield from comparisons(item)


def uses(term: Term) -> tuple[str, ...]:
    """The metrics of a formula, from left to right."""
    own = [term.name] if term.op == "metric" else []
    return tuple(dict.fromkeys([*own, *(n for p in term.parts for n in uses(p))]))
