"""How a compiled builder writes one value of a leaf type: an expression for the usual type, a call for any other.

Whatever is written here is what the schema's own coercion gives. An expression covers only the Python types for which
that is plain to see; everything else, and everything that is wrong, goes to the coercion itself.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from graphql import GraphQLEnumType, GraphQLLeafType, GraphQLScalarType, Undefined
from graphql.type.scalars import GraphQLBoolean, GraphQLFloat, GraphQLInt, GraphQLString
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from server.graphql.scalars import whole_number, write_date, write_decimal

Bind = Callable[[str, Any], str]
"""Makes an object known to the generated source and gives its name there."""


def coercion(leaf: GraphQLLeafType) -> Callable[[Any], Any]:
    """The schema's own coercion, which raises for what the plain path would tell as an error."""

    def coerce(value: Any) -> Any:
        if isinstance(value, Exception):
            raise value
        written = leaf.coerce_output_value(value)
        if written is None or written is Undefined:
            raise TypeError(f"{leaf.name} has no value for {value!r}")
        return written

    return coerce


def leaf_expression(leaf: GraphQLLeafType, value: str, bind: Bind) -> str:
    """Python source that writes the value of the variable `value`, which is not None."""
    if isinstance(leaf, GraphQLEnumType):
        names = _enum_names(leaf)
        if names is not None:
            return f"{bind('enum', names)}[{value}]"
    other = f"{bind('coerce', coercion(leaf))}({value})"
    usual = _usual(leaf, value, bind)
    return f"({usual} else {other})" if usual else other


def _usual(leaf: GraphQLLeafType, value: str, bind: Bind) -> str:
    """`written if it is of the usual type`, or nothing."""
    if leaf is GraphQLString:
        return f"{value} if type({value}) is str"
    if leaf is GraphQLBoolean:
        return f"{value} if {value} is True or {value} is False"
    if leaf is GraphQLInt:
        return f"{value} if type({value}) is int and -2147483648 <= {value} <= 2147483647"
    if leaf is GraphQLFloat:  # of a number that is not finite, the difference is not zero
        return f"{value} if type({value}) is float and {value} - {value} == 0"
    if not isinstance(leaf, GraphQLScalarType):
        return ""
    if leaf.coerce_output_value is whole_number:
        return f"{value} if type({value}) is int and {-(2**63)} <= {value} < {2**63}"
    if leaf.coerce_output_value is write_decimal:
        return f"{bind('plain', plain)}({value}) if type({value}) is {bind('decimal', Decimal)}"
    if leaf.coerce_output_value is write_date:
        return f"{value}.isoformat() if type({value}) is {bind('date', date)}"
    return ""


def plain(value: Decimal) -> str:
    """As `format(value, "f")`; `str` is faster and gives the same wherever it needs no exponent."""
    text = str(value)
    return format(value, "f") if "E" in text else text


def _enum_names(leaf: GraphQLEnumType) -> dict[Any, str] | None:
    """Values and members -> names, as the enum's own coercion finds them; None where it would have to search."""
    if type(leaf) not in (GraphQLEnumType, CustomGraphQLEnumType):
        return None
    members: list[Any] = list(leaf.wrapped_cls) if isinstance(leaf, CustomGraphQLEnumType) else []
    try:
        names = {entry.value: name for name, entry in reversed(leaf.values.items())}
        return {**names, **{member: leaf.coerce_output_value(member) for member in members}}
    except TypeError:  # a value that cannot be a key
        return None
