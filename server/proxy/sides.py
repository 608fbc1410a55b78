"""Bounded copies of both sides of a call on its way: what was sent and what came, and no header.

The bytes on their way are not touched. A copy is without its content coding, has at most so many bytes, and knows how
long the whole was.
"""

import logging
import re
from dataclasses import dataclass, field

from server.proxy.headers import Headers
from server.proxy.reading import Allowance
from server.proxy.unpacking import PackingError, Unpacker, unpacker_of

_LONGEST_TYPE = 200
_MOST_TIMES = 4
"""Of what is kept: so much is unpacked to know how long the whole is. A small body may unpack to hundreds of MB, while
every other call waits."""
_SHORTEST_SECRET = 8
_SECRET = re.compile(rb"auth|key|token|secret|cookie|credential|password")
"""Somewhere in the name of a header, or of a parameter of the address."""
_LOG = logging.getLogger(__name__)


class Copy:
    """The first bytes of one side. What cannot be unpacked has none, and no length."""

    def __init__(self, content_type: str, coding: str, most_bytes: int, allowance: Allowance) -> None:
        self.content_type = content_type[:_LONGEST_TYPE].replace("\x00", "") or None
        self.kept = bytearray()
        self.size: int | None = 0
        """Of all that came, unpacked; None where that cannot be known."""
        self.is_left_out = False
        """There was no memory for it."""
        self._most, self._allowance = most_bytes, allowance
        self._unpacker: Unpacker | None = None
        self._is_packed = coding.strip().lower() not in ("", "identity")
        try:
            self._unpacker = unpacker_of(coding)
        except PackingError:
            self.size = None

    def feed(self, piece: bytes) -> None:
        """As it came. Never raises: whatever is wrong with a copy, the call goes on."""
        if self._unpacker is None:
            return
        try:
            for unpacked in self._unpacker.feed(piece):
                self._take(unpacked)
                if self._is_packed and (self.size or 0) > _MOST_TIMES * self._most:
                    self._unpacker, self.size = None, None
                    return
        except PackingError:
            self._unpacker, self.size = None, None
        except Exception:  # noqa: BLE001 - the edge of a call that is not ours: it goes through whatever our mistake is
            _LOG.error("a payload could not be copied and is left out")  # without the error: it may quote it
            self._unpacker, self.is_left_out = None, True

    @property
    def is_readable(self) -> bool:
        return self.size is not None or bool(self.kept)

    def close(self) -> None:
        """What it took is free for others."""
        self._allowance.taken -= len(self.kept)
        self.kept = bytearray()

    def _take(self, unpacked: bytes) -> None:
        self.size = (self.size or 0) + len(unpacked)
        part = unpacked[: self._most - len(self.kept)]
        if not part or self.is_left_out:
            return
        if self._allowance.take(len(part)):
            self.kept += part
        else:
            self.is_left_out = True
            self.close()


@dataclass(slots=True)
class Exchanged:
    """Both sides of one call."""

    request: Copy
    most_bytes: int
    allowance: Allowance
    secrets: frozenset[bytes] = field(repr=False)
    answer: Copy | None = None

    @classmethod
    def begun(
        cls, headers: Headers, query: bytes, token: bytes | None, most_bytes: int, allowance: Allowance
    ) -> "Exchanged":
        """For a call whose head has come."""
        return cls(_copy(dict(headers), most_bytes, allowance), most_bytes, allowance, _secrets(headers, query, token))

    def answered(self, headers: dict[bytes, bytes]) -> None:
        """The head of the answer is there."""
        self.answer = _copy(headers, self.most_bytes, self.allowance)

    @property
    def is_left_out(self) -> bool:
        return self.request.is_left_out or (self.answer is not None and self.answer.is_left_out)

    def close(self) -> None:
        self.request.close()
        if self.answer is not None:
            self.answer.close()


def blackened(content: bytes, secrets: frozenset[bytes]) -> bytes:
    """With stars in place of secrets, as many as they had bytes; also of one that the end has cut.

    Example:
        >>> blackened(b"no such key: sk-12345678, sk-123456", frozenset({b"sk-12345678"}))
        b'no such key: ***********, *********'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        content = content.replace(secret, b"*" * len(secret))
    for secret in secrets:
        for length in range(len(secret) - 1, _SHORTEST_SECRET - 1, -1):
            if content.endswith(secret[:length]):
                content = content[:-length] + b"*" * length
                break
    return content


def _copy(headers: dict[bytes, bytes], most_bytes: int, allowance: Allowance) -> Copy:
    kind, coding = headers.get(b"content-type", b""), headers.get(b"content-encoding", b"")
    return Copy(kind.decode("latin-1"), coding.decode("latin-1"), most_bytes, allowance)


def _secrets(headers: Headers, query: bytes, token: bytes | None) -> frozenset[bytes]:
    found = {token or b""}
    for name, value in (*headers, *(part.partition(b"=")[::2] for part in query.split(b"&"))):
        if _SECRET.search(name.lower()):
            found |= {value, value.rpartition(b" ")[2]}
    return frozenset(value for value in found if len(value) >= _SHORTEST_SECRET)
