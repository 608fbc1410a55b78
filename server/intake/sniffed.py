"""Which signal a body is of, by its own words: some senders have one address for all three.

OpenClaw, told an endpoint that ends in /v1/traces, sends its metrics and logs there, too. Read as spans they would be
rubbish that can be read. The three messages have one form down to their entries, which tell: a span begins with an id
of 16 bytes, a metric with its name and a log record with its time.
"""

from collections.abc import Iterator
from typing import Literal

from server.intake.spool import Encoding, Signal

Otlp = Literal["traces", "metrics", "logs"]
_KEYS: dict[Otlp, bytes] = {"traces": b'"resourceSpans"', "metrics": b'"resourceMetrics"', "logs": b'"resourceLogs"'}
_RESOURCES, _SCOPES, _ENTRIES = 1, 2, 2
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}
_ID_BYTES = 16
_DATA = frozenset({5, 7, 9, 10, 11})
"""Fields of a metric with its points: gauge, sum, histogram, exponential histogram, summary."""


def sniffed(stated: Signal, encoding: Encoding, content: bytes) -> Otlp:
    """The signal of a body that was sent to the address of `stated`, where the body says another one.

    A body that says nothing is what it was sent as.
    """
    assert stated != "calls"
    found = _of_json(content) if encoding == "json" else _of_protobuf(content)
    return stated if stated in found or len(found) != 1 else found.pop()


def _of_json(content: bytes) -> set[Otlp]:
    return {signal for signal, key in _KEYS.items() if key in content}


def _of_protobuf(content: bytes) -> set[Otlp]:
    """What the first entry is; nothing where there is none, or where it is not protobuf."""
    try:
        entry = next(
            entry
            for resource in _messages(memoryview(content), _RESOURCES)
            for scope in _messages(resource, _SCOPES)
            for entry in _messages(scope, _ENTRIES)
        )
        fields = list(_fields(entry))
    except (StopIteration, ValueError):
        return set()
    kinds = {number: kind for number, kind, _ in fields}
    if kinds.get(1) == _FIXED64 or (1 not in kinds and kinds.get(11) == _FIXED64):
        return {"logs"}
    if kinds.get(1) != _BYTES:
        return set()
    first = next(value for number, _, value in fields if number == 1)
    if len(first) == _ID_BYTES and kinds.get(2) == _BYTES:
        return {"traces"}
    has_points = any(kinds.get(number) == _BYTES for number in _DATA)
    return {"metrics"} if has_points and kinds.get(7, _BYTES) == _BYTES else set()


def _messages(content: memoryview, wanted: int) -> Iterator[memoryview]:
    return (value for number, kind, value in _fields(content) if (number, kind) == (wanted, _BYTES))


def _fields(content: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Number, kind and bytes of each field. Raises `ValueError` where it is no message."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        begin, kind = at, tag & 7
        match kind:
            case 0:
                _, at = _varint(content, at)
            case 2:
                length, begin = _varint(content, at)
                at = begin + length
            case 1 | 5:
                at += _SIZES[kind]
            case _:
                raise ValueError("there is no such kind of field")
        if at > len(content):
            raise ValueError("it ends in the middle of a field")
        yield tag >> 3, kind, content[begin:at]


def _varint(content: memoryview, at: int) -> tuple[int, int]:
    number = shift = 0
    while at < len(content) and shift < 64:
        byte = content[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at
    raise ValueError("it ends in the middle of a number")
