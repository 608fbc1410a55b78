"""Attributes by their meaning: the first of several names that says something, as the type that it must have.

Senders write numbers as texts and lists as JSON in a text; both are read. What cannot be read is an `EntryError`.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from loaders.otlp.batch import MAX_TEXT, Attributes, EntryError, Value

MAX_COUNT = 10**15
_MOST_USD = Decimal("1e9")
"""Of one call: what is more is another unit."""
_EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
"""How far the clock of a sender may be before ours."""
_NOBODY = frozenset({"", "unknown"})
"""What OpenClaw writes for a name that it does not have."""


def first(attributes: Attributes, names: Iterable[str]) -> tuple[str, Value] | None:
    for name in names:
        value = attributes.get(name)
        if value is not None:
            return name, value
    return None


def text(attributes: Attributes, *names: str) -> str | None:
    """A name or an id, stripped; None where nothing is said, or that it is unknown."""
    for name in names:
        value = attributes.get(name)
        if value is None:
            continue
        stripped = value.strip() if isinstance(value, str) else _no_text(name, value)
        if len(stripped) > MAX_TEXT or "\x00" in stripped:
            raise EntryError(f"{name} must be at most {MAX_TEXT} characters without NUL, got {stripped[:60]!r}")
        if stripped not in _NOBODY:
            return stripped
    return None


def _no_text(name: str, value: Value) -> NoReturn:
    raise EntryError(f"{name} must be a text, got {str(value)[:60]!r}")


def count(attributes: Attributes, *names: str) -> int | None:
    """A number of tokens: a whole number from 0 on, or its digits as a text."""
    for name in names:
        value = attributes.get(name)
        if type(value) is int and 0 <= value <= MAX_COUNT:
            return value
        if value is not None:
            return _count(name, value)
    return None


def _count(name: str, value: Value) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise EntryError(f"{name} must be a whole number from 0 on, got {str(value)[:60]!r}")
    return value


def dollars(attributes: Attributes, *names: str) -> Decimal | None:
    """An amount from 0 on. A double is the shortest text that stands for it."""
    found = first(attributes, names)
    if found is None:
        return None
    name, value = found
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            amount = Decimal(repr(value) if isinstance(value, float) else value)
        except InvalidOperation:
            amount = Decimal("NaN")
        if amount.is_finite() and 0 <= amount <= _MOST_USD:
            return amount
    raise EntryError(f"{name} must be an amount of US dollars from 0 on, got {str(value)[:60]!r}")


def instant(nanoseconds: int, field: str, now: datetime) -> datetime:
    """To the microsecond. Raises `EntryError` for a clock that was not set, or is of another time."""
    if not nanoseconds:
        raise EntryError(f"{field} is missing; a call needs the time at which it was made")
    at = _EPOCH + timedelta(microseconds=min(nanoseconds // 1000, 10**17))
    if not _EARLIEST <= at <= now + _AHEAD:
        raise EntryError(
            f"{field} is {nanoseconds}: nanoseconds since 1970 from 2020 to a day ahead of the clock here are expected"
        )
    return at


def stated_instant(value: Value | None, field: str, now: datetime) -> datetime | None:
    """Of a text such as 2026-11-19T00:01:42.530Z."""
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else _EPOCH
        at = _EPOCH if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        at = _EPOCH
    if not _EARLIEST <= at <= now + _AHEAD:
        raise EntryError(f"{field} must be a time like 2026-11-19T00:01:42.530Z, got {str(value)[:60]!r}")
    return at
