"""What the proxy itself answers, in the shape of the provider whose client asks, so that the client can tell why."""

from dataclasses import dataclass

import orjson
from starlette.types import Send

_KINDS = {
    400: ("invalid_request_error", "INVALID_ARGUMENT"),
    401: ("authentication_error", "UNAUTHENTICATED"),
    403: ("permission_error", "PERMISSION_DENIED"),
    404: ("not_found_error", "NOT_FOUND"),
    413: ("request_too_large", "INVALID_ARGUMENT"),
    429: ("rate_limit_error", "RESOURCE_EXHAUSTED"),
    501: ("invalid_request_error", "UNIMPLEMENTED"),
    503: ("overloaded_error", "UNAVAILABLE"),
    504: ("timeout_error", "DEADLINE_EXCEEDED"),
}
_OTHER = ("api_error", "INTERNAL")


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    code: str
    """Stable, for programs: the label of the counter, too."""
    message: str
    retry_after_s: int | None = None
    may_retry: bool = False
    """Whether asking again at once could help; clients of OpenAI and Anthropic do not where it could not."""

    def body(self, provider: str) -> bytes:
        message = f"clawback proxy: {self.message}"
        kind, google = _KINDS.get(self.status, _OTHER)
        error: dict[str, object] = {"message": message, "type": kind, "param": None, "code": self.code}
        if provider == "anthropic":
            return orjson.dumps({"type": "error", "error": {"type": kind, "message": message}})
        if provider == "google":
            error = {"code": self.status, "message": message, "status": google}
        return orjson.dumps({"error": error})


async def refuse(send: Send, refusal: Refusal, provider: str) -> None:
    """The connection is closed: of the body nothing may have been read."""
    body = refusal.body(provider)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"x-clawback-error", refusal.code.encode()),
        (b"connection", b"close"),
    ]
    if refusal.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % refusal.retry_after_s))
    if not refusal.may_retry:
        headers.append((b"x-should-retry", b"false"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
