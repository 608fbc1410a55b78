"""What is in a call, where the proxy was told to keep that: lines that a thread makes, packs and writes later.

No header is in it; and a key that the client sent, or the address held, is blackened where the provider repeats it.
"""

import asyncio
import logging
from base64 import b64encode
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson

from server.proxy.attribution import Attribution
from server.proxy.calls import Call, How
from server.proxy.headers import Headers
from server.proxy.meters import Meters
from server.proxy.payload_spool import PayloadSpool
from server.proxy.reading import Allowance
from server.proxy.sides import Copy, Exchanged, blackened

WRITE_S = 0.5
FILE_BYTES = 1_000_000
"""Of what is in one file, before it is packed; a single call may have more."""
MOST_IN_MEMORY = 64 * 2**20
"""Of all copies together that are not written yet."""
MOST_WAITING = 10_000
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A call that is over, as its line needs it."""

    call_id: str
    at: datetime
    attribution: Attribution
    provider: str
    status: int | None
    how: How
    sides: Exchanged = field(repr=False)


@dataclass(slots=True)
class Payloads:
    """For one event loop; lines are made, packed and written in a thread."""

    spool: PayloadSpool
    meters: Meters
    most_bytes: int
    """Of each side."""
    days: int
    allowance: Allowance = field(default_factory=lambda: Allowance(MOST_IN_MEMORY))
    _ended: deque[_Ended] = field(default_factory=deque, init=False)

    def begin(self, headers: Headers, query: bytes, token: bytes | None) -> Exchanged:
        """For a call to a model whose head has come."""
        return Exchanged.begun(headers, query, token, self.most_bytes, self.allowance)

    def end(self, call: Call, sides: Exchanged) -> None:
        """The call is over, and its client has what it gets. Where no provider had the call, nothing of it stays."""
        if call.how is None:
            sides.close()
        elif sides.is_left_out or len(self._ended) >= MOST_WAITING:
            sides.close()
            self.meters.payloads.labels("no_memory").inc()
        else:
            ended = (call.call_id, call.at, call.attribution, call.upstream.provider, call.status, call.how)
            self._ended.append(_Ended(*ended, sides))

    async def keep_writing(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(WRITE_S)
            while batch := self._batch():
                await asyncio.to_thread(self._write, batch)
                self._written(batch)

    def write(self) -> None:
        """At the end: all that is there."""
        while batch := self._batch():
            self._write(batch)
            self._written(batch)

    def _batch(self) -> list[_Ended]:
        """The oldest that go into one file together."""
        batch: list[_Ended] = []
        size = 0
        while self._ended and (not batch or size + _size(self._ended[0]) <= FILE_BYTES):
            size += _size(self._ended[0])
            batch.append(self._ended.popleft())
        return batch

    def _write(self, batch: list[_Ended]) -> None:
        """Never raises; what has no room is counted."""
        try:
            content = b"".join(self._line(each) for each in batch)
            is_kept = self.spool.write(min(each.at for each in batch), content)
        except OSError as error:
            _LOG.error("payloads of %d calls cannot be written and are left out: %s", len(batch), error.strerror)
            self.meters.payloads.labels("failed").inc(len(batch))
            return
        self.meters.payloads.labels("kept" if is_kept else "no_room").inc(len(batch))

    def _written(self, batch: list[_Ended]) -> None:
        for each in batch:
            each.sides.close()

    def _line(self, ended: _Ended) -> bytes:
        """`server/intake/payload_lines.py` reads it."""
        sides, of = ended.sides, ended.attribution
        line = {
            "call": ended.call_id,
            "at": ended.at,
            "until": ended.at + timedelta(days=self.days),
            "ended": ended.how,
            "provider": ended.provider,
            "session_id": of.session_id,
            "agent": of.agent,
            "http_status": ended.status,
            "request": _part(sides.request, sides.secrets),
            "answer": None if sides.answer is None else _part(sides.answer, sides.secrets),
        }
        return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def _part(copy: Copy, secrets: frozenset[bytes]) -> dict[str, object]:
    part: dict[str, object] = {"type": copy.content_type, "bytes": copy.size}
    if copy.is_readable:
        content = blackened(bytes(copy.kept), secrets)
        try:
            part["text"] = content.decode()
        except UnicodeDecodeError:
            part["base64"] = b64encode(content).decode()
    return part


def _size(ended: _Ended) -> int:
    answer = ended.sides.answer
    return len(ended.sides.request.kept) + (len(answer.kept) if answer is not None else 0)
