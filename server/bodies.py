"""The body of a small request, whole: as long as it may be, and there in time."""

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Receive


class BodyTooLargeError(Exception):
    """The body has more bytes than it may have; the rest of it was not read."""


async def whole_body(receive: Receive, most_bytes: int, timeout_s: float) -> bytes:
    """Raises `BodyTooLargeError`, `TimeoutError` or, where the client leaves before its end, `ClientDisconnect`.

    Read from the channel itself: `Request.stream` takes longer than many an answer.
    """
    body = bytearray()
    async with asyncio.timeout(timeout_s):
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            body += message.get("body", b"")
            if len(body) > most_bytes:
                raise BodyTooLargeError
            if not message.get("more_body", False):
                return bytes(body)
