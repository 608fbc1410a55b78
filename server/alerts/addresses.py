"""Which addresses alerts may be sent to. An address may hold a secret in itself, so no message repeats one."""

import ipaddress
from urllib.parse import urlsplit


def check_address(text: str, name: str, *, is_secret_sent: bool) -> None:
    """Raises ValueError for what is no web address; for http:// to another machine where a secret would go with it."""
    if not text.isprintable() or " " in text:
        raise ValueError(f"{name} must not hold spaces or line breaks")
    try:
        url = urlsplit(text)
        host, _ = url.hostname, url.port
    except ValueError:
        raise ValueError(f"{name} is no address like https://example.org") from None
    if url.scheme not in ("http", "https") or not host:
        raise ValueError(f"{name} must begin with https:// or http:// and name a host")
    if "@" in url.netloc:
        raise ValueError(f"{name} must not hold a name or a password")
    if url.fragment:
        raise ValueError(f"{name} must not have a part behind #")
    if is_secret_sent and url.scheme == "http" and not is_loopback(host):
        raise ValueError(
            f"{name} must begin with https://, because the token would be readable on the way "
            "(http:// is for this very machine alone)"
        )


def check_token(token: str, name: str) -> None:
    """Raises ValueError for what no header can carry. The token is not repeated."""
    if not (token and token.isascii() and token.isprintable() and " " not in token):
        raise ValueError(f"{name} must be one word of plain ASCII characters; give it as it was issued")


def is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
