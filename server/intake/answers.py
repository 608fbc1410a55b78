"""What a sender is told: OTLP's answers in the encoding of his request, and those to `/v1/calls`.

The messages of OTLP that a server sends have two fields each, a number and a text, so their protobuf is written here.
"""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from server.intake.questions import Verdict
from server.intake.spool import Encoding, Signal

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
MEDIA_TYPES: dict[Encoding, str] = {"protobuf": "application/x-protobuf", "json": "application/json"}
_REJECTED = {"traces": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}
_ITEMS = {"traces": "spans", "metrics": "data points", "logs": "log records", "calls": "calls"}
_CODES = {400: 3, 401: 16, 403: 7, 405: 12, 408: 4, 413: 8, 415: 3, 429: 8, 503: 14}
"""Of `google.rpc.Code`, by the status of HTTP; 13 is INTERNAL."""
_SHOWN = 3
_MOST_CHARACTERS = 2_000


def success(signal: Signal, encoding: Encoding, verdict: Verdict) -> Response:
    """Everything was taken, or all but what the verdict names: that must not be sent again."""
    if signal == "calls":
        rejected = [{"line": each.line, "reason": each.reason} for each in verdict.refused]
        body = orjson.dumps({"accepted": verdict.items - verdict.rejected, "rejected": rejected})
        return Response(body, media_type=MEDIA_TYPES["json"], headers=HEADERS)
    if not verdict.rejected:
        return Response(b"{}" if encoding == "json" else b"", media_type=MEDIA_TYPES[encoding], headers=HEADERS)
    message = _summary(signal, verdict)
    if encoding == "json":
        # 64-bit integers are texts in the JSON of protobuf.
        partial = {_REJECTED[signal]: str(verdict.rejected), "errorMessage": message}
        body = orjson.dumps({"partialSuccess": partial})
    else:
        body = _field(1, _number_and_text(verdict.rejected, message))
    return Response(body, media_type=MEDIA_TYPES[encoding], headers=HEADERS)


def failure(encoding: Encoding, status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Nothing was taken. The body is a `google.rpc.Status`."""
    code = _CODES.get(status, 13)
    body = (
        orjson.dumps({"code": code, "message": message})
        if encoding == "json"
        else _number_and_text(code, message[:_MOST_CHARACTERS])
    )
    return Response(body, status, media_type=MEDIA_TYPES[encoding], headers=HEADERS | dict(headers or {}))


def _summary(signal: Signal, verdict: Verdict) -> str:
    shown = "; ".join(f"{each.location}: {each.reason}" for each in verdict.refused[:_SHOWN])
    more = f"; and {verdict.rejected - _SHOWN:,} more" if verdict.rejected > _SHOWN else ""
    return f"{verdict.rejected:,} of {verdict.items:,} {_ITEMS[signal]} were rejected: {shown}{more}"[:_MOST_CHARACTERS]


def _number_and_text(number: int, text: str) -> bytes:
    """A message with `int64 = 1` and `string = 2`."""
    return b"\x08" + _varint(number) + _field(2, text.encode("utf-8", "replace"))


def _field(number: int, content: bytes) -> bytes:
    """One with a length: bytes, a text or a message."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    digits = bytearray()
    while number > 0x7F:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)
