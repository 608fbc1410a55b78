"""How large the values of a request may be, in the document and in its variables, before any of them is coerced.

Coercion goes into values by recursion, and a filter of a thousand levels would end it in the interpreter's own limit.
"""

from collections.abc import Iterable
from typing import Any

from graphql import (
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
)

MAX_VALUE_DEPTH = 24
"""Lists and objects within each other: `and`, `or` and `not` of a filter take one or two each."""
MAX_VALUES = 2_000
MAX_TEXT = 4_000
MAX_DIGITS = 100
MAX_VARIABLES_SENT = 50


class TooLargeError(GraphQLError):
    """A document or a value beyond one of the limits; the message says which."""


def check_literals(values: Iterable[ValueNode]) -> None:
    """Of a document: how many there are is bounded by its tokens. Raises `TooLargeError`."""
    waiting = [(value, 1) for value in values]
    while waiting:
        value, depth = waiting.pop()
        _check_depth(depth, value)
        match value:
            case StringValueNode(value=text):
                _check_text(text, value)
            case IntValueNode(value=digits) | FloatValueNode(value=digits):
                _check_digits(len(digits), value)
            case ListValueNode(values=items):
                waiting += [(item, depth + 1) for item in items]
            case ObjectValueNode(fields=fields):
                waiting += [(field.value, depth + 1) for field in fields]


def check_variables(variables: dict[str, Any] | None) -> None:
    """Of a request, as JSON gave them. Raises `TooLargeError`."""
    if not variables:
        return
    if len(variables) > MAX_VARIABLES_SENT:
        raise TooLargeError(f"at most {MAX_VARIABLES_SENT} variables are sent, these are {len(variables):,}")
    waiting: list[tuple[Any, int]] = [(variables, 0)]
    values = 0
    while waiting:
        container, depth = waiting.pop()
        values += len(container)
        if values > MAX_VALUES:
            raise TooLargeError(f"variables hold at most {MAX_VALUES:,} values together")
        if depth and type(container) is dict:
            for name in container:
                _check_text(name)
        depth += 1
        if container:
            _check_depth(depth)
        for item in container.values() if type(container) is dict else container:
            kind = type(item)
            if kind is str:
                _check_text(item)
            elif kind is dict or kind is list:
                waiting.append((item, depth))


def _check_depth(depth: int, node: Node | None = None) -> None:
    if depth > MAX_VALUE_DEPTH + 1:
        raise TooLargeError(f"lists and objects are nested more than {MAX_VALUE_DEPTH} times in a value", node)


def _check_text(text: str, node: Node | None = None) -> None:
    if len(text) > MAX_TEXT:
        raise TooLargeError(f"a text has at most {MAX_TEXT:,} characters, this has {len(text):,}", node)


def _check_digits(digits: int, node: Node) -> None:
    if digits > MAX_DIGITS:
        raise TooLargeError(f"a number has at most {MAX_DIGITS} digits, this has {digits:,}", node)
