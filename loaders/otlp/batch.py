"""What one OTLP body says, whatever it was written in: its spans, its log records or its points, as plain values.

Only what a rule of ours asks for is in them. Prompts, answers and whatever else a sender attaches is never read, so it
can be neither kept nor leaked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Signal = Literal["traces", "metrics", "logs"]
Encoding = Literal["protobuf", "json"]
Value = str | int | float | bool | tuple["Value", ...]
Attributes = Mapping[str, Value]

MAX_BYTES = 64 * 2**20
"""Of a body: what the protocol recommends as the most."""
MAX_ENTRIES = 100_000
"""Spans, records or points of a body. Exporters send some hundreds at once."""
MAX_MARKS = 6_000_000
"""Braces, brackets and commas of a JSON body: memory goes by them, and 64 MiB of spans have 4 million."""
MAX_ATTRIBUTES = 2_000
"""Of one entry. Exporters keep 128."""
MAX_DEPTH = 10
"""Of lists in lists, in an attribute."""
MAX_TEXT = 500
"""Characters of a name or an id."""


class DecodeError(ValueError):
    """A body that is none: nothing of it can be taken. The message is for who sent it, and says what would be right."""


class TooMuchError(DecodeError):
    """A body that is too large in one way or another: smaller ones are welcome."""


class EntryError(ValueError):
    """One entry of a body is wrong; the others are not."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """An entry that cannot be read, and why: in words for who sent it."""

    reason: str


@dataclass(frozen=True, slots=True)
class Span:
    trace_id: str
    """32 hex digits, lower case."""
    span_id: str
    """16 hex digits, lower case."""
    parent_id: str | None
    name: str
    kind: int
    """As OTLP numbers them: 3 is a client's."""
    started_ns: int
    ended_ns: int
    is_error: bool
    attributes: Attributes
    resource: Attributes
    scope: str


@dataclass(frozen=True, slots=True)
class LogRecord:
    at_ns: int
    """0 where the sender sets no clock."""
    event: str
    """The name of the event; else what the record says in one short text; else empty."""
    attributes: Attributes
    resource: Attributes
    scope: str


@dataclass(frozen=True, slots=True)
class Point:
    """One number of a counter, or what a histogram adds up to."""

    metric: str
    is_delta: bool
    started_ns: int
    """Since when it counts; 0 where that is not said."""
    at_ns: int
    value: Decimal | None
    """None where the sender marks that nothing was recorded."""
    attributes: Attributes
    """All of them: they tell one series from the others."""
    resource: Attributes
    scope: str


@dataclass(frozen=True, slots=True)
class Unread:
    """An entry that says nothing of calls, by a rule that is named."""

    rule: str


Entry = Span | LogRecord | Point | Wrong | Unread


@dataclass(frozen=True, slots=True)
class Batch:
    signal: Signal
    entries: tuple[Entry, ...]
    """In the order of the body."""

    @property
    def wrong(self) -> tuple[Wrong, ...]:
        """What a partial success has to tell: how many were not taken, and why."""
        return tuple(entry for entry in self.entries if isinstance(entry, Wrong))
