"""The alternatives of one expression in one type: ClickHouse has none for a double and a decimal, or for two scales.

A source's own columns are taken for exact; what a statement computes is followed from table to table.
"""

from collections.abc import Mapping

from sqlglot import exp

from semantic.dialects.passes import as_double, on

_OF_BOTH = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
_OF_FIRST = (
    exp.Alias, exp.Paren, exp.Neg, exp.Abs, exp.Ceil, exp.Floor, exp.Nullif, exp.Sum, exp.Min, exp.Max, exp.Filter,
    exp.Window, exp.RespectNulls, exp.FirstValue, exp.LastValue,
)  # fmt: skip
_ALTERNATIVES = (exp.Case, exp.Coalesce, exp.Least, exp.Greatest)

Doubles = Mapping[str, frozenset[str]]
"""The columns of each table that are doubles."""


def one_type(root: exp.Expression) -> exp.Expression:
    """Casts the alternatives of a CASE, COALESCE, LEAST or GREATEST to doubles where one of them is one."""
    _changed(root, {})
    return root


def _changed(query: exp.Expression, known: dict[str, frozenset[str]]) -> frozenset[str]:
    """Changes a query in place; gives the columns of its result that are doubles."""
    if (tables := query.args.get("with_")) is not None:
        for table in tables.expressions:
            known[table.alias] = _changed(table.this, known)
    match query:
        case exp.SetOperation():
            return _changed(query.this, known) | _changed(query.expression, known)
        case exp.Subquery():
            return _changed(query.this, known)
        case exp.Select():
            return _changed_select(query, known)
    return frozenset()


def _changed_select(select: exp.Select, known: dict[str, frozenset[str]]) -> frozenset[str]:
    joins = select.args.get("joins") or []
    sources = [part.this for part in (select.args.get("from_"), *joins) if part is not None]
    tables = {
        s.alias_or_name: _changed(s, known) if isinstance(s, exp.Subquery) else known.get(s.name, frozenset())
        for s in sources
    }

    def same_type(node: exp.Expression) -> exp.Expression:
        branches = _branches(node)
        if any(is_double(b, tables) or _is_fraction(b) for b in branches):
            for branch in branches:
                if not is_double(branch, tables) and not isinstance(branch, exp.Null):
                    branch.replace(as_double(branch.copy()))
        return node

    change = on(*_ALTERNATIVES)(same_type)
    select.set("expressions", [change(e) for e in select.expressions])
    for part in (select.args.get("where"), select.args.get("order"), *joins):
        for key in ("this", "expressions", "on"):
            child = part.args.get(key) if part is not None else None
            if isinstance(child, exp.Expression) and not isinstance(child, exp.Subquery):
                part.set(key, change(child))
    return frozenset(e.alias_or_name for e in select.expressions if is_double(e, tables))


def is_double(node: exp.Expression, tables: Doubles) -> bool:
    """Whether a value is a double, as far as the statement tells."""
    if isinstance(node, exp.Column):
        return any(node.name in columns for name, columns in tables.items() if node.table in ("", name))
    if isinstance(node, exp.Cast):
        return bool(node.to.this == exp.DType.DOUBLE)
    if isinstance(node, _OF_BOTH):
        return is_double(node.this, tables) or is_double(node.expression, tables)
    if isinstance(node, _ALTERNATIVES):
        return any(is_double(b, tables) for b in _branches(node))
    return isinstance(node, exp.Avg | exp.ParameterizedAgg) or (
        isinstance(node, _OF_FIRST) and is_double(node.this, tables)
    )


def _is_fraction(node: exp.Expression) -> bool:
    """Whether it is a number such as 0.5, whose scale is hardly that of the decimals beside it."""
    return isinstance(node, exp.Literal) and not node.is_string and "." in node.name


def _branches(node: exp.Expression) -> list[exp.Expression]:
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        return [branch.args["true"] for branch in node.args["ifs"]] + ([default] if default is not None else [])
    return [node.this, *node.expressions]
