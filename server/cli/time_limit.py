"""A limit on the time of something that this thread does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from loaders import LoadError

REPEATED_S = 5.0
"""Python ignores an exception that is raised while it clears something away. Then the next signal raises it."""


@contextmanager
def at_most(seconds: float, what: str) -> Iterator[None]:
    """Raises `LoadError` in the block once the time is over. For the main thread, where alone signals arrive."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise LoadError(f"{what} took longer than {seconds:,} s and was stopped")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, REPEATED_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
