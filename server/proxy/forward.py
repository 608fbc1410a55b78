"""One request to one upstream and its answer back, byte for byte, while nobody holds more of it than a chunk.

Whoever reads slowly slows down the upstream, because the next chunk is read when the last one was taken. A client that
leaves ends the upstream's work. A line of the call is in the spool before the client has the end of the answer.
"""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass

import httpx2
from starlette.types import Send

from server.proxy.attribution import AttributionError, with_session_of
from server.proxy.bodies import ClientLeftError, RequestBody, TooLargeError, word
from server.proxy.calls import Call, How, nothing_seen
from server.proxy.headers import to_client
from server.proxy.reading import Allowance, AnswerReader
from server.proxy.recorder import Recorder
from server.proxy.refusals import Refusal, refuse
from server.proxy.sides import Exchanged

_NEVER_SERVED = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol)
_LOG = logging.getLogger(__name__)
TOO_LARGE = Refusal(413, "request_too_large", "the body of the request is over CLAWBACK_PROXY_MAX_REQUEST_MB")


@dataclass(frozen=True, slots=True)
class Forwarder:
    transport: httpx2.AsyncHTTPTransport
    """Without cookies, redirects and a proxy of the environment: those are a client's business."""
    recorder: Recorder
    allowance: Allowance
    most_answer_bytes: int
    write_timeout_s: float

    async def forward(
        self, call: Call, request: httpx2.Request, body: RequestBody, send: Send, sides: Exchanged | None
    ) -> bool:
        """Whether the client has got a whole answer; where not, its connection is to be closed."""
        exchange = _Exchange(self, call, request, body, send, sides)
        work, leaving = asyncio.create_task(exchange.run()), asyncio.create_task(body.until_left())
        try:
            await asyncio.wait((work, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            work.cancel()
            leaving.cancel()
            await asyncio.gather(work, leaving, return_exceptions=True)
        return not work.cancelled() and work.result()


class _Exchange:
    def __init__(
        self,
        by: Forwarder,
        call: Call,
        request: httpx2.Request,
        body: RequestBody,
        send: Send,
        sides: Exchanged | None,
    ) -> None:
        self._sides = sides
        self._by, self._call, self._request, self._body, self._send = by, call, request, body, send
        self._reader: AnswerReader | None = None
        self._is_begun = False

    async def run(self) -> bool:
        try:
            return await self._run()
        except asyncio.CancelledError:
            self._aborted()
            raise
        except ClientLeftError:
            self._aborted()
            return False
        except TooLargeError:
            self._left_out("refused")
            return await self._refused(TOO_LARGE)
        except _NEVER_SERVED as error:
            self._left_out("unreachable")
            _LOG.warning("%s cannot be reached: %s", self._call.upstream.name, type(error).__name__)
            return await self._refused(Refusal(502, "unreachable", "the provider cannot be reached", may_retry=True))
        except httpx2.TimeoutException:
            self._record("cut")
            return await self._refused(Refusal(504, "timeout", "the provider said nothing for too long"))
        except httpx2.TransportError as error:
            self._record("cut")
            _LOG.warning("%s broke off: %s", self._call.upstream.name, type(error).__name__)
            return await self._refused(Refusal(502, "cut", "the provider broke off before it answered", may_retry=True))
        finally:
            if self._reader is not None:
                self._reader.close()

    async def _run(self) -> bool:
        response = await self._by.transport.handle_async_request(self._request)
        try:
            return await self._relay(response)
        finally:
            await response.aclose()

    async def _relay(self, response: httpx2.Response) -> bool:
        call, headers = self._call, [(name.lower(), value) for name, value in response.headers.raw]
        named = dict(headers)
        call.answered(response.status_code, named)
        self._reader = AnswerReader(
            call.upstream.provider,
            named.get(b"content-type", b"").decode("latin-1"),
            named.get(b"content-encoding", b"").decode("latin-1"),
            most_bytes=self._by.most_answer_bytes,
            allowance=self._by.allowance,
        )
        if self._sides is not None:
            self._sides.answered(named)
        self._is_begun = True
        await self._said(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": to_client(headers, call.call_id, response.status_code),
            }
        )
        length, left = named.get(b"content-length"), -1
        if length is not None and b"transfer-encoding" not in named:
            left = int(length)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        async for chunk in response.stream:
            left -= len(chunk)
            self._read(chunk)
            if left == 0 or self._reader.is_over:
                self._record("whole")
            await self._said({"type": "http.response.body", "body": chunk, "more_body": True})
        self._record("whole")
        # Before the last word, after which the client may be gone: so the connection is kept for the next call.
        await response.aclose()
        await self._said({"type": "http.response.body", "body": b""})
        return True

    def _aborted(self) -> None:
        """Of a body that was not whole no upstream has made an answer."""
        if self._body.whole.is_set():
            self._record("aborted")
        else:
            self._left_out("aborted")

    async def _said(self, message: dict[str, object]) -> None:
        """A client that takes nothing for too long has left."""
        try:
            async with asyncio.timeout(self._by.write_timeout_s):
                await self._send(message)
        except TimeoutError:
            raise ClientLeftError from None

    def _read(self, chunk: bytes) -> None:
        """The copy. What goes wrong in reading it is ours, and takes nothing from the client."""
        assert self._reader is not None
        if self._sides is not None and self._sides.answer is not None:
            self._sides.answer.feed(chunk)
        try:
            self._reader.feed(chunk)
        except Exception:  # noqa: BLE001 - the edge of a call that is not ours: it goes through whatever our mistake is
            _LOG.exception("an answer of %s could not be read", self._call.upstream.name)
            self._reader.give_up("unreadable")

    def _record(self, how: How) -> None:
        self._call.how = self._call.how or how
        try:
            self._tell(how)
        except Exception:  # noqa: BLE001 - as above; the call is counted, without its line
            _LOG.exception("a call to %s could not be recorded", self._call.upstream.name)
            self._left_out("unrecorded")

    def _tell(self, how: How) -> None:
        call = self._call
        if call.is_recorded:
            return
        seen = nothing_seen("no answer") if self._reader is None else self._reader.seen(is_cut=how != "whole")
        if call.reads_session_of_body:
            with suppress(AttributionError):
                call.attribution = with_session_of(self._body.so_far() or {}, call.attribution)
        if seen.response is None or not (seen.response.get("model") or seen.response.get("modelVersion")):
            call.requested_model = call.requested_model or word(self._body.so_far(), "model")
        self._by.recorder.record(call, seen, how)

    def _left_out(self, outcome: str) -> None:
        self._by.recorder.left_out(self._call, outcome)

    async def _refused(self, refusal: Refusal) -> bool:
        """Where the answer has begun, there is nothing to say any more: the client sees that it is cut."""
        if self._is_begun:
            return False
        await refuse(self._send, refusal, self._call.upstream.provider)
        return True
