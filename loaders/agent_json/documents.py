"""A stream of lines -> the JSON documents in it: one a line, printed over many lines, or one behind the other.

What a command printed was often caught together with its log, so text between the documents is nothing unusual.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from loaders.item import Ignored, Location, Rejected
from loaders.openclaw.values import FieldError, Object, parse
from loaders.source import excerpt

TEXT = "text between the documents"
_ACCOUNT = b'"agentMeta"'
MOST_BYTES = 64 * 2**20
"""Of one document over many lines."""
_BEGINNING = re.compile(rb"\{|\[\s*(?:[{\]]|$)")
"""A list begins with an object; `[gateway] started` is a line of a log."""
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[{}\[\]]', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Document:
    location: Location
    content: bytes
    value: Object


def read_documents(lines: Iterable[tuple[Location, bytes] | Rejected]) -> Iterator[Document | Ignored | Rejected]:
    """One item for each document and for each line outside of them."""
    open_document: _Open | None = None
    for line in lines:
        if isinstance(line, Rejected):
            if open_document is not None:
                yield open_document.rejected("breaks off at a line that could not be read")
            open_document = None
            yield line
            continue
        location, content = line
        # Within a document that is printed over many lines every line but the last begins with spaces.
        if open_document is not None and content[:1] in (b"{", b"["):
            yield open_document.broken_off()
            open_document = None
        elif open_document is None and (whole := _whole(location, content)) is not None:
            yield whole
            continue
        open_document = open_document or _Open(location)
        yield from open_document.take(content, location)
        if open_document.is_closed:
            open_document = None
    if open_document is not None:
        yield open_document.rejected("breaks off: its last bracket is missing")


class _Open:
    """A document whose end was not seen yet."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self._held = bytearray()
        self._depth = 0

    @property
    def is_closed(self) -> bool:
        return not self._held

    def broken_off(self) -> Ignored | Rejected:
        """By the beginning of another one. A bracket alone is that of a list with a document on each line."""
        if self._held.strip() == b"[":
            return Ignored(self._location, TEXT)
        return self.rejected("breaks off before the next document begins")

    def rejected(self, reason: str) -> Rejected:
        return Rejected(self._location, reason, excerpt(bytes(self._held[:10_000])))

    def take(self, line: bytes, location: Location) -> Iterator[Document | Ignored | Rejected]:
        """Everything that ends on this line."""
        start = 0
        for token in _TOKEN.finditer(line):
            if not self._depth and not self._begins(line, start, location):
                break
            self._depth += {b"{": 1, b"[": 1, b"}": -1, b"]": -1}.get(token[0], 0)
            if not self._depth:
                self._held += line[start : token.end()]
                yield read_document(self._location, bytes(self._held))
                self._held.clear()
                start = token.end()
        if self._depth:
            self._held += line[start:] + b"\n"
            if len(self._held) > MOST_BYTES:
                yield self.rejected(f"is over {MOST_BYTES:,} bytes, the most that one document may have")
                self._held.clear()
                self._depth = 0
        elif line[start:].strip(b" \t\r,"):
            yield Ignored(location, TEXT)

    def _begins(self, line: bytes, start: int, location: Location) -> bool:
        self._location = location
        return _BEGINNING.match(line[start:].lstrip()) is not None


def read_document(location: Location, content: bytes) -> Document | Rejected:
    """A list of documents is one document."""
    try:
        value = parse(b'{"":%b}' % content) if content.lstrip().startswith(b"[") else parse(content)
    except FieldError as error:
        return Rejected(location, str(error), excerpt(content))
    return Document(location, content, value)


def _whole(location: Location, line: bytes) -> Document | Ignored | Rejected | None:
    """For the line that is all of a document, or none of one: most are."""
    stripped = line.strip()
    if _BEGINNING.match(stripped) is None:
        if _ACCOUNT not in stripped or b"{" not in stripped:
            return Ignored(location, TEXT)
        return read_document(location, stripped[stripped.index(b"{") :])  # a log may put words before it
    if stripped[-1:] not in (b"}", b"]"):
        return None
    found = read_document(location, stripped)
    return found if isinstance(found, Document) else None
