"""How many entries a protobuf body has, found without parsing it.

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
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_MOST_SHIFT = 63


def check_sizes(signal: Signal, body: bytes) -> None:
    """Raises `TooMuchError`. What is no protobuf is for the parser to refuse."""
    if body.count(_EMPTY_ATTRIBUTE) > MAX_ENTRIES:
        raise TooMuchError("the body has attributes without a key by the hundred thousand")
    messages = [memoryview(body)]
    for what, numbers in _LEVELS[signal]:
        inner: list[memoryview] = []
        for message in messages:
            for found in _messages(message, numbers):
                inner.append(found)
                check_count(len(inner), what)
        messages = inner


def _messages(message: memoryview, numbers: Collection[int]) -> Iterator[memoryview]:
    """The messages in these fields, as far as it can be read."""
    at, end = 0, len(message)
    try:
        while at < end:
            tag, at = _varint(message, at)
            kind = tag & 7
            if kind == _BYTES:
                length, at = _varint(message, at)
                if tag >> 3 in numbers and at + length <= end:
                    yield message[at : at + length]
                at += length
            elif kind == _VARINT:
                _, at = _varint(message, at)
            elif kind in (_FIXED64, _FIXED32):
                at += 8 if kind == _FIXED64 else 4
            else:
                return
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
