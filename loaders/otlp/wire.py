"""A protobuf body without parsing it: its fields, and how many entries it has.

An empty message is two bytes in a body and eighty times as much in memory: 60 MiB of empty spans become 5 GiB. So
resources, scopes, entries and points are counted first, and counting ends where there are too many.
"""

from collections.abc import Collection, Iterator

from loaders.otlp.batch import MAX_ENTRIES, Signal, TooMuchError
from loaders.otlp.checks import check_count

_LEVELS: dict[Signal, tuple[tuple[str, Collection[int]], ...]] = {
    "traces": (("resources", {1}), ("scopes", {2}), ("spans", {2})),
    "logs": (("resources", {1}), ("scopes", {2}), ("log records", {2})),
    "metrics": (
        ("resources", {1}),
        ("scopes", {2}),
        ("metrics", {2}),
        ("kinds of metrics", {5, 7, 9, 10, 11}),
        ("points", {1}),
    ),
}
_EMPTY_ATTRIBUTE = b"\x4a\x00"
"""Of a span. Nobody writes one without a key."""
_VARINT, FIXED64, BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_SHIFT = 63


def check_sizes(signal: Signal, body: bytes) -> None:
    """Raises `TooMuchError`. What is no protobuf is for the parser to refuse."""
    if body.count(_EMPTY_ATTRIBUTE) > MAX_ENTRIES:
        raise TooMuchError("the body has attributes without a key by the hundred thousand")
    outer = [memoryview(body)]
    for what, numbers in _LEVELS[signal]:
        inner: list[memoryview] = []
        for message in outer:
            for found in messages(message, numbers):
                inner.append(found)
                check_count(len(inner), what)
        outer = inner


def messages(message: memoryview, numbers: Collection[int]) -> Iterator[memoryview]:
    """The messages in these fields, as far as it can be read."""
    return (value for number, kind, value in fields(message) if kind == BYTES and number in numbers)


def fields(message: memoryview) -> Iterator[tuple[int, int, memoryview]]:
    """Number, kind and content of each field, as far as it can be read. Only those with a length have a content."""
    at, end, nothing = 0, len(message), message[:0]
    try:
        while at < end:
            tag, at = _varint(message, at)
            kind, value = tag & 7, nothing
            if kind == BYTES:
                length, at = _varint(message, at)
                value, at = message[at : at + length], at + length
            elif kind == _VARINT:
                _, at = _varint(message, at)
            elif kind in (FIXED64, _FIXED32):
                at += 8 if kind == FIXED64 else 4
            else:
                return
            if at > end:
                return
            yield tag >> 3, kind, value
    except IndexError:
        return


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Its value and where it ends. Raises `IndexError` where it does not end."""
    value = shift = 0
    while shift <= _MOST_SHIFT:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise IndexError
