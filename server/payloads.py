"""What was in calls, while a server runs: it goes when its time is over, and the operator may look at it.

The command line of whoever owns the store shows the key of the notice; no role and no token opens this.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Event, Thread

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from server.access.audit import Audit
from server.access.owner import shows_key
from server.bodies import BodyTooLargeError, whole_body
from store import Part, Payload, Store, StoreError

EVERY_S = 24 * 60 * 60.0
AGAIN_S = 10 * 60.0
"""After the store could not be written."""
MOST_BODY_BYTES = 10_000
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Forgetting:
    """Deletes payloads whose days are over: at the start, and every day."""

    store: Store
    clock: Callable[[], datetime]
    days: int
    every_s: float = EVERY_S

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """For as long as the block runs."""
        ending = Event()
        thread = Thread(target=self._loop, args=(ending,), name="payloads")
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()

    def payloads_of(self, call: str) -> list[Payload]:
        """What was in a call and is not to be forgotten yet."""
        return self.store.payloads_of(call, now=self.clock(), days=self.days)

    def _loop(self, ending: Event) -> None:
        while not ending.wait(self.every_s if self._is_done() else AGAIN_S):
            """Once more."""

    def _is_done(self) -> bool:
        try:
            gone = self.store.forget_payloads(now=self.clock(), days=self.days)
        except StoreError as error:
            _LOG.error("payloads whose days are over could not be deleted: %s; again in %s s", error, AGAIN_S)
            return False
        except Exception:  # noqa: BLE001 - the edge of a thread: one bad moment must not keep payloads for ever
            _LOG.exception("payloads whose days are over could not be deleted; again in %s s", AGAIN_S)
            return False
        if gone:
            _LOG.info("deleted what was in %d calls: their days are over", gone)
        return True


def payload_route(kept: Forgetting, key: str, audit: Audit | None, body_timeout_s: float) -> Route:
    """`POST /payloads` with `{"call": NAME}`. Who has looked at which call is in the audit."""

    async def show(request: Request) -> Response:
        if not shows_key(request, key):
            return _told(401, "payloads are for the command line of whoever owns the store")
        try:
            call = _call(await whole_body(request.receive, MOST_BODY_BYTES, body_timeout_s))
        except TimeoutError:
            return _told(408, f"the body did not arrive within {body_timeout_s:g} s")
        except (BodyTooLargeError, ClientDisconnect):
            call = None
        if call is None:
            return _told(400, 'send {"call": "..."}, a name of the call')
        try:
            found = await asyncio.to_thread(kept.payloads_of, call)
        except StoreError as error:
            return _told(503, str(error))
        if audit is not None:
            audit.happened("payload", "operator", call=call, found=len(found))
        return JSONResponse({"payloads": [payload_json(each) for each in found]}, headers=HEADERS)

    return Route("/payloads", show, methods=["POST"])


def payload_json(payload: Payload) -> dict[str, object]:
    """With the bytes in base64."""
    return {
        "callId": payload.call_id,
        "calledAt": payload.called_at.isoformat(),
        "keptUntil": payload.kept_until.isoformat(),
        "ended": payload.ended,
        "provider": payload.provider,
        "sessionId": payload.session_id,
        "agent": payload.agent,
        "httpStatus": payload.http_status,
        "request": _part_json(payload.request),
        "answer": None if payload.answer is None else _part_json(payload.answer),
    }


def _part_json(part: Part) -> dict[str, object]:
    content = None if part.content is None else b64encode(part.content).decode()
    return {"contentType": part.content_type, "bytes": part.size, "isCut": part.is_cut, "base64": content}


def _call(body: bytes) -> str | None:
    try:
        said = orjson.loads(body)
    except ValueError:
        return None
    call = said.get("call") if isinstance(said, dict) else None
    return call if isinstance(call, str) and call else None


def _told(status: int, message: str) -> Response:
    return JSONResponse({"error": message}, status_code=status, headers=HEADERS)
