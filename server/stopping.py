"""How a server ends: asked once, it finishes what it has begun, within a limit; asked twice, or hung, it ends at once.

On the first SIGTERM or SIGINT readiness says DRAINING and loads that still read are given up. After `drain_s` no
connection is taken any more. Questions go on until `limit_s` and are then interrupted; `GRACE_S` later the process
ends, whatever it does. The store survives that: what was being stored is a transaction that never happened.
"""

import logging
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

import uvicorn

from server.lifecycle import Lifecycle
from server.systemd import Notifier

GRACE_S = 5.0
TICK_S = 0.2
HUNG = 70
"""The exit code of a server that did not end by itself."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)
_LOG = logging.getLogger(__name__)


@dataclass
class Stopper:
    """A thread that waits for the signal: it works also where the event loop is busy or hangs."""

    lifecycle: Lifecycle
    notifier: Notifier
    limit_s: float
    drain_s: float
    close_door: Callable[[], None]
    """No more connections are taken; returns at once."""
    interrupt: Callable[[], None]
    """Stops questions that are being answered."""
    _asked: Event = field(default_factory=Event)
    _ended: Event = field(default_factory=Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Signals are ours for as long as the block runs: whatever begins or ends the server has to be within it."""
        Thread(target=self._wait, name="stop", daemon=True).start()
        before = {}
        if current_thread() is main_thread():  # Python gives them to no other
            before = {number: signal.signal(number, self._on_signal) for number in SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            self._ended.set()
            self._asked.set()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """In the main thread, between any two of its steps: so it takes no lock that somebody may hold."""
        if self._asked.is_set():
            os._exit(128 + number)
        self._asked.set()

    def _wait(self) -> None:
        self._asked.wait()
        if self._ended.is_set():
            return
        _LOG.info("asked to stop; questions may go on for %s s", self.limit_s)
        self.notifier.stopping()
        self.lifecycle.stop()
        if not self._ended.wait(self.drain_s):
            self.close_door()
        if self._has_ended_within(self.limit_s):
            return
        _LOG.warning("questions that are still being answered are interrupted")
        if self._has_ended_within(GRACE_S, self.interrupt):
            return
        _LOG.critical("the server did not end by itself and is ended; what was being stored leaves nothing behind")
        sys.stderr.flush()
        os._exit(HUNG)

    def _has_ended_within(self, seconds: float, act: Callable[[], None] = lambda: None) -> bool:
        for _ in range(max(round(seconds / TICK_S), 1)):
            act()
            self.notifier.alive()
            if self._ended.wait(TICK_S):
                return True
        return False


class Server(uvicorn.Server):
    """uvicorn's, without its signals: there a stop that was asked for ends the process by that signal, not with 0."""

    def __init__(self, config: uvicorn.Config, notifier: Notifier) -> None:
        super().__init__(config)
        self._notifier = notifier

    def close_door(self) -> None:
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._notifier.ready()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second, by the event loop: one that hangs does not say that it lives."""
        self._notifier.alive()
        return await super().on_tick(counter)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
