"""Ids of traces and spans: bytes in protobuf, hex digits in JSON, and what becomes of them where somebody mixes these.

The usual mistake is a generic converter that takes the hex digits for base64: what comes out has a length that no id
has, so it can be told, and the sender is told which mistake it was.
"""

from loaders.otlp.batch import EntryError

TRACE_BYTES, SPAN_BYTES = 16, 8
_HEX = frozenset("0123456789abcdefABCDEF")


def from_bytes(given: bytes, length: int, field: str) -> str:
    """Hex digits, lower case. Raises `EntryError` that names the mistake."""
    if len(given) == length:
        if not any(given):
            raise EntryError(f"{field} is all zeros, which is no id")
        return given.hex()
    hint = ""
    if len(given) == 2 * length and all(chr(byte) in _HEX for byte in given):
        hint = "; these are its hex digits as text, send the bytes themselves"
    elif len(given) * 4 == length * 2 * 3:
        hint = "; these look like its hex digits read as base64"
    raise EntryError(f"{field} must be {length} bytes, got {len(given)}{hint}")


def from_text(given: object, length: int, field: str) -> str:
    """The same of JSON, where case does not matter."""
    if not isinstance(given, str):
        raise EntryError(f"{field} must be {2 * length} hex digits, got {'nothing' if given is None else 'no text'}")
    if len(given) == 2 * length and _HEX.issuperset(given):
        if not given.strip("0"):
            raise EntryError(f"{field} is all zeros, which is no id")
        return given.lower()
    is_base64 = len(given) == 4 * -(-length // 3) and given.endswith("=")
    hint = "; it looks like base64, OTLP/JSON has hex" if is_base64 else ""
    raise EntryError(f"{field} must be {2 * length} hex digits, got {len(given)} characters{hint}")
