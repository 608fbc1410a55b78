"""The one reader of JSON that a server answers with: strict, bounded, and exact about money.

A number with a point is a `Decimal`, so that an amount is what the server wrote and not the float next to it.
"""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import NoReturn

from loaders.source import excerpt
from loaders.web import Answer, TryAgainError

_MOST_VALUES = 5_000_000
"""In one answer: tiny values take far more memory than text."""
_MOST_SAID = 100_000


def json_of(answer: Answer, number: Callable[[str], object] = Decimal) -> object:
    """What an answer holds; `number` reads what has a point or an exponent.

    Raises `TryAgainError` for what is no JSON: the next try may bring it whole.
    """
    body = answer.body
    if sum(body.count(mark) for mark in (b",", b"[", b"{")) > _MOST_VALUES:
        raise TryAgainError(f"the answer has over {_MOST_VALUES:,} values")
    try:
        return json.loads(body.decode("utf-8"), parse_float=number, parse_constant=_refuse_constant)
    except (ValueError, RecursionError, ArithmeticError):  # the last: an exponent that no Decimal has
        raise TryAgainError(f"the answer is not JSON, it begins {beginning(answer)}") from None


def message_of(answer: Answer) -> str:
    """What a refusal says in words, with a colon before it; empty where it says nothing.

    Read from `message`, `detail` or `error`, the last as text or as an object with a message of its own.
    """
    try:
        said = json.loads(answer.body[:_MOST_SAID].decode("utf-8"))
    except (ValueError, RecursionError):
        return ""
    for name in ("error", "message", "detail"):
        text = said.get(name) if isinstance(said, dict) else None
        text = text.get("message") if isinstance(text, dict) else text
        if isinstance(text, str) and text:
            return f": {text[:300]!a}"
    return ""


def beginning(answer: Answer) -> str:
    """Of an answer, for people."""
    return ascii(answer.body[:60].decode("utf-8", "replace"))


def shown(raw: object) -> str:
    """The beginning of one entry of an answer, for people."""
    try:
        return excerpt(json.dumps(raw, default=str).encode())
    except RecursionError:
        return ""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
