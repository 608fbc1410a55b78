"""Reads the usage out of an answer while that goes through: of a copy, in bounded memory, and never by guessing."""

from dataclasses import dataclass
from typing import Literal

from loaders.openclaw.values import FieldError, Object, as_object, parse
from loaders.responses.answer import read_answer
from server.proxy.events import EventStream
from server.proxy.reduced import TooMuchError, has_usage, reduced
from server.proxy.streamed import StreamedAnswer
from server.proxy.unpacking import PackingError, unpacker_of

Unknown = Literal["not in the answer", "cut", "too large", "packing", "not JSON", "unreadable", "no answer"]
"""Why no usage is known: a closed set, because it is counted by it."""


@dataclass(slots=True)
class Allowance:
    """What all copies at a time may take together."""

    most_bytes: int
    taken: int = 0

    def take(self, more: int) -> bool:
        if self.taken + more > self.most_bytes:
            return False
        self.taken += more
        return True


@dataclass(frozen=True, slots=True)
class Seen:
    """What an answer says that a price needs."""

    response: Object | None
    unknown: Unknown | None
    """Why its usage is not known; None where it is."""
    is_error: bool = False
    """The stream itself says that it has failed."""


class AnswerReader:
    """For one answer. `feed` every piece as it came, then `seen` once; `close` gives back what it took."""

    def __init__(self, provider: str, content_type: str, coding: str, *, most_bytes: int, allowance: Allowance) -> None:
        self._provider, self._most, self._allowance = provider, most_bytes, allowance
        self._unknown: Unknown | None = None
        self._copy = bytearray()
        self._taken = 0
        self._streamed = StreamedAnswer()
        kind = content_type.partition(";")[0].strip().lower()
        self._events = EventStream(most_bytes) if kind == "text/event-stream" else None
        if self._events is None and not (kind == "application/json" or kind.endswith("+json")):
            self._unknown = "not JSON"
            return
        try:
            self._unpacker = unpacker_of(coding)
        except PackingError:
            self._unknown = "packing"

    @property
    def is_over(self) -> bool:
        """The stream has said its last word, whether or not bytes follow."""
        return self._streamed.is_over

    def feed(self, piece: bytes) -> None:
        if self._unknown is not None or self._streamed.is_over:
            return
        try:
            for unpacked in self._unpacker.feed(piece):
                if self._unknown is None:  # it may have got too large with the one before
                    self._take(unpacked)
        except PackingError:
            self.give_up("packing")

    def seen(self, *, is_cut: bool) -> Seen:
        """What is known once the answer has ended, or was cut."""
        try:
            return self._seen(is_cut)
        finally:
            self.close()

    def close(self) -> None:
        self._allowance.taken -= self._taken
        self._taken = 0
        self._copy = bytearray()

    def _take(self, unpacked: bytes) -> None:
        if self._events is not None:
            for event in self._events.feed(unpacked):
                self._streamed.take(event)
            self._hold(self._events.held_bytes)
        elif self._hold(len(self._copy) + len(unpacked)):
            self._copy += unpacked

    def _hold(self, size: int) -> bool:
        if size > self._most or (size > self._taken and not self._allowance.take(size - self._taken)):
            self.give_up("too large")
            return False
        self._allowance.taken -= max(self._taken - size, 0)
        self._taken = size
        return True

    def give_up(self, why: Unknown) -> None:
        self._unknown = why
        self._events = None
        self.close()

    def _seen(self, is_cut: bool) -> Seen:
        if self._unknown is None and self._events is None:
            return Seen(None, "cut") if is_cut else self._of_document()
        # Of a stream that got too large the id and the model may have been read before.
        body = self._streamed.finished(is_cut=is_cut or self._unknown is not None)
        left_out = self._events is not None and (self._events.left_out > 0 or self._streamed.unreadable > 0)
        nothing: Unknown = self._unknown or ("cut" if is_cut else "too large" if left_out else "not in the answer")
        if not body:
            return Seen(None, nothing, self._streamed.is_error)
        return self._of(body, nothing)

    def _of_document(self) -> Seen:
        """Gemini streams a list of answers where it is not asked for events; the last has the usage of all."""
        copy = bytes(self._copy)
        try:
            if copy.lstrip().startswith(b"["):
                listed = parse(b'{"answers":' + copy + b"}")["answers"]
                bodies = [as_object(each) for each in listed] if isinstance(listed, list) else []
                return self._of({k: v for body in bodies for k, v in body.items()}, "not in the answer")
            return self._of(parse(copy), "not in the answer")
        except FieldError:
            return Seen(None, "not JSON")

    def _of(self, body: Object, nothing: Unknown) -> Seen:
        is_error = self._streamed.is_error
        try:
            kept = reduced(body)
        except TooMuchError:
            return Seen(reduced({k: v for k, v in body.items() if "usage" not in k and k != "meta"}), "unreadable")
        if not has_usage(kept):
            return Seen(kept, nothing, is_error)
        try:
            read_answer(kept, self._provider)
        except FieldError:
            return Seen(kept, "unreadable", is_error)  # kept: whoever loads it says what is wrong with it
        return Seen(kept, None, is_error)
