"""Small builders for SQL trees, so that the compiler reads like the SQL that it makes. Nothing here knows a metric."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from sqlglot import exp


def name(text: str) -> exp.Identifier:
    return exp.to_identifier(text)


def column(text: str, table: str | None = None) -> exp.Column:
    return exp.Column(this=name(text), table=name(table) if table else None)


def table(text: str, alias: str | None = None) -> exp.Table:
    schema, _, bare = text.rpartition(".")
    return exp.Table(
        this=name(bare),
        db=name(schema) if schema else None,
        alias=exp.TableAlias(this=name(alias)) if alias else None,
    )


def aliased(tree: exp.Expression, alias: str) -> exp.Expression:
    return exp.Alias(this=tree, alias=name(alias))


def cast(tree: exp.Expression, kind: str) -> exp.Expression:
    return exp.Cast(this=tree, to=exp.DataType(this=_TYPES[kind]))


_TYPES = {
    "BIGINT": exp.DType.BIGINT,
    "DATE": exp.DType.DATE,
    "DOUBLE": exp.DType.DOUBLE,
    "INTEGER": exp.DType.INT,
    "TIMESTAMP": exp.DType.TIMESTAMP,
}
"""By name, because building a type from its text would parse it each time."""


def number(value: str | int) -> exp.Expression:
    return exp.Literal.number(value)


def text(value: str) -> exp.Expression:
    return exp.Literal.string(value)


def day(value: date) -> exp.Expression:
    return cast(text(value.isoformat()), "DATE")


def ratio(over: exp.Expression, under: exp.Expression) -> exp.Expression:
    """A quotient as doubles; null where the divisor is 0."""
    return exp.Div(this=double(over), expression=exp.Nullif(this=double(under), expression=number(0)))


def double(tree: exp.Expression) -> exp.Expression:
    """The value as a double; a quotient, product or literal is one already or becomes one beside another."""
    return tree if isinstance(tree.unnest(), exp.Div | exp.Mul | exp.Literal) else cast(tree, "DOUBLE")


def operand(tree: exp.Expression) -> exp.Expression:
    """The expression as a part of another one: in parentheses where it could fall apart there."""
    is_loose = isinstance(tree, exp.Binary | exp.Unary | exp.Between | exp.In) and not isinstance(tree, exp.Paren)
    return exp.Paren(this=tree) if is_loose else tree


def days_after(day: exp.Expression, days: exp.Expression) -> exp.Expression:
    """A date that many days later (or earlier, for a negative number)."""
    return cast(exp.DateAdd(this=day, expression=days, unit=exp.Var(this="DAY")), "DATE")


def is_null(value: exp.Expression) -> exp.Expression:
    return exp.Is(this=operand(value), expression=exp.null())


def is_known(value: exp.Expression) -> exp.Expression:
    return exp.Not(this=is_null(value))


def unless_null(comparison: exp.Binary) -> exp.Expression:
    """The comparison, which also holds where its left side is null."""
    return exp.Paren(this=exp.or_(is_null(comparison.this.copy()), comparison, copy=False))


def coalesced(value: exp.Expression, default: exp.Expression) -> exp.Expression:
    return exp.Coalesce(this=value, expressions=[default])


def ascending(value: exp.Expression) -> exp.Expression:
    return exp.Ordered(this=value)


def rebuilt(node: exp.Expression, change: Callable[[exp.Expression], exp.Expression]) -> exp.Expression:
    """A new tree of what `change` makes of each node, children first; nothing of the old one is in it."""
    if isinstance(node, exp.Column):
        return change(node)
    args = {
        key: rebuilt(child, change)
        if isinstance(child, exp.Expression)
        else [rebuilt(c, change) if isinstance(c, exp.Expression) else c for c in child]
        if isinstance(child, list)
        else child
        for key, child in node.args.items()
    }
    return change(type(node)(**args))


def least(first: exp.Expression, second: exp.Expression) -> exp.Expression:
    return exp.Least(this=first, expressions=[second], ignore_nulls=True)


def greatest(first: exp.Expression, second: exp.Expression) -> exp.Expression:
    return exp.Greatest(this=first, expressions=[second], ignore_nulls=True)


def minutes(count: int) -> exp.Expression:
    return exp.Interval(this=text(str(count)), unit=exp.Var(this="MINUTE"))


def zero_if_none(rows: exp.Expression, value: exp.Expression) -> exp.Expression:
    """0 where there are no rows; where there are rows and none knows its value, `value` stays null."""
    no_rows = exp.If(this=exp.EQ(this=rows, expression=number(0)), true=number(0))
    return exp.Case(ifs=[no_rows], default=value)


def conjunction(parts: Iterable[exp.Expression]) -> exp.Expression | None:
    """The parts joined by AND, each alternative in parentheses; None for no part."""
    wrapped = [exp.Paren(this=p) if isinstance(p, exp.Or) else p for p in parts]
    if not wrapped:
        return None
    joined = wrapped[0]
    for part in wrapped[1:]:
        joined = exp.And(this=joined, expression=part)
    return joined


def parts(condition: exp.Expression | None) -> list[exp.Expression]:
    """A copy of a condition as a list to add to; nothing for none."""
    return [] if condition is None else [condition.copy()]


def filtered(aggregate: exp.Expression, condition: exp.Expression | None) -> exp.Expression:
    """`aggregate FILTER (WHERE condition)`; to count the rows that have a value is to count the value, and cheaper."""
    if condition is None:
        return aggregate
    if isinstance(aggregate, exp.Count) and isinstance(aggregate.this, exp.Star):
        known = _value_that_is_known(condition)
        if known is not None:
            return exp.Count(this=known.copy())
    return exp.Filter(this=aggregate, expression=exp.Where(this=condition.copy()))


def _value_that_is_known(condition: exp.Expression) -> exp.Expression | None:
    """The column of `NOT column IS NULL`; None for any other condition."""
    tested = condition.this if isinstance(condition, exp.Not) else None
    if isinstance(tested, exp.Is) and isinstance(tested.expression, exp.Null) and isinstance(tested.this, exp.Column):
        return tested.this
    return None


def same(left: exp.Expression, right: exp.Expression) -> exp.Expression:
    """Equality in which null equals null; a hash join in DuckDB, unlike the form with OR."""
    return exp.NullSafeEQ(this=left, expression=right)


def select(
    columns: Sequence[exp.Expression],
    source: exp.Expression | None = None,
    where: exp.Expression | None = None,
    group_by: int = 0,
) -> exp.Select:
    """A SELECT; `group_by` groups by that many leading columns, by position."""
    tree = exp.Select(expressions=list(columns))
    if source is not None:
        tree.set("from_", exp.From(this=source))
    if where is not None:
        tree.set("where", exp.Where(this=where))
    if group_by:
        tree.set("group", exp.Group(expressions=[number(i + 1) for i in range(group_by)]))
    return tree


def derived(statement: exp.Expression, alias: str) -> exp.Subquery:
    """A SELECT as the source of another one."""
    return exp.Subquery(this=statement, alias=exp.TableAlias(this=name(alias)))


def join(tree: exp.Select, source: exp.Expression, on: exp.Expression | None, side: str = "LEFT") -> None:
    """Adds a join in place: LEFT or INNER on a condition, CROSS without one."""
    if on is None:
        tree.append("joins", exp.Join(this=source, kind="CROSS"))
    else:
        tree.append("joins", exp.Join(this=source, side=side if side == "LEFT" else None, on=on))


def with_tables(tree: exp.Select, tables: Iterable[tuple[str, exp.Expression]]) -> exp.Select:
    """The statement with its common table expressions, in order."""
    expressions = [exp.CTE(this=body, alias=exp.TableAlias(this=name(alias))) for alias, body in tables]
    if expressions:
        tree.set("with_", exp.With(expressions=expressions))
    return tree


def union(parts: Sequence[exp.Expression]) -> exp.Expression:
    """The distinct rows of all parts."""
    joined = parts[0]
    for part in parts[1:]:
        joined = exp.Union(this=joined, expression=part, distinct=True)
    return joined
