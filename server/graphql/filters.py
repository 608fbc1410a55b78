"""The `where` argument: an input for each type of dimension, and how it becomes the semantic layer's filter.

Operators in one object hold together (and). An operator that is left out says nothing; `eq: null` means "is null".
Null anywhere else is refused, because dropping a condition silently would widen the answer.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from strawberry import UNSET

from semantic import Both, Catalog, Comparison, Dimension, Either, Filter, Not, Op, QueryError
from server.graphql.generated import bare_class, declare, list_of
from server.graphql.scalars import BigInt
from server.names import attribute, enum_type_name, field_name

_SAME = (Op.EQ, Op.NE)
_AMONG = (Op.IN, Op.NOT_IN)
_TEXT = (Op.CONTAINS, Op.STARTS_WITH)
_RANGE = (Op.GT, Op.GTE, Op.LT, Op.LTE)

_SCALARS: Mapping[str, tuple[str, type, tuple[Op, ...]]] = {
    "string": ("StringFilter", str, (*_SAME, *_AMONG, *_TEXT)),
    "integer": ("IntegerFilter", BigInt, (*_SAME, *_AMONG, *_RANGE)),
    "decimal": ("DecimalFilter", Decimal, (*_SAME, *_AMONG, *_RANGE)),
    "boolean": ("BooleanFilter", bool, _SAME),
    "date": ("DateFilter", date, (*_SAME, *_AMONG, *_RANGE)),
    "timestamp": ("TimestampFilter", datetime, (*_SAME, *_AMONG, *_RANGE)),
}

_MEANING = {
    Op.EQ: "Equal; null means that there is no value.",
    Op.NE: "Not equal, or no value; null means that there is a value.",
    Op.IN: "One of these.",
    Op.NOT_IN: "None of these, or no value.",
    Op.CONTAINS: "Has this text in it, in the same case.",
    Op.STARTS_WITH: "Begins with this text, in the same case.",
    Op.GT: "Greater than this.",
    Op.GTE: "Greater than this, or equal.",
    Op.LT: "Less than this.",
    Op.LTE: "Less than this, or equal.",
    Op.IS_NULL: "Whether there is no value.",
}


def filter_input(catalog: Catalog, enums: Mapping[str, type]) -> type:
    """`FilterInput`: a field for each dimension, and `and`, `or`, `not`."""
    inputs: dict[str, type] = {}
    fields = {}
    for dimension in catalog.dimensions().values():
        kind = enum_type_name(dimension.name) if dimension.type == "enum" else dimension.type
        if kind not in inputs:
            inputs[kind] = _operators(dimension, enums)
        fields[dimension.name] = _optional(inputs[kind], field_name(dimension.name), dimension.description)
    made = bare_class("FilterInput", fields)
    declare(
        made,
        {
            "and": _optional(list_of(made), "and", "All of these hold."),
            "or": _optional(list_of(made), "or", "At least one of these holds."),
            "not": _optional(made, "not", "This does not hold."),
        },
    )
    return strawberry.input(made, description="Which rows count. Conditions beside each other all hold.")


def _operators(dimension: Dimension, enums: Mapping[str, type]) -> type:
    """The input of one type of dimension, such as StringFilter."""
    name: str
    value: type
    ops: tuple[Op, ...]
    if dimension.type == "enum":
        name, value, ops = f"{enum_type_name(dimension.name)}Filter", enums[dimension.name], (*_SAME, *_AMONG)
    else:
        name, value, ops = _SCALARS[dimension.type]
    fields = {
        op.value: _optional(list_of(value) if op in _AMONG else value, field_name(op.value), _MEANING[op]) for op in ops
    }
    fields[Op.IS_NULL.value] = _optional(bool, field_name(Op.IS_NULL.value), _MEANING[Op.IS_NULL])
    return strawberry.input(bare_class(name, fields), description="Conditions on one dimension; all of them hold.")


def _optional(annotation: Any, name: str, description: str) -> tuple[Any, Any]:
    return annotation | None, strawberry.field(name=name, description=description or None, default=UNSET)


def read_filter(where: object, catalog: Catalog) -> Filter | None:
    """The filter that a `FilterInput` states; None where it states nothing."""
    if where is UNSET or where is None:
        return None
    found = _filter(where, tuple(catalog.dimensions()))
    return found.items[0] if len(found.items) == 1 else found if found.items else None


def _filter(where: object, dimensions: tuple[str, ...]) -> Both:
    items: list[Filter] = []
    for name in dimensions:
        if (operators := _given(where, name)) is not UNSET:
            items += _comparisons(name, operators)
    if (all_of := _given(where, "and")) is not UNSET:
        items += [_filter(item, dimensions) for item in all_of]
    if (any_of := _given(where, "or")) is not UNSET:
        items.append(Either(tuple(_filter(item, dimensions) for item in any_of)))
    if (opposite := _given(where, "not")) is not UNSET:
        items.append(Not(_filter(opposite, dimensions)))
    return Both(tuple(items))


def _given(where: object, name: str) -> Any:
    value = getattr(where, attribute(name))
    if value is None:
        raise QueryError("BAD_FILTER", f"null is no condition for '{field_name(name)}'; leave it out or say what holds")
    return value


def _comparisons(dimension: str, operators: object) -> Iterator[Filter]:
    for op in Op:
        value = getattr(operators, attribute(op.value), UNSET)
        if value is not UNSET:
            yield _comparison(dimension, op, value)


def _comparison(dimension: str, op: Op, value: Any) -> Comparison:
    if value is None:
        if op not in _SAME:
            raise QueryError(
                "BAD_FILTER", f"'{field_name(dimension)}' cannot be compared by {field_name(op)} with null"
            )
        return Comparison(dimension, Op.IS_NULL, (op is Op.EQ,))
    if op in _AMONG:
        return Comparison(dimension, op, tuple(_plain(item) for item in value))
    return Comparison(dimension, op, (_plain(value),))


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
