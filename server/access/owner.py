"""Whoever owns the store: his command line reads the key of the notice beside it, and nobody else can."""

from secrets import compare_digest

from starlette.requests import HTTPConnection


def shows_key(connection: HTTPConnection, key: str) -> bool:
    """Whether the request has the key as its bearer token. An empty key opens nothing."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    return bool(key) and scheme.lower() == "bearer" and compare_digest(given.encode(), key.encode())
