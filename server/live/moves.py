"""What moves under the subscriptions, looked at by one task however many there are.

It looks at numbers in memory, so a look costs microseconds; nobody who loads or reserves has to know that anybody
listens. Where nobody listens it does not look.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from server.budgets import Breakers
from server.jobs import Jobs
from server.routing import Routing
from store import Store

TICK_S = 0.2
TIME_PASSES_S = 60.0
"""Time alone changes answers, too: a day ends, a reservation expires. So they are looked at this often."""

Mark = object
"""Another one where something moved; compared, never read."""
_LOG = logging.getLogger(__name__)


class Moves:
    """The marks of each field that can be subscribed to. It lives in one event loop."""

    def __init__(self, marks: Mapping[str, Callable[[], Mark]], tick_s: float = TICK_S) -> None:
        self._marks = marks
        self._tick_s = tick_s
        self._waiting: dict[str, dict[asyncio.Future[None], Mark]] = {name: {} for name in marks}
        self._somebody = asyncio.Event()

    def mark(self, field: str) -> Mark:
        """Whoever reads it and then asks gets an answer of this state or a later one."""
        return self._marks[field]()

    async def since(self, field: str, mark: Mark) -> None:
        """Returns once the mark of a field is another one."""
        moved = asyncio.get_running_loop().create_future()
        self._waiting[field][moved] = mark
        self._somebody.set()
        try:
            await moved
        finally:
            del self._waiting[field][moved]

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            await self._somebody.wait()
            if not any(self._waiting.values()):
                self._somebody.clear()
                continue
            try:
                self._look()
            except Exception:  # noqa: BLE001 - the edge of a task: one bad moment must not end all subscriptions
                _LOG.exception("what moved could not be looked at; again in %s s", self._tick_s)
            await asyncio.sleep(self._tick_s)

    def _look(self) -> None:
        for field, waiting in self._waiting.items():
            if waiting:
                now = self.mark(field)
                for moved, before in waiting.items():
                    if before != now and not moved.done():
                        moved.set_result(None)


def marks_of(
    store: Store, clock: Callable[[], datetime], jobs: Jobs | None, breakers: Breakers | None, routing: Routing | None
) -> dict[str, Callable[[], Mark]]:
    """For each field that can be subscribed to, what its answer hangs on."""

    def minute() -> Mark:
        return int(clock().timestamp() // TIME_PASSES_S)

    def data() -> Mark:
        return store.data_version(), minute()

    def loads() -> Mark:
        going_on = jobs.running() if jobs else []
        return data(), tuple((job.number, job.state, job.read_bytes) for job in going_on)

    def snapshot() -> Mark:
        known = routing.known(clock()) if routing else None
        return data(), known and (known.snapshot and known.snapshot.computed_at, known.standing, known.error)

    def standings() -> Mark:
        return data(), breakers.changes() if breakers else 0

    return {"metrics": data, "dataVersion": data, "sources": loads, "routing": snapshot, "budgets": standings}
