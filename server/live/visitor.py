"""Somebody on a connection that stays open: who he was when he came, and whether he still is."""

from dataclasses import dataclass

from starlette.requests import HTTPConnection

from server.access import DeniedError, Identify, Principal


@dataclass(frozen=True, slots=True)
class Visitor:
    connection: HTTPConnection
    identify: Identify
    principal: Principal
    token: str | None = None
    """One that came another way than in a header."""

    @classmethod
    def of(cls, connection: HTTPConnection, identify: Identify, token: str | None = None) -> "Visitor":
        """`DeniedError` where nobody is known to be there."""
        return cls(connection, identify, identify(connection, token), token)

    def check(self) -> None:
        """`DeniedError` where his token has been revoked or is too old, or opens something else by now."""
        now, before = self.identify(self.connection, self.token), self.principal
        if (now.name, now.roles, now.claims) != (before.name, before.roles, before.claims):
            raise DeniedError(403, "what this token opens has changed; connect again")
