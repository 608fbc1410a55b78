"""What every value of a record must be: amounts, counts, instants and texts that the store can hold as they are."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

MAX_CHARACTERS = 1024
MAX_COUNT = 2**62
MAX_USD = Decimal(10) ** 15
"""A larger amount is a unit error (micro-dollars, another currency), not money of ours."""


class RecordError(ValueError):
    """A value that cannot be stored: the message names the record, the field, the value and what would be right."""


_NONE = type(None)
_Reading = tuple[tuple[str, ...], Callable[[object], tuple[Any, ...]]]
_READINGS: dict[Any, _Reading] = {}


def check(record: object, required: tuple[str, ...]) -> None:
    names, values = _reading(type(record))
    for position, value in enumerate(values(record)):
        kind = type(value)
        if kind is _NONE or kind is bool:
            continue
        if kind is int and 0 <= value < MAX_COUNT:
            continue
        if kind is str and 0 < len(value) <= MAX_CHARACTERS and value.isascii() and "\x00" not in value:
            continue
        if kind is datetime and value.tzinfo is UTC:
            continue
        _check_field(record, names[position], value, required)


def _check_field(record: object, field: str, value: object, required: tuple[str, ...]) -> None:
    if isinstance(value, str):
        _check_text(record, field, value, required=field in required)
    elif isinstance(value, datetime):
        if value.tzinfo is not UTC:
            raise RecordError(f"{_place(record, field)} must be a datetime in UTC, got {value!r}")
    elif isinstance(value, Decimal):
        if not value.is_finite() or not -MAX_USD <= value <= MAX_USD:
            raise RecordError(f"{_place(record, field)} must be an amount below {MAX_USD:.0e} USD, got {value}")
    elif isinstance(value, int) and not 0 <= value < MAX_COUNT:
        raise RecordError(f"{_place(record, field)} must be a count from 0 to 2^62, got {value}")


def _check_text(record: object, field: str, value: str, *, required: bool) -> None:
    if not value and required:
        raise RecordError(f"{_place(record, field)} must not be empty")
    if len(value) > MAX_CHARACTERS:
        raise RecordError(f"{_place(record, field)} must be at most 1,024 characters, got {len(value):,}")
    if "\x00" in value:
        raise RecordError(f"{_place(record, field)} must not contain a NUL character")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise RecordError(f"{_place(record, field)} must be text that UTF-8 can hold: {error.reason}") from error


def _place(record: object, field: str) -> str:
    return f"{type(record).__name__}.{field}"


def _reading(kind: Any) -> _Reading:
    """The names of a record's fields, and what reads all of them at once."""
    found = _READINGS.get(kind)
    if found is None:
        names = tuple(field.name for field in fields(kind))
        found = _READINGS[kind] = names, attrgetter(*names)
    return found
