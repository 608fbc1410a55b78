"""Arithmetic over a metric and its own earlier value, told as what it is: a difference, a percentage, a ratio."""

from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from semantic.sql.tree import rebuilt

_SHAPES = {
    "now - before": "difference",
    "(now - before) / before": "percent",
    "now / before - 1": "percent",
    "now / before": "ratio",
}


def kind_of_change(text: str, now: str, before: str) -> str:
    """Which of the three an expression is; empty for any other. Casts and guards against zero change nothing."""
    try:
        tree = cast(exp.Expression, sqlglot.parse_one(text, read="duckdb"))
    except (SqlglotError, RecursionError):
        return ""
    return _SHAPES.get(_named(rebuilt(tree, _stripped), {now: "now", before: "before"}), "")


def _stripped(node: exp.Expression) -> exp.Expression:
    """A node without what does not matter: a cast, NULLIF(x, 0), times 1.0."""
    while True:
        match node:
            case exp.Cast():
                node = node.this
            case exp.Nullif() if node.expression.name == "0":
                node = node.this
            case exp.Mul() if _is_one(node.expression):
                node = node.this
            case exp.Paren() if not isinstance(node.this, exp.Sub):
                node = node.this
            case _:
                return node


def _is_one(node: exp.Expression) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) == 1


def _named(tree: exp.Expression, names: dict[str, str]) -> str:
    for column in tree.find_all(exp.Column):
        column.set("this", exp.to_identifier(names.get(column.name, "other")))
    return tree.unnest().sql(dialect="duckdb")
