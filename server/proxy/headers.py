"""Headers on both ways: what must not come in, what must not go on, and what the upstream may pack its answer with.

RFC 9110 section 7.6 says which headers belong to one connection; RFC 9112 sections 5.2, 6.1 and 11.2 why a request
that could be read in two ways is refused.
"""

import re
from collections.abc import Iterable, Sequence

Headers = Sequence[tuple[bytes, bytes]]
"""Names in lower case."""

OWN = (b"x-openclaw-", b"x-clawback-")
"""How the names of headers begin that are for the proxy and go no further."""
VIA = b"1.1 clawback"
READABLE = frozenset({b"gzip", b"x-gzip", b"deflate", b"zstd", b"identity"})
"""Content codings that the proxy can unpack a copy of."""
_OF_ONE_CONNECTION = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"expect",
    }
)
_NEEDED = frozenset({b"content-length", b"host", b"content-encoding", b"content-type"})
"""What `Connection` cannot take away, because the other side would read something else without it."""
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9a-z-]+")
_NOT_IN_A_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ONCE = (b"content-length", b"host", b"transfer-encoding", b"content-encoding", b"traceparent")


def refusal_of(headers: Headers) -> str | None:
    """Why a request must not be forwarded; None where it may."""
    names = [name for name, _ in headers]
    for name, value in headers:
        if not _NAME.fullmatch(name) or _NOT_IN_A_VALUE.search(value):
            return "a header holds a character that no header may hold, or is folded over two lines"
    for name in _ONCE:
        if names.count(name) > 1:
            return f"{name.decode()} is there twice"
    length, coding = value_of(headers, b"content-length"), value_of(headers, b"transfer-encoding")
    if length is not None and coding is not None:
        return "content-length and transfer-encoding are both there"
    if length is not None and not (length.isdigit() and len(length) < 16):
        return "content-length is no number"
    if coding is not None and coding.strip().lower() != b"chunked":
        return "transfer-encoding is not chunked"
    if VIA in (value_of(headers, b"via") or b""):
        return "the request has come through this proxy before"
    return None


def value_of(headers: Headers, name: bytes) -> bytes | None:
    """The first of that name."""
    return next((value for each, value in headers if each == name), None)


def to_upstream(headers: Headers, authority: bytes) -> list[tuple[bytes, bytes]]:
    """As they came, in their order, without what is ours or of the connection."""
    dropped = _of_connection(headers) | {b"host"}
    sent = [(b"host", authority)]
    for name, value in headers:
        if name in dropped or name.startswith(OWN):
            continue
        sent.append((name, readable_codings(value)) if name == b"accept-encoding" else (name, value))
    if value_of(headers, b"transfer-encoding") is not None:
        sent.append((b"transfer-encoding", b"chunked"))
    sent.append((b"via", VIA))
    return sent


def to_client(headers: Iterable[tuple[bytes, bytes]], call_id: str, status: int) -> list[tuple[bytes, bytes]]:
    came = [(name.lower(), value) for name, value in headers]
    dropped = _of_connection(came) | ({b"content-length"} if status in (204, 304) else frozenset())
    sent = [(name, value) for name, value in came if name not in dropped and not name.startswith(OWN)]
    return [*sent, (b"x-clawback-call-id", call_id.encode())]


def readable_codings(accepted: bytes) -> bytes:
    """Accept-Encoding without what the proxy could not read the usage in.

    Example:
        >>> readable_codings(b"gzip, deflate, br, zstd")
        b'gzip, deflate, zstd'
    """
    listed = [each.strip() for each in accepted.split(b",")]
    kept = [each for each in listed if each.partition(b";")[0].strip().lower() in READABLE]
    return b", ".join(kept) or b"identity"


def _of_connection(headers: Headers) -> frozenset[bytes]:
    named = (each.strip().lower() for name, value in headers if name == b"connection" for each in value.split(b","))
    return _OF_ONE_CONNECTION | (frozenset(named) - _NEEDED)
