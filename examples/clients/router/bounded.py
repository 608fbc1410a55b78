"""Questions in threads of their own: whoever asks waits for a fixed time and no longer, whatever the network does.

A question that is late goes on in its thread, and what it brings is kept for the next decision. Who asks the same
meanwhile joins it; once it is late nobody waits for it again.
"""

import logging
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from dataclasses import dataclass
from threading import Lock
from typing import Generic, TypeVar

from examples.clients.router.asking import AskError
from examples.clients.router.circuit import Circuit
from examples.clients.router.evidence import MalformedError
from examples.clients.router.ground import Failure

T = TypeVar("T")
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _OnItsWay(Generic[T]):
    future: "Future[T | Failure]"
    is_late: bool = False
    """Somebody waited for it in vain; counted as a failure once."""
    is_probe: bool = False


class Bounded(Generic[T]):
    """One for each kind of question. Safe to use from many threads."""

    def __init__(self, limit_s: float, threads: int = 2) -> None:
        self._limit_s = limit_s
        self._most = threads * 8
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="clawback")
        self._circuit = Circuit()
        self._on_their_way: dict[Hashable, _OnItsWay[T]] = {}
        self._lock = Lock()

    @property
    def circuit(self) -> Circuit:
        return self._circuit

    def ask(self, key: Hashable, work: Callable[[], T], *, waits: bool = True) -> T | Failure:
        """What `work` gives, within the limit, or why not. Without `waits` it only begins, and gives "OPEN"."""
        with self._lock:
            asked = self._on_their_way.get(key)
            if asked is None:
                gate = self._circuit.gate(time.monotonic())
                if gate == "LEAVE":
                    return "OPEN"
                if len(self._on_their_way) >= self._most:
                    return "CROWDED"
                asked = self._begun(key, work)
                if gate == "PROBE":
                    self._circuit, asked.is_probe = self._circuit.probing(), True
        if asked.is_probe or not waits:
            # Nobody waits for a server that has not answered before: the probe runs beside the decisions.
            return "OPEN"
        return "TIMEOUT" if asked.is_late else self._waited_for(asked)

    def close(self) -> None:
        """Once what goes on was ended."""
        self._pool.shutdown(cancel_futures=True)

    def _begun(self, key: Hashable, work: Callable[[], T]) -> _OnItsWay[T]:
        asked: _OnItsWay[T] = _OnItsWay(Future())
        self._on_their_way[key] = asked
        self._pool.submit(self._run, key, asked, work)
        return asked

    def _waited_for(self, asked: _OnItsWay[T]) -> T | Failure:
        try:
            return asked.future.result(self._limit_s)
        except LateError:
            with self._lock:
                if not asked.is_late and not asked.future.done():
                    asked.is_late = True
                    self._circuit = self._circuit.after_failure(time.monotonic())
            return "TIMEOUT"

    def _run(self, key: Hashable, asked: _OnItsWay[T], work: Callable[[], T]) -> None:
        began_s = time.monotonic()
        outcome: T | Failure
        retry_after_s: float | None = None
        try:
            outcome = work()
            has_failed = False
        except AskError as error:
            outcome, retry_after_s, has_failed = error.failure, error.retry_after_s, True
        except MalformedError:
            outcome, has_failed = "MALFORMED", True
        except Exception:  # noqa: BLE001 - the outermost edge of a thread: else the question is never answered
            _LOG.exception("a question to Clawback failed in this program")
            outcome, has_failed = "ERROR", True
        now_s = time.monotonic()
        with self._lock:
            del self._on_their_way[key]
            if not has_failed and now_s - began_s <= self._limit_s:
                self._circuit = self._circuit.after_success()
            elif not asked.is_late or retry_after_s is not None:
                self._circuit = self._circuit.after_failure(now_s, retry_after_s)
            asked.future.set_result(outcome)
