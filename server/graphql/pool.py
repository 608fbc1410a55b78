"""The threads that answer questions: each works for the request that gave it its work, the waiting is measured, and who
asks most waits longest.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Self, TypeVar

from server.telemetry import current
from server.telemetry.meters import Meters

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Job:
    work: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)
    asked_at: float = field(default_factory=time.perf_counter)


class Turns:
    """Jobs that wait, in the order in which they are begun: one of each principal in turn, the oldest of his first."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, deque[_Job]] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        with self._lock:
            return sum(map(len, self._waiting.values()))

    def put(self, principal: str, job: _Job) -> None:
        with self._lock:
            self._waiting.setdefault(principal, deque()).append(job)

    def take(self) -> _Job | None:
        with self._lock:
            for principal, jobs in self._waiting.items():
                job = jobs.popleft()
                if jobs:
                    self._waiting.move_to_end(principal)
                else:
                    del self._waiting[principal]
                return job
        return None


class QuestionPool:
    """Threads, and the turns in which they are given out."""

    def __init__(self, threads: int, name: str, meters: Meters) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._turns = Turns()
        self._waits = meters.waits
        meters.queues.labels(name).set_function(lambda: float(len(self._turns)))

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Runs with the context variables of whoever submits. Raises `RuntimeError` after `shutdown`."""
        job = _Job(work)
        self._turns.put(current().principal or "", job)
        self._threads.submit(self._next)  # as often as there are jobs, whichever of them it finds
        return job.future

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()

    def shutdown(self, *, wait: bool = True, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        while cancel_futures and (job := self._turns.take()):
            job.future.cancel()

    def _next(self) -> None:
        job = self._turns.take()
        if job is None or not job.future.set_running_or_notify_cancel():
            return
        self._waits.observe(time.perf_counter() - job.asked_at)
        try:
            result = job.context.run(job.work)
        except BaseException as error:  # noqa: BLE001 - as every pool: whoever waits for the job is told, whatever it was
            job.future.set_exception(error)
        else:
            job.future.set_result(result)
