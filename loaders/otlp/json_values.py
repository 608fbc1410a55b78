"""The values of OTLP/JSON: attributes, integers that are texts or numbers, doubles that may be the word NaN.

Every function raises `EntryError` that names the field: one entry is wrong then, not the body.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection

from loaders.otlp.batch import MAX_DEPTH, EntryError, Value
from loaders.otlp.checks import check_attributes, check_nested

Object = dict[str, object]
_NO_NUMBERS = {"NaN", "Infinity", "-Infinity"}
_NS_END = 2**64


def read_attributes(holder: Object, wanted: Collection[str] | None) -> dict[str, Value]:
    """Those that are wanted; all of them where None says so."""
    pairs = holder.get("attributes")
    if not pairs:
        return {}
    if not isinstance(pairs, list):
        raise EntryError('attributes must be a list of {"key": ..., "value": {...}}')
    check_attributes(len(pairs))
    read: dict[str, Value] = {}
    for pair in pairs:
        key = pair.get("key") if isinstance(pair, dict) else None
        if not isinstance(key, str):
            raise EntryError("each attribute must be an object with a key")
        if wanted is None or key in wanted:
            value = _value(pair.get("value"), key, MAX_DEPTH)
            if value is not None:
                read[key] = value
    return read


def _value(given: object, key: str, depth: int) -> Value | None:
    if given is None or given == {}:
        return None
    if not isinstance(given, dict):
        raise EntryError(f'{key[:60]} must have a value like {{"stringValue": "..."}}')
    for kind, value in given.items():
        match kind:
            case "stringValue" if isinstance(value, str):
                return value
            case "intValue":
                return whole(value, key)
            case "doubleValue":
                return double(value, key)
            case "boolValue" if isinstance(value, bool):
                return value
            case "bytesValue":
                return _bytes(value, key)
            case "arrayValue" | "kvlistValue":
                return _list(value, key, depth, is_pairs=kind == "kvlistValue")
    raise EntryError(f'{key[:60]} must have a value like {{"stringValue": "..."}}, got {", ".join(given)[:60]}')


def _list(value: object, key: str, depth: int, *, is_pairs: bool) -> Value:
    values = value.get("values", []) if isinstance(value, dict) else None
    if not isinstance(values, list) or (is_pairs and not all(isinstance(pair, dict) for pair in values)):
        raise EntryError(f"{key[:60]} must have a list under values")
    check_nested(key, len(values), depth)
    if not is_pairs:
        return tuple(_value(inner, key, depth - 1) or "" for inner in values)
    return tuple((str(pair.get("key", "")), _value(pair.get("value"), key, depth - 1) or "") for pair in values)


def _bytes(value: object, key: str) -> str:
    try:
        return b64decode(value, validate=True).hex() if isinstance(value, str) else _no_bytes(key)
    except Base64Error:
        return _no_bytes(key)


def _no_bytes(key: str) -> str:
    raise EntryError(f"{key[:60]} must have its bytes in base64")


def whole(value: object, field: str) -> int:
    """A number or its digits as a text; of 64 bits, as the protocol has it."""
    if (
        isinstance(value, str)
        and len(value) <= 20
        and value.removeprefix("-").isascii()
        and value.removeprefix("-").isdigit()
    ):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise EntryError(f"{field[:60]} must be a whole number of 64 bits, got {str(value)[:60]!r}")
    return value


def double(value: object, field: str) -> float:
    if isinstance(value, str) and value in _NO_NUMBERS:
        return float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise EntryError(f"{field[:60]} must be a number, got {str(value)[:60]!r}")
    return float(value)


def nanoseconds(holder: Object, field: str) -> int:
    value = holder.get(field, 0)
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.isdigit():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _NS_END:
        raise EntryError(f"{field} must be nanoseconds since 1970, got {str(value)[:60]!r}")
    return value
