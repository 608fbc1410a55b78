"""The arguments `where` and `having`: an input for each type of value, and how they become the semantic layer's filter.

Operators in one object hold together (and). An operator that is left out says nothing; `eq: null` means "is null".
Null anywhere else is refused, because dropping a condition silently would widen the answer.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from math import isfinite
from typing import Any

import strawberry
from strawberry import UNSET

from semantic import Both, Comparison, Either, Filter, Metric, Not, Op, QueryError, ValueType
from server.graphql.generated import bare_class, declare, list_of
from server.graphql.scalars import BigInt
from server.keys import Key
from server.names import attribute, enum_type_name, field_name

_SAME = (Op.EQ, Op.NE)
_AMONG = (Op.IN, Op.NOT_IN)
_TEXT = (Op.CONTAINS, Op.STARTS_WITH)
_RANGE = (Op.GT, Op.GTE, Op.LT, Op.LTE)

_SCALARS: Mapping[str, tuple[str, type, tuple[Op, ...]]] = {
    "string": ("StringFilter", str, (*_SAME, *_AMONG, *_TEXT)),
    "text": ("TextFilter", str, (*_SAME, *_AMONG, *_RANGE)),
    "integer": ("IntegerFilter", BigInt, (*_SAME, *_AMONG, *_RANGE)),
    "decimal": ("DecimalFilter", Decimal, (*_SAME, *_AMONG, *_RANGE)),
    "float": ("FloatFilter", float, (*_SAME, *_AMONG, *_RANGE)),
    "boolean": ("BooleanFilter", bool, _SAME),
    "date": ("DateFilter", date, (*_SAME, *_AMONG, *_RANGE)),
    "timestamp": ("TimestampFilter", datetime, (*_SAME, *_AMONG, *_RANGE)),
}
_OF_METRIC: Mapping[ValueType, str] = {
    "money": "decimal", "integer": "integer", "number": "float", "date": "date", "text": "text",
}  # fmt: skip

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


@dataclass
class FilterInputs:
    """The inputs of one schema, each type of value once."""

    enums: Mapping[str, type]
    _operators: dict[str, type] = field(default_factory=dict)

    def where(self, keys: Iterable[Key]) -> type:
        """`FilterInput`: a field for each dimension, and `and`, `or`, `not`."""
        fields = {k.name: _optional(self._of_key(k), field_name(k.name), k.description) for k in keys}
        return _joined("FilterInput", fields, "Which rows count. Conditions beside each other all hold.")

    def having(self, metrics: Iterable[Metric]) -> type:
        """`HavingInput`: a field for each metric, and `and`, `or`, `not`."""
        fields = {m.name: _optional(self._of_scalar(_OF_METRIC[m.type]), field_name(m.name), "") for m in metrics}
        about = "Which rows are shown, by the values of selected metrics; what is not shown still counts in totals."
        return _joined("HavingInput", fields, about)

    def _of_key(self, key: Key) -> type:
        if key.type != "enum":
            return self._of_scalar(key.type)
        name = f"{enum_type_name(key.name)}Filter"
        return self._made(name, self.enums[key.name], (*_SAME, *_AMONG))

    def _of_scalar(self, kind: str) -> type:
        return self._made(*_SCALARS[kind])

    def _made(self, name: str, value: type, ops: tuple[Op, ...]) -> type:
        """The input of one type of value, such as StringFilter."""
        if name not in self._operators:
            fields = {
                op.value: _optional(list_of(value) if op in _AMONG else value, field_name(op.value), _MEANING[op])
                for op in ops
            }
            fields[Op.IS_NULL.value] = _optional(bool, field_name(Op.IS_NULL.value), _MEANING[Op.IS_NULL])
            self._operators[name] = strawberry.input(
                bare_class(name, fields), description="Conditions on one value; all of them hold."
            )
        return self._operators[name]


def _joined(name: str, fields: Mapping[str, tuple[Any, Any]], description: str) -> type:
    made = bare_class(name, fields)
    declare(
        made,
        {
            "and": _optional(list_of(made), "and", "All of these hold."),
            "or": _optional(list_of(made), "or", "At least one of these holds."),
            "not": _optional(made, "not", "This does not hold."),
        },
    )
    return strawberry.input(made, description=description)


def _optional(annotation: Any, name: str, description: str) -> tuple[Any, Any]:
    return annotation | None, strawberry.field(name=name, description=description or None, default=UNSET)


def read_filter(given: object, names: tuple[str, ...]) -> Filter | None:
    """The filter that a `FilterInput` or `HavingInput` over these names states; None where it states nothing."""
    if given is UNSET or given is None:
        return None
    found = _filter(given, names)
    return found.items[0] if len(found.items) == 1 else found if found.items else None


def _filter(given: object, names: tuple[str, ...]) -> Both:
    items: list[Filter] = []
    for name in names:
        if (operators := _given(given, name)) is not UNSET:
            items += _comparisons(name, operators)
    if (all_of := _given(given, "and")) is not UNSET:
        items += [_filter(item, names) for item in all_of]
    if (any_of := _given(given, "or")) is not UNSET:
        items.append(Either(tuple(_filter(item, names) for item in any_of)))
    if (opposite := _given(given, "not")) is not UNSET:
        items.append(Not(_filter(opposite, names)))
    return Both(tuple(items))


def _given(given: object, name: str) -> Any:
    value = getattr(given, attribute(name))
    if value is None:
        raise QueryError("BAD_FILTER", f"null is no condition for '{field_name(name)}'; leave it out or say what holds")
    return value


def _comparisons(name: str, operators: object) -> Iterator[Filter]:
    for op in Op:
        value = getattr(operators, attribute(op.value), UNSET)
        if value is not UNSET:
            yield _comparison(name, op, value)


def _comparison(name: str, op: Op, value: Any) -> Comparison:
    if value is None:
        if op not in _SAME:
            raise QueryError("BAD_FILTER", f"'{field_name(name)}' cannot be compared by {field_name(op)} with null")
        return Comparison(name, Op.IS_NULL, (op is Op.EQ,))
    if op in _AMONG:
        return Comparison(name, op, tuple(_plain(item) for item in value))
    return Comparison(name, op, (_plain(value),))


def _plain(value: Any) -> Any:
    """The value without its enum; a double as the decimal that the caller wrote."""
    if not isinstance(value, float):
        return value.value if isinstance(value, Enum) else value
    if not isfinite(value):
        raise QueryError("BAD_FILTER", f"a value is compared with a number, not with {value}")
    return Decimal(repr(value))
