"""Server-sent events out of a stream of bytes, as the HTML standard defines them (section 9.2.6), in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    name: str
    """Empty where the stream names none."""
    data: bytes


class EventStream:
    """Fed with pieces that may end anywhere. An event over the limit is left out and remembered."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._line = bytearray()
        self._name, self._data, self._size = b"", list[bytes](), 0
        self._is_too_large, self._ended_with_return = False, False
        self.left_out = 0
        """Events that were too large."""

    @property
    def held_bytes(self) -> int:
        return len(self._line) + self._size

    def feed(self, piece: bytes) -> Iterator[Event]:
        for line in self._lines(piece):
            if line:
                self._take(line)
            elif (event := self._dispatched()) is not None:
                yield event

    def _lines(self, piece: bytes) -> Iterator[bytes]:
        if self._ended_with_return and piece.startswith(b"\n"):
            piece = piece[1:]
        if piece:
            self._ended_with_return = piece.endswith(b"\r")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *whole, rest = piece.split(b"\n")
        for line in whole:
            if self._line:
                self._line += line
                line = bytes(self._line)
                self._line.clear()
            yield line
        if self.held_bytes + len(rest) > self._most:
            # The end of the line still decides when the event ends, so a mark of it stays.
            self._is_too_large, rest = True, b":"
            self._line.clear()
            self._data, self._size = [], 0
        self._line += rest

    def _take(self, line: bytes) -> None:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data" and not self._is_too_large:
            self._data.append(value)
            self._size += len(value) + 1
            if self._size > self._most:
                self._is_too_large, self._data, self._size = True, [], 0
        elif field == b"event":
            self._name = value[:100]

    def _dispatched(self) -> Event | None:
        name, data, is_too_large = self._name, self._data, self._is_too_large
        self._name, self._data, self._size, self._is_too_large = b"", [], 0, False
        if is_too_large:
            self.left_out += 1
            return None
        return Event(name.decode("utf-8", "replace"), b"\n".join(data)) if data else None
