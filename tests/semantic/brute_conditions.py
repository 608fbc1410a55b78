"""What is true of a cell: comparisons of a question, and the dimensions that tables derive."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from semantic import Op
from tests.semantic.worlds import Cell, Line, Table

OPERATORS: Mapping[str, Callable[[object, object], bool]] = {
    "=": lambda a, b: a == b,
    "<>": lambda a, b: a != b,
    ">": lambda a, b: _order(a) > _order(b),
    ">=": lambda a, b: _order(a) >= _order(b),
    "<": lambda a, b: _order(a) < _order(b),
    "<=": lambda a, b: _order(a) <= _order(b),
}


def _order(cell: object) -> tuple[Fraction, str]:
    """Numbers by value, text by code points."""
    return (Fraction(0), cell) if isinstance(cell, str) else (Fraction(cell), "")  # type: ignore[arg-type]


def compared(cell: Cell, op: Op, values: Sequence[object]) -> bool:
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
    return OPERATORS[signs[op]](cell, values[0])


def dimension(table: Table, row: Line, name: str) -> Cell:
    """A dimension of the table's own row, or a column where no dimension has that name."""
    cell = row.get(name)
    match table.dimensions.get(name, ""):
        case "":
            return cell
        case "upper(team)":
            return cell.upper() if isinstance(cell, str) else None
        case "coalesce(team, 'b')":
            return "b" if cell is None else cell
        case "size + 1":
            return cell + 1 if isinstance(cell, int) else None
        case "not is_root":
            return None if cell is None else not cell
    raise ValueError(table.dimensions[name])
