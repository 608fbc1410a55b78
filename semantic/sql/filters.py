"""A filter of a question -> a condition in SQL. Two-valued: a comparison with null is false, its negation true."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlglot import exp

from semantic.model import Dimension
from semantic.query import Both, Comparison, Either, Filter, Not, Op
from semantic.sql import tree
from semantic.sql.statement import Parameters
from semantic.values import bind

_BINARY: dict[Op, type[exp.Expression]] = {
    Op.EQ: exp.EQ,
    Op.NE: exp.NullSafeNEQ,
    Op.GT: exp.GT,
    Op.GTE: exp.GTE,
    Op.LT: exp.LT,
    Op.LTE: exp.LTE,
}


@dataclass(frozen=True, slots=True)
class Subject:
    """What a comparison is about: the type that its values must have, and the SQL that stands for its name."""

    dimension: Callable[[str], Dimension]
    column: Callable[[str], exp.Expression]


def predicate(where: Filter, subject: Subject, parameters: Parameters) -> exp.Expression:
    """The condition; every value of it is bound."""
    match where:
        case Comparison():
            return _comparison(where, subject, parameters)
        case Both(items):
            joined = tree.conjunction(predicate(i, subject, parameters) for i in items)
            return exp.true() if joined is None else exp.Paren(this=joined)
        case Either(items):
            parts = [predicate(i, subject, parameters) for i in items]
            return exp.Paren(this=exp.or_(*parts, copy=False)) if parts else exp.false()
        case Not(item):
            known = exp.Coalesce(this=predicate(item, subject, parameters), expressions=[exp.false()])
            return exp.Not(this=known)


def _comparison(comparison: Comparison, subject: Subject, parameters: Parameters) -> exp.Expression:
    dimension = subject.dimension(comparison.dimension)
    column = tree.operand(subject.column(comparison.dimension))
    if comparison.op is Op.IS_NULL:
        return tree.is_null(column) if comparison.values[0] else tree.is_known(column)
    values = [parameters.bind(bind(dimension, v)) for v in comparison.values]
    match comparison.op:
        case Op.IN:
            return exp.In(this=column, expressions=values)
        case Op.NOT_IN:
            absent = exp.Not(this=exp.In(this=column, expressions=values))
            return exp.Paren(this=exp.or_(absent, tree.is_null(column.copy()), copy=False))
        case Op.CONTAINS:
            return exp.GT(this=exp.StrPosition(this=column, substr=values[0]), expression=tree.number(0))
        case Op.STARTS_WITH:
            return exp.StartsWith(this=column, expression=values[0])
    return _BINARY[comparison.op](this=column, expression=values[0])
