"""The name of one request: the caller's own where it is a sane one, so that his log and ours fit together."""

import os
import re

_SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")


def new_request_id() -> str:
    """32 hexadecimal digits."""
    return os.urandom(16).hex()


def request_id_of(headers: list[tuple[bytes, bytes]]) -> str:
    """What `X-Request-Id` says, where it is said once and in 4 to 64 letters, digits, dots, lines; else a new one.

    Example:
        >>> request_id_of([(b"x-request-id", b"router-17")])
        'router-17'
    """
    said = [value for name, value in headers if name == b"x-request-id"]
    if len(said) != 1:
        return new_request_id()
    text = said[0].decode("latin-1")
    return text if _SANE.fullmatch(text) else new_request_id()
