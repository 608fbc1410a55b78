"""A load in a process of its own, so that a loader which crashes, hangs or grows takes nobody along.

The process reads and stages; it never has the store open. What it has staged is stored by whoever owns the store.
"""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import rmtree
from threading import Thread
from time import monotonic
from typing import Any

from loaders.costing import Costing
from loaders.item import LoadError
from loaders.job import stage_items
from loaders.kinds import LOADERS
from loaders.loader import Task
from loaders.orphan import end_with_parent
from loaders.source import OnBytes
from store import Price, RecordError, Stage, StoreError

_PROCESSES = multiprocessing.get_context("spawn")
"""A fresh interpreter: a copy of this one would have the threads' locks and the store's file handles."""
_STEP_BYTES = 1 << 20
_STEP_S, _GRACE_S = 0.5, 5.0


class GivenUpError(LoadError):
    """Nobody waits for the load any more."""


@dataclass(frozen=True, slots=True)
class Staged:
    directory: Path
    stated: list[Price]
    """The prices that the source itself states."""


@contextmanager
def staged_apart(
    kind: str,
    task: Task,
    book: list[Price],
    directory: Path,
    *,
    timeout_s: float,
    on_bytes: OnBytes | None = None,
    on_size: Callable[[int], None] | None = None,
    is_given_up: Callable[[], bool] = lambda: False,
) -> Iterator[Staged]:
    """What a loader has read, staged in a directory of its own below `directory`, which is gone after the block.

    Raises `LoadError` with the loader's own words, or where it took longer than `timeout_s` or died; `GivenUpError`
    as soon as `is_given_up` says so.
    """
    receiving, sending = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(
        target=_work, args=(sending, kind, replace(task, on_bytes=None), book, directory), daemon=True
    )
    told: dict[str, Callable[[Any], None] | None] = {"read": on_bytes, "size": on_size}
    place: Path | None = None
    process.start()
    sending.close()
    try:
        for word, value in _messages(receiving, f"{kind} {task.location}", timeout_s, is_given_up):
            if word == "place":
                place = value
            elif word == "failed":
                raise LoadError(value)
            elif word == "staged":
                assert place is not None
                yield Staged(place, value)
                return
            elif hear := told[word]:
                hear(value)
        process.join(_GRACE_S)
        if is_given_up():
            raise GivenUpError(f"{kind} {task.location} was given up; nothing of it is stored")
        raise LoadError(f"{kind} {task.location}: the process that read it died ({_fate(process.exitcode)})")
    finally:
        process.kill()
        process.join()
        receiving.close()
        if place is not None:
            rmtree(place, ignore_errors=True)


def _messages(
    receiving: Connection, what: str, timeout_s: float, is_given_up: Callable[[], bool]
) -> Iterator[tuple[str, Any]]:
    """What the process says, until it says no more."""
    deadline = monotonic() + timeout_s
    while True:
        if is_given_up():
            raise GivenUpError(f"{what} was given up; nothing of it is stored")
        if monotonic() > deadline:
            raise LoadError(f"{what} took longer than {timeout_s:,} s and was stopped")
        if receiving.poll(_STEP_S):
            try:
                yield receiving.recv()
            except (EOFError, OSError):
                return


def _fate(exit_code: int | None) -> str:
    return f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"


def _work(sending: Connection, kind: str, task: Task, book: list[Price], directory: Path) -> None:
    """Sends where it stages, how much there is and how far it has come; then the stated prices, or why there are none.

    It ends with its parent, and by its parent's hand alone: a Ctrl-C in the terminal is for both, and the parent
    decides what becomes of the load.
    """
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)
    Thread(target=end_with_parent, daemon=True).start()
    try:
        sending.send(("staged", _staged(sending, kind, task, book, directory)))
    except (LoadError, StoreError, RecordError, OSError) as error:
        sending.send(("failed", str(error) or repr(error)))
    except Exception as error:  # noqa: BLE001 - the edge of a process: what it says here is all that is ever known of it
        sending.send(("failed", f"unexpected: {error!r}"))


def _staged(sending: Connection, kind: str, task: Task, book: list[Price], directory: Path) -> list[Price]:
    loader, unsent = LOADERS[kind], 0
    if loader.size is not None:
        sending.send(("size", loader.size(task.path)))

    def on_bytes(read: int) -> None:
        nonlocal unsent
        unsent += read
        if unsent >= _STEP_BYTES:
            sending.send(("read", unsent))
            unsent = 0

    stage = Stage(source=kind, location=task.location, directory=directory)
    sending.send(("place", stage.directory))
    stated = stage_items(stage, loader.read(replace(task, on_bytes=on_bytes)), Costing(book, now=task.now))
    stage.close()
    sending.send(("read", unsent))
    return stated
