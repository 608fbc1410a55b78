"""Where a server is between its begin and its end, and who is to be told when it is asked to stop."""

import logging
from collections.abc import Callable
from threading import Event

_LOG = logging.getLogger(__name__)


class Lifecycle:
    """Safe to use from many threads, but not from a signal handler."""

    def __init__(self) -> None:
        self._stopping = Event()
        self._acts: list[Callable[[], None]] = []

    @property
    def is_stopping(self) -> bool:
        """Whether a stop was asked for; questions that came before are still answered."""
        return self._stopping.is_set()

    def when_stopping(self, act: Callable[[], None]) -> None:
        """Calls `act` once a stop is asked for, in a thread that is not the event loop's. It must not take long."""
        self._acts.append(act)

    def stop(self) -> None:
        """What is asked for a second time has happened already."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        for act in self._acts:
            try:
                act()
            except Exception:  # noqa: BLE001 - the edge of a callback: one that fails must not keep the others
                _LOG.exception("%r failed while the server goes down", act)
