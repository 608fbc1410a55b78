"""The budgets of a running server: looked at from time to time, after every load, and when a window ends."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Thread

from server.alerts.actions import Actions
from store import StoreError

TICK_S = 0.5
_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Watch:
    """A thread of its own, so that neither loads nor questions hold it up."""

    actions: Actions
    clock: Callable[[], datetime]
    data_version: Callable[[], int]
    every_s: float
    moment_s: float = 10
    """How long the end waits for alerts that are being told; the outbox keeps what is not told by then."""
    _seen_version: int | None = field(default=None, init=False)
    _looked_at: float | None = field(default=None, init=False)
    _next_window_at: datetime | None = field(default=None, init=False)

    @contextmanager
    def kept_going(self) -> Iterator[None]:
        """For as long as the block runs; then what the last load has brought is looked at, too."""
        ending = Event()
        thread = Thread(target=self._loop, args=(ending,), name="budgets", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join(self.moment_s)
            if thread.is_alive():
                _LOG.warning("alerts are still being told; what is not told by now is told after the next start")

    def look_if_due(self) -> bool:
        """A round where one is due; whether it was."""
        version, now, passed = self.data_version(), self.clock(), time.monotonic()
        is_late = self._looked_at is None or passed - self._looked_at >= self.every_s
        has_turned = self._next_window_at is not None and now >= self._next_window_at
        if not (is_late or has_turned or version != self._seen_version):
            return False
        self._seen_version, self._looked_at = version, passed
        self._next_window_at = None  # should the round fail, the next one waits for its time
        found = self.actions.run(now)
        self._next_window_at = min((s.window.ends_at for s in found.standings if s.window.ends_at > now), default=None)
        return True

    def _loop(self, ending: Event) -> None:
        self._look_safely()
        while not ending.wait(TICK_S):
            self._look_safely()
        self._look_safely()

    def _look_safely(self) -> None:
        try:
            self.look_if_due()
        except StoreError as error:
            _LOG.error("the budgets could not be looked at: %s; again in %s s", error, self.every_s)
        except Exception:  # noqa: BLE001 - the edge of a thread: one bad moment must not end the watch
            _LOG.exception("the budgets could not be looked at; again in %s s", self.every_s)
