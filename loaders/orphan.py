"""How a process that works for another one ends when that one does."""

import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import wait


def end_with_parent() -> None:
    """For a thread of its own. A parent that was killed leaves nobody who would store what is read here."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        with suppress(OSError):
            wait([parent.sentinel])
        os._exit(1)
