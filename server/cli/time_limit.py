"""A limit on the time of something that this thread does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from loaders import LoadError

REPEATED_S = 5.0
"""Python ignores an exception that is raised while it clears something away. Then the next signal raises it."""


class _TimeIsOver(BaseException):
    """No `Exception`: code that rejects a row which it cannot read would take the signal for the row's fault."""


@contextmanager
def at_most(seconds: float, what: str) -> Iterator[None]:
    """Raises `LoadError` in the block once the time is over. For the main thread, where alone signals arrive.

    The signal arrives anywhere, also in a function that C code has called, and that code may raise an error of its
    own instead (orjson does). Whatever leaves the block after the signal left it because of the signal.
    """
    is_over = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal is_over
        is_over = True
        raise _TimeIsOver

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, REPEATED_S)
    try:
        yield
    except (_TimeIsOver, Exception) as error:
        if not is_over:
            raise
        raise LoadError(f"{what} took longer than {seconds:,} s and was stopped") from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
