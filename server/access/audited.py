"""Around every request to the endpoint: what was noted of it on its way becomes one line of the audit."""

import time
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.access.audit import Asked, Audit, codes_in, rows_in
from server.access.principal import Principal
from server.access.proxy import peer_of
from server.telemetry import current

MOST_READ = 16_384
_NOTED = "clawback.asked"
_IS_AUDITED = "clawback.is_audited"


class AnOperation(Protocol):
    """What a client sends."""

    @property
    def text(self) -> str: ...
    @property
    def name(self) -> str | None: ...
    @property
    def variables(self) -> dict[str, Any] | None: ...


@dataclass(slots=True)
class Noted:
    """One operation on its way; whoever answers fills in what he learns."""

    principal: Principal
    operation: AnOperation
    cost: int | None = None
    codes: tuple[str, ...] = ()
    rows: int | None = None
    """None where nobody counted: a large body is not read again for the audit alone."""
    is_audited: bool = True

    def answered(self, content: bytes) -> None:
        """What the body tells; for the thread that made it, not for the event loop."""
        if self.is_audited and (len(content) <= MOST_READ or b'"errors":' in content):
            body = orjson.loads(content)
            self.codes, self.rows = codes_in(body), rows_in(body)


def note(scope: Scope, principal: Principal, operation: AnOperation) -> Noted:
    """Says who asks what on a connection. Before the work, so that what fails is audited as well."""
    noted = scope[_NOTED] = Noted(principal, operation, is_audited=scope.get(_IS_AUDITED, False))
    return noted


class Audited:
    """An ASGI app around another. It costs a request a few microseconds; the line is written in another thread."""

    def __init__(self, app: ASGIApp, audit: Audit, path: str) -> None:
        self._app = app
        self._audit = audit
        self._path = path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != self._path:
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0
        scope[_IS_AUDITED] = True

        async def told(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            if (noted := scope.get(_NOTED)) is not None:
                self._audit.asked(_asked(noted, scope, status, time.perf_counter() - began))


def _asked(noted: Noted, scope: Scope, status: int, seconds: float) -> Asked:
    return Asked(
        request_id=current().request_id,
        principal=noted.principal,
        peer=peer_of(HTTPConnection(scope)),
        surface="graphql",
        text=noted.operation.text,
        operation=noted.operation.name,
        variables=noted.operation.variables,
        status=status,
        codes=noted.codes,
        rows=noted.rows,
        cost=noted.cost,
        duration_ms=round(seconds * 1000, 3),
    )
