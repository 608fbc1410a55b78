"""Scalar SQL expressions of a metrics file, parsed into a whitelisted tree: no sub-query, no DDL, no text templates.

Only node types listed here can reach a statement, so an expression cannot read another table, call a table function or
run a second statement.
"""

from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

_SCALAR: tuple[type[exp.Expression], ...] = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg,
    exp.Add, exp.Sub, exp.Mul, exp.Div,
    exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Abs, exp.Greatest, exp.Least, exp.Ceil, exp.Floor, exp.Round,
)  # fmt: skip
_PREDICATE: tuple[type[exp.Expression], ...] = (
    *_SCALAR, exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.In, exp.Tuple, exp.Is, exp.Between, exp.Like, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
_DAYS_AFTER = "days_after"
MAX_CHARACTERS = 2_000


class ExpressionError(ValueError):
    """An expression that is not allowed; `column` is its 1-based place inside the text."""

    def __init__(self, message: str, column: int = 1) -> None:
        self.column = column
        super().__init__(message)


def parse_predicate(text: str) -> exp.Expression:
    """A condition over columns and dimensions, such as `class = 'idle' and cost_usd > 0`."""
    return _parse(text, _PREDICATE, "a condition")


def parse_column(text: str) -> exp.Expression:
    """A scalar over columns of one model, such as `lower(model)` or `input_tokens + output_tokens`."""
    return _parse(text, (*_PREDICATE, exp.Lower, exp.Upper, exp.Cast, exp.DataType), "an expression")


def parse_formula(text: str) -> exp.Expression:
    """Arithmetic over metrics; `days_after(as_of, n)` is the one function that gives a date."""
    return _parse(text, (*_PREDICATE, exp.Anonymous), "a formula")


def names_in(tree: exp.Expression) -> dict[str, int]:
    """The identifiers of an expression, each once, with the 1-based place of their first appearance, in that order."""
    found: dict[str, int] = {}
    for column in sorted(tree.find_all(exp.Column), key=_offset):
        found.setdefault(f"{column.table}.{column.name}" if column.table else column.name, _offset(column) + 1)
    return found


def _offset(column: exp.Column) -> int:
    return int(column.this.meta.get("start", 0))


def _parse(text: str, allowed: tuple[type[exp.Expression], ...], what: str) -> exp.Expression:
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(f"{what} has at most {MAX_CHARACTERS:,} characters, this has {len(text):,}")
    if not text.strip():
        raise ExpressionError(f"{what} is missing")
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        column = int(details[0].get("col") or 1)
        raise ExpressionError(f"{what} that cannot be read: {details[0].get('description', error)}", column) from error
    except RecursionError as error:
        raise ExpressionError(f"{what} is nested too deeply") from error
    if len(trees) != 1 or trees[0] is None:
        raise ExpressionError(f"give exactly one expression, this has {len(trees)}")
    tree = cast(exp.Expression, trees[0])
    for node in tree.walk():
        _check(cast(exp.Expression, node), allowed, what)
    return tree


def _check(node: exp.Expression, allowed: tuple[type[exp.Expression], ...], what: str) -> None:
    if isinstance(node, exp.Anonymous) and exp.Anonymous in allowed:
        if node.name.lower() != _DAYS_AFTER or len(node.expressions) != 2:
            raise ExpressionError(f"{node.name}() is not a function of {what}")
        return
    if isinstance(node, exp.Column) and (node.args.get("db") or isinstance(node.this, exp.Star)):
        raise ExpressionError(f"'{node.sql(dialect='duckdb')}' is not a name that {what} can use")
    if type(node) not in allowed:
        shown = node.sql(dialect="duckdb")[:60]
        raise ExpressionError(f"'{shown}' is not allowed in {what} ({type(node).__name__})")
    if isinstance(node, exp.In) and not node.expressions:
        raise ExpressionError(f"IN takes a list of values in {what}")
