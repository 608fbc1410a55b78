"""`POST /v1/traces`, `/v1/metrics`, `/v1/logs` (OTLP over HTTP) and `/v1/calls` (what the proxy recorded).

A sender is told 200 when what he sent is on the disk: whatever happens to this process then, it is stored. What a
client of OTLP does with an answer is written in the protocol: 429 and 503 he sends again, everything else he does not.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from server.access import DeniedError, Identify, Principal
from server.intake.answers import failure, success
from server.intake.intake import Intake
from server.intake.meters import IntakeMeters
from server.intake.questions import Unreadable, Verdict
from server.intake.receiving import CLOSE, Receiving, RefusedError
from server.intake.rights import Rights
from server.intake.spool import ANY_RIGHTS, Body, Encoding, Signal
from server.loads import INGEST
from server.telemetry import current

PATHS: dict[str, Signal] = {
    "/v1/traces": "traces",
    "/v1/metrics": "metrics",
    "/v1/logs": "logs",
    "/v1/calls": "calls",
}
PATIENCE_S = 5.0
"""How long a sender waits to hear what was found in his body. It is safe by then; he is told so without the details."""
_TYPES: dict[str, Encoding] = {"application/x-protobuf": "protobuf", "application/json": "json"}
NDJSON = ("application/x-ndjson", "application/jsonl", "application/json")
_CODES = {400: "BAD_REQUEST", 413: "TOO_LARGE", 415: "BAD_REQUEST", 503: "BUSY"}

OnSent = Callable[[Principal, str, int, Verdict], None]
"""Told who sent a body, of how many bytes, and what was found in it."""


@dataclass(frozen=True, slots=True)
class Door:
    """What the four addresses share."""

    intake: Intake
    receiving: Receiving
    identify: Identify
    meters: IntakeMeters
    on_sent: OnSent = lambda principal, signal, size, verdict: None

    async def answer(self, request: Request) -> Response:
        signal = PATHS[request.url.path]
        encoding: Encoding = "json"
        try:
            encoding = _encoding(request, signal)
            principal = sender(request, self.identify)
            current().principal = principal.name
            rights = await self._rights(principal)
            body = await self.receiving.receive(request, signal, encoding, rights)
            verdict = await self._verdict(body)
        except DeniedError as denied:
            return self._refused(signal, encoding, denied.status, str(denied), denied.code, denied.headers)
        except RefusedError as refused:
            code = _CODES.get(refused.status, "BAD_REQUEST")
            return self._refused(signal, encoding, refused.status, str(refused), code, refused.headers)
        self.meters.accepted(signal, body.size, verdict)
        self.on_sent(principal, signal, body.size, verdict)
        return success(signal, encoding, verdict)

    async def _rights(self, principal: Principal) -> str:
        """The name of what he may state, which is on the disk before a body that has it."""
        rights = None if principal.roles is None else Rights.of(principal.claims)
        if rights is None:
            return ANY_RIGHTS
        try:
            await asyncio.to_thread(self.intake.spool.keep_rights, rights.name, rights.written())
        except OSError as error:
            raise RefusedError(503, f"the spool cannot be written: {error.strerror}", {"Retry-After": "5"}) from error
        return rights.name

    async def _verdict(self, body: Body) -> Verdict:
        """What was found in it; `RefusedError` where it cannot be read."""
        told = self.intake.read(body)
        found = asyncio.wrap_future(told)
        try:
            done, _ = await asyncio.wait({found}, timeout=PATIENCE_S)
        except asyncio.CancelledError:
            told.cancel()
            raise
        if not done and told.cancel():
            return Verdict(0)
        what = await found
        if isinstance(what, Unreadable):
            raise RefusedError(400, what.reason)
        return what

    def _refused(
        self, signal: Signal, encoding: Encoding, status: int, message: str, code: str, headers: object
    ) -> Response:
        self.meters.refused(signal, status)
        current().code = code
        return failure(encoding, status, message, dict(headers) if isinstance(headers, dict) else {})


def intake_routes(door: Door) -> list[Route]:
    """One for each of the addresses."""
    return [Route(path, door.answer, methods=["POST"]) for path in PATHS]


def sender(request: Request, identify: Identify) -> Principal:
    """Who sends. `DeniedError` for whoever may not."""
    principal = identify(request)
    if principal.roles is not None and INGEST not in principal.roles:
        scope = {"WWW-Authenticate": 'Bearer realm="clawback", error="insufficient_scope"'}
        raise DeniedError(403, f"to send needs the role `{INGEST}`, which {principal.name} does not have", scope)
    return principal


def _encoding(request: Request, signal: Signal) -> Encoding:
    """Raises `RefusedError` (415)."""
    stated = request.headers.get("content-type", "")
    name = stated.partition(";")[0].strip().lower()
    if signal == "calls":
        if name in NDJSON:
            return "json"
        raise RefusedError(415, f"calls are sent as application/x-ndjson, not as '{stated[:100]}'", CLOSE)
    if name not in _TYPES:
        raise RefusedError(415, f"OTLP is sent as {' or '.join(_TYPES)}, not as '{stated[:100]}'", CLOSE)
    return _TYPES[name]
