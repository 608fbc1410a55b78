"""How a connection shows who asks."""

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import HTTPConnection

from server.access.principal import Principal

CODES = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 429: "TOO_MANY_ATTEMPTS", 503: "UNAVAILABLE"}


class DeniedError(Exception):
    """Nobody is known to ask, or not one who may.

    `status` is that of HTTP: 401 or 403; 429 after too many attempts; 503 where nobody can be known yet.
    """

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        super().__init__(message)

    @property
    def code(self) -> str:
        """The stable `extensions.code`."""
        return CODES.get(self.status, "FORBIDDEN")


class Identify(Protocol):
    """Quick, and without I/O that blocks: every request goes through it, in the event loop."""

    def __call__(self, connection: HTTPConnection, token: str | None = None) -> Principal:
        """Who asks on a connection; `token` is one that came another way than in a header. Raises `DeniedError`.

        A connection that lives on asks again from time to time: tokens expire and are revoked.
        """


def everybody(principal: Principal) -> Identify:
    """Whoever asks is this one."""

    def identify(connection: HTTPConnection, token: str | None = None) -> Principal:
        return principal

    return identify
