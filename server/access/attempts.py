"""How often an address failed to show who it is. Memory is bounded whoever tries, and however many addresses."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_FAILURES = 20
WINDOW_S = 60.0
MOST_PEERS = 10_000


class Attempts:
    """Used by the event loop alone. A count starts anew a window after its first failure."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._of: OrderedDict[str, tuple[int, float]] = OrderedDict()
        """Peer -> failures, and when the first of them was."""

    def failed(self, peer: str) -> int:
        """Counts one; gives how many there are in the window."""
        count, since = self._counted(peer)
        self._of[peer] = (count + 1, since)
        self._of.move_to_end(peer)
        while len(self._of) > MOST_PEERS:
            self._of.popitem(last=False)
        return count + 1

    def wait_s(self, peer: str) -> int:
        """Whole seconds after which the address may fail again; 0 where it may now."""
        count, since = self._counted(peer)
        return 0 if count < MOST_FAILURES else max(1, int(since + WINDOW_S - self._monotonic()) + 1)

    def _counted(self, peer: str) -> tuple[int, float]:
        now = self._monotonic()
        count, since = self._of.get(peer, (0, now))
        return (0, now) if now - since >= WINDOW_S else (count, since)
