"""Opaque bearer tokens: how one is made, what of it is kept, and how it comes with a request (RFC 6750).

A token is `clawback_`, 43 letters and digits that stand for 32 random bytes, and 6 more as a checksum. Scanners for
secrets find the prefix, and a token that was copied wrongly is known without looking anywhere. Only its SHA-256 is
kept: of 256 random bits nobody finds the token, so a slow hash would slow down the server alone.
"""

import secrets
from hashlib import sha256
from zlib import crc32

from starlette.requests import HTTPConnection

from server.access.identify import DeniedError

PREFIX = "clawback_"
MOST_CHARACTERS = 8_192
"""Of an `Authorization` header; JWTs of large organisations have some thousand."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_BYTES, _BODY, _CHECK = 32, 43, 6
_IN_QUERY = (b"access_token", b"token", b"authorization")


def new_token() -> str:
    """A token that nobody has guessed or will."""
    body = _written(int.from_bytes(secrets.token_bytes(_RANDOM_BYTES)), _BODY)
    return f"{PREFIX}{body}{_checksum(body)}"


def is_well_formed(token: str) -> bool:
    """Whether it can be one of ours; says nothing of whether it was given out."""
    if not token.startswith(PREFIX) or len(token) != len(PREFIX) + _BODY + _CHECK or not token.isascii():
        return False
    body = token[len(PREFIX) : -_CHECK]
    return token[-_CHECK:] == _checksum(body)


def digest_of(token: str) -> bytes:
    """What is kept of it, 32 bytes."""
    return sha256(token.encode()).digest()


def bearer_of(connection: HTTPConnection) -> str | None:
    """The token of a request's header; None where there is no such header. Raises `DeniedError` (401)."""
    check_query(connection)
    headers: list[tuple[bytes, bytes]] = connection.scope["headers"]
    given = [value for name, value in headers if name == b"authorization"]
    if not given:
        return None
    if len(given) > 1:
        raise unauthenticated("the request has several Authorization headers; send one", "invalid_request")
    if len(given[0]) > MOST_CHARACTERS:
        raise unauthenticated(f"the Authorization header has more than {MOST_CHARACTERS:,} characters")
    scheme, _, token = given[0].decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise unauthenticated("send the token as `Authorization: Bearer <token>`")
    return token.strip()


def check_query(connection: HTTPConnection) -> None:
    """Raises `DeniedError` where a token is in the address: addresses are in logs, histories and Referer headers."""
    query: bytes = connection.scope.get("query_string", b"")
    if not query:
        return
    if any(part.partition(b"=")[0].lower() in _IN_QUERY for part in query.split(b"&")):
        message = "a token in the address ends up in logs; revoke it, and send tokens in the Authorization header"
        raise unauthenticated(message, "invalid_request")


def unauthenticated(message: str, error: str = "invalid_token") -> DeniedError:
    """401 as RFC 6750 has it; `error` is empty where nothing was shown."""
    detail = f', error="{error}"' if error else ""
    return DeniedError(401, message, {"WWW-Authenticate": f'Bearer realm="clawback"{detail}'})


def _checksum(body: str) -> str:
    return _written(crc32(f"{PREFIX}{body}".encode()), _CHECK)


def _written(number: int, length: int) -> str:
    digits = []
    while number:
        number, rest = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits)).rjust(length, _DIGITS[0])
