"""`POST /v1/payloads`: what was in calls, from a proxy that was told to keep it. It is stored when 200 is told.

No spool of the server has them: the proxy keeps what was not taken. So there is no second place where they would lie.
"""

import asyncio
import gzip
import io
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from loaders.item import Location, Parsed, Rejected
from server.access import DeniedError, Identify, Principal
from server.bodies import BodyTooLargeError, whole_body
from server.intake.answers import HEADERS, failure
from server.intake.meters import IntakeMeters
from server.intake.payload_lines import read_payloads
from server.intake.questions import Refused, Verdict
from server.intake.receiving import CLOSE, RETRY, RefusedError, is_packed
from server.intake.rights import Owners, Rights
from server.intake.routes import NDJSON, OnSent, sender
from server.telemetry import current
from store import Payload, Store, StoreError
from store import Request as Call

PATH = "/v1/payloads"
AT_ONCE = 2
"""Bodies that are held in memory at a time."""
_THEIRS = """
SELECT known.request_key, call.session_id, call.agent
FROM call_keys AS known JOIN requests AS call ON call.request_key = known.call_key
WHERE known.request_key IN (SELECT unnest($keys::VARCHAR[]))
"""


@dataclass
class PayloadDoor:
    store: Store
    identify: Identify
    meters: IntakeMeters
    owners: Owners
    clock: Callable[[], datetime]
    days: int
    most_bytes: int
    timeout_s: float
    on_sent: OnSent = lambda principal, signal, size, verdict: None
    _now: int = field(default=0, init=False)

    def route(self) -> Route:
        return Route(PATH, self.answer, methods=["POST"])

    async def answer(self, request: Request) -> Response:
        try:
            principal = sender(request, self.identify)
            current().principal = principal.name
            size, verdict = await self._taken(request, principal)
        except DeniedError as denied:
            return self._refused(denied.status, str(denied), denied.code, denied.headers)
        except RefusedError as refused:
            return self._refused(refused.status, str(refused), "BAD_REQUEST", refused.headers)
        except StoreError as error:
            return self._refused(503, str(error), "BUSY", RETRY)
        self.meters.accepted("payloads", size, verdict)
        self.on_sent(principal, "payloads", size, verdict)
        rejected = [{"line": each.line, "reason": each.reason} for each in verdict.refused]
        told = orjson.dumps({"accepted": verdict.items - verdict.rejected, "rejected": rejected})
        return Response(told, media_type="application/json", headers=HEADERS)

    async def _taken(self, request: Request, principal: Principal) -> tuple[int, Verdict]:
        _check_type(request)
        packed = is_packed(request)
        if self._now >= AT_ONCE:
            raise RefusedError(503, f"{AT_ONCE} bodies of payloads are arriving; send it again", {"Retry-After": "1"})
        self._now += 1
        try:
            content = await self._arrived(request)
            return await asyncio.to_thread(self._kept, content, principal, is_packed=packed)
        finally:
            self._now -= 1

    async def _arrived(self, request: Request) -> bytes:
        try:
            return await whole_body(request.receive, self.most_bytes, self.timeout_s)
        except BodyTooLargeError:
            raise self._too_large() from None
        except TimeoutError:
            raise RefusedError(503, f"the body did not arrive within {self.timeout_s:g} s", RETRY | CLOSE) from None
        except ClientDisconnect:
            raise RefusedError(400, "the sender left in the middle of the body", CLOSE) from None

    def _kept(self, content: bytes, principal: Principal, *, is_packed: bool) -> tuple[int, Verdict]:
        content = self._unpacked(content) if is_packed else content
        found = list(read_payloads(content))
        payloads = {number: each for number, each in found if isinstance(each, Payload)}
        refused = {number: each for number, each in found if isinstance(each, str)}
        rights = None if principal.roles is None else Rights.of(principal.claims)
        if rights is not None and payloads:
            refused |= self._of_others(payloads, rights)
        kept = [payload for number, payload in payloads.items() if number not in refused]
        self.store.keep_payloads(kept, now=self.clock(), days=self.days)
        told = tuple(Refused(f"line {number}", number, reason) for number, reason in sorted(refused.items()))
        return len(content), Verdict(len(found), len(told), told)

    def _unpacked(self, content: bytes) -> bytes:
        try:
            unpacked = gzip.GzipFile(fileobj=io.BytesIO(content)).read(self.most_bytes + 1)
        except (OSError, EOFError, zlib.error):
            raise RefusedError(400, "the body says that it is gzip and is not") from None
        if len(unpacked) > self.most_bytes:
            raise self._too_large()
        return unpacked

    def _of_others(self, payloads: Mapping[int, Payload], rights: Rights) -> dict[int, str]:
        """What the sender may not state, he may not attach to either: neither by a line's own words nor by its call."""
        stated = [Parsed(Location("line", number), (_call(each),)) for number, each in payloads.items()]
        checked = rights.checked(stated, self.owners)
        refused = {each.location.line or 0: each.reason for each in checked if isinstance(each, Rejected)}
        numbers = {_call(each).request_key: number for number, each in payloads.items()}
        for key, session_id, agent in self.store.read(_THEIRS, {"keys": list(numbers)}).rows:
            known = Call(request_key=str(key), source="proxy", session_id=_text(session_id), agent=_text(agent))
            (found,) = rights.checked([Parsed(Location("line"), (known,))], self.owners)
            if isinstance(found, Rejected):
                refused[numbers[str(key)]] = "the call is another's"
        return refused

    def _too_large(self) -> RefusedError:
        return RefusedError(413, f"the body has more than {self.most_bytes:,} bytes, unpacked; send fewer", CLOSE)

    def _refused(self, status: int, message: str, code: str, headers: Mapping[str, str]) -> Response:
        self.meters.refused("payloads", status)
        current().code = code
        return failure("json", status, message, headers)


def _call(payload: Payload) -> Call:
    """As the loader of calls has it."""
    return Call(
        request_key=f"proxy:{payload.call_id}", source="proxy", session_id=payload.session_id, agent=payload.agent
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _check_type(request: Request) -> None:
    stated = request.headers.get("content-type", "")
    if stated.partition(";")[0].strip().lower() not in NDJSON:
        raise RefusedError(415, f"payloads are sent as application/x-ndjson, not as '{stated[:100]}'", CLOSE)
