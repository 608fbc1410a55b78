"""A load in a process of its own, so that a loader which crashes, hangs or grows takes nobody along.

The process reads and stages; it never has the store open. What it has staged is stored by whoever owns the store.
"""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import rmtree
from time import monotonic

from loaders import LOADERS
from loaders.costing import Costing
from loaders.item import LoadError
from loaders.job import stage_items
from loaders.loader import Task
from loaders.source import OnBytes
from store import Price, RecordError, Stage, StoreError

_PROCESSES = multiprocessing.get_context("spawn")
"""A fresh interpreter: a copy of this one would have the threads' locks and the store's file handles."""
_STEP_BYTES = 1 << 20
_STEP_S, _GRACE_S = 0.5, 5.0


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
    is_given_up: Callable[[], bool] = lambda: False,
) -> Iterator[Staged]:
    """What a loader has read, staged in a directory of its own below `directory`, which is gone after the block.

    Raises `LoadError` with the loader's own words, or where it took longer than `timeout_s` or died.
    """
    receiving, sending = _PROCESSES.Pipe(duplex=False)
    given = replace(task, on_bytes=None)
    process = _PROCESSES.Process(target=_work, args=(sending, kind, given, book, directory), daemon=True)
    place: Path | None = None
    process.start()
    sending.close()
    try:
        deadline = monotonic() + timeout_s
        while True:
            if is_given_up():
                raise LoadError(f"{kind} {task.location} was given up; nothing of it is stored")
            if monotonic() > deadline:
                raise LoadError(f"{kind} {task.location} took longer than {timeout_s:,} s and was stopped")
            if not receiving.poll(_STEP_S):
                continue
            match _received(receiving):
                case int(read):
                    if on_bytes is not None:
                        on_bytes(read)
                case Path() as place:
                    pass
                case str(reason):
                    raise LoadError(reason)
                case list(stated):
                    assert place is not None
                    yield Staged(place, stated)
                    return
                case _:
                    process.join(_GRACE_S)
                    fate = _fate(process.exitcode)
                    raise LoadError(f"{kind} {task.location}: the process that read it died ({fate})")
    finally:
        process.kill()
        process.join()
        receiving.close()
        if place is not None:
            rmtree(place, ignore_errors=True)


def _received(receiving: Connection) -> object:
    try:
        return receiving.recv()
    except (EOFError, OSError):
        return None


def _fate(exit_code: int | None) -> str:
    return f"signal {-exit_code}" if exit_code is not None and exit_code < 0 else f"exit code {exit_code}"


def _work(sending: Connection, kind: str, task: Task, book: list[Price], directory: Path) -> None:
    """Sends where it stages, then how far it has come, and at last the stated prices or why there are none."""
    stage = Stage(source=kind, location=task.location, directory=directory)
    sending.send(stage.directory)
    unsent = 0

    def on_bytes(read: int) -> None:
        nonlocal unsent
        unsent += read
        if unsent >= _STEP_BYTES:
            sending.send(unsent)
            unsent = 0

    try:
        items = LOADERS[kind].read(replace(task, on_bytes=on_bytes))
        stated = stage_items(stage, items, Costing(book, now=task.now))
        stage.close()
        sending.send(unsent)
        sending.send(stated)
    except (LoadError, StoreError, RecordError, OSError) as error:
        sending.send(str(error) or repr(error))
