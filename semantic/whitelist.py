"""The nodes of SQL that an expression of a metrics file may be made of, and what is said of all others.

Functions are those that every engine has.
"""

from datetime import date, datetime

from sqlglot import exp
from sqlglot.errors import ErrorLevel

Types = tuple[type[exp.Expression], ...]

SCALAR: Types = (
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg,
    exp.Add, exp.Sub, exp.Mul, exp.Div,
    exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Abs, exp.Greatest, exp.Least, exp.Ceil, exp.Floor, exp.Round,
)  # fmt: skip
LOGIC: Types = (
    exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.In, exp.Tuple, exp.Is, exp.Between, exp.Like, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
_OF_TEXT_AND_TIME: Types = (
    exp.Lower, exp.Upper, exp.Length, exp.Concat, exp.DPipe, exp.Substring, exp.Trim, exp.Replace, exp.Mod,
    exp.Cast, exp.DataType, exp.DataTypeParam, exp.Extract, exp.DateDiff, exp.Var,
)  # fmt: skip
"""Functions of text and time: for the columns of a row, not for metrics."""
OF_A_ROW: Types = (*SCALAR, *LOGIC, *_OF_TEXT_AND_TIME)
OF_A_POLICY: Types = (*OF_A_ROW, exp.Placeholder, exp.Dot)
OF_A_FORMULA: Types = (*SCALAR, *LOGIC, exp.Anonymous)
TRUTH: Types = (
    *LOGIC, exp.Column, exp.Boolean, exp.Case, exp.If, exp.Coalesce, exp.Cast,
)  # fmt: skip
_PLAIN_TYPES = frozenset(
    {"TEXT", "VARCHAR", "SMALLINT", "INT", "BIGINT", "DECIMAL", "FLOAT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP",
     "TIMESTAMPNTZ"}
)  # fmt: skip
_TYPES_IN_WORDS = "bigint, boolean, date, decimal, double, integer, text or timestamp"
_UNITS = frozenset({"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"})
_DAYS_AFTER = "days_after"
_CALLER = "caller"
MAX_ROLES = 3


def why_not(node: exp.Expression, allowed: Types, what: str) -> str:
    """Why a node cannot be used; empty where it can."""
    if isinstance(node, exp.Placeholder | exp.Dot):
        return _of_claim(node, allowed, what)
    if type(node) not in allowed:
        return f"'{_written(node)}' is not allowed in {what} ({type(node).__name__})"
    match node:
        case exp.Anonymous():
            is_known = node.name.lower() == _DAYS_AFTER and len(node.expressions) == 2
            return "" if is_known else f"{node.name}() is not a function of {what}"
        case exp.Column():
            return _of_column(node, what)
        case exp.In():
            return _of_in(node, what)
        case exp.Cast():
            return _of_cast(node, what)
        case exp.Extract() | exp.DateDiff():
            unit = node.this if isinstance(node, exp.Extract) else node.args.get("unit")
            word = unit.name if unit else ""
            return "" if word.upper() in _UNITS else f"'{word}' is not a unit of time; use {_listed(_UNITS)}"
    return ""


def _of_column(node: exp.Column, what: str) -> str:
    if isinstance(node.this, exp.Star) or not all(isinstance(part, exp.Identifier) for part in node.parts):
        return f"'{_written(node)}' is not a name that {what} can use"
    return ""


def _of_in(node: exp.In, what: str) -> str:
    """`x in :caller.names` becomes `x in (:caller.names)`, so that every IN has a list."""
    field = node.args.get("field")
    if isinstance(field, exp.Dot):
        node.set("field", None)
        node.set("expressions", [field])
    if not node.expressions:
        return f"IN takes a list of values in {what}"
    if len(node.expressions) > 1 and any(isinstance(e, exp.Dot) for e in node.expressions):
        return "IN takes either a list of values or one claim of the caller; join two of them by or"
    return ""


def _of_claim(node: exp.Expression, allowed: Types, what: str) -> str:
    dot = node.parent if isinstance(node, exp.Placeholder) else node
    is_claim = isinstance(dot, exp.Dot) and _is_claim(dot)
    if is_claim and exp.Dot in allowed:
        return ""
    if is_claim:
        return f"'{_written(node)}' can be used in policies only, not in {what}"
    if isinstance(node, exp.Dot) and node.find(exp.Column):
        return f"'{_written(node)}' is too far away; a name goes through at most {MAX_ROLES} joins"
    if exp.Dot not in allowed:
        return f"'{_written(node)}' is not allowed in {what} ({type(node).__name__})"
    return f"'{_written(node)}' is no claim; write :caller.NAME for what is known of the caller"


def _is_claim(dot: exp.Dot) -> bool:
    holder, claim = dot.this, dot.expression
    is_of_caller = isinstance(holder, exp.Placeholder) and holder.name == _CALLER
    return is_of_caller and isinstance(claim, exp.Identifier) and not isinstance(dot.parent, exp.Dot)


def _of_cast(node: exp.Cast, what: str) -> str:
    kind = node.to.this.name
    if kind not in _PLAIN_TYPES or node.to.args.get("nested"):
        return f"'{_written(node.to)}' is not a type that {what} can use; use {_TYPES_IN_WORDS}"
    if isinstance(node.this, exp.Literal) and node.this.is_string and kind in ("DATE", "TIMESTAMPNTZ"):
        is_date = kind == "DATE"
        try:
            (date if is_date else datetime).fromisoformat(node.this.name)
        except ValueError:
            shown = "a date; write it as 2026-03-08" if is_date else "a timestamp; write it as 2026-03-08 10:30:00"
            return f"'{node.this.name}' is not {shown}"
    return ""


def _written(node: exp.Expression) -> str:
    return node.sql(dialect="duckdb", unsupported_level=ErrorLevel.IGNORE).replace("$", ":")[:60]


def _listed(words: frozenset[str]) -> str:
    return ", ".join(sorted(w.lower() for w in words))
