"""SQL of a project -> SQL that a metrics file may hold: the same text where it may, rewritten where that is enough."""

import re
from typing import cast

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from semantic.expression import ExpressionError, is_condition, name_of, parse_column, parse_formula
from semantic.formats.report import NotCarriedError
from semantic.sql.tree import rebuilt

_EPOCH = "cast('1900-01-01' as date)"
"""A Monday."""
_FIRST_OF_YEAR = "cast(concat(cast(extract(year from {x}) as varchar), '-01-01') as date)"
_TRUNCATED = {
    "minute": "cast(concat(cast(cast({x} as date) as varchar), ' ', cast(extract(hour from {x}) as varchar), ':', "
    "cast(extract(minute from {x}) as varchar), ':00') as timestamp)",
    "hour": "cast(concat(cast(cast({x} as date) as varchar), ' ', cast(extract(hour from {x}) as varchar), ':00:00') "
    "as timestamp)",
    "day": "cast({x} as date)",
    "week": f"({_EPOCH} + cast(7 * datediff('week', {_EPOCH}, {{x}}) as int))",
    "month": "(cast({x} as date) - cast(extract(day from {x}) - 1 as int))",
    "quarter": "cast(concat(cast(extract(year from {x}) as varchar), '-', cast(3 * extract(quarter from {x}) - 2 as "
    "varchar), '-01') as date)",
    "year": _FIRST_OF_YEAR,
}
"""The start of a period in functions that a metrics file has; it has no DATE_TRUNC."""
_PARTS = {
    "dow": f"(datediff('day', {_EPOCH}, {{x}}) % 7 + 1)",
    "doy": f"(datediff('day', {_FIRST_OF_YEAR}, {{x}}) + 1)",
    **{unit: f"extract({unit} from {{x}})" for unit in ("year", "quarter", "month", "day")},
}


def truncated(sql: str, grain: str) -> str:
    """The start of the period that a time is in."""
    if grain not in _TRUNCATED:
        raise NotCarriedError(f"grain {grain}", "cannot be told in an expression", "add a column that holds it")
    return _TRUNCATED[grain].format(x=sql)


def date_part(sql: str, part: str) -> str:
    """A part of a time as a number; weekdays count from Monday = 1."""
    if part not in _PARTS:
        raise NotCarriedError(f"date part {part}", "cannot be told in an expression", "add a column that holds it")
    return _PARTS[part].format(x=sql)


def carried(text: str, dialect: str, what: str) -> str:
    """A scalar or a condition over columns; `NotCarriedError` where it uses more than a metrics file may."""
    if "{{" in text or "{%" in text:
        raise NotCarriedError(
            f"{what} {text}", "is a template", "give the compiled manifest, in which it is written out"
        )
    if dialect == "duckdb":
        try:
            parse_column(text)
        except ExpressionError:
            pass
        else:
            return " ".join(text.split())
    try:
        tree = cast(exp.Expression, sqlglot.parse_one(text, read=dialect))
        written = rebuilt(tree, _rewritten).sql(dialect="duckdb")
        parse_column(written)
    except (SqlglotError, ExpressionError, RecursionError) as error:
        raise NotCarriedError(f"{what} {text}", _first_line(error), "compute it in the table or a view") from error
    return written


def carried_condition(text: str, dialect: str, what: str) -> str:
    written = carried(text, dialect, what)
    if not is_condition(parse_column(written)):
        raise NotCarriedError(f"{what} {text}", "is neither true nor false", "compare it with something")
    return written


def carried_formula(text: str, dialect: str, names: dict[str, str]) -> str:
    """Arithmetic over metrics, each under its new name."""
    try:
        tree = cast(exp.Expression, sqlglot.parse_one(text, read=dialect))
    except (SqlglotError, RecursionError) as error:
        raise NotCarriedError(f"expr {text}", _first_line(error), "rewrite it") from error
    if unknown := sorted({name_of(c) for c in tree.find_all(exp.Column)} - set(names)):
        raise NotCarriedError(f"expr {text}", f"names {', '.join(unknown)}, which is no input", "name the input")
    written = replaced(text, names) if dialect == "duckdb" else _renamed(tree, names).sql(dialect="duckdb")
    try:
        parse_formula(written)
    except ExpressionError as error:
        raise NotCarriedError(f"expr {text}", str(error), "compute it in parts that are allowed") from error
    return " ".join(written.split())


def replaced(text: str, names: dict[str, str]) -> str:
    """The text with its columns replaced; every other word stays, also where it is the name of one."""
    columns = sqlglot.parse_one(text, read="duckdb").find_all(exp.Column)
    for column in sorted(columns, key=lambda c: int(c.this.meta["start"]), reverse=True):
        start, end = int(column.this.meta["start"]), int(column.this.meta["end"])
        text = text[:start] + names.get(column.name, text[start : end + 1]) + text[end + 1 :]
    return text


def columns_in(text: str) -> frozenset[str]:
    """The names that an expression reads."""
    return frozenset(name_of(column) for column in parse_column(text).find_all(exp.Column))


def names_in_text(text: str) -> frozenset[str]:
    """The columns of any SQL, whether or not it may stand in a metrics file."""
    try:
        tree = sqlglot.parse_one(text, read="duckdb")
    except (SqlglotError, RecursionError):
        return frozenset()
    return frozenset(column.name for column in tree.find_all(exp.Column) if len(column.parts) == 1)


def is_column(text: str) -> bool:
    return re.fullmatch(r"[A-Za-z_]\w{0,127}", text) is not None


def quoted(name: str) -> str:
    """A name in an expression; in quotes where SQL keeps the word for itself."""
    return exp.to_identifier(name).sql(dialect="duckdb")


def joined(conditions: list[str]) -> str:
    """All of the conditions; each alternative in parentheses where there are several."""
    if len(conditions) < 2:
        return "".join(conditions)
    return " and ".join(f"({c})" if isinstance(parse_column(c), exp.Or) else c for c in conditions)


def _renamed(tree: exp.Expression, names: dict[str, str]) -> exp.Expression:
    def change(node: exp.Expression) -> exp.Expression:
        return exp.column(names[node.name].strip('"')) if isinstance(node, exp.Column) else node

    return tree.transform(change)


def _rewritten(node: exp.Expression) -> exp.Expression:
    """DATE_TRUNC in allowed words."""
    if isinstance(node, exp.DateTrunc | exp.TimestampTrunc):
        unit = str(node.args["unit"].name).lower()
        if unit in _TRUNCATED:
            return parse_column(_TRUNCATED[unit].format(x=node.this.sql(dialect="duckdb"))).copy()
    return node


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0] if str(error) else type(error).__name__
