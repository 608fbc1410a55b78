"""Whether a page may open a socket here. Browsers let any page do that, and say only where the page is from."""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

_PORTS = {"http": 80, "https": 443}


def is_welcome(connection: HTTPConnection, origins: Collection[str]) -> bool:
    """A program that is no browser names no origin. A page is from here, or from one of `origins`.

    The host that was asked for was checked before; the scheme is not compared, because a proxy may end TLS.
    """
    origin = connection.headers.get("origin")
    if origin is None or origin in origins:
        return True
    try:
        page = urlsplit(origin)
        asked = urlsplit(f"{page.scheme}://{connection.headers.get('host', '')}")
        port = _PORTS[page.scheme]
        return (page.hostname, page.port or port) == (asked.hostname, asked.port or port) and page.hostname is not None
    except (ValueError, KeyError):
        return False
