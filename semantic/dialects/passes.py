"""What several engines share: passes that turn what DuckDB means into words that mean the same elsewhere.

A pass changes a tree in place. One made by `on` is a change of the nodes of a kind, children before their parent.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from sqlglot import exp

from semantic.query import Scalar
from semantic.sql import tree
from semantic.sql.statement import literal

Node = TypeVar("Node", bound=exp.Expression)
Pass = Callable[[exp.Expression], exp.Expression]
TIMESTAMPS = frozenset({exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ})
INTEGERS = frozenset({exp.DType.INT, exp.DType.BIGINT, exp.DType.SMALLINT, exp.DType.TINYINT, exp.DType.INT128})


def on(*kinds: type[Node]) -> Callable[[Callable[[Node], exp.Expression]], Pass]:
    """Makes a pass of what gives one node of a kind its new form."""

    def made(change: Callable[[Node], exp.Expression]) -> Pass:
        def change_all(node: exp.Expression) -> exp.Expression:
            for key, child in node.args.items():
                if isinstance(child, exp.Expression):
                    if (new := change_all(child)) is not child:
                        node.set(key, new)
                elif isinstance(child, list) and child:
                    parts = [change_all(c) if isinstance(c, exp.Expression) else c for c in child]
                    if any(new is not old for new, old in zip(parts, child, strict=True)):
                        node.set(key, parts)
            return change(node) if isinstance(node, kinds) else node

        return change_all

    return made


def with_values(root: exp.Expression, values: Mapping[str, Scalar]) -> exp.Expression:
    """A copy of a tree in which the values stand where the parameters stood."""
    return on(exp.Placeholder)(lambda node: literal(values[node.name]))(root.copy())


def flat_tables(root: exp.Expression) -> exp.Expression:
    """Common tables inside of common tables, moved out under names of their own: not every engine nests them."""
    tables = root.args.get("with_")
    if tables is not None:
        tables.set("expressions", [table for outer in tables.expressions for table in _moved_out(outer)])
    return root


def _moved_out(outer: exp.Expression) -> list[exp.Expression]:
    """The tables inside of one, and then itself."""
    inner = outer.this.args.get("with_")
    if inner is None:
        return [outer]
    outer.this.set("with_", None)
    names: dict[str, str] = {}
    moved = [table for each in inner.expressions for table in _moved_out(each)]
    for table in moved:
        _read_as(table.this, names)
        names[table.alias] = f"{outer.alias}__{table.alias}"
        table.set("alias", exp.TableAlias(this=tree.name(names[table.alias])))
    _read_as(outer.this, names)
    return [*moved, outer]


def _read_as(query: exp.Expression, names: Mapping[str, str]) -> None:
    """Renames the tables that a query reads; what it calls them stays."""
    for table in query.find_all(exp.Table):
        if table.name in names and not table.db:
            table.set("alias", exp.TableAlias(this=tree.name(table.alias_or_name)))
            table.set("this", tree.name(names[table.name]))


@on(exp.Div)
def quotients_are_doubles(node: exp.Div) -> exp.Expression:
    """`/` in DuckDB is a quotient of doubles; elsewhere integers are cut and decimals keep their scale."""
    under = node.expression
    if not isinstance(under.unnest(), exp.Nullif):
        under = exp.Nullif(this=under.unnest(), expression=tree.number(0))
    return exp.Div(this=as_double(node.this), expression=as_double(under), typed=True, safe=True)


@on(exp.DateDiff)
def boundaries_are_counted(node: exp.DateDiff) -> exp.Expression:
    """From one day to the next is a day in DuckDB, however few hours lie between; elsewhere it may be none."""
    node.set("date_part_boundary", True)
    return node


@on(exp.DataType)
def times_without_zone(node: exp.DataType) -> exp.Expression:
    """For engines in which a plain TIMESTAMP has the zone of the session."""
    return exp.DataType(this=exp.DType.TIMESTAMPNTZ) if node.this == exp.DType.TIMESTAMP else node


@on(exp.Least, exp.Greatest)
def unknown_wins(node: exp.Expression) -> exp.Expression:
    """LEAST and GREATEST that an unknown input makes unknown, for engines that pass over it."""
    if node.args.get("ignore_nulls"):
        return node
    unknown = [exp.Is(this=tree.operand(o.copy()), expression=exp.null()) for o in (node.this, *node.expressions)]
    node.set("ignore_nulls", True)
    return exp.Case(ifs=[exp.If(this=exp.or_(*unknown, copy=False), true=exp.null())], default=node.copy())


@on(exp.Least, exp.Greatest)
def known_wins(node: exp.Expression) -> exp.Expression:
    """LEAST and GREATEST that pass over an unknown input, for engines that it makes unknown: another one stands in."""
    if not node.args.get("ignore_nulls"):
        return node
    operands = [node.this, *node.expressions]
    turns = [[*operands[i:], *operands[:i]] for i in range(len(operands))]
    first, *others = [exp.Coalesce(this=o.copy(), expressions=[x.copy() for x in rest]) for o, *rest in turns]
    return type(node)(this=first, expressions=others)


@on(exp.Round)
def halves_round_away(node: exp.Round) -> exp.Expression:
    """ROUND as DuckDB does it, halves away from 0; elsewhere doubles go to the even neighbour, or cannot be rounded."""
    digits = node.args.get("decimals")
    scale = tree.number(10 ** int(digits.name)) if digits is not None else tree.number(1)
    scaled = exp.Mul(this=exp.Abs(this=node.this.copy()), expression=scale)
    whole = exp.Floor(this=exp.Add(this=scaled, expression=tree.number("0.5")))
    signed = exp.Mul(this=exp.Sign(this=node.this), expression=whole)
    # Not a quotient of doubles: a decimal stays one.
    return exp.Paren(this=exp.Div(this=signed, expression=scale.copy(), typed=True, safe=True))


@on(exp.Like)
def backslashes_are_plain(node: exp.Like) -> exp.Expression:
    """LIKE has no escape character in DuckDB; where a backslash is one, two stand for it."""
    if isinstance(node.expression, exp.Literal):
        node.set("expression", tree.text(node.expression.name.replace("\\", "\\\\")))
    return node


def cast(node: exp.Expression, kind: str) -> exp.Expression:
    """A cast to a type that is named as in DuckDB."""
    return exp.Cast(this=node, to=exp.DataType.build(kind, dialect="duckdb"))


def as_double(node: exp.Expression) -> exp.Expression:
    """The value as a double, unless it says that it is one."""
    inner = node.unnest()
    known = inner.this if isinstance(inner, exp.Nullif) else inner
    return node if isinstance(known, exp.Cast) and known.to.this == exp.DType.DOUBLE else cast(node, "DOUBLE")


def local_time(node: exp.Expression) -> tuple[exp.Expression, exp.Expression] | None:
    """The instant and the zone of `instant AT TIME ZONE 'UTC' AT TIME ZONE zone`: what the clocks of a zone show."""
    if not isinstance(node, exp.AtTimeZone):
        return None
    inner = node.this.unnest()
    if not isinstance(inner, exp.AtTimeZone) or inner.args["zone"].name != "UTC":
        return None
    return inner.this, node.args["zone"]


def series_in(select: exp.Expression) -> tuple[str, exp.GenerateSeries, exp.Interval] | None:
    """`SELECT UNNEST(GENERATE_SERIES(low, high, step)) AS name` and nothing else: the name, the series and its step."""
    if len(select.expressions) != 1 or select.args.get("from_"):
        return None
    (shown,) = select.expressions
    series = shown.this.this if isinstance(shown, exp.Alias) and isinstance(shown.this, exp.Explode) else None
    if not isinstance(series, exp.GenerateSeries) or not isinstance(series.args.get("step"), exp.Interval):
        return None
    return shown.alias, series, series.args["step"]


def filter_of(node: exp.Expression) -> tuple[exp.Expression, Pass]:
    """An aggregate without its FILTER, and what gives another aggregate the same one."""
    if not isinstance(node, exp.Filter):
        return node, lambda aggregate: aggregate
    where = node.expression
    return node.this, lambda aggregate: exp.Filter(this=aggregate, expression=where.copy())


def sorted_by(aggregate: exp.Expression) -> exp.Expression:
    """The values of an ARG_MIN or ARG_MAX in its order, the asked one first."""
    by = aggregate.expression
    keys = by.expressions if isinstance(by, exp.Tuple) else [by]
    descends = isinstance(aggregate, exp.ArgMax)
    ordered = [exp.Ordered(this=key.copy(), desc=descends, nulls_first=False) for key in keys]
    return exp.Order(this=aggregate.this, expressions=ordered)


def function(name: str, *arguments: exp.Expression) -> exp.Expression:
    """A function that only one engine has."""
    return exp.Anonymous(this=name, expressions=list(arguments))
