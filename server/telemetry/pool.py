"""The threads that answer questions: each works for the request that gave it its work, and the waiting is measured."""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any, ParamSpec, TypeVar

from server.telemetry.meters import Meters

P = ParamSpec("P")
T = TypeVar("T")


class QuestionPool(ThreadPoolExecutor):
    """A pool that takes the context variables of whoever submits along, which the standard one does not."""

    def __init__(self, threads: int, name: str, meters: Meters) -> None:
        super().__init__(threads, thread_name_prefix=name)
        self._waits = meters.waits
        meters.queues.labels(name).set_function(lambda: float(self._work_queue.qsize()))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return super().submit(self._run, copy_context(), time.perf_counter(), fn, args, kwargs)

    def _run(
        self, context: Context, asked_at: float, fn: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> T:
        self._waits.observe(time.perf_counter() - asked_at)
        return context.run(fn, *args, **kwargs)
