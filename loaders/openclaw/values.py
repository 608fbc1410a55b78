"""Strict reading of JSON that others wrote: every refusal names the field, what it holds and what would be right.

Unlike a schema library it reads only the fields that are asked for: OpenClaw adds fields with every release.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NoReturn

import orjson

Object = dict[str, object]

MAX_DEPTH = 100
MAX_COUNT = 10**15
MAX_TEXT = 500
"""Of a name or an id; what is longer is something else in the wrong place."""
EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
"""OpenClaw is younger: a time before this is a clock that was not set, or seconds read as milliseconds."""
_EXACT_BELOW = 1e15
"""No amount of money is larger; what is may have been an integer of more than 64 bits, which orjson makes a float."""
_AHEAD = timedelta(days=1)
"""How far the clock of a source may be before ours."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class FieldError(ValueError):
    """A line that cannot be read; the message is the reason of its rejection."""


def parse(line: bytes) -> Object:
    """One JSON object. Numbers with a point are `Decimal`; NaN, Infinity and nesting over 100 are refused.

    orjson reads ten times as fast as the strict reader does. What it refuses, and what it would not read exactly, the
    strict reader decides: it knows the reasons.
    """
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return parse_strictly(line)
    if type(value) is not dict:
        return parse_strictly(line)
    _make_estimate_exact(value)
    return value if _is_sound(value.values(), MAX_DEPTH - 1) else parse_strictly(line)


def parse_strictly(line: bytes) -> Object:
    """The same as `parse` says, slowly."""
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise FieldError(f"is not UTF-8 text: byte {error.start + 1} of the line is wrong") from error
    except json.JSONDecodeError as error:
        raise FieldError(f"is not JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise FieldError(f"is nested more than {MAX_DEPTH} deep") from error
    except FieldError:
        raise
    except (ValueError, ArithmeticError) as error:  # an integer of thousands of digits, an exponent of billions
        raise FieldError("holds a number that is too long to be one") from error
    if line.count(b"{") + line.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise FieldError(f"is nested more than {MAX_DEPTH} deep")
    return as_object(value)


def text(holder: Object, field: str) -> str | None:
    """A name or an id, stripped; None where the field is absent, null or empty."""
    value = holder.get(field)
    if value is None:
        return None
    if not isinstance(value, str):
        raise FieldError(f"{field} must be a text, got {_shown(value)}")
    stripped = value.strip()
    if stripped.isascii() and len(stripped) <= MAX_TEXT and "\x00" not in stripped:
        return stripped or None
    if len(stripped) > MAX_TEXT or "\x00" in stripped:
        raise FieldError(f"{field} must be at most {MAX_TEXT} characters without NUL, got {_shown(stripped)}")
    if not stripped.isascii() and any("\ud800" <= character <= "\udfff" for character in stripped):
        raise FieldError(f"{field} holds half of a surrogate pair, which is not text")
    return stripped or None


def prose(holder: Object, field: str) -> str:
    """A text for people, of any length and form; only searched, never kept."""
    value = holder.get(field)
    return value if isinstance(value, str) else ""


def as_object(value: object) -> Object:
    if isinstance(value, dict):
        return value
    raise FieldError(f"must be a JSON object like {{...}}, got {_shown(value)}")


def as_json(value: object) -> bytes:
    """What was parsed, written again: for the excerpt of one entry of a larger document."""
    return json.dumps(value, default=str).encode()


def object_in(holder: Object, field: str) -> Object | None:
    value = holder.get(field)
    if value is None or isinstance(value, dict):
        return value
    raise FieldError(f"{field} must be an object, got {_shown(value)}")


def count(value: object, field: str) -> int | None:
    """A number of tokens or milliseconds: a whole number from 0 on, or its digits as a text."""
    if type(value) is int and 0 <= value <= MAX_COUNT:
        return value
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, Decimal) and 0 <= value <= MAX_COUNT and value == value.to_integral_value():
        value = int(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise FieldError(f"{field} must be a whole number from 0 on, got {_shown(value)}")
    return value


def instant(holder: Object, field: str, now: datetime) -> datetime | None:
    """An ISO-8601 text with its zone, or epoch milliseconds; 0 is a clock that was never set, so None."""
    value = holder.get(field)
    if value is None or (not isinstance(value, bool) and value == 0):
        return None
    at = _from_text(value, field) if isinstance(value, str) else _from_milliseconds(value, field)
    if at > now and at > now + _AHEAD:
        # Without the clock's own time: a line that every load rejects is one rejection, told by its reason.
        raise FieldError(f"{field} is {at.isoformat()}, more than a day ahead of this load's clock")
    if at < EARLIEST:
        raise FieldError(f"{field} is {at.isoformat()}, before OpenClaw existed; seconds instead of milliseconds?")
    return at


def instant_if_sound(holder: Object, field: str, now: datetime) -> datetime | None:
    """For a time that is only a clue: None where it could not be true."""
    try:
        return instant(holder, field, now)
    except FieldError:
        return None


def _from_text(value: str, field: str) -> datetime:
    try:
        at = datetime.fromisoformat(value.strip())
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise FieldError(f"{field} must be a time like 2026-03-04T09:00:00.120Z, got {_shown(value)}")


def _from_milliseconds(value: object, field: str) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value < 10**14:
        raise FieldError(f"{field} must be a time in epoch milliseconds, got {_shown(value)}")
    return _EPOCH + timedelta(milliseconds=int(value))


def _shown(value: object) -> str:
    shown = json.dumps(value, default=str)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _is_sound(values: Iterable[object], depth: int) -> bool:
    """Whether nothing in there is nested deeper and no number is a float."""
    for value in values:
        kind = type(value)
        if kind is str or kind is int:
            continue
        if kind is dict:
            if not depth or not _is_sound(value.values(), depth - 1):  # type: ignore[attr-defined]  # a dict has them
                return False
        elif kind is list:
            if not depth or not _is_sound(value, depth - 1):  # type: ignore[arg-type]  # a list can be gone through
                return False
        elif kind is float:
            return False
    return True


def _make_estimate_exact(entry: Object) -> None:
    """The amounts of `usage.cost`, the only fractions that OpenClaw writes with every call, as `Decimal`.

    It had them as floats, too, and wrote each as the shortest text that means it, which is what `repr` gives.
    """
    for holder in (entry, entry.get("message")):
        usage = holder.get("usage") if type(holder) is dict else None
        cost = usage.get("cost") if type(usage) is dict else None
        if type(cost) is dict:
            for name, amount in cost.items():
                if type(amount) is float and -_EXACT_BELOW < amount < _EXACT_BELOW:
                    cost[name] = Decimal(repr(amount))


def _is_deeper(value: object, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _refuse_constant(name: str) -> NoReturn:
    raise FieldError(f"is not JSON: {name} is no number there")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
