"""Tells the server what requests have cost, beside the work: nobody waits, and it is sent until it arrives.

The same settlement twice changes nothing (docs/budgets.md), which is why it may be repeated. What is waiting when the
program ends is lost; that costs nothing but time: the hold ends by itself, and the request counts once it is loaded.
"""

import logging
import time
from dataclasses import dataclass
from decimal import Decimal
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

from examples.clients.router.asking import Asker, AskError
from examples.clients.router.evidence import MalformedError

SETTLE = """
mutation Settle($holdId: String!, $actualUsd: Decimal!, $requestKey: String) {
  settle(holdId: $holdId, actualUsd: $actualUsd, requestKey: $requestKey) { state }
}
"""
RELEASE = "mutation Release($holdId: String!) { release(holdId: $holdId) { state } }"
MOST_WAITING = 10_000
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Permit:
    is_allowed: bool
    reason: str
    """The server's, such as WITHIN_LIMIT; or why there was no answer, such as TIMEOUT."""
    hold_id: str | None = None
    """None where nothing is held. One that comes late is filled in."""
    late_until_s: float = 0.0
    """Until when one may come, on the clock that only goes forward; 0 where none will."""


@dataclass(frozen=True, slots=True)
class _Told:
    permit: Permit
    document: str
    variables: dict[str, Any]


class Teller:
    """Safe to use from many threads; close it at the end."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._waiting: Queue[_Told] = Queue(MOST_WAITING)
        self._ending = Event()
        self._thread = Thread(target=self._tell_all, name="clawback-settle", daemon=True)
        self._thread.start()
        self.lost = 0
        """What could not be told."""

    def settle(self, permit: Permit, actual_usd: Decimal, request_key: str | None = None) -> None:
        self._later(_Told(permit, SETTLE, {"actualUsd": format(actual_usd, "f"), "requestKey": request_key}))

    def release(self, permit: Permit) -> None:
        self._later(_Told(permit, RELEASE, {}))

    def drain(self, within_s: float) -> None:
        """Waits until everything is told, no longer than this."""
        ends_at = time.monotonic() + within_s
        while self._waiting.unfinished_tasks and time.monotonic() < ends_at:
            time.sleep(0.01)

    def close(self) -> None:
        self._ending.set()
        self._thread.join()

    def _later(self, told: _Told) -> None:
        if told.permit.hold_id is None and told.permit.late_until_s == 0:
            return
        try:
            self._waiting.put_nowait(told)
        except Full:
            self._lose("too much is waiting to be told")

    def _tell_all(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._ending.is_set():
            try:
                told = self._waiting.get(timeout=FIRST_PAUSE_S)
            except Empty:
                continue
            if self._is_done(told):
                pause_s = FIRST_PAUSE_S
            else:
                self._later(told)
                self._ending.wait(pause_s)
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
            self._waiting.task_done()

    def _is_done(self, told: _Told) -> bool:
        """Whether it is told, or never will be."""
        if told.permit.hold_id is None:
            return time.monotonic() > told.permit.late_until_s
        try:
            self._asker.ask(told.document, {"holdId": told.permit.hold_id, **told.variables})
        except AskError as error:
            if error.failure != "REFUSED":
                return False
            self._lose(str(error))
        except MalformedError:
            return False
        except Exception:  # noqa: BLE001 - the outermost edge of a thread: what waits behind this must be told
            _LOG.exception("a settlement failed in this program")
            self._lose("a mistake of this program")
        return True

    def _lose(self, why: str) -> None:
        self.lost += 1
        _LOG.warning("a settlement is not told to Clawback: %s", why)
