"""Which signal a body is of, by its own words: some senders have one address for all three.

OpenClaw, told an endpoint that ends in /v1/traces, sends its metrics and logs there, too. Read as spans they would be
rubbish that can be read. The three messages have one form down to their entries, which tell: a span begins with an id
of 16 bytes, a metric with its name and a log record with its time.
"""

from itertools import islice

from loaders.otlp.batch import Encoding, Signal
from loaders.otlp.ids import TRACE_BYTES
from loaders.otlp.wire import BYTES, FIXED64, fields, messages

_KEYS: dict[Signal, bytes] = {"traces": b'"resourceSpans"', "metrics": b'"resourceMetrics"', "logs": b'"resourceLogs"'}
_RESOURCES, _SCOPES, _ENTRIES = {1}, {2}, {2}
_DATA = frozenset({5, 7, 9, 10, 11})
"""Fields of a metric with its points: gauge, sum, histogram, exponential histogram, summary."""
_MOST_FIELDS = 1_000
"""Of an entry; so many are looked at."""


def signal_meant(stated: Signal, encoding: Encoding, body: bytes) -> Signal:
    """The signal of a body that was sent as `stated`, where the body says another one.

    A body that says nothing is what it was sent as.
    """
    found = _of_json(body) if encoding == "json" else _of_protobuf(body)
    return stated if stated in found or len(found) != 1 else found.pop()


def _of_json(body: bytes) -> set[Signal]:
    return {signal for signal, key in _KEYS.items() if key in body}


def _of_protobuf(body: bytes) -> set[Signal]:
    """What the first entry is; nothing where there is none, or where it is not protobuf."""
    entry = next(
        (
            entry
            for resource in messages(memoryview(body), _RESOURCES)
            for scope in messages(resource, _SCOPES)
            for entry in messages(scope, _ENTRIES)
        ),
        None,
    )
    if entry is None:
        return set()
    kinds, first_bytes = dict[int, int](), 0
    for number, kind, value in islice(fields(entry), _MOST_FIELDS):
        kinds[number] = kind
        first_bytes = len(value) if number == 1 else first_bytes
    if kinds.get(1) == FIXED64 or (1 not in kinds and kinds.get(11) == FIXED64):
        return {"logs"}
    if kinds.get(1) != BYTES:
        return set()
    if first_bytes == TRACE_BYTES and kinds.get(2) == BYTES:
        return {"traces"}
    has_points = any(kinds.get(number) == BYTES for number in _DATA)
    return {"metrics"} if has_points and kinds.get(7, BYTES) == BYTES else set()
