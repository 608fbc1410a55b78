"""How a connection shows who asks."""

from collections.abc import Mapping
from typing import Protocol

from starlette.requests import HTTPConnection

from server.access.principal import Principal


class DeniedError(Exception):
    """Nobody is known to ask, or not one who may. `status` is that of HTTP: 401 or 403."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.headers = headers or {}
        super().__init__(message)


class Identify(Protocol):
    """Quick, and without I/O that blocks: every request goes through it, in the event loop."""

    def __call__(self, connection: HTTPConnection, token: str | None = None) -> Principal:
        """Who asks on a connection; `token` is one that came another way than in a header. Raises `DeniedError`."""


def everybody(principal: Principal) -> Identify:
    """Whoever asks is this one."""

    def identify(connection: HTTPConnection, token: str | None = None) -> Principal:
        return principal

    return identify
