"""A formula over metrics -> SQL over the columns that hold them. Quotients are doubles and null over 0."""

from collections.abc import Mapping

from sqlglot import exp

from semantic.sql import tree

MAX_DAYS = 36_525
"""A date more than a century away is not a forecast; beyond it there is no date."""


def formula_tree(formula: exp.Expression, values: Mapping[str, exp.Expression]) -> exp.Expression:
    """The formula with each metric replaced by its SQL.

    Example:
        >>> from semantic.expression import parse_formula
        >>> columns = {"cost": exp.column("cost"), "sessions": exp.column("n")}
        >>> formula_tree(parse_formula("cost / sessions"), columns).sql(dialect="duckdb")
        'CAST(cost AS DOUBLE) / NULLIF(CAST(n AS DOUBLE), 0)'
    """

    def replaced(node: exp.Expression) -> exp.Expression:
        match node:
            case exp.Column():
                return tree.operand(values[node.name].copy())
            case exp.Div():
                return tree.ratio(node.this, node.expression)
            case exp.Mul():
                return exp.Mul(this=tree.double(node.this), expression=tree.double(node.expression))
            case exp.Greatest() | exp.Least():
                node.set("ignore_nulls", False)  # an unknown input makes the answer unknown, not the rest
            case exp.Anonymous():
                day, days = node.expressions
                whole = tree.cast(days, "INTEGER")
                distance = exp.Abs(this=days.copy())
                near = exp.If(
                    this=exp.LTE(this=distance, expression=tree.number(MAX_DAYS)), true=tree.days_after(day, whole)
                )
                return exp.Case(ifs=[near])
        return node

    return tree.rebuilt(formula, replaced)
